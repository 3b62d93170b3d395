"""The double-entry ledger: the only writer of its tables. The chart of accounts is in docs/ledger.md."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace.kernel import clock
from marketplace.kernel.ids import new_id
from marketplace.payments.models import LedgerEntry, LedgerTransaction

STRIPE = "assets:stripe"
FEES = "revenue:fees"
PROCESSING = "expenses:processing"


def held(org_id: str) -> str:
    """The account of what we owe a payee."""
    return f"liabilities:held:{org_id}"


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
    session: Session, *, key: str, kind: str, subject_id: str | None, memo: str, currency: str, lines: Sequence[Line]
) -> bool:
    """Book once: False when `key` was booked before. Raises ValueError for lines that do not balance."""
    if sum(line.amount for line in lines) != 0:
        raise ValueError("a booking must balance")
    transaction_id = new_id("ltx")
    made = session.execute(
        insert(LedgerTransaction)
        .values(id=transaction_id, key=key, kind=kind, subject_id=subject_id, memo=memo[:300], created_at=clock.now())
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


def problems(session: Session) -> list[str]:
    """What is wrong with the books, in words; empty when every booking and every currency balances."""
    found = []
    unbalanced = session.execute(
        select(LedgerEntry.transaction_id, LedgerEntry.currency, func.sum(LedgerEntry.amount))
        .group_by(LedgerEntry.transaction_id, LedgerEntry.currency)
        .having(func.sum(LedgerEntry.amount) != 0)
    )
    found += [f"transaction {t} is off by {int(a)} {c}" for t, c, a in unbalanced]
    totals: dict[str, int] = {}
    for balance in balances(session):
        totals[balance.currency] = totals.get(balance.currency, 0) + balance.amount
        if balance.account.startswith("liabilities:held:") and balance.amount > 0:
            found.append(f"{balance.account} was overpaid by {balance.amount} {balance.currency}")
    found += [f"{currency} is off by {amount}" for currency, amount in totals.items() if amount]
    return found
