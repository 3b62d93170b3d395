"""Seats cut for stones, counted by their rims: sharp edges that run in a circle around empty space. A hint.

On a domed shank a rim is no plane circle and its diameter is only roughly that of the cutter; a head of prongs has no
rim and is not found.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from ai_pipeline.cad.mesh import creases
from ai_pipeline.cad.rays import Scene
from ai_pipeline.cad.report import Place, place_of
from ai_pipeline.cad.shape import Points

SHARP_DEGREES = 25.0
# Radius of a rim in mm, the part of the circle an arc must show (radians), and how round and flat it must be.
SMALLEST, LARGEST, SHORTEST_ARC = 0.35, 7.0, math.radians(50)
ROUND, FLAT, SLACK = 0.04, 0.08, 0.01
# A rim that is nearly whole may be this many times less round and flat: its shape is no accident.
WHOLE, WHOLE_FACTOR = math.radians(300), 3.0
FEWEST_POINTS, MOST_ARCS = 5, 4_000
# A seat is open to one side and to its rim, and neither shallow nor bottomless on the other,
# in shares of its radius.
OPEN, CLEAR, SHALLOWEST, DEEPEST = 1.2, 0.6, 0.4, 3.0
SPOKES = 12


@dataclass(frozen=True)
class Seat:
    """The middle of a rim and its diameter in mm."""

    place: Place
    diameter: float


@dataclass
class _Rim:
    middle: NDArray[np.float64]
    normal: NDArray[np.float64]
    radius: float
    arc: float
    floor: float = 0.0


def find_seats(scene: Scene) -> list[Seat]:
    """The seats of a closed mesh in mm."""
    points = scene.points
    rims = [rim for arc in _arcs(scene) if (rim := _fit(points[arc])) and _hollow(scene, rim)]
    rims.sort(key=lambda rim: -rim.arc * rim.radius)
    seats: list[tuple[_Rim, list[_Rim]]] = []
    for rim in rims:
        for first, group in seats:
            near = np.linalg.norm(rim.middle - first.middle) < 0.8 * first.radius
            if near and abs(float(rim.normal @ first.normal)) > 0.6:
                group.append(rim)
                break
        else:
            seats.append((rim, [rim]))
    found = []
    for first, group in seats:
        radius = float(np.median([rim.radius for rim in group]))
        if SHALLOWEST * radius <= first.floor <= DEEPEST * radius:
            found.append(Seat(place_of(first.middle), round(2.0 * radius, 3)))
    return found


def _arcs(scene: Scene) -> list[NDArray[np.int64]]:
    """Points of each run of sharp edges between forks."""
    sharp = creases(scene.points, scene.faces, SHARP_DEGREES)
    if not len(sharp):
        return []
    used, flat = np.unique(sharp, return_inverse=True)
    ends = flat.reshape(-1, 2)
    degree = np.bincount(ends.ravel(), minlength=len(used))
    plain = (degree[ends] == 2).all(axis=1)
    graph = coo_matrix((np.ones(int(plain.sum()), bool), ends[plain].T), shape=(len(used), len(used)))
    _, run = connected_components(graph, directed=False)
    keep = degree == 2
    order = np.argsort(run[keep], kind="stable")
    members = used[keep][order]
    cuts = np.flatnonzero(np.diff(run[keep][order])) + 1
    arcs = [arc for arc in np.split(members, cuts) if len(arc) >= FEWEST_POINTS]
    return sorted(arcs, key=len, reverse=True)[:MOST_ARCS]


def _fit(points: Points) -> _Rim | None:
    """The circle through an arc, or None when the arc is not one."""
    middle = points.mean(axis=0)
    _, _, axes = np.linalg.svd(points - middle, full_matrices=False)
    x, y = (points - middle) @ axes[0], (points - middle) @ axes[1]
    solution = np.linalg.lstsq(np.column_stack([2 * x, 2 * y, np.ones(len(x))]), x * x + y * y, rcond=None)[0]
    radius = math.sqrt(max(float(solution[2] + solution[0] ** 2 + solution[1] ** 2), 0.0))
    if not SMALLEST <= radius <= LARGEST:
        return None
    center = middle + solution[0] * axes[0] + solution[1] * axes[1]
    uneven = np.abs(np.hypot(x - solution[0], y - solution[1]) - radius).max()
    bent = np.abs((points - center) @ axes[2]).max()
    angles = np.sort(np.arctan2(y - solution[1], x - solution[0]))
    gap = max(float(np.diff(angles).max()), float(angles[0] + 2 * math.pi - angles[-1]))
    arc = 2 * math.pi - gap
    bound = WHOLE_FACTOR if arc >= WHOLE else 1.0
    if arc < SHORTEST_ARC or uneven > bound * ROUND * radius + SLACK or bent > bound * FLAT * radius + SLACK:
        return None
    return _Rim(center, axes[2], radius, arc)


def _hollow(scene: Scene, rim: _Rim) -> bool:
    """Whether the middle of the rim is empty and open to one side; sets the depth of its floor."""
    side = np.cross(rim.normal, np.eye(3)[int(np.abs(rim.normal).argmin())])
    side /= np.linalg.norm(side)
    turns = np.linspace(0.0, 2 * math.pi, SPOKES, endpoint=False)
    spokes = np.outer(np.cos(turns), side) + np.outer(np.sin(turns), np.cross(rim.normal, side))
    rays = np.vstack([spokes, rim.normal, -rim.normal])
    distance, face = scene.shoot(np.broadcast_to(rim.middle, rays.shape), rays)
    leaving = (face >= 0) & (np.einsum("ij,ij->i", scene.normals[face], rays) > 0)
    if leaving.sum() > 4:  # the middle lies in metal
        return False
    above, below = float(distance[SPOKES]), float(distance[SPOKES + 1])
    rim.floor = min(above, below)
    return bool(np.median(distance[:SPOKES]) >= CLEAR * rim.radius and max(above, below) >= OPEN * rim.radius)
