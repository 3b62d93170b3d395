"""The lighting: soft boxes and black flags around the piece, kept as a map that is looked up by direction.

Directions are in the frame of the camera: +Z up, the camera on -Y. Maps are octahedral because looking one up
takes a few additions, no trigonometry.
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from ai_pipeline.cad.studio.looks import IVORY, Box, Rig

Floats = npt.NDArray[np.float32]


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


def _angles(directions: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """(azimuth, elevation) in degrees."""
    elevation = np.degrees(np.arcsin(np.clip(directions[..., 2], -1, 1)))
    return np.degrees(np.arctan2(directions[..., 0], -directions[..., 1])), elevation


def _mask(azimuth: npt.NDArray[np.float64], elevation: npt.NDArray[np.float64], box: Box) -> npt.NDArray[np.float64]:
    """Coverage 0..1 of a box with soft borders."""
    across = np.abs((azimuth - box.azimuth + 180) % 360 - 180) * np.cos(np.radians(np.clip(np.abs(elevation), 0, 80)))
    along = np.abs(elevation - box.elevation)
    parts = []
    for distance, half in ((across, box.width / 2), (along, box.height / 2)):
        t = np.clip((half - distance) / (half * box.soft * 2) + 0.5, 0, 1)
        parts.append(t * t * (3 - 2 * t))
    return np.asarray(parts[0] * parts[1])


def _towards(azimuth: float, elevation: float) -> npt.NDArray[np.float64]:
    """The unit direction of degrees of azimuth and elevation."""
    a, e = np.radians(azimuth), np.radians(elevation)
    return np.array([np.sin(a) * np.cos(e), -np.cos(a) * np.cos(e), np.sin(e)])


class Lighting:
    """Radiance by direction: for metal (``soft``), for stones (``sharp``: with pin lights), for the ground (``sky``).

    The sun is part of the first two; the ground adds it by itself, so that its shadow has an edge.
    """

    def __init__(self, rig: Rig = IVORY.rig, size: int = 1024, seed: int = 3) -> None:
        """Paint the maps; ``size`` is their edge in texels."""
        d = _decode(size)
        azimuth, elevation = _angles(d)
        low, high = rig.room
        base = low + (high - low) * np.clip(d[..., 2] * 0.5 + 0.5, 0, 1) ** 2
        for box in rig.lights:
            base = base + _mask(azimuth, elevation, box) * box.level
        for box in rig.flags:
            base = base * (1 - box.level * _mask(azimuth, elevation, box))
        self.size, self.sun = size, None
        self.sky: Floats = ndimage.gaussian_filter(base, size / 240, mode="nearest").astype(np.float32).ravel()
        disk = np.zeros_like(base)
        if rig.sun:
            self.sun = _towards(rig.sun.azimuth, rig.sun.elevation)
            edge = np.cos(np.radians(rig.sun.radius))
            disk = np.clip((d @ self.sun - edge) / (1 - edge) * 4 + 0.5, 0, 1) * rig.sun.level
        pins = np.zeros_like(base)
        rng = np.random.default_rng(seed)
        wide = 1 - np.cos(np.radians(1.7))
        for _ in range(rig.pins):
            at = _towards(rng.uniform(-180, 180), rng.uniform(14, 88))
            near = d @ at - 1
            lit = near > -9 * wide
            pins[lit] += np.exp(near[lit] / wide) * rng.uniform(*rig.pin_levels)
        self.soft: Floats = (self.sky + disk.ravel()).astype(np.float32)
        self.sharp: Floats = (base + disk + pins).astype(np.float32).ravel()

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


@lru_cache(maxsize=4)
def lighting(rig: Rig, size: int = 1024) -> Lighting:
    """The painted maps of a rig; half the size is painted in a quarter of the time."""
    return Lighting(rig, size)
