"""Writing the audit log. Every operation that changes something calls `record` in its own transaction."""

from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from marketplace.audit.models import AuditEvent
from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel.actor import Actor

_MAX_SUBJECT = 80


def record(
    session: Session,
    actor: Actor,
    action: str,
    subject: str | None,
    *,
    owner_org_id: str | None = None,
    outcome: str = "done",
    **details: Any,
) -> None:
    """Append an event. `details` holds ids, numbers and states, never secrets or message text."""
    session.add(
        AuditEvent(
            action=action,
            subject=subject.replace("\x00", "")[:_MAX_SUBJECT] if subject else None,
            outcome=outcome,
            actor_kind=actor.kind,
            user_id=actor.user_id,
            org_id=actor.org_id,
            owner_org_id=owner_org_id,
            ip=actor.ip,
            request_id=actor.request_id,
            details=details,
        )
    )


def record_refusal(engine: Engine, actor: Actor, action: str, subject: str | None, **details: Any) -> None:
    """Append a refusal in a transaction of its own, because the refused one is rolled back."""
    with unit_of_work(engine, actor) as session:
        record(session, actor, action, subject, outcome="refused", **details)
