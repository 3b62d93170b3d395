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
