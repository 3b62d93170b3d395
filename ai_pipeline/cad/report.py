"""What is known about a CAD file: facts with their method, findings, stones, and the public preview."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel

from ai_pipeline.imaging.report import Note, Reading

Value = float | int | bool | str | None
# A point in mm, in the coordinates of the file after its unit is applied.
Place = tuple[float, float, float]
Verdict = Literal["printable", "castable", "wearable"]
Level = Literal["pass", "review", "fail", "unknown"]


def place_of(point: Iterable[float]) -> Place:
    """A point as it is reported: micrometers, and no negative zero."""
    x, y, z = (round(float(value), 3) + 0.0 for value in point)
    return x, y, z


@dataclass(frozen=True)
class Region:
    """A connected part of the walls below a limit: its area in mm2, the 5th percentile of its thickness, and where."""

    area: float
    value: float
    place: Place


class Fact(BaseModel):
    """One measured value. `value` is None when it cannot be trusted; `reason` then says why in a stable code.

    `tolerance` is in `unit`; `confidence` runs from 0 to 1 (1: exact for this mesh; lower where an assumption enters).
    `place` is where it was measured, for a number that belongs to one spot. A weight also has `low` and `high`: what
    is left of it after finishing, in the lightest and the heaviest published density.
    """

    name: str
    value: Value
    unit: str = ""
    source: Literal["measured"] = "measured"
    method: str
    confidence: float = 1.0
    tolerance: float | None = None
    reason: str | None = None
    place: Place | None = None
    low: float | None = None
    high: float | None = None


class Finding(Note):
    """Something to know or repair; `message` is English with %(name)s places filled from `params`.

    A finding of a castability rule names the `rule` and its source, what was `measured` there, the `limit` it broke
    (both in `unit`), where (`place`), and which `verdict` it decides.
    """

    severity: Literal["info", "warning", "blocker"] = "info"
    place: Place | None = None
    measured: float | None = None
    limit: float | None = None
    unit: str = ""
    rule: str = ""
    rule_source: str = ""
    verdict: Verdict | None = None


class Stone(BaseModel):
    """A gem body: outline from the table and depth in mm.

    `species` is what the file or a person calls it, empty when neither does; the carat is then as diamond.
    `place` is the middle of its box.
    """

    shape: str
    length: float
    width: float
    depth: float
    carat: float
    species: str = ""
    place: Place | None = None


class SeenBody(BaseModel):
    """One body of the file as it was read; `index` counts from 0 in the order of the file and keeps its number.

    `volume` in mm3 is None for an open body; `box` is low x, y, z and high x, y, z in mm; `shape` and `species` are
    filled for stones; `hidden` bodies lie on a layer that is not measured.
    """

    index: int
    name: str = ""
    layer: str = ""
    material: str = ""
    kind: Literal["metal", "stone", "ignore"] = "metal"
    shape: str = ""
    species: str = ""
    triangles: int = 0
    closed: bool = False
    volume: float | None = None
    box: tuple[float, float, float, float, float, float] = (0, 0, 0, 0, 0, 0)
    hidden: bool = False


class SeenLayer(BaseModel):
    """One layer of the file: shown there or hidden, measured here (`used`) or not, and how many bodies lie on it."""

    name: str
    visible: bool = True
    used: bool = True
    bodies: int = 0


class UnitProposal(BaseModel):
    """What the piece would measure in one unit. `likely` when a piece of jewelry measures and weighs that."""

    unit: str
    longest_mm: float
    width_mm: float
    inner_diameter: float | None = None
    ring_size_us: float | None = None
    grams_18k: float | None = None
    likely: bool


class UnitReport(BaseModel):
    """The unit of the file, where it came from, whether a piece of jewelry has that size, and every unit it could be,
    best first.
    """

    unit: str
    source: Literal["confirmed", "file", "assumed"]
    plausible: bool
    proposals: list[UnitProposal]


class Preview(BaseModel):
    """A coarse, unit-scaled GLB: `faces` triangles, at most `deviation` mm (measured) off the CAD.

    `turn` is the rotation (row by row) from the file's coordinates to the ones of the preview, which stands upright.
    """

    name: str
    faces: int
    bytes: int
    sha256: str
    deviation: float | None
    turn: list[float] = []


class StudioMesh(BaseModel):
    """The owner's own GLB: real mm, thickness per vertex, one node per body; for nobody but the owner."""

    name: str
    faces: int
    bytes: int
    sha256: str


class CadReport(BaseModel):
    """`status` is "measured", or "stored" for a format that was checked but is not measured yet (see `findings`).

    `exact`: the volume comes from the boundary surfaces of the CAD program, not from triangles.
    """

    format: str
    status: Literal["measured", "stored"]
    facts: list[Fact]
    findings: list[Finding]
    stones: list[Stone] = []
    verdicts: dict[Verdict, Level] = {}
    bodies: list[SeenBody] = []
    layers: list[SeenLayer] = []
    exact: bool = False
    preview: Preview | None = None
    studio: StudioMesh | None = None
    units: UnitReport | None = None
    reading: Reading | None = None

    def fact(self, name: str) -> Fact | None:
        """The fact of that name, if it was measured."""
        return next((fact for fact in self.facts if fact.name == name), None)


class RenderedImage(BaseModel):
    """One picture of the CAD; `name` lies in the task's output folder."""

    view: str
    name: str
    width: int
    height: int
    bytes: int
    sha256: str


class RenderReport(BaseModel):
    """The pictures made of one CAD file."""

    images: list[RenderedImage]
    reading: Reading | None = None
