"""CAD files of a piece: STL for the metal, GLB for metal and stones."""

from pathlib import Path
from typing import Any

import numpy as np
import trimesh

from ai_pipeline.cad.models.piece import Piece
from ai_pipeline.cad.studio import materials, placing
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


def _surface(name: str, color: list[int], roughness: float) -> Any:
    """A glTF metal; polished metal also stands in for stones, since viewers draw real transmission black."""
    visual: Any = trimesh.visual
    material = visual.material.PBRMaterial(
        name=name, baseColorFactor=color, metallicFactor=1.0, roughnessFactor=roughness
    )
    return visual.TextureVisuals(material=material)


def export_glb(piece: Piece, path: Path, *, alloy: str = "18k_yellow") -> None:
    """Write metal and named stones as GLB, in meters with +Y up as glTF wants.

    Nodes are named ``metal`` and ``stone_01 diamond round 6.50 mm``. Raises ``KeyError`` for an unknown alloy.
    """
    scene = trimesh.Scene()
    up = placing.turned(-90, (1, 0, 0))
    color = [round(255 * c ** (1 / 2.2)) for c in materials.alloy(alloy).f0] + [255]
    metal = _smooth(piece.metal)
    metal.visual = _surface(alloy, color, 0.12)
    scene.add_geometry(metal, node_name="metal", geom_name="metal", transform=up)
    for number, stone in enumerate(piece.stones, 1):
        name = f"stone_{number:02d} {stone.label}"
        source = stone.mesh
        mesh = trimesh.Trimesh(np.asarray(source.vertices) / MM_PER_M, source.faces, process=False)
        mesh.visual = _surface(stone.species, [235, 240, 245, 255], 0.0)
        scene.add_geometry(mesh, node_name=name, geom_name=name, transform=up)
    exporter: Any = scene
    path.write_bytes(exporter.export(file_type="glb"))
