"""Money as integer minor units and an ISO 4217 code. No float ever touches an amount."""

from dataclasses import dataclass
from decimal import Decimal

from marketplace.kernel.errors import Invalid

# ISO 4217 minor-unit exponents that differ from two.
_EXPONENTS = {"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "KWD": 3, "BHD": 3, "OMR": 3, "TND": 3}

#: Currencies the marketplace trades in.
CURRENCIES = ("USD", "EUR", "GBP", "HKD", "CNY", "JPY", "CHF")

#: Largest amount taken in any field: 1,000,000,000.00 in a two-decimal currency.
MAX_AMOUNT = 100_000_000_000


def exponent(currency: str) -> int:
    """Decimal places of the minor unit of an ISO 4217 currency (USD 2, JPY 0)."""
    return _EXPONENTS.get(currency, 2)


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount in minor units of one currency."""

    amount: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.amount) is not int:
            raise TypeError("an amount is an integer number of minor units")
        if len(self.currency) != 3 or not self.currency.isalpha() or not self.currency.isupper():
            raise ValueError("a currency is an ISO 4217 code such as USD")

    def __add__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.amount + other.amount, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.amount - other.amount, self.currency)

    def __mul__(self, quantity: int) -> "Money":
        return Money(self.amount * quantity, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.amount, self.currency)

    def __lt__(self, other: "Money") -> bool:
        self._same(other)
        return self.amount < other.amount

    def __str__(self) -> str:
        """ISO code and exact amount, for texts that no reader's locale applies to ("USD 1250.00")."""
        return f"{self.currency} {Decimal(self.amount).scaleb(-exponent(self.currency)):f}"

    def share(self, basis_points: int) -> "Money":
        """`basis_points` / 10,000 of the amount, half a minor unit rounded away from zero."""
        product = self.amount * basis_points
        rounded = (abs(product) * 2 + 10_000) // 20_000
        return Money(rounded if product >= 0 else -rounded, self.currency)

    def _same(self, other: "Money") -> None:
        if other.currency != self.currency:
            raise Invalid("currency_mismatch", "Two currencies cannot be mixed in one amount.")


def parse_amount(text: str, currency: str) -> int:
    """Minor units from what a person typed ("1,250.00", "1250", full-width digits refused).

    Raises Invalid for anything but plain ASCII digits with an optional decimal point, grouping
    commas in thousands, too many decimals, or amounts beyond MAX_AMOUNT.
    """
    cleaned = text.strip()
    whole, point, fraction = cleaned.partition(".")
    groups = whole.split(",")
    digits = "".join(groups)
    grouped_well = len(groups) == 1 or (1 <= len(groups[0]) <= 3 and all(len(g) == 3 for g in groups[1:]))
    places = exponent(currency)
    if cleaned.startswith(("-", "\u2212")):
        raise Invalid("negative_amount", "An amount cannot be negative.")
    if (
        not digits
        or not (digits.isascii() and digits.isdigit())
        or not grouped_well
        or (point and not (fraction.isascii() and fraction.isdigit()))
        or len(fraction) > places
        or len(digits) > 12
    ):
        raise Invalid("bad_amount", "Write the amount in digits, for example 1250.00")
    minor: int = int(digits) * 10**places + int((fraction or "0").ljust(places, "0") or "0")
    if minor > MAX_AMOUNT:
        raise Invalid("amount_too_large", "The amount is larger than we accept.")
    return minor
