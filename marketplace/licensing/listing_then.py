"""The listing as it was when a negotiation began, beside what it says now, in words."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _

from marketplace.designs.models import Fact
from marketplace.designs.vocabulary import fact_word
from marketplace.kernel.money import Money
from marketplace.licensing.vocabulary import CATEGORIES
from marketplace.studio.rows import fact_value
from marketplace.web.i18n import Formats

_FMT = Formats()


def then_and_now(then: Mapping[str, Any], now: Mapping[str, Any] | None) -> list[dict[str, str | None]]:
    """What a design's page said and says: label, then, and now where it differs (else None)."""
    before, after = _told(then), _told(now) if now is not None else {}
    found: list[dict[str, str | None]] = []
    for label, said in before.items():
        says = after.get(label, "–")
        found.append({"label": label, "then": said, "now": says if now is not None and says != said else None})
    found += [{"label": label, "then": "–", "now": said} for label, said in after.items() if label not in before]
    return found


def _told(kept: Mapping[str, Any]) -> dict[str, str]:
    told = {
        _("Title"): str(kept.get("title") or ""),
        _("Category"): str(CATEGORIES.get(str(kept.get("category")), kept.get("category") or "")),
        _("Description"): str(kept.get("description") or ""),
    }
    price = kept.get("list_price")
    if price:
        told[_("Indicative license fee")] = _FMT.money(Money(price["amount"], price["currency"]))
    for fact in kept.get("facts", []):
        if isinstance(fact.get("value"), str | int | float):
            told[fact_word(fact["name"])] = fact_value(Fact(value=fact["value"], unit=fact.get("unit") or ""))
    for pin in kept.get("cad", []):
        told[_("CAD file %(name)s", name=pin["filename"])] = f"SHA-256 {str(pin['sha256'])[:16]}\u2026"
    return {label: said for label, said in told.items() if said}
