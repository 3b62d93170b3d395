"""Drafting words with a model in three phases: reserve the call, make it, record what came of it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, NoReturn

from ai_pipeline.content.calls import Call
from ai_pipeline.content.lookbook import LookbookDraft, draft_lookbook
from ai_pipeline.content.story import StoryDraft, draft_story
from ai_pipeline.content.subject import KnownFact, Subject
from ai_pipeline.gemini import GeminiClient, ModelBusy, ModelError, ModelGarbage, ModelMisconfigured, ModelRefused
from marketplace.gateways.content import finding_json
from marketplace.kernel.errors import Conflict
from marketplace.studio import calls, operations
from marketplace.studio.calls import Usage
from marketplace.studio.rules import RESERVED_MICROS
from marketplace.studio.sources import Material, material
from workers import models
from workers.run import Retry, Run

Drafted = StoryDraft | LookbookDraft
MAX_IMAGE = 4 << 20
_CODES = {
    ModelBusy: "model_busy",
    ModelRefused: "model_refused",
    ModelGarbage: "model_garbage",
    ModelMisconfigured: "model_misconfigured",
}


def story(run: Run, design_id: str, user_id: str | None = None) -> None:
    """Draft the story of a design."""
    _draft(run, "story", design_id, user_id, draft_story)


def lookbook(run: Run, design_id: str, user_id: str | None = None) -> None:
    """Draft a lookbook of a design's pictures. A design without pictures is refused."""
    _draft(run, "lookbook", design_id, user_id, draft_lookbook)


def _draft(
    run: Run,
    kind: str,
    design_id: str,
    user_id: str | None,
    ask: Callable[[GeminiClient, Subject, list[bytes]], Drafted],
) -> None:
    with run.phase(10) as session:
        given = material(session, design_id, user_id)
        if kind == "lookbook" and not given.shots:
            raise Conflict("no_pictures", "A lookbook needs at least one picture.")
        call_id = calls.reserve(
            session, org_id=given.org_id, task=kind, subject=design_id, job_id=run.job_id, user_id=user_id
        ).id
    images = [run.services.storage.read(shot.key, MAX_IMAGE) for shot in given.shots]
    run.progress(30)
    try:
        draft = ask(models.client(run.services.settings), _subject(given), images)
    except ModelError as error:
        _give_up(run, call_id, error)
    with run.phase(90) as session:
        usage = usage_of(draft.call)
        reply = draft.model_dump(mode="json", exclude={"call"})
        calls.settle(session, call_id, usage=usage, sent=draft.call.sent, reply=reply)
        operations.save_draft(
            session,
            run.actor,
            design_id,
            kind,
            text=_text(given, draft),
            findings=[finding_json(f.model_dump()) for f in (*draft.blocked_claims, *draft.findings)],
            sources=_sources(given, draft),
            call_id=call_id,
            sandbox=usage.sandbox,
        )


def usage_of(call: Call) -> Usage:
    """What a call took; a cost that is not known counts as what was reserved."""
    return Usage(
        model=call.model,
        model_version=call.model_version,
        prompt_tokens=call.prompt_tokens,
        output_tokens=call.output_tokens,
        cost_micros=call.cost_micros if call.cost_micros is not None else RESERVED_MICROS,
        sandbox=call.from_sandbox,
    )


def _give_up(run: Run, call_id: str, error: ModelError) -> NoReturn:
    code = _CODES.get(type(error), "model_garbage")
    with run.phase() as session:
        calls.settle(session, call_id, error=f"{code}: {error}")
    if isinstance(error, ModelBusy):
        delay = timedelta(seconds=error.retry_after_s) if error.retry_after_s else None
        raise Retry(code, delay) from error
    raise Conflict(code, "The model gave no draft.") from error


def _subject(given: Material) -> Subject:
    return Subject(
        title=given.title,
        category=given.category,
        designer=given.designer,
        language=given.language,
        text=given.text,
        facts=[KnownFact(**fact) for fact in given.facts],
    )


def _text(given: Material, draft: Drafted) -> dict[str, Any]:
    if isinstance(draft, StoryDraft):
        return {"headline": draft.headline, "paragraphs": draft.paragraphs, "language": draft.language}
    pages = [
        {
            "picture": given.shots[page.image_index].picture,
            "heading": page.title,
            "caption": page.caption,
            "layout": page.layout,
            "approved": False,
        }
        for page in draft.pages
    ]
    return {"title": given.title, "pages": pages, "language": draft.language}


def _sources(given: Material, draft: Drafted) -> list[str]:
    """Names of the facts that the words rest on: as the model said, else everything it was given."""
    names = [fact["name"] for fact in given.facts]
    if isinstance(draft, StoryDraft) and draft.claims:
        claimed = {claim.fact for claim in draft.claims}
        return [name for name in names if name in claimed]
    return names
