"""Words of orders in the reader's language: stations, turns, actions, lines."""

from collections.abc import Iterable, Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from marketplace.designs.vocabulary import fact_word, metal_word
from marketplace.orders.rules import STATIONS
from marketplace.web.i18n import Formats

STATION_WORDS: dict[str, Any] = {
    "placed": _l("Placed"),
    "quoting": _l("Quotes"),
    "awarded": _l("Awarded"),
    "paid": _l("Paid"),
    "in_production": _l("In production"),
    "shipped": _l("Shipped"),
    "delivered": _l("Delivered"),
}

#: (relation, action) -> (words for the side whose turn it is, words for everybody else).
_TURN_WORDS: dict[tuple[str, str], tuple[Any, Any]] = {
    ("manager", "request_quotes"): (
        _l("Your turn: ask workshops for quotes."),
        _l("The production manager chooses workshops to ask."),
    ),
    ("manager", "award"): (_l("Your turn: compare the quotes and award one."), _l("The quotes are being compared.")),
    ("makers", "quote"): (_l("Waiting for the workshops' quotes."), _l("Waiting for the workshops' quotes.")),
    ("buyer", "pay"): (_l("Your turn: pay the order."), _l("Waiting for the buyer's payment.")),
    ("maker", "record_stage"): (_l("Your turn: make the pieces."), _l("The workshop is at work.")),
    ("maker", "ship"): (_l("Your turn: ship the pieces."), _l("Packed; the workshop ships the pieces.")),
    ("buyer", "accept_delivery"): (
        _l("Your turn: accept the delivery when it has arrived."),
        _l("On the way to the buyer."),
    ),
}


def turn_words(whose: tuple[str, str] | None, *, mine: bool) -> str:
    """Who may act, as a sentence for the reader; empty when the order is over."""
    if whose is None:
        return ""
    own, others = _TURN_WORDS[whose]
    return str(own if mine else others)


def stations(order: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The stepper of an order (as `present.order_out` gives it)."""
    state = order["state"]
    if state == "canceled":
        reached = 2 if order["awarded_at"] else 0
        found = [{"label": str(STATION_WORDS[s]), "state": "done"} for s in STATIONS[: reached + 1]]
        return [*found, {"label": _("Canceled"), "state": "failed"}]
    here = STATIONS.index(state)
    return [
        {
            "label": str(STATION_WORDS[name]),
            "state": "done" if index < here or state == "delivered" else "current" if index == here else "upcoming",
        }
        for index, name in enumerate(STATIONS)
    ]


def line_words(line: Mapping[str, Any]) -> str:
    """One line of an order in words ("12 × 18k yellow gold, size US 6")."""
    parts = [_("%(quantity)s × %(metal)s", quantity=line["quantity"], metal=metal_word(line["metal"]))]
    if line.get("ring_size"):
        parts.append(_("size %(size)s", size=line["ring_size"]))
    if line.get("engraving"):
        parts.append(_("engraved “%(text)s”", text=line["engraving"]))
    return _(", ").join(parts)


#: What a workshop looks for first; the rest follows by name.
_FIRST = (
    *("weight_18k_yellow", "weight_sterling", "inner_diameter", "ring_size_us", "ring_size_eu", "band_width"),
    *("size_x", "size_y", "size_z", "volume", "area", "stone_count"),
)


def _rank(fact: Mapping[str, Any]) -> tuple[int, str]:
    name = str(fact["name"])
    return (_FIRST.index(name) if name in _FIRST else len(_FIRST), name)


def fact_rows(facts: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The facts of a specification for the facts list: numbers and words; nested values are left out."""
    fmt = Formats()
    rows = []
    for fact in sorted(facts, key=_rank):
        value = fact.get("value")
        if isinstance(value, bool):
            shown = _("Yes") if value else _("No")
        elif isinstance(value, int | float):
            shown = fmt.number(value, 0 if isinstance(value, int) else 2)
        elif isinstance(value, str) and value:
            shown = value
        else:
            continue
        unit = str(fact.get("unit") or "").replace("mm2", "mm²").replace("mm3", "mm³")
        label = fact_word(str(fact["name"]))
        rows.append({"label": label, "value": f"{shown}\u00a0{unit}".rstrip(), "source": fact.get("source")})
    return rows
