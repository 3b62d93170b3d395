"""Tell stones from metal by shape, and measure them.

A stone is a closed convex body of flat facets. Bounds tried on real and generated pieces: 0.6 to 25 mm, at least 97 %
of its hull,
14 to 140 facets that carry 97 % of the area, not as deep as wide (cast pins and beads are).
"""

import math
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError

from ai_pipeline.cad.gravity import GRAMS_PER_CARAT, SPECIFIC_GRAVITY
from ai_pipeline.cad.mesh import normals
from ai_pipeline.cad.report import Place, place_of
from ai_pipeline.cad.solids import Shell

SMALLEST, LARGEST, FLATTEST = 0.6, 25.0, 0.2
HULL_SHARE, PLANAR_SHARE, FEWEST, MOST, DEEPEST = 0.97, 0.97, 14, 140, 0.9
MOST_TRIANGLES, MOST_TRIANGLES_OF_FACETS = 60_000, 5_000
FACET_SHARE = 0.002
NAMED_HULL_SHARE = 0.93
NAMED = re.compile(r"gem|diam|stone|brill|ruby|sapph|emerald|crystal|zircon|pearl|opal|topaz", re.IGNORECASE)
NOT_NAMED = re.compile(r"seat|cutter|prong|head|bezel|setting|metal|gold|silver|platinum", re.IGNORECASE)
SUPPOSED = "diamond"
# Carats from mm: length-to-width ratios and factors per shape for diamonds, one factor per shape for colored stones.
DIAMOND_FACTORS = {
    "emerald": ((1.0, 0.0080), (1.5, 0.0092), (2.0, 0.0100), (2.5, 0.0106)),
    "asscher": ((1.0, 0.0080),),
    "marquise": ((1.5, 0.00565), (2.0, 0.00580), (2.5, 0.00585), (3.0, 0.00595)),
    "pear": ((1.25, 0.00615), (1.5, 0.00600), (2.0, 0.00575)),
    "triangle": ((1.0, 0.0057),),
    "baguette": ((1.0, 0.00915),),
    "princess": ((1.0, 0.0083),),
}
COLORED_FACTORS = {"round": 0.0018, "oval": 0.0020, "emerald": 0.0025, "rectangle": 0.0026, "princess": 0.0023,
                   "marquise": 0.0016, "pear": 0.0018, "cushion": 0.0018}  # fmt: skip
# How far the formula may lie from the weight of the modeled body and still be the better number.
AGREES = 0.03


@dataclass(frozen=True)
class StoneSize:
    """Length and width of the outline seen from the table, and depth along it, mm.

    `species` is what the file or a person calls the stone, empty when neither does: its carat is then as diamond.
    `place` is the middle of its box; `method` tells whether the carat is by `formula` or by `volume`.
    """

    shape: str
    length: float
    width: float
    depth: float
    carat: float
    species: str = ""
    place: Place | None = None
    method: str = "volume"


def is_stone(shell: Shell) -> bool:
    """True when the shell has the shape of a cut stone, or is called one and nearly has it."""
    size = np.sort(shell.size)[::-1]
    if not shell.closed or len(shell.faces) > MOST_TRIANGLES or not SMALLEST <= size[0] <= LARGEST:
        return False
    if size[2] < FLATTEST * size[0]:
        return False
    try:
        share = float(abs(shell.volume) / ConvexHull(shell.vertices).volume)
    except (QhullError, ValueError):
        return False
    if _named(shell):
        return share > NAMED_HULL_SHARE
    if len(shell.faces) > MOST_TRIANGLES_OF_FACETS:
        return False
    facets, planar = _facets(shell)
    if not (FEWEST <= facets <= MOST and planar > PLANAR_SHARE and share > HULL_SHARE):
        return False
    measured = measure_stone(shell)
    return measured.depth <= DEEPEST * measured.width


def _named(shell: Shell) -> bool:
    """True when the file calls the body a stone; a pearl or a cabochon has no facets to be known by."""
    label = f"{shell.name} {shell.material} {shell.layer}"
    return bool(NAMED.search(label)) and not NOT_NAMED.search(label)


def species_of(shell: Shell) -> str:
    """The species that the file's own name, material or layer gives, or an empty text."""
    label = re.sub(r"[\s-]+", "_", f"{shell.name} {shell.material} {shell.layer}".lower())
    return next((name for name in SPECIFIC_GRAVITY if name in label), "")


def measure_stone(shell: Shell, species: str | None = None) -> StoneSize:
    """Measure a stone seen along the normal of its largest facet (the table). `species` is what a person said.

    The carat follows the trade's formula for the shape where that agrees with the volume of the body within AGREES;
    elsewhere the body has another cut than the formula stands for, and its volume counts.
    """
    points = _upright(shell)
    depth = float(np.ptp(points[:, 2]))
    outline = points[ConvexHull(points[:, :2]).vertices][:, :2]
    angles = np.linspace(0.0, math.pi, 180, endpoint=False)
    spans = np.ptp(outline @ np.array([np.cos(angles), np.sin(angles)]), axis=0)
    length, width = float(spans.max()), float(spans.min())
    shape = _shape(outline, length, width)
    species = species_of(shell) if species is None else species
    by_volume = abs(shell.volume) / 1000.0 * SPECIFIC_GRAVITY[species or SUPPOSED] / GRAMS_PER_CARAT
    by_formula = carats(shape, length, width, depth, species or SUPPOSED)
    solid = shell.closed and by_volume > 0
    trusted = by_formula is not None and (not solid or abs(by_formula / by_volume - 1.0) <= AGREES)
    carat = by_formula if trusted and by_formula is not None else by_volume
    return StoneSize(
        shape,
        round(length, 3),
        round(width, 3),
        round(depth, 3),
        round(carat, 4),
        species,
        place_of((shell.low + shell.high) / 2.0),
        "formula" if trusted else "volume",
    )


def carats(shape: str, length: float, width: float, depth: float, species: str) -> float | None:
    """Carats of a cut stone from its measures in mm, None for a shape without a formula.

    Diamonds: gemgate.com, a1-diamond.com and octonus; colored stones: dendritics / IGS (length x width x depth x
    specific gravity x factor), as read 2026-11. The factor for princess cut is trade knowledge without a source.
    """
    ratio = length / width
    if species == "diamond":
        if shape == "round":
            return ((length + width) / 2.0) ** 2 * depth * 0.0061
        if shape == "oval":
            return ((length + width) / 2.0) ** 2 * depth * 0.0062
        for name, table in DIAMOND_FACTORS.items():
            if shape == name:
                ratios, factors = zip(*table, strict=True)
                return length * width * depth * float(np.interp(ratio, ratios, factors))
        return None
    factor = COLORED_FACTORS.get(shape)
    return None if factor is None else length * width * depth * SPECIFIC_GRAVITY[species] * factor


def _shape(outline: NDArray[np.float64], length: float, width: float) -> str:
    """The cut by its outline: how round it is, how long, how much of its box it fills, and whether its ends differ."""
    hull = ConvexHull(outline)
    roundness = 4.0 * math.pi * hull.volume / hull.area**2  # in 2D Qhull calls the area "volume" and the outline "area"
    ratio = length / width
    box, skew = _fill(outline)
    if ratio < 1.06 and roundness > 0.96:
        return "round"
    if skew > 0.06 and ratio >= 1.15 and roundness > 0.7:
        return "pear"
    if box > 0.95:
        return "baguette" if ratio > 2.0 else "princess" if ratio < 1.15 else "rectangle"
    if box > 0.86:
        return "emerald" if ratio >= 1.15 else "asscher"
    if ratio > 1.55 and box < 0.72:
        return "marquise"
    if roundness > 0.9 and 0.74 < box < 0.83:
        return "oval"
    if roundness > 0.9 and box >= 0.8:
        return "cushion"
    return "triangle" if box < 0.62 else "fancy"


def _fill(outline: NDArray[np.float64]) -> tuple[float, float]:
    """(share of the smallest upright box that the outline fills, how far its middle lies off the box's, lengthwise)."""
    hull = ConvexHull(outline)
    corners = outline[hull.vertices]
    sides = np.diff(np.vstack([corners, corners[:1]]), axis=0)
    best, skew = np.inf, 0.0
    nxt = np.roll(corners, -1, axis=0)
    cross = corners[:, 0] * nxt[:, 1] - corners[:, 1] * nxt[:, 0]
    middle = ((corners + nxt) * cross[:, None]).sum(axis=0) / (3.0 * cross.sum())
    for side in sides[np.linalg.norm(sides, axis=1) > 1e-9]:
        unit = side / np.linalg.norm(side)
        frame = np.column_stack([unit, [-unit[1], unit[0]]])
        placed = corners @ frame
        span = np.ptp(placed, axis=0)
        if span.prod() < best:
            best = float(span.prod())
            long = int(span.argmax())
            half = (placed.min(axis=0) + placed.max(axis=0)) / 2.0
            skew = abs(float((middle @ frame - half)[long])) / float(span[long])
    return float(hull.volume) / best, skew


def _by_direction(shell: Shell) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(directions, area facing each), faces grouped by their normal to two decimals."""
    face_normals, areas = normals(shell.vertices, shell.faces)
    rounded, group = np.unique(np.round(face_normals, 2), axis=0, return_inverse=True)
    return rounded, np.bincount(group.ravel(), areas).astype(np.float64)


def _facets(shell: Shell) -> tuple[int, float]:
    _, areas = _by_direction(shell)
    large = areas[areas > FACET_SHARE * areas.sum()]
    return len(large), float(large.sum() / areas.sum())


def _upright(shell: Shell) -> NDArray[np.float64]:
    directions, areas = _by_direction(shell)
    axis = directions[areas.argmax()]
    axis = axis / np.linalg.norm(axis)
    side = np.cross(axis, [1.0, 0.0, 0.0] if abs(axis[0]) < 0.9 else [0.0, 1.0, 0.0])
    side /= np.linalg.norm(side)
    points: NDArray[np.float64] = shell.vertices @ np.column_stack([side, np.cross(axis, side), axis])
    return points
