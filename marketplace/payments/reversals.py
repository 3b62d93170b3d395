"""Taking back what was sent, for a refund or a lost dispute, or by hand at the payment service.

Where the payee has no money there it is a debt, kept back from what the payee is sent next.
"""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.audit.operations import record
from marketplace.db.locks import lock, lock_all
from marketplace.gateways.payment_types import Reversal as ReportedReversal
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.money import Money
from marketplace.notifications.operations import notify_org
from marketplace.payments import alerts, giving_back, ledger
from marketplace.payments.claims import Reversal
from marketplace.payments.models import Transfer
from marketplace.payments.rules import REVERSAL

_SYSTEM = frozenset({"system"})


def begin(session: Session, reversal_id: str) -> tuple[Reversal, Transfer] | None:
    """Phase one: None when it was settled before."""
    row = lock(session, Reversal, reversal_id)
    if row.state not in {"due", "sending"}:
        return None
    REVERSAL.advance(row, "begin", _SYSTEM)
    return row, session.get_one(Transfer, row.transfer_id)


def confirm(session: Session, actor: Actor, reversal_id: str, stripe_reversal_id: str) -> None:
    """Phase three: what the payee owed for this is back, booked once."""
    row = lock(session, Reversal, reversal_id)
    if row.state != "sending":
        return
    REVERSAL.advance(row, "confirm", _SYSTEM)
    row.stripe_reversal_id = stripe_reversal_id
    ledger.post(
        session,
        key=f"reversal:{stripe_reversal_id}",
        kind="reversal",
        subject_id=row.subject_id,
        memo="Taken back",
        currency=row.currency,
        lines=[
            ledger.Line(ledger.STRIPE, row.amount),
            ledger.Line(ledger.receivable(row.org_id), -row.amount, row.org_id),
        ],
        external_id=stripe_reversal_id,
    )
    record(session, actor, "payment.reversed", row.id, owner_org_id=row.org_id, stripe=stripe_reversal_id)


def fall_short(session: Session, actor: Actor, reversal_id: str, code: str) -> None:
    """It cannot be taken back: the payee owes it, is told, and the operators are."""
    row = lock(session, Reversal, reversal_id)
    if row.state != "sending":
        return
    REVERSAL.advance(row, "fall_short", _SYSTEM)
    record(session, actor, "payment.debt", row.id, owner_org_id=row.org_id, outcome="failed", code=code)
    alerts.raise_alert(
        session,
        actor,
        "debt",
        row.id,
        subject_id=row.transfer_id,
        org=row.org_id,
        amount=row.amount,
        currency=row.currency,
        code=code,
    )
    notify_org(session, row.org_id, "debt", path="/payouts", amount=Money(row.amount, row.currency))


def note_outside(session: Session, actor: Actor, transfer_id: str, reported: ReportedReversal) -> bool:
    """A transfer was reversed by hand at the payment service: we owe that part again, and it waits for a person.

    What the payee had to give back of it anyway settles that debt first. Booked at once, also while a reversal of ours
    is under way or the debt was paid otherwise meanwhile: there would be nothing to come back for it. False when it is
    one of ours or known.
    """
    row = lock(session, Transfer, transfer_id)
    known = select(Reversal.id).where(Reversal.stripe_reversal_id == reported.id)
    if session.scalars(known).first() is not None or row.state != "sent":
        return False
    kept = min(reported.amount, row.payable)
    settled = recover(session, row.id, reported.amount - kept)
    again = reported.amount - settled
    session.add(
        Reversal(
            transfer_id=row.id,
            cause_id=reported.id,
            org_id=row.org_id,
            subject_id=row.subject_id,
            amount=reported.amount,
            currency=row.currency,
            state="done",
            stripe_reversal_id=reported.id,
            created_at=clock.now(),
        )
    )
    ledger.post(
        session,
        key=f"reversal:{reported.id}",
        kind="reversal",
        subject_id=row.subject_id,
        memo=row.description,
        currency=row.currency,
        lines=[
            ledger.Line(ledger.STRIPE, reported.amount),
            ledger.Line(ledger.held(row.org_id), -again, row.org_id),
            ledger.Line(ledger.receivable(row.org_id), -settled, row.org_id),
        ],
        external_id=reported.id,
    )
    if again:
        # The share is cut in two: what the payee keeps, and what is owed once more. What it no longer kept is owed on
        # top: ours that is under way falls short by it and becomes a debt, kept back when this part is released.
        row.gross, row.amount = row.gross - kept, row.amount - kept
        giving_back.once_more(session, row, again, "reversed_outside")
    record(session, actor, "payment.reversed_outside", row.id, owner_org_id=row.org_id, stripe=reported.id)
    alerts.raise_alert(
        session, actor, "reversed_outside", reported.id, subject_id=row.id, amount=again, currency=row.currency
    )
    return True


def recover(session: Session, transfer_id: str, amount: int) -> int:
    """Settle debts over a share with up to `amount` that came back of it otherwise; returns what they took of it."""
    query = select(Reversal.id).where(
        Reversal.transfer_id == transfer_id, Reversal.state == "short", Reversal.recovered < Reversal.amount
    )
    rows = lock_all(session, Reversal, session.scalars(query)) if amount else []
    left = amount
    for row in rows:
        part = min(left, row.amount - row.recovered)
        row.recovered, left = row.recovered + part, left - part
    return amount - left


def debts(session: Session, org_id: str) -> list[Money]:
    """What a payee owes us, one sum per currency."""
    rows = session.execute(
        select(Reversal.currency, func.sum(Reversal.amount - Reversal.recovered))
        .where(Reversal.org_id == org_id, Reversal.state == "short")
        .group_by(Reversal.currency)
        .having(func.sum(Reversal.amount - Reversal.recovered) > 0)
        .order_by(Reversal.currency)
    )
    return [Money(int(amount), currency) for currency, amount in rows]


def withhold(session: Session, actor: Actor, transfer: Transfer) -> int:
    """Keep back from a share that is about to be sent what its payee owes; minor units kept, booked."""
    query = select(Reversal.id).where(
        Reversal.org_id == transfer.org_id,
        Reversal.currency == transfer.currency,
        Reversal.state == "short",
        Reversal.recovered < Reversal.amount,
    )
    kept = 0
    for row in lock_all(session, Reversal, session.scalars(query)):
        part = min(transfer.payable - kept, row.amount - row.recovered)
        row.recovered, kept = row.recovered + part, kept + part
    if kept:
        before = transfer.withheld
        transfer.withheld = before + kept
        ledger.post(
            session,
            key=f"withheld:{transfer.id}:{transfer.withheld}",
            kind="withheld",
            subject_id=transfer.subject_id,
            memo=transfer.description,
            currency=transfer.currency,
            lines=[
                ledger.Line(ledger.held(transfer.org_id), kept, transfer.org_id),
                ledger.Line(ledger.receivable(transfer.org_id), -kept, transfer.org_id),
            ],
        )
        record(session, actor, "payment.withheld", transfer.id, owner_org_id=transfer.org_id, amount=kept)
    return kept
