"""One license as its page shows it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from marketplace.accounts.models import Organization
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.money import Money
from marketplace.licensing.access import AddendumOf
from marketplace.licensing.contract.breach import notice_lapses, uncured
from marketplace.licensing.contract.content import files
from marketplace.licensing.contract.disclosure import Disclosure, disclosure
from marketplace.licensing.contract.events import log_of
from marketplace.licensing.contract.life import owes_attestation
from marketplace.licensing.contract.papers import addenda_of, signatures_under
from marketplace.licensing.contract.signing import whose_turn
from marketplace.licensing.contract.story import timeline
from marketplace.licensing.models import Addendum, AgreementText, License, Negotiation, Signature
from marketplace.licensing.operations import fee_of
from marketplace.licensing.playbook.approvals import needs_other_signer
from marketplace.licensing.queries import counterpart, signatures
from marketplace.licensing.rules import ADDENDUM_OPEN, BEFORE, SIGNS_FIRST, other, side_of
from marketplace.licensing.serials import Units, units
from marketplace.licensing.term_words import Row, rows
from marketplace.payments.models import PaymentAccount
from marketplace.web.i18n import Formats, locale_code

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
    seals: bool
    fee: Money
    onboard: bool
    clauses: list[dict[str, str | None]]
    timeline: list[dict[str, Any]]
    addenda: list[Addendum]
    open_addendum: Addendum | None
    owes_attestation: bool
    cure_over: bool
    units: Units | None


@dataclass(frozen=True, slots=True)
class AddendumPage:
    """Everything the page of an amendment or a termination shows."""

    held: License
    row: Addendum
    side: str
    title: str
    counterpart: str
    changes: list[Row]
    clauses: list[dict[str, str | None]]
    signatures: list[Signature]
    turn: str
    may_sign: bool
    mine: bool
    may_close: bool
    polls: bool
    document_sha256: str | None


@dataclass(frozen=True, slots=True)
class Signing:
    """What the signing form needs: whose name, which document, what is told about signing electronically."""

    name: str
    org: str
    document_sha256: str | None
    disclosure: Disclosure


def signing_of(actor: Actor, document_sha256: str | None) -> Signing:
    """The signing form of this person for one document."""
    return Signing(actor.name, actor.org_name, document_sha256, disclosure(locale_code()))


def title_of(session: Session, held: License) -> str:
    """The design's title as it was when the negotiation began."""
    return str(session.get_one(Negotiation, held.negotiation_id).snapshot.get("title", ""))


def read_license(session: Session, actor: Actor, held: License, *, returned: bool) -> LicensePage:
    """The page of a license, in five statements; `returned` when the buyer comes back from paying."""
    this = _around(session, held, held.id)
    side = side_of(held, actor) or ""
    signed = signatures(session, held.id)
    done = {mark.side for mark in signed}
    name = counterpart(held, actor, this)
    may_sign = held.state == "to_sign" and whose_turn(SIGNS_FIRST, done) == side
    may_pay = held.state == "to_pay" and side == "buyer" and not returned
    found = addenda_of(session, held.id)
    waits = held.state == "drafting" or (held.state in {"to_sign", "to_pay"} and not may_sign and not may_pay)
    return LicensePage(
        held=held,
        side=side,
        title=this.title,
        counterpart=name,
        rows=rows(held.terms, binding=True),
        files=files(this.snapshot),
        signatures=signed,
        steps=_steps(held),
        turn=_turn(held, side, done, name, returned),
        mine=may_sign or may_pay,
        may_sign=may_sign,
        may_pay=may_pay,
        polls=waits or held.state == "to_pay",
        seals=held.signed_at is not None and held.signed_document_key is None,
        fee=fee_of(held),
        onboard=side == "designer"
        and held.fee_amount > 0
        and held.state in {"to_sign", "to_pay", "active"}
        and not this.can_receive,
        clauses=_clauses(this.text),
        timeline=timeline(held, log_of(session, held.id), _names(held, actor, name)),
        addenda=found,
        open_addendum=next((row for row in found if row.state in ADDENDUM_OPEN), None),
        owes_attestation=owes_attestation(held),
        cure_over=uncured(held, side),
        units=units(session, held) if held.active_from is not None else None,
    )


def read_addendum(session: Session, actor: Actor, subject: AddendumOf) -> AddendumPage:
    """The page of an amendment or a termination."""
    held, row = subject.held, subject.row
    this = _around(session, held, row.id)
    side = side_of(held, actor) or ""
    signed = signatures_under(session, row)
    turn = whose_turn(row.by_side, {mark.side for mark in signed}, row.signers)
    name = counterpart(held, actor, this)
    mine_to_sign = row.state == "to_sign" and turn == side
    above = mine_to_sign and needs_other_signer(session, actor, held, row) is not None
    may_sign = mine_to_sign and not above
    # Once it is in force the license's terms are the new ones; then the table of changes stands in the document.
    changes = [r for r in rows(row.terms, held.terms, binding=True) if r["was"] is not None] if row.terms else []
    return AddendumPage(
        held=held,
        row=row,
        side=side,
        title=this.title,
        counterpart=name,
        changes=changes,
        clauses=_clauses(this.text),
        signatures=signed,
        turn=_above_limit(row, side) if above else _addendum_turn(row, may_sign, name),
        may_sign=may_sign,
        mine=row.by_side == side,
        may_close=row.state in ADDENDUM_OPEN and (row.by_side == side or row.signers == 2),
        polls=row.state == "drafting"
        or (row.state == "to_sign" and not mine_to_sign)
        or (row.state == "done" and row.signed_document_key is None),
        document_sha256=row.document_sha256,
    )


@dataclass(frozen=True, slots=True)
class _Around:
    """What a page needs beside the license: the design then, the names, what the document says, the payee's account."""

    snapshot: dict[str, Any]
    designer_name: str
    buyer_name: str
    named_at: datetime | None
    text: dict[str, Any] | None
    can_receive: bool

    @property
    def title(self) -> str:
        """The design's title when the negotiation began."""
        return str(self.snapshot.get("title", ""))


def _around(session: Session, held: License, paper_id: str) -> _Around:
    """In one statement; `paper_id` is the license's or the addendum's. The account is the designer's own to see."""
    designer, buyer = aliased(Organization), aliased(Organization)
    query = (
        select(
            Negotiation.snapshot,
            designer.name,
            buyer.name,
            Negotiation.buyer_named_at,
            AgreementText.content,
            PaymentAccount,
        )
        .join(designer, designer.id == Negotiation.designer_org_id)
        .join(buyer, buyer.id == Negotiation.buyer_org_id)
        .outerjoin(AgreementText, AgreementText.id == paper_id)
        .outerjoin(PaymentAccount, PaymentAccount.org_id == Negotiation.designer_org_id)
        .where(Negotiation.id == held.negotiation_id)
    )
    snapshot, designer_name, buyer_name, named_at, content, account = session.execute(query).one()
    ready = account is not None and account.ready
    return _Around(snapshot, designer_name, buyer_name, named_at, content, ready)


def _above_limit(row: Addendum, side: str) -> str:
    if row.by_side == side:
        return _("This is above the limit of your organization. Another of you, who may approve, signs it.")
    return _(
        "This is above the limit of your organization. Decline it and propose it yourselves; a colleague who may"
        " approve then signs it."
    )


def _addendum_turn(row: Addendum, may_sign: bool, name: str) -> str:
    if row.state == "drafting":
        return _("The document is being drawn up. This takes a few seconds.")
    if row.state == "to_sign":
        if may_sign:
            return _("It is your turn: read the document and sign.")
        if row.signers == 1:
            return _("%(name)s alone signs it, because the time to cure the breach is over.", name=name)
        return _("Waiting for %(name)s to sign.", name=name)
    return {
        "done": _("Signed by all; it is in force."),
        "declined": _("This was declined; the license stays as it is."),
        "withdrawn": _("This was withdrawn; the license stays as it is."),
        "lapsed": _("This was not signed in time; the license stays as it is."),
    }[row.state]


def _names(held: License, actor: Actor, counterpart_name: str) -> dict[str, str]:
    side = side_of(held, actor) or ""
    return {side: actor.org_name, other(side): counterpart_name}


def _clauses(content: dict[str, Any] | None) -> list[dict[str, str | None]]:
    """The clauses of a document in the reader's language where it has them, else in English."""
    if content is None:
        return []
    chinese = locale_code().startswith("zh") and content["second"] is not None
    return [
        {name: (pair["second"] if chinese else None) or pair["first"] for name, pair in clause.items()}
        for clause in content["clauses"]
    ]


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
        return _breach_turn(held, side, name)
    if held.state == "sell_off":
        return _(
            "The license has ended; pieces already made may be sold until %(day)s.",
            day=_FMT.date(held.sell_off_until or held.created_at),
        )
    if held.active_from is None:
        return _("This agreement was not concluded in time and has no effect.")
    return _("The license has ended.")


def _breach_turn(held: License, side: str, name: str) -> str:
    """What a breach waits for: to be cured, or, after that time, for the side that gave notice."""
    cure_until = held.cure_until or held.created_at
    until = _FMT.date(cure_until)
    if cure_until <= clock.now():
        day = _FMT.date(notice_lapses(cure_until))
        if held.breach_by == side:
            return _(
                "The time to cure the breach is over. End the license, or say that it is cured; your notice lapses"
                " on %(day)s.",
                day=day,
            )
        return _(
            "The time to cure the breach is over. %(name)s may end the license by one signature until %(day)s.",
            name=name,
            day=day,
        )
    if held.breach_by == side:
        return _("You gave notice of a breach. %(name)s has until %(day)s to cure it.", name=name, day=until)
    return _("%(name)s gave notice of a breach. Put it right by %(day)s.", name=name, day=until)


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
