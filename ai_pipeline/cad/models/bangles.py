"""Bangles: an open torque with ball ends and an oval tapering cuff. Dimensions in millimeters, opening towards -Z."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ai_pipeline.cad.models import solids
from ai_pipeline.cad.models.piece import Piece

Array = npt.NDArray[np.float64]


def wrist(length: float, width: float, gap: float, count: int = 360) -> Array:
    """An open oval path ``(count, 3)`` in the XZ plane with a ``gap`` at the bottom."""
    fine = np.linspace(0, 2 * np.pi, 7201)
    n = 2.25
    r = (np.abs(np.sin(fine)) ** n + np.abs(np.cos(fine)) ** n) ** (-1 / n)
    x, z = r * np.sin(fine) * length / 2, r * np.cos(fine) * width / 2
    keep = ~((np.abs(x) < gap / 2) & (z < 0))
    start = int(np.argmax(~keep))
    order = np.roll(np.arange(len(fine)), -start)
    order = order[keep[order]]
    path = np.stack([x[order], np.zeros(len(order)), z[order]], -1)
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    even = np.linspace(0, along[-1], count)
    return np.stack([np.interp(even, along, path[:, k]) for k in range(3)], -1)


@dataclass(frozen=True)
class TorqueBangle:
    """A round wire that swells slightly towards the back, closed by two polished balls."""

    length: float = 60.0
    width: float = 50.0
    wire: float = 3.0
    ball: float = 7.4
    gap: float = 15.0

    def build(self) -> Piece:
        """The balls are joined to the wire by a short turned collar."""
        path = wrist(self.length + self.wire, self.width + self.wire, self.gap + self.ball)
        t = np.linspace(-1, 1, len(path))
        radius = self.wire / 2 * (1.0 + 0.12 * np.cos(np.pi * t))
        parts = [solids.tube(path, radius, around=64)]
        for end, inner in ((path[0], path[9]), (path[-1], path[-10])):
            out = (end - inner) / np.linalg.norm(end - inner)
            middle = end + out * self.ball * 0.42
            parts.append(solids.sphere(self.ball / 2, middle, around=160))
            for back, size in ((0.50, 1.28), (0.64, 1.14)):
                seat = middle - out * self.ball * back
                parts.append(solids.torus(self.wire / 2 * 0.78 * size, 0.46, seat, out))
        return Piece(solids.to_trimesh(solids.union(parts)), thinnest_mm=self.wire * 0.88)


@dataclass(frozen=True)
class TaperedCuff:
    """A forged-looking cuff: broad and softly ridged in front, slim at the ends."""

    length: float = 59.0
    width: float = 47.0
    front: float = 15.0
    end: float = 6.0
    thickness: float = 1.8
    gap: float = 27.0

    def build(self) -> Piece:
        """A concave front between two raised edges, thinning to rounded ends."""
        path = wrist(self.length + self.thickness, self.width + self.thickness, self.gap, 420)
        t = np.linspace(-1, 1, len(path))
        broad = self.end + (self.front - self.end) * np.cos(np.clip(np.abs(t), 0, 1) * np.pi / 2) ** 1.6
        tip = np.clip((1 - np.abs(t)) / 0.035, 0.02, 1)
        tip = np.sqrt(1 - (1 - tip) ** 2)
        base = solids.rounded(1.0, 1.0, 5.0, 120)
        sections = []
        for w, s in zip(broad, tip, strict=True):
            y = base[:, 0] * w * (0.35 + 0.65 * s)
            ridge = 0.75 * np.exp(-((np.abs(y) - 0.40 * w) ** 2) / 0.55) - 0.35 * np.cos(np.pi * y / w) ** 2 * (
                w / self.front
            )
            lift = np.where(base[:, 1] > 0, ridge * 0.55, -0.0)
            sections.append(np.stack([y, base[:, 1] * self.thickness * max(s, 0.12) + lift * s * (w / self.front)], -1))
        outward = path / np.linalg.norm(path, axis=1, keepdims=True)
        tangent, _, _ = solids.frames(path, up=(0, 1, 0))
        normal = np.stack([-tangent[:, 2], np.zeros(len(path)), tangent[:, 0]], -1)
        normal *= np.sign((normal * outward).sum(1, keepdims=True))
        s = np.stack(sections)
        body = solids.loft(path[:, None] + s[..., 1:] * normal[:, None] + s[..., :1] * np.array([0, 1.0, 0]))
        return Piece(solids.to_trimesh(body), thinnest_mm=1.4)
