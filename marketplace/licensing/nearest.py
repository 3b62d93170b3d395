"""The nearest scope that collides with nothing: what a draft would have to give up, and how little of it. Pure.

For each period in question (the one asked for, later ones, shorter ones) a best-first search takes away from one axis
at a time what a grant in the way covers; the cost of what is left only grows, so the first scope that is free is the
cheapest of its period. The search is bounded; single axes taken away whole are always tried.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from heapq import heappop, heappush
from itertools import count

from marketplace.licensing.rights import AXES, EXCLUDING, FOREVER, Scope, add_months, excludes

#: What it costs to lose a whole axis, a year's delay, the whole term, or the exclusivity. They are the trade's order
#: of importance as we see it, not measured: a territory or channel less is half a deal, a metal less is not.
WEIGHTS = {"territories": 1.0, "channels": 1.0, "categories": 1.2, "metals": 0.8}
DELAY_YEAR, WHOLE_TERM, NOT_EXCLUSIVE = 0.5, 1.0, 0.6
#: Looks at a grant during one search, and periods that are tried; with them 10,000 grants take milliseconds.
_MAX_LOOKS, _MAX_PERIODS = 20_000, 5
#: A license starts within five years (terms.date_problems).
_LATEST_START = timedelta(days=5 * 365)

_Sets = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A scope that is free: `start` is set when it begins later, `months` is its term; `changed` names the fields."""

    scope: Scope
    start: date | None
    months: int | None
    changed: tuple[str, ...]
    cost: float


@dataclass(frozen=True, slots=True)
class _Period:
    begins: datetime
    until: datetime
    start: date | None
    months: int | None
    cost: float


def in_the_way(wanted: Scope, granted: Iterable[Scope]) -> list[Scope]:
    """The grants that `wanted` cannot stand beside."""
    return [scope for scope in granted if wanted.collides(scope)]


def nearest(
    wanted: Scope, granted: Sequence[Scope], *, months: int | None, must: int = 0, most: int = 3
) -> list[Suggestion]:
    """Free scopes within `wanted`, the cheapest first, each giving up something else; empty when `wanted` is free.

    `months` is the term asked for (None for good). `must` are the categories of the design itself: what leaves none of
    them is no offer.
    """
    if not in_the_way(wanted, granted):
        return []
    found: list[Suggestion] = []
    for kind, extra in _kinds(wanted, months):
        asked = replace(wanted, kind=kind)
        rivals = [
            scope
            for scope in granted
            if excludes(kind, scope.kind, one_holder=asked.own or scope.own) and _shares_a_place(asked, scope)
        ]
        for period in _periods(asked, rivals, months):
            during = [scope for scope in rivals if scope.begins < period.until and period.begins < scope.until]
            for sets in _free(asked, during, must):
                found.append(_suggestion(wanted, kind, sets, period, extra))
    found.sort(key=lambda made: made.cost)
    chosen: list[Suggestion] = []
    for made in found:
        if len(chosen) < most and made.changed not in {other.changed for other in chosen}:
            chosen.append(made)
    return chosen


def _kinds(wanted: Scope, months: int | None) -> list[tuple[str, float]]:
    """The kind asked for, and the one that shuts nobody out where that could help."""
    if (wanted.kind in EXCLUDING or wanted.kind == "first_refusal") and months is not None:
        return [(wanted.kind, 0.0), ("non_exclusive", NOT_EXCLUSIVE)]
    return [(wanted.kind, 0.0)]


def _shares_a_place(one: Scope, two: Scope) -> bool:
    return bool(
        one.territories & two.territories
        and one.channels & two.channels
        and one.categories & two.categories
        and one.metals & two.metals
    )


def _periods(wanted: Scope, rivals: list[Scope], months: int | None) -> list[_Period]:
    """The period asked for; later ones that begin when a right ends; shorter ones that end before one begins."""
    periods = [_Period(wanted.begins, wanted.until, None, months, 0.0)]
    now_in_the_way = [scope for scope in rivals if scope.begins < wanted.until and wanted.begins < scope.until]
    latest = wanted.begins + _LATEST_START
    # What is only held is free again in days, or licensed: the end of the term it was asked for is no date to wait for.
    ends = sorted({scope.until for scope in now_in_the_way if not scope.held_until and scope.until < latest})
    for end in _spread(ends):
        day = end.astimezone(UTC).date()
        if datetime.combine(day, time.min, UTC) < end:
            day += timedelta(days=1)
        begins = datetime.combine(day, time.min, UTC)
        until = FOREVER if months is None else add_months(begins, months)
        delay = (begins - wanted.begins) / timedelta(days=365)
        periods.append(_Period(begins, until, day, months, DELAY_YEAR * delay))
    if months is not None:
        for begin in _spread(sorted({scope.begins for scope in now_in_the_way if scope.begins > wanted.begins})):
            shorter = _months_until(wanted.begins, begin, months)
            if shorter:
                until = add_months(wanted.begins, shorter)
                periods.append(_Period(wanted.begins, until, None, shorter, WHOLE_TERM * (1 - shorter / months)))
    return periods


def _spread(moments: list[datetime]) -> list[datetime]:
    """At most _MAX_PERIODS of them: evenly spread, the first and the last included."""
    if len(moments) <= _MAX_PERIODS:
        return moments
    last = len(moments) - 1
    return [moments[round(n * last / (_MAX_PERIODS - 1))] for n in range(_MAX_PERIODS)]


def _months_until(begins: datetime, end: datetime, most: int) -> int:
    """The most whole months, below `most`, that fit between the two moments."""
    fitting = (end.year - begins.year) * 12 + end.month - begins.month
    for months in (fitting, fitting - 1):
        if 0 < months < most and add_months(begins, months) <= end:
            return months
    return 0


def _free(wanted: Scope, rivals: list[Scope], must: int) -> list[_Sets]:
    """Parts of `wanted` that meet no rival: the cheapest that is found, and single axes without all that is taken."""
    asked: _Sets = (wanted.territories, wanted.channels, wanted.categories, wanted.metals)
    if not rivals:
        return [asked]
    merged: dict[tuple[int, int, int], int] = {}
    for scope in rivals:
        shape = (scope.channels, scope.categories, scope.metals)
        merged[shape] = merged.get(shape, 0) | scope.territories
    boxes: list[_Sets] = [(lands, *shape) for shape, lands in merged.items()]
    boxes.sort(key=lambda box: -sum(part.bit_count() for part in box))
    found = []
    for axis in range(4):
        taken = 0
        for box in boxes:
            taken |= box[axis]
        part = _without(asked, axis, taken, must)
        if part:
            found.append(part)
    best = _search(asked, boxes, must)
    return found if best is None else [best, *found]


def _search(asked: _Sets, boxes: list[_Sets], must: int) -> _Sets | None:
    """The cheapest part of `asked` that meets no box, or None when the bound is reached before it is found."""
    order, looks, seen = count(), 0, {asked}
    heap: list[tuple[float, int, _Sets, int]] = [(0.0, 0, asked, 0)]
    while heap:
        _cost, _n, sets, at = heappop(heap)
        lands, ways, classes, metals = sets
        for index in range(at, len(boxes)):
            box = boxes[index]
            looks += 1
            if lands & box[0] and ways & box[1] and classes & box[2] and metals & box[3]:
                break
        else:
            return sets
        if looks > _MAX_LOOKS:
            return None
        for axis in range(4):
            part = _without(sets, axis, boxes[index][axis], must)
            if part and part not in seen:
                seen.add(part)
                heappush(heap, (_lost(asked, part), next(order), part, index + 1))
    return None


def _without(sets: _Sets, axis: int, taken: int, must: int) -> _Sets | None:
    rest = sets[axis] & ~taken
    if not rest or (AXES[axis] == "categories" and must and not rest & must):
        return None
    return (*sets[:axis], rest, *sets[axis + 1 :])  # type: ignore[return-value]


def _lost(asked: _Sets, part: _Sets) -> float:
    """The cost of what `part` is less than `asked`."""
    return sum(
        WEIGHTS[axis] * (1 - now.bit_count() / before.bit_count())
        for axis, before, now in zip(AXES, asked, part, strict=True)
        if now != before
    )


def _suggestion(wanted: Scope, kind: str, sets: _Sets, period: _Period, extra: float) -> Suggestion:
    asked: _Sets = (wanted.territories, wanted.channels, wanted.categories, wanted.metals)
    changed = [axis for axis, before, now in zip(AXES, asked, sets, strict=True) if before != now]
    if kind != wanted.kind:
        changed.insert(0, "kind")
    if period.start is not None:
        changed.append("start")
    elif period.until != wanted.until:
        changed.append("term_months")
    scope = Scope(kind, *sets, period.begins, period.until, wanted.own)
    cost = extra + period.cost + _lost(asked, sets)
    return Suggestion(scope, period.start, period.months, tuple(changed), cost)
