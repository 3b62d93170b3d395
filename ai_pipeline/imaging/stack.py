"""Edits of a photo as data: which there are, what they may say, and the order they are made in.

A stack holds each kind at most once. The original is never touched: taking a step out is making the stack again without
it. Steps are made in the order of KINDS, so the result does not hang on the order they were added in.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

KINDS = ("straighten", "crop", "dust", "white_balance", "exposure", "background")
#: Steps that can move the color of metal and stone.
COLOR_KINDS = ("white_balance", "exposure")
#: How far the color of the piece may move on average, CIEDE2000. 1 is what a trained eye just sees side by side; 2 is
#: the usual bound of a faithful reproduction (ISO 12647 allows process inks more).
COLOR_LIMIT = 2.0

#: Below this confidence a person must look at where the piece was told from its ground.
SURE = 0.6

SHAPES: dict[str, float] = {"4:5": 0.8, "1:1": 1.0, "3:2": 1.5}


class _Step(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Straighten(_Step):
    """Turn by `angle` degrees, clockwise; the largest upright part without empty corners is kept."""

    kind: Literal["straighten"] = "straighten"
    angle: float = Field(ge=-15, le=15)


class Crop(_Step):
    """Cut to a frame of the grid: `size` of the largest such frame (0.2 to 1), its middle at `x`, `y` (0 to 1)."""

    kind: Literal["crop"] = "crop"
    shape: Literal["4:5", "1:1", "3:2"] = "4:5"
    x: float = Field(default=0.5, ge=0, le=1)
    y: float = Field(default=0.5, ge=0, le=1)
    size: float = Field(default=1.0, ge=0.2, le=1)


class Dust(_Step):
    """Take specks off the ground, never off the piece; `strength` 1 (only clear ones) to 100."""

    kind: Literal["dust"] = "dust"
    strength: int = Field(default=50, ge=1, le=100)


class WhiteBalance(_Step):
    """Warmer (or cooler) and more magenta (or green); 100 changes red against blue, or green, by half a stop."""

    kind: Literal["white_balance"] = "white_balance"
    warmth: float = Field(default=0, ge=-100, le=100)
    tint: float = Field(default=0, ge=-100, le=100)


class Exposure(_Step):
    """Lighter or darker by `stops`; highlights are held back before they burn out."""

    kind: Literal["exposure"] = "exposure"
    stops: float = Field(ge=-2, le=2)


class Background(_Step):
    """Put the piece on an even ground; `transparent` leaves it out (JPEG shows white)."""

    kind: Literal["background"] = "background"
    ground: Literal["white", "cream", "gray", "transparent"] = "white"


Step = Annotated[Straighten | Crop | Dust | WhiteBalance | Exposure | Background, Field(discriminator="kind")]


class Stack(BaseModel):
    """Steps in the order they are made in."""

    model_config = ConfigDict(extra="forbid")

    steps: list[Step] = Field(default_factory=list, max_length=len(KINDS))

    @model_validator(mode="after")
    def _ordered(self) -> "Stack":
        kinds = [step.kind for step in self.steps]
        if len(set(kinds)) != len(kinds):
            raise ValueError("each kind of step may be there once")
        self.steps.sort(key=lambda step: KINDS.index(step.kind))
        return self

    def step(self, kind: str) -> Step | None:
        """The step of a kind, if it is there."""
        return next((step for step in self.steps if step.kind == kind), None)

    def without(self, *kinds: str) -> "Stack":
        """The stack with steps taken out."""
        return Stack(steps=[step for step in self.steps if step.kind not in kinds])
