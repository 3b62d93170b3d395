"""Wavefront OBJ, to be written again."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ai_pipeline.cad.fingerprint.sheet import Sheet, number
from ai_pipeline.cad.formats.ply import fan
from ai_pipeline.cad.shape import Points


class ObjSheet(Sheet):
    """Lines of points get new numbers (a color behind them stays); lines of triangles change places where they stand
    together.
    """

    def __init__(self, path: Path) -> None:
        text = path.read_bytes().replace(b"\\\r\n", b" ").replace(b"\\\n", b" ")
        self.lines = text.split(b"\n")
        places: list[list[float]] = []
        triangles: list[tuple[int, int, int]] = []
        self.point_lines: list[int] = []
        self.line_of: dict[int, int] = {}  # facet -> line, for lines that are one triangle
        runs: list[list[int]] = []
        last = -2
        for row, line in enumerate(self.lines):
            word = line[:2]
            if word in (b"v ", b"v\t"):
                places.append([float(value) for value in line.split()[1:4]])
                self.point_lines.append(row)
            elif word in (b"f ", b"f\t"):
                numbers = [int(part.partition(b"/")[0]) for part in line.split()[1:]]
                made = fan([n - 1 if n > 0 else len(places) + n for n in numbers])
                if len(made) == 1:
                    if last != row - 1:
                        runs.append([])
                    runs[-1].append(len(triangles))
                    self.line_of[len(triangles)] = row
                    last = row
                triangles += made
        self.points = np.array(places, np.float64).reshape(-1, 3)
        self.faces = np.array(triangles, np.int64).reshape(-1, 3)
        self.runs = [np.array(run) for run in runs]

    def write(self, target: Path, moved: Points, order: NDArray[np.int64]) -> None:
        """See Sheet."""
        lines = list(self.lines)
        for row, place in zip(self.point_lines, moved, strict=True):
            end = b"\r" if self.lines[row].endswith(b"\r") else b""
            lines[row] = b" ".join([b"v", *(number(value) for value in place), *self.lines[row].split()[4:]]) + end
        for facet, row in self.line_of.items():
            lines[row] = self.lines[self.line_of[int(order[facet])]]
        target.write_bytes(b"\n".join(lines))
