"""PLY, ASCII and binary: the header is checked against the length before anything is read."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ai_pipeline.cad.shape import MAX_TRIANGLES, Body, Drawing, Faces, Points, limit_count
from ai_pipeline.errors import Unreadable

MAX_HEADER = 64 << 10
MAX_CORNERS = 64
TYPES = {"char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1", "short": "i2", "int16": "i2", "ushort": "u2",
         "uint16": "u2", "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4", "float": "f4", "float32": "f4",
         "double": "f8", "float64": "f8"}  # fmt: skip
ORDER = {"binary_little_endian": "<", "binary_big_endian": ">", "ascii": ""}


@dataclass
class Property:
    """A scalar, or a list when `counter` names the type of its length."""

    name: str
    kind: str
    counter: str | None = None


@dataclass
class Element:
    name: str
    count: int
    properties: list[Property]

    @property
    def scalar(self) -> bool:
        return all(item.counter is None for item in self.properties)


def read_ply(path: Path) -> Drawing:
    """Read vertices and faces. Raises Unreadable: `damaged`, `no_geometry`, `too_many_items`."""
    data = path.read_bytes()
    order, elements, body = _header(data)
    names = [element.name for element in elements]
    if "vertex" not in names or "face" not in names:
        raise Unreadable("no_geometry")
    for element in elements:
        limit_count(element.count, element.name[:20], 3 * MAX_TRIANGLES)
    try:
        vertices, faces = _ascii(body, elements) if not order else _binary(body, elements, order)
    except (ValueError, IndexError, KeyError, OverflowError):
        raise _damaged("its data does not fit its header") from None
    return Drawing([Body(vertices, faces)])


def _damaged(detail: str) -> Unreadable:
    return Unreadable("damaged", detail=detail)


def _header(data: bytes) -> tuple[str, list[Element], memoryview]:
    end = data.find(b"end_header", 0, MAX_HEADER)
    stop = data.find(b"\n", end) if end > 0 else -1
    if not data.startswith(b"ply") or end < 0 or stop < 0:
        raise _damaged("no PLY header")
    order: str | None = None
    elements: list[Element] = []
    for line in data[3:end].decode("latin-1").splitlines():
        words = line.split()
        if not words or words[0] in ("comment", "obj_info"):
            continue
        try:
            if words[0] == "format" and words[2] == "1.0":
                order = ORDER[words[1]]
            elif words[0] == "element":
                elements.append(Element(words[1], int(words[2]), []))
            elif words[0] == "property" and words[1] == "list":
                elements[-1].properties.append(Property(words[4], TYPES[words[3]], TYPES[words[2]]))
            elif words[0] == "property":
                elements[-1].properties.append(Property(words[2], TYPES[words[1]]))
            else:
                raise _damaged("unknown header line")
        except (IndexError, KeyError, ValueError):
            raise _damaged("unknown header line") from None
    if order is None or any(element.count < 0 or not element.properties for element in elements):
        raise _damaged("the header is not complete")
    # No element takes less than one byte, so a count beyond the length is a lie.
    if sum(element.count for element in elements) > len(data) - stop:
        raise _damaged("the header promises more than the file holds")
    return order, elements, memoryview(data)[stop + 1 :]


def _binary(body: memoryview, elements: list[Element], order: str) -> tuple[Points, Faces]:
    offset = 0
    vertices: Points | None = None
    faces: Faces | None = None
    for element in elements:
        if element.scalar:
            layout = np.dtype([(item.name, order + item.kind) for item in element.properties])
            table = np.frombuffer(body, layout, element.count, offset)
            offset += layout.itemsize * element.count
            if element.name == "vertex":
                vertices = np.column_stack([table[axis].astype(np.float64) for axis in "xyz"])
        elif element.name == "face":
            faces, offset = _binary_faces(body, element, order, offset)
        else:
            break  # nothing that is needed may follow a list of unknown length
    if vertices is None or faces is None:
        raise Unreadable("no_geometry")
    return vertices, faces


def _binary_faces(body: memoryview, element: Element, order: str, offset: int) -> tuple[Faces, int]:
    """Triangles read in one piece when every list has three members, else polygon by polygon."""
    fields: list[tuple[str, str] | tuple[str, str, int]] = []
    for item in element.properties:
        if item.counter is None:
            fields.append((item.name, order + item.kind))
        elif item.name in ("vertex_indices", "vertex_index"):
            fields += [("corners", order + item.counter), ("index", order + item.kind, 3)]
        else:
            fields = []
            break
    if fields and "corners" in {name for name, *_ in fields}:
        layout = np.dtype(fields)
        if offset + layout.itemsize * element.count <= len(body):
            table = np.frombuffer(body, layout, element.count, offset)
            if (table["corners"] == 3).all():
                return table["index"].astype(np.int64), offset + layout.itemsize * element.count
    triangles: list[tuple[int, int, int]] = []
    for _ in range(element.count):
        corners: list[int] = []
        for item in element.properties:
            kind = np.dtype(order + item.kind)
            number = 1
            if item.counter is not None:
                counter = np.dtype(order + item.counter)
                number = int(np.frombuffer(body, counter, 1, offset)[0])
                offset += counter.itemsize
                if not 0 <= number <= MAX_CORNERS:
                    raise _damaged(f"a polygon with {number} corners")
            values = np.frombuffer(body, kind, number, offset)
            offset += kind.itemsize * number
            if item.name in ("vertex_indices", "vertex_index"):
                corners = [int(value) for value in values]
        triangles += fan(corners)
        limit_count(len(triangles), "triangles", MAX_TRIANGLES)
    return np.array(triangles, dtype=np.int64).reshape(-1, 3), offset


def _ascii(body: memoryview, elements: list[Element]) -> tuple[Points, Faces]:
    words = bytes(body).split()
    place = 0
    vertices: Points | None = None
    triangles: list[tuple[int, int, int]] = []
    for element in elements:
        if element.scalar:
            width = len(element.properties)
            rows = words[place : place + width * element.count]
            place += width * element.count
            if element.name == "vertex":
                table = np.array(rows, dtype="S40").astype(np.float64).reshape(element.count, width)
                axes = [[item.name for item in element.properties].index(axis) for axis in "xyz"]
                vertices = table[:, axes]
            continue
        for _ in range(element.count):
            corners: list[int] = []
            for item in element.properties:
                number = 1
                if item.counter is not None:
                    number = int(words[place])
                    place += 1
                    if not 0 <= number <= MAX_CORNERS:
                        raise _damaged(f"a polygon with {number} corners")
                values = words[place : place + number]
                place += number
                if item.name in ("vertex_indices", "vertex_index"):
                    corners = [int(value) for value in values]
                    if len(corners) != number:
                        raise _damaged("its data does not fit its header")
            if element.name == "face":
                triangles += fan(corners)
    if vertices is None:
        raise Unreadable("no_geometry")
    return vertices, np.array(triangles, dtype=np.int64).reshape(-1, 3)


def fan(corners: list[int]) -> list[tuple[int, int, int]]:
    """Triangles of a polygon from its first corner: exact in volume for any planar polygon, in area for convex ones."""
    return [(corners[0], corners[i], corners[i + 1]) for i in range(1, len(corners) - 1)]
