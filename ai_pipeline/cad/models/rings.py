"""Rings with a head: solitaire, three-stone, halo and signet. Dimensions in millimeters."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from manifold3d import Manifold

from ai_pipeline.cad.models import gems, settings, solids
from ai_pipeline.cad.models.bands import d_shank
from ai_pipeline.cad.models.piece import Piece, Stone

Array = npt.NDArray[np.float64]


def mounted(head: settings.Head, at: tuple[float, float, float], up: tuple[float, float, float]) -> tuple[Manifold, Manifold, Stone]:
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
            center, (42.0, 138.0, 222.0, 318.0), depth=culet + 0.7, foot=0.38, claw=0.48, rail=0.42, rails=(1.2, culet - 0.1)
        )
        side = settings.Head(
            flank, (45.0, 135.0, 225.0, 315.0), depth=low + 1.15, foot=0.42, claw=0.42, rail=0.4, rails=(0.95, low + 0.25)
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
            gem, (45.0, 135.0, 225.0, 315.0), depth=culet + 0.8, foot=0.42, claw=0.45, rail=0.42, rails=(1.5, culet + 0.1)
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
            (np.array([row * np.cos(a), row * np.sin(a), level]), np.array([0, 0, 1.0]), np.array([-np.sin(a), np.cos(a), 0]))
            for a in angles
        ]
        melee = settings.pave(places, self.melee, closed=True, bead=0.19, hole=1.4)
        body = solids.union([metal - solids.bore(self.bore + 1.2), plate, *melee.beads, self._shank(girdle - 1.1)])
        body = body - solids.union([cutter, *melee.seats])
        return Piece(solids.to_trimesh(body), (stone, *melee.stones), bore_mm=self.bore, thinnest_mm=0.84)

    def _shank(self, top: float) -> Manifold:
        """A shank of one wire below that parts into two from a third of the way up."""
        r = self.bore / 2
        phi = np.linspace(-np.pi, np.pi, 289)[:-1]
        arms = []
        for sign in (-1, 1):
            a = np.abs(phi)
            open_ = np.clip((2.05 - a) / 1.75, 0, 1) ** 1.5
            spread = 0.42 + 1.75 * open_ * (1 - 0.45 * np.clip((0.42 - a) / 0.42, 0, 1) ** 2)
            lift = r + 0.775 + 0.85 * np.exp(-((a / 0.33) ** 2)) * (top - r - 1.7) / 1.2 * 0.55
            path = np.stack([lift * np.sin(phi), sign * spread, lift * np.cos(phi)], -1)
            arms.append(solids.sweep(path, solids.rounded(1.55, 1.8, 3.0, 56), up=(0.0, 1.0, 0.0), closed=True))
        return solids.union(arms)


@dataclass(frozen=True)
class Signet:
    """An oval signet: heavy shoulders carry a slightly domed face."""

    bore: float = 17.73
    face: tuple[float, float] = (12.6, 10.8)
    height: float = 3.1
    dome: float = 0.35

    def build(self) -> Piece:
        """The shouldered ring is cut by the flare below the face, then by the dome above it."""
        r = self.bore / 2
        top = r + self.height
        half = self.face[0] / 2
        corner = float(np.arctan2(half, top - 0.6))

        def profile(phi: float) -> Array:
            a = abs((phi + np.pi) % (2 * np.pi) - np.pi)
            shoulder = float(np.clip((a - corner * 0.72) / (np.pi - corner * 0.72), 0, 1))
            fall = np.exp(-3.4 * shoulder) - np.exp(-3.4) * shoulder
            width = 3.3 + (self.face[1] + 0.9 - 3.3) * fall
            tall = min((top + 0.5) / max(np.cos(a), 0.2) - r, 1.75 + 6.2 * fall**1.7)
            s = solids.rounded(width, tall, (2.6, 9.0), 96)
            return np.stack([r + tall / 2 + s[:, 1], s[:, 0]], -1)

        shoulders = solids.band(profile, stations=360)
        t = np.linspace(0, 2 * np.pi, 180, endpoint=False)
        down = np.linspace(0, 1, 40)
        flare = 1 + 0.075 * np.sqrt(down) + 1.9 * down**3.2
        oval = np.stack([np.cos(t) * half, np.sin(t) * self.face[1] / 2], -1)
        z = top + 0.4 - down * (self.height + 5.0)
        rows = np.concatenate(
            [oval[None] * flare[:, None, None], np.broadcast_to(z[:, None, None], (40, 180, 1))], -1
        )
        below = Manifold.cube((60, 60, 30), True).translate((0, 0, float(z[-1]) - 14.9))
        column = solids.loft(rows) + below
        curve = (half**2 + self.dome**2) / (2 * self.dome)
        ball = Manifold.sphere(curve, 1400).translate((0, 0, top + self.dome - curve))
        cap = ball ^ Manifold.cube((40, 40, 20), True).translate((0, 0, top + self.dome - 4))
        lower = Manifold.cube((60, 60, 40), True).translate((0, 0, top - 2 - 20))
        body = (shoulders ^ column ^ (cap + lower)) - solids.bore(self.bore)
        return Piece(solids.to_trimesh(body), bore_mm=self.bore, thinnest_mm=1.5)
