"""A CAD file as something that can be written again with moved points and facets in another order, and nothing else
changed: names, layers, materials, units and metadata stay as they are.
"""

from abc import ABC, abstractmethod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ai_pipeline.cad.shape import Faces, Points

#: Digits with which points are written as text: below 10 nm for anything up to 10 m.
DIGITS = 9


class Unmarkable(Exception):
    """The file is sound, but its points cannot be written again in place (quantized, split over several parts)."""


class Sheet(ABC):
    """`points` (n, 3) as they stand in the scene, in file units; `faces` (m, 3) over them; `unit` if the file has one.

    `runs` are arrays of facet numbers that may change places with one another.
    """

    points: Points
    faces: Faces
    runs: list[NDArray[np.int64]]
    unit: str | None = None

    @abstractmethod
    def write(self, target: Path, moved: Points, order: NDArray[np.int64]) -> None:
        """Write the file with `moved` points (n, 3); the place of facet i holds facet `order[i]`."""


def number(value: float) -> bytes:
    """A coordinate as text."""
    return f"{value:.{DIGITS}g}".encode()
