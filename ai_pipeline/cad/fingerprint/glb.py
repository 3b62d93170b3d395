"""GLB, to be written again: float positions and index lists in place, everything else as it is."""

import json
import struct
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ai_pipeline.cad.fingerprint.sheet import Sheet, Unmarkable
from ai_pipeline.cad.formats.gltf_scene import placed_meshes
from ai_pipeline.cad.shape import Points

_FLOAT, _TRIANGLES = 5126, 4
_INDEX = {5121: "<u1", 5123: "<u2", 5125: "<u4"}


class GlbSheet(Sheet):
    """A mesh that stands in several places is marked where it stands first. Raises Unmarkable for quantized points."""

    unit = "m"

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        length = struct.unpack("<I", data[12:16])[0]
        self.document: dict[str, Any] = json.loads(data[20 : 20 + length])
        self.rest = bytearray(data[20 + length :])
        points, faces, self.runs = [], [], []
        self.parts: list[tuple[int, NDArray[np.float32], NDArray[np.float64], slice]] = []
        self.lists: list[tuple[NDArray[Any], slice]] = []
        start = placed = 0
        accessors: set[int] = set()
        lists = Counter(item.get("indices") for mesh in self.document["meshes"] for item in mesh["primitives"])
        for _, mesh, matrix in placed_meshes(self.document):
            for item in self.document["meshes"][mesh]["primitives"]:
                number = item["attributes"]["POSITION"]
                if item.get("mode", _TRIANGLES) != _TRIANGLES or number in accessors or "indices" not in item:
                    continue
                accessors.add(number)
                table = self._table(number, {_FLOAT: "<f4"}, 3)
                order = self._table(item["indices"], _INDEX, 1).reshape(-1, 3)
                part = slice(placed, placed + len(table))
                self.parts.append((number, table, matrix[:3, :3], part))
                points.append(table.astype(np.float64) @ matrix[:3, :3].T + matrix[:3, 3])
                faces.append(order.astype(np.int64) + placed)
                if lists[item["indices"]] == 1:  # a list that serves two parts stays in its order
                    self.lists.append((order, slice(start, start + len(order))))
                    self.runs.append(np.arange(start, start + len(order)))
                start, placed = start + len(order), placed + len(table)
        if not points:
            raise Unmarkable
        self.points, self.faces = np.vstack(points), np.vstack(faces)

    def _table(self, number: int, kinds: dict[int, str], width: int) -> NDArray[Any]:
        """A writable view of an accessor's rows, (count, width), in `rest`; 8 bytes of chunk head stand before it."""
        accessor = self.document["accessors"][number]
        kind = kinds.get(accessor["componentType"])
        if kind is None:
            raise Unmarkable
        view = self.document["bufferViews"][accessor["bufferView"]]
        size = np.dtype(kind).itemsize
        offset = 8 + view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
        stride = view.get("byteStride", size * width)
        return np.ndarray((accessor["count"], width), kind, self.rest, offset, (stride, size))

    def write(self, target: Path, moved: Points, order: NDArray[np.int64]) -> None:
        """See Sheet."""
        for number, table, turn, part in self.parts:
            table[:] += (moved[part] - self.points[part]) @ np.linalg.inv(turn).T
            accessor = self.document["accessors"][number]
            accessor["min"], accessor["max"] = table.min(axis=0).tolist(), table.max(axis=0).tolist()
        for rows, part in self.lists:
            rows[:] = rows[order[part] - part.start]
        text = json.dumps(self.document, separators=(",", ":"), ensure_ascii=False).encode()
        text += b" " * (-len(text) % 4)
        head = struct.pack("<4sIII4s", b"glTF", 2, 20 + len(text) + len(self.rest), len(text), b"JSON")
        target.write_bytes(head + text + self.rest)
