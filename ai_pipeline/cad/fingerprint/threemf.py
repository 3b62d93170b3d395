"""3MF, to be written again: the numbers of points and the order of triangles in the model part, all other parts as
they are.
"""

import io
import re
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from ai_pipeline.cad.fingerprint.sheet import Sheet, Unmarkable, number
from ai_pipeline.cad.shape import Points

_UNITS = {"micron": 0.001, "millimeter": 1.0, "centimeter": 10.0, "inch": 25.4, "foot": 304.8, "meter": 1000.0}
_VERTEX = re.compile(rb"<(?:\w+:)?vertex\s[^>]*>")
_TRIANGLE = re.compile(rb"<(?:\w+:)?triangle\s[^>]*>(?:\s*</(?:\w+:)?triangle\s*>)?")
_AXIS = re.compile(rb"(\b([xyz])\s*=\s*)([\"'])[^\"']*[\"']")


class ThreemfSheet(Sheet):
    """One model part whose points stand in millimeters of the scene. Raises Unmarkable for models split over parts.

    The package was checked before (`check_threemf`): no document types, sizes as promised, no cycles.
    """

    unit = "mm"

    def __init__(self, path: Path) -> None:
        self.archive = zipfile.ZipFile(io.BytesIO(path.read_bytes()))
        models = [name for name in self.archive.namelist() if name.lower().endswith(".model")]
        if len(models) != 1:
            raise Unmarkable
        self.name = models[0]
        self.xml = self.archive.read(self.name)
        root = ElementTree.fromstring(self.xml)  # noqa: S314 - see the class
        scale = _UNITS[root.get("unit", "millimeter")]
        placed = _placements(root)
        points, faces, self.runs, self.turns = [], [], [], []
        start = count = 0
        for thing in root.iter():
            if _word(thing.tag) != "object" or (mesh := _child(thing, "mesh")) is None:
                continue
            local = np.array([[float(v.get(a, "")) for a in "xyz"] for v in _rows(mesh, "vertices")]).reshape(-1, 3)
            corners = [[int(t.get(a, "")) for a in ("v1", "v2", "v3")] for t in _rows(mesh, "triangles")]
            matrix = placed.get(thing.get("id", ""), np.eye(4)) * 1.0
            matrix[:, :3] *= scale
            points.append(local @ matrix[:3, :3] + matrix[3, :3])
            faces.append(np.array(corners, np.int64).reshape(-1, 3) + start)
            self.turns.append((slice(start, start + len(local)), matrix[:3, :3], local))
            self.runs.append(np.arange(count, count + len(corners)))
            start, count = start + len(local), count + len(corners)
        if not points:
            raise Unmarkable
        self.points, self.faces = np.vstack(points), np.vstack(faces)
        self.vertex_tags = [match.span() for match in _VERTEX.finditer(self.xml)]
        self.triangle_tags = [match.span() for match in _TRIANGLE.finditer(self.xml)]
        if (len(self.vertex_tags), len(self.triangle_tags)) != (start, count):
            raise Unmarkable

    def write(self, target: Path, moved: Points, order: NDArray[np.int64]) -> None:
        """See Sheet."""
        local = np.empty_like(moved)
        for part, turn, before in self.turns:
            local[part] = before + (moved[part] - self.points[part]) @ np.linalg.inv(turn)
        pieces = [(span, self._vertex(span, place)) for span, place in zip(self.vertex_tags, local, strict=True)]
        tags = self.triangle_tags
        pieces += [(span, self.xml[slice(*tags[facet])]) for span, facet in zip(tags, order.tolist(), strict=True)]
        out, reached = [], 0
        for (begin, end), text in sorted(pieces):
            out += [self.xml[reached:begin], text]
            reached = end
        xml = b"".join([*out, self.xml[reached:]])
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
            for entry in self.archive.infolist():
                content = xml if entry.filename == self.name else self.archive.read(entry)
                copied = zipfile.ZipInfo(entry.filename, entry.date_time)
                copied.compress_type = entry.compress_type
                made.writestr(copied, content)

    def _vertex(self, span: tuple[int, int], place: NDArray[np.float64]) -> bytes:
        def put(found: re.Match[bytes]) -> bytes:
            return found[1] + found[3] + number(place["xyz".index(found[2].decode())]) + found[3]

        return _AXIS.sub(put, self.xml[slice(*span)])


def _word(tag: str) -> str:
    return tag.rpartition("}")[2]


def _child(parent: ElementTree.Element, word: str) -> ElementTree.Element | None:
    return next((child for child in parent if _word(child.tag) == word), None)


def _rows(mesh: ElementTree.Element, word: str) -> list[ElementTree.Element]:
    found = _child(mesh, word)
    return list(found) if found is not None else []


def _placements(root: ElementTree.Element) -> dict[str, NDArray[np.float64]]:
    """Object -> 4 x 4 transform (rows times matrix) of the first place it stands in."""
    uses = {
        thing.get("id", ""): [row for row in thing.iter() if _word(row.tag) == "component"]
        for thing in root.iter()
        if _word(thing.tag) == "object"
    }
    build = _child(root, "build")
    waiting = [(item, np.eye(4)) for item in (build if build is not None else [])][::-1]
    found: dict[str, NDArray[np.float64]] = {}
    while waiting:
        item, outer = waiting.pop()
        if any(_word(key) == "path" for key in item.attrib):
            raise Unmarkable
        name = item.get("objectid", "")
        if name in found:
            continue
        found[name] = _matrix(item.get("transform")) @ outer
        waiting += [(part, found[name]) for part in reversed(uses.get(name, []))]
    return found


def _matrix(words: str | None) -> NDArray[np.float64]:
    matrix = np.eye(4)
    if words:
        matrix[:, :3] = np.array([float(word) for word in words.split()]).reshape(4, 3)
    return matrix
