"""Write the smallest GLB that viewers open: one mesh, quantized, without names.

A part without normals is shaded flat by every viewer, which is what the facets of a stone want and takes a fifth of
the room. 16-bit positions and 8-bit normals by KHR_mesh_quantization halve the file and keep its accuracy far below the
CAD's.
"""

import json
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ai_pipeline.cad.shape import Faces, Points

BYTE, UNSIGNED_BYTE, SHORT, UNSIGNED_SHORT, UNSIGNED_INT = 5120, 5121, 5122, 5123, 5125
VERTEX_BUFFER, INDEX_BUFFER = 34962, 34963


@dataclass(frozen=True)
class Part:
    """Points within [-1, 1], their unit normals (None: flat), faces, a glTF material.

    `tint` (0 to 1 at each point) goes into the first texture coordinate, for a page that colors by it.
    """

    points: Points
    normals: Points | None
    faces: Faces
    material: dict[str, Any]
    tint: NDArray[np.float64] | None = None


def write_glb(parts: list[Part], extras: dict[str, Any]) -> bytes:
    """The GLB of the parts, one primitive each, with `extras` (JSON) for the page that shows it."""
    blob = bytearray()
    views: list[dict[str, int]] = []
    accessors: list[dict[str, Any]] = []
    primitives: list[dict[str, Any]] = []

    def view(data: NDArray[Any], target: int, stride: int | None = None) -> int:
        raw = data.tobytes()
        row = {"byteStride": stride} if stride else {}
        views.append({"buffer": 0, "byteOffset": len(blob), "byteLength": len(raw), "target": target, **row})
        blob.extend(raw + b"\0" * (-len(raw) % 4))
        return len(views) - 1

    def accessor(number: int, component: int, count: int, kind: str, **more: Any) -> int:
        accessors.append({"bufferView": number, "componentType": component, "count": count, "type": kind, **more})
        return len(accessors) - 1

    for place, part in enumerate(parts):
        # Rows are padded to four bytes, as the format demands of vertex data.
        position = np.zeros((len(part.points), 4), "<i2")
        position[:, :3] = np.round(part.points * 32767)
        small = len(part.points) < 65536
        order = part.faces.astype("<u2" if small else "<u4").ravel()
        bounds = {"min": position[:, :3].min(axis=0).tolist(), "max": position[:, :3].max(axis=0).tolist()}
        count = len(part.points)
        attributes = {
            "POSITION": accessor(view(position, VERTEX_BUFFER, 8), SHORT, count, "VEC3", normalized=True, **bounds),
        }
        if part.normals is not None:
            normal = np.zeros((len(part.points), 4), "i1")
            normal[:, :3] = np.round(part.normals * 127)
            attributes["NORMAL"] = accessor(view(normal, VERTEX_BUFFER, 4), BYTE, count, "VEC3", normalized=True)
        if part.tint is not None:
            across = np.full((len(part.points), 4), 128, "u1")
            across[:, 0] = np.round(part.tint * 255)
            attributes["TEXCOORD_0"] = accessor(
                view(across, VERTEX_BUFFER, 4), UNSIGNED_BYTE, count, "VEC2", normalized=True
            )
        kind = UNSIGNED_SHORT if small else UNSIGNED_INT
        indices = accessor(view(order, INDEX_BUFFER), kind, len(order), "SCALAR")
        primitives.append({"attributes": attributes, "indices": indices, "material": place})
    document = {
        "asset": {"version": "2.0", "extras": extras},
        "extensionsUsed": ["KHR_mesh_quantization"],
        "extensionsRequired": ["KHR_mesh_quantization"],
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": primitives}],
        "materials": [part.material for part in parts],
        "buffers": [{"byteLength": len(blob)}],
        "bufferViews": views,
        "accessors": accessors,
    }
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    head = struct.pack("<4sII", b"glTF", 2, 12 + 8 + len(text) + 8 + len(blob))
    json_chunk = struct.pack("<I4s", len(text), b"JSON") + text
    return head + json_chunk + struct.pack("<I4s", len(blob), b"BIN\0") + bytes(blob)
