"""Pages of a payment, its refunds and disputes, for the buyer who paid and the payees who share it."""

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from pydantic import Field

from marketplace.audit.operations import record
from marketplace.db.jobs import JobName, stage
from marketplace.kernel import clock
from marketplace.kernel.errors import Conflict, Invalid
from marketplace.kernel.money import Money, parse_amount
from marketplace.payments import reading, refunds, words
from marketplace.payments.access import load_dispute, load_payment, load_refund
from marketplace.payments.claims import Dispute, Refund
from marketplace.payments.models import Checkout
from marketplace.payments.vendor_words import dispute_reason
from marketplace.policy.permissions import Permission
from marketplace.web.call import Call
from marketplace.web.forms import Form, FormState, read_form
from marketplace.web.navigate import see_other
from marketplace.web.section import Section

section = Section("money")


class RefundForm(Form):
    """A request for money back."""

    amount: str = Field(max_length=30)
    reason: str = Field(max_length=20)
    note: str = Field(default="", max_length=2000)


class DecisionForm(Form):
    """approve, decline or withdraw."""

    action: str = Field(max_length=10)
    answer: str = Field(default="", max_length=2000)


@section.get("/payments/<payment_id>", needs=Permission.PAYMENT_READ, subject=load_payment)
def payment(call: Call, checkout: Checkout, form: FormState | None = None) -> ResponseReturnValue:
    """How much was paid, who gets it, when, and why it is held; a refund is shown before it is asked for."""
    typed = form.value("amount") if form else request.args.get("amount", "")
    page = reading.payment(call.session, checkout, typed=str(typed)[:30])
    return render_template("payments/show.html", page=page, words=words, form=form, typed=typed, as_money=Money)


@section.post("/payments/<payment_id>/refund", needs=Permission.REFUND_ASK, subject=load_payment, on_invalid=payment)
def ask(call: Call, checkout: Checkout) -> ResponseReturnValue:
    """Ask for money back."""
    given = read_form(RefundForm)
    row = refunds.ask(
        call.session,
        call.actor,
        checkout,
        amount=amount_of(given.amount, checkout.currency),
        reason=given.reason,
        note=given.note,
    )
    return see_other("money.refund", toast=_("Your request is sent."), refund_id=row.id)


@section.post("/payments/<payment_id>/release", needs=Permission.PAYMENT_RELEASE, subject=load_payment)
def release(call: Call, checkout: Checkout) -> ResponseReturnValue:
    """Let held money of an order go before its condition is met. Raises Conflict when nothing is held."""
    let_go(call, checkout)
    return see_other("money.payment", toast=_("The money is being released."), payment_id=checkout.id)


@section.get("/refunds/<refund_id>", needs=Permission.REFUND_READ, subject=load_refund)
def refund(call: Call, row: Refund, form: FormState | None = None) -> ResponseReturnValue:
    """How much goes back, why, who gives it, and where it is."""
    return render_template(
        "payments/refund.html", page=reading.refund(call.session, call.actor, row), words=words, form=form
    )


@section.post("/refunds/<refund_id>/decide", needs=Permission.REFUND_READ, subject=load_refund, on_invalid=refund)
def decide(call: Call, row: Refund) -> ResponseReturnValue:
    """Approve or decline as the payee who decides, or withdraw as the buyer who asked."""
    act(call, row, read_form(DecisionForm))
    return see_other("money.refund", toast=_("Your decision is recorded; the other side is told."), refund_id=row.id)


@section.get("/disputes/<dispute_id>", needs=Permission.DISPUTE_READ, subject=load_dispute)
def dispute(call: Call, row: Dispute) -> ResponseReturnValue:
    """What the bank asks, until when, and why the money is held."""
    return render_template(
        "payments/dispute.html",
        dispute=row,
        partly=reading.partly(call.actor, row),
        dispute_reason=dispute_reason,
        words=words,
        desk=False,
        as_money=Money,
    )


def act(call: Call, row: Refund, given: DecisionForm) -> None:
    """Do what a decision form says. Raises Invalid for an unknown action."""
    if given.action == "withdraw":
        refunds.withdraw(call.session, call.actor, row.id)
    elif given.action in {"approve", "decline"}:
        approve = given.action == "approve"
        refunds.decide(call.session, call.actor, row.id, approve=approve, answer=given.answer)
    else:
        raise Invalid("action_unknown", "Choose what to do.")


def let_go(call: Call, checkout: Checkout) -> None:
    """Release what is held of an order before its time. Raises Conflict when nothing is, or it is not paid yet."""
    if not reading.payment(call.session, checkout).releasable:
        raise Conflict("nothing_held", "There is no money of this payment that you could release.")
    record(call.session, call.actor, "payment.release_asked", checkout.id, subject_id=checkout.subject_id)
    # Each time anew, so that the release at its condition, which has a key of its own, is not used up.
    args = {"purpose": checkout.purpose, "subject_id": checkout.subject_id}
    stage(call.session, JobName.RELEASE_ORDER_FUNDS, f"{checkout.id}:{clock.now().isoformat()}", args)


def amount_of(typed: str, currency: str) -> int:
    """Minor units of a typed amount. Raises Invalid on the field `amount`."""
    try:
        return parse_amount(typed, currency)
    except Invalid as error:
        raise Invalid(error.code, error.message, fields={"amount": error.message}) from error
