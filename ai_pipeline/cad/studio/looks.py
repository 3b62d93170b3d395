"""Looks: the scenes a piece is photographed in, as data. A new look is a new entry of ``LOOKS``.

Azimuth 0 is behind the camera and grows to the right; angles are degrees, levels radiance, colors linear RGB.
"""

from dataclasses import dataclass

Rgb = tuple[float, float, float]


@dataclass(frozen=True)
class Box:
    """A rectangular light (``level`` is its radiance) or a flag (``level`` is the share it takes away)."""

    azimuth: float
    elevation: float
    width: float
    height: float
    level: float
    soft: float = 0.35


@dataclass(frozen=True)
class Sun:
    """A small distant light with a shadow of its own; it gives ``share`` of the light on the ground.

    ``window`` is the width of the lit field in mm, as through a window with one bar; 0 for open air.
    """

    azimuth: float
    elevation: float
    radius: float
    level: float
    share: float
    window: float = 0.0


@dataclass(frozen=True)
class Rig:
    """Everything that gives or takes light: a dim room (below, above), lights, flags and pin lights.

    Pin lights are small, bright and seen by stones alone: what the fire of a stone is made of.
    """

    room: tuple[float, float]
    lights: tuple[Box, ...]
    flags: tuple[Box, ...]
    pins: int = 46
    pin_levels: tuple[float, float] = (16.0, 46.0)
    sun: Sun | None = None


@dataclass(frozen=True)
class Look:
    """A backdrop and the light on it.

    ``fade`` is how much darker the picture's corners are, ``gloss`` how strongly the ground mirrors, ``grain`` the
    depth of its texture (a share of its color) and ``bounce`` the light the ground gives back to the piece: above 1
    there are white cards below the frame, without which metal over a dark ground is black.
    """

    name: str
    ground: Rgb
    rig: Rig
    fade: float = 0.16
    gloss: float = 1.0
    grain: float = 0.0
    bounce: float = 0.92
    exposure: float = 1.12


_SOFT_BOXES = (
    Box(-10, 68, 130, 36, 6.4, 0.35),
    Box(-62, 22, 30, 100, 7.6, 0.30),
    Box(66, 20, 20, 92, 5.4, 0.30),
    Box(178, 24, 130, 30, 3.6, 0.5),
    Box(-20, 12, 7, 46, 3.0, 0.4),
    Box(22, 8, 5, 40, 2.4, 0.4),
    Box(-4, -42, 130, 40, 0.7, 0.8),
)
_BLACK_FLAGS = (
    Box(-39, 14, 11, 96, 0.93),
    Box(45, 14, 14, 96, 0.93),
    Box(-104, 14, 22, 96, 0.9),
    Box(104, 14, 22, 96, 0.9),
    Box(1, 2, 18, 26, 0.7, 0.6),
)

IVORY = Look("ivory", (0.905, 0.885, 0.850), Rig((0.11, 0.21), _SOFT_BOXES, _BLACK_FLAGS))
WHITE = Look(
    "white",
    (0.985, 0.985, 0.985),
    Rig(
        (0.20, 0.34),
        (*_SOFT_BOXES, Box(150, -8, 60, 40, 2.2, 0.7), Box(-150, -8, 60, 40, 2.2, 0.7)),
        tuple(Box(f.azimuth, f.elevation, f.width, f.height, f.level * 0.9, f.soft) for f in _BLACK_FLAGS),
    ),
    fade=0.03,
    gloss=0.55,
    bounce=1.0,
)
NOIR = Look(
    "noir",
    (0.030, 0.029, 0.034),
    Rig(
        (0.07, 0.11),
        (
            Box(-78, 26, 26, 110, 8.2, 0.35),
            Box(84, 22, 18, 110, 6.4, 0.35),
            Box(0, 74, 120, 26, 5.6, 0.4),
            Box(178, 30, 150, 34, 5.4, 0.5),
            Box(-24, 18, 12, 70, 3.4, 0.5),
            Box(20, 8, 7, 54, 2.6, 0.5),
            Box(0, 18, 190, 110, 0.85, 0.8),
            Box(-4, -40, 130, 34, 0.55, 0.8),
        ),
        (Box(-40, 14, 14, 96, 0.9), Box(50, 14, 16, 96, 0.9), Box(1, 2, 18, 26, 0.6, 0.6)),
        pins=70,
        pin_levels=(24.0, 64.0),
    ),
    fade=1.15,
    gloss=1.5,
    bounce=9.0,
)
STONE = Look(
    "stone",
    (0.735, 0.640, 0.530),
    Rig(
        (0.16, 0.24),
        (
            Box(-10, 66, 130, 40, 3.6, 0.5),
            Box(-64, 24, 34, 100, 5.2, 0.35),
            Box(66, 20, 20, 92, 3.4, 0.35),
            Box(178, 24, 130, 30, 3.0, 0.5),
            Box(22, 8, 5, 40, 2.0, 0.4),
        ),
        _BLACK_FLAGS,
        pins=36,
        sun=Sun(-118, 38, 2.4, 60.0, 0.62, window=64.0),
    ),
    fade=0.20,
    gloss=0.0,
    grain=0.10,
)

LOOKS: dict[str, Look] = {look.name: look for look in (IVORY, WHITE, NOIR, STONE)}
