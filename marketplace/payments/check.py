"""The invariants of the books, each asked in one statement, so that they can be checked while money moves.

I1: every booking and every currency sums to zero, nothing was changed (the chain), no account stands on its wrong side.
I2: of one license or order never more goes out than came in; what a payee owes us for it counts as still here.
I3: an effect is booked once and only if it happened: each share that was sent has one booking and one object.
"""

from collections.abc import Iterator

from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.payments import chain
from marketplace.payments.chain import Head

_UNBALANCED = text(
    "select transaction_id, currency, sum(amount) as amount from ledger_entries"
    " group by transaction_id, currency having sum(amount) <> 0 order by transaction_id"
)
_TOTALS = text("select currency, sum(amount) as amount from ledger_entries group by currency having sum(amount) <> 0")
_WRONG_SIDE = text(
    "select e.account, e.currency, sum(e.amount) as amount from ledger_entries e"
    " join ledger_accounts a on e.account = case when a.per_org then a.code || ':' || e.org_id else a.code end"
    " where a.side <> 0 group by e.account, e.currency, a.side having sum(e.amount) * a.side < 0 order by e.account"
)
_UNKNOWN_ACCOUNT = text(
    "select distinct e.account from ledger_entries e where not exists (select 1 from ledger_accounts a where"
    " a.per_org = (e.org_id is not null)"
    " and e.account = case when a.per_org then a.code || ':' || e.org_id else a.code end)"
)
# What came in, and what went out less what was taken back, by license or order. What a payee or an open dispute owes
# for this subject stands for money that has left, and a loss we took is ours. The vendor's own fees are not part.
_OVERSPENT = text("""
select t.subject_id, e.currency,
  sum(case when e.account = 'assets:stripe' and t.kind = 'payment' then e.amount else 0 end) as captured,
  sum(case when e.account in ('assets:stripe', 'assets:bank')
           and t.kind in ('transfer', 'reversal', 'refund', 'dispute') then -e.amount
      when e.account in ('revenue:fees', 'expenses:losses') then -e.amount else 0 end) as gone,
  sum(case when e.account = 'assets:disputed' or (e.account like 'assets:receivable:%' and t.kind <> 'withheld')
      then e.amount else 0 end) as owed
from ledger_entries e join ledger_transactions t on t.id = e.transaction_id
where t.subject_id is not null
group by t.subject_id, e.currency
""")
_SENT_WITHOUT_BOOKING = text(
    "select r.id from transfers r left join ledger_transactions t on t.key = 'transfer:' || r.id"
    " where (r.state = 'sent') <> (t.id is not null) order by r.id"
)
_TWO_FOR_ONE = text(
    "select external_id, kind from ledger_transactions where kind in ('payment', 'transfer')"
    " and external_id is not null group by external_id, kind having count(*) > 1"
)
_PAID_WITHOUT_BOOKING = text(
    "select c.id from checkouts c left join ledger_transactions t on t.key = 'paid:' || c.id"
    " where (c.state = 'paid') <> (t.id is not null) order by c.id"
)


def problems(session: Session, anchor: Head | None = None) -> Iterator[str]:
    """What does not hold, in words."""
    yield from i1(session, anchor)
    yield from i2(session)
    yield from i3(session)


def i1(session: Session, anchor: Head | None = None) -> Iterator[str]:
    """Sums, sides, the chart, and the chain."""
    for row in session.execute(_UNBALANCED):
        yield f"transaction {row.transaction_id} is off by {int(row.amount)} {row.currency}"
    for row in session.execute(_TOTALS):
        yield f"{row.currency} is off by {int(row.amount)}"
    for row in session.execute(_WRONG_SIDE):
        word = "was overpaid by" if row.account.startswith("liabilities:held:") else "stands on the wrong side with"
        yield f"{row.account} {word} {abs(int(row.amount))} {row.currency}"
    for account in session.scalars(_UNKNOWN_ACCOUNT):
        yield f"account {account} is not in the chart"
    yield from chain.problems(session, anchor)


def i2(session: Session) -> Iterator[str]:
    """Nothing more goes out of a license or order than came in."""
    for row in session.execute(_OVERSPENT):
        if row.gone > row.captured + max(row.owed, 0):
            over = int(row.gone - row.captured - max(row.owed, 0))
            yield f"{row.subject_id} gave out {over} {row.currency} more than was paid for it"


def i3(session: Session) -> Iterator[str]:
    """One booking for each effect, and none without its effect."""
    for transfer_id in session.scalars(_SENT_WITHOUT_BOOKING):
        yield f"share {transfer_id} and its booking do not agree"
    for checkout_id in session.scalars(_PAID_WITHOUT_BOOKING):
        yield f"payment {checkout_id} and its booking do not agree"
    for row in session.execute(_TWO_FOR_ONE):
        yield f"{row.external_id} is booked more than once as {row.kind}"
