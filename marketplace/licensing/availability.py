"""What is still to be had of a design: by country now and next, and by channel. Pure; see licensing/rights.py."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from marketplace.licensing.rights import EVERYTHING, EXCLUDING, FOREVER, Scope, bits, codes
from marketplace.licensing.vocabulary import CHANNELS, WORLD

_WAYS, _METALS = len(CHANNELS), EVERYTHING["metals"].bit_length()
_ALL_CELLS = (1 << _WAYS * _METALS) - 1

#: How much of a place is taken, from nothing to all: nobody has anything; others use it, so nobody gets an exclusive;
#: some channels or metals are exclusive; all is.
STATES = ("open", "shared", "partly", "taken")


@dataclass(frozen=True, slots=True)
class Place:
    """The state of one country now, and until when it is so; None when nothing is known to change it."""

    state: str
    until: datetime | None
    held: bool = False

    @property
    def exclusive(self) -> bool:
        """Whether an exclusive license could begin now."""
        return self.state == "open"


def at_place(granted: Iterable[Scope], territory: str, now: datetime, *, categories: int) -> Place:
    """How much of a country is taken for somebody who has nothing yet; `categories` are those of the design."""
    bit = EVERYTHING["territories"] if territory == WORLD else _bit(territory)
    here = [
        scope
        for scope in granted
        if not scope.own and scope.territories & bit and scope.categories & categories and scope.until > now
    ]
    shut = [scope for scope in here if _shuts(scope)]
    state = _state(_covered(shut, now))
    if state:
        moments = sorted({moment for scope in shut for moment in (scope.begins, _end(scope)) if now < moment < FOREVER})
        until = next((moment for moment in moments if _state(_covered(shut, moment)) != state), None)
        return Place(state, until, any(scope.held_until for scope in shut if scope.begins <= now))
    used = any(scope.begins <= now for scope in here)
    nexts = [scope.begins for scope in (shut if used else here) if scope.begins > now]
    return Place("shared" if used else "open", min(nexts, default=None))


def by_country(granted: Sequence[Scope], now: datetime, *, categories: int) -> dict[str, Place]:
    """Every country that is not simply open, with its state now and until when (the next end of what shuts it)."""
    cells: dict[int, int] = {}
    ends: dict[int, datetime] = {}
    held = used = 0
    for scope in granted:
        if not (scope.begins <= now < scope.until and scope.categories & categories):
            continue
        if not _shuts(scope):
            used |= scope.territories
            continue
        lands = scope.territories
        covered = _cells(scope.channels, scope.metals)
        cells[lands] = cells.get(lands, 0) | covered
        ends[lands] = min(ends.get(lands, FOREVER), _end(scope))
        held |= lands if scope.held_until else 0
    found: dict[int, tuple[int, datetime]] = {}
    for lands, covered in cells.items():
        for bit in _each(lands):
            before, end = found.get(bit, (0, FOREVER))
            found[bit] = (before | covered, min(end, ends[lands]))
    places = {_code(bit): Place("shared", None) for bit in _each(used & ~sum(found))}
    for bit, (covered, end) in found.items():
        places[_code(bit)] = Place(_state(covered), None if end == FOREVER else end, bool(held & bit))
    return places


def channels_open(granted: Iterable[Scope], territory: str, now: datetime, *, categories: int) -> list[str]:
    """Channels in which something of a country can still be licensed now."""
    bit = _bit(territory)
    cells = 0
    for scope in granted:
        if _shuts(scope) and not scope.own and scope.territories & bit and scope.categories & categories:
            cells |= _cells(scope.channels, scope.metals) if scope.begins <= now < scope.until else 0
    whole = EVERYTHING["metals"]
    return [way for n, way in enumerate(CHANNELS) if cells >> n * _METALS & whole != whole]


def _shuts(scope: Scope) -> bool:
    return scope.kind in EXCLUDING


def _end(scope: Scope) -> datetime:
    """Until when a scope stands in the way: one that is only held no longer than it is held."""
    return min(scope.until, scope.held_until) if scope.held_until else scope.until


def _covered(shut: list[Scope], at: datetime) -> int:
    cells = 0
    for scope in shut:
        if scope.begins <= at < _end(scope):
            cells |= _cells(scope.channels, scope.metals)
    return cells


def _state(cells: int) -> str:
    """How shut a place is whose cells are covered; empty when it is not."""
    return "" if not cells else "taken" if cells == _ALL_CELLS else "partly"


@lru_cache(maxsize=4096)
def _cells(channels: int, metals: int) -> int:
    """Channel x metal as the bits of one number."""
    return sum(metals << n * _METALS for n in range(_WAYS) if channels >> n & 1)


def _each(found: int) -> Iterator[int]:
    """The single bits of a set."""
    while found:
        bit = found & -found
        yield bit
        found ^= bit


@lru_cache(maxsize=512)
def _code(bit: int) -> str:
    return codes("territories", bit)[0]


@lru_cache(maxsize=512)
def _bit(territory: str) -> int:
    return bits("territories", [territory])
