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
MOST_TRIANGLES, MOST_TRIANGLES_OF_FACETS = 60_000, 5_000
FACET_SHARE = 0.002
NAMED_HULL_SHARE = 0.93
NAMED = re.compile(r"gem|diam|stone|brill|ruby|sapph|emerald|crystal|zircon|pearl|opal|topaz", re.IGNORECASE)
NOT_NAMED = re.compile(r"seat|cutter|prong|head|bezel|setting|metal|gold|silver|platinum", re.IGNORECASE)
GRAMS_PER_CARAT = 0.2
# Specific gravities, g/cm3: JewelCraft and talk.jewelry lists; moissanite and cubic zirconia are trade figures.
SPECIFIC_GRAVITY = {
    "diamond": 3.52, "moissanite": 3.22, "cubic_zirconia": 5.7, "sapphire": 4.00, "ruby": 4.00, "emerald": 2.72,
    "aquamarine": 2.72, "morganite": 2.72, "amethyst": 2.65, "citrine": 2.65, "quartz": 2.65, "spinel": 3.60,
    "garnet": 3.84, "tourmaline": 3.06, "topaz": 3.53, "peridot": 3.34, "tanzanite": 3.35, "opal": 2.15,
    "pearl": 2.70, "jade": 3.34, "turquoise": 2.76, "lapis": 2.75, "onyx": 2.65, "malachite": 3.9,
}  # fmt: skip
SUPPOSED = "diamond"


@dataclass(frozen=True)
class StoneSize:
    """Length and width of the outline seen from the table, and depth along it, mm.

    `species` is what the file calls the stone, empty when it does not; carat is by volume, as diamond when unknown.
    """

    shape: str
    length: float
    width: float
    depth: float
    carat: float
    species: str = ""


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
    label = f"{shell.name} {shell.material}"
    return bool(NAMED.search(label)) and not NOT_NAMED.search(label)


def species_of(shell: Shell) -> str:
    """The species that the file's own name or material gives, or an empty text."""
    label = re.sub(r"[\s-]+", "_", f"{shell.name} {shell.material}".lower())
    return next((name for name in SPECIFIC_GRAVITY if name in label), "")


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
    species = species_of(shell)
    carat = abs(shell.volume) / 1000.0 * SPECIFIC_GRAVITY[species or SUPPOSED] / GRAMS_PER_CARAT
    return StoneSize(shape, round(length, 3), round(width, 3), round(depth, 3), round(carat, 4), species)


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
