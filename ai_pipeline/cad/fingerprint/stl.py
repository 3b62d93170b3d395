"""STL, binary and ASCII, to be written again."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ai_pipeline.cad.fingerprint.sheet import Sheet, number
from ai_pipeline.cad.formats.stl import HEADER, RECORD
from ai_pipeline.cad.shape import Points

_FACET = re.compile(rb"[^\n]*\bfacet\b.*?\bendfacet\b[^\n]*\n?", re.IGNORECASE | re.DOTALL)
_VERTEX = re.compile(rb"(\bvertex\s+)(\S+)\s+(\S+)\s+(\S+)", re.IGNORECASE)
_SOLID_END = re.compile(rb"\bendsolid\b", re.IGNORECASE)


def open_stl(path: Path) -> Sheet:
    """The file, which `read_stl` accepted."""
    data = path.read_bytes()
    count = int.from_bytes(data[80:84], "little") if len(data) >= HEADER else -1
    return BinaryStl(data) if HEADER + count * RECORD.itemsize == len(data) else TextStl(data)


class BinaryStl(Sheet):
    """Header, attributes and normals stay; a normal turns by far less than its own rounding."""

    def __init__(self, data: bytes) -> None:
        self.head = data[:HEADER]
        self.records = np.frombuffer(data, RECORD, offset=HEADER)
        self.points = self.records["points"].reshape(-1, 3).astype(np.float64)
        self.faces = np.arange(len(self.points)).reshape(-1, 3)
        self.runs = [np.arange(len(self.faces))]

    def write(self, target: Path, moved: Points, order: NDArray[np.int64]) -> None:
        """See Sheet."""
        records = self.records.copy()
        records["points"] = moved.reshape(-1, 3, 3)
        target.write_bytes(self.head + records[order].tobytes())


class TextStl(Sheet):
    """Every facet keeps its own words and spacing."""

    def __init__(self, data: bytes) -> None:
        self.facets = [match.span() for match in _FACET.finditer(data)]
        self.data = data
        numbers = [[float(word) for word in found[1:]] for found in _VERTEX.findall(data)]
        self.points = np.array(numbers, np.float64).reshape(-1, 3)
        self.faces = np.arange(len(self.points)).reshape(-1, 3)
        ends = [match.start() for match in _SOLID_END.finditer(data)]
        solid = np.searchsorted(ends, [start for start, _ in self.facets])
        self.runs = [np.flatnonzero(solid == which) for which in np.unique(solid)]

    def write(self, target: Path, moved: Points, order: NDArray[np.int64]) -> None:
        """See Sheet."""
        with target.open("wb") as file:
            reached = 0
            for (start, stop), facet in zip(self.facets, order.tolist(), strict=True):
                file.write(self.data[reached:start])
                first, last = self.facets[facet]
                corners = iter(moved[3 * facet : 3 * facet + 3])

                def place(found: re.Match[bytes], corners: Iterator[NDArray[np.float64]] = corners) -> bytes:
                    return found[1] + b" ".join(number(value) for value in next(corners))

                file.write(_VERTEX.sub(place, self.data[first:last]))
                reached = stop
            file.write(self.data[reached:])
