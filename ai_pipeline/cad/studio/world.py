"""The things in front of the camera as one Embree scene with shading data."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import trimesh
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene

from ai_pipeline.cad.studio.materials import Material
from ai_pipeline.cad.studio.shading import corner_normals, flat_normals

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]

METAL, CLEAR, OPAQUE = 0, 1, 2
_KINDS = {"metal": METAL, "clear": CLEAR, "opaque": OPAQUE}


@dataclass(frozen=True)
class Part:
    """A closed mesh (mm) of one material; ``faceted`` keeps every face flat, ``beside`` is not the piece itself."""

    mesh: trimesh.Trimesh
    material: Material
    faceted: bool = False
    beside: bool = False

    @cached_property
    def corners(self) -> Floats:
        """Shading normals of the face corners ``(faces, 3, 3)``."""
        return flat_normals(self.mesh) if self.faceted else corner_normals(self.mesh)


@dataclass(frozen=True)
class Hits:
    """What rays met: ``tri`` is -1 for a miss, ``u`` and ``v`` are barycentric."""

    tri: Ints
    distance: Floats
    u: Floats
    v: Floats


class World:
    """All parts merged; immutable and safe to trace from several threads."""

    def __init__(self, parts: Sequence[Part]) -> None:
        """Build the acceleration structure and the per-triangle tables."""
        triangles = np.concatenate([np.asarray(p.mesh.triangles, np.float32) for p in parts])
        self.points = np.concatenate([np.asarray(p.mesh.vertices, np.float64) for p in parts])
        self._scene = EmbreeScene()
        TriangleMesh(self._scene, np.ascontiguousarray(triangles))
        self._scene.run(np.zeros((1, 3), np.float32), np.ones((1, 3), np.float32))
        self.corners = np.concatenate([p.corners for p in parts])
        self.faces = np.concatenate([np.asarray(p.mesh.face_normals, np.float32) for p in parts])
        self.part = np.concatenate([np.full(len(p.mesh.faces), i, np.int32) for i, p in enumerate(parts)])
        materials = [p.material for p in parts]
        self.kind = np.array([_KINDS[m.kind] for m in materials], np.int8)
        self.f0 = np.array([m.f0 for m in materials], np.float32)
        self.ior = np.array([m.ior for m in materials], np.float32)
        self.absorb = np.array([m.absorb for m in materials], np.float32)
        self.albedo = np.array([m.albedo for m in materials], np.float32)

    def cast(self, origins: Floats, directions: Floats) -> Hits:
        """First hit of each ray ``(n, 3)``; directions are unit vectors."""
        r = self._scene.run(np.ascontiguousarray(origins), np.ascontiguousarray(directions), output=True)
        return Hits(r["primID"], r["tfar"], r["u"], r["v"])

    def occluded(self, origins: Floats, directions: Floats) -> npt.NDArray[np.bool_]:
        """Whether each ray meets anything."""
        hit = self._scene.run(np.ascontiguousarray(origins), np.ascontiguousarray(directions), query="OCCLUDED")
        return np.asarray(hit != -1)

    def normals(self, tri: Ints, u: Floats, v: Floats) -> Floats:
        """Interpolated unit shading normals."""
        c = self.corners[tri]
        n = c[:, 0] * (1 - u - v)[:, None] + c[:, 1] * u[:, None] + c[:, 2] * v[:, None]
        n /= np.sqrt(np.einsum("ij,ij->i", n, n))[:, None]
        return np.asarray(n, np.float32)
