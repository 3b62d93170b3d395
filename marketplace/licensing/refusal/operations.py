"""Asking the holder, and the holder's answers. Nothing here commits."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from marketplace.audit.operations import record
from marketplace.db.locks import lock
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, Forbidden, NotFound
from marketplace.licensing.contract.addenda import propose_termination
from marketplace.licensing.models import Addendum, License, Negotiation
from marketplace.licensing.refusal.models import FirstAsk
from marketplace.licensing.refusal.queries import asks_of_offer, first_refusals
from marketplace.licensing.refusal.rules import ANSWER_WITHIN, FIRST_ASK, NOT_TOLD
from marketplace.licensing.refusal.telling import tell_asked
from marketplace.licensing.rules import RUNNING, side_of
from marketplace.licensing.seats import current_offer, locked
from marketplace.licensing.terms import Terms
from marketplace.notifications.operations import notify_org
from marketplace.policy.scoped import TWO_SIDES, relations


def ask(session: Session, actor: Actor, negotiation_id: str, *, version: int) -> Sequence[FirstAsk]:
    """Put the offer on the table to every holder of a first refusal that it collides with and that was not asked yet.

    The offer's buyer learns that somebody is asked, and nobody's name.

    Raises as an answer to the offer does; Forbidden for the buyer; Conflict `nobody_to_ask` when no first refusal that
    is in force stands against it, or all were asked.
    """
    negotiation = locked(session, actor, negotiation_id, "message", version)
    if side_of(negotiation, actor) != "designer" or actor.user_id is None:
        raise Forbidden("designer_only", "Only the designer can ask.")
    if negotiation.state != "open":
        raise Conflict("illegal_transition", "This is not possible any more.", extra={"state": negotiation.state})
    offer = current_offer(session, negotiation)
    asked = {row.license_id for row in asks_of_offer(session, negotiation)}
    terms = Terms.model_validate(offer.terms)
    found = [held for held in first_refusals(session, negotiation, terms) if held.id not in asked]
    if not found:
        raise Conflict(
            "nobody_to_ask", "No first refusal that is in force stands against this offer, or all were asked."
        )
    now = clock.now()
    rows = [
        FirstAsk(
            license_id=held.id,
            negotiation_id=negotiation.id,
            version=offer.version,
            design_id=held.design_id,
            title=_title(negotiation),
            designer_org_id=held.designer_org_id,
            buyer_org_id=held.buyer_org_id,
            terms={name: value for name, value in offer.terms.items() if name not in NOT_TOLD},
            state=FIRST_ASK.initial,
            answer_by=now + ANSWER_WITHIN,
            asked_by=actor.user_id,
            created_at=now,
        )
        for held in found
    ]
    session.add_all(rows)
    session.flush()
    for row in rows:
        record(session, actor, "first_refusal.asked", row.id, owner_org_id=row.buyer_org_id, license=row.license_id)
        _tell(session, row, "buyer", "first_asked", until=row.answer_by)
    tell_asked(session, actor, negotiation, rows)
    return rows


def take_up(session: Session, actor: Actor, ask_id: str) -> FirstAsk:
    """The holder wants these rights; the negotiation over them is opened next. Raises Conflict when it was answered."""
    row = _locked(session, actor, ask_id)
    _answer(session, actor, row, "take_up")
    _tell(session, row, "designer", "first_taken_up")
    return row


def let_go(
    session: Session, actor: Actor, ask_id: str, *, reason: str | None = None, sell_off_months: int = 0
) -> Addendum:
    """The holder does not want them: propose to end its license, which both sides then sign.

    Raises as contract.addenda.propose_termination; Conflict when it was answered.
    """
    before = session.get(FirstAsk, ask_id)
    if before is None or "buyer" not in relations(before, actor, TWO_SIDES):
        raise Forbidden("not_your_turn", "Only the holder of the first refusal answers.")
    FIRST_ASK.target(before.state, "let_go", {"buyer"})
    # The license's lock comes first, as where it ends without having been asked for.
    made = propose_termination(session, actor, before.license_id, reason=reason, sell_off_months=sell_off_months)
    row = _locked(session, actor, ask_id)
    _answer(session, actor, row, "let_go")
    row.addendum_id = made.id
    _tell(session, row, "designer", "first_let_go")
    return made


def withdraw(session: Session, actor: Actor, ask_id: str) -> FirstAsk:
    """The designer takes the question back; the holder is told."""
    row = _locked(session, actor, ask_id)
    FIRST_ASK.advance(row, "withdraw", relations(row, actor, TWO_SIDES))
    record(session, actor, "first_refusal.withdrawn", row.id, owner_org_id=row.buyer_org_id)
    _tell(session, row, "buyer", "first_withdrawn")
    return row


def fall_silent(session: Session, actor: Actor, *, limit: int = 200) -> int:
    """Write down that holders did not answer in time, and tell the designers; returns how many. It frees nothing."""
    query = (
        select(FirstAsk)
        .where(FirstAsk.state == "open", FirstAsk.answer_by <= clock.now())
        .order_by(FirstAsk.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    found = list(session.scalars(query))
    for row in found:
        FIRST_ASK.advance(row, "fall_silent", {"system"})
        record(session, actor, "first_refusal.silent", row.id, owner_org_id=row.designer_org_id)
        _tell(session, row, "designer", "first_silent")
    return len(found)


def keep_true(session: Session, actor: Actor, *, limit: int = 200) -> int:
    """Take back questions whose offer is no longer on the table or whose right is over, and ask again where the
    termination that was to follow was closed unsigned; the holders are told. Returns how many. For the clock: a holder
    may not read the offer.
    """
    gone = or_(
        Negotiation.state != "open",
        Negotiation.expires_at <= clock.now(),
        Negotiation.current_version != FirstAsk.version,
    )
    over = License.state.not_in(RUNNING)
    closed = Addendum.state.in_(("withdrawn", "declined", "lapsed"))
    query = (
        select(FirstAsk, gone, over)
        .join(Negotiation, Negotiation.id == FirstAsk.negotiation_id)
        .join(License, License.id == FirstAsk.license_id)
        .outerjoin(Addendum, Addendum.id == FirstAsk.addendum_id)
        .where(
            or_(
                and_(FirstAsk.state.in_(("open", "silent")), or_(gone, over)),
                and_(FirstAsk.state == "let_go", closed),
            )
        )
        .order_by(FirstAsk.id)
        .limit(limit)
        .with_for_update(of=FirstAsk, skip_locked=True)
    )
    found = session.execute(query).all()
    for row, no_offer, no_right in found:
        row.answered_at = row.answered_by = row.addendum_id = None
        if row.state == "let_go" and not (no_offer or no_right):
            FIRST_ASK.advance(row, "reopen", {"system"})
            row.answer_by = clock.now() + ANSWER_WITHIN
            _tell(session, row, "buyer", "first_asked", until=row.answer_by)
            _tell(session, row, "designer", "first_stands")
        else:
            FIRST_ASK.advance(row, "lapse", {"system"})
            _tell(session, row, "buyer", "first_over" if no_right else "first_lapsed")
        record(session, actor, f"first_refusal.{row.state}", row.id, owner_org_id=row.buyer_org_id)
    return len(found)


def _locked(session: Session, actor: Actor, ask_id: str) -> FirstAsk:
    row = lock(session, FirstAsk, ask_id)
    if not relations(row, actor, TWO_SIDES):
        raise NotFound
    return row


def _answer(session: Session, actor: Actor, row: FirstAsk, action: str) -> None:
    FIRST_ASK.advance(row, action, relations(row, actor, TWO_SIDES))
    row.answered_at, row.answered_by = clock.now(), actor.user_id
    record(session, actor, f"first_refusal.{row.state}", row.id, owner_org_id=row.designer_org_id)


def _tell(session: Session, row: FirstAsk, side: str, kind: str, **params: Any) -> None:
    org_id = row.buyer_org_id if side == "buyer" else row.designer_org_id
    notify_org(session, org_id, kind, path=f"/first-refusals/{row.id}", design=row.title, **params)


def _title(negotiation: Negotiation) -> str:
    return str(negotiation.snapshot.get("title", ""))[:200]
