"""What a page shows of drafted words: labels, failures, what goes on."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from marketplace.db.jobs import JobRow
from marketplace.designs.vocabulary import fact_word, reason_text
from marketplace.studio import rules
from marketplace.studio.models import ContentDraft
from marketplace.web.i18n import Formats

_FAILURES: dict[str, Any] = {
    "model_busy": _l("The writing service is busy. Nothing is lost; try again in a few minutes."),
    "model_refused": _l("The writing service declined to write about this piece. Change the description or try again."),
    "model_garbage": _l(
        "The writing service answered with something that is not a draft. Nothing was kept; try again."
    ),
    "model_misconfigured": _l("The writing service is not set up correctly. The operator has to look at it."),
    "no_pictures": _l("A lookbook needs at least one picture. Upload a photo or CAD first."),
    "budget_exceeded": _l("Your studio has used up today's drafts. Try again tomorrow."),
}
_FAILED = _l("The draft could not be made. Nothing is lost; try again.")

KIND_WORDS: dict[str, Any] = {"story": _l("Story"), "lookbook": _l("Lookbook")}


def failure_words(job: JobRow) -> str:
    """Why a drafting job failed, and what to do, in words."""
    code = (job.error or "").partition(":")[0]
    return str(_FAILURES.get(code, _FAILED))


def approval_label(words: Mapping[str, Any]) -> str:
    """The label of published words: who approved them and when, and that a model drafted them."""
    who, when = words.get("approved_by_name") or "", str(words.get("approved_at") or "")[:10]
    if not words.get("ai"):
        return _("Approved by %(who)s, %(when)s", who=who, when=when)
    if words.get("sandbox"):
        return _("Drafted with AI (sandbox), approved by %(who)s, %(when)s", who=who, when=when)
    return _("Drafted with AI, approved by %(who)s, %(when)s", who=who, when=when)


def draft_label(draft: ContentDraft) -> str:
    """The label of one draft or of approved words."""
    if draft.state == "approved":
        when = Formats().date(draft.approved_at) if draft.approved_at else ""
        shown = {
            "ai": draft.ai_call_id is not None,
            "sandbox": draft.sandbox,
            "approved_by_name": draft.approved_by_name,
        }
        return approval_label({**shown, "approved_at": when})
    if draft.sandbox:
        return _("Draft, written by AI (sandbox); nobody has approved it")
    return _("Draft, written by AI; nobody has approved it")


def source_words(names: list[str]) -> str:
    """Names of facts in the reader's language, at most twelve of them."""
    shown = [fact_word(name) for name in names[:12]]
    return ", ".join([*shown, "…"] if len(names) > len(shown) else shown)


def words_context(drafts: Mapping[str, ContentDraft], jobs: Mapping[str, JobRow]) -> dict[str, Any]:
    """What the panel of words needs."""
    working = {kind for kind, job in jobs.items() if job.state in {"queued", "running"}}
    failed = {
        kind: failure_words(job)
        for kind, job in jobs.items()
        if job.state == "failed" and _newer(job, drafts.get(kind))
    }
    return {
        "drafts": drafts,
        "word_jobs": jobs,
        "working": working,
        "failed": failed,
        "kinds": rules.KINDS,
        "kind_words": KIND_WORDS,
        "draft_label": draft_label,
        "reason_text": reason_text,
        "source_words": source_words,
    }


def _newer(job: JobRow, draft: ContentDraft | None) -> bool:
    return draft is None or (job.finished_at is not None and job.finished_at > draft.created_at)
