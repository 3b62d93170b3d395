"""The clear bore of a ring: the largest cylinder that passes through the piece and touches it all around.

For each candidate axis the points are projected and thinned; a distance map of the projection has its peak in the
middle of the largest hole. Center and tilt are then refined by maximizing the distance of the innermost points from
the axis: a series of small linear programs, each checked against every point near the bore.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from scipy.optimize import linprog
from scipy.spatial import ConvexHull, QhullError

from ai_pipeline.cad.report import Place
from ai_pipeline.cad.shape import Faces, Points

# Inner diameters in mm that a finger (US 0 to 17) and an arm (children's to large bangles) can wear.
FINGER, ARM = (11.5, 25.5), (40.0, 90.0)
COVERAGE = 0.3
TOUCH = 0.05
SECTORS = 72
EDGE_STEP = 0.25
MAX_SAMPLES = 400_000
# Cells across the piece in the map of holes, and to thin points for it.
CELLS = 240
# Axis and center are refined until a step is shorter than STEP mm; each step moves at most REACH mm.
ROUNDS, STEP, REACH = 30, 1e-5, 0.6
# How far the axis may tilt (radians) and move (share of the radius) from where it was found.
MAX_TILT, MAX_SHIFT = 0.25, 0.3
# The innermost point of each of these cells around the bore bounds a step.
AROUND, ALONG = 180, 16


@dataclass(frozen=True)
class Bore:
    """Diameter and length along the axis in mm, a point on the axis halfway, the unit axis, and the share of 5-degree
    sectors that touch the cylinder.
    """

    diameter: float
    axis: Place
    center: Place
    length: float
    coverage: float

    @property
    def fits(self) -> str | None:
        """`finger`, `arm`, or None when the hole is neither or is not a hole that closes around something."""
        if self.coverage <= COVERAGE:
            return None
        if FINGER[0] <= self.diameter <= FINGER[1]:
            return "finger"
        return "arm" if ARM[0] <= self.diameter <= ARM[1] else None


def find_bore(vertices: Points, faces: Faces) -> Bore | None:
    """The largest bore near one of the coordinate or principal axes, or None when there is no hole."""
    samples = _samples(vertices, faces)
    thin = _thinned(samples)
    rough: list[tuple[float, NDArray[np.float64], NDArray[np.float64]]] = []
    for axis in _axes(thin):
        frame = frame_of(axis)
        found = _largest_circle((thin @ frame)[:, :2])
        if found and not _covered(vertices @ frame, faces, found[1]):
            rough.append((found[0], frame, found[1]))
    if not rough:
        return None
    # The first of nearly equal axes: coordinate axes come before principal ones.
    widest = max(radius for radius, _, _ in rough)
    _, frame, center = next(found for found in rough if found[0] >= widest * 0.98)
    return _refine(samples, frame, center)


def frame_of(axis: NDArray[np.float64]) -> NDArray[np.float64]:
    """Three unit columns at right angles, `axis` the last."""
    side = np.cross(axis, np.eye(3)[int(np.abs(axis).argmin())])
    side /= np.linalg.norm(side)
    return np.column_stack([side, np.cross(axis, side), axis])


def _axes(points: Points) -> list[NDArray[np.float64]]:
    axes = list(np.eye(3))
    for principal in np.linalg.svd(np.cov(points.T))[2]:
        if all(abs(float(principal @ axis)) < 0.9998 for axis in axes):
            axes.append(principal)
    return axes


def _samples(vertices: Points, faces: Faces) -> Points:
    """The vertices, and points along long edges, so that no long triangle can cross the bore unseen."""
    start, stop = vertices[faces.ravel()], vertices[faces[:, [1, 2, 0]].ravel()]
    arm = stop - start
    pieces = np.ceil(np.sqrt(np.einsum("ij,ij->i", arm, arm)) / EDGE_STEP).astype(int)
    long = np.flatnonzero(pieces > 2)
    # Each edge of a closed surface is walked both ways: once is enough.
    long = long[(start[long] < stop[long]).argmax(axis=1) <= (start[long] > stop[long]).argmax(axis=1)]
    start, stop, pieces = start[long], stop[long], np.minimum(pieces[long], 200)
    inner = pieces - 1
    if not len(long) or inner.sum() > MAX_SAMPLES:
        return vertices
    owner = np.repeat(np.arange(len(pieces)), inner)
    step = np.arange(len(owner)) - np.repeat(np.cumsum(inner) - inner, inner) + 1
    share = (step / pieces[owner])[:, None]
    return np.vstack([vertices, start[owner] * (1 - share) + stop[owner] * share])


def _thinned(points: Points) -> Points:
    """One point of each cell of a grid across the piece."""
    scale = CELLS / max(float(np.ptp(points, axis=0).max()), 1e-9)
    cells = ((points - points.min(axis=0)) * scale).astype(np.int64)
    keys = (cells[:, 0] * (CELLS + 1) + cells[:, 1]) * (CELLS + 1) + cells[:, 2]
    holder = np.full((CELLS + 1) ** 3, -1, np.int32)
    holder[keys] = np.arange(len(keys))
    return points[holder[holder >= 0]]


def _largest_circle(points: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]] | None:
    """(radius, center) of the largest empty circle whose center lies within the hull, to a cell of the map."""
    low, grain = points.min(axis=0), float(np.ptp(points, axis=0).max()) / CELLS
    if len(points) < 20 or grain <= 0:
        return None
    try:
        hull = ConvexHull(points)
    except (QhullError, ValueError):
        return None
    shape = np.ceil(np.ptp(points, axis=0) / grain).astype(int) + 1
    empty = np.ones(shape, bool)
    empty[tuple(np.round((points - low) / grain).astype(int).clip(max=shape - 1).T)] = False
    distance = distance_transform_edt(empty)
    for cell in np.argsort(distance, axis=None)[::-1][:4000]:
        at = np.array(np.unravel_index(cell, shape))
        center = low + at * grain
        if (hull.equations[:, :2] @ center + hull.equations[:, 2] <= -1e-6).all():
            return float(distance[tuple(at)]) * grain, center
    return None


def _covered(projected: Points, faces: Faces, center: NDArray[np.float64]) -> bool:
    """True when some triangle lies over the center, seen along the axis: then it is no passage."""
    x, y = projected[:, 0] - center[0], projected[:, 1] - center[1]
    # A triangle over the center has corners on both sides of it.
    left = x[faces] < 0
    sides = left.sum(axis=1)
    near = faces[(sides > 0) & (sides < 3)]
    a, b, c = np.stack([x, y], axis=1)[near.T]
    turns = [u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0] for u, v in ((a, b), (b, c), (c, a))]
    signs = np.sign(turns)
    return bool(((signs > 0).all(axis=0) | (signs < 0).all(axis=0)).any())


def _refine(samples: Points, frame: NDArray[np.float64], center: NDArray[np.float64]) -> Bore:
    axis = start_axis = frame[:, 2]
    origin = start = frame[:, :2] @ center + axis * float(samples.mean(axis=0) @ axis)
    placed, distance = _around(samples, origin, axis)
    first = float(distance.min())
    near = samples[distance < first * 1.3 + 1.0]
    best, kept, reach = -1.0, (origin, axis), REACH
    for _ in range(ROUNDS):
        placed, distance = _around(near, origin, axis)
        radius = float(distance.min())
        # A hole is widened where it is found; on a shape that is no ring the search would run away.
        stays = math.dist(origin, start) <= MAX_SHIFT * first + 0.1 and float(axis @ start_axis) >= math.cos(MAX_TILT)
        if stays and radius > best:
            gained, best, kept = radius - best, radius, (origin, axis)
            if gained < STEP:
                break
        else:
            reach *= 0.35
            if reach < STEP:
                break
            origin, axis = kept
            placed, distance = _around(near, origin, axis)
        step = _step(placed, distance, reach)
        if step is None:
            break
        frame = frame_of(axis)
        origin = origin + frame[:, :2] @ step[:2]
        axis = frame @ np.array([step[2], step[3], 1.0])
        axis = axis / np.linalg.norm(axis)
    origin, axis = kept
    placed, distance = _around(samples, origin, axis)
    radius = float(distance.min())
    touching = placed[distance < radius + TOUCH]
    sectors = np.unique(np.floor(np.arctan2(touching[:, 1], touching[:, 0]) / (2 * math.pi) * SECTORS) % SECTORS)
    low, high = float(placed[:, 2].min()), float(placed[:, 2].max())
    halfway = origin + axis * ((low + high) / 2.0)
    return Bore(
        diameter=2 * radius,
        axis=(float(axis[0]), float(axis[1]), float(axis[2])),
        center=(float(halfway[0]), float(halfway[1]), float(halfway[2])),
        length=high - low,
        coverage=len(sectors) / SECTORS,
    )


def _around(
    points: Points, origin: NDArray[np.float64], axis: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(points in the frame of the axis, their distance from it)."""
    placed = (points - origin) @ frame_of(axis)
    return placed, np.hypot(placed[:, 0], placed[:, 1])


def _step(placed: NDArray[np.float64], distance: NDArray[np.float64], reach: float) -> NDArray[np.float64] | None:
    """Shift and tilt (x, y, and their slopes along the axis) that widen the clear cylinder most, to first order."""
    around = ((np.arctan2(placed[:, 1], placed[:, 0]) / (2 * math.pi) % 1.0) * AROUND).astype(np.int64) % AROUND
    z = placed[:, 2]
    height = max(float(np.abs(z).max()), 1e-6)
    along = ((z + height) / (2 * height) * ALONG).astype(np.int64).clip(max=ALONG - 1)
    order = np.lexsort((distance, around * ALONG + along))
    keys = (around * ALONG + along)[order]
    inner = order[np.r_[True, keys[1:] != keys[:-1]]]
    inner = inner[distance[inner] < distance.min() + 2.0 * reach + 0.05]
    unit = placed[inner, :2] / distance[inner, None]
    # distance_i - unit_i . (shift + z_i tilt) >= radius: maximize the radius
    rows = np.column_stack([unit, unit * z[inner, None], np.ones(len(inner))])
    slope = reach / height
    found = linprog(
        [0.0, 0.0, 0.0, 0.0, -1.0],
        A_ub=rows,
        b_ub=distance[inner],
        bounds=[(-reach, reach)] * 2 + [(-slope, slope)] * 2 + [(None, None)],
        method="highs",
    )
    return found.x if found.status == 0 else None
