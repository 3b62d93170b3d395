"""Rights as sets: territory x channel x category x metal x time. Pure; the caller holds the design's lock."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from marketplace.licensing.terms import Terms
from marketplace.licensing.vocabulary import COUNTRIES, WORLD, metal_alloys

#: Kinds that shut others out of their scope.
EXCLUDING = frozenset({"exclusive", "sole", "buyout"})


@dataclass(frozen=True, slots=True)
class Scope:
    """What one license covers. An empty set means everything; `until` None means for good."""

    kind: str
    territories: frozenset[str]
    channels: frozenset[str]
    categories: frozenset[str]
    metals: frozenset[str]
    begins: datetime
    until: datetime | None

    def overlaps(self, other: "Scope") -> bool:
        """Whether every axis of the two has something in common."""
        return (
            _meet(self.territories, other.territories)
            and _meet(self.channels, other.channels)
            and _meet(self.categories, other.categories)
            and _meet(self.metals, other.metals)
            and (self.until is None or other.begins < self.until)
            and (other.until is None or self.begins < other.until)
        )

    def collides(self, other: "Scope") -> bool:
        """Whether the two cannot stand together: they overlap and one of them shuts others out."""
        return (self.kind in EXCLUDING or other.kind in EXCLUDING) and self.overlaps(other)


def scope(
    kind: str,
    territories: Iterable[str],
    channels: Iterable[str],
    categories: Iterable[str],
    metals: Iterable[str],
    *,
    begins: datetime,
    until: datetime | None,
) -> Scope:
    """The scope of a term sheet's lists over a period."""
    where, what = frozenset(territories), list(metals)
    return Scope(
        kind=kind,
        territories=frozenset() if WORLD in where else where,
        channels=frozenset(channels),
        categories=frozenset(categories),
        metals=metal_alloys(what) if what else frozenset(),
        begins=begins,
        until=until,
    )


def proposed(terms: Terms, now: datetime) -> Scope:
    """The scope that terms would have if they were accepted `now`."""
    begins, until = period(terms.start, terms.term_months, now)
    return scope(
        terms.kind, terms.territories, terms.channels, terms.categories, terms.metals, begins=begins, until=until
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
    if not one.territories and not two.territories:
        return [WORLD]
    everywhere = COUNTRIES
    return sorted((one.territories or everywhere) & (two.territories or everywhere))


def _meet(one: frozenset[str], two: frozenset[str]) -> bool:
    return not one or not two or not one.isdisjoint(two)
