"""What happens to data requests. A copy is made by a job; erasure is decided by a person (books and contracts stay)."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Organization
from marketplace.audit.operations import record
from marketplace.db.jobs import JobName, stage
from marketplace.db.locks import lock, lock_name
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, NotFound
from marketplace.notifications.models import Notification
from marketplace.notifications.operations import notify_org
from marketplace.privacy.models import PrivacyRequest
from marketplace.privacy.rules import REQUEST, TIME_LIMIT


def ask(session: Session, actor: Actor, kind: str, note: str = "") -> PrivacyRequest:
    """Take a request; raises Conflict `already_asked` while one of the kind is open."""
    if actor.user_id is None:
        raise NotFound
    lock_name(session, f"privacy:{actor.user_id}")
    mine = (PrivacyRequest.user_id == actor.user_id, PrivacyRequest.kind == kind, PrivacyRequest.state == "received")
    if session.scalars(select(PrivacyRequest.id).where(*mine)).first():
        raise Conflict("already_asked", "You have already asked for this; it is being worked on.")
    request = PrivacyRequest(user_id=actor.user_id, kind=kind, note=note, due_at=clock.now() + TIME_LIMIT)
    session.add(request)
    session.flush()
    record(session, actor, f"privacy.{kind}_asked", request.id, owner_org_id=actor.org_id)
    if kind == "access":
        stage(session, JobName.PREPARE_EXPORT, request.id, {"request_id": request.id}, subject=request.id)
    else:
        for operator in session.scalars(select(Organization.id).where(Organization.kind == "operator")):
            notify_org(session, operator, "privacy_asked", kind_asked=kind, email=actor.email, request=request.id)
    return request


def finish_export(session: Session, actor: Actor, request_id: str, storage_key: str) -> None:
    """Hand the finished copy over; a repeat changes nothing."""
    request = lock(session, PrivacyRequest, request_id)
    if request.state == "done":
        return
    REQUEST.advance(request, "finish", {"system"})
    request.storage_key, request.done_at = storage_key, clock.now()
    record(session, actor, "privacy.export_made", request.id)
    session.add(Notification(user_id=request.user_id, kind="privacy_done", params={}, path="/privacy-requests"))
