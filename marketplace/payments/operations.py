"""What happens to money. Nothing here talks to the payment service; jobs and `checkout.py` do that between phases."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace.audit.operations import record
from marketplace.db.jobs import JobName, stage
from marketplace.db.locks import lock, lock_name
from marketplace.gateways.payment_types import Account, CheckoutSession, Payment, WebhookEvent
from marketplace.gateways.payment_types import Payout as ReportedPayout
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, Invalid
from marketplace.kernel.money import Money
from marketplace.notifications.operations import notify_org
from marketplace.payments import fees, ledger
from marketplace.payments.models import Checkout, PaymentAccount, PaymentEvent, Payout, Transfer
from marketplace.payments.rules import CHECKOUT, TRANSFER, Share, split

#: Stripe's standard payout schedule in most countries is a rolling two business days; weekends add to it.
PAYOUT_DELAY = timedelta(days=3)


def open_checkout(
    session: Session,
    actor: Actor,
    *,
    purpose: str,
    subject_id: str,
    payer_org_id: str,
    amount: Money,
    description: str,
    shares: Sequence[Share],
    success_path: str,
    cancel_path: str,
    agreed_at: datetime | None = None,
    fee_bps: int | None = None,
) -> str:
    """The id of the one live checkout of a license or order, made if there is none.

    The fee is the one in force when the price was agreed (`agreed_at`, now when left out); it stays with the checkout.
    Raises Conflict `already_paid`; Invalid when the shares do not add up to the amount.
    """
    lock_name(session, f"checkout:{purpose}:{subject_id}")
    live = session.scalars(
        select(Checkout).where(
            Checkout.purpose == purpose, Checkout.subject_id == subject_id, Checkout.state.in_(("open", "paid"))
        )
    ).one_or_none()
    if live is not None and live.state == "paid":
        raise Conflict("already_paid", "This has already been paid.")
    if live is not None and live.total == amount:
        return live.id
    if live is not None:
        CHECKOUT.advance(live, "expire", {"system"})
        session.flush()
    del fee_bps  # callers that have not moved to the schedule yet still name it
    fee = fees.rate(session, purpose, agreed_at or clock.now())
    splits = split(shares, fee.bps)
    if sum(s.gross for s in splits) != amount.amount:
        raise Invalid("bad_amount", "The shares do not add up to the amount.")
    row = Checkout(
        purpose=purpose,
        subject_id=subject_id,
        payer_org_id=payer_org_id,
        amount=amount.amount,
        currency=amount.currency,
        description=description[:300],
        splits=[asdict(s) for s in splits],
        fee_bps=fee.bps,
        fee_since=fee.valid_from,
        success_path=success_path,
        cancel_path=cancel_path,
        customer_email=actor.email or None,
    )
    session.add(row)
    session.flush()
    record(session, actor, "payment.opened", row.id, owner_org_id=payer_org_id, subject_id=subject_id)
    return row.id


def take_event(session: Session, event: WebhookEvent) -> bool:
    """Keep a verified event and stage its handling; False for a copy."""
    made = session.execute(
        insert(PaymentEvent)
        .values(
            id=event.id,
            type=event.type,
            account=event.account,
            object_type=event.object_type,
            object_id=event.object_id,
            body=event.body,
            created_at=clock.now(),
        )
        .on_conflict_do_nothing(index_elements=["id"])
        .returning(PaymentEvent.id)
    ).first()
    if made is not None:
        stage(session, JobName.HANDLE_PAYMENT_EVENT, event.id, {"event_id": event.id})
    return made is not None


def mark_paid(session: Session, actor: Actor, reported: CheckoutSession, payment: Payment) -> Checkout | None:
    """Book a paid checkout session and hold the payees' shares; None when it was booked before.

    Raises Conflict `payment_mismatch` when what was paid is not what we asked.
    """
    row = lock(session, Checkout, reported.client_reference_id or "")
    if row.state == "paid":
        return None
    if (
        reported.payment_status != "paid"
        or (reported.amount_total, reported.currency) != (row.amount, row.currency)
        or payment.amount_received != row.amount
    ):
        raise Conflict("payment_mismatch", "What was paid is not what was asked.")
    CHECKOUT.advance(row, "pay", {"system"})
    row.paid_at, row.payment_intent, row.charge_id = clock.now(), payment.id, payment.charge
    taken = sum(s["fee"] for s in row.splits)
    ledger.post(
        session,
        key=f"paid:{row.id}",
        kind="payment",
        subject_id=row.subject_id,
        memo=row.description,
        currency=row.currency,
        lines=[
            ledger.Line(ledger.STRIPE, row.amount),
            ledger.Line(ledger.FEES, -taken),
            *(ledger.Line(ledger.held(s["org_id"]), -s["net"], s["org_id"]) for s in row.splits),
        ],
        external_id=payment.charge,
    )
    if payment.fee and payment.settlement_currency == row.currency:
        ledger.post(
            session,
            key=f"processing:{row.id}",
            kind="processing_fee",
            subject_id=row.subject_id,
            memo="Payment processing",
            currency=row.currency,
            lines=[ledger.Line(ledger.PROCESSING, payment.fee), ledger.Line(ledger.STRIPE, -payment.fee)],
            external_id=payment.charge,
        )
    for s in row.splits:
        session.add(
            Transfer(
                org_id=s["org_id"],
                checkout_id=row.id,
                purpose=row.purpose,
                subject_id=row.subject_id,
                description=row.description,
                kind=s["kind"],
                gross=s["gross"],
                fee=s["fee"],
                amount=s["net"],
                currency=row.currency,
                fee_bps=row.fee_bps,
                fee_since=row.fee_since,
                state=TRANSFER.initial,
                reason="awaiting_delivery" if row.purpose == "order" else None,
            )
        )
    record(session, actor, "payment.received", row.id, owner_org_id=row.payer_org_id, subject_id=row.subject_id)
    session.flush()
    return row


def mark_expired(session: Session, checkout_id: str) -> None:
    """Give up an open checkout whose page has expired; nothing happens to a paid one."""
    row = lock(session, Checkout, checkout_id)
    if row.state == "open":
        CHECKOUT.advance(row, "expire", {"system"})


def release(session: Session, actor: Actor, *, purpose: str, subject_id: str) -> None:
    """Ask for the shares of a paid license or order to be sent to the payees; asked twice it happens once."""
    record(session, actor, "payment.release_asked", subject_id, purpose=purpose)
    stage(session, JobName.RELEASE_ORDER_FUNDS, subject_id, {"purpose": purpose, "subject_id": subject_id})


def release_shares(session: Session, actor: Actor, *, purpose: str, subject_id: str) -> list[Transfer]:
    """Make every held share of the subject due and stage its transfer."""
    query = select(Transfer.id).where(Transfer.purpose == purpose, Transfer.subject_id == subject_id)
    found = []
    for transfer_id in sorted(session.scalars(query)):
        row = lock(session, Transfer, transfer_id)
        if row.state == "held":
            TRANSFER.advance(row, "release", {"system"})
            row.reason = None
            record(session, actor, "payment.released", row.id, owner_org_id=row.org_id)
            stage(session, JobName.SEND_TRANSFER, row.id, {"transfer_id": row.id})
            found.append(row)
    return found


def begin_transfer(session: Session, transfer_id: str) -> tuple[Transfer, PaymentAccount, Checkout] | None:
    """Phase one of sending a share: None when it is not to be sent now (sent already, or payee not ready)."""
    row = lock(session, Transfer, transfer_id)
    if row.state not in {"due", "sending"}:
        return None
    account = session.get(PaymentAccount, row.org_id)
    if account is None or not account.ready or account.stripe_account_id is None:
        row.reason = "onboarding"
        return None
    TRANSFER.advance(row, "begin", {"system"})
    row.reason = None
    return row, account, session.get_one(Checkout, row.checkout_id)


def confirm_transfer(session: Session, actor: Actor, transfer_id: str, stripe_transfer_id: str) -> None:
    """Phase three: book the transfer, once, and tell the payee."""
    row = lock(session, Transfer, transfer_id)
    if row.state != "sending":
        return
    TRANSFER.advance(row, "confirm", {"system"})
    row.stripe_transfer_id = stripe_transfer_id
    row.sent_at = clock.now()
    row.expected_at = clock.now() + PAYOUT_DELAY
    ledger.post(
        session,
        key=f"transfer:{row.id}",
        kind="transfer",
        subject_id=row.subject_id,
        memo=row.description,
        currency=row.currency,
        lines=[ledger.Line(ledger.held(row.org_id), row.amount, row.org_id), ledger.Line(ledger.STRIPE, -row.amount)],
        external_id=stripe_transfer_id,
    )
    record(session, actor, "payment.transferred", row.id, owner_org_id=row.org_id, stripe=stripe_transfer_id)
    notify_org(
        session,
        row.org_id,
        "payout_sent",
        path="/payouts",
        amount=str(row.net_money),
        design=row.description,
    )


def reject_transfer(session: Session, actor: Actor, transfer_id: str, code: str) -> None:
    """The payment service will not make this transfer; it waits for a person."""
    row = lock(session, Transfer, transfer_id)
    if row.state == "sending":
        TRANSFER.advance(row, "reject", {"system"})
        row.reason = code[:60]
        record(
            session, actor, "payment.transfer_rejected", row.id, owner_org_id=row.org_id, outcome="failed", code=code
        )


def account_for(session: Session, actor: Actor, org_id: str) -> PaymentAccount:
    """The payee's account row, made if it is not there."""
    session.execute(
        insert(PaymentAccount)
        .values(
            org_id=org_id,
            created_at=clock.now(),
            transfers_active=False,
            payouts_enabled=False,
            details_submitted=False,
            requirements=[],
        )
        .on_conflict_do_nothing()
    )
    record(session, actor, "payout.onboarding_started", org_id, owner_org_id=org_id)
    return session.get_one(PaymentAccount, org_id)


def link_account(session: Session, org_id: str, stripe_account_id: str) -> None:
    """Remember the account at the payment service."""
    row = session.get_one(PaymentAccount, org_id, with_for_update=True)
    row.stripe_account_id = stripe_account_id


def update_account(session: Session, actor: Actor, reported: Account, *, cause: str) -> None:
    """Take over what the payment service says of a payee, and send what waited for it; `cause` names the event."""
    row = session.scalars(
        select(PaymentAccount).where(PaymentAccount.stripe_account_id == reported.id).with_for_update()
    ).one_or_none()
    if row is None:
        return
    was_ready = row.ready
    row.transfers_active, row.payouts_enabled = reported.transfers_active, reported.payouts_enabled
    row.details_submitted, row.requirements = reported.details_submitted, list(reported.requirements_due)
    row.disabled_reason, row.checked_at = reported.disabled_reason, clock.now()
    if row.ready and not was_ready:
        record(session, actor, "payout.onboarded", row.org_id, owner_org_id=row.org_id)
        waiting = select(Transfer.id).where(Transfer.org_id == row.org_id, Transfer.state == "due")
        for transfer_id in session.scalars(waiting):
            stage(session, JobName.SEND_TRANSFER, f"{transfer_id}:{cause}", {"transfer_id": transfer_id})


def note_payout(session: Session, stripe_account_id: str, reported: ReportedPayout) -> None:
    """Mirror a payout to a payee's bank; a later report of the same payout wins."""
    org_id = session.scalars(
        select(PaymentAccount.org_id).where(PaymentAccount.stripe_account_id == stripe_account_id)
    ).one_or_none()
    if org_id is None:
        return
    values = {
        "org_id": org_id,
        "amount": reported.amount,
        "currency": reported.currency,
        "status": reported.status,
        "failure_code": reported.failure_code,
        "arrival_date": reported.arrival_date,
        "created_at": reported.created,
    }
    session.execute(
        insert(Payout).values(id=reported.id, **values).on_conflict_do_update(index_elements=["id"], set_=values)
    )
