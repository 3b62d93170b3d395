"""How versions come about and end. Each operation locks, checks, changes, audits and tells the other side."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Organization
from marketplace.audit.operations import record
from marketplace.db.jobs import JobName, stage
from marketplace.db.locks import lock, lock_name
from marketplace.designs import queries as designs
from marketplace.exchange.queries import fix
from marketplace.exchange.rules import currency_of
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from marketplace.licensing.brief.consent import record_consent, require_consent
from marketplace.licensing.brief.notice import with_brief
from marketplace.licensing.endings import close, expire
from marketplace.licensing.grants import as_conflict, lock_rights, refuse_collision
from marketplace.licensing.models import License, Negotiation, Offer
from marketplace.licensing.playbook import approvals
from marketplace.licensing.rules import (
    LICENSE,
    NEGOTIATION,
    REOPEN_WITHIN,
    lapsed,
    other,
    roles_in,
)
from marketplace.licensing.seats import current_offer, locked, note, org_of, side_or_404, tell, tick
from marketplace.licensing.terms import Terms, changed_fields, date_problems, expiry
from marketplace.messaging.operations import post_message


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
    check_terms(terms)
    approvals.require_to_offer(session, actor, terms, design_id=design_id)
    now = clock.now()
    _hold_pair(session, design_id, actor.org_id)
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
        post_message(
            session, actor, negotiation.id, to_org_id=negotiation.designer_org_id, body=message, at=tick(negotiation)
        )
    record(session, actor, "negotiation.opened", negotiation.id, owner_org_id=design.org_id, design=design_id)
    kind, more = with_brief(session, negotiation, terms, "negotiation_opened")
    tell(session, negotiation, "designer", kind, **more)
    return negotiation


def make_offer(
    session: Session,
    actor: Actor,
    negotiation_id: str,
    *,
    base_version: int,
    terms: Terms,
    message: str | None = None,
    reopening: bool = False,
) -> Offer:
    """Counter with new terms, or take an ended negotiation up again; it becomes the other side's turn.

    Raises Conflict `stale_version` (telling what changed) when somebody was faster, Forbidden `not_your_turn`,
    Invalid `no_change` for the terms that already stand there. Reopening may repeat the last terms; it raises Conflict
    `too_late_to_reopen`, `negotiation_open` when the two talk over the design elsewhere, and as `accept` for what is
    no longer possible.
    """
    action = "reopen" if reopening else "counter"
    if reopening:
        prepare_reopening(session, actor, negotiation_id)
    negotiation = locked(session, actor, negotiation_id, action, base_version)
    check_terms(terms)
    approvals.require_to_offer(
        session, actor, terms, design_id=negotiation.design_id, negotiation=negotiation, reopening=reopening
    )
    current = current_offer(session, negotiation)
    if reopening:
        _check_reopening(session, negotiation)
    elif current.terms_hash == terms.hash():
        raise Invalid("no_change", "These are the terms on the table. Accept them, or change something.")
    side = side_or_404(negotiation, actor)
    NEGOTIATION.advance(negotiation, action, roles_in(negotiation, actor))
    if reopening:
        negotiation.closed_at = negotiation.closed_by_org_id = None
        negotiation.closed_reason = negotiation.closed_code = None
        note(session, actor, negotiation, "reopened", tick(negotiation), version=negotiation.current_version + 1)
    negotiation.current_version += 1
    negotiation.turn = other(side)
    negotiation.expires_at = expiry(terms, tick(negotiation))
    made = _add_offer(session, actor, negotiation, terms, side)
    if message and message.strip():
        post_message(
            session,
            actor,
            negotiation.id,
            to_org_id=org_of(negotiation, other(side)),
            body=message,
            at=tick(negotiation),
        )
    record(
        session,
        actor,
        "negotiation.reopened" if reopening else "negotiation.countered",
        negotiation.id,
        owner_org_id=org_of(negotiation, other(side)),
        version=made.version,
        changed=changed_fields(current.terms, made.terms),
    )
    kind, more = with_brief(session, negotiation, terms, "negotiation_reopened" if reopening else "offer_received")
    tell(session, negotiation, other(side), kind, version=made.version, **more)
    return made


def reopen(
    session: Session,
    actor: Actor,
    negotiation_id: str,
    *,
    base_version: int,
    terms: Terms,
    message: str | None = None,
) -> Offer:
    """Take up a declined, withdrawn or expired negotiation again with a new version, by either side.

    Within rules.REOPEN_WITHIN of its end. Raises as `make_offer`.
    """
    return make_offer(
        session, actor, negotiation_id, base_version=base_version, terms=terms, message=message, reopening=True
    )


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
    negotiation = locked(session, actor, negotiation_id, "accept", version)
    offer = current_offer(session, negotiation)
    if terms_hash is not None and terms_hash != offer.terms_hash:
        raise Conflict("terms_mismatch", "The terms you saw are not the terms on the table. Read them again.")
    _still_possible(session, negotiation)
    now = clock.now()
    terms = Terms.model_validate(offer.terms)
    refuse_collision(session, design_id, terms, now, holder=negotiation.buyer_org_id, negotiation_id=negotiation.id)
    approvals.require(session, actor, negotiation, offer)
    side = side_or_404(negotiation, actor)
    NEGOTIATION.advance(negotiation, "accept", roles_in(negotiation, actor))
    negotiation.accepted_offer_id = offer.id
    close(session, actor, negotiation)
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
    with as_conflict():
        session.flush()
    counterpart = org_of(negotiation, other(side))
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
    record_consent(session, actor, negotiation, offer, terms)
    stage(
        session,
        JobName.MAKE_LICENSE_DOCUMENT,
        f"{made.id}:draft",
        {"license_id": made.id, "signed": False},
        subject=made.id,
        org_id=actor.org_id,
    )
    tell(session, negotiation, other(side), "offer_accepted", version=version)
    return made


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
    expire(session, actor, negotiation)
    session.flush()


def _hold_pair(session: Session, design_id: str, buyer_org_id: str) -> None:
    """Let nobody else begin a negotiation of this buyer over this design. Take it before the row's lock."""
    lock_name(session, f"negotiation {design_id} {buyer_org_id}")


def prepare_reopening(session: Session, actor: Actor, negotiation_id: str) -> None:
    """Take the locks in their order, and write down an expiry that nobody wrote yet. Raises NotFound."""
    query = select(Negotiation.design_id, Negotiation.buyer_org_id).where(Negotiation.id == negotiation_id)
    found = session.execute(query).one_or_none()
    if found is None:
        raise NotFound
    _hold_pair(session, *found)
    negotiation = lock(session, Negotiation, negotiation_id)
    if roles_in(negotiation, actor) and lapsed(negotiation, clock.now()):
        expire(session, actor, negotiation)
        session.flush()


def _check_reopening(session: Session, negotiation: Negotiation) -> None:
    if negotiation.closed_at is not None and negotiation.closed_at < clock.now() - REOPEN_WITHIN:
        raise Conflict("too_late_to_reopen", "This ended more than 90 days ago. Open a new negotiation instead.")
    elsewhere = session.scalars(
        select(Negotiation.id).where(
            Negotiation.design_id == negotiation.design_id,
            Negotiation.buyer_org_id == negotiation.buyer_org_id,
            Negotiation.state == "open",
            Negotiation.id != negotiation.id,
        )
    ).first()
    if elsewhere is not None:
        raise Conflict(
            "negotiation_open",
            "You are negotiating over this design already.",
            extra={"negotiation": elsewhere},
        )
    _still_possible(session, negotiation)


def _add_offer(session: Session, actor: Actor, negotiation: Negotiation, terms: Terms, side: str) -> Offer:
    made = Offer(
        negotiation_id=negotiation.id,
        version=negotiation.current_version,
        by_org_id=actor.org_id or "",
        by_user_id=actor.user_id or "",
        side=side,
        terms=terms.to_json(),
        terms_hash=terms.hash(),
        exchange=_rates(session, negotiation, terms),
        created_at=negotiation.updated_at,
    )
    session.add(made)
    session.flush()
    return made


def _rates(session: Session, negotiation: Negotiation, terms: Terms) -> list[dict[str, str]]:
    """The rates of the moment from the offer's currency to that of each side's country, named by the side that may see
    it: a rate tells where its reader is.
    """
    sides = {negotiation.designer_org_id: "designer", negotiation.buyer_org_id: "buyer"}
    query = select(Organization.id, Organization.country).where(Organization.id.in_(sides))
    own = {sides[org_id]: currency_of(country) for org_id, country in session.execute(query)}
    rates = {rate.quote: rate for rate in fix(session, terms.fee.currency, filter(None, own.values()))}
    return [{**rates[code].to_json(), "side": side} for side, code in sorted(own.items()) if code in rates]


def check_terms(terms: Terms) -> None:
    """What must hold of an offer when it is made: consent to its brief, dates that can be. Raises Invalid."""
    require_consent(terms)
    problems = date_problems(terms, clock.now())
    if problems:
        raise Invalid("invalid", "Please correct the marked fields.", fields=problems)
