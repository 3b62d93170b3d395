"""Where the camera stands for each view of a piece, as data."""

from dataclasses import dataclass
from typing import Literal

from ai_pipeline.cad.studio.posing import Pose


@dataclass(frozen=True)
class Shot:
    """Degrees, the share of the frame the subject fills, and what the subject is.

    ``blur`` is the circle of confusion at the far end of the piece as a share of the picture's width; 0 is sharp
    throughout.
    """

    azimuth: float
    elevation: float
    fill: float = 0.74
    subject: Literal["piece", "head"] = "piece"
    shift: tuple[float, float] = (0.0, -0.02)
    blur: float = 0.0


_HUNG = (0.0, -0.06)

SHOTS: dict[Pose, dict[str, Shot]] = {
    "standing": {
        "hero": Shot(36, 19, blur=0.008),
        "front": Shot(0, 6),
        "side": Shot(90, 8),
        "top": Shot(24, 66),
        "back": Shot(180, 10),
        "three_quarter": Shot(-42, 28),
        "detail": Shot(24, 42, 0.62, "head", blur=0.02),
    },
    "lying": {
        "hero": Shot(22, 30, 0.80, blur=0.007),
        "front": Shot(0, 14, 0.80),
        "side": Shot(90, 16, 0.80),
        "top": Shot(0, 84, 0.78),
        "back": Shot(180, 18, 0.80),
        "three_quarter": Shot(-40, 38, 0.80),
        "detail": Shot(32, 22, 0.95, "head", blur=0.018),
    },
    "hanging": {
        "hero": Shot(-24, 10, 0.62, shift=_HUNG, blur=0.004),
        "front": Shot(0, 2, 0.62, shift=_HUNG),
        "side": Shot(62, 6, 0.62, shift=_HUNG),
        "top": Shot(-18, 38, 0.66, shift=(0.0, -0.04)),
        "back": Shot(180, 4, 0.62, shift=_HUNG),
        "three_quarter": Shot(34, 16, 0.62, shift=_HUNG),
        "detail": Shot(-34, 16, 0.80, "head", blur=0.015),
    },
    "pair": {
        "hero": Shot(-6, 9, 0.70, blur=0.006),
        "front": Shot(0, 2, 0.70),
        "side": Shot(52, 8, 0.70),
        "top": Shot(-8, 42, 0.70),
        "back": Shot(180, 6, 0.70),
        "three_quarter": Shot(30, 18, 0.70),
        "detail": Shot(-22, 20, 0.72, "head", blur=0.015),
    },
}
