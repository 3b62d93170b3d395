"""STEP and 3DM: what can be written into them without touching a surface. Weaker than a mesh, and said so.

A mark of the copy stands in plain sight in the header, where any program that saves the file anew drops it. Besides,
parts of equal rank change places: points of a STEP file, objects of a 3DM file. That order survives a cleaned header,
not a new export.
"""

import re
import struct
from abc import ABC, abstractmethod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ai_pipeline.cad.fingerprint.sheet import Unmarkable

TAG = re.compile(rb"copy ([0-9a-f]{32})")
_POINT = re.compile(rb"#\d+\s*=\s*CARTESIAN_POINT\s*\([^;]*;")
_NUMBERED = re.compile(rb"#\d+\s*=\s*")
_HEADER_END = re.compile(rb"HEADER\s*;")

_START = 32
_COMMENT, _OBJECTS, _OBJECT, _TABLE_END, _FILE_END = 0x00000001, 0x10000013, 0x20008070, 0xFFFFFFFF, 0x00007FFF
_SHORT = 0x80000000
_CONTROL_Z = b"\x1a"


class Blocks(ABC):
    """`items` are the pieces that may change places, without what renumbering changes."""

    items: list[bytes]

    @abstractmethod
    def write(self, target: Path, tag: str, order: NDArray[np.int64]) -> None:
        """Write the file with `tag` in its header; the place of item i holds item `order[i]`."""


def tag_in(path: Path) -> str | None:
    """The tag of a copy that stands in the file."""
    found = TAG.search(path.read_bytes())
    return found[1].decode() if found else None


class StepBlocks(Blocks):
    """Points of the data section keep their numbers; only where in the file they are written down changes."""

    def __init__(self, path: Path) -> None:
        self.data = path.read_bytes()
        self.spans = [match.span() for match in _POINT.finditer(self.data)]
        self.items = [_NUMBERED.sub(b"", self.data[a:b], count=1) for a, b in self.spans]

    def write(self, target: Path, tag: str, order: NDArray[np.int64]) -> None:
        """See Blocks."""
        head = _HEADER_END.search(self.data)
        if head is None:
            raise Unmarkable
        out = [self.data[: head.end()], f"\n/* copy {tag} */".encode()]
        reached = head.end()
        for (begin, end), which in zip(self.spans, order.tolist(), strict=True):
            out += [self.data[reached:begin], self.data[slice(*self.spans[which])]]
            reached = end
        target.write_bytes(b"".join([*out, self.data[reached:]]))


class RhinoBlocks(Blocks):
    """Objects of the object table change places; each carries its own checksum and no place of another."""

    def __init__(self, path: Path) -> None:
        self.data = path.read_bytes()
        self.wide = int(self.data[24:_START]) >= 50
        self.head = struct.Struct("<Iq" if self.wide else "<Ii")
        self.comment: tuple[int, int] | None = None
        self.spans: list[tuple[int, int]] = []
        self.end = -1
        place = _START
        while place < len(self.data):
            code, start, stop = self._chunk(place)
            if code == _COMMENT:
                self.comment = (place, stop)
            elif code == _OBJECTS:
                self._objects(start, stop)
            elif code == _FILE_END:
                self.end = start
                break
            place = stop
        if self.end < 0 or self.comment is None:
            raise Unmarkable
        self.items = [self.data[a:b] for a, b in self.spans]

    def _chunk(self, place: int) -> tuple[int, int, int]:
        """(code, where the content starts, where it ends)."""
        code, length = self.head.unpack_from(self.data, place)
        start = place + self.head.size
        return code, start, start + (0 if code & _SHORT else length)

    def _objects(self, place: int, stop: int) -> None:
        while place < stop:
            code, _, after = self._chunk(place)
            if code & ~0x8000 == _OBJECT & ~0x8000:
                self.spans.append((place, after))
            elif code == _TABLE_END:
                return
            place = after

    def write(self, target: Path, tag: str, order: NDArray[np.int64]) -> None:
        """See Blocks."""
        assert self.comment is not None
        begin, stop = self.comment
        text = self.data[begin + self.head.size : stop]
        before, mark, after = text.partition(_CONTROL_Z)
        text = before + f"copy {tag}\n".encode() + mark + after
        grown = len(text) - (stop - begin - self.head.size)
        out = [self.data[:begin], self.head.pack(_COMMENT, len(text)), text]
        reached = stop
        for (first, last), which in zip(self.spans, order.tolist(), strict=True):
            out += [self.data[reached:first], self.data[slice(*self.spans[which])]]
            reached = last
        size = struct.Struct("<q" if self.wide else "<i")
        (stated,) = size.unpack_from(self.data, self.end)
        out += [self.data[reached : self.end], size.pack(stated + grown), self.data[self.end + size.size :]]
        target.write_bytes(b"".join(out))
