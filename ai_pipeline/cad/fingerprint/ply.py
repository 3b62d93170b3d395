"""PLY, ASCII and binary, to be written again."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ai_pipeline.cad.fingerprint.sheet import Sheet, Unmarkable, number
from ai_pipeline.cad.formats.ply import ORDER, TYPES, read_ply
from ai_pipeline.cad.shape import Points

_CORNERS = ("vertex_indices", "vertex_index")


class PlySheet(Sheet):
    """The header and every other property stay. Raises Unmarkable when points do not come first or are no floats."""

    def __init__(self, path: Path) -> None:
        body = read_ply(path).bodies[0]
        self.points, self.faces = body.vertices, body.faces
        data = path.read_bytes()
        stop = data.index(b"\n", data.index(b"end_header")) + 1
        self.head, self.rest = data[:stop], data[stop:]
        order, elements = _layout(self.head)
        if elements[0][0] != "vertex" or any(len(kind) > 1 for _, kind in elements[0][2]):
            raise Unmarkable
        self.columns = [name for name, _ in elements[0][2]]
        self.count = elements[0][1]
        self.text = not order
        self.row = np.dtype([(name, order + kind[0]) for name, kind in elements[0][2]])
        if not self.text and any(self.row[axis].kind != "f" for axis in "xyz"):
            raise Unmarkable
        self.facets: tuple[int, int] | None = None  # where the rows of triangles begin, and their length
        if not self.text and len(elements) > 1 and elements[1][0] == "face" and len(self.faces) == elements[1][1]:
            widths = [_width(name, kind) for name, kind in elements[1][2]]
            if all(widths):
                self.facets = (self.row.itemsize * self.count, sum(widths))
        self.runs = [np.arange(len(self.faces))] if self.facets else []

    def write(self, target: Path, moved: Points, order: NDArray[np.int64]) -> None:
        """See Sheet."""
        if self.text:
            lines = self.rest.split(b"\n")
            if any(len(line.split()) != len(self.columns) for line in lines[: self.count]):
                raise Unmarkable
            axes = [self.columns.index(axis) for axis in "xyz"]
            for row, place in enumerate(moved):
                words = lines[row].split()
                for column, value in zip(axes, place, strict=True):
                    words[column] = number(value)
                lines[row] = b" ".join(words)
            target.write_bytes(self.head + b"\n".join(lines))
            return
        rest = bytearray(self.rest)
        table = np.frombuffer(rest, self.row, self.count)
        for axis, column in zip("xyz", moved.T, strict=True):
            table[axis] = column
        if self.facets:
            start, width = self.facets
            rows = np.frombuffer(rest, np.dtype(("V", width)), len(self.faces), start)
            rows[:] = rows[order]
        target.write_bytes(self.head + rest)


Element = tuple[str, int, list[tuple[str, tuple[str, ...]]]]


def _layout(head: bytes) -> tuple[str, list[Element]]:
    """(byte order, [(element, count, [(property, (type,) or (counter, type))])]) of a header that was read before."""
    order = ""
    elements: list[Element] = []
    for line in head.decode("latin-1").splitlines():
        words = line.split()
        if words[:1] == ["format"]:
            order = ORDER[words[1]]
        elif words[:1] == ["element"]:
            elements.append((words[1], int(words[2]), []))
        elif words[:2] == ["property", "list"]:
            elements[-1][2].append((words[4], (TYPES[words[2]], TYPES[words[3]])))
        elif words[:1] == ["property"]:
            elements[-1][2].append((words[2], (TYPES[words[1]],)))
    return order, elements


def _width(name: str, kind: tuple[str, ...]) -> int:
    """Bytes of a property of a triangle; 0 when that is not known."""
    if len(kind) == 1:
        return int(kind[0][1])
    return int(kind[0][1]) + 3 * int(kind[1][1]) if name in _CORNERS else 0
