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

from ai_pipeline.cad.mesh import normals
from ai_pipeline.cad.solids import Shell

SMALLEST, LARGEST, FLATTEST = 0.6, 25.0, 0.2
HULL_SHARE, PLANAR_SHARE, FEWEST, MOST, DEEPEST = 0.97, 0.97, 14, 140, 0.9
MOST_TRIANGLES = 5_000
FACET_SHARE = 0.002
NAMED = re.compile(r"gem|diam|stone|brill|ruby|sapph|emerald|crystal|zircon", re.IGNORECASE)
NOT_NAMED = re.compile(r"seat|cutter|prong|head|bezel|setting|metal|gold|silver|platinum", re.IGNORECASE)
# Specific gravity of diamond; 0.2 g to the carat.
DIAMOND, GRAMS_PER_CARAT = 3.52, 0.2


@dataclass(frozen=True)
class StoneSize:
    """Length and width of the outline seen from the table, and depth along it, mm; carat as if it were diamond."""

    shape: str
    length: float
    width: float
    depth: float
    carat: float


def is_stone(shell: Shell) -> bool:
    """True when the shell has the shape of a cut stone, or is called one and nearly has it."""
    size = np.sort(shell.size)[::-1]
    if not shell.closed or len(shell.faces) > MOST_TRIANGLES or not SMALLEST <= size[0] <= LARGEST:
        return False
    if size[2] < FLATTEST * size[0]:
        return False
    try:
        share = abs(shell.volume) / ConvexHull(shell.vertices).volume
    except (QhullError, ValueError):
        return False
    facets, planar = _facets(shell)
    shaped = facets <= MOST and planar > PLANAR_SHARE and facets >= FEWEST and share > HULL_SHARE
    label = f"{shell.name} {shell.material}"
    if NAMED.search(label) and not NOT_NAMED.search(label):
        return share > 0.93 and (shaped or facets >= FEWEST)
    if not shaped:
        return False
    measured = measure_stone(shell)
    return measured.depth <= DEEPEST * measured.width


def measure_stone(shell: Shell) -> StoneSize:
    """Measure a stone seen along the normal of its largest facet (the table)."""
    points = _upright(shell)
    depth = float(np.ptp(points[:, 2]))
    outline = points[ConvexHull(points[:, :2]).vertices][:, :2]
    angles = np.linspace(0.0, math.pi, 180, endpoint=False)
    spans = np.ptp(outline @ np.array([np.cos(angles), np.sin(angles)]), axis=0)
    length, width = float(spans.max()), float(spans.min())
    hull = ConvexHull(outline)
    roundness = 4.0 * math.pi * hull.volume / hull.area**2  # in 2D Qhull calls the area "volume" and the outline "area"
    if length / width < 1.06 and roundness > 0.96:
        shape = "round"
    elif length / width < 1.5 and roundness < 0.86:
        shape = "square"
    elif roundness > 0.93:
        shape = "oval"
    else:
        shape = "fancy"
    carat = abs(shell.volume) / 1000.0 * DIAMOND / GRAMS_PER_CARAT
    return StoneSize(shape, round(length, 3), round(width, 3), round(depth, 3), round(carat, 4))


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
