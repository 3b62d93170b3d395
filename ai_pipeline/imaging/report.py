"""What is known about a photo after it was decoded and re-encoded."""

from pydantic import BaseModel, ConfigDict


class Reading(BaseModel):
    """How a file was read: what isolation held and what it cost."""

    isolation: str
    wall_ms: int
    cpu_ms: int
    peak_mb: int


class Derivative(BaseModel):
    """One clean image made from the decoded pixels; `name` lies in the task's output folder."""

    name: str
    media_type: str
    width: int
    height: int
    bytes: int
    sha256: str


class Note(BaseModel):
    """Something the person should know; `message` is English with %(name)s places filled from `params`."""

    model_config = ConfigDict(frozen=True)

    code: str
    message: str
    params: dict[str, str | int | float] = {}


class PhotoReport(BaseModel):
    """Width and height are as seen, after orientation; megapixels as stored. `placeholder` is a data:
    URL of a tiny WebP.
    """

    format: str
    width: int
    height: int
    megapixels: float
    has_alpha: bool
    average_color: str
    placeholder: str
    derivatives: list[Derivative]
    warnings: list[Note]
    reading: Reading | None = None


class ColorShift(BaseModel):
    """How far color moved, CIEDE2000: on average and for all but the worst twentieth of the pixels.

    `over` is what was compared: the piece, or the whole picture where the two could not be told apart.
    """

    moved: float
    worst: float
    limit: float
    over: str

    @property
    def exceeds(self) -> bool:
        """Whether a person must confirm it."""
        return self.moved > self.limit


class StepReport(BaseModel):
    """What one step did: how far it moved the color of the piece, and how many marks it took away (dust alone)."""

    kind: str
    moved: float = 0.0
    count: int | None = None


class EditReport(BaseModel):
    """An edited photo: its web sizes in the task's output folder, and what the edit did to it.

    `before` is one picture of the photo in the same frame, without the steps that change its colors or its ground.
    `confidence` tells how surely piece and ground were told apart; it is None when no step needed that.
    """

    width: int
    height: int
    placeholder: str
    derivatives: list[Derivative]
    before: Derivative
    color: ColorShift
    steps: list[StepReport]
    confidence: float | None
    warnings: list[Note]
    reading: Reading | None = None


class ProposalReport(BaseModel):
    """Steps that would make a photo more even, as data (imaging.stack), with remarks on what was left out."""

    steps: list[dict[str, str | int | float]]
    confidence: float
    notes: list[Note]
    reading: Reading | None = None


class MarkReport(BaseModel):
    """A picture with a mark across it, in the task's output folder."""

    name: str
    width: int
    height: int
    bytes: int
    reading: Reading | None = None
