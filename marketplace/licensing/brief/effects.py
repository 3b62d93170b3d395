"""What a brief does to weight and metal price, by the measured CAD. The one place that works it out: pages, documents
and mails show its numbers and compute none.

Weights are the metal as modeled, in grams to 0.01. A price is those very grams times a price per gram that the studio
has set; nothing here knows a market price.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal

from marketplace.gateways.casting import gravity, ring_size
from marketplace.kernel.money import Money
from marketplace.licensing.brief.deltas import Delta
from marketplace.licensing.vocabulary import ALLOYS_OF

Basis = Literal["measured", "stated", "estimated", "unknown"]
#: Share of the cast weight that finishing takes, a default of the trade (docs/glossary.md), where none was measured.
FINISHING = (Decimal("0.05"), Decimal("0.12"))
#: A band's section as a share of width x thickness: half round (pi/4) to flat.
SECTION = (math.pi / 4, 1.0)
#: Degrees from the head at which the shank itself is cut; at 0 the head is.
_SHANK = (90, 180, 270)
_CENT = Decimal("0.01")
_ALLOYS = tuple(alloy for alloys in ALLOYS_OF.values() for alloy in alloys)


@dataclass(frozen=True, slots=True)
class Span:
    """From the least to the most; equal where one number is known."""

    low: Decimal
    high: Decimal

    def __add__(self, other: "Span") -> "Span":
        return Span(self.low + other.low, self.high + other.high)

    def __sub__(self, other: "Span") -> "Span":
        return Span(self.low - other.high, self.high - other.low)


@dataclass(frozen=True, slots=True)
class Effect:
    """What one change does. `grams` and `carats` are None where nothing tells; `why` names the formula or the reason
    (words.WHY), filled with `figures`.
    """

    delta: Delta
    basis: Basis
    why: str
    grams: Span | None = None
    carats: Span | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mass:
    """A piece in one alloy: grams as modeled and after finishing, and the metal's price if the studio has set one."""

    alloy: str
    basis: Basis
    grams: Span
    finished: Span
    per_gram: Money | None = None
    price: tuple[Money, Money] | None = None


@dataclass(frozen=True, slots=True)
class Weighed:
    """A brief against the measurements: each change, and the piece before and after all of them."""

    effects: list[Effect]
    before: Mass | None
    after: Mass | None

    @property
    def grams(self) -> Span | None:
        """How much heavier the piece becomes, as modeled."""
        if self.before is None or self.after is None:
            return None
        return self.after.grams - self.before.grams

    @property
    def price(self) -> tuple[Money, Money] | None:
        """How much more its metal costs, from the least to the most; None when either metal has no price."""
        if self.before is None or self.after is None or self.before.price is None or self.after.price is None:
            return None
        return self.after.price[0] - self.before.price[1], self.after.price[1] - self.before.price[0]


def weigh(
    facts: Sequence[Mapping[str, Any]],
    brief: Sequence[Delta],
    *,
    metals: Sequence[str] = (),
    prices: Mapping[str, Money] | None = None,
) -> Weighed:
    """Weigh `brief` by `facts` (designs.queries.fact_json) of a design whose first known metal is in `metals`.

    `prices` are per gram by alloy, all in one currency.
    """
    known = {str(fact["name"]): fact for fact in facts}
    metal = next((delta for delta in brief if delta.kind == "metal"), None)
    start = (metal.was if metal else None) or next((m for m in metals if _grams(known, m)), None) or _first(known)
    end = metal.to if metal and metal.to else start
    effects = [_effect(known, delta, start, end) for delta in brief]
    before = _mass(known, start, [], prices or {})
    added = [effect.grams for effect in effects if effect.delta.kind != "metal" and effect.grams is not None]
    after = _mass(known, end, added, prices or {})
    return Weighed(effects, before, after if brief else before)


def price_of(grams: Decimal, per_gram: Money) -> Money:
    """Grams (to 0.01, as shown) times a price per gram, half a minor unit rounded away from zero."""
    exact = (grams * per_gram.amount).quantize(Decimal(1), ROUND_HALF_UP)
    return Money(int(exact), per_gram.currency)


def grams_of(value: float | Decimal) -> Decimal:
    """A mass as it is shown and priced: to 0.01 g."""
    return Decimal(str(value)).quantize(_CENT, ROUND_HALF_UP)


def _effect(known: Mapping[str, Mapping[str, Any]], delta: Delta, start: str | None, end: str | None) -> Effect:
    if delta.kind == "metal":
        return _other_metal(known, delta, start)
    if delta.kind == "ring_size":
        return _other_size(known, delta, end)
    if delta.kind == "stones":
        return _other_stones(known, delta)
    return Effect(delta, "unknown", "engraving" if delta.kind == "engraving" else "edit")


def _other_metal(known: Mapping[str, Mapping[str, Any]], delta: Delta, start: str | None) -> Effect:
    before, after = _grams(known, start), _grams(known, delta.to)
    volume = _number(known, "volume")
    if before is None or after is None:
        return Effect(delta, "unknown", "not_measured")
    change = grams_of(after) - grams_of(before)
    basis: Basis = "measured" if _measured(known, start) and _measured(known, delta.to) else "stated"
    if volume is None or basis == "stated":
        return Effect(delta, basis, "weights", Span(change, change), figures={"before": before, "after": after})
    figures = {"volume": volume, "before": before / volume * 1000, "after": after / volume * 1000}
    return Effect(delta, basis, "densities", Span(change, change), figures=figures)


def _other_size(known: Mapping[str, Mapping[str, Any]], delta: Delta, alloy: str | None) -> Effect:
    """The band is made longer by the change of its inner circumference; the head stays as it is."""
    bore = _number(known, "inner_diameter")
    if delta.was and bore is None:
        bore = ring_size(delta.was).diameter
    widths = [found for angle in _SHANK if (found := _number(known, f"shank_width_{angle}"))]
    depths = [found for angle in _SHANK if (found := _number(known, f"shank_thickness_{angle}"))]
    volume, grams = _number(known, "volume"), _grams(known, alloy)
    if bore is None or not widths or not depths or not volume or grams is None or delta.to is None:
        return Effect(delta, "unknown", "no_shank")
    width, depth = sum(widths) / len(widths), sum(depths) / len(depths)
    target = ring_size(delta.to).diameter
    length = math.pi * (target - bore)
    density = grams / volume * 1000
    ends = sorted(grams_of(length * width * depth * share / 1000 * density) for share in SECTION)
    figures = {"bore": bore, "target": target, "width": width, "depth": depth, "density": density}
    return Effect(delta, "estimated", "shank", Span(ends[0], ends[1]), figures=figures)


def _other_stones(known: Mapping[str, Mapping[str, Any]], delta: Delta) -> Effect:
    """Stones of one size in another kind weigh as their specific gravities; the settings stay as they are."""
    carats = _number(known, "stone_carat")
    old, new = gravity(delta.was or ""), gravity(delta.to or "")
    if not carats or old is None or new is None:
        return Effect(delta, "unknown", "stones")
    change = grams_of(carats * (new / old - 1))
    figures = {"carats": carats, "before": old, "after": new}
    return Effect(delta, "estimated", "gravities", carats=Span(change, change), figures=figures)


def _mass(
    known: Mapping[str, Mapping[str, Any]], alloy: str | None, added: list[Span], prices: Mapping[str, Money]
) -> Mass | None:
    grams = _grams(known, alloy)
    if alloy is None or grams is None:
        return None
    modeled = Span(grams_of(grams), grams_of(grams))
    finished = _finished(known[f"weight_{alloy}"], grams)
    for span in added:
        modeled = modeled + span
        finished = finished + Span(grams_of(span.low * (1 - FINISHING[1])), grams_of(span.high * (1 - FINISHING[0])))
    per_gram = prices.get(alloy)
    price = (price_of(modeled.low, per_gram), price_of(modeled.high, per_gram)) if per_gram else None
    basis: Basis = "estimated" if added else "measured" if _measured(known, alloy) else "stated"
    return Mass(alloy, basis, modeled, finished, per_gram, price)


def _finished(fact: Mapping[str, Any], grams: float) -> Span:
    """What finishing leaves, in the lightest and heaviest published density where that was measured."""
    low, high = fact.get("low"), fact.get("high")
    if fact.get("source") == "measured" and low is not None and high is not None:
        return Span(grams_of(low), grams_of(high))
    whole = Decimal(str(grams))
    return Span(grams_of(whole * (1 - FINISHING[1])), grams_of(whole * (1 - FINISHING[0])))


def _first(known: Mapping[str, Mapping[str, Any]]) -> str | None:
    usual = ("18k_yellow", *_ALLOYS)
    return next((alloy for alloy in usual if _grams(known, alloy) is not None), None)


def _grams(known: Mapping[str, Mapping[str, Any]], alloy: str | None) -> float | None:
    return _number(known, f"weight_{alloy}") if alloy else None


def _measured(known: Mapping[str, Mapping[str, Any]], alloy: str | None) -> bool:
    return known.get(f"weight_{alloy}", {}).get("source") == "measured"


def _number(known: Mapping[str, Mapping[str, Any]], name: str) -> float | None:
    value = known.get(name, {}).get("value")
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
