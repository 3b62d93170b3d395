"""What is known about a CAD file: facts with their method, findings, stones, and the public preview."""

from typing import Literal

from pydantic import BaseModel

from ai_pipeline.imaging.report import Note, Reading

Value = float | int | bool | str | None


class Fact(BaseModel):
    """One measured value. `value` is None when it cannot be trusted; `reason` then says why in a stable code.

    `tolerance` is in `unit`; `confidence` runs from 0 to 1 (1: exact for this mesh; lower where an assumption enters).
    """

    name: str
    value: Value
    unit: str = ""
    source: Literal["measured"] = "measured"
    method: str
    confidence: float = 1.0
    tolerance: float | None = None
    reason: str | None = None


class Finding(Note):
    """Something to know or repair; `message` is English with %(name)s places filled from `params`."""

    severity: Literal["info", "warning", "blocker"] = "info"


class Stone(BaseModel):
    """A gem body: outline from the table and depth in mm.

    `species` is what the file calls it, empty when it does not; the carat is by volume, as diamond when unknown.
    """

    shape: str
    length: float
    width: float
    depth: float
    carat: float
    species: str = ""


class Preview(BaseModel):
    """A coarse, unit-scaled GLB: `faces` triangles, at most `deviation` mm (measured) off the CAD."""

    name: str
    faces: int
    bytes: int
    sha256: str
    deviation: float | None


class CadReport(BaseModel):
    """`status` is "measured", or "stored" for a format that was checked but is not measured yet (see `findings`)."""

    format: str
    status: Literal["measured", "stored"]
    facts: list[Fact]
    findings: list[Finding]
    stones: list[Stone] = []
    preview: Preview | None = None
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
