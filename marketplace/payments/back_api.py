"""API calls about a payment, its refunds and disputes."""

from typing import Literal

from pydantic import Field

from marketplace.kernel.errors import Invalid
from marketplace.kernel.money import MAX_AMOUNT
from marketplace.payments import reading, refunds
from marketplace.payments.access import load_dispute, load_payment, load_refund
from marketplace.payments.api import MoneyOut
from marketplace.payments.claims import Dispute, Refund
from marketplace.payments.models import Checkout
from marketplace.payments.pages import let_go
from marketplace.payments.rules import seen_by_payer
from marketplace.payments.titles import title
from marketplace.policy.permissions import Permission
from marketplace.web.call import Call
from marketplace.web.forms import Body
from marketplace.web.section import Api

api = Api("money")


class ShareOut(Body):
    """A part of one payee's share of a payment, as who paid may know it.

    `reason`: awaiting_start, awaiting_delivery, disputed, given_back, at_payee (it waits until the payee can receive
    it) or on_its_way.
    """

    payee: str
    kind: str
    milestone: str
    gross: MoneyOut
    fee: MoneyOut
    net: MoneyOut
    given_back: MoneyOut
    state: str
    reason: str | None


class RefundOut(Body):
    """A refund. `state` is asked, approved, refunding, done, failed, declined, withdrawn or undone (called off)."""

    id: str
    payment: str
    amount: MoneyOut
    state: str
    reason: str
    note: str | None
    answer: str | None
    asked_at: str
    done_at: str | None


class DisputeOut(Body):
    """A dispute; `status` and `reason` are the payment service's words, `settled` won or lost when it is over."""

    id: str
    payment: str
    amount: MoneyOut
    reason: str
    status: str
    settled: str | None
    evidence_due: str | None
    evidence: str
    opened_at: str
    closed_at: str | None


class PaymentOut(Body):
    """What was paid, who gets what of it, what can go back still. `id` is the payment's, `subject` what it is for."""

    id: str
    subject: str
    description: str
    state: str
    amount: MoneyOut
    refundable: MoneyOut
    paid_at: str | None
    paid_with: str | None
    fee_bps: int
    shares: list[ShareOut]
    refunds: list[RefundOut]
    disputes: list[DisputeOut]


class RefundIn(Body):
    """A request for money back, in the payment's currency (minor units)."""

    amount: int = Field(ge=1, le=MAX_AMOUNT, strict=True)
    currency: str = Field(min_length=3, max_length=3)
    reason: Literal["not_as_agreed", "not_delivered", "quality", "duplicate", "goodwill", "other"]
    note: str = Field(default="", max_length=2000)


class DecisionIn(Body):
    """approve or decline by who decides, withdraw by who asked."""

    action: Literal["approve", "decline", "withdraw"]
    answer: str = Field(default="", max_length=2000)


@api.get(
    "/payments/<payment_id>",
    needs=Permission.PAYMENT_READ,
    subject=load_payment,
    returns=PaymentOut,
    summary="A payment: shares, fees, what is held and why",
)
def payment(call: Call, checkout: Checkout) -> PaymentOut:
    """By its own id or by the license or order it is for."""
    page = reading.payment(call.session, checkout)
    seen = {row.id: seen_by_payer(row.state, row.reason) for row in page.shares}
    return PaymentOut(
        id=checkout.id,
        subject=checkout.subject_id,
        description=title(checkout),
        state=checkout.state,
        amount=MoneyOut(amount=checkout.amount, currency=checkout.currency),
        refundable=MoneyOut(amount=page.left.amount, currency=page.left.currency),
        paid_at=checkout.paid_at.isoformat() if checkout.paid_at else None,
        paid_with=checkout.paid_with,
        fee_bps=checkout.fee_bps,
        shares=[
            ShareOut(
                payee=page.names.get(row.org_id, ""),
                kind=row.kind,
                milestone=row.milestone,
                gross=MoneyOut(amount=row.gross, currency=row.currency),
                fee=MoneyOut(amount=row.fee, currency=row.currency),
                net=MoneyOut(amount=row.amount, currency=row.currency),
                given_back=MoneyOut(amount=row.back, currency=row.currency),
                state=seen[row.id][0],
                reason=seen[row.id][1],
            )
            for row in page.shares
        ],
        refunds=[_refund(call, row) for row in page.refunds],
        disputes=[_dispute(call, row) for row in page.disputes],
    )


@api.call(
    "POST",
    "/payments/<payment_id>/refunds",
    needs=Permission.REFUND_ASK,
    subject=load_payment,
    body=RefundIn,
    returns=RefundOut,
    status=201,
    summary="Ask for money back",
)
def ask(call: Call, checkout: Checkout, body: RefundIn) -> RefundOut:
    """The whole or a part; the payee of a license decides, the operator about an order."""
    if body.currency != checkout.currency:
        raise Invalid("currency_mismatch", "Two currencies cannot be mixed in one amount.")
    row = refunds.ask(
        call.session, call.actor, checkout, amount=body.amount, reason=body.reason, note=body.note or None
    )
    return _refund(call, row)


@api.call(
    "POST",
    "/payments/<payment_id>/release",
    needs=Permission.PAYMENT_RELEASE,
    subject=load_payment,
    returns=PaymentOut,
    summary="Release held money of an order before its time",
)
def release(call: Call, checkout: Checkout) -> PaymentOut:
    """Every part that is held still; refused with `nothing_held` when there is none, or nothing is paid yet."""
    let_go(call, checkout)
    return payment(call, checkout)


@api.get(
    "/refunds/<refund_id>",
    needs=Permission.REFUND_READ,
    subject=load_refund,
    returns=RefundOut,
    summary="A refund and where it is",
)
def refund(call: Call, row: Refund) -> RefundOut:
    """For the buyer who gets it and the payees who give it; each payee sees its own share of the amount."""
    return _refund(call, row)


@api.call(
    "POST",
    "/refunds/<refund_id>/decide",
    needs=Permission.REFUND_READ,
    subject=load_refund,
    body=DecisionIn,
    returns=RefundOut,
    summary="Approve, decline or withdraw a refund",
)
def decide(call: Call, row: Refund, body: DecisionIn) -> RefundOut:
    """By the payee who decides, or the buyer who asked."""
    if body.action == "withdraw":
        return _refund(call, refunds.withdraw(call.session, call.actor, row.id))
    approve = body.action == "approve"
    return _refund(call, refunds.decide(call.session, call.actor, row.id, approve=approve, answer=body.answer))


@api.get(
    "/disputes/<dispute_id>",
    needs=Permission.DISPUTE_READ,
    subject=load_dispute,
    returns=DisputeOut,
    summary="A dispute: reason, amount, until when evidence is due",
)
def dispute(call: Call, row: Dispute) -> DisputeOut:
    """For the buyer and the payees; each payee sees its own share of the amount."""
    return _dispute(call, row)


def _dispute(call: Call, row: Dispute) -> DisputeOut:
    return DisputeOut(
        id=row.id,
        payment=row.checkout_id,
        amount=MoneyOut(amount=row.amount, currency=row.currency),
        reason=row.reason,
        status=row.status,
        settled=row.settled,
        evidence_due=row.evidence_due.isoformat() if row.evidence_due else None,
        evidence=row.bundle_state,
        opened_at=row.opened_at.isoformat(),
        closed_at=row.closed_at.isoformat() if row.closed_at else None,
    )


def _refund(call: Call, row: Refund) -> RefundOut:
    return RefundOut(
        id=row.id,
        payment=row.checkout_id,
        amount=MoneyOut(amount=row.amount, currency=row.currency),
        state=row.state,
        reason=row.reason,
        note=row.note,
        answer=row.answer,
        asked_at=row.created_at.isoformat(),
        done_at=row.done_at.isoformat() if row.done_at else None,
    )
