"""The double-entry ledger: the only writer of its tables. The chart of accounts is in docs/ledger.md."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace.kernel import clock
from marketplace.kernel.ids import new_id
from marketplace.payments import check
from marketplace.payments.accounts import (
    BANK,
    DISPUTE_FEES,
    DISPUTED,
    EXCHANGE,
    FEES,
    LOSSES,
    PROCESSING,
    REFUNDS,
    STRIPE,
    held,
    receivable,
)
from marketplace.payments.chain import Head
from marketplace.payments.models import LedgerEntry, LedgerTransaction

__all__ = [
    "BANK",
    "DISPUTED",
    "DISPUTE_FEES",
    "EXCHANGE",
    "FEES",
    "LOSSES",
    "PROCESSING",
    "REFUNDS",
    "STRIPE",
    "Balance",
    "Line",
    "balance_of",
    "balances",
    "booked",
    "held",
    "keys",
    "post",
    "problems",
    "receivable",
]


@dataclass(frozen=True, slots=True)
class Line:
    """One side of a booking; positive is debit, negative credit."""

    account: str
    amount: int
    org_id: str | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    """The sum of an account in one currency."""

    account: str
    currency: str
    amount: int


def post(
    session: Session,
    *,
    key: str,
    kind: str,
    subject_id: str | None,
    memo: str,
    currency: str,
    lines: Sequence[Line],
    external_id: str | None = None,
) -> bool:
    """Book once: False when `key` was booked before. `external_id` is the payment service's object behind it.

    Raises ValueError for lines that do not balance or are no integers.
    """
    if any(type(line.amount) is not int for line in lines):
        raise ValueError("an amount is an integer number of minor units")
    if sum(line.amount for line in lines) != 0:
        raise ValueError("a booking must balance")
    moment = clock.now()
    transaction_id = new_id("ltx")
    made = session.execute(
        insert(LedgerTransaction)
        .values(
            id=transaction_id,
            key=key,
            kind=kind,
            subject_id=subject_id,
            memo=memo[:300],
            external_id=external_id,
            created_at=moment,
        )
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(LedgerTransaction.id)
    ).first()
    if made is None:
        return False
    session.add_all(
        LedgerEntry(
            transaction_id=transaction_id,
            account=line.account,
            org_id=line.org_id,
            amount=line.amount,
            currency=currency,
            created_at=moment,
        )
        for line in lines
        if line.amount
    )
    session.flush()
    return True


def balances(session: Session) -> list[Balance]:
    """Every account's sum per currency, for the whole platform (needs a role that sees all)."""
    rows = session.execute(
        select(LedgerEntry.account, LedgerEntry.currency, func.sum(LedgerEntry.amount))
        .group_by(LedgerEntry.account, LedgerEntry.currency)
        .order_by(LedgerEntry.account, LedgerEntry.currency)
    )
    return [Balance(account, currency, int(amount)) for account, currency, amount in rows]


def balance_of(session: Session, key: str, account: str) -> int:
    """What the booking `key` has put on an account; 0 when it was not booked."""
    query = (
        select(func.coalesce(func.sum(LedgerEntry.amount), 0))
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.transaction_id)
        .where(LedgerTransaction.key == key, LedgerEntry.account == account)
    )
    return int(session.scalars(query).one())


def booked(session: Session, external_ids: Sequence[str]) -> set[str]:
    """Which of these objects of the payment service have a booking."""
    query = select(LedgerTransaction.external_id).where(LedgerTransaction.external_id.in_(set(external_ids)))
    return {name for name in session.scalars(query) if name is not None}


def keys(session: Session, wanted: Sequence[str]) -> set[str]:
    """Which of these keys are booked."""
    return set(session.scalars(select(LedgerTransaction.key).where(LedgerTransaction.key.in_(set(wanted)))))


def problems(session: Session, anchor: Head | None = None) -> list[str]:
    """What is wrong with the books, in words; empty when the invariants hold (see `check`). Works while others book."""
    return list(check.problems(session, anchor))
