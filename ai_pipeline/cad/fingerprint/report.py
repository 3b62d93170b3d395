"""What the child answers about copies and suspects. Plain data."""

from pydantic import BaseModel, Field


class Shape(BaseModel):
    """What finds a file among many at once. Lengths in mm, if the unit is right; `ratios` do not depend on it.

    `sides` are those of the box, longest first. `ratios` are the two shorter sides over the longest and the 10, 30, 50,
    70 and 90 % quantiles of the lengths of the edges over it. Turning, moving and re-ordering change nothing of it.
    STEP and 3DM have no triangles here; their `marks` are the 16 smallest hashes of their pieces.
    """

    format: str
    triangles: int = 0
    corners: int = 0
    volume: float = 0.0
    area: float = 0.0
    sides: list[float] = []
    ratios: list[float] = []
    marks: list[str] = []


class CopyReport(BaseModel):
    """One copy that was written: `level` tells what it carries (geometry, order, structure).

    `moved_um` is the farthest any point moved, `volume_change` relative, `score` the standard deviations with which the
    copy, read again, was told from a random one. `scale` is mm per unit of the file.
    """

    name: str
    bytes: int
    sha256: str
    level: str
    scale: float
    shape: Shape
    moved_um: float = 0.0
    volume_change: float = 0.0
    score: float = 0.0


class Suspicion(BaseModel):
    """How one copy compares with the suspect: natural logarithm of the bound on chance of this one comparison."""

    copy_id: str
    by: str
    score: float
    log_chance: float


class Comparison(BaseModel):
    """A suspect laid over one original: the copies in doubt, best first, and how many comparisons were made.

    `matched` corners of the suspect were found again in the original, of `corners` that it has; `poses` ways of laying
    it over were tried.
    """

    suspicions: list[Suspicion] = []
    comparisons: int = 0
    matched: int = 0
    corners: int = 0
    poses: int = 0


class Described(BaseModel):
    """A suspect file before anything is compared."""

    shape: Shape
    tag: str | None = Field(default=None)
