"""Holding rights: for some days nobody else gets what an offer asks for. The designer grants it; both can end it."""

from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from marketplace.audit.operations import record
from marketplace.db.locks import lock
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, Forbidden, NotFound
from marketplace.licensing.grant_models import Hold
from marketplace.licensing.grants import as_conflict, lock_rights, refuse_collision
from marketplace.licensing.models import Negotiation
from marketplace.licensing.rules import other, side_of
from marketplace.licensing.seats import current_offer, locked, note, tell, tick
from marketplace.licensing.terms import Terms

#: The days a designer may choose from; the most is the last.
HOLD_DAYS = (3, 7, 14)
#: Two holds of one version that end this near to each other are one that was pressed twice.
_SAME = timedelta(minutes=1)


def hold(session: Session, actor: Actor, negotiation_id: str, *, version: int, days: int) -> Hold:
    """Keep the scope of the offer on the table free for its buyer, at most until the offer lapses.

    A second hold replaces the first; one pressed twice is one, told once. Raises Conflict `rights_conflict` when the
    rights are taken, `stale_version` or `illegal_transition` as an answer to the offer does; Forbidden for the buyer.
    """
    design_id = session.scalars(select(Negotiation.design_id).where(Negotiation.id == negotiation_id)).one_or_none()
    if design_id is None:
        raise NotFound
    lock_rights(session, design_id)
    negotiation = locked(session, actor, negotiation_id, "message", version)
    if side_of(negotiation, actor) != "designer":
        raise Forbidden("designer_only", "Only the designer can hold the rights.")
    if negotiation.state != "open":
        raise Conflict("illegal_transition", "This is not possible any more.", extra={"state": negotiation.state})
    now = clock.now()
    until = min(now + timedelta(days=min(max(days, 1), HOLD_DAYS[-1])), negotiation.expires_at)
    standing = held(session, negotiation_id, now)
    if standing is not None and standing.version == version and abs(until - standing.held_until) < _SAME:
        return standing
    offer = current_offer(session, negotiation)
    terms = Terms.model_validate(offer.terms)
    session.execute(delete(Hold).where(Hold.negotiation_id == negotiation_id))
    refuse_collision(session, design_id, terms, now, holder=negotiation.buyer_org_id, negotiation_id=negotiation_id)
    made = Hold(
        negotiation_id=negotiation_id,
        version=offer.version,
        design_id=design_id,
        designer_org_id=negotiation.designer_org_id,
        buyer_org_id=negotiation.buyer_org_id,
        kind=terms.kind,
        terms=offer.terms,
        held_until=until,
        created_at=now,
    )
    session.add(made)
    with as_conflict():
        session.flush()
    buyer = negotiation.buyer_org_id
    record(session, actor, "rights.held", negotiation_id, owner_org_id=buyer, version=version, until=until.isoformat())
    details = {"until": until.isoformat()}
    note(session, actor, negotiation, "held", tick(negotiation), version=offer.version, details=details)
    tell(session, negotiation, "buyer", "rights_held", until=until)
    return made


def release_hold(session: Session, actor: Actor, negotiation_id: str) -> None:
    """Let go of what is held; nothing happens when nothing is. Raises NotFound for strangers."""
    negotiation = lock(session, Negotiation, negotiation_id)
    side = side_of(negotiation, actor)
    if side is None:
        raise NotFound
    found = session.scalars(select(Hold).where(Hold.negotiation_id == negotiation_id)).one_or_none()
    if found is None:
        return
    session.delete(found)
    session.flush()
    owner = negotiation.buyer_org_id if side == "designer" else negotiation.designer_org_id
    record(session, actor, "rights.released", negotiation_id, owner_org_id=owner)
    note(session, actor, negotiation, "released", tick(negotiation), version=found.version)
    tell(session, negotiation, other(side), "rights_released")


def release_due(session: Session, actor: Actor, *, limit: int = 200) -> int:
    """Let go of holds whose time is over; returns how many. They bind nobody any more, this only clears them."""
    query = select(Hold).where(Hold.held_until <= clock.now()).limit(limit).with_for_update(skip_locked=True)
    found = list(session.scalars(query))
    for row in found:
        session.delete(row)
        record(session, actor, "rights.released", row.negotiation_id, owner_org_id=row.buyer_org_id)
    return len(found)


def held(session: Session, negotiation_id: str, now: datetime) -> Hold | None:
    """The hold that stands for a negotiation."""
    query = select(Hold).where(Hold.negotiation_id == negotiation_id, Hold.held_until > now)
    return session.scalars(query).one_or_none()
