"""What differs between two briefs, change by change."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from marketplace.licensing.brief.deltas import SINGLE, Delta


@dataclass(frozen=True, slots=True)
class Item:
    """One change of two briefs side by side: only `new` was added, only `old` taken out, both unequal altered."""

    old: Delta | None
    new: Delta | None

    @property
    def moved(self) -> bool:
        """Whether the two differ."""
        return self.old != self.new


def read_brief(stored: Sequence[Any] | None) -> list[Delta]:
    """The changes of a stored brief."""
    return [Delta.model_validate(item) for item in stored or []]


def diff(old: Sequence[Delta], new: Sequence[Delta]) -> list[Item]:
    """Every change of `new` in its order beside what it was in `old`, then what is no longer there."""
    left = [delta for delta in old if delta not in new]
    items = []
    for delta in new:
        before = delta if delta in old else next((one for one in left if _about_the_same(one, delta)), None)
        if before in left:
            left.remove(before)
        items.append(Item(before, delta))
    return items + [Item(delta, None) for delta in left]


def _about_the_same(one: Delta, two: Delta) -> bool:
    """Whether two unequal changes are versions of one: the same pin, part or text in its course."""
    if one.kind != two.kind:
        return False
    if one.kind in SINGLE:
        return True
    if one.kind == "edit":
        return one.point == two.point if one.point or two.point else one.body == two.body
    return one.body == two.body and one.was == two.was
