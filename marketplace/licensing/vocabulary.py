"""The words that terms are made of: territories, channels, categories, metals. Codes are data, labels translated."""

from functools import lru_cache
from typing import Any

from babel import Locale
from flask_babel import lazy_gettext as _l

WORLD = "WORLD"

# CLDR lists regions besides the officially assigned ISO 3166-1 alpha-2 codes; these are not countries.
_NOT_COUNTRIES = frozenset(["EU", "UN", "XK", "EZ", "QO", "ZZ", "XA", "XB", "AC", "CP", "CQ", "DG", "EA", "IC", "TA"])

#: Officially assigned ISO 3166-1 alpha-2 codes (Unicode CLDR by way of Babel, less its extra regions).
COUNTRIES: frozenset[str] = frozenset(
    code
    for code in map(str, Locale("en").territories)
    if len(code) == 2 and code.isalpha() and code not in _NOT_COUNTRIES
)

KINDS: dict[str, Any] = {
    "exclusive": _l("Exclusive"),
    "sole": _l("Sole (buyer and designer)"),
    "non_exclusive": _l("Non-exclusive"),
    "first_refusal": _l("Non-exclusive with first refusal"),
    "limited_edition": _l("Limited edition"),
    "buyout": _l("Buyout"),
}

#: What a kind means, in a sentence; shown where one is chosen.
KIND_HINTS: dict[str, Any] = {
    "exclusive": _l("Nobody else in this scope, the designer included."),
    "sole": _l("Only the buyer and the designer in this scope."),
    "non_exclusive": _l("Others may get the same."),
    "first_refusal": _l("Others may get the same, but nobody an exclusive there before the buyer was asked."),
    "limited_edition": _l("So many numbered pieces in all, counted across everybody who makes this design."),
    "buyout": _l("Everything in this scope, for good."),
}

CHANNELS: dict[str, Any] = {
    "retail": _l("Own stores"),
    "online": _l("Online"),
    "wholesale": _l("Wholesale"),
    "bridal": _l("Bridal"),
}

CATEGORIES: dict[str, Any] = {
    "ring": _l("Rings"),
    "earrings": _l("Earrings"),
    "pendant": _l("Pendants"),
    "necklace": _l("Necklaces"),
    "bracelet": _l("Bracelets"),
    "bangle": _l("Bangles"),
    "brooch": _l("Brooches"),
    "cufflinks": _l("Cufflinks"),
    "other": _l("Other pieces"),
}

#: A family of metals, and the alloys of the measuring tables that belong to it.
ALLOYS_OF: dict[str, tuple[str, ...]] = {
    "gold": (
        "24k_yellow",
        "22k_yellow",
        "18k_yellow",
        "18k_white_pd",
        "18k_white_ni",
        "18k_rose",
        "14k_yellow",
        "14k_white_pd",
        "14k_white_ni",
        "14k_rose",
        "10k_yellow",
        "9k_yellow",
    ),
    "silver": ("sterling",),
    "platinum": ("platinum_950_ru", "platinum_950_co"),
    "palladium": ("palladium_950",),
}

METAL_FAMILIES: dict[str, Any] = {
    "gold": _l("Gold"),
    "silver": _l("Silver"),
    "platinum": _l("Platinum"),
    "palladium": _l("Palladium"),
}

METALS: frozenset[str] = frozenset({*ALLOYS_OF, *(alloy for alloys in ALLOYS_OF.values() for alloy in alloys)})

DERIVATIVES: dict[str, Any] = {
    "none": _l("No changes to the design"),
    "resize": _l("Resizing only"),
    "adapt": _l("Adaptations allowed"),
}

ROYALTY_BASES: dict[str, Any] = {
    "net_sales": _l("Net sales"),
    "wholesale": _l("Wholesale price"),
    "unit": _l("Each piece"),
}

GUARANTEE_SPANS: dict[str, Any] = {
    "term": _l("The whole term"),
    "year": _l("Each license year"),
}

#: State of a license -> (word, tone of its badge); `expiring` is an active one that ends soon (life.expires_soon).
LICENSE_STATES: dict[str, tuple[Any, str]] = {
    "drafting": (_l("Being drawn up"), "info"),
    "to_sign": (_l("To be signed"), "warn"),
    "to_pay": (_l("To be paid"), "warn"),
    "active": (_l("Active"), "ok"),
    "expiring": (_l("Expiring soon"), "warn"),
    "breach": (_l("Breach to be cured"), "bad"),
    "expired": (_l("Expired"), ""),
    "sell_off": (_l("Sell-off"), "info"),
    "ended": (_l("Ended"), ""),
}

#: Languages an agreement can be governed by: locale code -> its own name.
GOVERNING: dict[str, str] = {"en": "English", "zh_Hans": "简体中文", "zh_Hant": "繁體中文"}


def metal_alloys(metals: list[str]) -> frozenset[str]:
    """The alloys that a list of families and alloys covers; an empty list covers all."""
    if not metals:
        return frozenset(alloy for alloys in ALLOYS_OF.values() for alloy in alloys)
    return frozenset(alloy for metal in metals for alloy in ALLOYS_OF.get(metal, (metal,)))


def alloys_within(alloys: list[str]) -> list[str]:
    """The shortest list of families and alloys that covers exactly these alloys, sorted."""
    left, found = set(alloys), []
    for family, members in ALLOYS_OF.items():
        if left.issuperset(members):
            found.append(family)
            left.difference_update(members)
    return sorted([*found, *left])


@lru_cache(maxsize=8)
def country_names(locale: str) -> dict[str, str]:
    """Code -> name of every country in that language."""
    names = Locale.parse(locale).territories
    return {code: str(names.get(code, code)) for code in sorted(COUNTRIES)}


#: State of an amendment or a termination -> word.
ADDENDUM_STATES: dict[str, Any] = {
    "drafting": _l("Being drawn up"),
    "to_sign": _l("To be signed"),
    "done": _l("In force"),
    "declined": _l("Declined"),
    "withdrawn": _l("Withdrawn"),
    "lapsed": _l("Lapsed"),
}
