"""What a parametric model returns: one metal solid, the stones set into it, and its nominal facts.

All lengths are millimeters. A ring has its finger axis along Y and its head up along +Z; everything else faces
the viewer along -Y with +Z up.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

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

    def moved(self, matrix: object) -> "Stone":
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


@dataclass(frozen=True)
class Design:
    """A registry entry: how to build a piece and how to present it."""

    slug: str
    title: str
    category: Category
    pose: Pose
    build: Callable[[], Piece]
    metals: tuple[str, ...]
    grams_18k: tuple[float, float]
    """Plausible weight range in 18k yellow gold (15.55 g/cm3); the tests hold the model to it."""
    sold_as_pair: bool = False
    tags: tuple[str, ...] = field(default=())
