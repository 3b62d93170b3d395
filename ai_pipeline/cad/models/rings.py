"""Rings with a head: solitaire, three-stone, halo and signet. Dimensions in millimeters."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from manifold3d import Manifold
from scipy.interpolate import CubicSpline

from ai_pipeline.cad.models import gems, settings, solids
from ai_pipeline.cad.models.bands import d_shank
from ai_pipeline.cad.models.piece import Piece, Stone

Array = npt.NDArray[np.float64]


def mounted(
    head: settings.Head, at: tuple[float, float, float], up: tuple[float, float, float]
) -> tuple[Manifold, Manifold, Stone]:
    """A head turned to face ``up`` at ``at``: its metal, the seat to cut and the stone."""
    stone, matrix = settings.placed(head.stone, at=at, up=up)
    return head.metal().transform(matrix[:3]), settings.seat(stone), stone


@dataclass(frozen=True)
class Solitaire:
    """Six tapering claws hold a brilliant over a shank that narrows towards the head."""

    bore: float = 16.51
    stone: float = 6.5
    species: str = "diamond"

    def build(self) -> Piece:
        """The culet stays clear of the shank; the head reaches down into it."""
        r = self.bore / 2
        gem = gems.cut("round", self.species, self.stone)
        culet = -float(gem.mesh.bounds[0, 2])
        girdle = r + 1.9 + culet + 0.05
        head = settings.Head(
            gem, tuple(30.0 + 60 * k for k in range(6)), depth=culet + 0.75, foot=0.34, claw=0.5, rail=0.42,
            rails=(1.25, culet - 0.1),
        )  # fmt: skip
        metal, cutter, stone = mounted(head, (0, 0, girdle), (0, 0, 1))
        shank = d_shank(r, (1.95, 2.35), (1.9, 1.65), outer=2.3, reach=1.6)
        body = (metal - solids.bore(self.bore + 1.2)) + shank - cutter
        return Piece(solids.to_trimesh(body), (stone,), bore_mm=self.bore, thinnest_mm=0.84)


@dataclass(frozen=True)
class ThreeStone:
    """An oval center between two brilliants, each in its own basket."""

    bore: float = 16.92
    length: float = 8.0
    width: float = 6.0
    side: float = 4.0
    species: str = "sapphire"

    def build(self) -> Piece:
        """The side heads lean outward so that the three tables follow the finger."""
        r = self.bore / 2
        center = gems.cut("oval", self.species, self.length, self.width)
        flank = gems.cut("round", "diamond", self.side)
        culet, low = -float(center.mesh.bounds[0, 2]), -float(flank.mesh.bounds[0, 2])
        girdle = r + 1.75 + culet
        middle = settings.Head(
            center,
            (42.0, 138.0, 222.0, 318.0),
            depth=culet + 0.7,
            foot=0.38,
            claw=0.48,
            rail=0.42,
            rails=(1.2, culet - 0.1),
        )
        side = settings.Head(
            flank,
            (45.0, 135.0, 225.0, 315.0),
            depth=low + 1.15,
            foot=0.42,
            claw=0.45,
            rail=0.4,
            rails=(0.95, low + 0.25),
        )
        parts, cutters, stones = [], [], []
        metal, cutter, stone = mounted(middle, (0, 0, girdle), (0, 0, 1))
        parts.append(metal)
        cutters.append(cutter)
        stones.append(stone)
        lean, away = np.radians(26), self.width / 2 + self.side / 2 + 0.45
        for sign in (-1, 1):
            at = (sign * away, 0.0, girdle - 1.5)
            metal, cutter, stone = mounted(side, at, (sign * float(np.sin(lean)), 0, float(np.cos(lean))))
            parts.append(metal)
            cutters.append(cutter)
            stones.append(stone)
        shank = d_shank(r, (2.2, 2.3), (1.9, 1.65), outer=2.4, reach=1.5)
        body = (solids.union(parts) - solids.bore(self.bore + 1.2)) + shank - solids.union(cutters)
        return Piece(solids.to_trimesh(body), tuple(stones), bore_mm=self.bore, thinnest_mm=0.8)


@dataclass(frozen=True)
class HaloRing:
    """A brilliant in a ring of pave, on a shank that splits below the head."""

    bore: float = 16.10
    stone: float = 5.2
    melee: float = 1.3
    count: int = 15

    def build(self) -> Piece:
        """The halo is a plate around the girdle; two arms rise to it from a single shank."""
        r = self.bore / 2
        gem = gems.cut("round", "diamond", self.stone)
        culet = -float(gem.mesh.bounds[0, 2])
        girdle = r + 1.75 + culet
        head = settings.Head(
            gem,
            (45.0, 135.0, 225.0, 315.0),
            depth=culet + 0.8,
            foot=0.42,
            claw=0.45,
            rail=0.42,
            rails=(1.5, culet + 0.1),
        )
        metal, cutter, stone = mounted(head, (0, 0, girdle), (0, 0, 1))
        row = self.stone / 2 + 0.28 + self.melee / 2
        level = girdle - 0.12
        ring = solids.rounded(self.melee + 0.75, 1.25, (9.0, 3.2), 72)
        t = np.linspace(0, 2 * np.pi, 240, endpoint=False)
        circle = np.stack([row * np.cos(t), row * np.sin(t), np.full_like(t, level - 0.625)], -1)
        plate = solids.sweep(circle, ring, up=(0, 0, 1), closed=True)
        angles = 2 * np.pi * np.arange(self.count) / self.count
        places = [
            (
                np.array([row * np.cos(a), row * np.sin(a), level]),
                np.array([0, 0, 1.0]),
                np.array([-np.sin(a), np.cos(a), 0]),
            )
            for a in angles
        ]
        melee = settings.pave(places, self.melee, closed=True, bead=0.19, hole=1.4)
        body = solids.union([metal - solids.bore(self.bore + 1.2), plate, *melee.beads, self._shank(girdle - 1.1)])
        body = body - solids.union([cutter, *melee.seats])
        return Piece(solids.to_trimesh(body), (stone, *melee.stones), bore_mm=self.bore, thinnest_mm=0.84)

    def _shank(self, top: float) -> Manifold:
        """A single shank below that parts into two arms, which rise to the halo."""
        r = self.bore / 2
        phi = np.linspace(-np.pi, np.pi, 361)[:-1]
        a = np.abs(phi)
        part = np.clip((1.75 - a) / 1.45, 0, 1)
        spread = 0.06 + 2.3 * part * part * (3 - 2 * part)
        rise = np.clip((0.95 - a) / 0.95, 0, 1)
        middle = r + 0.8 + (top - r - 1.5) * rise**2 * (3 - 2 * rise) * 0.42
        arms = []
        for sign in (-1, 1):
            path = np.stack([middle * np.sin(phi), sign * spread, middle * np.cos(phi)], -1)
            arms.append(solids.sweep(path, solids.rounded(1.6, 1.75, 2.8, 56), up=(0.0, 1.0, 0.0), closed=True))
        return solids.union(arms)


@dataclass(frozen=True)
class Signet:
    """An oval signet: broad shoulders carry a slightly domed face."""

    bore: float = 17.73
    face: tuple[float, float] = (12.4, 10.4)
    height: float = 2.7
    dome: float = 0.3

    def build(self) -> Piece:
        """A rounded, shouldered ring whose crest is cut off by the dome of the face: the cut is the oval."""
        r = self.bore / 2
        top = r + self.height
        half = self.face[0] / 2
        edge = float(np.arctan2(half, top))
        back = r + 1.75
        rim = top / np.cos(edge)
        knots = [0, edge, np.radians(52), np.radians(84), np.radians(125), np.pi]
        crest = CubicSpline(knots, [rim + 0.12, rim, back + 1.05, back + 0.42, back + 0.1, back], bc_type="clamped")
        wide = self.face[1]
        broad = CubicSpline(knots, [wide + 0.35, wide - 1.7, 6.5, 4.7, 3.6, 3.3], bc_type="clamped")

        def profile(phi: float) -> Array:
            a = abs((phi + np.pi) % (2 * np.pi) - np.pi)
            tall = float(crest(a)) - r
            s = solids.rounded(1.0, tall, (2.1, 6.0), 132)
            narrow = 1 - 0.24 * np.clip((1.2 - a) / 1.2, 0, 1) * (0.5 - s[:, 1] / tall)
            return np.stack([r + tall / 2 + s[:, 1], s[:, 0] * float(broad(a)) * narrow], -1)

        curve = (half**2 + self.dome**2) / (2 * self.dome)
        ball = Manifold.sphere(curve, 900).translate((0, 0, top + self.dome - curve))
        cap = ball ^ Manifold.cube((40, 40, 12), True).translate((0, 0, top + self.dome - 4))
        lower = Manifold.cube((60, 60, 40), True).translate((0, 0, top - 2 - 20))
        body = solids.band(profile, stations=480) ^ (cap + lower)
        return Piece(solids.to_trimesh(body), bore_mm=self.bore, thinnest_mm=1.5)
