"""CAD files of a piece: STL for the metal, GLB for metal and stones."""

from pathlib import Path

import numpy as np
import trimesh

from ai_pipeline.cad.models.piece import Piece
from ai_pipeline.cad.studio import materials
from ai_pipeline.cad.studio.shading import corner_normals

MM_PER_M = 1000.0

_STL = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])


def export_stl(piece: Piece, path: Path) -> None:
    """Write the metal alone as a binary STL in millimeters."""
    mesh = piece.metal
    rows = np.zeros(len(mesh.faces), _STL)
    rows["normal"], rows["corners"] = mesh.face_normals, mesh.triangles
    with path.open("wb") as file:
        file.write(b"metal, millimeters".ljust(80, b" ") + np.uint32(len(rows)).tobytes() + rows.tobytes())


def _smooth(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    """The mesh in meters with vertices split only where the surface has an edge, and their normals."""
    normals = corner_normals(mesh).reshape(-1, 3)
    keys = np.c_[np.asarray(mesh.faces).reshape(-1, 1), np.round(normals * 127)].astype(np.int64)
    packed = ((keys[:, 0] * 256 + keys[:, 1] + 128) * 256 + keys[:, 2] + 128) * 256 + keys[:, 3] + 128
    _, first, inverse = np.unique(packed, return_index=True, return_inverse=True)
    vertices = np.asarray(mesh.vertices)[keys[first, 0]] / MM_PER_M
    return trimesh.Trimesh(vertices, inverse.reshape(-1, 3), vertex_normals=normals[first], process=False)


def export_glb(piece: Piece, path: Path, *, alloy: str = "18k_yellow") -> None:
    """Write metal and named stones as GLB, in meters with +Y up as glTF wants.

    Nodes are named ``metal`` and ``stone_01 diamond round 6.50 mm``. Raises ``KeyError`` for an unknown alloy.
    """
    scene = trimesh.Scene()
    up = trimesh.transformations.rotation_matrix(-np.pi / 2, [1, 0, 0])
    color = [round(255 * c ** (1 / 2.2)) for c in materials.alloy(alloy).f0] + [255]
    metal = _smooth(piece.metal)
    metal.visual = trimesh.visual.TextureVisuals(
        material=trimesh.visual.material.PBRMaterial(
            name=alloy, baseColorFactor=color, metallicFactor=1.0, roughnessFactor=0.12
        )
    )
    scene.add_geometry(metal, node_name="metal", geom_name="metal", transform=up)
    for number, stone in enumerate(piece.stones, 1):
        name = f"stone_{number:02d} {stone.label}"
        mesh = stone.mesh.copy()
        mesh.apply_scale(1 / MM_PER_M)
        mesh.visual = trimesh.visual.TextureVisuals(
            material=trimesh.visual.material.PBRMaterial(
                name=stone.species, baseColorFactor=[235, 240, 245, 255], metallicFactor=1.0, roughnessFactor=0.0
            )
        )
        scene.add_geometry(mesh, node_name=name, geom_name=name, transform=up)
    path.write_bytes(scene.export(file_type="glb"))
