"""Facts in the words and with the tolerances of each method."""

from dataclasses import asdict
from typing import Any

import numpy as np

from ai_pipeline.cad.alloys import FINISHING_LOSS, Density
from ai_pipeline.cad.bore import Bore
from ai_pipeline.cad.gems import StoneSize
from ai_pipeline.cad.parts import Parts
from ai_pipeline.cad.report import Fact, Stone, place_of
from ai_pipeline.cad.shank import Cut, head_of
from ai_pipeline.cad.shape import Points
from ai_pipeline.cad.sizes import ring_sizes
from ai_pipeline.cad.solids import Enclosed, Shell, Welding
from ai_pipeline.cad.units import Units
from ai_pipeline.cad.walls import Spot, Walls

# What a volume can be trusted to: that of a mesh, relative to itself, to double arithmetic on float32 coordinates;
# that of boundary surfaces to the tolerance of its integration; where such solids overlap, to that of the triangles by
# which the overlap was taken off.
MESH_SHARE, EXACT_SHARE, MIXED_SHARE = 1e-6, 1e-5, 1e-3
METHODS = {
    MESH_SHARE: "divergence theorem; cavities subtracted, overlaps united",
    EXACT_SHARE: "boundary surfaces of the CAD program, integrated",
    MIXED_SHARE: "boundary surfaces of the CAD program, integrated; overlaps and plain meshes by their triangles",
}
LENGTH_MM, BORE_MM, WALL_MM = 0.001, 0.01, 0.005
ASSUMED_SCALE, SUPPOSED_SPECIES, NAMED_SPECIES, SHAPE_GUESS = 0.8, 0.5, 0.9, 0.9
CONFIRMED, DOUBTED = 0.95, 0.6
# Resin printers: layers of 0.05 mm at 10 s (fine: 0.025 mm at 12 s; coarse: 0.05 mm at 8 s). Makers' usual figures.
LAYER_MM, LAYER_S = 0.05, 10.0
SLOWEST, FASTEST = (0.025, 12.0), (0.05, 8.0)


def shape_facts(welding: Welding, parts: Parts, solid: Enclosed, units: Units) -> list[Fact]:
    """Facts that hold whatever the unit is."""
    closed = all(shell.closed for shell in parts.used)
    scale = ASSUMED_SCALE if units.source == "assumed" else 1.0
    count = "edges shared by faces, after welding"
    by = "closed convex bodies of flat facets, names, layers" + (" and a person's choice" if parts.chosen else "")
    return [
        Fact(name="unit", value=units.unit, method=f"unit {units.source}", confidence=scale),
        Fact(name="triangles", value=sum(len(shell.faces) for shell in parts.used), method="counted after welding"),
        Fact(name="shells", value=len(parts.used), method=count),
        Fact(name="solids", value=solid.solids or None, method=count, reason=None if solid.solids else solid.reason),
        Fact(name="pieces", value=solid.pieces or None, method="parts that hang together after uniting overlaps",
             reason=None if solid.pieces else solid.reason),
        Fact(name="cavities", value=solid.cavities if closed else None, method="shells wound inwards within another",
             reason=None if closed else solid.reason),
        Fact(name="nested_shells", value=solid.nested if closed else None, method="solids wholly inside another",
             reason=None if closed else solid.reason),
        Fact(name="duplicate_shells", value=solid.duplicates if closed else None,
             method="equal box, area and volume", reason=None if closed else solid.reason),
        Fact(name="watertight", value=closed, method=f"{count} at {welding.tolerance:g} mm"),
        Fact(name="open_edges", value=sum(shell.open_edges for shell in parts.used), method=count),
        Fact(name="stone_count", value=len(parts.stones), method=by,
             confidence=1.0 if parts.chosen else SHAPE_GUESS),
    ]  # fmt: skip


def size_facts(parts: Parts) -> list[Fact]:
    """The box around metal and stones."""
    if not parts.used:
        return []
    low = np.min([shell.low for shell in parts.used], axis=0)
    high = np.max([shell.high for shell in parts.used], axis=0)
    method = "bounding box of metal and stones"
    return [
        Fact(name=f"size_{axis}", value=round(float(span), 4), unit="mm", method=method, tolerance=LENGTH_MM)
        for axis, span in zip("xyz", high - low, strict=True)
    ]


def volume_facts(solid: Enclosed, parts: Parts, alloys: list[Density], share: float) -> list[Fact]:
    """Area and volume of the metal and its weight in every alloy."""
    found = []
    if parts.metal:
        surface = round(sum(shell.area for shell in parts.metal), 4)
        found.append(Fact(name="area", value=surface, unit="mm2", method="sum of the triangles of the metal"))
    volume = solid.volume
    found.append(
        Fact(name="volume", value=None if volume is None else round(volume, 5), unit="mm3", method=METHODS[share],
             tolerance=None if volume is None else max(round(volume * share, 6), 1e-6), reason=solid.reason)
    )  # fmt: skip
    for alloy in alloys:
        found.append(_weight(volume, alloy, solid.reason))
    return found


def _weight(volume: float | None, alloy: Density, reason: str | None) -> Fact:
    method = f"volume x {alloy.density:g} g/cm3 ({alloy.source}, {alloy.date}), as modeled"
    fact = Fact(name=f"weight_{alloy.code}", value=None, unit="g", method=method, confidence=0.9, reason=reason)
    if volume is not None:
        fact.value = round(alloy.grams(volume), 3)
        fact.tolerance = max(round(alloy.tolerance(volume), 3), 0.001)
        least, most = FINISHING_LOSS
        fact.low = round(volume / 1000.0 * alloy.low * (1.0 - most), 3)
        fact.high = round(volume / 1000.0 * alloy.high * (1.0 - least), 3)
    return fact


def stone_row(size: StoneSize) -> dict[str, Any]:
    """The fields of a Stone."""
    row = asdict(size)
    row.pop("method")
    return row


def stone_facts(stones: list[Stone], sizes: list[StoneSize]) -> list[Fact]:
    """What all stones weigh together."""
    if not stones:
        return []
    named = all(stone.species for stone in stones)
    rough = sum(size.method == "volume" for size in sizes)
    method = "trade formulas by shape" if not rough else "volume x specific gravity"
    if 0 < rough < len(sizes):
        method = f"trade formulas by shape, volume x specific gravity for {rough}"
    return [
        Fact(
            name="stone_carat",
            value=round(sum(stone.carat for stone in stones), 3),
            unit="ct",
            method=method + (", species as named" if named else ", as if diamond where not named"),
            confidence=NAMED_SPECIES if named else SUPPOSED_SPECIES,
        )
    ]


def wall_facts(walls: Walls) -> list[Fact]:
    """The thinnest wall, narrowest gap, thinnest wire and thickest mass."""
    return [
        _spot("wall_min", walls.wall, "thinnest wall", "0.1 % quantile of straight rays through the united metal"),
        _spot("gap_min", walls.gap, "narrowest gap", "straight rays out of the metal between facing walls"),
        _spot("feature_min", walls.wire, "thinnest wire", "rays through wires, prongs and posts, two directions"),
        _spot("mass_max", walls.mass, "largest ball", "largest ball around the middle of a wall"),
    ]


def _spot(name: str, spot: Spot | None, what: str, method: str) -> Fact:
    if spot is None:
        return Fact(name=name, value=None, unit="mm", method=method, reason="none_found")
    second = f"; a ball there is {spot.second:.3f} mm" if what != "largest ball" else ""
    return Fact(name=name, value=round(spot.value, 4), unit="mm", method=method + second, tolerance=WALL_MM,
                confidence=CONFIRMED if spot.confirmed else DOUBTED, place=spot.place)  # fmt: skip


def unknown_walls(reason: str | None) -> list[Fact]:
    """The same facts without values."""
    return [
        Fact(name=name, value=None, unit="mm", method="needs a closed solid", reason=reason)
        for name in ("wall_min", "gap_min", "feature_min", "mass_max")
    ] + [Fact(name="seat_count", value=None, method="needs a closed solid", reason=reason)]


def ring_facts(bore: Bore, shank: list[Cut]) -> list[Fact]:
    """Axis, inner diameter, sizes, and the shank at four points."""
    method = f"largest clear cylinder, touched on {bore.coverage:.0%} of the circle"
    center = place_of(bore.center)
    axis = " ".join(f"{round(value, 4) + 0.0:g}" for value in bore.axis)
    found = [
        Fact(name="inner_diameter", value=round(bore.diameter, 3), unit="mm", method=method, tolerance=BORE_MM,
             place=center),
        Fact(name="axis", value=axis, method="axis of that cylinder, x y z", place=center),
        Fact(name="band_width", value=round(bore.length, 3), unit="mm", method="extent along the axis of the bore",
             tolerance=LENGTH_MM),
    ]  # fmt: skip
    for cut in shank:
        where = "at the head" if cut.angle == 0 else f"{cut.angle} degrees from the head"
        cutting = f"cut through the axis {where}"
        found += [
            Fact(name=f"shank_width_{cut.angle}", value=round(cut.width, 3), unit="mm", method=cutting,
                 tolerance=BORE_MM, place=cut.place),
            Fact(name=f"shank_thickness_{cut.angle}", value=round(cut.thickness, 3), unit="mm", method=cutting,
                 tolerance=BORE_MM, place=cut.place),
        ]  # fmt: skip
    if bore.fits == "finger":
        for system, size in ring_sizes(bore.diameter).items():
            found.append(Fact(name=f"ring_size_{system}", value=size, method="from the inner diameter"))
    return found


def print_facts(shells: list[Shell], bore: Bore | None, stones: Points) -> list[Fact]:
    """Hours to print the pattern: a ring stands on its bottom, anything else on its shortest side."""
    if not shells:
        return []
    low = np.min([shell.low for shell in shells], axis=0)
    high = np.max([shell.high for shell in shells], axis=0)
    height = float((high - low).min())
    if bore and bore.fits:
        points = np.vstack([shell.vertices for shell in shells])
        height = float(np.ptp(points @ head_of(points, bore, stones)))
    hours = [round(height / layer * seconds / 3600.0, 1)
             for layer, seconds in ((LAYER_MM, LAYER_S), FASTEST, SLOWEST)]  # fmt: skip
    method = f"estimate: {height:.1f} mm in layers of {LAYER_MM:g} mm at {LAYER_S:g} s; not validated on a printer"
    return [Fact(name="print_hours", value=hours[0], unit="h", method=method, confidence=0.3,
                 low=hours[1], high=hours[2])]  # fmt: skip
