"""Jobs of money: events in, transfers out, and the sweep that finds what events did not tell."""

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.gateways.payment_types import CheckoutSession, PaymentNotFound, PaymentRejected
from marketplace.invoices.operations import ask_invoices
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.licensing import operations as licensing
from marketplace.orders import operations as orders
from marketplace.payments import operations
from marketplace.payments.models import Checkout, PaymentAccount, PaymentEvent
from marketplace.royalties import operations as royalties
from workers.run import Retry, Run

#: purpose of a checkout -> what being paid means there.
ON_PAID: dict[str, Callable[[Session, Actor, str], None]] = {
    "license": licensing.activate,
    "order": orders.mark_paid,
    "royalty": royalties.mark_paid,
}

_SESSION_EVENTS = ("checkout.session.completed", "checkout.session.async_payment_succeeded", "checkout.session.expired")
#: The sweep looks at checkouts that have been open this long: events are usually here within seconds.
SWEEP_AFTER = timedelta(minutes=2)


def handle_event(run: Run, event_id: str) -> None:
    """Read the event's object anew from the payment service and take over its state."""
    with run.phase() as session:
        event = session.get_one(PaymentEvent, event_id)
    if event.handled_at is not None:
        return
    outcome = "ignored"
    if event.type in _SESSION_EVENTS and event.object_id:
        outcome = settle(run, run.services.payments.session(event.object_id))
    elif event.object_type in {"account", "v2.core.account"} and event.object_id:
        account = run.services.payments.account(event.object_id)
        with run.phase() as session:
            operations.update_account(session, run.actor, account, cause=event.id)
        outcome = "account"
    elif event.object_type == "payout" and event.object_id and event.account:
        try:
            payout = run.services.payments.payout(event.object_id, event.account)
        except PaymentNotFound as error:
            raise Retry("the payout is not known yet") from error
        with run.phase() as session:
            operations.note_payout(session, event.account, payout)
        outcome = "payout"
    with run.phase() as session:
        row = session.get_one(PaymentEvent, event_id)
        row.handled_at, row.outcome = clock.now(), outcome


def settle(run: Run, page: CheckoutSession) -> str:
    """Take over a checkout session: book it when paid, give it up when expired."""
    checkout_id = page.client_reference_id or ""
    with run.phase() as session:
        known = session.get(Checkout, checkout_id)
    if known is None or known.stripe_session_id not in {None, page.id}:
        return "unknown"
    if page.payment_status == "paid" and page.payment_intent:
        payment = run.services.payments.payment(page.payment_intent)
        with run.phase() as session:
            paid = operations.mark_paid(session, run.actor, page, payment)
            if paid is None:
                return "repeated"
            ON_PAID[paid.purpose](session, run.actor, paid.subject_id)
            ask_invoices(session, paid.id)
        return "paid"
    if page.status == "expired":
        with run.phase() as session:
            operations.mark_expired(session, checkout_id)
        return "expired"
    return "open"


def release_funds(run: Run, purpose: str, subject_id: str) -> None:
    """Make the held shares of a license or order due."""
    with run.phase() as session:
        operations.release_shares(session, run.actor, purpose=purpose, subject_id=subject_id)


def send_transfer(run: Run, transfer_id: str) -> None:
    """Send one share in three phases: lock and mark; look, then call with our key; book."""
    with run.phase() as session:
        begun = operations.begin_transfer(session, transfer_id)
    if begun is None:
        return
    row, account, checkout = begun
    payments = run.services.payments
    made = next(
        (t for t in payments.find_transfers(row.subject_id) if t.metadata.get("transfer") == row.id),
        None,
    )
    try:
        sent = made or payments.transfer(
            amount=row.amount,
            currency=row.currency,
            destination=account.stripe_account_id or "",
            source_charge=checkout.charge_id,
            transfer_group=row.subject_id,
            metadata={"transfer": row.id, "kind": row.kind},
            idempotency_key=row.id,
        )
    except PaymentRejected as error:
        with run.phase() as session:
            operations.reject_transfer(session, run.actor, transfer_id, error.code)
        return
    with run.phase() as session:
        operations.confirm_transfer(session, run.actor, transfer_id, sent.id)


def reconcile(run: Run) -> None:
    """Ask the payment service about checkouts and accounts that events have not told us about."""
    with run.phase() as session:
        pages = list(
            session.scalars(
                select(Checkout.stripe_session_id)
                .where(
                    Checkout.state == "open",
                    Checkout.stripe_session_id.is_not(None),
                    Checkout.created_at < clock.now() - SWEEP_AFTER,
                )
                .order_by(Checkout.created_at)
                .limit(50)
            )
        )
        accounts = list(
            session.scalars(
                select(PaymentAccount.stripe_account_id)
                .where(PaymentAccount.stripe_account_id.is_not(None), PaymentAccount.transfers_active.is_(False))
                .order_by(PaymentAccount.checked_at.asc().nulls_first())
                .limit(50)
            )
        )
    for session_id in pages:
        settle(run, run.services.payments.session(session_id or ""))
    for account_id in accounts:
        account = run.services.payments.account(account_id or "")
        with run.phase() as session:
            operations.update_account(session, run.actor, account, cause=f"sweep:{run.job_id}")
