"""The two sides at a negotiation's table: its lock, its own clock, who sits where, telling the other side."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from marketplace.db.locks import lock
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, NotFound
from marketplace.licensing.models import Negotiation, Offer
from marketplace.licensing.rules import NEGOTIATION, lapsed, roles_in, side_of
from marketplace.licensing.terms import changed_fields
from marketplace.licensing.thread_models import NegotiationEvent
from marketplace.notifications.operations import notify_org

#: The least that two things in one thread are apart, so that their order is never in doubt.
_TICK = timedelta(microseconds=1)


def locked(session: Session, actor: Actor, negotiation_id: str, action: str, version: int) -> Negotiation:
    """The negotiation, locked, when `action` on `version` is the actor's to do now.

    Raises NotFound for strangers, Conflict `stale_version` (telling what changed), `negotiation_expired` or
    `illegal_transition` with the state and the current version, Forbidden `not_your_turn`.
    """
    negotiation = lock(session, Negotiation, negotiation_id)
    roles = roles_in(negotiation, actor)
    if not roles:
        raise NotFound
    if (negotiation.state == "open" or action == "reopen") and version != negotiation.current_version:
        raise _stale(session, negotiation, version)
    if lapsed(negotiation, clock.now()):
        raise Conflict(
            "negotiation_expired",
            "The offer has expired. Either side can take the negotiation up again with a new offer.",
            extra={"state": "expired", "current_version": negotiation.current_version},
        )
    try:
        NEGOTIATION.target(negotiation.state, action, roles)
    except Conflict as refusal:
        refusal.extra["current_version"] = negotiation.current_version
        raise
    return negotiation


def tick(negotiation: Negotiation) -> datetime:
    """The moment of what happens now in a locked negotiation: later than everything in it, whatever the clocks say.

    Everything in a thread takes its time under the negotiation's lock, so the order of times is the order of commits:
    who has seen everything up to `updated_at` has missed nothing.
    """
    negotiation.updated_at = next_moment(negotiation)
    return negotiation.updated_at


def next_moment(negotiation: Negotiation) -> datetime:
    """The moment of what happens now in a locked negotiation and does not move it, because only one side sees it."""
    return max(clock.now(), negotiation.updated_at + _TICK)


def tick_by_id(session: Session, negotiation_id: str) -> datetime:
    """The same in one statement, for what does not look at the offer; locks the row until the transaction ends."""
    moved = func.greatest(clock.now(), Negotiation.updated_at + _TICK)
    query = update(Negotiation).where(Negotiation.id == negotiation_id).values(updated_at=moved)
    return session.scalars(query.returning(Negotiation.updated_at).execution_options(synchronize_session=False)).one()


def side_or_404(negotiation: Negotiation, actor: Actor) -> str:
    """The actor's side. Raises NotFound for a stranger."""
    side = side_of(negotiation, actor)
    if side is None:
        raise NotFound
    return side


def org_of(negotiation: Negotiation, side: str) -> str:
    """The organization on a side."""
    return negotiation.designer_org_id if side == "designer" else negotiation.buyer_org_id


def note(
    session: Session,
    actor: Actor,
    negotiation: Negotiation,
    kind: str,
    at: datetime,
    *,
    private: bool = False,
    version: int | None = None,
    term: str | None = None,
    message_id: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Write an event into the thread (thread_models.EVENT_KINDS); `private` ones only one's own organization sees."""
    session.add(
        NegotiationEvent(
            negotiation_id=negotiation.id,
            org_id=actor.org_id,
            user_id=actor.user_id,
            kind=kind,
            private=private,
            version=version,
            term=term,
            message_id=message_id,
            details=dict(details or {}),
            created_at=at,
        )
    )


def tell(session: Session, negotiation: Negotiation, side: str, kind: str, **params: Any) -> None:
    """Notify the organization on a side, with the way to the thread."""
    notify_org(
        session,
        org_of(negotiation, side),
        kind,
        path=f"/negotiations/{negotiation.id}",
        design=str(negotiation.snapshot.get("title", "")),
        **params,
    )


def current_offer(session: Session, negotiation: Negotiation) -> Offer:
    """The version on the table."""
    return session.scalars(
        select(Offer).where(Offer.negotiation_id == negotiation.id, Offer.version == negotiation.current_version)
    ).one()


def _stale(session: Session, negotiation: Negotiation, version: int) -> Conflict:
    found = session.execute(
        select(Offer.version, Offer.terms).where(
            Offer.negotiation_id == negotiation.id, Offer.version.in_([version, negotiation.current_version])
        )
    ).all()
    terms = {row.version: row.terms for row in found}
    old, new = terms.get(version), terms[negotiation.current_version]
    names = changed_fields(old, new)
    return Conflict(
        "stale_version",
        "Meanwhile there is version %(version)s. Look at what changed before you answer.",
        params={"version": negotiation.current_version},
        extra={
            "current_version": negotiation.current_version,
            "seen_version": version,
            "state": negotiation.state,
            "changed": names,
            "changes": [{"term": name, "was": (old or {}).get(name), "now": new.get(name)} for name in names],
        },
    )
