"""The rights map of a design as its owner sees it: who holds what, what is still open where, and when it ends."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import nsmallest
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from marketplace.designs.models import Design
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Invalid
from marketplace.licensing.availability import STATES, Place, by_country
from marketplace.licensing.findings import categories_of
from marketplace.licensing.grant_models import Grant, Serial
from marketplace.licensing.models import Negotiation
from marketplace.licensing.queries import around, counterpart
from marketplace.licensing.rights import AXES, EXCLUDING, FOREVER, Scope, bits
from marketplace.licensing.tiles import TILES
from marketplace.licensing.vocabulary import CHANNELS, COUNTRIES
from marketplace.web.paging import make_cursor, read_cursor

#: Grants that the table shows at once; the rest comes by cursor.
PAGE = 50
#: How far the timeline looks, and the bars it draws for one channel; of more it says how many.
HORIZON = timedelta(days=5 * 365)
MOST_BARS = 40


@dataclass(frozen=True, slots=True)
class Held:
    """One grant with its holder, as the designer knows it."""

    row: Grant
    scope: Scope
    holder: str
    used: int


@dataclass(frozen=True, slots=True)
class Bar:
    """A grant on the timeline: where it begins and how long it is, as parts of 1000, and in which lane."""

    held: Held
    x: float
    width: float
    lane: int


@dataclass(frozen=True, slots=True)
class Channel:
    """The timeline of one channel; `more` bars have no room in it."""

    bars: list[Bar]
    more: int

    @property
    def lanes(self) -> int:
        """Rows of bars, at least one."""
        return 1 + max((bar.lane for bar in self.bars), default=0)


@dataclass(frozen=True, slots=True)
class RightsMap:
    """Everything the page shows: map and timeline over all grants, `grants` those of this page of the table."""

    design: Design
    now: datetime
    grants: list[Held]
    next_cursor: str | None
    total: int
    places: dict[str, Place]
    by_state: dict[str, list[str]]
    timeline: dict[str, Channel]
    numbered: int
    edition: int | None

    @property
    def tiles(self) -> list[tuple[str, int, int, Place]]:
        """Every country with its tile and its state."""
        return [(code, x, y, self.places.get(code) or OPEN) for code, (x, y) in sorted(TILES.items())]


OPEN = Place("open", None)


def read_map(
    session: Session, actor: Actor, design: Design, *, cursor: str | None = None, limit: int = PAGE
) -> RightsMap:
    """The map of one of the actor's own designs; the table from `cursor` on. Raises Invalid for a bad cursor."""
    now = clock.now()
    standing = or_(Grant.held_until.is_(None), Grant.held_until > now)
    mine = select(Grant).where(Grant.design_id == design.id, standing)
    rows = [row for row in session.scalars(mine) if row.period.upper is None or row.period.upper > now]
    rows.sort(key=_place)
    scopes = {row.source_id: scope_of(row) for row in rows}
    places = by_country(list(scopes.values()), now, categories=categories_of(design.category))
    here, next_cursor = _page(rows, cursor, limit)
    drawn = {way: _drawn(rows, scopes, n, now) for n, way in enumerate(CHANNELS)}
    named = {row.source_id: row for row in [*here, *(row for shown, _more in drawn.values() for row in shown)]}
    held = {one.row.source_id: one for one in _held(session, actor, list(named.values()), scopes)}
    units = session.execute(func.design_units(design.id).table_valued("numbered", "edition").select()).one()
    return RightsMap(
        design=design,
        now=now,
        grants=[held[row.source_id] for row in here],
        next_cursor=next_cursor,
        total=len(rows),
        places=places,
        by_state=_by_state(places),
        timeline={
            way: Channel(_bars([held[row.source_id] for row in shown], now), more)
            for way, (shown, more) in drawn.items()
        },
        numbered=units.numbered,
        edition=units.edition,
    )


def scope_of(row: Grant) -> Scope:
    """A grant as a scope."""
    lands, ways, classes, metals = (bits(axis, row.terms.get(axis) or []) for axis in AXES)
    begins = row.period.lower or datetime.min.replace(tzinfo=FOREVER.tzinfo)
    return Scope(row.kind, lands, ways, classes, metals, begins, row.period.upper or FOREVER, False, row.held_until)


def _held(session: Session, actor: Actor, rows: Sequence[Grant], scopes: dict[str, Scope]) -> list[Held]:
    ids = [row.negotiation_id for row in rows]
    threads = {row.id: row for row in session.scalars(select(Negotiation).where(Negotiation.id.in_(ids)))}
    names = around(session, actor, ids)
    used: dict[str, Any] = dict(
        session.execute(
            select(Serial.license_id, func.sum(Serial.last - Serial.first + 1))
            .where(Serial.license_id.in_([row.source_id for row in rows]), Serial.released_at.is_(None))
            .group_by(Serial.license_id)
        ).all()
    )
    found = []
    for row in rows:
        thread, name = threads.get(row.negotiation_id), names.get(row.negotiation_id)
        holder = counterpart(thread, actor, name) if thread and name else "–"
        found.append(Held(row, scopes[row.source_id], holder, int(used.get(row.source_id, 0))))
    return found


def _by_state(places: dict[str, Place]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {state: [] for state in STATES}
    for code in sorted(COUNTRIES):
        found[places[code].state if code in places else "open"].append(code)
    return found


def _place(row: Grant) -> tuple[int, datetime, str]:
    """Where a grant stands in the table: what shuts others out first, then what ends first."""
    return int(row.kind not in EXCLUDING), row.period.upper or FOREVER, row.source_id


def _page(rows: list[Grant], cursor: str | None, limit: int) -> tuple[list[Grant], str | None]:
    """The rows after `cursor`, and the cursor of the rest. All are at hand: the map needs them."""
    start = 0
    if cursor:
        kind, until, key = read_cursor(cursor, 3)
        if not (isinstance(kind, int) and isinstance(until, datetime) and until.tzinfo and isinstance(key, str)):
            raise Invalid("bad_cursor", "This page address is damaged; start again from the first page.")
        start = bisect_right(rows, (kind, until, key), key=_place)
    here = rows[start : start + limit]
    return here, make_cursor(_place(here[-1])) if here and start + limit < len(rows) else None


def _drawn(rows: list[Grant], scopes: dict[str, Scope], channel: int, now: datetime) -> tuple[list[Grant], int]:
    """The grants of a channel that its timeline has room for, the first to begin first, and how many it has not."""
    inside = [
        (scope.begins, row.source_id, row)
        for row in rows
        if (scope := scopes[row.source_id]).channels >> channel & 1 and scope.begins < now + HORIZON
    ]
    found = [row for _begins, _key, row in nsmallest(MOST_BARS, inside)]
    return found, len(inside) - len(found)


def _bars(drawn: list[Held], now: datetime) -> list[Bar]:
    """Grants as bars that do not lie on each other."""
    ends: list[datetime] = []
    bars: list[Bar] = []
    for held in drawn:
        begins, until = max(held.scope.begins, now), min(held.scope.until, now + HORIZON)
        lane = next((n for n, end in enumerate(ends) if end <= begins), len(ends))
        ends[lane : lane + 1] = [until]
        bars.append(Bar(held, _at(begins, now), max(_at(until, now) - _at(begins, now), 4), lane))
    return bars


def _at(moment: datetime, now: datetime) -> float:
    return round(1000 * ((moment - now) / HORIZON), 1)
