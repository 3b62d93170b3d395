"""A fine cable chain for pictures of pendants: shown, never part of the CAD."""

import numpy as np
import numpy.typing as npt
import trimesh

from ai_pipeline.cad.models import solids

Array = npt.NDArray[np.float64]

LINK = (2.0, 1.35, 0.17)
"""Outer length, outer width and wire radius of a link in millimeters."""


def _link() -> trimesh.Trimesh:
    """One oval link in the XY plane, long side along X."""
    length, width, wire = LINK
    t = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    oval = np.stack([np.cos(t) * (length / 2 - wire), np.sin(t) * (width / 2 - wire), np.zeros_like(t)], -1)
    mesh = solids.tube(oval, wire, around=10, closed=True).to_mesh64()
    return trimesh.Trimesh(np.asarray(mesh.vert_properties)[:, :3], np.asarray(mesh.tri_verts, np.int64), process=False)


def along(path: Array) -> trimesh.Trimesh:
    """Links along a path, each turned a quarter against the last."""
    pitch = LINK[0] - 2.6 * LINK[2]
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    at = np.arange(0, length[-1], pitch)
    points = np.stack([np.interp(at, length, path[:, k]) for k in range(3)], -1)
    tangent, n, b = solids.frames(points)
    link = _link()
    links = []
    for i in range(len(points)):
        matrix = np.eye(4)
        spin = np.pi / 4 + (np.pi / 2) * (i % 2)
        side = np.cos(spin) * n[i] + np.sin(spin) * b[i]
        matrix[:3, 0], matrix[:3, 1], matrix[:3, 2] = tangent[i], side, np.cross(tangent[i], side)
        matrix[:3, 3] = points[i]
        links.append(link.copy().apply_transform(matrix))
    vertices = np.concatenate([m.vertices for m in links])
    faces = np.concatenate([m.faces + i * len(link.vertices) for i, m in enumerate(links)])
    return trimesh.Trimesh(vertices, faces, process=False)


def strands(
    through: tuple[float, float, float], *, eye: bool = False, rise: float = 60.0
) -> tuple[trimesh.Trimesh, ...]:
    """A chain that passes through a loop at ``through`` and rises to both sides like a necklace.

    ``eye`` says that the loop opens to the front, so that the chain passes from front to back.
    """
    x, y, z = through
    depth = 1.1 if eye else 0.0
    half = [(0.06, 0.12, 0.4), (0.26, 0.52, 0.0), (0.52, 1.0, 0.0)]
    left = [(x - out * rise, y - depth * bow, z + up * rise) for out, up, bow in reversed(half)]
    right = [(x + out * rise, y + depth * bow, z + up * rise) for out, up, bow in half]
    loop = [(x - 1.2, y - depth, z + 1.0), (x, y, z + 0.05), (x + 1.2, y + depth, z + 1.0)]
    path = [*left, *loop, *right]
    return (along(solids.spline(path, 900)),)
