"""Findings about money that a person must look at: raised once, mailed to the operators, resolved by one of them."""

from collections.abc import Sequence
from typing import Any, Protocol

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
from marketplace.payments.alert_words import KINDS
from marketplace.payments.claims import Alert


class JobRun(Protocol):
    """What is known of a job that has failed for good."""

    actor: Actor
    job_id: str
    job_name: str


def raise_alert(
    session: Session,
    actor: Actor,
    kind: str,
    key: str,
    *,
    subject_id: str | None = None,
    reopen: bool = False,
    **details: Any,
) -> bool:
    """Raise an alert once; False when `key` was raised before. `details` are ids, numbers (minor units) and states.

    With `reopen` one that somebody has closed is raised anew: what was found is a state that can come again.
    """
    said = {"details": details, "created_at": clock.now()}
    new = insert(Alert).values(id=new_id("alr"), key=f"{kind}:{key}"[:200], kind=kind, subject_id=subject_id, **said)
    made = session.execute(
        (
            new.on_conflict_do_update(
                index_elements=["key"],
                set_={**said, "resolved_at": None, "resolved_by": None},
                where=Alert.resolved_at.is_not(None),
            )
            if reopen
            else new.on_conflict_do_nothing(index_elements=["key"])
        ).returning(Alert.id)
    ).first()
    if made is None:
        return False
    record(session, actor, "money.alert", subject_id, outcome="failed", kind=kind, **details)
    tell(session, kind)
    return True


def tell(session: Session, kind: str) -> None:
    """Mail the operators what was found and what to do next, each in their language."""
    what, todo = KINDS[kind]
    for org_id in operators(session):
        notify_org(
            session, org_id, "money_alert", path="/desk/money", what={"message": what}, subject={"message": todo}
        )


def operators(session: Session) -> Sequence[str]:
    """The operators' organizations."""
    return session.scalars(select(Organization.id).where(Organization.kind == "operator")).all()


def gave_up(session: Session, run: JobRun, why: str, **args: Any) -> None:
    """A job of money ends without having done its work (workers.registry): a person learns of it and may retry it."""
    subject = args.get("subject_id") or next((value for value in args.values() if isinstance(value, str)), None)
    raise_alert(
        session, run.actor, "gave_up", run.job_id, subject_id=subject, job=run.job_name, args=args, why=why[:200]
    )


def resolve(session: Session, actor: Actor, alert_id: str) -> Alert:
    """Close an alert. Raises Conflict when somebody else has closed it."""
    row = lock(session, Alert, alert_id)
    if row.resolved_at is not None:
        raise Conflict("already_resolved", "Somebody has closed this alert already.")
    row.resolved_at, row.resolved_by = clock.now(), actor.user_id
    record(session, actor, "money.alert_resolved", row.subject_id, kind=row.kind)
    return row


def settle(session: Session, actor: Actor, kind: str, key: str) -> None:
    """Close the alert of a finding that has just been dealt with, if it was raised."""
    query = select(Alert.id).where(Alert.key == f"{kind}:{key}"[:200], Alert.resolved_at.is_(None))
    for alert_id in session.scalars(query).all():
        resolve(session, actor, alert_id)


def unresolved(session: Session, limit: int = 100) -> Sequence[Alert]:
    """Alerts that nobody has closed, newest first."""
    query = select(Alert).where(Alert.resolved_at.is_(None)).order_by(Alert.created_at.desc(), Alert.id).limit(limit)
    return session.scalars(query).all()
