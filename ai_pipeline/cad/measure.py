"""From shells to facts. A number that cannot be trusted is None with a reason."""

from dataclasses import dataclass

import numpy as np

from ai_pipeline.cad.alloys import ALLOYS, grams, grams_tolerance
from ai_pipeline.cad.bore import find_bore
from ai_pipeline.cad.findings import finding
from ai_pipeline.cad.gems import is_stone, measure_stone
from ai_pipeline.cad.report import Fact, Finding, Stone
from ai_pipeline.cad.sizes import ring_sizes
from ai_pipeline.cad.solids import Enclosed, Shell, Welding, enclosed
from ai_pipeline.cad.units import Units

# What a mesh can be trusted to, relative to itself: double arithmetic on float32 coordinates.
VOLUME_SHARE = 1e-6
LENGTH_MM = 0.001
BORE_MM = 0.01
# Confidence where the scale is only assumed from plausibility, and where a stone's species is only supposed.
ASSUMED_SCALE, SUPPOSED_SPECIES, NAMED_SPECIES, SHAPE_GUESS = 0.8, 0.5, 0.9, 0.9


@dataclass
class Measured:
    """Facts and findings, and the shells split for preview and pictures."""

    facts: list[Fact]
    findings: list[Finding]
    metal: list[Shell]
    stones: list[Shell]
    stone_sizes: list[Stone]


def measure(welding: Welding, units: Units) -> Measured:
    """Measure everything that the shells allow."""
    stones = [shell for shell in welding.shells if is_stone(shell)]
    metal = [shell for shell in welding.shells if not any(shell is stone for stone in stones)]
    sizes = [Stone(**vars(measure_stone(shell))) for shell in stones]
    solid = enclosed(metal) if metal else Enclosed(None, "only_stones")
    findings = _findings(welding, metal, solid, units)
    facts = _shape_facts(welding, metal, solid, units)
    scaled = _scaled_facts(welding, metal, solid, sizes)
    if not units.plausible:
        for fact in scaled:
            fact.value, fact.tolerance, fact.reason = None, None, "units_unconfirmed"
    elif units.source == "assumed":
        for fact in scaled:
            fact.confidence = round(fact.confidence * ASSUMED_SCALE, 2)
    return Measured([*facts, *scaled], findings, metal, stones, sizes)


def _shape_facts(welding: Welding, metal: list[Shell], solid: Enclosed, units: Units) -> list[Fact]:
    """Facts that hold whatever the unit is."""
    closed = all(shell.closed for shell in welding.shells)
    scale = ASSUMED_SCALE if units.source == "assumed" else 1.0
    count = "edges shared by faces, after welding"
    return [
        Fact(name="unit", value=units.unit, method=f"unit {units.source}", confidence=scale),
        Fact(name="triangles", value=sum(len(shell.faces) for shell in welding.shells), method="counted after welding"),
        Fact(name="shells", value=len(welding.shells), method=count),
        Fact(name="solids", value=solid.solids or None, method=count, reason=None if solid.solids else solid.reason),
        Fact(name="cavities", value=solid.cavities if closed else None, method="shells wound inwards within another",
             reason=None if closed else solid.reason),
        Fact(name="watertight", value=closed, method=f"{count} at {welding.tolerance:g} mm"),
        Fact(name="open_edges", value=sum(shell.open_edges for shell in welding.shells), method=count),
        Fact(name="stone_count", value=len(welding.shells) - len(metal), method="closed convex bodies of flat facets",
             confidence=SHAPE_GUESS),
    ]  # fmt: skip


def _scaled_facts(welding: Welding, metal: list[Shell], solid: Enclosed, stones: list[Stone]) -> list[Fact]:
    """Facts that are only true if the unit is."""
    shells = welding.shells
    low = np.min([shell.low for shell in shells], axis=0)
    high = np.max([shell.high for shell in shells], axis=0)
    facts = [
        Fact(
            name=f"size_{axis}",
            value=round(float(span), 4),
            unit="mm",
            method="bounding box of metal and stones",
            tolerance=LENGTH_MM,
        )
        for axis, span in zip("xyz", high - low, strict=True)
    ]
    volume = solid.volume
    if metal:
        surface = round(sum(shell.area for shell in metal), 4)
        facts.append(Fact(name="area", value=surface, unit="mm2", method="sum of the triangles of the metal"))
    facts.append(
        Fact(
            name="volume",
            value=None if volume is None else round(volume, 5),
            unit="mm3",
            method="divergence theorem; cavities subtracted, overlaps united; self-intersections not searched",
            tolerance=None if volume is None else max(round(volume * VOLUME_SHARE, 6), 1e-6),
            reason=solid.reason,
        )
    )
    for alloy in ALLOYS.values():
        facts.append(
            Fact(
                name=f"weight_{alloy.code}",
                value=None if volume is None else round(grams(volume, alloy), 3),
                unit="g",
                method=f"volume x {alloy.density:g} g/cm3 (default density), as modeled",
                confidence=0.9,
                tolerance=None if volume is None else max(round(grams_tolerance(volume, alloy), 3), 0.001),
                reason=solid.reason,
            )
        )
    facts += _bore_facts(metal)
    if stones:
        named = all(stone.species for stone in stones)
        facts.append(
            Fact(
                name="stone_carat",
                value=round(sum(stone.carat for stone in stones), 3),
                unit="ct",
                method="volume of the stones x specific gravity, " + ("as named" if named else "as if diamond"),
                confidence=NAMED_SPECIES if named else SUPPOSED_SPECIES,
            )
        )
    return facts


def _bore_facts(metal: list[Shell]) -> list[Fact]:
    if not metal:
        return []
    points = np.vstack([shell.vertices for shell in metal])
    starts = np.cumsum([0, *(len(shell.vertices) for shell in metal)])
    faces = np.vstack([shell.faces + start for shell, start in zip(metal, starts, strict=False)])
    bore = find_bore(points, faces)
    if bore is None or bore.fits is None:
        return []
    method = f"largest clear cylinder, touched on {bore.coverage:.0%} of the circle"
    facts = [
        Fact(name="inner_diameter", value=round(bore.diameter, 3), unit="mm", method=method, tolerance=BORE_MM),
        Fact(
            name="band_width",
            value=round(bore.length, 3),
            unit="mm",
            method="extent along the axis of the bore",
            tolerance=LENGTH_MM,
        ),
    ]
    if bore.fits == "finger":
        for system, size in ring_sizes(bore.diameter).items():
            facts.append(Fact(name=f"ring_size_{system}", value=size, method="from the inner diameter"))
    return facts


def _findings(welding: Welding, metal: list[Shell], solid: Enclosed, units: Units) -> list[Finding]:
    found = []
    if not units.plausible:
        proposals = ", ".join(units.proposals) or "-"
        found.append(finding("units_implausible", unit=units.unit, length=round(units.longest, 3), proposals=proposals))
    elif units.source == "assumed":
        found.append(finding("units_assumed"))
    if solid.reason == "open_mesh":
        still_open = [shell for shell in metal if not shell.closed]
        edges = sum(shell.open_edges for shell in still_open)
        found.append(finding("open_mesh", shells=len(still_open), total=len(metal), edges=edges))
    elif solid.reason:
        found.append(finding(solid.reason))
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
            found.append(finding(code, count=count))
    return found
