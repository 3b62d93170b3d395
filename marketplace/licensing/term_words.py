"""Terms in words: one row per field, in the reader's language, with the value it had before."""

from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypedDict

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from marketplace.designs.vocabulary import metal_word
from marketplace.kernel.money import Money
from marketplace.licensing.brief.words import brief_rows
from marketplace.licensing.regions import territory_words
from marketplace.licensing.terms import Terms
from marketplace.licensing.vocabulary import (
    CATEGORIES,
    CHANNELS,
    DERIVATIVES,
    GOVERNING,
    GUARANTEE_SPANS,
    KINDS,
    METAL_FAMILIES,
    ROYALTY_BASES,
)
from marketplace.web.i18n import Formats, locale_code

_FMT = Formats()

#: Field -> label, in the order of the sheet.
LABELS: dict[str, Any] = {
    "kind": _l("Kind of license"),
    "territories": _l("Territory"),
    "channels": _l("Sales channels"),
    "categories": _l("Categories"),
    "metals": _l("Metals"),
    "start": _l("Start"),
    "term_months": _l("Term"),
    "max_units": _l("Most pieces"),
    "fee": _l("License fee"),
    "royalty_percent": _l("Royalty"),
    "royalty_per_unit": _l("Royalty per piece"),
    "royalty_base": _l("Royalty base"),
    "advance": _l("Advance"),
    "minimum_guarantee": _l("Minimum guarantee"),
    "guarantee_per": _l("Guaranteed for"),
    "sell_off_months": _l("Sell-off period"),
    "credit": _l("Credit line"),
    "derivatives": _l("Changes to the design"),
    "marketing_images": _l("Use of the pictures in marketing"),
    "governing_language": _l("Governing language"),
    "customization": _l("Customization"),
    "brief": _l("Brief"),
    "valid_until": _l("Valid until"),
}

#: Shown even when nobody filled them in, because their absence means something.
_ALWAYS = frozenset({"channels", "categories", "metals"})
#: Not a term of the license but of the offer.
OFFER_ONLY = frozenset({"valid_until"})


class Row(TypedDict):
    """One term in words; `was` is None where nothing changed."""

    name: str
    label: str
    value: str
    was: str | None


def rows(
    terms: Mapping[str, Any],
    was: Mapping[str, Any] | None = None,
    *,
    binding: bool = False,
    only: Collection[str] | None = None,
) -> list[Row]:
    """The terms in the current language, each beside what it was in `was`.

    `terms` and `was` are stored sheets (JSON values). `binding` leaves out what ends with the acceptance; `only` names
    the fields wanted.
    """
    found: list[Row] = []
    for name in Terms.model_fields:
        if (binding and name in OFFER_ONLY) or (only is not None and name not in only):
            continue
        if name == "brief":
            found += _brief(terms, was)
            continue
        new, old = shown(name, terms.get(name)), shown(name, was.get(name)) if was is not None else None
        if binding and name == "territories":
            new = territory_words(terms[name], locale_code(), full=True)
        changed = was is not None and new != old
        if new is None and not changed:
            continue
        found.append(
            Row(name=name, label=str(LABELS[name]), value=new or "–", was=(old or "–") if changed else None),
        )
    return found


def _brief(terms: Mapping[str, Any], was: Mapping[str, Any] | None) -> list[Row]:
    """A brief takes a row for each of its changes."""
    before = None if was is None else was.get("brief") or []
    made = brief_rows(terms.get("brief"), before)
    return [Row(name="brief", label=label, value=value, was=old) for label, value, old in made]


def value_of(name: str, value: Any) -> str:
    """One value in words; a dash where there is none."""
    if name == "brief":
        return "; ".join(f"{label}: {said}" for label, said, _old in brief_rows(value, None)) or "–"
    return shown(name, value) or "–"


def labels_of(names: list[str]) -> str:
    """The labels of fields as one phrase ("License fee, Term")."""
    return _(", ").join(str(LABELS[name]) for name in names if name in LABELS)


def headline(terms: Mapping[str, Any]) -> str:
    """One line that tells an offer apart: kind, territory, fee."""
    parts = [shown(name, terms.get(name)) for name in ("kind", "territories", "fee")]
    return " · ".join(part for part in parts if part)


def shown(name: str, value: Any) -> str | None:
    """One value in words; None when it says nothing."""
    if value is None or value == []:
        return _("All") if name in _ALWAYS else None
    return _RENDERERS[name](value)


def _money(value: Any) -> str:
    return _FMT.money(Money(value["amount"], value["currency"]))


def _words(table: Mapping[str, Any]) -> Callable[[Any], str]:
    def render(value: Any) -> str:
        if isinstance(value, list):
            return _(", ").join(str(table.get(item, str(item).replace("_", " "))) for item in value)
        return str(table.get(value, value))

    return render


def _territories(value: Any) -> str:
    return territory_words(value, locale_code())


def _months(value: Any) -> str:
    return ngettext("%(num)s month", "%(num)s months", int(value))


def _percent(value: Any) -> str:
    return f"{_FMT.number(Decimal(str(value)))}\u00a0%"


_RENDERERS: dict[str, Callable[[Any], str]] = {
    "kind": _words(KINDS),
    "territories": _territories,
    "channels": _words(CHANNELS),
    "categories": _words(CATEGORIES),
    "metals": lambda value: _(", ").join(str(METAL_FAMILIES.get(m) or metal_word(m)) for m in value),
    "start": lambda value: _FMT.date(date.fromisoformat(value)),
    "term_months": _months,
    "max_units": lambda value: _FMT.number(int(value)),
    "fee": _money,
    "royalty_percent": _percent,
    "royalty_per_unit": _money,
    "royalty_base": _words(ROYALTY_BASES),
    "advance": _money,
    "minimum_guarantee": _money,
    "guarantee_per": _words(GUARANTEE_SPANS),
    "sell_off_months": _months,
    "credit": str,
    "derivatives": _words(DERIVATIVES),
    "marketing_images": lambda value: _("Yes") if value else _("No"),
    "governing_language": _words(GOVERNING),
    "customization": str,
    "valid_until": lambda value: _FMT.datetime(datetime.fromisoformat(value)),
}
