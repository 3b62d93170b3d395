"""A brief and its effects in the reader's language."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from ai_pipeline.errors import N_
from marketplace.designs.vocabulary import metal_word, stone_word
from marketplace.kernel.money import Money
from marketplace.licensing.brief.deltas import Delta
from marketplace.licensing.brief.diff import diff, read_brief
from marketplace.licensing.brief.effects import Effect, Mass, Span, Weighed
from marketplace.web.i18n import Formats

_FMT = Formats()

KIND_WORDS: dict[str, Any] = {
    "metal": _l("Metal"),
    "ring_size": _l("Ring size"),
    "stones": _l("Stones"),
    "engraving": _l("Engraving"),
    "edit": _l("Change"),
}

#: Named places of a piece, for those who place no pin; also what a pin was placed on.
PARTS: dict[str, Any] = {
    "whole": _l("Whole piece"),
    "head": _l("Head or setting"),
    "prongs": _l("Prongs"),
    "shank": _l("Shank or band"),
    "inside": _l("Inside"),
    "outside": _l("Outside"),
    "front": _l("Front"),
    "back": _l("Back"),
    "left": _l("Left side"),
    "right": _l("Right side"),
    "top": _l("Top"),
    "bottom": _l("Bottom"),
    "bail": _l("Bail"),
    "chain": _l("Chain or links"),
    "clasp": _l("Clasp or post"),
    "metal": _l("Metal part"),
    "stone": _l("Stone"),
}

BASIS_WORDS: dict[str, Any] = {
    "measured": _l("measured"),
    "stated": _l("stated by the studio"),
    "estimated": _l("estimated"),
    "unknown": _l("not estimated"),
}

#: How an effect was worked out, or why it was not; filled with the figures of effects.Effect.
WHY: dict[str, Any] = {
    "densities": _l(
        "Volume of the CAD, %(volume)s mm³, times the density of each alloy: %(before)s and %(after)s g/cm³."
    ),
    "weights": _l("The studio's own weights: %(before)s g and %(after)s g."),
    "not_measured": _l("No CAD of this design has been measured in these alloys."),
    "shank": _l(
        "π × (%(target)s − %(bore)s mm inner diameter) × %(width)s × %(depth)s mm shank × 0.79 to 1 (half round to"
        " flat) × %(density)s g/cm³. The head stays as it is."
    ),
    "no_shank": _l("The bore and the shank of this design were not measured."),
    "gravities": _l("%(carats)s ct in all × specific gravity %(after)s ÷ %(before)s, same sizes and settings."),
    "stones": _l("Settings and metal stay as they are; the stones' own weight depends on what is chosen."),
    "engraving": _l("An engraving takes off less metal than the finishing; it is not counted."),
    "edit": _l("Known once the designer has changed the CAD and it is measured again."),
}


#: What a notification says of a brief's effect.
WEIGHT = N_("%(change)s of metal")
WEIGHT_AND_PRICE = N_("%(change)s of metal, %(price)s by the studio's prices")
WEIGHT_UNKNOWN = N_("weight not estimated")


def part_word(body: str) -> str:
    """The name of a part; names of a model's own bodies stand for themselves."""
    return str(PARTS.get(body, body))


def place_text(delta: Delta) -> str:
    """Where on the piece: part, pin, or both."""
    part = part_word(delta.body) if delta.body else ""
    if delta.point is None:
        return part
    x, y, z = (_FMT.number(Decimal(str(number))) for number in delta.point)
    pin = _("pin at %(x)s / %(y)s / %(z)s mm", x=x, y=y, z=z)
    return _("%(part)s, %(pin)s", part=part, pin=pin) if part else pin


def delta_text(delta: Delta) -> str:
    """One change in a phrase."""
    if delta.kind == "edit":
        return _("%(where)s: %(what)s", where=place_text(delta), what=delta.note or "")
    shown = _value(delta.kind, delta.to or "")
    if delta.was:
        shown = f"{_value(delta.kind, delta.was)} → {shown}"
    if delta.body or delta.point:
        shown = _("%(where)s: %(what)s", where=place_text(delta), what=shown)
    return _("%(what)s (%(note)s)", what=shown, note=delta.note) if delta.note else shown


def brief_rows(brief: Sequence[Any] | None, was: Sequence[Any] | None) -> list[tuple[str, str, str | None]]:
    """(label, value, what it was) of each change of a stored brief; `was` None where there is nothing to compare."""
    new = read_brief(brief)
    if was is None:
        return [(_label(delta), delta_text(delta), None) for delta in new]
    rows = []
    for item in diff(read_brief(was), new):
        one = item.new or item.old
        assert one is not None
        old = delta_text(item.old) if item.old else "–"
        rows.append((_label(one), delta_text(item.new) if item.new else "–", old if item.moved else None))
    return rows


def grams_text(span: Span | None) -> str:
    """A mass, or from-to; a dash for None."""
    return _span(span, _FMT.g)


def change_text(span: Span | None) -> str:
    """How much heavier or lighter: "+1.20 g", "+0.31 to +0.39 g"."""
    return _signed(span, _FMT.g)


def carats_text(span: Span | None) -> str:
    """The same for stones."""
    return _signed(span, _FMT.ct)


def price_text(price: tuple[Money, Money] | None) -> str:
    """An amount of metal, or from-to; "not priced" where the studio has set no price."""
    if price is None:
        return _("not priced")
    low, high = (_FMT.money(amount) for amount in price)
    return low if low == high else _("%(low)s to %(high)s", low=low, high=high)


def effect_text(effect: Effect) -> str:
    """What a change does to the weight, in a phrase."""
    if effect.carats is not None:
        return _("%(carats)s of stones", carats=carats_text(effect.carats))
    return change_text(effect.grams) if effect.grams is not None else _("not estimated")


def why_text(effect: Effect) -> str:
    """How that was worked out, or why it was not."""
    figures = {name: _FMT.number(round(float(value), 3)) for name, value in effect.figures.items()}
    return str(WHY[effect.why]) % figures if figures else str(WHY[effect.why])


def said(weighed: Weighed) -> dict[str, Any]:
    """The same in a form that waits for its reader's language: {message, params}, for notifications and mail."""
    if weighed.grams is None:
        return {"message": WEIGHT_UNKNOWN, "params": {}}
    low, high = (_plain(value) for value in (weighed.grams.low, weighed.grams.high))
    change = low if low == high else f"{low} … {high}"
    if weighed.price is None:
        return {"message": WEIGHT, "params": {"change": change}}
    cheap, dear = (str(amount) for amount in weighed.price)
    return {
        "message": WEIGHT_AND_PRICE,
        "params": {"change": change, "price": cheap if cheap == dear else f"{cheap} … {dear}"},
    }


def _plain(grams: Decimal) -> str:
    sign = "+" if grams > 0 else "−" if grams < 0 else "±"
    return f"{sign}{abs(grams)}\u00a0g"


def mass_text(mass: Mass) -> str:
    """A piece in its alloy: "12.44 g in 18k yellow gold"."""
    return _("%(grams)s in %(metal)s", grams=grams_text(mass.grams), metal=metal_word(mass.alloy))


def _label(delta: Delta) -> str:
    return _("Brief: %(what)s", what=KIND_WORDS[delta.kind])


def _value(kind: str, value: str) -> str:
    if kind == "metal":
        return metal_word(value)
    if kind == "stones":
        return stone_word(value)
    return _("“%(text)s”", text=value) if kind == "engraving" else value


def _span(span: Span | None, write: Any) -> str:
    if span is None:
        return "–"
    if span.low == span.high:
        return str(write(span.low))
    return _("%(low)s to %(high)s", low=_FMT.number(span.low, 2), high=write(span.high))


def _signed(span: Span | None, write: Any) -> str:
    if span is None:
        return "–"
    low, high = (("+" if value > 0 else "−" if value < 0 else "±", abs(value)) for value in (span.low, span.high))
    if span.low == span.high:
        return f"{low[0]}{write(low[1])}"
    return _("%(low)s to %(high)s", low=f"{low[0]}{_FMT.number(low[1], 2)}", high=f"{high[0]}{write(high[1])}")
