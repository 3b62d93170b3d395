"""The lighting: soft boxes and black flags around the piece, kept as a map that is looked up by direction.

Directions are in the frame of the camera: +Z up, the camera on -Y. Maps are octahedral because looking one up
takes a few additions, no trigonometry.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Box:
    """A rectangular light or flag: azimuth 0 is behind the camera and grows to the right; degrees, radiance."""

    azimuth: float
    elevation: float
    width: float
    height: float
    level: float
    soft: float = 0.35


LIGHTS = (
    Box(-10, 68, 130, 36, 6.4, 0.35),
    Box(-62, 22, 30, 100, 7.6, 0.30),
    Box(66, 20, 20, 92, 5.4, 0.30),
    Box(178, 24, 130, 30, 3.6, 0.5),
    Box(-20, 12, 7, 46, 3.0, 0.4),
    Box(22, 8, 5, 40, 2.4, 0.4),
    Box(-4, -42, 130, 40, 0.7, 0.8),
)
FLAGS = (
    Box(-39, 14, 11, 96, 0.93),
    Box(45, 14, 14, 96, 0.93),
    Box(-104, 14, 22, 96, 0.9),
    Box(104, 14, 22, 96, 0.9),
    Box(1, 2, 18, 26, 0.7, 0.6),
)


def _decode(size: int) -> npt.NDArray[np.float64]:
    """Unit directions ``(size, size, 3)`` of the octahedral map's texel centers."""
    axis = (np.arange(size) + 0.5) / size * 2 - 1
    x, y = np.meshgrid(axis, axis)
    z = 1 - np.abs(x) - np.abs(y)
    fold = z < 0
    fx = np.where(fold, (1 - np.abs(y)) * np.where(x >= 0, 1, -1), x)
    fy = np.where(fold, (1 - np.abs(x)) * np.where(y >= 0, 1, -1), y)
    d = np.stack([fx, fy, z], -1)
    return np.asarray(d / np.linalg.norm(d, axis=-1, keepdims=True))


def _mask(directions: npt.NDArray[np.float64], box: Box) -> npt.NDArray[np.float64]:
    """Coverage 0..1 of a box with soft borders."""
    elevation = np.degrees(np.arcsin(np.clip(directions[..., 2], -1, 1)))
    azimuth = np.degrees(np.arctan2(directions[..., 0], -directions[..., 1]))
    across = np.abs((azimuth - box.azimuth + 180) % 360 - 180) * np.cos(np.radians(np.clip(np.abs(elevation), 0, 80)))
    along = np.abs(elevation - box.elevation)
    parts = []
    for distance, half in ((across, box.width / 2), (along, box.height / 2)):
        t = np.clip((half - distance) / (half * box.soft * 2) + 0.5, 0, 1)
        parts.append(t * t * (3 - 2 * t))
    return np.asarray(parts[0] * parts[1])


class Lighting:
    """Radiance by direction, once soft for metal and once with pin lights for the fire of stones."""

    def __init__(self, size: int = 1024, seed: int = 3) -> None:
        """Paint the maps; ``size`` is their edge in texels."""
        d = _decode(size)
        base = 0.045 + 0.13 * np.clip(d[..., 2] * 0.5 + 0.5, 0, 1) ** 2
        for box in LIGHTS:
            base = base + _mask(d, box) * box.level
        for box in FLAGS:
            base = base * (1 - box.level * _mask(d, box))
        pins = np.zeros_like(base)
        rng = np.random.default_rng(seed)
        for _ in range(34):
            az, el = np.radians(rng.uniform(-180, 180)), np.radians(rng.uniform(14, 88))
            at = np.array([np.sin(az) * np.cos(el), -np.cos(az) * np.cos(el), np.sin(el)])
            pins += np.exp((d @ at - 1) / (1 - np.cos(np.radians(1.7)))) * rng.uniform(14, 34)
        self.size = size
        self.soft: Floats = ndimage.gaussian_filter(base, size / 240, mode="nearest").astype(np.float32).ravel()
        self.sharp: Floats = (base + pins).astype(np.float32).ravel()

    def index(self, directions: Floats) -> npt.NDArray[np.intp]:
        """Texel of each unit direction ``(n, 3)``."""
        x, y, z = directions[:, 0], directions[:, 1], directions[:, 2]
        scale = 1 / (np.abs(x) + np.abs(y) + np.abs(z) + 1e-12)
        u, v = x * scale, y * scale
        fold = z < 0
        if fold.any():
            fu, fv = u[fold], v[fold]
            u[fold] = (1 - np.abs(fv)) * np.where(fu >= 0, 1, -1)
            v[fold] = (1 - np.abs(fu)) * np.where(fv >= 0, 1, -1)
        half = np.float32(self.size / 2)
        column = np.clip((u + 1) * half, 0, self.size - 1).astype(np.intp)
        row = np.clip((v + 1) * half, 0, self.size - 1).astype(np.intp)
        return np.asarray(row * self.size + column)
