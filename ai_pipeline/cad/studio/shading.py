"""Normals for smooth shading that keep real edges."""

import numpy as np
import numpy.typing as npt
import trimesh

Floats = npt.NDArray[np.float32]

CREASE_DEG = 32.0
"""Faces that meet at a sharper angle keep their edge."""


def corner_normals(mesh: trimesh.Trimesh, crease_deg: float = CREASE_DEG) -> Floats:
    """Unit normals ``(faces, 3, 3)``, one per face corner.

    A corner averages those faces around its vertex that lie within the crease angle of its own face, weighted by
    their angle there. Unlike smoothing groups this never leaks around the end of an edge.
    """
    faces = np.asarray(mesh.faces)
    normals = np.asarray(mesh.face_normals, np.float64)
    count = len(faces)
    corner_vertex = faces.ravel()
    corner_face = np.repeat(np.arange(count), 3)
    weight = np.asarray(mesh.face_angles).ravel()
    # Slivers left by boolean operations have wide angles but no area: they must not steer their neighbors.
    weight = weight * np.minimum(np.repeat(mesh.area_faces, 3) / (np.median(mesh.area_faces) * 0.02 + 1e-12), 1.0)
    order = np.argsort(corner_vertex, kind="stable")
    sizes = np.bincount(corner_vertex, minlength=len(mesh.vertices))
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    total = normals[corner_face] * 1e-9
    limit = np.cos(np.radians(crease_deg))
    for step in range(int(sizes.max(initial=0))):
        active = np.flatnonzero(sizes[corner_vertex] > step)
        other = order[starts[corner_vertex[active]] + step]
        near = np.einsum("ij,ij->i", normals[corner_face[active]], normals[corner_face[other]]) > limit
        active, other = active[near], other[near]
        total[active] += normals[corner_face[other]] * weight[other, None]
    total /= np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-20)
    return total.reshape(count, 3, 3).astype(np.float32)


def flat_normals(mesh: trimesh.Trimesh) -> Floats:
    """Face normals repeated for the three corners, for cut stones."""
    return np.repeat(np.asarray(mesh.face_normals, np.float32)[:, None], 3, axis=1)
