"""One license as its page shows it."""

from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from marketplace.kernel.actor import Actor
from marketplace.kernel.money import Money
from marketplace.licensing.contract.content import files
from marketplace.licensing.contract.signing import whose_turn
from marketplace.licensing.models import License, Negotiation, Signature
from marketplace.licensing.operations import fee_of
from marketplace.licensing.queries import around, counterpart, signatures
from marketplace.licensing.rules import BEFORE, SIGNS_FIRST, side_of
from marketplace.licensing.term_words import Row, rows
from marketplace.payments.queries import can_receive
from marketplace.web.i18n import Formats

_FMT = Formats()


@dataclass(frozen=True, slots=True)
class LicensePage:
    """Everything the page of a license shows."""

    held: License
    side: str
    title: str
    counterpart: str
    rows: list[Row]
    files: list[dict[str, str]]
    signatures: list[Signature]
    steps: list[dict[str, Any]]
    turn: str
    mine: bool
    may_sign: bool
    may_pay: bool
    polls: bool
    fee: Money
    onboard: bool


def read_license(session: Session, actor: Actor, held: License, *, returned: bool) -> LicensePage:
    """The page of a license; `returned` when the buyer comes back from paying."""
    negotiation = session.get_one(Negotiation, held.negotiation_id)
    side = side_of(held, actor) or ""
    signed = signatures(session, held.id)
    done = {mark.side for mark in signed}
    name = counterpart(held, actor, around(session, actor, [negotiation.id])[negotiation.id])
    may_sign = held.state == "to_sign" and whose_turn(SIGNS_FIRST, done) == side
    may_pay = held.state == "to_pay" and side == "buyer" and not returned
    waits = held.state == "drafting" or (held.state in {"to_sign", "to_pay"} and not may_sign and not may_pay)
    return LicensePage(
        held=held,
        side=side,
        title=str(negotiation.snapshot.get("title", "")),
        counterpart=name,
        rows=rows(held.terms, binding=True),
        files=files(negotiation.snapshot),
        signatures=signed,
        steps=_steps(held),
        turn=_turn(held, side, done, name, returned),
        mine=may_sign or may_pay,
        may_sign=may_sign,
        may_pay=may_pay,
        polls=waits or held.state == "to_pay" or (held.signed_at is not None and held.signed_document_key is None),
        fee=fee_of(held),
        onboard=side == "designer"
        and held.fee_amount > 0
        and held.state in {"to_sign", "to_pay", "active"}
        and not can_receive(session, held.designer_org_id),
    )


def _turn(held: License, side: str, done: set[str], name: str, returned: bool) -> str:
    """Who may act, in a sentence."""
    if held.state == "drafting":
        return _("The agreement is being drawn up. This takes a few seconds.")
    if held.state == "to_sign":
        if whose_turn(SIGNS_FIRST, done) == side:
            return _("It is your turn: read the agreement and sign.")
        if side not in done:
            return _("%(name)s signs first, because the rights are theirs to give. Then it is your turn.", name=name)
        return _("You have signed. Waiting for %(name)s to sign.", name=name)
    if held.state == "to_pay":
        if side == "designer":
            return _("Signed by both. Waiting for %(name)s to pay the license fee.", name=name)
        if returned:
            return _("Thank you. We are waiting for the payment service to confirm; this page updates by itself.")
        return _("It is your turn: pay the license fee of %(fee)s.", fee=_FMT.money(fee_of(held)))
    if held.state == "active":
        if held.active_until is None:
            return _("The rights have passed to the buyer.")
        return _("Active until %(day)s.", day=_FMT.date(held.active_until))
    if held.state == "expired":
        return _("The term has ended.")
    if held.state == "breach":
        until = _FMT.date(held.cure_until or held.created_at)
        if held.breach_by == side:
            return _("You gave notice of a breach. %(name)s has until %(day)s to cure it.", name=name, day=until)
        return _("%(name)s gave notice of a breach. Put it right by %(day)s.", name=name, day=until)
    if held.state == "sell_off":
        return _(
            "The license has ended; pieces already made may be sold until %(day)s.",
            day=_FMT.date(held.sell_off_until or held.created_at),
        )
    if held.active_from is None:
        return _("This agreement was not concluded in time and has no effect.")
    return _("The license has ended.")


def _steps(held: License) -> list[dict[str, Any]]:
    order = ["drafting", "to_sign", "to_pay", "active"]
    labels = [_("Drawn up"), _("Signed"), _("Paid"), _("Active")]
    if held.fee_amount == 0:
        order.remove("to_pay")
        labels.pop(2)
    ended = held.state not in {*BEFORE, "active"}
    at = order.index(held.state) if held.state in BEFORE else len(order) if held.active_from else 0
    states = ["done" if i < at else "current" if i == at and not ended else "upcoming" for i in range(len(order))]
    return [{"label": label, "state": state} for label, state in zip(labels, states, strict=True)]
