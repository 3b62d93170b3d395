"""What happens to money. Nothing here talks to the payment service; jobs and `checkout.py` do that between phases."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_babel import get_locale
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace.audit.operations import record
from marketplace.db.jobs import JobName, stage
from marketplace.db.locks import lock, lock_name
from marketplace.gateways.payment_types import CheckoutSession, Payment, WebhookEvent
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, Invalid
from marketplace.kernel.money import Money
from marketplace.notifications.operations import notify_org
from marketplace.payments import alerts, exchanging, fees, ledger, titles
from marketplace.payments.disputes import open_ones
from marketplace.payments.models import Checkout, PaymentAccount, PaymentEvent, Transfer
from marketplace.payments.rails import routing
from marketplace.payments.reversals import withhold
from marketplace.payments.rules import CHECKOUT, TRANSFER, Share, Split, four_eyes_from, parts, split, waits_for

#: Stripe's standard payout schedule in most countries is a rolling two business days; weekends add to it.
PAYOUT_DELAY = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Sending:
    """A share that is being sent: to whom, out of which charge (None: from the balance), with which key."""

    transfer: Transfer
    account: PaymentAccount
    charge_id: str | None
    key: str


def open_checkout(
    session: Session,
    actor: Actor,
    *,
    purpose: str,
    subject_id: str,
    payer_org_id: str,
    amount: Money,
    about: Mapping[str, Any],
    shares: Sequence[Share],
    success_path: str,
    cancel_path: str,
    agreed_at: datetime | None = None,
) -> str:
    """The id of the one live checkout of a license or order, made if there is none.

    `about` is what the title is made of (titles.PATTERNS). The fee is the one in force when the price was agreed
    (`agreed_at`, now when left out); it stays with the checkout.
    Raises Conflict `already_paid`, `payment_being_booked` while one is booked on a checkout that is to be replaced;
    Invalid when the shares do not add up to the amount.
    """
    lock_name(session, f"checkout:{purpose}:{subject_id}")
    mine = (Checkout.purpose == purpose, Checkout.subject_id == subject_id, ~Checkout.replaced)
    query = select(Checkout).where(*mine).order_by(Checkout.id).execution_options(populate_existing=True)
    # Looked at unlocked first: booking a payment locks its checkout, then what the caller has locked already.
    seen = session.scalars(query).all()
    live = _live(seen)
    if live is not None and live.total == amount:
        return live.id
    # Locked to be replaced. One on which a payment is being booked is not waited for: the booking may wait for us.
    earlier = session.scalars(query.with_for_update(skip_locked=True)).all()
    if len(earlier) < len(seen):
        raise Conflict("payment_being_booked", "A payment is just being booked. Please try again in a moment.")
    live = _live(earlier)
    if live is not None:
        CHECKOUT.advance(live, "expire", {"system"})
    for row in earlier:
        row.replaced = True
    session.flush()
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
        about=dict(about),
        description=titles.plain(purpose, about),
        splits=[asdict(s) for s in splits],
        fee_bps=fee.bps,
        fee_since=fee.valid_from,
        success_path=success_path,
        cancel_path=cancel_path,
        customer_email=actor.email or None,
        locale=str(get_locale() or actor.locale),
    )
    session.add(row)
    session.flush()
    record(session, actor, "payment.opened", row.id, owner_org_id=payer_org_id, subject_id=subject_id)
    return row.id


def _live(earlier: Sequence[Checkout]) -> Checkout | None:
    """The one that can still be paid. Raises Conflict `already_paid`."""
    live = next((row for row in earlier if row.state != "expired"), None)
    if live is not None and live.state == "paid":
        raise Conflict("already_paid", "This has already been paid.")
    return live


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
            body=event.kept,
            sha256=event.sha256,
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
    row.paid_with = _method(payment)
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
    _book_settlement(session, row, payment)
    _hold_shares(session, row)
    record(session, actor, "payment.received", row.id, owner_org_id=row.payer_org_id, subject_id=row.subject_id)
    session.flush()
    return row


def _book_settlement(session: Session, row: Checkout, payment: Payment) -> None:
    """What the payment service keeps; and, where the payment settles in another currency, the exchange."""
    currency = payment.settlement_currency or row.currency
    if payment.net is not None:
        exchanging.link(
            session,
            key=f"exchange:{row.id}",
            kind="exchange",
            subject_id=row.subject_id,
            memo=row.description,
            external_id=payment.charge,
            agreed=row.total,
            moved=Money(payment.net + (payment.fee or 0), currency),
        )
    if payment.fee:
        ledger.post(
            session,
            key=f"processing:{row.id}",
            kind="processing_fee",
            subject_id=row.subject_id,
            memo="Payment processing",
            currency=currency,
            lines=[ledger.Line(ledger.PROCESSING, payment.fee), ledger.Line(ledger.STRIPE, -payment.fee)],
            external_id=payment.charge,
        )


def _method(payment: Payment) -> str | None:
    """How it was paid as people say it: kind, brand, last four digits; nothing else of the card or account is kept."""
    found = payment.method
    return None if found is None else " ".join(part for part in (found.kind, found.brand, found.last4) if part)[:80]


def _hold_shares(session: Session, row: Checkout) -> None:
    for share in row.splits:
        split_of = Split(share["org_id"], share["kind"], share["gross"], share["fee"], share["net"])
        for milestone, part in parts(row.purpose, split_of):
            session.add(
                Transfer(
                    org_id=part.org_id,
                    checkout_id=row.id,
                    payer_org_id=row.payer_org_id,
                    purpose=row.purpose,
                    subject_id=row.subject_id,
                    about=row.about,
                    description=row.description,
                    kind=part.kind,
                    milestone=milestone.code,
                    gross=part.gross,
                    fee=part.fee,
                    amount=part.net,
                    currency=row.currency,
                    fee_bps=row.fee_bps,
                    fee_since=row.fee_since,
                    state=TRANSFER.initial,
                    reason=waits_for(row.purpose, part.kind, milestone.code),
                )
            )


def release(session: Session, actor: Actor, *, purpose: str, subject_id: str, milestone: str | None = None) -> None:
    """Ask for the shares of a paid license or order to be sent to the payees, or only one part of each.

    Asked twice it happens once.
    """
    record(session, actor, "payment.release_asked", subject_id, purpose=purpose, milestone=milestone or "all")
    key = f"{subject_id}:{milestone}" if milestone else subject_id
    args = {"purpose": purpose, "subject_id": subject_id, "milestone": milestone}
    stage(session, JobName.RELEASE_ORDER_FUNDS, key, args)


def release_shares(
    session: Session, actor: Actor, *, purpose: str, subject_id: str, milestone: str | None = None
) -> list[Transfer]:
    """Make every held share of the subject (or its part `milestone`) due and stage its transfer.

    A disputed one becomes due as well and waits for the bank's decision before it is sent.
    """
    query = (
        select(Transfer.id)
        .join(Checkout, Checkout.id == Transfer.checkout_id)
        .where(Transfer.purpose == purpose, Transfer.subject_id == subject_id, ~Checkout.replaced)
    )
    if milestone is not None:
        query = query.where(Transfer.milestone == milestone)
    else:
        # What came back by hand waits for a person who releases exactly that.
        query = query.where(Transfer.reason.is_distinct_from("reversed_outside"))
    found = []
    for transfer_id in sorted(session.scalars(query)):
        row = lock(session, Transfer, transfer_id)
        if row.state == "held":
            TRANSFER.advance(row, "release", {"system"})
            row.reason = row.reason if row.reason == "disputed" else None
            # One that is released again, after what it was given back for was undone, is another sending.
            key = row.id if row.released_at is None else f"{row.id}:{clock.now().isoformat()}"
            row.released_at = clock.now()
            record(session, actor, "payment.released", row.id, owner_org_id=row.org_id)
            stage(session, JobName.SEND_TRANSFER, key, {"transfer_id": row.id})
            found.append(row)
    return found


def begin_transfer(session: Session, actor: Actor, transfer_id: str) -> Sending | None:
    """Phase one of sending a share: None when it is not to be sent now; the row's `reason` says why.

    What the payee owes us is kept back first; a share that goes whole into a debt is not sent at all.
    """
    row = lock(session, Transfer, transfer_id)
    if row.state not in {"due", "sending"} or routing.in_a_file(session, row.id):
        return None
    if row.state == "due":
        account = session.get(PaymentAccount, row.org_id, with_for_update=True)
        row.reason = _why_not(session, row, account)
        if row.reason == "four_eyes" and account is not None:
            alerts.raise_alert(session, actor, "four_eyes", f"{row.org_id}:{account.hold_until}", subject_id=row.id)
        if row.reason is not None:
            return None
        if offset_debts(session, actor, row):
            return None
    account = session.get_one(PaymentAccount, row.org_id)
    TRANSFER.advance(row, "begin", {"system"})
    row.reason, row.destination = None, account.stripe_account_id
    key = row.id if row.attempt == 0 else f"{row.id}-{row.attempt}"
    checkout = session.get_one(Checkout, row.checkout_id)
    return Sending(row, account, None if exchanging.exchanged(session, checkout) else checkout.charge_id, key)


def offset_debts(session: Session, actor: Actor, row: Transfer) -> bool:
    """Keep back from a share that is due and locked what its payee owes; whether nothing of it is left to send."""
    withhold(session, actor, row)
    if row.payable:
        return False
    TRANSFER.advance(row, "offset", {"system"})
    row.reason, row.sent_at = "debt", clock.now()
    return True


def _why_not(session: Session, row: Transfer, account: PaymentAccount | None) -> str | None:
    """Why a share that is due cannot be sent now."""
    if open_ones(session, row.checkout_id):
        return "disputed"
    if (waits := routing.waits_for_bank(session, row.org_id)) is not None:
        return waits
    if account is None or not account.ready or account.stripe_account_id is None:
        return "onboarding" if account is None or account.disabled_reason is None else "account_restricted"
    if account.hold_until is not None and account.hold_until > clock.now():
        return "cooling"
    if account.hold_until is not None and row.payable >= four_eyes_from(row.currency):
        return None if account.change_approved_by else "four_eyes"
    return None


def confirm_transfer(
    session: Session, actor: Actor, transfer_id: str, stripe_transfer_id: str, *, account: str = ledger.STRIPE
) -> None:
    """Phase three: book the transfer, once, and tell the payee. `account` is where the money left from."""
    row = lock(session, Transfer, transfer_id)
    if not TRANSFER.can(row.state, "confirm", {"system"}):
        return
    TRANSFER.advance(row, "confirm", {"system"})
    row.stripe_transfer_id, row.reason = stripe_transfer_id, None
    row.sent_at = clock.now()
    row.expected_at = clock.now() + PAYOUT_DELAY
    ledger.post(
        session,
        key=f"transfer:{row.id}",
        kind="transfer",
        subject_id=row.subject_id,
        memo=row.description,
        currency=row.currency,
        lines=[ledger.Line(ledger.held(row.org_id), row.payable, row.org_id), ledger.Line(account, -row.payable)],
        external_id=stripe_transfer_id,
    )
    record(session, actor, "payment.transferred", row.id, owner_org_id=row.org_id, stripe=stripe_transfer_id)
    notify_org(session, row.org_id, "payout_sent", path="/payouts", amount=row.left_money, design=titles.param(row))


def reject_transfer(session: Session, actor: Actor, transfer_id: str, code: str, *, attempt: int) -> None:
    """The payment service will not make this transfer; it waits for a person, who is told.

    Nothing happens when another attempt than `attempt` is under way.
    """
    row = lock(session, Transfer, transfer_id)
    if row.state != "sending" or row.attempt != attempt:
        return
    TRANSFER.advance(row, "reject", {"system"})
    row.reason = code[:60]
    record(session, actor, "payment.transfer_rejected", row.id, owner_org_id=row.org_id, outcome="failed", code=code)
    alerts.raise_alert(session, actor, "transfer_failed", f"{row.id}:{row.attempt}", subject_id=row.id, code=code)


def postpone_transfer(session: Session, actor: Actor, transfer_id: str, *, attempt: int) -> None:
    """The money has not settled: the share is due again, for another attempt with another key.

    The payment service keeps what it answered to a key for a day, a refusal too. Nothing happens when another attempt
    than `attempt` is under way.
    """
    row = lock(session, Transfer, transfer_id)
    if row.state != "sending" or row.attempt != attempt:
        return
    TRANSFER.advance(row, "reject", {"system"})
    TRANSFER.advance(row, "release", {"system"})
    row.attempt, row.reason = row.attempt + 1, "unsettled"
    record(session, actor, "payment.transfer_postponed", row.id, owner_org_id=row.org_id, attempt=row.attempt)
    if exchanging.exchanged(session, session.get_one(Checkout, row.checkout_id)):
        # No settling brings this currency: a person must see that the balance has it.
        alerts.raise_alert(session, actor, "currency_missing", row.id, subject_id=row.id, currency=row.currency)


def send_again(session: Session, actor: Actor, transfer_id: str) -> Transfer:
    """Have a refused share sent once more, with another key. Raises Conflict unless it was refused."""
    row = lock(session, Transfer, transfer_id)
    if row.state != "failed":
        raise Conflict("not_refused", "This share was not refused, or is being sent again already.")
    TRANSFER.advance(row, "release", {"system"})
    row.attempt, row.reason = row.attempt + 1, None
    record(session, actor, "payment.released", row.id, owner_org_id=row.org_id)
    stage(session, JobName.SEND_TRANSFER, f"{row.id}:{row.attempt}", {"transfer_id": row.id})
    return row
