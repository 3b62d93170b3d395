"""The chart of accounts: names, and who has one of each. The database holds the same table and refuses anything else.

What each account means stands in docs/ledger.md; `ledger_accounts` is filled by migrations from the same words.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Account:
    """One line of the chart. `kind` is asset, liability, income, expense or equity; `side` is the sign its balance has.

    `side` 1: never below zero, -1: never above zero, 0: either. `per_org`: every organization has one of its own,
    named `<code>:<org id>`.
    """

    code: str
    kind: str
    side: int
    per_org: bool = False


STRIPE = "assets:stripe"
BANK = "assets:bank"
DISPUTED = "assets:disputed"
REFUNDS = "liabilities:refunds"
FEES = "revenue:fees"
PROCESSING = "expenses:processing"
DISPUTE_FEES = "expenses:disputes"
LOSSES = "expenses:losses"
EXCHANGE = "equity:exchange"
_HELD = "liabilities:held"
_RECEIVABLE = "assets:receivable"

CHART: tuple[Account, ...] = (
    Account(STRIPE, "asset", 0),
    Account(BANK, "asset", 0),
    Account(DISPUTED, "asset", 1),
    Account(_RECEIVABLE, "asset", 1, per_org=True),
    Account(_HELD, "liability", -1, per_org=True),
    Account(REFUNDS, "liability", -1),
    Account(FEES, "income", 0),
    Account(PROCESSING, "expense", 0),
    Account(DISPUTE_FEES, "expense", 0),
    Account(LOSSES, "expense", 0),
    Account(EXCHANGE, "equity", 0),
)


def held(org_id: str) -> str:
    """The account of what we owe a payee."""
    return f"{_HELD}:{org_id}"


def receivable(org_id: str) -> str:
    """The account of what a payee owes us: shares given back to a buyer after they had been sent."""
    return f"{_RECEIVABLE}:{org_id}"


def line_of(account: str) -> Account | None:
    """The chart's line for an account's name, or None for a name that is not in the chart."""
    return next((a for a in CHART if account == a.code or (a.per_org and account.startswith(f"{a.code}:"))), None)
