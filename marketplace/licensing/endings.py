"""How a negotiation ends without an agreement: declined, withdrawn, run out."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.audit.operations import record
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Invalid
from marketplace.licensing.models import Negotiation
from marketplace.licensing.rules import DECLINE_REASONS, NEGOTIATION, other, roles_in
from marketplace.licensing.seats import locked, note, org_of, side_or_404, tell, tick
from marketplace.messaging.operations import post_message


def decline(
    session: Session,
    actor: Actor,
    negotiation_id: str,
    *,
    version: int,
    reason: str | None = None,
    code: str | None = None,
) -> None:
    """End the negotiation; `code` is one of rules.DECLINE_REASONS, the words are also said in the thread.

    Raises as `accept`, Invalid for an unknown code.
    """
    if code is not None and code not in DECLINE_REASONS:
        raise Invalid("invalid", "Please correct the marked fields.", fields={"code": "Choose one of the reasons."})
    negotiation = locked(session, actor, negotiation_id, "decline", version)
    side = side_or_404(negotiation, actor)
    if reason and reason.strip():
        counterpart = org_of(negotiation, other(side))
        post_message(session, actor, negotiation.id, to_org_id=counterpart, body=reason, at=tick(negotiation))
    NEGOTIATION.advance(negotiation, "decline", roles_in(negotiation, actor))
    negotiation.closed_code = code
    close(session, actor, negotiation, reason)
    counterpart = org_of(negotiation, other(side))
    record(session, actor, "negotiation.declined", negotiation.id, owner_org_id=counterpart, code=code)
    tell(session, negotiation, other(side), "negotiation_declined")


def withdraw(session: Session, actor: Actor, negotiation_id: str, *, version: int) -> None:
    """Take back one's own last offer before it is answered; nothing stands on the table then, so it ends."""
    negotiation = locked(session, actor, negotiation_id, "withdraw", version)
    side = side_or_404(negotiation, actor)
    NEGOTIATION.advance(negotiation, "withdraw", roles_in(negotiation, actor))
    close(session, actor, negotiation)
    record(session, actor, "negotiation.withdrawn", negotiation.id, owner_org_id=org_of(negotiation, other(side)))
    tell(session, negotiation, other(side), "negotiation_withdrawn")


def expire_due(session: Session, actor: Actor, *, limit: int = 200) -> int:
    """Close negotiations whose last offer ran out and tell both sides; returns how many."""
    query = (
        select(Negotiation)
        .where(Negotiation.state == "open", Negotiation.expires_at <= clock.now())
        .order_by(Negotiation.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    found = list(session.scalars(query))
    for negotiation in found:
        expire(session, actor, negotiation)
        for side in ("designer", "buyer"):
            tell(session, negotiation, side, "negotiation_expired")
    return len(found)


def expire(session: Session, actor: Actor, negotiation: Negotiation) -> None:
    """Write down that a locked negotiation's last offer ran out."""
    NEGOTIATION.advance(negotiation, "expire", {"system"})
    negotiation.closed_at = tick(negotiation)
    note(session, actor, negotiation, "expired", negotiation.closed_at, version=negotiation.current_version)
    record(session, actor, "negotiation.expired", negotiation.id, owner_org_id=negotiation.designer_org_id)


def close(session: Session, actor: Actor, negotiation: Negotiation, reason: str | None = None) -> None:
    """Note the end of a locked negotiation whose state has been advanced already."""
    negotiation.closed_at = tick(negotiation)
    negotiation.closed_by_org_id = actor.org_id
    negotiation.closed_reason = reason or None
    note(
        session,
        actor,
        negotiation,
        negotiation.state,
        negotiation.closed_at,
        version=negotiation.current_version,
        details={"code": negotiation.closed_code} if negotiation.closed_code else None,
    )
