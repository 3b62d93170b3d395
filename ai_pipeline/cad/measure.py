"""From shells to facts. A number that cannot be trusted is None with a reason."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ai_pipeline.cad import facts
from ai_pipeline.cad.alloys import Density, densities
from ai_pipeline.cad.bore import Bore, find_bore
from ai_pipeline.cad.findings import finding
from ai_pipeline.cad.intersections import Crossings, self_intersections
from ai_pipeline.cad.parts import Parts, parts_of, seen_bodies
from ai_pipeline.cad.rays import Scene
from ai_pipeline.cad.report import Fact, Finding, Level, SeenBody, Stone, Verdict
from ai_pipeline.cad.rules import Rule, judge
from ai_pipeline.cad.seats import find_seats
from ai_pipeline.cad.shank import cuts
from ai_pipeline.cad.shape import Body, Points
from ai_pipeline.cad.solids import Enclosed, Shell, Welding, enclosed, joined
from ai_pipeline.cad.units import Units
from ai_pipeline.cad.walls import Walls, walls_of

# Confidence where the scale is only assumed from plausibility.
ASSUMED_SCALE = 0.8


@dataclass
class Measured:
    """What was found, and the shells split for preview and pictures. `exact`: the volume is not one of triangles."""

    facts: list[Fact]
    findings: list[Finding]
    parts: Parts
    stone_sizes: list[Stone]
    verdicts: dict[Verdict, Level]
    bodies: list[SeenBody]
    exact: bool = False
    walls: Walls | None = None

    @property
    def metal(self) -> list[Shell]:
        """The shells of metal."""
        return self.parts.metal

    @property
    def stones(self) -> list[Shell]:
        """The shells of stones."""
        return self.parts.stones


@dataclass
class _Work:
    """The intermediate results that facts are made of."""

    welding: Welding
    units: Units
    parts: Parts
    solid: Enclosed
    alloys: list[Density]
    exact: bool = False
    share: float = facts.MESH_SHARE
    crossings: Crossings = field(default_factory=lambda: Crossings(0, None))
    bore: Bore | None = None


def measure(
    welding: Welding,
    units: Units,
    choices: Mapping[str, Any] | None = None,
    hidden: list[Body] | None = None,
    first: Callable[[list[Fact]], None] | None = None,
) -> Measured:
    """Measure everything that the shells allow.

    `choices` may hold `roles` (see `parts_of`), `alloys` (see `densities`) and `rules` (a list of Rule as data).
    `first` gets what is known at once, before the slow measurements.
    """
    chosen = choices or {}
    parts = parts_of(welding, chosen.get("roles"))
    solid = enclosed(parts.metal) if parts.metal else Enclosed(None, "only_stones")
    work = _Work(welding, units, parts, solid, densities(chosen.get("alloys")))
    work.exact = _exact(work)
    sizes = [Stone(**facts.stone_row(size)) for size in parts.sizes]
    if first:
        first(_trusted([*facts.shape_facts(welding, parts, solid, units), *_weights(work, sizes)], units))
    work.crossings = _crossings(parts.metal)
    if work.crossings.faces and solid.volume is not None:
        solid.volume, solid.reason = None, "self_intersecting"
    metal_points, metal_faces = joined(parts.metal)
    work.bore = find_bore(metal_points, metal_faces) if parts.metal else None
    scaled = _weights(work, sizes)
    walls = _add_walls(work, scaled)
    scaled += _ring_facts(work, metal_points, sizes)
    scaled += facts.print_facts(parts.used, work.bore, np.array([s.place for s in sizes]).reshape(-1, 3))
    found = [
        *facts.shape_facts(welding, parts, solid, units),
        Fact(name="self_intersections", value=work.crossings.faces, place=work.crossings.place,
             method="triangles that cross others of their surface deeper than 0.0001 mm, exact arithmetic"),
    ]  # fmt: skip
    everything = _trusted([*found, *scaled], units)
    rules = [Rule(**rule) for rule in chosen.get("rules") or []]
    thin = {rule.code: walls.below(rule.limit / 1.015) for rule in rules if walls and "wall_min" in rule.measure}
    broken, verdicts = judge(everything, rules, thin)
    notes = _notes(work, everything)
    return Measured(everything, [*notes, *broken], parts, sizes, verdicts, seen_bodies(parts, hidden or []),
                    work.exact and solid.volume is not None, walls)  # fmt: skip


def _trusted(found: list[Fact], units: Units) -> list[Fact]:
    """The facts without what a doubtful unit makes worthless."""
    for fact in found:
        if not fact.unit and not fact.name.startswith(("ring_size", "axis")):
            continue
        if not units.plausible:
            fact.value, fact.tolerance, fact.reason, fact.place = None, None, "units_unconfirmed", None
            fact.low = fact.high = None
        elif units.source == "assumed":
            fact.confidence = round(fact.confidence * ASSUMED_SCALE, 2)
    return found


def _exact(work: _Work) -> bool:
    """Put the exact volume of the CAD program in the place of that of its triangles; whether all metal has one."""
    solid, metal = work.solid, work.parts.metal
    if solid.volume is None or not metal:
        return False
    known = work.welding.exact
    bodies: dict[int, float] = {}
    for shell in metal:
        bodies[shell.body] = bodies.get(shell.body, 0.0) + shell.volume
    whole = {shell.body for shell in metal} - {shell.body for shell in work.parts.stones + work.parts.ignored}
    corrections = [known[body] - abs(volume) for body, volume in bodies.items() if body in known and body in whole]
    if solid.duplicates or solid.nested or not corrections:
        return False
    solid.volume += sum(corrections)
    exact = len(corrections) == len(bodies) and not solid.overlapping
    work.share = facts.EXACT_SHARE if exact else facts.MIXED_SHARE
    return exact


def _crossings(metal: list[Shell]) -> Crossings:
    found = [self_intersections(shell.vertices, shell.faces) for shell in metal if shell.closed]
    places = [crossing.place for crossing in found if crossing.place]
    return Crossings(sum(crossing.faces for crossing in found), places[0] if places else None)


def _weights(work: _Work, stones: list[Stone]) -> list[Fact]:
    return [
        *facts.size_facts(work.parts),
        *facts.volume_facts(work.solid, work.parts, work.alloys, work.share),
        *facts.stone_facts(stones, work.parts.sizes),
    ]


def _add_walls(work: _Work, scaled: list[Fact]) -> Walls | None:
    """Append the facts of walls, gaps and seats; the walls, or None when the solid is not sound."""
    if work.solid.volume is None:
        scaled += facts.unknown_walls(work.solid.reason)
        return None
    scene = Scene(work.solid.vertices, work.solid.faces)
    walls = walls_of(scene)
    scaled += facts.wall_facts(walls)
    seats = find_seats(scene)
    scaled.append(
        Fact(name="seat_count", value=len(seats), confidence=0.6,
             method="round rims of sharp edges around empty space; a hint: heads of prongs have none")
    )  # fmt: skip
    return walls


def _ring_facts(work: _Work, points: Points, stones: list[Stone]) -> list[Fact]:
    bore = work.bore
    if bore is None or bore.fits is None:
        return []
    places = np.array([stone.place for stone in stones]).reshape(-1, 3)
    shank = cuts(work.solid.vertices, work.solid.faces, bore, places) if len(work.solid.faces) else []
    return facts.ring_facts(bore, shank)


def _notes(work: _Work, found: list[Fact]) -> list[Finding]:
    welding, metal, solid, units = work.welding, work.parts.metal, work.solid, work.units
    notes = []
    if not units.plausible:
        proposals = ", ".join(units.proposals) or "-"
        notes.append(finding("units_implausible", unit=units.unit, length=round(units.longest, 3), proposals=proposals))
    elif units.source == "assumed":
        notes.append(finding("units_assumed"))
    if solid.reason == "open_mesh":
        still_open = [shell for shell in metal if not shell.closed]
        edges = sum(shell.open_edges for shell in still_open)
        notes.append(finding("open_mesh", shells=len(still_open), total=len(metal), edges=edges))
    elif solid.reason and solid.reason != "self_intersecting":
        notes.append(finding(solid.reason))
    if work.crossings.faces:
        crossing = finding("self_intersecting", count=work.crossings.faces)
        place = work.crossings.place if units.plausible else None
        notes.append(crossing.model_copy(update={"place": place, "verdict": "printable"}))
    for code, count in (
        ("inside_out", solid.turned),
        ("mixed_winding", sum(shell.rewound for shell in metal)),
        ("cavities", solid.cavities),
        ("nested_solid", solid.nested),
        ("overlapping_solids", solid.overlapping),
        ("duplicate_shells", solid.duplicates),
        ("duplicate_faces", welding.doubles),
    ):
        if count:
            notes.append(finding(code, count=count))
    hours = next((fact for fact in found if fact.name == "print_hours"), None)
    if hours and hours.value is not None and hours.low is not None and hours.high is not None:
        notes.append(finding("casting_note", low=hours.low, high=hours.high))
    return notes
