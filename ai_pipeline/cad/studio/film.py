"""From radiance to a picture: tone curve, backdrop and file."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

Floats = npt.NDArray[np.float32]

SHOULDER = 0.72
EXPOSURE = 1.12


def tone(radiance: Floats, exposure: float = EXPOSURE) -> Floats:
    """Linear display values: straight up to the shoulder, then rolling off; very bright light turns white."""
    x = np.asarray(radiance, np.float32) * np.float32(exposure)
    peak = x.max(-1, keepdims=True)
    k = np.float32(SHOULDER)
    rolled = np.where(peak < k, peak, k + (1 - k) * (1 - np.exp(-(peak - k) / (1 - k) / np.float32(1.8))))
    y = x * (rolled / np.maximum(peak, 1e-6))
    white = np.clip((peak - np.float32(1.4)) / 6, 0, 0.75)
    return np.asarray(y * (1 - white) + rolled * white, np.float32)


def srgb(linear: Floats) -> Floats:
    """The sRGB transfer curve (IEC 61966-2-1)."""
    x = np.clip(linear, 0, 1)
    return np.where(x <= 0.0031308, 12.92 * x, 1.055 * np.power(np.maximum(x, 1e-8), 1 / 2.4) - 0.055).astype(
        np.float32
    )


def to_image(linear: Floats, *, seed: int = 5) -> Image.Image:
    """An 8-bit picture; half a step of noise keeps the backdrop's gradients from banding."""
    noise = np.random.default_rng(seed).random(linear.shape[:2], np.float32)[..., None] - np.float32(0.5)
    return Image.fromarray((srgb(linear) * 255 + noise + np.float32(0.5)).clip(0, 255).astype(np.uint8))


def save(image: Image.Image, path: Path, *, quality: int = 88, limit: int | None = None) -> None:
    """Write WebP or PNG by suffix; with ``limit`` (bytes) the quality is lowered until the file fits."""
    if path.suffix != ".webp":
        image.save(path, optimize=True)
        return
    image.save(path, quality=quality, method=6)
    while limit and path.stat().st_size > limit and quality > 40:
        quality -= 4
        image.save(path, quality=quality, method=6)
