"""Jobs of money that goes back: refunds, reversals, disputes. What may be done already is looked up first."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.db.locks import lock
from marketplace.gateways.payment_types import InsufficientFunds, Movement, PaymentRejected
from marketplace.gateways.payment_types import Refund as ReportedRefund
from marketplace.gateways.payment_types import Transfer as SentTransfer
from marketplace.invoices.operations import Credited, ask_credit, ask_restored
from marketplace.kernel.errors import Conflict, Invalid
from marketplace.payments import alerts, disputes, ending, operations, own_account, refunds, reversals
from marketplace.payments.claims import GiveBack, Reversal
from marketplace.payments.models import Transfer
from marketplace.payments.rules import TRANSFER
from marketplace.royalties import operations as royalties
from workers.jobs.conditions import release_met
from workers.run import Retry, Run, Wait

#: How long what needs a share waits while it cannot be touched: its sending has an answer within seconds, a bank's
#: file within days. It waits as often as it takes.
WAITS = {"share_moving": timedelta(seconds=10), "share_in_file": timedelta(minutes=10)}


def refund_given_up(session: Session, run: Run, why: str, refund_id: str) -> None:
    """The payment service gave no answer for hours: a person must look, and may have it tried again."""
    refunds.reject(session, run.actor, refund_id, "no_answer")


def make_refund(run: Run, refund_id: str) -> None:
    """Make an approved refund: take it from the shares, take back what was sent, then pay the buyer."""
    try:
        with run.phase() as session:
            begun = refunds.begin(session, run.actor, refund_id)
    except (Conflict, Invalid) as error:
        if error.code in WAITS:
            raise Wait(error.code, WAITS[error.code]) from error
        with run.phase() as session:
            refunds.reject(session, run.actor, refund_id, error.code)
        return
    if begun is None:
        return
    row, checkout, taken = begun
    for reversal in taken:
        reverse(run, reversal.id)
    payments = run.services.payments
    intent = checkout.payment_intent or ""
    made = next((r for r in payments.find_refunds(intent) if r.metadata.get("refund") == row.id), None)
    if made is not None and made.status in {"failed", "canceled"}:
        made = None
    decided = int(row.decided_at.timestamp()) if row.decided_at else 0
    try:
        found = made or payments.refund(intent, row.amount, f"{row.id}-{decided}", {"refund": row.id})
    except PaymentRejected as error:
        with run.phase() as session:
            refunds.reject(session, run.actor, refund_id, error.code)
        return
    _confirm(run, refund_id, found)


def _confirm(run: Run, refund_id: str, found: ReportedRefund) -> str:
    if found.status in {"failed", "canceled"}:
        with run.phase() as session:
            booked = refunds.bounced(session, run.actor, refund_id, found)
            if not booked:
                refunds.reject(session, run.actor, refund_id, found.failure_reason or found.status, made=found.id)
        return "failed"
    with run.phase() as session:
        done = refunds.confirm(session, run.actor, refund_id, found)
        if done is not None:
            # The one place where a refund is booked: what hangs on it is told here.
            _given_back(session, done.checkout_id, done.id)
    return "refund"


def end_refund(run: Run, refund_id: str, how: str) -> None:
    """End a refund that could not be made, as an operator has said: paid by hand, or called off.

    One that was made after all is booked instead. What was being taken back from payees is taken back first.
    """
    with run.phase() as session:
        found = ending.failed(session, refund_id)
    if found is None:
        return
    row, checkout = found
    for made in run.services.payments.find_refunds(checkout.payment_intent or ""):
        ours = row.id == made.metadata.get("refund") or row.stripe_refund_id == made.id
        if ours and made.status not in {"failed", "canceled"}:
            _confirm(run, refund_id, made)
            return
    try:
        with run.phase() as session:
            open_ones = ending.prepare(session, refund_id, how)
        for reversal_id in open_ones:
            reverse(run, reversal_id)
        with run.phase() as session:
            if how == "paid" and ending.pay_by_hand(session, run.actor, refund_id):
                if (
                    row.done_at is None
                ):  # else it was told when the payment service made it, before the bank sent it back
                    _given_back(session, checkout.id, refund_id)
            elif how == "off" and ending.call_off(session, run.actor, refund_id):
                ask_restored(session, checkout.id, cause=refund_id)
                release_met(session, checkout.id, refund_id)
    except (Conflict, Invalid) as error:
        if error.code in WAITS:
            raise Wait(error.code, WAITS[error.code]) from error
        with run.phase() as session:
            ending.stays_failed(session, run.actor, refund_id, error.code)


def _wait(error: Conflict) -> Exception:
    """Come back later for what passes by itself; any other refusal is what it is."""
    return Wait(error.code, WAITS[error.code]) if error.code in WAITS else error


def reverse(run: Run, reversal_id: str) -> None:
    """Take back what was sent to a payee; what its account cannot cover becomes a debt."""
    with run.phase() as session:
        begun = reversals.begin(session, reversal_id)
    if begun is None:
        return
    row, transfer = begun
    payments = run.services.payments
    sent_by = transfer.stripe_transfer_id or ""
    if not sent_by.startswith("tr_"):
        with run.phase() as session:
            reversals.fall_short(session, run.actor, reversal_id, "not_reversible")
        return
    made = next((r for r in payments.find_reversals(sent_by) if r.metadata.get("reversal") == row.id), None)
    try:
        found = made or payments.reverse_transfer(sent_by, row.amount, row.id, {"reversal": row.id})
    except (InsufficientFunds, PaymentRejected) as error:
        with run.phase() as session:
            reversals.fall_short(session, run.actor, reversal_id, error.code)
        return
    with run.phase() as session:
        reversals.confirm(session, run.actor, reversal_id, found.id)


def take_refund(run: Run, stripe_refund_id: str) -> str:
    """A refund has changed at the payment service: ours moves on, one made there by hand is taken over."""
    found = run.services.payments.get_refund(stripe_refund_id)
    try:
        with run.phase() as session:
            checkout_id = disputes.checkout_of(session, found.payment_intent)
            if checkout_id is None:
                raise Retry("the payment of the refund is not booked yet")
            known = refunds.known(session, found)
            if known is None:
                adopted = refunds.adopt(session, run.actor, checkout_id, found)
                if adopted is not None:
                    _given_back(session, checkout_id, adopted)
                return "adopted" if adopted else "ignored"
    except Conflict as error:
        raise _wait(error) from error
    return _confirm(run, known, found)


def take_refunds_of(run: Run, payment_intent: str | None) -> str:
    """Every refund of a payment, as its charge says that there is one."""
    outcome = "ignored"
    for found in run.services.payments.find_refunds(payment_intent or ""):
        outcome = take_refund(run, found.id)
    return outcome


def take_dispute(run: Run, stripe_dispute_id: str) -> str:
    """A dispute has changed: its state and every movement of money are taken over, each once."""
    found = run.services.payments.dispute(stripe_dispute_id)
    try:
        with run.phase() as session:
            checkout_id = disputes.checkout_of(session, found.payment_intent or "")
            if checkout_id is None:
                raise Retry("the payment of the dispute is not booked yet")
            before = disputes.settled(session, found)
            row = disputes.take_over(session, run.actor, checkout_id, found)
            if row.settled == "lost" and before != "lost":
                _given_back(session, checkout_id, row.id)
            elif before == "lost":
                ask_restored(session, checkout_id, cause=row.id)
                release_met(session, checkout_id, row.id)
    except Conflict as error:
        raise _wait(error) from error
    return "dispute"


def take_reversals(run: Run, transfer_id: str, stripe_transfer_id: str) -> str:
    """Reversals of a transfer: ours whose answer was lost are booked, those made by hand taken over."""
    for found in run.services.payments.find_reversals(stripe_transfer_id):
        with run.phase() as session:
            ours = found.metadata.get("reversal", "")
            if session.get(Reversal, ours) is not None:
                reversals.confirm(session, run.actor, ours, found.id)
            else:
                reversals.note_outside(session, run.actor, transfer_id, found)
    return "reversal"


def take_movement(run: Run, movement: Movement) -> None:
    """Take over what lies behind a movement of money. Raises Retry or PaymentNotFound when the next round must look."""
    source = movement.source or ""
    if movement.kind in {"refund", "refund_failure"}:
        take_refund(run, source)
    elif movement.kind in {"dispute", "dispute_reversal"}:
        take_dispute(run, source)
    elif movement.kind == "transfer":
        take_transfer(run, source)
    elif movement.kind in own_account.KINDS:
        with run.phase() as session:
            own_account.book(session, run.actor, movement)
    elif movement.kind == "transfer_reversal":
        take_transfer(run, run.services.payments.reversal_of(movement.id).transfer)


def take_transfer(run: Run, stripe_transfer_id: str) -> str:
    """A transfer has changed at the payment service: ours whose answer was lost is booked, a reversal by hand too."""
    found = _known_transfer(run, stripe_transfer_id)
    if found is None:
        return "unknown"
    if found.amount_reversed:
        return take_reversals(run, found.metadata["transfer"], found.id)
    return "transfer"


def _known_transfer(run: Run, stripe_transfer_id: str) -> SentTransfer | None:
    """A transfer as the payment service has it: ours, booked if its answer was lost; None when it is none of ours."""
    found = run.services.payments.get_transfer(stripe_transfer_id)
    ours = found.metadata.get("transfer", "")
    with run.phase() as session:
        if session.get(Transfer, ours) is None:
            alerts.raise_alert(session, run.actor, "unknown_transfer", found.id, subject_id=found.id)
            return None
        book_found(session, run, ours, found)
    return found


def book_found(session: Session, run: Run, transfer_id: str, found: SentTransfer) -> None:
    """Book a transfer that turns out to have left; an operator learns of one that is not what its share waits for."""
    row = lock(session, Transfer, transfer_id)
    if row.stripe_transfer_id == found.id:
        return
    asked = (row.payable, row.currency)
    if (found.amount, found.currency) != asked or not TRANSFER.can(row.state, "confirm", {"system"}):
        alerts.raise_alert(session, run.actor, "transfer_differs", found.id, subject_id=row.id)
    else:
        operations.confirm_transfer(session, run.actor, row.id, found.id)


def _given_back(session: Session, checkout_id: str, cause_id: str) -> None:
    """What hangs on money that went back: credit notes, and the royalty statement that it had paid."""
    ask_credit(session, checkout_id, cause=cause_id, parts=_credited(session, cause_id))
    royalties.given_back(session, checkout_id, cause_id)


def _credited(session: Session, cause_id: str) -> list[Credited]:
    query = select(GiveBack).where(GiveBack.cause_id == cause_id).order_by(GiveBack.id)
    return [Credited(part.org_id, part.kind, part.net + part.fee, part.fee) for part in session.scalars(query)]
