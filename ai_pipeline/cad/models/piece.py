"""What a parametric model returns: one metal solid, the stones set into it, and its nominal facts.

All lengths are millimeters. A ring has its finger axis along Y and its head up along +Z; everything else faces
the viewer along -Y with +Z up.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt
import trimesh

Pose = Literal["standing", "lying", "hanging", "pair"]
Category = Literal["ring", "pendant", "earrings", "bangle"]


@dataclass(frozen=True)
class Stone:
    """One cut stone, placed in the piece: a closed faceted (or domed) mesh and its trade description."""

    mesh: trimesh.Trimesh
    shape: str
    species: str
    length_mm: float
    width_mm: float
    depth_mm: float

    @property
    def label(self) -> str:
        """Name used in exported files, for example ``diamond round 6.50 mm``."""
        size = f"{self.length_mm:.2f}"
        if abs(self.length_mm - self.width_mm) > 0.005:
            size += f"x{self.width_mm:.2f}"
        return f"{self.species} {self.shape} {size} mm"

    def moved(self, matrix: npt.NDArray[np.float64]) -> "Stone":
        """The same stone after a rigid 4x4 transform."""
        mesh = self.mesh.copy()
        mesh.apply_transform(matrix)
        return Stone(mesh, self.shape, self.species, self.length_mm, self.width_mm, self.depth_mm)


@dataclass(frozen=True)
class Piece:
    """A built model.

    ``metal`` is one watertight solid of positive volume. ``bore_mm`` is the nominal inner diameter of a ring,
    ``thinnest_mm`` the smallest designed metal feature that carries load (pave beads, which are raised from the
    surface, do not count). ``findings`` are shown in pictures but are not part of the CAD (a chain).
    """

    metal: trimesh.Trimesh
    stones: tuple[Stone, ...] = ()
    bore_mm: float | None = None
    thinnest_mm: float = 0.8
    findings: tuple[trimesh.Trimesh, ...] = ()


class Model(Protocol):
    """Parameters that know how to become a piece; every model is a frozen dataclass of plain numbers."""

    def build(self) -> Piece:
        """Make the solid and set the stones."""
        ...


@dataclass(frozen=True)
class Design:
    """A registry entry: the default model of a piece and how to present it.

    ``metals`` are alloys of ``studio.materials``, the one it is pictured in first. ``grams_18k`` is the plausible
    weight range of one piece in 18k yellow gold (15.55 g/cm3); earrings are modeled and weighed singly.
    """

    slug: str
    title: str
    category: Category
    pose: Pose
    model: Model
    metals: tuple[str, ...]
    grams_18k: tuple[float, float]

    @property
    def sold_as_pair(self) -> bool:
        """Whether the piece is worn, shown and sold in twos."""
        return self.category == "earrings"

    def build(self) -> Piece:
        """The piece at its default parameters; ``dataclasses.replace(design.model, ...)`` varies it."""
        return self.model.build()
