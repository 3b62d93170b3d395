"""Rights as sets: territory x channel x category x metal x time. Pure; a set is the bits of an integer."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import lru_cache

from marketplace.licensing.terms import Terms
from marketplace.licensing.vocabulary import (
    CATEGORIES,
    CHANNELS,
    COUNTRIES,
    METAL_FAMILIES,
    WORLD,
    alloys_within,
    metal_alloys,
)

#: Kinds that shut others out of their scope.
EXCLUDING = frozenset({"exclusive", "sole", "buyout"})
FIRST_REFUSAL = "first_refusal"
#: The end of a right that has none.
FOREVER = datetime.max.replace(tzinfo=UTC)

_CODES: dict[str, tuple[str, ...]] = {
    "territories": tuple(sorted(COUNTRIES)),
    "channels": tuple(CHANNELS),
    "categories": tuple(CATEGORIES),
    "metals": tuple(sorted(metal_alloys(list(METAL_FAMILIES)))),
}
_BITS = {axis: {code: 1 << n for n, code in enumerate(codes)} for axis, codes in _CODES.items()}
#: Axis -> the set of everything on it.
EVERYTHING = {axis: (1 << len(codes)) - 1 for axis, codes in _CODES.items()}
#: The four lists of a term sheet that make up a scope.
AXES = tuple(_CODES)


@dataclass(slots=True)
class Scope:
    """What one license covers: a set for each axis, from `begins` until before `until`. `own` grants are the asker's.

    `held_until` is set for what is not licensed but held for somebody. Never changed; it is not frozen because a
    frozen one takes four times as long to make, and a design may have 10,000.
    """

    kind: str
    territories: int
    channels: int
    categories: int
    metals: int
    begins: datetime
    until: datetime = FOREVER
    own: bool = False
    held_until: datetime | None = None

    def overlaps(self, other: "Scope") -> bool:
        """Whether every axis of the two has something in common."""
        return bool(
            self.territories & other.territories
            and self.channels & other.channels
            and self.categories & other.categories
            and self.metals & other.metals
            and other.begins < self.until
            and self.begins < other.until
        )

    def collides(self, other: "Scope") -> bool:
        """Whether the two cannot stand together; `own` of either says that both are of one holder."""
        return excludes(self.kind, other.kind, one_holder=self.own or other.own) and self.overlaps(other)


def excludes(one: str, two: str, *, one_holder: bool = False) -> bool:
    """Whether licenses of these kinds cannot share anything.

    An exclusive, sole or bought-out right shuts everybody out, whoever holds it. A right of first refusal shuts out
    others' excluding rights and others' first refusals, not its holder's own.
    """
    if FIRST_REFUSAL in {one, two}:
        both = {one, two} - {FIRST_REFUSAL}
        return not one_holder and both <= EXCLUDING
    return one in EXCLUDING or two in EXCLUDING


def bits(axis: str, codes: Iterable[str]) -> int:
    """The set that a list of a term sheet names; an empty list, or WORLD, is everything."""
    named = list(codes)
    if not named or WORLD in named:
        return EVERYTHING[axis]
    if axis == "metals":
        named = list(metal_alloys(named))
    known = _BITS[axis]
    found = 0
    for code in named:
        found |= known[code]
    return found


def codes(axis: str, found: int) -> list[str]:
    """The list that names a set, as a term sheet holds it: sorted, empty (or WORLD) for everything."""
    if found == EVERYTHING[axis]:
        return [WORLD] if axis == "territories" else []
    listed = [code for n, code in enumerate(_CODES[axis]) if found >> n & 1]
    return alloys_within(listed) if axis == "metals" else sorted(listed)


@lru_cache(maxsize=4096)
def stored_bits(axis: str, stored: str | None) -> int:
    """As `bits`, from the list as JSON text; the same lists come again and again."""
    return bits(axis, json.loads(stored) if stored else [])


def proposed(terms: Terms, now: datetime) -> Scope:
    """The scope that terms would have if they were accepted `now`."""
    begins, until = period(terms.start, terms.term_months, now)
    return Scope(
        terms.kind,
        bits("territories", terms.territories),
        bits("channels", terms.channels),
        bits("categories", terms.categories),
        bits("metals", terms.metals),
        begins,
        until or FOREVER,
    )


def period(start: date | None, months: int | None, now: datetime) -> tuple[datetime, datetime | None]:
    """From when until when a license runs that becomes active `now`; without `months` it has no end."""
    begins = max(now, datetime.combine(start, time.min, UTC)) if start else now
    return begins, None if months is None else add_months(begins, months)


def add_months(moment: datetime, months: int) -> datetime:
    """The same day `months` later, or that month's last day where it has no such day."""
    index = moment.year * 12 + moment.month - 1 + months
    year, month = divmod(index, 12)
    for day in range(moment.day, 27, -1):
        try:
            return moment.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
    return moment.replace(year=year, month=month + 1, day=min(moment.day, 27))


def first_collision(wanted: Scope, granted: Iterable[Scope]) -> Scope | None:
    """The first of `granted` that `wanted` cannot stand beside."""
    return next((scope for scope in granted if wanted.collides(scope)), None)


def common_territories(one: Scope, two: Scope) -> list[str]:
    """Where two overlapping scopes meet: country codes, or WORLD."""
    return codes("territories", one.territories & two.territories)
