"""What an organization may put in place of a published number."""

from decimal import Decimal

from marketplace.kernel.errors import Invalid

#: A house alloy may differ this much from the published density: more is a slip of the decimal point.
DENSITY_SHARE = Decimal("0.15")
#: Limits in mm and counts.
LIMITS = {"mm": (Decimal("0.05"), Decimal("20")), "": (Decimal(0), Decimal(1000))}
#: The most that the columns keep, in thousandths.
DIGITS = Decimal("0.001")


def checked(kind: str, value: Decimal, standard: Decimal, unit: str) -> Decimal:
    """The value rounded to thousandths; raises Invalid `value` out of bounds."""
    value = value.quantize(DIGITS)
    if kind == "alloy":
        low, high = standard * (1 - DENSITY_SHARE), standard * (1 + DENSITY_SHARE)
    else:
        low, high = LIMITS[unit]
    if not low <= value <= high:
        raise Invalid(
            "out_of_bounds",
            "Enter a number from %(low)s to %(high)s.",
            params={"low": f"{low.quantize(DIGITS).normalize():f}", "high": f"{high.quantize(DIGITS).normalize():f}"},
        )
    return value


def family_of(code: str) -> str:
    """The family of an alloy code, "any" for a metal that is not in the table."""
    for family, words in (
        ("silver", ("silver", "sterling")),
        ("platinum", ("platin",)),
        ("palladium", ("pallad",)),
        ("gold", ("gold", "k_", "karat")),
        ("base", ("brass", "bronze", "steel", "titan")),
    ):
        if any(word in code.casefold() for word in words):
            return family
    return "any"
