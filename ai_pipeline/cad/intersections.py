"""Where one surface crosses itself: Embree proposes, exact arithmetic decides.

Two triangles that cross do so at an edge of one of them, so every edge is sent through the mesh as a ray. Each hit is
then judged in doubles with Shewchuk's error bound for the orientation of four points (J. R. Shewchuk, "Adaptive
Precision Floating-Point Arithmetic", 1997), and in rational numbers where the bound does not decide. Crossings
shallower than DEPTH are the rounding of the file format, not geometry: CAD programs write them wherever two curved
faces meet, and Embree's single precision could not be sure of them either.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from numpy.typing import NDArray

from ai_pipeline.cad.mesh import edges, normals
from ai_pipeline.cad.report import Place, place_of
from ai_pipeline.cad.shape import Faces, Points

# Shewchuk's bound for orient3d in one pass of doubles.
BOUND = (7.0 + 56.0 * 2.0**-53) * 2.0**-53
# mm.
DEPTH = 1e-4
MOST_ROUNDS = 12
# Neighbors folded flat on each other have opposite normals.
FOLDED = -1.0 + 1e-9


@dataclass(frozen=True)
class Crossings:
    """How many faces cross another of the same surface, and the middle of one of them."""

    faces: int
    place: Place | None


def self_intersections(points: Points, faces: Faces) -> Crossings:
    """Faces of one surface that cross another of its faces, or lie folded on a neighbor."""
    crossing = np.zeros(len(faces), bool)
    crossing[_folded(points, faces)] = True
    ends, sides = _edges(faces)
    edge, face = _hits(points, faces, ends)
    if len(edge):
        real = _deep(points, ends[edge], faces[face])
        edge, face = edge[real], face[real]
        real = _cross(points, ends[edge], faces[face])
        crossing[face[real]] = True
        crossing[sides[edge[real]]] = True
    count = int(crossing.sum())
    if not count:
        return Crossings(0, None)
    middle = points[faces[np.flatnonzero(crossing)[0]]].mean(axis=0)
    return Crossings(count, place_of(middle))


def _folded(points: Points, faces: Faces) -> NDArray[np.int64]:
    links = edges(faces, len(points)).links
    unit, area = normals(points, faces)
    a, b = links.T
    corners = points[faces]
    longest = np.linalg.norm(corners - corners[:, [1, 2, 0]], axis=2).max(axis=1)
    solid = 2.0 * area > DEPTH * longest  # slivers have no side to lie on
    flat = (np.einsum("ij,ij->i", unit[a], unit[b]) < FOLDED) & solid[a] & solid[b]
    return np.asarray(links[flat].ravel())


def _edges(faces: Faces) -> tuple[Faces, NDArray[np.int64]]:
    """(ends of each edge once, a face that has it)."""
    start, stop = faces.ravel(), faces[:, [1, 2, 0]].ravel()
    once = np.flatnonzero(start < stop)  # a closed surface walks every edge both ways
    return np.column_stack([start[once], stop[once]]), once // 3


def _hits(points: Points, faces: Faces, ends: Faces) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(edge, face) pairs that may cross and share no corner."""
    middle = (points.min(axis=0) + points.max(axis=0)) / 2.0
    scene = EmbreeScene(robust=True)
    placed = np.ascontiguousarray(points - middle, np.float32)
    TriangleMesh(scene, placed, faces.astype(np.int32))
    start = placed[ends[:, 0]]
    along = placed[ends[:, 1]] - start
    length = np.linalg.norm(along, axis=1)
    usable = np.flatnonzero(length > 1e-6)
    start, length = start[usable], length[usable]
    along = along[usable] / length[:, None]
    left = np.arange(len(usable))
    edge: list[NDArray[np.int64]] = []
    face: list[NDArray[np.int64]] = []
    gone = np.zeros(len(usable), np.float32)
    for _ in range(MOST_ROUNDS):
        origin = start[left] + along[left] * gone[left, None]
        found = scene.run(origin, along[left], dists=length[left] - gone[left], output=True)
        hit = found["primID"] >= 0
        left, prim, depth = left[hit], found["primID"][hit], found["tfar"][hit]
        if not len(left):
            break
        mine = ends[usable[left]]
        corners = faces[prim]
        apart = ~((corners == mine[:, :1]) | (corners == mine[:, 1:])).any(axis=1)
        edge.append(usable[left[apart]])
        face.append(prim[apart].astype(np.int64))
        gone[left] += depth + np.maximum(1e-5, 1e-4 * length[left])
        left = left[gone[left] < length[left]]
    if not edge:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    return np.concatenate(edge), np.concatenate(face)


def _deep(points: Points, ends: Faces, corners: Faces) -> NDArray[np.bool_]:
    """Whether both ends of each edge lie deeper than DEPTH on the two sides of the plane of its triangle."""
    a, b, c = points[corners.T]
    normal = np.cross(b - a, c - a)
    length = np.linalg.norm(normal, axis=1)
    normal /= np.where(length > 0, length, 1.0)[:, None]
    low, high = (np.einsum("ij,ij->i", points[end] - a, normal) for end in ends.T)
    return np.asarray((np.minimum(np.abs(low), np.abs(high)) > DEPTH) & (low * high < 0))


def _cross(points: Points, ends: Faces, corners: Faces) -> NDArray[np.bool_]:
    """Whether each edge passes properly through the inside of its triangle."""
    p, q = points[ends[:, 0]], points[ends[:, 1]]
    a, b, c = points[corners.T]
    sides = [(a, b, c, p), (a, b, c, q), (p, q, a, b), (p, q, b, c), (p, q, c, a)]
    signs = np.column_stack([_orientation(*four) for four in sides])
    through = (signs[:, 0] * signs[:, 1] < 0) & (np.abs(signs[:, 2:].sum(axis=1)) == 3)
    return np.asarray(through)


def _orientation(a: Points, b: Points, c: Points, d: Points) -> NDArray[np.int64]:
    """The sign of the volume of a, b, c, d, exact."""
    u, v, w = a - d, b - d, c - d
    vw = np.cross(v, w)
    value = np.einsum("ij,ij->i", u, vw)
    size = (
        np.abs(u[:, 0]) * (np.abs(v[:, 1] * w[:, 2]) + np.abs(v[:, 2] * w[:, 1]))
        + np.abs(u[:, 1]) * (np.abs(v[:, 2] * w[:, 0]) + np.abs(v[:, 0] * w[:, 2]))
        + np.abs(u[:, 2]) * (np.abs(v[:, 0] * w[:, 1]) + np.abs(v[:, 1] * w[:, 0]))
    )
    sign: NDArray[np.int64] = np.sign(value).astype(np.int64)
    for row in np.flatnonzero(np.abs(value) <= BOUND * size).tolist():
        sign[row] = _exact(a[row], b[row], c[row], d[row])
    return sign


def _exact(*rows: NDArray[np.float64]) -> int:
    a, b, c, d = ([Fraction(float(value)) for value in row] for row in rows)
    u, v, w = ([x - y for x, y in zip(row, d, strict=True)] for row in (a, b, c))
    value = u[0] * (v[1] * w[2] - v[2] * w[1]) + u[1] * (v[2] * w[0] - v[0] * w[2]) + u[2] * (v[0] * w[1] - v[1] * w[0])
    return (value > 0) - (value < 0)
