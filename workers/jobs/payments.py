"""Jobs of money: events in, transfers out, and the sweep that finds what events did not tell."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from marketplace.db.jobs import JobName, stage
from marketplace.gateways.payment_types import (
    CheckoutSession,
    InsufficientFunds,
    Movement,
    PayeeBlocked,
    Payment,
    PaymentNotFound,
    PaymentRejected,
)
from marketplace.gateways.payment_types import Transfer as Sent
from marketplace.invoices.operations import ask_invoices
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict
from marketplace.licensing import operations as licensing
from marketplace.orders import operations as orders
from marketplace.orders.models import Order
from marketplace.payments import alerts, disputes, ledger, operations, payees, refunds, unpaid
from marketplace.payments.claims import Refund
from marketplace.payments.models import Checkout, PaymentAccount, PaymentEvent, Transfer
from marketplace.payments.rules import ACCEPTANCE_WINDOW
from marketplace.royalties import operations as royalties
from workers.jobs import money_back
from workers.run import Retry, Run, Wait


def _license_paid(session: Session, actor: Actor, license_id: str) -> None:
    """The license begins, and the statement of its advance, if it has one, is asked for at once."""
    licensing.activate(session, actor, license_id)
    stage(session, JobName.KEEP_ROYALTIES, f"began-{license_id}", {})


#: purpose of a checkout -> what being paid means there.
ON_PAID: dict[str, Callable[[Session, Actor, str], None]] = {
    "license": _license_paid,
    "order": orders.mark_paid,
    "royalty": royalties.mark_paid,
}

#: The sweep looks at checkouts that have been open this long: events are usually here within seconds.
SWEEP_AFTER = timedelta(minutes=2)
#: How far back every sweep reads the payment service's books; the nightly comparison reads further.
CATCH_UP = timedelta(hours=6)
#: How long a share waits for money to settle before it is tried again; cards settle in days.
SETTLING = timedelta(hours=1)


def handle_event(run: Run, event_id: str) -> None:
    """Read the event's object anew from the payment service and take over its state.

    The event itself is never believed: its order, its number and its content do not matter, only what it points at.
    """
    with run.phase() as session:
        event = session.get_one(PaymentEvent, event_id)
    if event.handled_at is not None:
        return
    outcome = _take_over(run, event)
    with run.phase() as session:
        row = session.get_one(PaymentEvent, event_id)
        row.handled_at, row.outcome = clock.now(), outcome


def _take_over(run: Run, event: PaymentEvent) -> str:
    kind, object_id = event.object_type, event.object_id
    if object_id is None:
        return "ignored"
    if kind in {"account", "v2.core.account"} or event.type == "account.application.deauthorized":
        return read_account(run, event.account or object_id, event.id)
    if kind == "payout" and event.account:
        return _payout(run, object_id, event.account)
    if event.account is not None:
        return "ignored"  # what else happens on a payee's account is the payee's
    try:
        if kind == "checkout.session":
            return settle(run, run.services.payments.session(object_id))
        if kind == "dispute":
            return money_back.take_dispute(run, object_id)
        if kind == "refund":
            return money_back.take_refund(run, object_id)
        if kind == "charge" and event.type == "charge.refunded":
            return money_back.take_refunds_of(run, run.services.payments.charge(object_id).payment_intent)
        if kind == "transfer":
            return money_back.take_transfer(run, object_id)
    except PaymentNotFound as error:
        raise Retry(f"the {kind} is not known yet") from error
    return "ignored"


def read_account(run: Run, account_id: str, cause: str) -> str:
    """Mirror a payee's account; one we may not see any more is lost."""
    asked_at = clock.now()
    try:
        account = run.services.payments.account(account_id)
    except (PayeeBlocked, PaymentNotFound) as error:
        with run.phase() as session:
            payees.lose_account(session, run.actor, account_id, cause=cause, code=error.code)
        return "account_lost"
    with run.phase() as session:
        payees.update_account(session, run.actor, account, cause=cause, asked_at=asked_at)
    return "account"


def _payout(run: Run, payout_id: str, account_id: str) -> str:
    try:
        payout = run.services.payments.payout(payout_id, account_id)
    except PaymentNotFound as error:
        raise Retry("the payout is not known yet") from error
    with run.phase() as session:
        payees.note_payout(session, run.actor, account_id, payout)
    return "payout"


def settle(run: Run, page: CheckoutSession) -> str:
    """Take over a checkout session: book it when paid, give it up when it has expired or the buyer's bank refused."""
    checkout_id = page.client_reference_id or ""
    with run.phase() as session:
        known = session.get(Checkout, checkout_id)
        if known is None or known.stripe_session_id not in {None, page.id}:
            if page.payment_status == "paid":
                alerts.raise_alert(session, run.actor, "unknown_payment", page.id, subject_id=checkout_id[:80] or None)
            return "unknown"
    if page.payment_status == "paid" and page.payment_intent:
        return _take_payment(run, page, run.services.payments.payment(page.payment_intent))
    if page.status == "expired":
        with run.phase() as session:
            if unpaid.mark_expired(session, checkout_id):
                _ended(session, known)
        return "expired"
    if page.processing and page.payment_intent:
        if not run.services.payments.payment(page.payment_intent).failed:
            return "processing"
        with run.phase() as session:
            if unpaid.mark_refused(session, run.actor, checkout_id):
                _ended(session, known)
        return "payment_refused"
    return "open"


def _ended(session: Session, checkout: Checkout) -> None:
    if checkout.purpose == "order":
        orders.payment_ended(session, checkout.subject_id, checkout.id)


def _take_payment(run: Run, page: CheckoutSession, payment: Payment) -> str:
    """Book a payment and begin what was paid for; where that can begin no more, all of it goes back to the buyer."""
    checkout_id = page.client_reference_id or ""
    try:
        with run.phase() as session:
            paid = operations.mark_paid(session, run.actor, page, payment)
            if paid is None:
                return "repeated"
            if paid.replaced:
                refunds.return_late(session, run.actor, paid)
                ask_invoices(session, paid.id)
                return "returned"
            ON_PAID[paid.purpose](session, run.actor, paid.subject_id)
            ask_invoices(session, paid.id)
    except Conflict as error:
        with run.phase() as session:
            if error.code == "payment_mismatch":
                alerts.raise_alert(
                    session,
                    run.actor,
                    "payment_mismatch",
                    page.id,
                    subject_id=checkout_id,
                    amount=page.amount_total,
                    currency=page.currency,
                )
                return "refused"
            paid = operations.mark_paid(session, run.actor, page, payment)
            if paid is not None:
                refunds.return_late(session, run.actor, paid)
                ask_invoices(session, paid.id)
        return "returned"
    return "paid"


def release_funds(run: Run, purpose: str, subject_id: str, milestone: str | None = None) -> None:
    """Make the held shares of a license or order due, or one part of each."""
    with run.phase() as session:
        operations.release_shares(session, run.actor, purpose=purpose, subject_id=subject_id, milestone=milestone)


def transfer_given_up(session: Session, run: Run, why: str, transfer_id: str) -> None:
    """The payment service gave no answer for hours: an operator must look, and may have the share sent again."""
    attempt = session.get_one(Transfer, transfer_id).attempt
    operations.reject_transfer(session, run.actor, transfer_id, "no_answer", attempt=attempt)


def send_transfer(run: Run, transfer_id: str) -> None:
    """Send one share in three phases: lock and mark; look, then call with our key; book."""
    with run.phase() as session:
        begun = operations.begin_transfer(session, run.actor, transfer_id)
    if begun is None:
        return
    row, payments = begun.transfer, run.services.payments
    made = _made(run, row)
    try:
        sent = made or payments.transfer(
            amount=row.payable,
            currency=row.currency,
            destination=begun.account.stripe_account_id or "",
            source_charge=begun.charge_id,
            transfer_group=row.subject_id,
            metadata={"transfer": row.id, "kind": row.kind},
            idempotency_key=begun.key,
        )
    except InsufficientFunds as error:
        with run.phase() as session:
            operations.postpone_transfer(session, run.actor, transfer_id, attempt=row.attempt)
        raise Wait("unsettled", SETTLING) from error
    except PaymentRejected as error:
        with run.phase() as session:
            operations.reject_transfer(session, run.actor, transfer_id, error.code, attempt=row.attempt)
        if isinstance(error, PayeeBlocked):
            read_account(run, begun.account.stripe_account_id or "", f"{run.job_id}:{error.code}")
        return
    with run.phase() as session:
        if (sent.amount, sent.currency, sent.destination) != (
            row.payable,
            row.currency,
            begun.account.stripe_account_id,
        ):
            alerts.raise_alert(session, run.actor, "transfer_differs", sent.id, subject_id=row.id)
        operations.confirm_transfer(session, run.actor, transfer_id, sent.id)


def send_again(run: Run, transfer_id: str) -> None:
    """A refused share is sent once more, as an operator has asked; the web role may not touch shares.

    One that had left after all is booked instead: with that it stands firm whether anything of it is still here.
    """
    with run.phase() as session:
        row = session.get_one(Transfer, transfer_id)
    made = _made(run, row)
    with run.phase() as session:
        if made is not None:
            money_back.book_found(session, run, transfer_id, made)
        else:
            operations.send_again(session, run.actor, transfer_id)


def _made(run: Run, row: Transfer) -> Sent | None:
    """The transfer that the payment service has of a share already."""
    found = run.services.payments.find_transfers(row.subject_id)
    return next((made for made in found if made.metadata.get("transfer") == row.id), None)


def reconcile(run: Run) -> None:
    """Ask the payment service about checkouts, accounts, refunds and disputes that events have not told us about."""
    with run.phase() as session:
        waiting = (
            select(Checkout.id)
            .where(
                Checkout.state == "open",
                Checkout.stripe_session_id.is_not(None),
                Checkout.created_at < clock.now() - SWEEP_AFTER,
            )
            .order_by(Checkout.checked_at.asc().nulls_first(), Checkout.created_at)
            .limit(50)
            .with_for_update(skip_locked=True)
        )
        looked_at = update(Checkout).where(Checkout.id.in_(waiting.scalar_subquery())).values(checked_at=clock.now())
        pages = list(session.scalars(looked_at.returning(Checkout.stripe_session_id)))
        accounts = list(
            session.scalars(
                select(PaymentAccount.stripe_account_id)
                .where(
                    PaymentAccount.stripe_account_id.is_not(None),
                    ~(PaymentAccount.transfers_active & PaymentAccount.payouts_enabled),
                )
                .order_by(PaymentAccount.checked_at.asc().nulls_first())
                .limit(50)
            )
        )
        payees.release_cooled(session)
        disputes.remind(session, run.actor)
    for session_id in pages:
        # One page that the payment service has forgotten must not keep the others from being looked at.
        with suppress(PaymentNotFound):
            settle(run, run.services.payments.session(session_id or ""))
    for account_id in accounts:
        read_account(run, account_id or "", f"sweep:{run.job_id}")
    catch_up(run, clock.now() - CATCH_UP)


def catch_up(run: Run, since: datetime) -> int:
    """Look at every movement of the payment service's books since a moment and take over what is not in ours.

    Returns how many were not.
    """
    movements = list(run.services.payments.movements(since))
    with run.phase() as session:
        known = ledger.booked(session, [name for m in movements for name in (m.source, m.id) if name])
        # A refund that a bank has sent back is booked under the refund's own id a second time: asked by its key.
        sent_back = ledger.keys(session, [f"refund_failed:{m.source}" for m in movements if m.kind == "refund_failure"])
    missing = [m for m in movements if not _booked(m, known, sent_back)]
    for movement in missing:
        # Its payment is one of those that are missing, or a share waits: the next round finds both.
        with suppress(Retry, PaymentNotFound):
            if movement.kind == "charge":
                _take_charge(run, movement.source or "")
            else:
                money_back.take_movement(run, movement)
    return len(missing)


def _booked(movement: Movement, known: set[str], sent_back: set[str]) -> bool:
    if movement.kind == "refund_failure":
        return f"refund_failed:{movement.source}" in sent_back
    return movement.source in known or movement.id in known


def _take_charge(run: Run, charge_id: str) -> str:
    """A payment of which no event has told: it is settled as if one had; one that is none of ours is told."""
    payments = run.services.payments
    intent = payments.charge(charge_id).payment_intent
    named = payments.payment(intent).metadata.get("checkout", "") if intent else ""
    with run.phase() as session:
        known = session.get(Checkout, named)
        if known is None or known.stripe_session_id is None:
            alerts.raise_alert(session, run.actor, "unknown_payment", charge_id, subject_id=named[:80] or charge_id)
            return "unknown"
    return settle(run, payments.session(known.stripe_session_id))


def release_accepted(run: Run) -> None:
    """Release the money of orders whose buyer has neither accepted nor complained within the acceptance window.

    What a buyer has asked back waits for the answer and says so; it is released when the answer left it to the payees.
    """
    with run.phase() as session:
        complained = exists().where(Refund.checkout_id == Transfer.checkout_id, Refund.state.in_(refunds.UNDER_WAY))
        waiting = (
            Transfer.purpose == "order",
            Transfer.state == "held",
            Order.shipped_at <= clock.now() - ACCEPTANCE_WINDOW,
        )
        held = select(Transfer).join(Order, Order.id == Transfer.subject_id).where(*waiting, complained)
        conditions = ("awaiting_start", "awaiting_delivery")
        held = held.where(Transfer.reason.in_(conditions)).order_by(Transfer.id).limit(200)
        for share in session.scalars(held.with_for_update(of=Transfer, skip_locked=True)):
            share.reason = "complaint"
        free = select(Transfer.subject_id).join(Order, Order.id == Transfer.subject_id).where(*waiting, ~complained)
        free = free.where(Transfer.reason.in_((*conditions, "complaint"))).distinct()
        for order_id in session.scalars(free.order_by(Transfer.subject_id).limit(200)):
            args = {"purpose": "order", "subject_id": order_id}
            # Each hour anew: a share may be held again after a release, when what it was given back for was undone.
            stage(session, JobName.RELEASE_ORDER_FUNDS, f"{order_id}:window:{clock.now():%Y%m%d%H}", args)
