"""Rules of approval limits: the state machine, what an offer commits to, and when that is too much for one person."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marketplace.kernel.money import Money
from marketplace.kernel.states import Machine, step
from marketplace.licensing.terms import Terms

#: `approver` is a colleague who may decide, `asker` the person who asked, `system` a newer version.
APPROVAL = Machine(
    "approval",
    "pending",
    [
        step("pending", "approve", "approver", "approved"),
        step("pending", "refuse", "approver", "refused"),
        step("pending", "withdraw", "asker", "withdrawn"),
        step("pending", "outrun", "system", "void"),
        step("approved", "outrun", "system", "void"),
    ],
)


#: Years a guarantee without end is reckoned for.
ENDLESS = 10


@dataclass(frozen=True, slots=True)
class Excess:
    """What is too much: the amount the terms commit to, and the limit (None: the currency has none of its own)."""

    amount: Money
    limit: Money | None


def commitment(terms: Terms) -> Money:
    """What a buyer owes whatever it sells: the fee and the larger of advance and minimum guarantee (the one counts
    toward the other). A guarantee for each year counts for every year begun; that of a buyout, without end, for ten.
    """
    years = 1
    if terms.guarantee_per == "year":
        years = ENDLESS if terms.term_months is None else -(-terms.term_months // 12)
    guaranteed = terms.minimum_guarantee.amount * years if terms.minimum_guarantee else 0
    floor = max(guaranteed, terms.advance.amount if terms.advance else 0)
    return Money(terms.fee.amount + floor, terms.fee.currency)


def excess(terms: Terms, limits: Mapping[str, Any]) -> Excess | None:
    """Whether `terms` need a colleague: above the limit of their currency, or, once there are limits, in a currency
    without one (else the limit would be gone around by changing the currency).
    """
    amount = commitment(terms)
    if not limits or amount.amount == 0:
        return None
    if amount.currency not in limits:
        return Excess(amount, None)
    limit = Money(int(limits[amount.currency]), amount.currency)
    return Excess(amount, limit) if limit < amount else None
