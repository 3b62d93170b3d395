"""Made-up studio photos with known truth: a ring with a stone on a ground with falling light, a shadow and grain."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

GOLD, RUBY, WHITE_GROUND = (212, 175, 96), (150, 24, 48), (236, 236, 236)


@dataclass(frozen=True)
class Shot:
    """A photo and which of its pixels (0..1) are the piece."""

    image: Image.Image
    truth: NDArray[np.float32]


def ring(
    size: tuple[int, int] = (1200, 900),
    *,
    ground: tuple[int, int, int] = WHITE_GROUND,
    metal: tuple[int, int, int] = GOLD,
    light: tuple[float, float, float] = (1.0, 1.0, 1.0),
    at: tuple[float, float] = (0.5, 0.5),
    seed: int = 1,
    grain: float = 1.5,
    clutter: bool = False,
) -> Shot:
    """A band seen from the front with a round stone on top; `light` colors everything, like a lamp."""
    width, height = size
    dice = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    short = min(size)
    cx, cy, outer, inner = at[0] * width, at[1] * height, 0.26 * short, 0.21 * short
    r = np.hypot(x - cx, y - cy)
    band = soft(outer - r) * soft(r - inner)
    stone_at = cy - outer - 0.02 * short
    stone = soft(0.075 * short - np.hypot(x - cx, y - stone_at))
    fall = 1 - 0.10 * ((x / width - 0.4) ** 2 + (y / height - 0.3) ** 2)
    shadow = np.exp(-(((x - cx) / (0.35 * short)) ** 2 + ((y - cy - 1.12 * outer) / (0.08 * short)) ** 2))
    picture = np.array(ground, np.float32) * (fall * (1 - 0.16 * shadow))[..., None]
    if clutter:
        patches = ndimage.gaussian_filter(dice.normal(0, 1, (height, width, 3)), (25, 25, 0))
        picture = picture * 0.6 + 90 * patches / np.abs(patches).max()
    angle = np.arctan2(y - cy, x - cx)
    gleam = 0.72 + 0.38 * np.cos(3 * angle) ** 8 + 0.12 * np.sin(r / 3)
    picture = mix(picture, np.array(metal, np.float32) * gleam[..., None], band)
    facets = 0.8 + 0.35 * np.sign(np.sin(8 * np.arctan2(y - stone_at, x - cx)))
    picture = mix(picture, np.array(RUBY, np.float32) * facets[..., None], stone)
    picture = picture * np.array(light, np.float32) + dice.normal(0, grain, picture.shape)
    pixels = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
    return Shot(Image.fromarray(pixels), np.maximum(band, stone))


def soft(distance: NDArray[np.float32]) -> NDArray[np.float32]:
    """1 inside, 0 outside, one pixel between."""
    return np.clip(distance + 0.5, 0, 1)


def mix(under: NDArray[np.float32], over: NDArray[np.float32], share: NDArray[np.float32]) -> NDArray[np.float32]:
    """`over` on `under` by share."""
    return under * (1 - share[..., None]) + over * share[..., None]


def overlap(found: NDArray[np.float32], truth: NDArray[np.float32]) -> float:
    """Intersection over union at one half."""
    a, b = found > 0.5, truth > 0.5
    return float((a & b).sum() / (a | b).sum())
