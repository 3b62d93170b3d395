"""The clear bore of a ring: the largest cylinder that passes through the piece and touches it all around.

For each candidate axis the points are projected; the Voronoi corners of the projection are the centers of the largest
empty
circles; the best is refined over center and tilt.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.spatial import ConvexHull, QhullError, Voronoi, cKDTree

from ai_pipeline.cad.shape import Faces, Points

# Inner diameters in mm that a finger (US 0 to 17) and an arm (children's to large bangles) can wear.
FINGER, ARM = (11.5, 25.5), (40.0, 90.0)
COVERAGE = 0.3
TOUCH = 0.05
SECTORS = 72
EDGE_STEP = 0.25
MAX_TILT, MAX_SHIFT = 0.15, 0.3
MAX_SAMPLES = 400_000
CHUNK = 4096
# Grid cells across the piece: enough to choose an axis, enough to find its center.
ROUGH_CELLS, FINE_CELLS = 200, 800


@dataclass(frozen=True)
class Bore:
    """Diameter and length along the axis in mm, unit axis, and the share of 5-degree sectors that touch the
    cylinder.
    """

    diameter: float
    axis: tuple[float, float, float]
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
    """The largest bore along one of the coordinate or principal axes, or None when there is no hole."""
    samples = _samples(vertices, faces)
    rough: list[tuple[float, NDArray[np.float64]]] = []
    for axis in _axes(vertices):
        frame = _frame(axis)
        found = _largest_circle((samples @ frame)[:, :2], ROUGH_CELLS)
        if found and not _covered(vertices @ frame, faces, found[1]):
            rough.append((found[0], frame))
    if not rough:
        return None
    # The first of nearly equal axes: coordinate axes come before principal ones.
    widest = max(radius for radius, _ in rough)
    frame = next(frame for radius, frame in rough if radius >= widest * 0.98)
    fine = _largest_circle((samples @ frame)[:, :2], FINE_CELLS)
    return _refine(samples, *fine, frame) if fine else None


def _axes(vertices: Points) -> list[NDArray[np.float64]]:
    axes = list(np.eye(3))
    for principal in np.linalg.svd(np.cov(vertices.T))[2]:
        if all(abs(float(principal @ axis)) < 0.9998 for axis in axes):
            axes.append(principal)
    return axes


def _frame(axis: NDArray[np.float64]) -> NDArray[np.float64]:
    side = np.cross(axis, np.eye(3)[int(np.abs(axis).argmin())])
    side /= np.linalg.norm(side)
    return np.column_stack([side, np.cross(axis, side), axis])


def _samples(vertices: Points, faces: Faces) -> Points:
    """The vertices, and points along long edges, so that no long triangle can cross the bore unseen."""
    start, stop = vertices[faces.ravel()], vertices[faces[:, [1, 2, 0]].ravel()]
    pieces = np.ceil(np.linalg.norm(stop - start, axis=1) / EDGE_STEP).astype(int)
    # Each edge of a closed surface is walked both ways: once is enough.
    long = (pieces > 2) & ((start < stop).argmax(axis=1) <= (start > stop).argmax(axis=1))
    start, stop, pieces = start[long], stop[long], np.minimum(pieces[long], 200)
    inner = pieces - 1
    if inner.sum() > MAX_SAMPLES:
        return vertices
    owner = np.repeat(np.arange(len(pieces)), inner)
    step = np.arange(len(owner)) - np.repeat(np.cumsum(inner) - inner, inner) + 1
    share = (step / pieces[owner])[:, None]
    return np.vstack([vertices, start[owner] * (1 - share) + stop[owner] * share])


def _largest_circle(points: NDArray[np.float64], cells_across: int) -> tuple[float, NDArray[np.float64]] | None:
    """(radius, center) of the largest empty circle whose center lies within the hull; points thinned to a grid."""
    grain = max(float(np.ptp(points, axis=0).max()) / cells_across, 1e-3)
    cells = np.round((points - points.min(axis=0)) / grain).astype(np.int64)
    _, first = np.unique(cells @ np.array([1 << 20, 1]), return_index=True)
    thin = points[first]
    if len(thin) < 20:
        return None
    try:
        hull = ConvexHull(points)
        corners = Voronoi(thin).vertices
    except (QhullError, ValueError):
        return None
    corners = corners[((corners > points.min(axis=0)) & (corners < points.max(axis=0))).all(axis=1)]
    corners = np.vstack([_within(hull, corners[place : place + CHUNK]) for place in range(0, len(corners) + 1, CHUNK)])
    if not len(corners):
        return None
    rough, _ = cKDTree(thin).query(corners)
    chosen = corners[np.argsort(rough)[-200:]]
    exact, _ = cKDTree(points).query(chosen)
    return float(exact.max()), chosen[int(exact.argmax())]


def _within(hull: ConvexHull, points: NDArray[np.float64]) -> NDArray[np.float64]:
    inside: NDArray[np.bool_] = (hull.equations[:, :2] @ points.T + hull.equations[:, 2:] <= -1e-6).all(axis=0)
    return points[inside]


def _covered(projected: Points, faces: Faces, center: NDArray[np.float64]) -> bool:
    """True when some triangle lies over the center, seen along the axis: then it is no passage."""
    a, b, c = (projected[:, :2] - center)[faces.T]
    turns = [u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0] for u, v in ((a, b), (b, c), (c, a))]
    signs = np.sign(turns)
    return bool(((signs > 0).all(axis=0) | (signs < 0).all(axis=0)).any())


def _refine(samples: Points, radius: float, center: NDArray[np.float64], frame: NDArray[np.float64]) -> Bore:
    placed = samples @ frame
    near = placed[np.linalg.norm(placed[:, :2] - center, axis=1) < radius * 1.15 + 0.3]
    middle = float(placed[:, 2].mean())

    def distances(x: NDArray[np.float64]) -> NDArray[np.float64]:
        axis = np.array([x[2], x[3], 1.0])
        axis /= np.linalg.norm(axis)
        arms = near - np.array([x[0], x[1], middle])
        along = arms @ axis
        across: NDArray[np.float64] = np.maximum((arms * arms).sum(axis=1) - along * along, 0.0)
        return np.sqrt(across)

    start = np.array([center[0], center[1], 0.0, 0.0])

    def objective(x: NDArray[np.float64]) -> float:
        # Without bounds the search runs away on shapes that are no rings.
        if np.abs(x[2:]).max() > MAX_TILT or math.dist(x[:2], center) > MAX_SHIFT * radius:
            return 1e3
        return -float(distances(x).min())

    simplex = np.vstack([start, *(start + step for step in np.diag((0.02, 0.02, 0.004, 0.004)))])
    found = minimize(
        objective,
        start,
        method="Nelder-Mead",
        options={"initial_simplex": simplex, "maxiter": 400, "xatol": 1e-5, "fatol": 1e-6},
    )
    x = found.x if -found.fun >= radius else start
    reach = distances(x)
    radius = float(reach.min())
    touching = near[reach < radius + TOUCH] - np.array([x[0], x[1], middle])
    sectors = np.unique(np.floor(np.arctan2(touching[:, 1], touching[:, 0]) / (2 * math.pi) * SECTORS) % SECTORS)
    axis = frame @ np.array([x[2], x[3], 1.0])
    axis /= np.linalg.norm(axis)
    return Bore(
        diameter=2 * radius,
        axis=(float(axis[0]), float(axis[1]), float(axis[2])),
        length=float(np.ptp(placed[:, 2])),
        coverage=len(sectors) / SECTORS,
    )
