"""Closed solids from lofted sections: the few shapes all models are made of.

Sections are ``(k, 2)`` polygons, paths ``(n, 3)`` points, both in millimeters. Every function returns a
``manifold3d.Manifold`` of positive volume.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import trimesh
from manifold3d import Manifold, Mesh64, OpType
from scipy.interpolate import CubicSpline

from ai_pipeline.cad.studio import placing

Array = npt.NDArray[np.float64]

SEGMENTS_AROUND = 288
"""Stations around a shank: the chord error at a 10 mm radius is 0.0006 mm."""


def solid(vertices: Array, faces: npt.NDArray[Any]) -> Manifold:
    """A manifold from an indexed closed surface, turned outside out if it was inside out.

    Raises ``ValueError`` when the surface is not a closed two-manifold.
    """
    mesh = Mesh64(np.array(vertices, np.float64, order="C"), np.array(faces, np.uint64, order="C"))
    body = Manifold(mesh)
    if body.is_empty():
        raise ValueError(f"not a closed surface: {body.status()}")
    if body.volume() < 0:
        return solid(vertices, faces[:, ::-1])
    return body


def loft(sections: Array, *, closed: bool = False, shift: int = 0) -> Manifold:
    """Skin ``(n, k, 3)`` sections into a solid.

    ``closed`` joins the last section to the first (rotated by ``shift`` points, for a twisted loop); otherwise
    both ends are capped by a fan around their centroid.
    """
    count, around, _ = sections.shape
    index = np.arange(count * around).reshape(count, around)
    rows = np.vstack([index, np.roll(index[0], shift)]) if closed else index
    a, b = rows[:-1], rows[1:]
    an, bn = np.roll(a, -1, axis=1), np.roll(b, -1, axis=1)
    faces = np.concatenate([np.stack([a, b, bn], -1).reshape(-1, 3), np.stack([a, bn, an], -1).reshape(-1, 3)])
    vertices = sections.reshape(-1, 3)
    if not closed:
        ends = np.stack([sections[0].mean(0), sections[-1].mean(0)])
        first, last = len(vertices), len(vertices) + 1
        head = np.stack([np.full(around, first), index[0], np.roll(index[0], -1)], -1)
        tail = np.stack([np.full(around, last), np.roll(index[-1], -1), index[-1]], -1)
        vertices = np.concatenate([vertices, ends])
        faces = np.concatenate([faces, head, tail])
    return solid(vertices, faces)


def spline(points: Sequence[Sequence[float]] | Array, count: int, *, closed: bool = False) -> Array:
    """``count`` points of a cubic spline through ``points``, spaced by chord length."""
    p = np.asarray(points, np.float64)
    if closed:
        p = np.vstack([p, p[:1]])
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(p, axis=0), axis=1))])
    curve = CubicSpline(along, p, bc_type="periodic" if closed else "natural")
    return np.asarray(curve(np.linspace(0, along[-1], count, endpoint=not closed)))


def frames(path: Array, *, closed: bool = False, up: Sequence[float] | None = None) -> tuple[Array, Array, Array]:
    """Unit tangents and two normals along a path.

    With ``up`` the first normal stays as close to that direction as it can; without, frames are carried along
    without twist.
    """
    tangent = np.roll(path, -1, axis=0) - np.roll(path, 1, axis=0) if closed else np.gradient(path, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    if up is not None:
        first = np.asarray(up, np.float64) - tangent * (tangent @ np.asarray(up, np.float64))[:, None]
    else:
        first = np.empty_like(path)
        seed = np.eye(3)[np.argmin(np.abs(tangent[0]))]
        first[0] = seed - tangent[0] * (seed @ tangent[0])
        for i in range(1, len(path)):
            first[i] = first[i - 1] - tangent[i] * (first[i - 1] @ tangent[i])
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    return tangent, first, np.cross(tangent, first)


def tube(path: Array, radius: float | Array, *, around: int = 36, closed: bool = False) -> Manifold:
    """A round wire along a path; open ends are rounded by half spheres."""
    r = np.broadcast_to(np.asarray(radius, np.float64), (len(path),)).copy()
    if not closed:
        cap = np.linspace(0, np.pi / 2, 9)[1:]
        start, end = path[0] - path[1], path[-1] - path[-2]
        start, end = start / np.linalg.norm(start), end / np.linalg.norm(end)
        shrink = np.maximum(np.cos(cap), 0.02)
        head = path[0] + start * (r[0] * np.sin(cap))[::-1, None]
        tail = path[-1] + end * (r[-1] * np.sin(cap))[:, None]
        path = np.vstack([head, path, tail])
        r = np.concatenate([r[0] * shrink[::-1], r, r[-1] * shrink])
    _, n, b = frames(path, closed=closed)
    t = np.linspace(0, 2 * np.pi, around, endpoint=False)
    ring = np.cos(t)[None, :, None] * n[:, None] + np.sin(t)[None, :, None] * b[:, None]
    sections = path[:, None] + ring * r[:, None, None]
    if closed:
        return loft(sections, closed=True, shift=_closing_shift(sections))
    return loft(sections)


def _closing_shift(sections: Array) -> int:
    """How far the first section must be rotated to meet the last: frames carried round a loop come back turned."""
    step = [float(np.linalg.norm(np.roll(sections[0], k, axis=0) - sections[-1])) for k in range(sections.shape[1])]
    return int(np.argmin(step))


def sweep(path: Array, section: Array, *, up: Sequence[float], closed: bool = False) -> Manifold:
    """Sweep a constant ``(k, 2)`` or a varying ``(n, k, 2)`` section; its second axis follows ``up``."""
    _, n, b = frames(path, closed=closed, up=up)
    s = np.broadcast_to(section, (len(path), *section.shape[-2:]))
    return loft(path[:, None] + s[..., :1] * b[:, None] + s[..., 1:] * n[:, None], closed=closed)


def band(profile: Callable[[float], Array], *, stations: int = SEGMENTS_AROUND) -> Manifold:
    """A ring around the Y axis; ``profile(phi)`` gives its ``(k, 2)`` section as (radius, axial) at angle phi.

    ``phi`` is 0 at the top (+Z) and grows towards +X.
    """
    phi = np.linspace(0, 2 * np.pi, stations, endpoint=False)
    s = np.stack([profile(float(a)) for a in phi])
    xyz = np.stack([s[..., 0] * np.sin(phi)[:, None], s[..., 1], s[..., 0] * np.cos(phi)[:, None]], -1)
    return loft(xyz, closed=True)


def rounded(width: float, height: float, power: float | tuple[float, float] = 2.0, count: int = 72) -> Array:
    """A superellipse section ``(count, 2)`` centered on the origin.

    Power 2 is an ellipse, 4 and more a soft rectangle; a pair gives the upper and the lower half.
    """
    upper, lower = power if isinstance(power, tuple) else (power, power)
    t = np.linspace(0, 2 * np.pi, count, endpoint=False)
    n = np.where(np.sin(t) >= 0, upper, lower)
    c, s = np.cos(t), np.sin(t)
    # Radial form: even spacing in angle keeps the corners of a soft rectangle smooth.
    r = (np.abs(c) ** n + np.abs(s) ** n) ** (-1 / n)
    return np.stack([r * c * width / 2, r * s * height / 2], -1)


def cylinder(
    radius: float, start: Sequence[float] | Array, end: Sequence[float] | Array, *, around: int = 96
) -> Manifold:
    """A straight cylinder between two points."""
    a, b = np.asarray(start, np.float64), np.asarray(end, np.float64)
    length = float(np.linalg.norm(b - a))
    matrix = placing.moved(placing.raised(b - a), a)
    return Manifold.cylinder(length, radius, circular_segments=around).transform(matrix[:3])


def sphere(radius: float, center: Sequence[float] | Array, *, around: int = 48) -> Manifold:
    """A sphere at a point."""
    x, y, z = (float(v) for v in center)
    return Manifold.sphere(radius, around).translate((x, y, z))


def torus(major: float, minor: float, center: Sequence[float] | Array, axis: Sequence[float] | Array) -> Manifold:
    """A wire ring, for rails, jump rings and loops."""
    t = np.linspace(0, 2 * np.pi, 96, endpoint=False)
    matrix = placing.raised(axis)
    path = np.stack([major * np.cos(t), major * np.sin(t), np.zeros_like(t)], -1) @ matrix[:3, :3].T
    return tube(path + np.asarray(center, np.float64), minor, around=32, closed=True)


def bore(diameter: float, length: float = 60.0) -> Manifold:
    """The finger hole as a solid to subtract: a cylinder along Y."""
    return cylinder(diameter / 2, (0, -length / 2, 0), (0, length / 2, 0), around=SEGMENTS_AROUND)


def union(parts: Iterable[Manifold]) -> Manifold:
    """All parts as one."""
    return Manifold.batch_boolean(list(parts), OpType.Add)


def from_trimesh(mesh: trimesh.Trimesh) -> Manifold:
    """A closed trimesh as a manifold."""
    return solid(np.asarray(mesh.vertices, np.float64), np.asarray(mesh.faces))


WELD_MM = 1e-5
"""Readers of mesh files merge vertices closer than this."""


def _welds(mesh: trimesh.Trimesh) -> bool:
    """Whether the mesh stays closed when it is stored in single precision and welded."""
    stored = np.asarray(mesh.vertices, np.float32).astype(np.float64)
    welded = trimesh.Trimesh(np.round(stored / WELD_MM) * WELD_MM, mesh.faces, process=False)
    welded.merge_vertices(digits_vertex=5)
    welded.update_faces(welded.nondegenerate_faces())
    return bool(welded.is_watertight)


def to_trimesh(body: Manifold) -> trimesh.Trimesh:
    """The finished solid as a mesh without slivers, which stays closed through an STL file and a reader's weld.

    Raises ``ValueError`` when the body is empty, falls into more than one part, or keeps slivers at 4 micrometers.
    """
    for tolerance in (4e-4, 1e-3, 2e-3, 4e-3):
        parts = [part for part in body.simplify(tolerance).decompose() if abs(part.volume()) > 1e-6]
        if len(parts) != 1:
            raise ValueError(f"expected one solid, found {len(parts)}")
        data = parts[0].to_mesh64()
        mesh = trimesh.Trimesh(
            np.asarray(data.vert_properties)[:, :3], np.asarray(data.tri_verts, np.int64), process=False
        )
        if _welds(mesh):
            return mesh
    raise ValueError("slivers remain")
