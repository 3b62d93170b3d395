"""Rules of royalties: the state machines of statements, reports and inquiries, and what the terms of a license ask for.

A royalty is settled in one of two ways, and the terms alone decide which:

- with the order, when it depends only on the pieces (per piece, or percent of the wholesale price) and no advance has
  to be set off against it: see orders.pricing. The statement shows it as paid.
- by the statement in every other case: percent of net sales, which the buyer reports, and every royalty of a license
  with an advance.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from marketplace.kernel.states import Machine, step
from marketplace.royalties.reckoning import Rate

#: `draft`: the quarter is over and the report is due; `issued`: nothing to pay; `disputed`: the designer asks.
STATEMENT = Machine(
    "statement",
    "draft",
    [
        step("draft", "settle", "system", "issued"),
        step("draft", "issue", "system", "payable"),
        step("payable", "lapse", "system", "overdue"),
        step("payable", "pay", "system", "paid"),
        step("overdue", "pay", "system", "paid"),
        # A question does not stop the money; what is found later goes into the next statement.
        step("disputed", "pay", "system", "paid"),
        step("issued", "query", "designer", "disputed"),
        step("payable", "query", "designer", "disputed"),
        step("overdue", "query", "designer", "disputed"),
        step("disputed", "rest", ("designer", "buyer"), "issued"),
        step("disputed", "resume", ("designer", "buyer"), "payable"),
    ],
)

REPORT = Machine("report", "draft", [step("draft", "submit", "buyer", "submitted")])

#: A question about a statement, or an audit. `claimed`: the designer names a difference; `refused`: the buyer does not
#: agree to it.
INQUIRY = Machine(
    "inquiry",
    "open",
    [
        step("open", "answer", "buyer", "answered"),
        step("answered", "answer", "buyer", "answered"),
        step("open", "close", "designer", "closed"),
        step("answered", "close", "designer", "closed"),
        step("refused", "close", "designer", "closed"),
        step("answered", "claim", "designer", "claimed"),
        step("refused", "claim", "designer", "claimed"),
        step("claimed", "agree", "buyer", "closed"),
        step("claimed", "refuse", "buyer", "refused"),
    ],
)

#: Statements whose figures stand.
STANDING = ("issued", "payable", "overdue", "disputed", "paid")
#: Statements that wait for money.
OPEN = ("payable", "overdue", "disputed")


@dataclass(frozen=True, slots=True)
class Scheme:
    """What the terms of a license say about royalties; amounts in minor units of the license's currency."""

    rate: Rate
    base: str | None
    advance: int
    guarantee: int
    guarantee_yearly: bool

    @property
    def reported(self) -> bool:
        """Whether the buyer has to report sales."""
        return self.base == "net_sales"

    @property
    def accounts(self) -> bool:
        """Whether there is anything to give account of by quarters."""
        return self.base is not None or self.guarantee > 0


def scheme(terms: Mapping[str, Any]) -> Scheme:
    """The royalty part of a license's terms."""
    percent, per_unit = terms.get("royalty_percent"), terms.get("royalty_per_unit")
    rate = Rate(
        percent=None if percent is None else Decimal(str(percent)),
        per_unit=None if per_unit is None else int(per_unit["amount"]),
    )
    return Scheme(
        rate=rate,
        base=None if percent is None and per_unit is None else str(terms.get("royalty_base") or "unit"),
        advance=_amount(terms.get("advance")),
        guarantee=_amount(terms.get("minimum_guarantee")),
        guarantee_yearly=terms.get("guarantee_per") == "year",
    )


def order_royalty(rate: Rate, base: str | None, *, pieces: int, quantity: int) -> int:
    """What an order earns; `pieces` is the price of its pieces without tooling. Net sales earn when reported."""
    return 0 if base == "net_sales" else rate.of(base=pieces, quantity=quantity)


def _amount(term: Mapping[str, Any] | None) -> int:
    return 0 if term is None else int(term["amount"])
