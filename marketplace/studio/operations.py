"""Asking for drafts, keeping them, editing and approving them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.audit.operations import record
from marketplace.db.jobs import JobName, JobRow, stage
from marketplace.db.locks import lock
from marketplace.designs.access import load_design
from marketplace.designs.models import Design
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, Invalid, NotFound
from marketplace.kernel.ids import new_id
from marketplace.notifications.operations import notify_org
from marketplace.policy.decide import relations_of
from marketplace.studio import calls, photo_edits, rules
from marketplace.studio.models import ContentDraft
from marketplace.studio.sources import check_words

_JOBS = {"story": JobName.DRAFT_STORY, "lookbook": JobName.DRAFT_LOOKBOOK}
_ENHANCE = "enhance"
_SYSTEM = frozenset({"system"})


def load_draft(session: Session, actor: Actor, design_id: str, draft_id: str) -> ContentDraft:
    """A draft (or approved words) of one of the actor's designs; raises NotFound."""
    design = load_design(session, actor, design_id)
    query = select(ContentDraft).where(ContentDraft.id == draft_id, ContentDraft.design_id == design.id)
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound
    return found


@relations_of.register
def _draft(subject: ContentDraft, actor: Actor) -> frozenset[str]:
    if actor.kind == "system":
        return _SYSTEM
    return frozenset({"owner"}) if actor.org_id == subject.org_id else frozenset()


def request_content(session: Session, actor: Actor, design: Design, kinds: Sequence[str]) -> list[JobRow]:
    """Have drafts made; a draft that is already being made is not made twice. `enhance` proposes edits of the photos.

    Raises Invalid `kind_not_available`, Conflict `budget_exceeded`, `no_photos`.
    """
    row = lock(session, Design, design.id)
    missing = [kind for kind in kinds if kind not in _JOBS and kind != _ENHANCE]
    if missing:
        raise Invalid(
            "kind_not_available",
            "%(kind)s cannot be drafted yet.",
            params={"kind": missing[0]},
            fields={"/kinds": "Choose story, lookbook or enhance."},
        )
    written = [kind for kind in dict.fromkeys(kinds) if kind in _JOBS]
    if written:
        calls.check_budget(session, row.org_id)
    jobs: list[JobRow] = photo_edits.request_proposals(session, actor, row) if _ENHANCE in kinds else []
    for kind in written:
        job_id = _open_job(session, row.id, _JOBS[kind])
        if job_id is None:
            job_id = stage(
                session,
                _JOBS[kind],
                f"{row.id}:{new_id('ask')}",
                {"design_id": row.id, "user_id": actor.user_id},
                subject=row.id,
                org_id=row.org_id,
                user_id=actor.user_id,
            )
            record(session, actor, "content.requested", row.id, owner_org_id=row.org_id, kind=kind)
        jobs.append(session.get_one(JobRow, job_id))
    return jobs


def save_draft(
    session: Session,
    actor: Actor,
    design_id: str,
    kind: str,
    *,
    text: dict[str, Any],
    findings: list[dict[str, Any]],
    sources: list[str],
    call_id: str,
    sandbox: bool,
) -> ContentDraft:
    """Keep what a model drafted as the current draft; an older draft is superseded, approved words stay."""
    design = lock(session, Design, design_id)
    for old in _current(session, design.id, kind, "draft"):
        rules.DRAFT.advance(old, "supersede", _SYSTEM)
    session.flush()
    draft = ContentDraft(
        design_id=design.id,
        org_id=design.org_id,
        kind=kind,
        text=text,
        findings=findings,
        sources=sources,
        ai_call_id=call_id,
        sandbox=sandbox,
    )
    session.add(draft)
    session.flush()
    what = "Story" if kind == "story" else "Lookbook"
    notify_org(
        session, design.org_id, "content_ready", path=f"/designs/{design.id}#drafts", mail=False, what=what,
        design=design.title,
    )  # fmt: skip
    record(session, actor, "content.drafted", draft.id, owner_org_id=design.org_id, kind=kind)
    return draft


def edit_draft(
    session: Session, actor: Actor, draft: ContentDraft, text: dict[str, Any], *, base_version: int
) -> ContentDraft:
    """Replace the words and check their claims again; approved words turn back into a draft.

    The published words stay as they were until the new ones are approved. Raises Conflict `stale_version`.
    """
    design = lock(session, Design, draft.design_id)
    row = lock(session, ContentDraft, draft.id)
    if row.version != base_version:
        raise Conflict(
            "stale_version",
            "Somebody changed this draft meanwhile. Your text is kept below; compare before you save.",
            extra={"version": row.version},
        )
    if row.state == "approved":
        for other in _current(session, row.design_id, row.kind, "draft"):
            rules.DRAFT.advance(other, "supersede", relations_of(row, actor))
        session.flush()
        rules.DRAFT.advance(row, "revise", relations_of(row, actor))
        row.approved_at = row.approved_by = row.approved_by_name = None
    elif row.state != "draft":
        raise Conflict("superseded", "A newer draft has taken this one's place.")
    row.text, row.edited = text, True
    row.version += 1
    row.findings = check_words(session, design, row.kind, text)
    record(session, actor, "content.edited", row.id, owner_org_id=row.org_id, version=row.version)
    return row


def approve_draft(session: Session, actor: Actor, draft: ContentDraft) -> ContentDraft:
    """Publish the words on the design, with the name of who approved them.

    Raises Conflict `claims_blocked` with the findings while a claim is not supported.
    """
    design = lock(session, Design, draft.design_id)
    row = lock(session, ContentDraft, draft.id)
    _check_claims_allow(row)
    for old in _current(session, row.design_id, row.kind, "approved"):
        if old.id != row.id:
            rules.DRAFT.advance(old, "supersede", relations_of(row, actor))
    session.flush()
    rules.DRAFT.advance(row, "approve", relations_of(row, actor))
    row.approved_by, row.approved_by_name, row.approved_at = actor.user_id, actor.name, clock.now()
    if row.kind == "lookbook":
        row.text = {**row.text, "pages": [{**page, "approved": True} for page in row.text.get("pages", [])]}
    _publish(design, row)
    record(session, actor, "content.approved", row.id, owner_org_id=row.org_id, kind=row.kind)
    return row


def approve_page(session: Session, actor: Actor, draft: ContentDraft, asset_id: str) -> ContentDraft:
    """Approve the lookbook pages that show this file's pictures; with the last page the lookbook is published."""
    lock(session, Design, draft.design_id)
    row = lock(session, ContentDraft, draft.id)
    pages = row.text.get("pages", [])
    if not any(str(page.get("picture", "")).startswith(asset_id + ".") for page in pages):
        raise NotFound
    if row.state == "approved":
        return row
    _check_claims_allow(row)
    marked = [
        {**page, "approved": True} if str(page.get("picture", "")).startswith(asset_id + ".") else page
        for page in pages
    ]
    row.text = {**row.text, "pages": marked}
    session.flush()
    if all(page.get("approved") for page in marked):
        return approve_draft(session, actor, row)
    record(session, actor, "content.page_approved", row.id, owner_org_id=row.org_id, asset=asset_id)
    return row


def current_draft(session: Session, design_id: str, kind: str) -> ContentDraft:
    """The open draft of a design, else its approved words; raises NotFound."""
    for state in ("draft", "approved"):
        for row in _current(session, design_id, kind, state):
            return row
    raise NotFound


def _check_claims_allow(row: ContentDraft) -> None:
    found = rules.blocked(row.findings)
    if found:
        raise Conflict(
            "claims_blocked",
            "Some sentences claim what no fact supports. Change them before you approve.",
            extra={"findings": list(found)},
        )


def _publish(design: Design, row: ContentDraft) -> None:
    published = {
        **row.text,
        "draft_id": row.id,
        "ai": row.ai_call_id is not None,
        "edited": row.edited,
        "sandbox": row.sandbox,
        "sources": row.sources,
        "approved_by_name": row.approved_by_name,
        "approved_at": row.approved_at.isoformat() if row.approved_at else None,
    }
    if row.kind == "story":
        design.story = published
    else:
        design.lookbook = published
    design.version += 1


def _current(session: Session, design_id: str, kind: str, state: str) -> Sequence[ContentDraft]:
    query = select(ContentDraft).where(
        ContentDraft.design_id == design_id, ContentDraft.kind == kind, ContentDraft.state == state
    )
    return session.scalars(query).all()


def _open_job(session: Session, design_id: str, name: JobName) -> str | None:
    query = select(JobRow.id).where(
        JobRow.subject == design_id, JobRow.name == str(name), JobRow.state.in_(("queued", "running"))
    )
    return session.scalars(query.limit(1)).one_or_none()
