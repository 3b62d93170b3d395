"""Pendants that hang in the XZ plane and face -Y. Dimensions in millimeters."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from manifold3d import Manifold

from ai_pipeline.cad.models import gems, settings, solids
from ai_pipeline.cad.models.chain import strands
from ai_pipeline.cad.models.piece import Piece, Stone
from ai_pipeline.cad.studio import placing

Array = npt.NDArray[np.float64]


def bail(foot: Array | tuple[float, float, float], *, height: float = 6.2, width: float = 3.0) -> Manifold:
    """A tapering strap loop standing on ``foot``, open sideways for the chain."""
    t = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    y, z = np.sin(t) * height * 0.30, -np.cos(t) * height / 2
    path = np.stack([np.zeros_like(t), y, z + height / 2 - 0.35], -1) + np.asarray(foot)
    broad = width * (0.62 + 0.38 * (0.5 - 0.5 * np.cos(t)))
    section = solids.rounded(1.0, 1.0, 3.0, 48)
    sections = np.stack([section * [w, 0.95] for w in broad])
    _, n, b = solids.frames(path, closed=True, up=(1, 0, 0))
    return solids.loft(path[:, None] + sections[..., :1] * n[:, None] + sections[..., 1:] * b[:, None], closed=True)


def facing(head: Manifold, stone: Stone, at: tuple[float, float, float], turn: float = 0.0) -> tuple[Manifold, Stone]:
    """A head and its stone turned to face the viewer at ``at``; the stone's length stays upright."""
    matrix = placing.moved(placing.turned(90, (1, 0, 0)) @ placing.turned(turn, (0, 0, 1)), at)
    return head.transform(matrix[:3]), stone.moved(matrix)


@dataclass(frozen=True)
class DiscPendant:
    """A lentil-shaped disc with a raised rim and one flush-set brilliant off center."""

    diameter: float = 19.0
    stone: float = 2.5

    def build(self) -> Piece:
        """Rays are engraved up to 0.4 mm deep from the stone to the rim; 0.8 mm stay below them."""
        r = self.diameter / 2
        profile = solids.spline(
            [(0.01, 1.45), (r * 0.4, 1.39), (r * 0.8, 1.22), (r * 0.87, 1.2), (r * 0.905, 1.42), (r * 0.955, 1.52),
             (r, 0.95), (r * 0.985, 0.2), (r * 0.93, 0.02), (r * 0.6, 0.0), (0.01, 0.0)], 160,
        )  # fmt: skip
        around = np.linspace(0, 2 * np.pi, 360, endpoint=False)
        rows = np.stack(
            [np.stack([p[0] * np.cos(around), p[0] * np.sin(around), np.full(360, p[1])], -1) for p in profile]
        )
        disc = solids.loft(rows) + Manifold.cylinder(0.6, r * 0.8, circular_segments=96)
        center = np.array([0.0, r * 0.30])
        gem = gems.cut("round", "diamond", self.stone)
        height = 1.33
        gem_at, _ = settings.placed(gem, at=(center[0], center[1], height))
        grooves = []
        for k in range(20):
            a = 2 * np.pi * k / 20 + np.pi / 20
            out = np.array([np.cos(a), np.sin(a)])
            along = np.linspace(self.stone / 2 + 1.3, 40, 400)
            points = center + along[:, None] * out
            points = points[np.linalg.norm(points, axis=1) < r * 0.80]
            fall = np.interp(np.linalg.norm(points, axis=1), profile[:80, 0], profile[:80, 1])
            path = np.c_[points, fall][:: max(1, len(points) // 40)]
            if len(path) < 8:
                continue
            size = 0.36 * np.sin(np.linspace(0.25, 1, len(path)) * np.pi) ** 0.5 + 0.04
            grooves.append(solids.tube(path, np.clip(size, 0.05, 0.40), around=20))
        seat = settings.seat(gem_at) + Manifold.cylinder(1, self.stone / 2 + 0.02, circular_segments=72).translate(
            (center[0], center[1], height)
        )
        light = Manifold.cylinder(3, 0.55, circular_segments=48).translate((center[0], center[1], -1.5))
        rim = self.stone / 2 + 0.34
        circle = np.stack([rim * np.cos(around), rim * np.sin(around), np.full(360, 1.37)], -1)
        collar = solids.tube(circle[::3] + np.append(center, 0.0), 0.36, closed=True)
        body = (disc - solids.union(grooves)) + collar - seat - light
        face, stone = facing(body, gem_at, (0, 0.6, 0))
        strap = bail((0, 0, r - 0.5), height=5.4, width=2.6)
        metal = solids.to_trimesh(face + strap)
        return Piece(metal, (stone,), thinnest_mm=0.8, findings=strands((0, 0, r + 4.1)))


@dataclass(frozen=True)
class CabochonPendant:
    """An oval cabochon in a plain bezel with a row of grains around it."""

    length: float = 14.0
    width: float = 10.0
    species: str = "lapis"

    def build(self) -> Piece:
        """The bezel is 0.9 mm thick with a 1 mm floor; grains of 1 mm stand around its foot."""
        gem = gems.cut("cabochon", self.species, self.length, self.width)
        collar = settings.bezel(gem, wall=0.9, above=0.75, below=1.5, floor=1.0)
        points = gems.outline("oval", self.length + 2.7, self.width + 2.7, 720)
        along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0, append=points[:1]), axis=1))])
        count = round(float(along[-1]) / 1.06)
        at = np.linspace(0, along[-1], count, endpoint=False)
        wrapped = np.vstack([points, points[:1]])
        x, y = (np.interp(at, along, wrapped[:, k]) for k in range(2))
        grains = [solids.sphere(0.56, (a, b, -1.0), around=32) for a, b in zip(x, y, strict=True)]
        base_points = gems.outline("oval", self.length + 2.9, self.width + 2.9, 192)
        base = solids.loft(np.stack([np.c_[base_points, np.full(192, z)] for z in (-1.5, -0.75)]))
        body = solids.union([collar, base, *grains]) - settings.seat(gem)
        face, stone = facing(body, gem, (0, 0, 0))
        top = self.length / 2 + 1.0
        strap = bail((0, 0.9, top - 0.1), height=5.6, width=2.8)
        metal = solids.to_trimesh(face + strap)
        return Piece(metal, (stone,), thinnest_mm=0.9, findings=strands((0, 0.9, top + 4.4)))


@dataclass(frozen=True)
class BarPendant:
    """A slim faceted bar with three brilliants set down its ridge."""

    length: float = 27.0
    width: float = 4.6
    stone: float = 2.0

    def build(self) -> Piece:
        """A ridge runs down the bar; the ends are cut to chisels. The chain passes a drilled eye."""
        w = self.width / 2
        section = np.array([(-w, 0.0), (w, 0.0), (w, 0.7), (1.25, 2.0), (-1.25, 2.0), (-w, 0.7)])
        section = settings.soften(section, rounds=3, keep=0.94)
        half = self.length / 2
        z = np.concatenate(
            [
                np.linspace(-half, -half + 4, 24),
                np.linspace(-half + 4.5, half - 4.5, 30),
                np.linspace(half - 4, half, 24),
            ]
        )
        close = np.clip((half - np.abs(z)) / 4.0, 0, 1)
        rows = []
        for height, c in zip(z, close, strict=True):
            broad, tall = 0.42 + 0.58 * c, 0.55 + 0.45 * c
            rows.append(np.stack([section[:, 0] * broad, -section[:, 1] * tall, np.full(len(section), height)], -1))
        bar = solids.loft(np.stack(rows))
        places = [
            (np.array([0, -2.0, k]), np.array([0, -1.0, 0]), np.array([0, 0, 1.0]))
            for k in (-8.1, -5.9, -3.7, -1.5, 0.7)
        ]
        row = settings.pave(places, self.stone, bead=0.24, hole=2.6)
        loop = solids.torus(1.75, 0.5, (0, -0.75, half + 1.25), (0, 1, 0))
        body = solids.union([bar, loop, *row.beads]) - solids.union(row.seats)
        return Piece(
            solids.to_trimesh(body), row.stones, thinnest_mm=0.95, findings=strands((0, -0.75, half + 2.4), eye=True)
        )


@dataclass(frozen=True)
class LeafPendant:
    """A curling leaf with midrib and veins, grown from a stem that turns into its own loop."""

    length: float = 27.0
    width: float = 14.5
    thickness: float = 1.3

    def build(self) -> Piece:
        """A thickened surface; the veins are pressed in from the front, the wall stays above 0.9 mm."""
        u, v = np.meshgrid(np.linspace(0, 1, 300), np.linspace(-1, 1, 141), indexing="ij")
        half = self.width / 2 * (np.sin(np.pi * u**0.82) ** 0.78) * (1 - 0.22 * u) + 0.55
        phase = (u - 0.34 * np.abs(v)) * 11
        furrow = (0.5 - 0.5 * np.cos(2 * np.pi * phase)) ** 0.8
        relief = (
            0.32 * furrow * np.clip(np.abs(v) * 3, 0, 1) * np.clip((0.97 - np.abs(v)) * 6, 0, 1) * np.clip(u * 8, 0, 1)
        )
        relief *= np.clip((0.97 - u) * 7, 0, 1)
        rib = 0.75 * np.exp(-((v * half / 0.42) ** 2)) * (1 - 0.65 * u)
        bend = 3.0 * np.sin(np.pi * (u - 0.1)) * 0.5 + 2.4 * u**3
        cup = -2.3 * np.abs(v) ** 1.8 * np.sin(np.pi * np.clip(u, 0, 1)) ** 0.8
        edge = np.sqrt(np.clip(1 - np.abs(v) ** 14, 0.0, 1))
        sway = 2.1 * np.sin(np.pi * u * 1.05) * u
        x = half * v + sway
        z = -u * self.length
        y = -(bend + cup)
        front = y - (self.thickness / 2 + relief * 0.8 + rib) * np.maximum(edge, 0.02)
        back = y + self.thickness / 2 * np.maximum(edge, 0.02)
        top, bottom = np.stack([x, front, z], -1), np.stack([x, back, z], -1)
        leaf = solids.loft(np.concatenate([top, bottom[:, -2:0:-1]], axis=1))
        lift = float(y[0, 70])
        stem = solids.spline(
            [(0.25, lift - 0.6, -3.5), (0.02, lift - 0.55, -0.8), (-0.1, lift - 0.3, 2.0), (-0.4, lift - 0.9, 4.3),
             (-0.2, lift - 2.6, 5.0), (0.2, lift - 3.4, 3.4), (0.35, lift - 2.5, 1.6), (0.3, lift - 1.0, 0.2),
             (0.25, lift - 0.5, -1.2)], 160,
        )  # fmt: skip
        taper = np.interp(np.linspace(0, 1, 160), [0, 0.25, 0.8, 1], [0.5, 0.72, 0.6, 0.45])
        body = leaf + solids.tube(stem, taper)
        mesh = solids.to_trimesh(body)
        mesh.apply_translation([0, 0, self.length / 2])
        return Piece(mesh, thinnest_mm=0.9, findings=strands((-0.1, lift - 1.7, self.length / 2 + 4.3)))


@dataclass(frozen=True)
class MoebiusPendant:
    """A broad ribbon with a half twist, hanging from a plain ring."""

    radius: float = 8.6
    width: float = 5.6
    thickness: float = 1.5

    def build(self) -> Piece:
        """One surface and one edge: the section turns half a turn on its way round."""
        t = np.linspace(0, 2 * np.pi, 420, endpoint=False)
        center = np.stack([self.radius * np.sin(t), np.zeros_like(t), self.radius * np.cos(t)], -1)
        out = center / self.radius
        axial = np.array([0, 1.0, 0])
        turn = t / 2 + 0.0
        wide = np.cos(turn)[:, None] * axial + np.sin(turn)[:, None] * out
        thin = -np.sin(turn)[:, None] * axial + np.cos(turn)[:, None] * out
        section = solids.rounded(self.width, self.thickness, 5.0, 96)
        rows = center[:, None] + section[:, :1] * wide[:, None] + section[:, 1:] * thin[:, None]
        ribbon = solids.loft(rows, closed=True, shift=48)
        loop = solids.torus(2.15, 0.62, (0, 0, self.radius + 2.2), (0, 1, 0))
        body = ribbon + loop
        return Piece(solids.to_trimesh(body), thinnest_mm=1.2, findings=strands((0, 0, self.radius + 3.7), eye=True))


@dataclass(frozen=True)
class LinkPendant:
    """Three oval links of falling size, each soldered to the next."""

    wire: float = 2.3

    def build(self) -> Piece:
        """Every link is a soft-edged oval; where two meet they are joined into one solid."""
        parts = []
        z = 0.0
        t = np.linspace(0, 2 * np.pi, 300, endpoint=False)
        for k, (tall, broad, wire) in enumerate(((15.0, 10.4, 2.5), (11.5, 8.2, 2.1), (8.4, 6.2, 1.75))):
            mid = z + tall / 2
            oval = np.stack([np.sin(t) * (broad - wire) / 2, np.zeros_like(t), np.cos(t) * (tall - wire) / 2 + mid], -1)
            tilt = np.radians((16, -70, 16)[k])
            turned = oval @ np.array([[np.cos(tilt), np.sin(tilt), 0], [-np.sin(tilt), np.cos(tilt), 0], [0, 0, 1.0]])
            parts.append(solids.tube(turned, wire / 2, around=56, closed=True))
            z = mid + (tall - wire) / 2 - wire * 0.42
        body = solids.union(parts)
        mesh = solids.to_trimesh(body)
        shift = -float(mesh.bounds[:, 2].mean())
        top = float(mesh.bounds[1, 2])
        mesh.apply_translation([0, 0, shift])
        return Piece(mesh, thinnest_mm=1.2, findings=strands((0, 0, top + shift - 1.5), eye=True))
