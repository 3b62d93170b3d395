"""What a term sheet's form starts from, and the choices in it."""

from typing import Any

from marketplace.designs.vocabulary import metal_word
from marketplace.kernel import clock
from marketplace.kernel.money import CURRENCIES
from marketplace.licensing.forms import form_values, until_date
from marketplace.licensing.playbook.models import TermSheet
from marketplace.licensing.regions import REGIONS
from marketplace.licensing.term_words import LABELS
from marketplace.licensing.terms import DEFAULT_VALIDITY
from marketplace.licensing.vocabulary import (
    CATEGORIES,
    CHANNELS,
    DERIVATIVES,
    GOVERNING,
    GUARANTEE_SPANS,
    KINDS,
    METAL_FAMILIES,
    ROYALTY_BASES,
    country_names,
)
from marketplace.web.i18n import locale_code


def start(design: Any, sheet: TermSheet | None) -> dict[str, Any]:
    """What a buyer starts from: the studio's term sheet for the design, else what is usual. The design's own fee stands
    before the sheet's where both are in one currency.
    """
    common = usual(design)
    if sheet is None:
        return common
    values = form_values(sheet.terms)
    if common.get("fee") and common["fee_currency"] == values["fee_currency"]:
        values["fee"] = common["fee"]
    return {**values, "valid_until": common["valid_until"], "design": design.id}


def usual(design: Any) -> dict[str, Any]:
    """A first offer to start from: what most licenses of this trade look like."""
    price = design.list_price
    values: dict[str, Any] = {
        "kind": "non_exclusive",
        "where": "countries",
        "categories": [design.category] if design.category in CATEGORIES else [],
        "term_months": 24,
        "fee_currency": price.currency if price else "USD",
        "royalty_base": "",
        "derivatives": "none",
        "governing_language": locale_code(),
        "valid_until": until_date(clock.now() + DEFAULT_VALIDITY),
        "design": design.id,
    }
    if price:
        values["fee"] = form_values({"fee": {"amount": price.amount, "currency": price.currency}, "territories": []})[
            "fee"
        ]
    return values


def term_choices(chosen_metals: list[str] | None = None) -> dict[str, Any]:
    """The choices of the term sheet's form; single alloys only where the terms on the table name them."""
    alloys = [metal for metal in chosen_metals or [] if metal not in METAL_FAMILIES]
    names = country_names(locale_code())
    return {
        "labels": LABELS,
        "kinds": list(KINDS.items()),
        "regions": [(code, region.name) for code, region in REGIONS.items()],
        "countries": sorted(names.items(), key=lambda pair: pair[1]),
        "channels": list(CHANNELS.items()),
        "categories": list(CATEGORIES.items()),
        "metals": [*METAL_FAMILIES.items(), *((alloy, metal_word(alloy)) for alloy in alloys)],
        "currencies": list(CURRENCIES),
        "bases": list(ROYALTY_BASES.items()),
        "guarantee_spans": list(GUARANTEE_SPANS.items()),
        "derivatives": list(DERIVATIVES.items()),
        "languages": list(GOVERNING.items()),
    }
