"""The rights map of a design as its owner sees it: who holds what, what is still open where, and when it ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from marketplace.designs.models import Design
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.licensing.availability import STATES, Place, by_country
from marketplace.licensing.findings import categories_of
from marketplace.licensing.grant_models import Grant, Serial
from marketplace.licensing.models import Negotiation
from marketplace.licensing.queries import around, counterpart
from marketplace.licensing.rights import AXES, EXCLUDING, FOREVER, Scope, bits
from marketplace.licensing.tiles import TILES
from marketplace.licensing.vocabulary import CHANNELS, COUNTRIES

#: Grants that are listed and drawn; who has more reads the rest over the API.
MOST_LISTED = 200
#: How far the timeline looks, and the bars it draws for one channel.
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
class RightsMap:
    """Everything the page shows."""

    design: Design
    now: datetime
    grants: list[Held]
    total: int
    places: dict[str, Place]
    by_state: dict[str, list[str]]
    timeline: dict[str, list[Bar]]
    numbered: int
    edition: int | None

    @property
    def tiles(self) -> list[tuple[str, int, int, Place]]:
        """Every country with its tile and its state."""
        return [(code, x, y, self.places.get(code) or OPEN) for code, (x, y) in sorted(TILES.items())]


OPEN = Place("open", None)


def read_map(session: Session, actor: Actor, design: Design) -> RightsMap:
    """The map of one of the actor's own designs."""
    now = clock.now()
    standing = or_(Grant.held_until.is_(None), Grant.held_until > now)
    mine = select(Grant).where(Grant.design_id == design.id, standing)
    rows = [row for row in session.scalars(mine) if row.period.upper is None or row.period.upper > now]
    scopes = {row.source_id: scope_of(row) for row in rows}
    categories = categories_of(design.category)
    places = by_country(list(scopes.values()), now, categories=categories)
    rows.sort(key=lambda row: (row.kind not in EXCLUDING, row.period.upper or FOREVER, row.source_id))
    listed = _held(session, actor, rows[:MOST_LISTED], scopes)
    units = session.execute(func.design_units(design.id).table_valued("numbered", "edition").select()).one()
    return RightsMap(
        design=design,
        now=now,
        grants=listed,
        total=len(rows),
        places=places,
        by_state=_by_state(places),
        timeline={way: _bars(listed, n, now) for n, way in enumerate(CHANNELS)},
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


def _bars(listed: list[Held], channel: int, now: datetime) -> list[Bar]:
    """The grants of a channel as bars that do not lie on each other, the first to begin first."""
    ends: list[datetime] = []
    bars: list[Bar] = []
    covering = [held for held in listed if held.scope.channels >> channel & 1]
    for held in sorted(covering, key=lambda one: one.scope.begins)[:MOST_BARS]:
        begins, until = max(held.scope.begins, now), min(held.scope.until, now + HORIZON)
        if begins >= until:
            continue
        lane = next((n for n, end in enumerate(ends) if end <= begins), len(ends))
        ends[lane : lane + 1] = [until]
        bars.append(Bar(held, _at(begins, now), max(_at(until, now) - _at(begins, now), 4), lane))
    return bars


def _at(moment: datetime, now: datetime) -> float:
    return round(1000 * ((moment - now) / HORIZON), 1)
