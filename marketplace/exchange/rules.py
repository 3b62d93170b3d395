"""Converting at a fixed rate, pure. Nothing is ever charged by these numbers: they tell a reader what an amount is in
the currency of the reader's country, by the rate that stood when the offer was made.
"""

import datetime as dt
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from babel.numbers import get_territory_currencies

from marketplace.kernel.money import CURRENCIES, Money, exponent


@dataclass(frozen=True, slots=True)
class Fixed:
    """One unit of `base` is `rate` units of `quote`, by a source on a day."""

    base: str
    quote: str
    rate: Decimal
    source: str
    as_of: dt.date

    def convert(self, money: Money) -> Money:
        """The amount in `quote`, half a minor unit rounded up. Raises ValueError for another currency."""
        if money.currency != self.base:
            raise ValueError(f"this rate converts {self.base}, not {money.currency}")
        places = exponent(self.quote) - exponent(self.base)
        amount = (Decimal(money.amount) * self.rate).scaleb(places)
        return Money(int(amount.to_integral_value(ROUND_HALF_UP)), self.quote)

    def to_json(self) -> dict[str, str]:
        """As kept in an offer."""
        return {
            "base": self.base,
            "quote": self.quote,
            "rate": f"{self.rate:f}",
            "source": self.source,
            "as_of": self.as_of.isoformat(),
        }

    @classmethod
    def from_json(cls, kept: dict[str, str]) -> "Fixed":
        """What `to_json` made."""
        day = dt.date.fromisoformat(kept["as_of"])
        return cls(kept["base"], kept["quote"], Decimal(kept["rate"]), kept["source"], day)


def currency_of(country: str) -> str | None:
    """The currency of a country, if we trade in it (territory data of the Unicode CLDR)."""
    found = get_territory_currencies(country)
    return found[0] if found and found[0] in CURRENCIES else None


def cross(per_euro: dict[str, Decimal], base: str, quote: str) -> Decimal | None:
    """Units of `quote` for one `base`, through the euro, to six significant decimals; None when one is missing."""
    known = {"EUR": Decimal(1), **per_euro}
    if base not in known or quote not in known:
        return None
    return (known[quote] / known[base]).quantize(Decimal("0.000001"), ROUND_HALF_UP)
