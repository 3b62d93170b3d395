"""The brief on the pages: the panel of a thread, and the rows of a term sheet's form."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.designs.models import Derivative, Design
from marketplace.designs.pictures import Sign
from marketplace.designs.queries import facts_of, weighed_json
from marketplace.designs.vocabulary import metal_options, stone_options
from marketplace.kernel.money import Money
from marketplace.licensing.brief import forms, words
from marketplace.licensing.brief.consent import LEVELS, needed
from marketplace.licensing.brief.diff import read_brief
from marketplace.licensing.brief.effects import Weighed, weigh
from marketplace.licensing.models import Negotiation
from marketplace.licensing.playbook.models import MetalPrice
from marketplace.licensing.room import Room
from marketplace.licensing.vocabulary import DERIVATIVES
from marketplace.studio import checks
from marketplace.studio.canvas import look_of


@dataclass(frozen=True, slots=True)
class Likeness:
    """The public likeness to place pins on: its address, and the mm that its unit stands for."""

    src: str
    scale: float
    look: str


@dataclass(frozen=True, slots=True)
class Line:
    """One change as it is read; `pin` is its number on the likeness."""

    label: str
    text: str
    effect: str
    basis: str
    basis_word: str
    why: str
    pin: int | None


@dataclass(frozen=True, slots=True)
class Panel:
    """A brief to read: its changes with their effect, the piece before and after, pins, and what was agreed to."""

    lines: list[Line]
    weighed: Weighed
    pins: str
    likeness: Likeness | None
    allows: str
    priced: bool

    @property
    def summary(self) -> list[tuple[str, str, str]]:
        """The piece before and after, and the difference."""
        return summary(self.weighed)


class Sheet:
    """What the rows of a form need to know of a design."""

    def __init__(self, facts: Sequence[Mapping[str, Any]], metals: Sequence[str], likeness: Likeness | None) -> None:
        self.likeness = likeness
        self.metals = metal_options()
        self.stones = stone_options()
        self.parts = [(code, str(word)) for code, word in words.PARTS.items()]
        self.kinds = words.KIND_WORDS
        self.metal = next((metal for metal in metals if metal in dict(self.metals)), "")
        sizes = {str(fact["name"]): fact.get("value") for fact in facts}
        us = sizes.get("ring_size_us")
        self.size = f"US {float(us):g}" if isinstance(us, int | float) else ""
        self.ring = sizes.get("inner_diameter") is not None or bool(us)

    def rows(self, form: Any) -> list[forms.RowIn]:
        """The rows as they stand in the form."""
        return forms.rows(form.data if form else {})

    def pins(self, form: Any) -> str:
        """Pins of the form's rows for the view."""
        found = [
            {"row": row.number, "point": [float(part) for part in row.point.split(",")]}
            for row in self.rows(form)
            if _is_point(row.point)
        ]
        return json.dumps(found)

    def next_number(self, form: Any) -> int:
        """Of a row that is added."""
        return forms.next_number(self.rows(form))

    def raise_to(self, form: Any) -> tuple[str, str] | None:
        """(code, word) of what the other terms must allow, when the form was refused for it."""
        if not form or form.code != "derivatives_needed":
            return None
        level = forms.level(form.data)
        return (level, str(DERIVATIVES[level])) if LEVELS.index(level) else None


def panel(negotiation: Negotiation, terms: Mapping[str, Any], room: Room, sign: Sign) -> Panel | None:
    """The brief of a version on the table, by what was measured when the negotiation began; None without one."""
    brief = read_brief(terms.get("brief"))
    if not brief:
        return None
    currency = terms["fee"]["currency"]
    prices = {alloy: Money(amount, currency) for alloy, amount in room.prices.items()}
    facts, metals = _measured(negotiation)
    weighed = weigh(facts, brief, metals=metals, prices=prices)
    pinned = [effect.delta.point for effect in weighed.effects if effect.delta.point]
    likeness = _likeness(room.likeness, facts, metals, sign) if pinned else None
    pins = [{"row": place, "point": point} for place, point in enumerate(pinned, 1)]
    allows = str(DERIVATIVES[terms.get("derivatives") or "none"])
    priced = any(mass is not None and mass.per_gram is not None for mass in (weighed.before, weighed.after))
    if needed(brief) == "none":
        allows = ""
    return Panel(lines_of(weighed), weighed, json.dumps(pins), likeness, allows, priced)


def weighed_by(session: Session, negotiation: Negotiation, terms: Mapping[str, Any]) -> Weighed:
    """The brief of a stored sheet by what was measured when the negotiation began, at the studio's prices of metal;
    mail and API show this, and the page the same (`panel`). One statement.
    """
    facts, metals = _measured(negotiation)
    prices = metal_prices(session, negotiation.designer_org_id, terms["fee"]["currency"])
    return weigh(facts, read_brief(terms.get("brief")), metals=metals, prices=prices)


def lines_of(weighed: Weighed) -> list[Line]:
    """Each change in words; those with a pin are numbered as on the likeness."""
    lines: list[Line] = []
    number = 0
    for effect in weighed.effects:
        number += effect.delta.point is not None
        lines.append(
            Line(
                label=str(words.KIND_WORDS[effect.delta.kind]),
                text=words.delta_text(effect.delta),
                effect=words.effect_text(effect),
                basis=effect.basis,
                basis_word=str(words.BASIS_WORDS[effect.basis]),
                why=words.why_text(effect),
                pin=number if effect.delta.point else None,
            )
        )
    return lines


def new_sheet(session: Session, design: Design, sign: Sign) -> Sheet:
    """For a first offer: by what the listed design says now. Two statements."""
    facts = [weighed_json(fact) for fact in facts_of(session, design.id)]
    query = select(Derivative).where(Derivative.design_id == design.id, Derivative.role == "preview_glb")
    row = checks.likeness(session.scalars(query.order_by(Derivative.created_at)).all(), ())
    return Sheet(facts, design.metals, _likeness(row.storage_key if row else None, facts, design.metals, sign))


def counter_sheet(negotiation: Negotiation, room: Room, sign: Sign) -> Sheet:
    """For a counter offer: by what the design said when the negotiation began."""
    facts, metals = _measured(negotiation)
    return Sheet(facts, metals, _likeness(room.likeness, facts, metals, sign))


def _likeness(
    key: str | None, facts: Sequence[Mapping[str, Any]], metals: Sequence[str], sign: Sign
) -> Likeness | None:
    """The coarse likeness that buyers turn; None where there is none, or no measured size to pin in mm."""
    sizes = [fact.get("value") for fact in facts if fact["name"] in {"size_x", "size_y", "size_z"}]
    numbers = [float(size) for size in sizes if isinstance(size, int | float)]
    if len(numbers) != 3 or key is None:
        return None
    scale = sum(number * number for number in numbers) ** 0.5
    return Likeness(sign(key), round(scale, 4), look_of(list(metals)))


def metal_prices(session: Session, org_id: str, currency: str) -> dict[str, Money]:
    """A studio's price of a gram by alloy, as far as the reader may know them."""
    query = select(MetalPrice).where(MetalPrice.org_id == org_id, MetalPrice.currency == currency)
    return {row.alloy: Money(row.amount, row.currency) for row in session.scalars(query)}


def summary(weighed: Weighed, *, priced: bool = True) -> list[tuple[str, str, str]]:
    """(what, value, note) of the piece before and after a brief; pages and documents print these very lines."""
    found = []
    for label, mass in ((_("As designed"), weighed.before), (_("With the brief"), weighed.after)):
        if mass is not None:
            finished = _("after finishing %(grams)s", grams=words.grams_text(mass.finished))
            note = _("%(basis)s; %(more)s", basis=words.BASIS_WORDS[mass.basis], more=finished)
            found.append((label, words.mass_text(mass), note))
    if weighed.grams is not None:
        price = _("metal: %(price)s", price=words.price_text(weighed.price)) if priced else ""
        found.append((_("Difference"), words.change_text(weighed.grams), price))
    return found


def _measured(negotiation: Negotiation) -> tuple[list[Any], list[str]]:
    """(facts, metals) of the design when the negotiation began."""
    snapshot = negotiation.snapshot
    return snapshot.get("facts") or [], list((snapshot.get("metadata") or {}).get("metals", []))


def _is_point(text: str) -> bool:
    try:
        return len([float(part) for part in text.split(",")]) == 3
    except ValueError:
        return False
