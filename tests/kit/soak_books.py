"""What the ledger says of a payee against what its shares and debts say."""

from collections import Counter
from collections.abc import Iterator, Sequence

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from marketplace.payments import ledger
from marketplace.payments.claims import Reversal
from marketplace.payments.models import Transfer


def off_their_shares(engine: Engine, org_ids: Sequence[str]) -> Iterator[str]:
    """In words, what we owe a payee by the books and not by its shares that are to be sent, or what it owes us by the
    books and not by what was not taken back yet; to the minor unit.
    """
    booked: Counter[tuple[str, str]] = Counter()
    said: Counter[tuple[str, str]] = Counter()
    with Session(engine) as session:
        for balance in ledger.balances(session):
            if balance.account.endswith(tuple(f":{org_id}" for org_id in org_ids)):
                booked[balance.account, balance.currency] += balance.amount
        for share in session.scalars(select(Transfer).where(Transfer.org_id.in_(org_ids))):
            if share.state in {"held", "due", "sending", "failed"}:
                said[ledger.held(share.org_id), share.currency] -= share.payable
        for row in session.scalars(select(Reversal).where(Reversal.org_id.in_(org_ids))):
            if row.state in {"due", "sending", "short"}:
                said[ledger.receivable(row.org_id), row.currency] += row.amount - row.recovered
    for account, code in sorted({*booked, *said}):
        if off := booked[account, code] - said[account, code]:
            yield f"{account} is off its shares by {off} {code}"
