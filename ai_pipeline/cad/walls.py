"""Walls, gaps and wires: one ray straight into the metal, and one out of it, from every spot of the surface.

A ray counts where it leaves through a wall that is nearly parallel to the one it entered by; across a wedge there is
no wall to measure. The thinnest spot is then measured a second time, by the largest ball around its middle. Sampling
distance and the choice of one ray over cones and tangent balls: tried on analytic shapes, see bench/README.md.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label
from scipy.spatial import cKDTree

from ai_pipeline.cad.rays import FACING, START, Scene, ball, spread
from ai_pipeline.cad.report import Place, Region, place_of
from ai_pipeline.cad.shape import Points

PITCH, FEWEST, MOST = 0.06, 20_000, 160_000
# Cosine between the ray and the outward normal where it leaves: a measured wall, and a color on the heat map.
PARALLEL, SHOWN = 0.85, 0.5
# The share of the surface that may be thinner than the minimum that is reported: corners of a mesh, not walls.
QUANTILE = 0.001
# A ball smaller than this share of the ray is in a wedge, not in a wall; a second measurement within AGREES confirms
# the first.
WEDGE, AGREES = 0.97, 0.03
# So many of the thinnest samples are tried: on pieces of jewelry 2,300 were enough; in a block none of them bears out.
LOOKED = 3_500
# Metal thicker than this, in mm, is a block and no wall. In a ball each search for the nearest surface visits all of
# it, so that few may be made.
BLOCK, MOST_MASS = 6.0, 1_000
# Surfaces nearer than this touch, as far as metal is concerned.
NARROWEST_GAP, WIDEST_GAP, WIDEST_WIRE = 0.01, 2.0, 3.0
# A wire is at most this much wider than thick.
ROUND = 2.0
WIRE_DIRECTIONS, WIRE_STEP = 4, 3
MASS_STEP = 20
SMALLEST_GAP, SMALLEST_REGION, MOST_REGIONS, MOST_CELLS = 0.1, 0.3, 12, 20_000_000


@dataclass(frozen=True)
class Spot:
    """A distance in mm measured at `place` (the middle of the wall or gap) and there again as `second`."""

    value: float
    second: float
    place: Place

    @property
    def confirmed(self) -> bool:
        """Whether both measurements agree."""
        return abs(self.second - self.value) <= max(AGREES * self.value, 0.005)


@dataclass
class Walls:
    """Thickness at `points` of the surface (mm; -1 where a ray met no opposite wall), and what follows from it."""

    points: Points
    normals: Points
    thickness: NDArray[np.float64]
    pitch: float
    wall: Spot | None = None
    gap: Spot | None = None
    wire: Spot | None = None
    mass: Spot | None = None
    _middles: Points = field(default_factory=lambda: np.empty((0, 3)))
    _thick: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))

    def below(self, limit: float) -> list[Region]:
        """The regions thinner than `limit` mm, thinnest first."""
        thin = self._thick < limit
        if not thin.any():
            return []
        middles, thickness = self._middles[thin], self._thick[thin]
        low = middles.min(axis=0)
        span = np.ptp(middles, axis=0)
        cell = max(3 * self.pitch, float(np.prod(span + 1.0) / MOST_CELLS) ** (1 / 3))
        grid = np.floor((middles - low) / cell).astype(np.int64)
        filled = np.zeros(grid.max(axis=0) + 1, bool)
        filled[tuple(grid.T)] = True
        numbered, count = label(filled, np.ones((3, 3, 3)))
        owner = numbered[tuple(grid.T)]
        regions = []
        for number in range(1, count + 1):
            mine = np.flatnonzero(owner == number)
            area = len(mine) * self.pitch**2 / 2.0  # each wall was met from both sides
            if area >= SMALLEST_REGION:
                value = float(np.quantile(thickness[mine], 0.05))
                at = middles[mine[np.abs(thickness[mine] - value).argmin()]]
                regions.append(Region(round(area, 2), round(value, 4), place_of(at)))
        return sorted(regions, key=lambda region: region.value)[:MOST_REGIONS]

    def nearest(self, points: Points) -> NDArray[np.float64]:
        """The thickness at the sample nearest to each point, -1 where none is near."""
        known = self.thickness > 0
        if not known.any():
            return np.full(len(points), -1.0)
        distance, which = cKDTree(self.points[known]).query(points, distance_upper_bound=max(8 * self.pitch, 0.8))
        found: NDArray[np.float64] = np.append(self.thickness[known], -1.0)[which]
        found[~np.isfinite(distance)] = -1.0
        return found


def walls_of(scene: Scene) -> Walls:
    """Measure a closed, outward mesh in mm that does not cross itself."""
    spots, owner, pitch = spread(scene, PITCH, FEWEST, MOST)
    out = scene.normals[owner]
    distance, slope = _across(scene, spots, -out)
    known = np.isfinite(distance) & (slope > SHOWN)
    found = Walls(spots, out, np.where(known, distance, -1.0), pitch)
    parallel = known & (slope > PARALLEL)
    surface = (cKDTree(spots), spots, out)
    along = out[parallel]
    found._middles = spots[parallel] - along * (distance[parallel] / 2.0)[:, None]
    found._thick = distance[parallel]
    enough = max(int(QUANTILE * parallel.sum()), 3)
    found.wall = _thinnest(scene, surface, found._middles, along, found._thick, enough)
    gap, facing = _across(scene, spots, out, np.full(len(spots), WIDEST_GAP))
    open_ = np.isfinite(gap) & (facing < -PARALLEL) & (gap > NARROWEST_GAP)
    middles = spots[open_] + out[open_] * (gap[open_] / 2.0)[:, None]
    found.gap = _thinnest(scene, surface, middles, out[open_], gap[open_], max(int(SMALLEST_GAP / pitch**2), 5))
    found.mass = _thickest(scene, surface, found)
    found.wire = _wire(scene, surface, found, along)
    return found


def _across(
    scene: Scene, spots: Points, directions: Points, reach: NDArray[np.float64] | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(distance to the first hit, cosine between the ray and the normal there)."""
    distance, face = scene.shoot(spots + directions * START, directions, reach)
    slope = np.where(face >= 0, np.einsum("ij,ij->i", scene.normals[face], directions), 0.0)
    return distance + START, slope


def _thinnest(
    scene: Scene,
    surface: tuple[cKDTree, Points, Points],
    middles: Points,
    along: Points,
    values: NDArray[np.float64],
    rank: int,
) -> Spot | None:
    """The `rank`-th smallest of the distances `along` which a ball around their middle fits, measured a second time.

    The edge of a plate stops a ball as a wedge does; only surfaces that face the ray tell a wedge.
    """
    if len(values) < rank:
        return None
    order = np.argsort(values)
    order = order[values[order] <= BLOCK]
    tree, spots, out = surface
    start, kept = 0, np.empty(0, np.int64)
    step = max(8 * rank, 500)
    while start < min(len(order), LOOKED) and len(kept) < rank:
        batch = order[start : start + step]
        _, near = tree.query(middles[batch])
        radius = np.abs(np.einsum("ij,ij->i", middles[batch] - spots[near], out[near]))
        aside = np.abs(np.einsum("ij,ij->i", along[batch], out[near])) < FACING
        kept = np.append(kept, batch[aside | (2.0 * radius >= WEDGE * values[batch])])
        start, step = start + step, step * 2
    if len(kept) < rank:
        return None
    spots_found = []
    for number in kept[rank - 1 : rank + 7]:
        second = 2.0 * ball(scene, middles[number], float(values[number]), along[number])
        spots_found.append(Spot(float(values[number]), second, place_of(middles[number])))
        if spots_found[-1].confirmed:
            return spots_found[-1]
    return spots_found[0]


def _thickest(scene: Scene, surface: tuple[cKDTree, Points, Points], found: Walls) -> Spot | None:
    """The largest ball found in the metal, around the middle of some wall."""
    tree, _, _ = surface
    middles = found._middles[:: max(MASS_STEP, len(found._middles) // MOST_MASS)]
    if not len(middles):
        return None
    radius, _ = tree.query(middles)
    at = int(radius.argmax())
    size = 2.0 * ball(scene, middles[at], float(radius[at]))
    return Spot(size, size, place_of(middles[at]))


def _wire(scene: Scene, surface: tuple[cKDTree, Points, Points], found: Walls, out: Points) -> Spot | None:
    """The thinnest wire, prong or post: thin across the ray and across a second direction as well."""
    candidates = np.flatnonzero(found._thick < WIDEST_WIRE)[::WIRE_STEP]
    if not len(candidates):
        return None
    middles, thick, normal = found._middles[candidates], found._thick[candidates], out[candidates]
    side = np.cross(normal, np.eye(3)[np.abs(normal).argmin(axis=1)])
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    other = np.cross(normal, side)
    width = np.full(len(candidates), np.inf)
    reach = ROUND * thick
    for step in range(WIRE_DIRECTIONS):
        angle = np.pi * step / WIRE_DIRECTIONS
        across = np.cos(angle) * side + np.sin(angle) * other
        there, _ = scene.shoot(middles, across, reach)
        back, _ = scene.shoot(middles, -across, reach)
        width = np.minimum(width, there + back)
    slim = width <= ROUND * thick
    rank = max(int(QUANTILE * len(found._thick) / WIRE_STEP), 3)
    return _thinnest(scene, surface, middles[slim], normal[slim], thick[slim], rank)
