"""Wavefront OBJ: points and polygons only. Nothing it names is ever opened."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ai_pipeline.cad.formats.ply import fan
from ai_pipeline.cad.shape import MAX_BODIES, MAX_TRIANGLES, Body, Drawing, limit_count
from ai_pipeline.errors import Unreadable

MAX_LINE = 64 << 10
MAX_CORNERS = 1000
IGNORED = {"vt", "vn", "s", "l", "p", "lod", "bevel", "c_interp", "d_interp", "usemap", "mg"}
FREE_FORM = {
    "vp",
    "cstype",
    "deg",
    "bmat",
    "step",
    "curv",
    "curv2",
    "surf",
    "parm",
    "trim",
    "hole",
    "scrv",
    "sp",
    "con",
}
RUNS = {"call", "csh"}


def read_obj(path: Path) -> Drawing:
    """Read `v` and `f`, grouped by object, group and material.

    Raises Unreadable: `damaged`, `external_reference` for files that call others, `unsupported_feature` for curved
    surfaces.
    """
    reader = Reader()
    for line in _lines(path):
        word, rest = [*line.split(None, 1), "", ""][:2]
        if word and not word.startswith("#"):
            reader.take(word.lower(), rest.strip(), line)
    return reader.drawing()


class Reader:
    """Collects points and triangles line by line."""

    def __init__(self) -> None:
        self.vertices: list[tuple[float, float, float]] = []
        self.labels = {"o": "", "g": "", "usemtl": ""}
        self.current: list[tuple[int, int, int]] = []
        self.parts = {("", ""): self.current}
        self.total = 0
        self.materials_left_out = False

    def take(self, word: str, rest: str, line: str) -> None:
        """Use one statement; refuse what is not OBJ."""
        if word == "v":
            self.vertices.append(_point(line))
        elif word == "f":
            triangles = fan(_corners(line, len(self.vertices)))
            self.total += len(triangles)
            limit_count(self.total, "triangles", MAX_TRIANGLES)
            self.current += triangles
        elif word in self.labels:
            self._name(word, rest[:100])
        elif word == "mtllib":
            self.materials_left_out = True
        elif word in RUNS:
            raise Unreadable("external_reference", target=f"{word} {rest}"[:60])
        elif word in FREE_FORM:
            raise Unreadable("unsupported_feature", feature="free-form curves and surfaces")
        elif word not in IGNORED:
            raise Unreadable("damaged", detail="a line that is not OBJ")

    def _name(self, word: str, label: str) -> None:
        self.labels[word] = label
        if word == "o":
            self.labels["g"] = ""
        key = (f"{self.labels['o']} {self.labels['g']}".strip(), self.labels["usemtl"])
        self.current = self.parts.setdefault(key, [])
        limit_count(len(self.parts), "groups", MAX_BODIES)

    def drawing(self) -> Drawing:
        """Everything read so far."""
        points = np.array(self.vertices, dtype=np.float64).reshape(-1, 3)
        bodies = [_compact(points, triangles, *labels) for labels, triangles in self.parts.items() if triangles]
        return Drawing(bodies, notes=[("materials_ignored", {})] if self.materials_left_out else [])


def _lines(path: Path) -> Iterator[str]:
    """Lines with backslash continuations joined."""
    carried = ""
    with path.open("rb") as file:
        for raw in file:
            if b"\0" in raw:
                raise Unreadable("damaged", detail="binary bytes in a text file")
            line = carried + raw.decode("utf-8", "replace").rstrip("\r\n")
            if len(line) > MAX_LINE:
                raise Unreadable("damaged", detail="a line of absurd length")
            carried = line[:-1] + " " if line.endswith("\\") else ""
            if not carried:
                yield line


def _point(line: str) -> tuple[float, float, float]:
    try:
        _, x, y, z, *_rest = line.split()
        return float(x), float(y), float(z)
    except ValueError:
        raise Unreadable("damaged", detail="a point that is not three numbers") from None


def _corners(line: str, known: int) -> list[int]:
    """Zero-based point numbers of a face. OBJ counts from 1, or back from the latest point when negative."""
    corners = []
    words = line.split()[1:]
    if not 3 <= len(words) <= MAX_CORNERS:
        raise Unreadable("damaged", detail=f"a face with {len(words)} corners")
    for word in words:
        try:
            number = int(word.partition("/")[0])
        except ValueError:
            raise Unreadable("damaged", detail="a face that is not numbers") from None
        index = number - 1 if number > 0 else known + number
        if number == 0 or not 0 <= index < known:
            raise Unreadable("damaged", detail="a face names a point that is not there")
        corners.append(index)
    return corners


def _compact(points: np.ndarray, triangles: list[tuple[int, int, int]], name: str, material: str) -> Body:
    used, faces = np.unique(np.array(triangles, dtype=np.int64), return_inverse=True)
    return Body(points[used], faces.reshape(-1, 3).astype(np.int64), name, material)
