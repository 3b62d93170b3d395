"""What a statement comes to. Pure, in integer minor units of the license's currency.

Each line is rounded once, half a minor unit away from zero; every sum is a sum of rounded lines, so a statement adds up
to the cent. A percentage is taken exactly (hundredths of a percent).

In this order:

1. `owed` = royalties earned + shortfall of the guarantee - royalties that were paid with orders.
2. A credit that was carried over is used up first, then what is left of the advance.
3. What remains is due. A negative remainder is not paid out, it is carried over as a credit.

So at any time: everything that was paid = earned + shortfalls + what is left of the advance + the credit.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal


@dataclass(frozen=True, slots=True)
class Rate:
    """How a royalty is reckoned: `percent` of a base (0-100), or `per_unit` minor units for each piece."""

    percent: Decimal | None = None
    per_unit: int | None = None

    def of(self, *, base: int, quantity: int) -> int:
        """The royalty on a base amount (may be negative: returns) or on pieces; rounded once."""
        if self.per_unit is not None:
            return self.per_unit * quantity
        if self.percent is None:
            return 0
        return int((Decimal(base) * self.percent / 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def net_sales(gross: int, discounts: int, returns: int, taxes: int) -> int:
    """Gross sales less trade discounts, returns, and the taxes and shipping that the gross amount holds."""
    return gross - discounts - returns - taxes


@dataclass(frozen=True, slots=True)
class Entry:
    """A line: the royalty it earns (negative for returns) and what of it was paid with an order."""

    royalty: int
    paid: int = 0


@dataclass(frozen=True, slots=True)
class Opening:
    """What is carried into a statement; both zero or more."""

    advance: int = 0
    credit: int = 0


@dataclass(frozen=True, slots=True)
class Guarantee:
    """A minimum that is tested now: `amount` against `earned` before this statement in the same span."""

    amount: int
    earned: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """The figures of a statement. due >= 0, and advance and credit at its end are zero or more."""

    earned: int
    paid_with_orders: int
    shortfall: int
    credit_opening: int
    credit_used: int
    advance_opening: int
    advance_recouped: int
    due: int
    credit_closing: int

    @property
    def advance_closing(self) -> int:
        """What is left of the advance."""
        return self.advance_opening - self.advance_recouped


def settle(entries: Iterable[Entry], opening: Opening, guarantee: Guarantee | None = None) -> Settlement:
    """The settlement of a period's entries, see the module's rule."""
    rows = list(entries)
    earned, paid = sum(row.royalty for row in rows), sum(row.paid for row in rows)
    shortfall = 0 if guarantee is None else max(0, guarantee.amount - guarantee.earned - earned)
    owed = earned + shortfall - paid
    used = max(0, min(owed, opening.credit))
    recouped = max(0, min(owed - used, opening.advance))
    rest = owed - used - recouped
    return Settlement(
        earned=earned,
        paid_with_orders=paid,
        shortfall=shortfall,
        credit_opening=opening.credit,
        credit_used=used,
        advance_opening=opening.advance,
        advance_recouped=recouped,
        due=max(0, rest),
        credit_closing=opening.credit - used + max(0, -rest),
    )


def guaranteed(amount: int, months: int) -> int:
    """A yearly guarantee for a license year of so many months; half a minor unit is rounded up."""
    return (amount * months * 2 + 12) // 24
