"""Findings about money that a person must look at: raised once, mailed to the operators, resolved by one of them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace.accounts.models import Organization
from marketplace.audit.operations import record
from marketplace.db.locks import lock
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict
from marketplace.kernel.ids import new_id
from marketplace.notifications.operations import notify_org
from marketplace.payments.claims import Alert


def raise_alert(
    session: Session, actor: Actor, kind: str, key: str, *, subject_id: str | None = None, **details: Any
) -> bool:
    """Raise an alert once; False when `key` was raised before. `details` are ids, numbers and states."""
    made = session.execute(
        insert(Alert)
        .values(
            id=new_id("alr"),
            key=f"{kind}:{key}"[:200],
            kind=kind,
            subject_id=subject_id,
            details=details,
            created_at=clock.now(),
        )
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(Alert.id)
    ).first()
    if made is None:
        return False
    record(session, actor, "money.alert", subject_id, outcome="failed", kind=kind, **details)
    for org_id in session.scalars(select(Organization.id).where(Organization.kind == "operator")):
        notify_org(session, org_id, "money_alert", path="/desk/money", what=kind, subject=subject_id or "")
    return True


def resolve(session: Session, actor: Actor, alert_id: str) -> Alert:
    """Close an alert. Raises Conflict when somebody else has closed it."""
    row = lock(session, Alert, alert_id)
    if row.resolved_at is not None:
        raise Conflict("already_resolved", "Somebody has closed this alert already.")
    row.resolved_at, row.resolved_by = clock.now(), actor.user_id
    record(session, actor, "money.alert_resolved", row.subject_id, kind=row.kind)
    return row


def unresolved(session: Session, limit: int = 100) -> Sequence[Alert]:
    """Alerts that nobody has closed, newest first."""
    query = select(Alert).where(Alert.resolved_at.is_(None)).order_by(Alert.created_at.desc(), Alert.id).limit(limit)
    return session.scalars(query).all()
