"""What of a mesh may move, and how far: points that are one corner, room around them, and what keeps the volume."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from ai_pipeline.cad.fingerprint.code import directions
from ai_pipeline.cad.shape import Faces, Points

#: A point moves at most this far, mm; nothing a printer or a caster does is as fine.
REACH = 0.9e-3
#: ... and at most this share of the longest side, so that a file in meters or inches with no unit is not bent.
REACH_SHARE = 4.5e-5
#: ... and at most this share of the lowest height of the triangles around it: no triangle turns over or leans visibly.
HEIGHT_SHARE = 0.1
#: No point ends farther from its place than this, mm, also after the volume was put right.
FARTHEST = 1.0e-3
#: Points closer than this, mm, are one corner written twice and move together; above the widest welding distance.
ONE_CORNER = 2e-4
#: Edge of the cell that names a point to the key, mm. Corners are further apart, reading noise is far smaller.
CELL = 1e-4


@dataclass(frozen=True)
class Corners:
    """The corners of a mesh in mm: `place` (n, 3), which of them each point of the file is (`of_point`), the facets
    over corners without collapsed ones (`faces`), how far each may move (`reach`) and its `cells` (n, 3).
    """

    place: Points
    of_point: NDArray[np.int64]
    faces: Faces
    reach: NDArray[np.float64]
    cells: NDArray[np.int64]


def corners_of(points: Points, faces: Faces) -> Corners:
    """The corners of a mesh whose `points` are in mm. The same file gives the same corners every time."""
    place, first = np.unique(points, axis=0, return_inverse=True)
    first = first.ravel()
    pairs = cKDTree(place).query_pairs(ONE_CORNER, output_type="ndarray")
    if len(pairs):
        graph = coo_matrix((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), shape=(len(place), len(place)))
        _, label = connected_components(graph, directed=False)
        # Rows of `place` are sorted, so the first of a group is the one lowest in x, then y, then z.
        _, lead, group = np.unique(label, return_index=True, return_inverse=True)
        place, of_point = place[lead], group.ravel()[first]
    else:
        of_point = first
    joined = of_point[faces]
    flat = (joined[:, 0] == joined[:, 1]) | (joined[:, 1] == joined[:, 2]) | (joined[:, 2] == joined[:, 0])
    joined = joined[~flat]
    cells = np.round(place / CELL).astype(np.int64)
    return Corners(place, of_point, joined, _reach(place, joined), cells)


def _reach(place: Points, faces: Faces) -> NDArray[np.float64]:
    a, b, c = place[faces.T]
    doubled = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    longest = np.max([np.linalg.norm(q - p, axis=1) for p, q in ((a, b), (b, c), (c, a))], axis=0, initial=0.0)
    height = doubled / np.where(longest > 0, longest, 1.0)
    lowest = np.full(len(place), np.inf)
    for column in faces.T:
        np.minimum.at(lowest, column, height)
    lowest[np.isinf(lowest)] = 0.0  # a point of no facet stays where it is
    size = float(np.ptp(place, axis=0).max())
    reach: NDArray[np.float64] = np.minimum(min(REACH, REACH_SHARE * size), HEIGHT_SHARE * lowest)
    return reach


def offsets(key: bytes, corners: Corners) -> Points:
    """How far each corner moves under `key`, mm (n, 3): the volume of every connected part stays to first order."""
    moved = directions(key, corners.cells) * corners.reach[:, None]
    slope = _volume_slope(corners)
    edges = np.vstack([corners.faces[:, :2], corners.faces[:, 1:]])
    count = len(corners.place)
    graph = coo_matrix((np.ones(len(edges), bool), (edges[:, 0], edges[:, 1])), shape=(count, count))
    parts, part = connected_components(graph, directed=False)
    weight = corners.reach**2
    gained = np.bincount(part, np.einsum("ij,ij->i", moved, slope), minlength=parts)
    give = np.bincount(part, weight * np.einsum("ij,ij->i", slope, slope), minlength=parts)
    back = np.divide(gained, give, out=np.zeros(parts), where=give > 0)
    moved -= (weight * back[part])[:, None] * slope
    largest = np.zeros(parts)
    np.maximum.at(largest, part, np.linalg.norm(moved, axis=1))
    # One factor for a whole part, so that its volume stays put.
    moved *= np.minimum(1.0, FARTHEST / np.where(largest > 0, largest, 1.0))[part][:, None]
    return moved


def _volume_slope(corners: Corners) -> Points:
    """The change of volume for a small move of each corner, mm3 per mm."""
    centered = corners.place - corners.place.mean(axis=0)
    a, b, c = centered[corners.faces.T]
    slope: Points = np.zeros_like(centered)
    for column, (p, q) in zip(corners.faces.T, ((b, c), (c, a), (a, b)), strict=True):
        normal = np.cross(p, q) / 6.0
        for axis in range(3):
            slope[:, axis] += np.bincount(column, normal[:, axis], minlength=len(slope))
    return slope
