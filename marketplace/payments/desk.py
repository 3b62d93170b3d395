"""The operators' page of money: alerts, refunds, disputes, changed accounts, the nightly comparison."""

from flask import render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from marketplace.db.jobs import JobName, stage
from marketplace.kernel import clock
from marketplace.kernel.errors import Conflict, NotFound
from marketplace.kernel.money import Money
from marketplace.payments import alerts, disputes, ending, findings, operations, payees, reading, refunds, words
from marketplace.payments.access import load_any_dispute, load_any_payment, load_any_refund
from marketplace.payments.alert_words import TASKS
from marketplace.payments.claims import Dispute, Refund
from marketplace.payments.models import Checkout, Transfer
from marketplace.payments.pages import DecisionForm, RefundForm, act, amount_of
from marketplace.payments.vendor_words import dispute_reason
from marketplace.policy.permissions import Permission
from marketplace.web.call import Call
from marketplace.web.forms import FormState, read_form
from marketplace.web.navigate import leave_for, see_other
from marketplace.web.section import Section

section = Section("money_desk", url_prefix="/desk/money")

#: Seconds that the address of a file works.
FILE_LIFE_S = 60


@section.get("", needs=Permission.MONEY_DESK)
def index(call: Call) -> ResponseReturnValue:
    """Everything about money that waits for a person."""
    return render_template(
        "payments/desk.html",
        desk=reading.desk(call.session),
        words=words,
        difference=findings.difference,
        now=clock.now(),
        amounts=findings.amounts,
    )


@section.post("/alerts/<alert_id>/resolve", needs=Permission.MONEY_DESK)
def resolve(call: Call, alert_id: str) -> ResponseReturnValue:
    """Close an alert."""
    alerts.resolve(call.session, call.actor, alert_id)
    return see_other("money_desk.index", toast=_("Closed."))


@section.post("/alerts/<alert_id>/again", needs=Permission.MONEY_DESK)
def again(call: Call, alert_id: str) -> ResponseReturnValue:
    """Have a task tried again that was given up; its alert is closed."""
    row = alerts.resolve(call.session, call.actor, alert_id)
    if row.kind != "gave_up" or row.details.get("job") not in TASKS:
        raise Conflict("not_a_task", "There is nothing to try again.")
    stage(call.session, JobName(row.details["job"]), f"again-{row.id}", row.details["args"])
    return see_other("money_desk.index", toast=_("It is being tried again."))


@section.get("/payments/<payment_id>", needs=Permission.MONEY_DESK, subject=load_any_payment)
def payment(call: Call, checkout: Checkout, form: FormState | None = None) -> ResponseReturnValue:
    """A payment with everything that became of it; money is given back here without being asked."""
    page = reading.payment(call.session, checkout)
    return render_template("payments/desk_payment.html", page=page, words=words, form=form)


@section.post(
    "/payments/<payment_id>/refund", needs=Permission.MONEY_DESK, subject=load_any_payment, on_invalid=payment
)
def give_back(call: Call, checkout: Checkout) -> ResponseReturnValue:
    """Give money back without being asked."""
    given = read_form(RefundForm)
    amount = amount_of(given.amount, checkout.currency)
    row = refunds.ask(call.session, call.actor, checkout, amount=amount, reason=given.reason, note=given.note)
    return see_other("money_desk.refund", toast=_("The refund is being made."), refund_id=row.id)


@section.get("/refunds/<refund_id>", needs=Permission.MONEY_DESK, subject=load_any_refund)
def refund(call: Call, row: Refund, form: FormState | None = None) -> ResponseReturnValue:
    """A refund with what everybody gives."""
    page = reading.refund(call.session, call.actor, row)
    why = findings.reason("refund_failed", row.failure)
    return render_template("payments/refund.html", page=page, words=words, form=form, desk=True, why=why)


@section.post("/refunds/<refund_id>/decide", needs=Permission.MONEY_DESK, subject=load_any_refund, on_invalid=refund)
def decide(call: Call, row: Refund) -> ResponseReturnValue:
    """Approve or decline; a failed one is tried again by approving it."""
    act(call, row, read_form(DecisionForm))
    return see_other("money_desk.index", toast=_("Your decision is recorded; the other side is told."))


@section.post("/refunds/<refund_id>/end", needs=Permission.MONEY_DESK, subject=load_any_refund, on_invalid=refund)
def end_refund(call: Call, row: Refund) -> ResponseReturnValue:
    """Say how a failed refund ends: the buyer was paid another way, or it is called off."""
    given = read_form(DecisionForm)
    ending.ask(call.session, call.actor, row.id, how=given.action, answer=given.answer)
    return see_other("money_desk.refund", toast=_("It is being booked; the buyer is told."), refund_id=row.id)


@section.get("/disputes/<dispute_id>", needs=Permission.MONEY_DESK, subject=load_any_dispute)
def dispute(call: Call, row: Dispute) -> ResponseReturnValue:
    """A dispute with the files of the answer."""
    return render_template(
        "payments/dispute.html",
        dispute=row,
        partly=reading.partly(call.actor, row),
        dispute_reason=dispute_reason,
        words=words,
        desk=True,
        as_money=Money,
    )


@section.get("/disputes/<dispute_id>/files/<name>", needs=Permission.MONEY_DESK)
def file(call: Call, dispute_id: str, name: str) -> ResponseReturnValue:
    """A file of the answer by an address that works for a minute."""
    row = load_any_dispute(call.session, call.actor, dispute_id)
    found = next((item for item in row.bundle if item["field"] == name), None)
    if found is None:
        raise NotFound
    url = call.services.storage.presign_get(found["key"], FILE_LIFE_S, f"{name}.pdf", "application/pdf")
    return leave_for(url)


@section.post("/disputes/<dispute_id>/submit", needs=Permission.MONEY_DESK, subject=load_any_dispute)
def submit(call: Call, row: Dispute) -> ResponseReturnValue:
    """Send the answer to the bank, once."""
    disputes.ask_to_submit(call.session, call.actor, row)
    return see_other("money_desk.dispute", toast=_("The evidence is being sent."), dispute_id=row.id)


@section.post("/disputes/<dispute_id>/assemble", needs=Permission.MONEY_DESK, subject=load_any_dispute)
def assemble(call: Call, row: Dispute) -> ResponseReturnValue:
    """Have the files of the answer put together once more after that has failed."""
    disputes.ask_to_assemble(call.session, call.actor, row)
    return see_other("money_desk.dispute", toast=_("The files are being put together."), dispute_id=row.id)


@section.post("/accounts/<org_id>/approve", needs=Permission.MONEY_DESK)
def approve_account(call: Call, org_id: str) -> ResponseReturnValue:
    """Agree to a changed payout account."""
    payees.approve_change(call.session, call.actor, org_id)
    return see_other("money_desk.index", toast=_("The changed account is approved."))


@section.post("/shares/<transfer_id>/again", needs=Permission.MONEY_DESK)
def send_again(call: Call, transfer_id: str) -> ResponseReturnValue:
    """Have a refused share sent once more."""
    row = call.session.get(Transfer, transfer_id)
    if row is None or row.state != "failed":
        raise Conflict("not_refused", "This share was not refused, or is being sent again already.")
    stage(call.session, JobName.RESEND_TRANSFER, f"{row.id}:{row.attempt}", {"transfer_id": row.id})
    return see_other("money_desk.index", toast=_("It is being sent again."))


@section.post("/shares/<transfer_id>/release", needs=Permission.MONEY_DESK)
def release(call: Call, transfer_id: str) -> ResponseReturnValue:
    """Send once more what was taken back by hand at the payment service. Raises Conflict for any other share."""
    row = call.session.get(Transfer, transfer_id)
    if row is None or row.state != "held" or row.reason != "reversed_outside":
        raise Conflict("not_reversed", "This share was not taken back by hand, or is being sent already.")
    operations.release(
        call.session, call.actor, purpose=row.purpose, subject_id=row.subject_id, milestone=row.milestone
    )
    return see_other("money_desk.payment", toast=_("The money is being released."), payment_id=row.checkout_id)


@section.post("/compare", needs=Permission.MONEY_DESK)
def compare(call: Call) -> ResponseReturnValue:
    """Compare the books with the payment service now."""
    stage(call.session, JobName.COMPARE_BOOKS, f"asked-{clock.now():%Y%m%d%H%M}", {})
    return see_other("money_desk.index", toast=_("The comparison has begun. It is here in a minute."))
