"""Rays against a closed mesh: Embree finds the triangle, the distance is then worked out in double precision."""

from functools import cached_property

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from numpy.typing import NDArray

from ai_pipeline.cad.mesh import normals
from ai_pipeline.cad.shape import Faces, Points

# What float32 loses on a piece of jewelry, mm: rays start this far off the surface they leave.
START = 2e-4
# Cosine within which a surface faces a direction.
FACING = 0.5


class Scene:
    """A mesh to shoot at. `normals` (unit) and `areas` are those of its faces."""

    def __init__(self, points: Points, faces: Faces) -> None:
        self.points, self.faces = points, faces
        self.normals, self.areas = normals(points, faces)
        # Embree works in single precision: near the origin it has the most digits.
        self._middle = (points.min(axis=0) + points.max(axis=0)) / 2.0
        self._scene = EmbreeScene(robust=True)
        TriangleMesh(self._scene, np.ascontiguousarray(points - self._middle, np.float32), faces.astype(np.int32))

    @cached_property
    def boxes(self) -> tuple[Points, Points]:
        """(low, high) corners of the box of each face."""
        a, b, c = self.points[self.faces.T]
        return np.minimum(np.minimum(a, b), c), np.maximum(np.maximum(a, b), c)

    def shoot(
        self, starts: Points, directions: Points, reach: NDArray[np.float64] | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
        """(distance in mm, face hit) of the first hit of each ray; infinity and -1 without one within `reach`.

        Directions are unit vectors.
        """
        starts_f = np.ascontiguousarray(starts - self._middle, np.float32)
        directions_f = np.ascontiguousarray(directions, np.float32)
        reach_f = None if reach is None else np.ascontiguousarray(reach, np.float32)
        found = self._scene.run(starts_f, directions_f, dists=reach_f, output=True)
        face = found["primID"]
        hit = face >= 0
        distance = np.full(len(starts), np.inf)
        normal = self.normals[face[hit]]
        slope = np.einsum("ij,ij->i", normal, directions[hit])
        height = np.einsum("ij,ij->i", normal, self.points[self.faces[face[hit], 0]] - starts[hit])
        rough = found["tfar"][hit].astype(np.float64)
        # A grazing hit gains nothing from its plane.
        distance[hit] = np.where(np.abs(slope) > 0.05, height / np.where(slope == 0, 1.0, slope), rough)
        return distance, face


def spread(scene: Scene, pitch: float, fewest: int, most: int) -> tuple[Points, NDArray[np.int64], float]:
    """(points spread evenly over the surface, the face of each, the pitch used in mm); the same for the same mesh."""
    total = float(scene.areas.sum())
    count = int(np.clip(total / pitch**2, fewest, most))
    sums = np.cumsum(scene.areas)
    owner = np.searchsorted(sums, (np.arange(count) + 0.5) * (total / count)).clip(max=len(sums) - 1)
    # The additive sequence of the plastic number fills a triangle evenly without a random generator.
    u = (0.5 + 0.7548776662466927 * np.arange(count)) % 1.0
    v = (0.5 + 0.5698402909980532 * np.arange(count)) % 1.0
    over = u + v > 1.0
    u[over], v[over] = 1.0 - u[over], 1.0 - v[over]
    a, b, c = scene.points[scene.faces[owner]].transpose(1, 0, 2)
    return a + u[:, None] * (b - a) + v[:, None] * (c - a), owner, (total / count) ** 0.5


def ball(scene: Scene, point: NDArray[np.float64], reach: float, along: NDArray[np.float64] | None = None) -> float:
    """Distance in mm from `point` to the nearest triangle, or infinity when none is within `reach`.

    With a unit vector `along`, only to triangles that face that way or the opposite one, within FACING.
    """
    low, high = scene.boxes
    near = np.flatnonzero(((point >= low - reach) & (point <= high + reach)).all(axis=1))
    if along is not None:
        near = near[np.abs(scene.normals[near] @ along) > FACING]
    if not len(near):
        return float("inf")
    a, b, c = scene.points[scene.faces[near].T]
    return float(to_triangles(np.broadcast_to(point, (len(near), 3)), a, b, c).min())


def to_triangles(p: Points, a: Points, b: Points, c: Points) -> NDArray[np.float64]:
    """Distance of each point to its triangle: to the plane where it projects inside, else to the nearest side."""
    normal = np.cross(b - a, c - a)
    length = np.linalg.norm(normal, axis=1)
    normal = normal / np.where(length > 0, length, 1.0)[:, None]
    inside = length > 0
    nearest = np.full(len(p), np.inf)
    for start, stop in ((a, b), (b, c), (c, a)):
        edge, arm = stop - start, p - start
        inside &= np.einsum("ij,ij->i", np.cross(edge, arm), normal) >= 0
        share = np.einsum("ij,ij->i", arm, edge) / np.maximum(np.einsum("ij,ij->i", edge, edge), 1e-30)
        nearest = np.minimum(nearest, np.linalg.norm(arm - share.clip(0.0, 1.0)[:, None] * edge, axis=1))
    height = np.abs(np.einsum("ij,ij->i", p - a, normal))
    distance: NDArray[np.float64] = np.where(inside, height, nearest)
    return distance
