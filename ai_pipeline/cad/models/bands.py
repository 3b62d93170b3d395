"""Rings without a head: court, knife-edge, rope and half-eternity bands. Dimensions in millimeters."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from manifold3d import Manifold

from ai_pipeline.cad.models import settings, solids
from ai_pipeline.cad.models.piece import Piece

Array = npt.NDArray[np.float64]


def court_section(
    inner_radius: float, width: float, thickness: float, *, inner: float = 4.0, outer: float = 2.3
) -> Array:
    """A comfort-fit section ``(k, 2)`` as (radius, axial): domed outside, softly rounded inside, edges blended."""
    s = solids.rounded(width, thickness, (outer, inner), 96)
    return np.stack([inner_radius + thickness / 2 + s[:, 1], s[:, 0]], -1)


def d_shank(
    inner_radius: float, width: tuple[float, float], thickness: tuple[float, float], *,
    outer: float = 2.5, inner: float = 7.0, reach: float = 1.0,
) -> Manifold:  # fmt: skip
    """A plain shank whose width and thickness go from (top) to (bottom); ``reach`` above 1 tapers nearer the top."""

    def profile(phi: float) -> Array:
        t = (0.5 + 0.5 * np.cos(phi)) ** reach
        w = width[1] + (width[0] - width[1]) * t
        h = thickness[1] + (thickness[0] - thickness[1]) * t
        return court_section(inner_radius, w, h, inner=inner, outer=outer)

    return solids.band(profile)


@dataclass(frozen=True)
class CourtBand:
    """A classic court (comfort-fit) wedding band."""

    bore: float = 19.76
    width: float = 5.0
    thickness: float = 2.0

    def build(self) -> Piece:
        """One lofted solid."""
        body = solids.band(lambda _phi: court_section(self.bore / 2, self.width, self.thickness, inner=3.4, outer=2.2))
        return Piece(solids.to_trimesh(body), bore_mm=self.bore, thinnest_mm=self.thickness)


@dataclass(frozen=True)
class KnifeEdgeBand:
    """A band that rises to a softened ridge."""

    bore: float = 16.92
    width: float = 3.6
    thickness: float = 2.15
    edge: float = 1.15

    def build(self) -> Piece:
        """Two flat slopes meet in a ridge of 0.12 mm radius; the inside is comfort-fit."""
        w, t, e = self.width / 2, self.thickness, self.edge
        corner = np.array([(0.0, w * 0.62), (0.16, w * 0.94), (e * 0.6, w), (e, w * 0.93), (t - 0.1, 0.10)])
        half = corner[:, ::1]
        mirrored = half[::-1] * [1, -1]
        outline = np.vstack([half, mirrored])
        section = settings.soften(outline, rounds=4, keep=0.86)
        section = section - [section[:, 0].min(), 0] + [self.bore / 2, 0]
        body = solids.band(lambda _phi: section)
        return Piece(solids.to_trimesh(body), bore_mm=self.bore, thinnest_mm=1.15)


@dataclass(frozen=True)
class RopeBand:
    """Strands of round wire twisted around the finger over a thin inner sleeve."""

    bore: float = 17.32
    strand: float = 0.86
    strands: int = 3
    turns: int = 11
    sleeve: float = 1.0

    def build(self) -> Piece:
        """Strands are closed helices around a solid core; the sleeve keeps the inside smooth and the ring one solid."""
        offset = self.strand * 1.04
        circle = self.bore / 2 + self.sleeve * 0.62 + offset * 0.86
        t = np.linspace(0, 2 * np.pi, 900, endpoint=False)
        parts = []
        for k in range(self.strands):
            a = self.turns * t + 2 * np.pi * k / self.strands
            r = circle + offset * np.cos(a)
            path = np.stack([r * np.sin(t), offset * np.sin(a), r * np.cos(t)], -1)
            parts.append(solids.tube(path, self.strand, around=32, closed=True))
        core = np.stack([circle * np.sin(t[::3]), np.zeros(300), circle * np.cos(t[::3])], -1)
        rope = solids.union([*parts, solids.tube(core, offset, closed=True)]) - solids.bore(self.bore + 0.9)
        section = solids.rounded(3.3, self.sleeve, (3.0, 4.5), 64)
        lining = np.stack([self.bore / 2 + self.sleeve / 2 + section[:, 1], section[:, 0]], -1)
        body = rope + solids.band(lambda _phi: lining)
        return Piece(solids.to_trimesh(body), bore_mm=self.bore, thinnest_mm=self.sleeve)


@dataclass(frozen=True)
class HalfEternity:
    """A band whose upper half carries a row of pave brilliants."""

    bore: float = 16.92
    width: float = 2.5
    thickness: float = 1.95
    stone: float = 1.6
    count: int = 17

    def build(self) -> Piece:
        """Stones sit on a flat, with shared beads and light holes through to the finger side."""
        radius = self.bore / 2 + self.thickness
        step = (self.stone + 0.16) / radius
        reach = step * self.count / 2

        def profile(phi: float) -> Array:
            a = abs((phi + np.pi) % (2 * np.pi) - np.pi)
            flat = float(np.clip((reach + 0.22 - a) / 0.2, 0, 1))
            flat = flat * flat * (3 - 2 * flat)
            taper = 0.22 * (0.5 - 0.5 * np.cos(phi))
            return court_section(
                self.bore / 2, self.width - taper, self.thickness - taper, inner=6.5, outer=2.4 + 5.5 * flat
            )

        angles = step * (np.arange(self.count) - (self.count - 1) / 2)
        places = [
            (radius * n, n, np.array([np.cos(a), 0, -np.sin(a)]))
            for a, n in ((a, np.array([np.sin(a), 0.0, np.cos(a)])) for a in angles)
        ]
        row = settings.pave(places, self.stone, bead=0.22, hole=self.thickness + 0.4)
        body = solids.union([solids.band(profile), *row.beads]) - solids.union(row.seats)
        return Piece(solids.to_trimesh(body), row.stones, bore_mm=self.bore, thinnest_mm=0.9)
