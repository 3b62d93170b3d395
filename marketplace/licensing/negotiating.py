"""What happens in a negotiation. Each operation locks, checks, changes, audits and tells the other side."""

from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace.accounts.models import Organization
from marketplace.audit.operations import record
from marketplace.db.jobs import JobName, stage
from marketplace.db.locks import lock, lock_name
from marketplace.designs import queries as designs
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from marketplace.licensing.grants import lock_rights, refuse_collision
from marketplace.licensing.models import License, Negotiation, Offer, ReadMark
from marketplace.licensing.rules import LICENSE, NEGOTIATION, lapsed, other, roles_in, side_of
from marketplace.licensing.terms import Terms, changed_fields, date_problems, expiry
from marketplace.messaging.models import Message
from marketplace.messaging.operations import post_message
from marketplace.notifications.operations import notify_org


def open_negotiation(
    session: Session, actor: Actor, design_id: str, terms: Terms, message: str | None = None
) -> Negotiation:
    """Begin a negotiation over a listed design with the buyer's first offer; it is the designer's turn.

    Freezes what the design said at this moment. Raises NotFound for a design that is not listed, Conflict
    `negotiation_open` when the buyer negotiates over it already, Invalid for dates that cannot be.
    """
    if actor.org_id is None:
        raise Forbidden("forbidden", "Your role does not allow this.")
    design = designs.listed_design(session, design_id)
    if design.org_id == actor.org_id:
        raise Conflict("own_design", "This is your own design.")
    _check_dates(terms)
    now = clock.now()
    lock_name(session, f"negotiation {design_id} {actor.org_id}")
    _make_room(session, actor, design_id)
    negotiation = Negotiation(
        design_id=design_id,
        designer_org_id=design.org_id,
        buyer_org_id=actor.org_id,
        state=NEGOTIATION.initial,
        turn="designer",
        current_version=1,
        expires_at=expiry(terms, now),
        snapshot=designs.snapshot(session, design_id),
        created_at=now,
        updated_at=now,
    )
    session.add(negotiation)
    session.flush()
    _add_offer(session, actor, negotiation, terms, "buyer")
    if message and message.strip():
        post_message(session, actor, negotiation.id, to_org_id=negotiation.designer_org_id, body=message)
    record(session, actor, "negotiation.opened", negotiation.id, owner_org_id=design.org_id, design=design_id)
    _tell(session, negotiation, "designer", "negotiation_opened")
    return negotiation


def make_offer(
    session: Session,
    actor: Actor,
    negotiation_id: str,
    *,
    base_version: int,
    terms: Terms,
    message: str | None = None,
) -> Offer:
    """Counter with new terms; it becomes the other side's turn.

    Raises Conflict `stale_version` (telling what changed) when somebody was faster, Forbidden `not_your_turn`,
    Invalid `no_change` for the terms that already stand there.
    """
    negotiation = _locked(session, actor, negotiation_id, "counter", base_version)
    _check_dates(terms)
    current = _offer(session, negotiation)
    if current.terms_hash == terms.hash():
        raise Invalid("no_change", "These are the terms on the table. Accept them, or change something.")
    side = _side(negotiation, actor)
    NEGOTIATION.advance(negotiation, "counter", roles_in(negotiation, actor))
    negotiation.current_version += 1
    negotiation.turn = other(side)
    negotiation.updated_at = now = clock.now()
    negotiation.expires_at = expiry(terms, now)
    made = _add_offer(session, actor, negotiation, terms, side)
    if message and message.strip():
        post_message(session, actor, negotiation.id, to_org_id=_org(negotiation, other(side)), body=message)
    record(
        session,
        actor,
        "negotiation.countered",
        negotiation.id,
        owner_org_id=_org(negotiation, other(side)),
        version=made.version,
        changed=changed_fields(current.terms, made.terms),
    )
    _tell(session, negotiation, other(side), "offer_received", version=made.version)
    return made


def accept(
    session: Session, actor: Actor, negotiation_id: str, *, version: int, terms_hash: str | None = None
) -> License:
    """Accept one exact version: the negotiation ends and the agreement is drawn up.

    Raises Conflict `stale_version`, `terms_mismatch` (the hash is of other terms), `rights_conflict` (the rights are
    taken), `design_removed`, `party_suspended`; Forbidden `not_your_turn`. Of any number of tries at once, one wins.
    """
    design_id = session.scalars(select(Negotiation.design_id).where(Negotiation.id == negotiation_id)).one_or_none()
    if design_id is None:
        raise NotFound
    lock_rights(session, design_id)
    negotiation = _locked(session, actor, negotiation_id, "accept", version)
    offer = _offer(session, negotiation)
    if terms_hash is not None and terms_hash != offer.terms_hash:
        raise Conflict("terms_mismatch", "The terms you saw are not the terms on the table. Read them again.")
    _still_possible(session, negotiation)
    now = clock.now()
    terms = Terms.model_validate(offer.terms)
    refuse_collision(session, design_id, terms, now)
    side = _side(negotiation, actor)
    NEGOTIATION.advance(negotiation, "accept", roles_in(negotiation, actor))
    negotiation.accepted_offer_id = offer.id
    _close(negotiation, actor)
    made = License(
        negotiation_id=negotiation.id,
        offer_id=offer.id,
        design_id=design_id,
        designer_org_id=negotiation.designer_org_id,
        buyer_org_id=negotiation.buyer_org_id,
        terms=offer.terms,
        terms_hash=offer.terms_hash,
        kind=terms.kind,
        fee_amount=terms.fee.amount,
        currency=terms.fee.currency,
        state=LICENSE.initial,
        created_at=now,
    )
    session.add(made)
    session.flush()
    counterpart = _org(negotiation, other(side))
    record(
        session,
        actor,
        "negotiation.accepted",
        negotiation.id,
        owner_org_id=counterpart,
        version=version,
        terms_hash=offer.terms_hash,
        license=made.id,
    )
    stage(
        session,
        JobName.MAKE_LICENSE_DOCUMENT,
        f"{made.id}:draft",
        {"license_id": made.id, "signed": False},
        subject=made.id,
        org_id=actor.org_id,
    )
    _tell(session, negotiation, other(side), "offer_accepted", version=version)
    return made


def decline(session: Session, actor: Actor, negotiation_id: str, *, version: int, reason: str | None = None) -> None:
    """End the negotiation; the reason, if given, is also said in the thread. Raises as `accept`."""
    negotiation = _locked(session, actor, negotiation_id, "decline", version)
    side = _side(negotiation, actor)
    if reason and reason.strip():
        post_message(session, actor, negotiation.id, to_org_id=_org(negotiation, other(side)), body=reason)
    NEGOTIATION.advance(negotiation, "decline", roles_in(negotiation, actor))
    _close(negotiation, actor, reason)
    record(session, actor, "negotiation.declined", negotiation.id, owner_org_id=_org(negotiation, other(side)))
    _tell(session, negotiation, other(side), "negotiation_declined")


def withdraw(session: Session, actor: Actor, negotiation_id: str, *, version: int) -> None:
    """Take back one's own last offer before it is answered; nothing stands on the table then, so it ends."""
    negotiation = _locked(session, actor, negotiation_id, "withdraw", version)
    side = _side(negotiation, actor)
    NEGOTIATION.advance(negotiation, "withdraw", roles_in(negotiation, actor))
    _close(negotiation, actor)
    record(session, actor, "negotiation.withdrawn", negotiation.id, owner_org_id=_org(negotiation, other(side)))
    _tell(session, negotiation, other(side), "negotiation_withdrawn")


def say(session: Session, actor: Actor, negotiation_id: str, text: str) -> Message:
    """Write to the other side. Raises Conflict once the negotiation ended without an agreement."""
    negotiation = session.get(Negotiation, negotiation_id)
    if negotiation is None or (side := side_of(negotiation, actor)) is None:
        raise NotFound
    NEGOTIATION.target(negotiation.state, "message", {side})
    said = post_message(session, actor, negotiation_id, to_org_id=_org(negotiation, other(side)), body=text)
    # One statement, so that a message never waits for, nor undoes, what happens to the offer meanwhile.
    session.execute(update(Negotiation).where(Negotiation.id == negotiation_id).values(updated_at=clock.now()))
    _tell(session, negotiation, other(side), "message_received")
    return said


def mark_read(session: Session, actor: Actor, negotiation_id: str) -> None:
    """Remember that the actor's organization has seen everything up to now."""
    now = clock.now()
    session.execute(
        insert(ReadMark)
        .values(negotiation_id=negotiation_id, org_id=actor.org_id, read_at=now)
        .on_conflict_do_update(index_elements=["negotiation_id", "org_id"], set_={"read_at": now})
    )


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
        _expire(session, actor, negotiation)
        for side in ("designer", "buyer"):
            _tell(session, negotiation, side, "negotiation_expired")
    return len(found)


def _locked(session: Session, actor: Actor, negotiation_id: str, action: str, version: int) -> Negotiation:
    """The negotiation, locked, when `action` on `version` is the actor's to do now."""
    negotiation = lock(session, Negotiation, negotiation_id)
    roles = roles_in(negotiation, actor)
    if not roles:
        raise NotFound
    if negotiation.state == "open" and version != negotiation.current_version:
        raise _stale(session, negotiation, version)
    if lapsed(negotiation, clock.now()):
        raise Conflict(
            "negotiation_expired",
            "The offer has expired. The buyer can open a new negotiation.",
            extra={"state": "expired", "current_version": negotiation.current_version},
        )
    try:
        NEGOTIATION.target(negotiation.state, action, roles)
    except Conflict as refusal:
        refusal.extra["current_version"] = negotiation.current_version
        raise
    return negotiation


def _stale(session: Session, negotiation: Negotiation, version: int) -> Conflict:
    found = session.execute(
        select(Offer.version, Offer.terms).where(
            Offer.negotiation_id == negotiation.id, Offer.version.in_([version, negotiation.current_version])
        )
    ).all()
    terms = {row.version: row.terms for row in found}
    return Conflict(
        "stale_version",
        "Meanwhile there is version %(version)s. Look at what changed before you answer.",
        params={"version": negotiation.current_version},
        extra={
            "current_version": negotiation.current_version,
            "state": negotiation.state,
            "changed": changed_fields(terms.get(version), terms[negotiation.current_version]),
        },
    )


def _still_possible(session: Session, negotiation: Negotiation) -> None:
    try:
        designs.listed_design(session, negotiation.design_id)
    except NotFound as missing:
        raise Conflict("design_removed", "The design is no longer offered, so it cannot be licensed.") from missing
    parties = session.scalars(
        select(Organization.state).where(Organization.id.in_([negotiation.designer_org_id, negotiation.buyer_org_id]))
    )
    if any(state != "approved" for state in parties):
        raise Conflict("party_suspended", "One of the parties may not trade at the moment.")


def _make_room(session: Session, actor: Actor, design_id: str) -> None:
    """Refuse a second open negotiation; one whose offer ran out is closed on the way."""
    live = session.scalars(
        select(Negotiation).where(
            Negotiation.design_id == design_id,
            Negotiation.buyer_org_id == actor.org_id,
            Negotiation.state == "open",
        )
    ).one_or_none()
    if live is None:
        return
    negotiation = lock(session, Negotiation, live.id)
    if not lapsed(negotiation, clock.now()):
        raise Conflict(
            "negotiation_open",
            "You are negotiating over this design already.",
            extra={"negotiation": negotiation.id},
        )
    _expire(session, actor, negotiation)
    session.flush()


def _expire(session: Session, actor: Actor, negotiation: Negotiation) -> None:
    NEGOTIATION.advance(negotiation, "expire", {"system"})
    negotiation.closed_at = negotiation.updated_at = clock.now()
    record(session, actor, "negotiation.expired", negotiation.id, owner_org_id=negotiation.designer_org_id)


def _close(negotiation: Negotiation, actor: Actor, reason: str | None = None) -> None:
    negotiation.closed_at = negotiation.updated_at = clock.now()
    negotiation.closed_by_org_id = actor.org_id
    negotiation.closed_reason = reason or None


def _add_offer(session: Session, actor: Actor, negotiation: Negotiation, terms: Terms, side: str) -> Offer:
    made = Offer(
        negotiation_id=negotiation.id,
        version=negotiation.current_version,
        by_org_id=actor.org_id or "",
        by_user_id=actor.user_id or "",
        side=side,
        terms=terms.to_json(),
        terms_hash=terms.hash(),
        created_at=clock.now(),
    )
    session.add(made)
    session.flush()
    return made


def _offer(session: Session, negotiation: Negotiation) -> Offer:
    return session.scalars(
        select(Offer).where(Offer.negotiation_id == negotiation.id, Offer.version == negotiation.current_version)
    ).one()


def _check_dates(terms: Terms) -> None:
    problems = date_problems(terms, clock.now())
    if problems:
        raise Invalid("invalid", "Please correct the marked fields.", fields=problems)


def _side(negotiation: Negotiation, actor: Actor) -> str:
    side = side_of(negotiation, actor)
    if side is None:
        raise NotFound
    return side


def _org(negotiation: Negotiation, side: str) -> str:
    return negotiation.designer_org_id if side == "designer" else negotiation.buyer_org_id


def _tell(session: Session, negotiation: Negotiation, side: str, kind: str, **params: Any) -> None:
    notify_org(
        session,
        _org(negotiation, side),
        kind,
        path=f"/negotiations/{negotiation.id}",
        design=str(negotiation.snapshot.get("title", "")),
        **params,
    )
