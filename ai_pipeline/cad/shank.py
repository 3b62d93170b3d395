"""Width and thickness of a ring's shank at four points, from cuts through the axis of its bore."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from ai_pipeline.cad.bore import Bore, frame_of
from ai_pipeline.cad.report import Place, place_of
from ai_pipeline.cad.shape import Faces, Points

# Degrees from the head: the head itself, the sides, the bottom.
QUARTERS = (0, 90, 180, 270)
# What lies this close to the bore belongs to the shank, mm; what stands out by more than this share is a head.
NEAR, HEAD = 0.3, 0.05


@dataclass(frozen=True)
class Cut:
    """The shank at one angle: extent along the axis and away from it (mm), and the middle of the cut."""

    angle: int
    width: float
    thickness: float
    place: Place


def cuts(points: Points, faces: Faces, bore: Bore, stones: Points) -> list[Cut]:
    """The shank at the QUARTERS, as far as metal is met there. `stones` are the middles of the stones."""
    axis = np.array(bore.axis)
    placed = points - np.array(bore.center)
    up = head_of(points, bore, stones)
    side = np.cross(axis, up)
    found = []
    for angle in QUARTERS:
        turn = np.radians(angle)
        out = np.cos(turn) * up + np.sin(turn) * side
        cut = _cut(placed, faces, axis, out, bore.diameter / 2.0)
        if cut:
            (low_r, high_r), (low_z, high_z) = cut
            middle = np.array(bore.center) + out * (low_r + high_r) / 2.0 + axis * (low_z + high_z) / 2.0
            found.append(Cut(angle, high_z - low_z, high_r - low_r, place_of(middle)))
    return found


def head_of(points: Points, bore: Bore, stones: Points) -> NDArray[np.float64]:
    """The unit direction of the top: where the stones are, else what stands out, else up in the drawing."""
    axis = np.array(bore.axis)
    placed, stones = points - np.array(bore.center), stones - np.array(bore.center)

    def across(direction: NDArray[np.float64]) -> NDArray[np.float64]:
        flat: NDArray[np.float64] = direction - axis * float(direction @ axis)
        return flat

    if len(stones):
        toward = across(stones.mean(axis=0))
        if np.linalg.norm(toward) > 1.0:
            return toward / np.linalg.norm(toward)
    flat = placed - np.outer(placed @ axis, axis)
    reach = np.linalg.norm(flat, axis=1)
    farthest = reach.argmax()
    # A head is where the outline is high; a band of even height has none.
    frame = frame_of(axis)
    sector = np.floor(np.arctan2(flat @ frame[:, 1], flat @ frame[:, 0]) / (2 * np.pi) * 36).astype(int) % 36
    outline = np.zeros(36)
    np.maximum.at(outline, sector, reach)
    if reach[farthest] > (1.0 + HEAD) * float(np.median(outline[outline > 0])):
        high = flat[reach > reach[farthest] * (1.0 - HEAD / 2.0)].mean(axis=0)
        if np.linalg.norm(high) > 0.5 * reach[farthest]:
            return np.asarray(high / np.linalg.norm(high))
    up = across(np.eye(3)[2] if abs(axis[2]) < 0.7 else np.eye(3)[1])
    return up / np.linalg.norm(up)


def _cut(
    placed: Points, faces: Faces, axis: NDArray[np.float64], out: NDArray[np.float64], radius: float
) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """((inner, outer) distance from the axis, (low, high) along it) of the metal at the bore in a half plane."""
    aside = placed @ np.cross(axis, out)
    sides = (aside[faces] >= 0).sum(axis=1)
    crossed = faces[(sides > 0) & (sides < 3)]
    if not len(crossed):
        return None
    start = crossed.ravel()
    stop = crossed[:, [1, 2, 0]].ravel()
    cross = (aside[start] >= 0) != (aside[stop] >= 0)
    start, stop = np.minimum(start[cross], stop[cross]), np.maximum(start[cross], stop[cross])
    share = (aside[start] / (aside[start] - aside[stop]))[:, None]
    spots = placed[start] * (1 - share) + placed[stop] * share
    r, z = spots @ out, spots @ axis
    # Two crossed edges of each triangle are linked; the same edge belongs to two triangles.
    _, number = np.unique(start * len(placed) + stop, return_inverse=True)
    pairs = number.reshape(-1, 2)
    count = int(number.max()) + 1
    graph = coo_matrix((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    loop = connected_components(graph, directed=False)[1][number]
    inner = np.full(int(loop.max()) + 1, np.inf)
    np.minimum.at(inner, loop, np.where(r > 0, r, np.inf))
    nearest = float(inner.min())
    if not np.isfinite(nearest):
        return None
    mine = (inner[loop] <= max(radius, nearest) + NEAR) & (r > 0)
    return (float(r[mine].min()), float(r[mine].max())), (float(z[mine].min()), float(z[mine].max()))
