"""Draft a lookbook: which picture on which page, with which words."""

from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from ai_pipeline.content.calls import Call
from ai_pipeline.content.claims import ClaimFinding
from ai_pipeline.content.clean import clean
from ai_pipeline.content.prompts import instruction
from ai_pipeline.content.story import check_story
from ai_pipeline.content.subject import Subject
from ai_pipeline.gemini import GeminiClient, ModelGarbage

PROMPT = "lookbook.v1"
TITLE, CAPTION = 120, 600
MAX_PAGES = 24

Layout = Literal["cover", "full", "pair", "detail"]


class PageReply(BaseModel):
    """A page as the model answers it."""

    model_config = ConfigDict(extra="ignore")

    title: str = Field(default="", max_length=TITLE)
    caption: str = Field(default="", max_length=CAPTION)
    image_index: int
    layout: str = Field(default="full", max_length=40)


class LookbookReply(BaseModel):
    """What the model answers."""

    model_config = ConfigDict(extra="ignore")

    pages: list[PageReply] = Field(min_length=1, max_length=MAX_PAGES)


class LookbookPage(BaseModel):
    """One page; `image_index` counts the pictures that were sent, from 0."""

    title: str
    caption: str
    image_index: int
    layout: Layout


class LookbookDraft(BaseModel):
    """A draft for a person to edit. While `blocked_claims` is not empty it may not be approved as it stands."""

    pages: list[LookbookPage]
    language: str
    blocked_claims: list[ClaimFinding]
    findings: list[ClaimFinding]
    call: Call


def draft_lookbook(client: GeminiClient, subject: Subject, images: list[bytes]) -> LookbookDraft:
    """Ask for a lookbook of `images` (our own JPEG derivatives, one to eight) and check what its captions claim.

    Pages of pictures that were not sent are dropped; ModelGarbage when none is left. Raises the errors of
    `GeminiClient.generate`.
    """
    reply = client.generate("lookbook", instruction(PROMPT), subject.as_request(), images, LookbookReply)
    pages = [
        LookbookPage(
            title=clean(page.title, TITLE).text,
            caption=clean(page.caption, CAPTION).text,
            image_index=page.image_index,
            layout=_layout(page.layout),
        )
        for page in reply.parsed.pages
        if 0 <= page.image_index < len(images)
    ]
    if not pages:
        raise ModelGarbage("no_pages")
    findings = check_story("", [f"{page.title}\n{page.caption}" for page in pages], subject)
    return LookbookDraft(
        pages=pages,
        language=subject.language,
        blocked_claims=[finding for finding in findings if finding.severity == "block"],
        findings=[finding for finding in findings if finding.severity == "review"],
        call=Call.of(reply, PROMPT),
    )


def _layout(name: str) -> Layout:
    known: tuple[Layout, ...] = get_args(Layout)
    return next((layout for layout in known if layout == name), "full")
