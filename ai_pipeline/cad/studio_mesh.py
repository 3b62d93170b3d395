"""The owner's own view of a CAD file: real millimeters in the file's own coordinates, with the wall at every point.

One node per part, named `body-<index>`; the float attribute `_WALL` is the thickness in mm there, -1 where no wall was
measured. Unlike the public preview this is the CAD's own size and shape: for nobody but its owner.
"""

import hashlib
import json
import struct
from pathlib import Path
from typing import Any

import fast_simplification
import numpy as np
from numpy.typing import NDArray

from ai_pipeline.cad.mesh import normals, shaded
from ai_pipeline.cad.report import StudioMesh
from ai_pipeline.cad.shape import Faces, Points
from ai_pipeline.cad.solids import Shell
from ai_pipeline.cad.walls import Walls

MAX_FACES = 60_000
FEWEST_FACES = 60
AGGRESSION = 5
SMOOTH_DEGREES = 35.0
FLOAT, UNSIGNED_INT = 5126, 5125
VERTEX_BUFFER, INDEX_BUFFER = 34962, 34963
METAL = {"baseColorFactor": [1.0, 0.79, 0.43, 1.0], "metallicFactor": 1.0, "roughnessFactor": 0.25}
STONE = {"baseColorFactor": [0.93, 0.96, 1.0, 1.0], "metallicFactor": 1.0, "roughnessFactor": 0.0}


def write_studio(
    metal: list[Shell], stones: list[Shell], walls: Walls | None, target: Path, *, z_up: bool
) -> StudioMesh:
    """Write `target` of at most MAX_FACES triangles; `z_up` is noted for the viewer, the points stay as they are."""
    total = sum(len(shell.faces) for shell in metal + stones)
    share = min(1.0, MAX_FACES / total)
    if share < 1.0:  # parts too small to be reduced take their triangles from the others
        small = sum(len(shell.faces) for shell in metal + stones if len(shell.faces) * share < FEWEST_FACES)
        share = max((MAX_FACES - small) / max(total - small, 1), 0.02)
    writer = _Writer(z_up)
    count = 0
    for shells, material in ((metal, 0), (stones, 1)):
        for shell in shells:
            points, faces = _reduced(shell, share)
            limit = SMOOTH_DEGREES if material == 0 else 0.0
            placed, directions, order = shaded(points, faces, limit)
            thickness = walls.nearest(placed) if walls and material == 0 else np.full(len(placed), -1.0)
            writer.part(f"body-{shell.index}", placed, directions, thickness, order, material)
            count += len(order)
    data = writer.finish()
    target.write_bytes(data)
    return StudioMesh(name=target.name, faces=count, bytes=len(data), sha256=hashlib.sha256(data).hexdigest())


def _reduced(shell: Shell, share: float) -> tuple[Points, Faces]:
    wanted = int(len(shell.faces) * share)
    if share >= 1.0 or wanted < FEWEST_FACES:
        return shell.vertices, shell.faces
    middle = shell.vertices.mean(axis=0)
    points, faces = fast_simplification.simplify(
        (shell.vertices - middle).astype(np.float32), shell.faces.astype(np.int32), target_count=wanted, agg=AGGRESSION
    )
    if not len(faces) or not (normals(points.astype(np.float64), faces)[1] > 0).any():
        return shell.vertices, shell.faces
    return points.astype(np.float64) + middle, faces.astype(np.int64)


class _Writer:
    """Collects parts and writes one GLB."""

    def __init__(self, z_up: bool) -> None:
        self._blob = bytearray()
        self._views: list[dict[str, Any]] = []
        self._accessors: list[dict[str, Any]] = []
        self._meshes: list[dict[str, Any]] = []
        self._nodes: list[dict[str, Any]] = []
        self._up = "z" if z_up else "y"

    def part(
        self, name: str, points: Points, directions: Points, wall: NDArray[np.float64], faces: Faces, material: int
    ) -> None:
        """Add one node."""
        position = points.astype("<f4")
        bounds = {"min": position.min(axis=0).tolist(), "max": position.max(axis=0).tolist()}
        attributes = {
            "POSITION": self._accessor(position, FLOAT, "VEC3", VERTEX_BUFFER, **bounds),
            "NORMAL": self._accessor(directions.astype("<f4"), FLOAT, "VEC3", VERTEX_BUFFER),
            "_WALL": self._accessor(wall.astype("<f4"), FLOAT, "SCALAR", VERTEX_BUFFER),
        }
        indices = self._accessor(faces.astype("<u4").ravel(), UNSIGNED_INT, "SCALAR", INDEX_BUFFER)
        primitive = {"attributes": attributes, "indices": indices, "material": material}
        self._meshes.append({"name": name, "primitives": [primitive]})
        self._nodes.append({"name": name, "mesh": len(self._meshes) - 1})

    def finish(self) -> bytes:
        """The file."""
        document = {
            "asset": {"version": "2.0"},
            "scene": 0,
            "scenes": [{"nodes": list(range(len(self._nodes))), "extras": {"up": self._up, "unit": "mm"}}],
            "nodes": self._nodes,
            "meshes": self._meshes,
            "materials": [{"pbrMetallicRoughness": METAL}, {"pbrMetallicRoughness": STONE}],
            "buffers": [{"byteLength": len(self._blob)}],
            "bufferViews": self._views,
            "accessors": self._accessors,
        }
        text = json.dumps(document, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 4)
        whole = 12 + 8 + len(text) + 8 + len(self._blob)
        head = struct.pack("<4sII", b"glTF", 2, whole) + struct.pack("<I4s", len(text), b"JSON") + text
        return head + struct.pack("<I4s", len(self._blob), b"BIN\0") + bytes(self._blob)

    def _accessor(self, data: NDArray[Any], component: int, kind: str, target: int, **more: Any) -> int:
        raw = np.ascontiguousarray(data).tobytes()
        self._views.append({"buffer": 0, "byteOffset": len(self._blob), "byteLength": len(raw), "target": target})
        self._blob.extend(raw)
        row = {"bufferView": len(self._views) - 1, "componentType": component, "count": len(data), "type": kind}
        self._accessors.append({**row, **more})
        return len(self._accessors) - 1
