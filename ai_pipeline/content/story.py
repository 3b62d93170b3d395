"""Draft the story of a piece from its facts and pictures."""

from pydantic import BaseModel, ConfigDict, Field

from ai_pipeline.content.calls import Call
from ai_pipeline.content.claims import ClaimFinding, check_claims, unknown_fact
from ai_pipeline.content.clean import clean
from ai_pipeline.content.prompts import instruction
from ai_pipeline.content.subject import Subject
from ai_pipeline.gemini import GeminiClient

PROMPT = "story.v1"
HEADLINE, PARAGRAPH = 200, 3000


class Claim(BaseModel):
    """A sentence of the story and the name of the fact it rests on."""

    model_config = ConfigDict(extra="ignore")

    text: str = Field(max_length=1000)
    fact: str = Field(max_length=100)


class StoryReply(BaseModel):
    """What the model answers."""

    model_config = ConfigDict(extra="ignore")

    headline: str = Field(min_length=1, max_length=HEADLINE)
    paragraphs: list[str] = Field(min_length=1, max_length=8)
    claims: list[Claim] = Field(default_factory=list, max_length=60)
    language: str = Field(default="", max_length=20)


class StoryDraft(BaseModel):
    """A draft for a person to edit. While `blocked_claims` is not empty it may not be approved as it stands."""

    headline: str
    paragraphs: list[str]
    claims: list[Claim]
    language: str
    blocked_claims: list[ClaimFinding]
    findings: list[ClaimFinding]
    call: Call


def draft_story(client: GeminiClient, subject: Subject, images: list[bytes]) -> StoryDraft:
    """Ask for a story and check what it claims. `images` are our own JPEG derivatives, at most eight.

    Raises the errors of `GeminiClient.generate`.
    """
    reply = client.generate("story", instruction(PROMPT), subject.as_request(), images, StoryReply)
    answer = reply.parsed
    headline = clean(answer.headline, HEADLINE).text
    paragraphs = [text for part in answer.paragraphs if (text := clean(part, PARAGRAPH).text)]
    names = {fact.name for fact in subject.facts if fact.value is not None}
    claims = [Claim(text=clean(claim.text, 1000).text, fact=claim.fact) for claim in answer.claims]
    findings = check_story(headline, paragraphs, subject)
    findings += [unknown_fact(claim.text) for claim in claims if claim.fact not in names]
    return StoryDraft(
        headline=headline,
        paragraphs=paragraphs,
        claims=claims,
        language=answer.language or subject.language,
        blocked_claims=[finding for finding in findings if finding.severity == "block"],
        findings=[finding for finding in findings if finding.severity == "review"],
        call=Call.of(reply, PROMPT),
    )


def check_story(headline: str, paragraphs: list[str], subject: Subject) -> list[ClaimFinding]:
    """Findings in a whole story, before approval as after an edit."""
    whole = "\n".join([headline, *paragraphs])
    known = f"{subject.title} ; {subject.category} ; {subject.designer}"
    return check_claims(whole, subject.facts, language=subject.language, known_text=known)
