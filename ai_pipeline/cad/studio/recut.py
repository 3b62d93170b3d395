"""Coarse round brilliants of a file, shown as the stone they stand for.

CAD libraries draw a brilliant with a girdle of 16 or so corners; a close picture would show a polygon. A stone that
measures as a round brilliant is shown with its own diameter, depth, place and tilt, cut as ``models.gems`` cuts it.
Numbers are never taken from this mesh.
"""

import numpy as np
import numpy.typing as npt
import trimesh

from ai_pipeline.cad.models.gems import brilliant
from ai_pipeline.cad.studio import placing

Doubles = npt.NDArray[np.float64]

FINE = 2_000
"""Triangles of a stone that is already drawn finely; it is shown as it is."""
DEPTHS = (0.52, 0.72)
"""Depth over diameter of round brilliants, with room for a thick girdle."""
SAME_VOLUME = 0.08


def recut(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    """The mesh of a round brilliant in place of a coarse one; the mesh itself when it may be any other cut."""
    if len(mesh.faces) > FINE or mesh.volume <= 0:
        return mesh
    table = table_normal(mesh)
    turn = placing.raised(table)
    points = np.asarray(mesh.vertices, np.float64) @ turn[:3, :3]
    low, high = points.min(0), points.max(0)
    center, diameter, depth = (low + high) / 2, float((high - low)[:2].max()), float((high - low)[2])
    if not DEPTHS[0] < depth / diameter < DEPTHS[1]:
        return mesh
    fresh = brilliant("round", diameter, diameter)
    own = np.asarray(fresh.vertices, np.float64)
    own = own * [1, 1, depth / float(np.ptp(own[:, 2]))]
    own += [center[0], center[1], high[2] - own[:, 2].max()]
    made = trimesh.Trimesh(own @ turn[:3, :3].T, fresh.faces, process=False)
    return made if abs(made.volume / mesh.volume - 1) < SAME_VOLUME else mesh


def table_normal(mesh: trimesh.Trimesh) -> Doubles:
    """The outward normal of the largest facet."""
    normals = np.round(np.asarray(mesh.face_normals, np.float64), 2)
    _, group = np.unique(normals, axis=0, return_inverse=True)
    largest = int(np.bincount(group.ravel(), np.asarray(mesh.area_faces)).argmax())
    own = np.asarray(mesh.face_normals, np.float64)[group.ravel() == largest].mean(0)
    return np.asarray(own / np.linalg.norm(own))
