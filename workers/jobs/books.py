"""The nightly comparison of the books with the payment service's."""

import hashlib
import json
from datetime import timedelta

from marketplace.gateways.payment_types import PayeeBlocked, PaymentNotFound
from marketplace.kernel import clock
from marketplace.payments import comparison, payees
from marketplace.payments.comparison import Difference, Ours, Theirs
from workers.jobs.payments import CATCH_UP, catch_up
from workers.run import Run

#: Disputes are decided and payouts returned within weeks; what is older was compared on many nights.
WINDOW = timedelta(days=35)
_MOST = 200


def compare(run: Run) -> None:
    """Take over what can be, name every difference that is left, put the chain's end outside of the database."""
    since = clock.now() - WINDOW
    catch_up(run, since)
    with run.phase() as session:
        mine = comparison.ours(session, since)
    their = read_theirs(run, mine)
    found = comparison.differences(mine, their, clock.now())
    if any(item.kind == "balance_amount" for item in found):
        found = [item for item in found if item.kind != "balance_amount"] + _balances_again(run)
    with run.phase() as session:
        row = comparison.keep(session, run.actor, since, len(their.movements), found)
        anchor = {"at": row.at.isoformat(), "chain": row.anchor, "differences": len(row.differences)}
    data = json.dumps(anchor).encode()
    key = f"anchors/ledger/{row.at:%Y-%m-%d}-{row.id}.json"
    run.services.storage.put(key, data, "application/json", hashlib.sha256(data).hexdigest())


def _balances_again(run: Run) -> list[Difference]:
    """The balances that differ still when both sides are read anew, one right after the other.

    Money that moved while the books were read is no difference; what it did is taken over first.
    """
    catch_up(run, clock.now() - CATCH_UP)
    their = _balances(run)
    with run.phase() as session:
        return comparison.unequal(comparison.balances(session), their)


def _balances(run: Run) -> dict[str, int]:
    held = run.services.payments.balance()
    sums = dict(held.available)
    for currency, amount in held.pending.items():
        sums[currency] = sums.get(currency, 0) + amount
    return sums


def read_theirs(run: Run, mine: Ours) -> Theirs:
    """The vendor's side; payouts that changed without our hearing of it are mirrored on the way."""
    payments = run.services.payments
    movements = list(payments.movements(mine.since - timedelta(days=1)))
    payouts = {}
    accounts = sorted({"", *(account for _share, account in mine.sent.values()), *mine.paid_from.values()} - {""})
    unread = {"", *accounts[_MOST:]}
    for account in accounts[:_MOST]:
        try:
            found = payments.payouts(account, limit=50)
        except (PayeeBlocked, PaymentNotFound):
            # An account that was taken from us is told of elsewhere; it must not keep the others from being compared.
            unread.add(account)
            continue
        for payout in found:
            if payout.created >= mine.since:
                payouts[payout.id] = payout.status
                with run.phase() as session:
                    payees.note_payout(session, run.actor, account, payout)
    transfers = {}
    for movement in [m for m in movements if m.kind == "transfer" and m.source][-_MOST:]:
        made = payments.get_transfer(movement.source or "")
        transfers[made.id] = (made.metadata.get("transfer", ""), made.destination)
    return Theirs(
        movements=movements,
        balances=_balances(run),
        payouts={name: status for name, status in payouts.items() if name in mine.payouts},
        disputes={name: payments.dispute(name).status for name in list(mine.disputes)[:_MOST]},
        transfers=transfers,
        unread=frozenset(unread),
    )
