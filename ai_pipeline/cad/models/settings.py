"""Stone settings: claws, rails, bezels and pave, built around stones at the origin and then placed.

A head is built with the girdle of its stone at z = 0 and the table up, in millimeters.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from manifold3d import Manifold

from ai_pipeline.cad.models import gems, solids
from ai_pipeline.cad.models.piece import Stone
from ai_pipeline.cad.studio import placing

Array = npt.NDArray[np.float64]

CLEARANCE = 0.015
"""Gap between stone and metal in millimeters: a seat is burred a trifle larger than its stone."""


def seat(stone: Stone, clearance: float = CLEARANCE) -> Manifold:
    """The stone grown by ``clearance`` on every side, to subtract from the metal."""
    mesh = stone.mesh.copy()
    center = mesh.bounds.mean(0)
    size = np.ptp(mesh.vertices, axis=0)
    mesh.vertices = center + (mesh.vertices - center) * (1 + 2 * clearance / size)
    return solids.from_trimesh(mesh)


def at_angles(shape: str, length: float, width: float, angles: Sequence[float]) -> Array:
    """Outline points where a ray from the center at each angle (degrees from +X) leaves the girdle, ``(n, 2)``."""
    points = gems.outline(shape, length, width, count=720)
    around = np.arctan2(points[:, 1], points[:, 0])
    wanted = np.radians(np.asarray(angles, np.float64))
    gap = np.abs((around[None] - wanted[:, None] + np.pi) % (2 * np.pi) - np.pi)
    return np.asarray(points[gap.argmin(1)])


@dataclass(frozen=True)
class Head:
    """A claw head: tapering claws that lean over the girdle, joined by rails.

    ``depth`` is how far the claws reach below the girdle, ``foot`` the share of the outline they close in to there;
    ``rails`` are heights below the girdle. Claws are ``2 * claw`` thick at the girdle and bite a quarter of that.
    """

    stone: Stone
    angles: tuple[float, ...]
    depth: float
    foot: float = 0.36
    claw: float = 0.5
    rail: float = 0.42
    rails: tuple[float, ...] = (1.5, 2.9)
    crown: float = 0.92

    def _share(self, z: float) -> float:
        """Distance from the axis at height ``z`` below the girdle, as a share of the outline."""
        t = np.clip(-z / self.depth, 0, 1)
        return float(1 - (1 - self.foot) * t**0.92)

    def claws(self) -> list[Manifold]:
        """One tapering wire per angle, its tip bent over the crown."""
        s = self.stone
        lean = self.claw * 0.5
        parts = []
        for x, y in at_angles(s.shape, s.length_mm, s.width_mm, self.angles):
            out = np.array([x, y]) / np.hypot(x, y)
            rim = np.array([x, y])
            low = [(*(rim * self._share(z) + out * lean), z) for z in np.linspace(-self.depth, -0.9, 5)]
            grip = [
                (*(rim * 0.985 + out * lean), -0.25),
                (*(rim + out * lean * 0.9), 0.12),
                (*(rim - out * (0.18 * self.claw)), 0.52 * self.crown),
                (*(rim - out * (0.95 * self.claw)), 0.88 * self.crown),
            ]
            path = solids.spline([*low, *grip], 72)
            radius = np.interp(path[:, 2], [-self.depth, -0.5, 0.2, self.crown], [1.05, 1.0, 1.0, 0.86]) * self.claw
            parts.append(solids.tube(path, radius, around=32))
        return parts

    def gallery(self) -> list[Manifold]:
        """The rails, each following the outline at its height."""
        s = self.stone
        lean = self.claw * 0.5
        parts = []
        for below in self.rails:
            points = gems.outline(s.shape, s.length_mm, s.width_mm, count=144)
            out = points / np.linalg.norm(points, axis=1, keepdims=True)
            ring = points * self._share(-below) + out * lean
            path = np.c_[ring, np.full(len(ring), -below)]
            _, n, b = solids.frames(path, closed=True, up=(0, 0, 1))
            section = solids.rounded(2 * self.rail, 2.2 * self.rail, 2.6, 32)
            parts.append(
                solids.loft(path[:, None] + section[:, :1] * b[:, None] + section[:, 1:] * n[:, None], closed=True)
            )
        return parts

    def metal(self) -> Manifold:
        """Claws and rails as one, the seat not yet cut."""
        return solids.union([*self.claws(), *self.gallery()])


def bezel(stone: Stone, *, wall: float = 0.85, above: float = 0.55, below: float = 2.0, floor: float = 0.0) -> Manifold:
    """A collar around a stone: ``wall`` thick, folded slightly over the edge, open below unless ``floor`` is given."""
    points = gems.outline(stone.shape, stone.length_mm, stone.width_mm, count=192)
    tangent = np.roll(points, -1, 0) - np.roll(points, 1, 0)
    normal = np.stack([tangent[:, 1], -tangent[:, 0]], -1)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    lip = min(0.32, 0.1 * stone.width_mm)
    profile = np.array(
        [(-lip, above), (-lip * 0.1, above + 0.16), (wall * 0.45, above + 0.2), (wall * 0.85, above * 0.75),
         (wall, above * 0.2), (wall, -below + 0.25), (wall - 0.25, -below), (-0.25, -below), (-0.35, -below + 0.12),
         (-0.35, 0.0)]
    )  # fmt: skip
    dense = soften(profile)
    offset = dense[None, :, :1]
    # Inward by scaling, because offsetting would fold over at the point of a pear.
    ring = points[:, None] * (1 + np.minimum(offset, 0) / (stone.width_mm / 2)) + normal[:, None] * np.maximum(
        offset, 0
    )
    body = solids.loft(
        np.concatenate([ring, np.broadcast_to(dense[None, :, 1:], (len(ring), len(dense), 1))], -1), closed=True
    )
    if floor > 0:
        plate = points + normal * (wall - 0.3)
        rows = [np.c_[plate, np.full(len(plate), z)] for z in (-below, -below + floor)]
        body = body + solids.loft(np.stack(rows))
    return body


def soften(profile: Array, rounds: int = 3, keep: float = 0.8) -> Array:
    """Corner cutting (Chaikin): a polygon turned into a closed smooth section that stays inside it."""
    for _ in range(rounds):
        following = np.roll(profile, -1, axis=0)
        ends = [keep * profile + (1 - keep) * following, (1 - keep) * profile + keep * following]
        profile = np.stack(ends, 1).reshape(-1, 2)
    return profile


@dataclass(frozen=True)
class Pave:
    """Melee on a surface: the stones, the beads that hold them and the seats to cut."""

    stones: tuple[Stone, ...]
    beads: tuple[Manifold, ...]
    seats: tuple[Manifold, ...]


def pave(
    places: Sequence[tuple[Array, Array, Array]], size: float, *, species: str = "diamond", closed: bool = False,
    sink: float = 0.05, bead: float = 0.2, hole: float = 1.6,
) -> Pave:  # fmt: skip
    """Set one round stone of ``size`` mm at each place, four shared beads around it.

    A place is (point on the surface, outward normal, direction of the row). Girdles lie ``sink`` below the surface,
    light holes reach ``hole`` mm down.
    """
    cut_stone = gems.cut("round", species, size)
    stones, cutters, beads = [], [], []
    frames_ = []
    for point, normal, along in places:
        n = np.asarray(normal, np.float64) / np.linalg.norm(normal)
        t = np.asarray(along, np.float64) - n * (n @ np.asarray(along, np.float64))
        t /= np.linalg.norm(t)
        matrix = np.eye(4)
        matrix[:3, 0], matrix[:3, 1], matrix[:3, 2] = t, np.cross(n, t), n
        matrix[:3, 3] = np.asarray(point) - n * sink
        stone = cut_stone.moved(matrix)
        stones.append(stone)
        rim = size / 2 + CLEARANCE
        # A trifle wider than the girdle and turned against it: coincident facets would leave slivers.
        opening = Manifold.cylinder(0.9, rim + 0.012, circular_segments=50).rotate((0, 0, 3.1))
        drill = Manifold.cylinder(hole, 0.24 * size, circular_segments=28).translate((0, 0, -hole))
        cutters += [(opening + drill).transform(matrix[:3]), seat(stone)]
        frames_.append(matrix)
    count = len(frames_)
    for i in range(count if closed else count + 1):
        if closed or 0 < i < count:
            a, b = frames_[i - 1], frames_[i % count]
            middle, side, n = (a[:3, 3] + b[:3, 3]) / 2, a[:3, 1] + b[:3, 1], a[:3, 2] + b[:3, 2]
        else:
            frame, sign = (frames_[0], -1) if i == 0 else (frames_[-1], 1)
            middle = frame[:3, 3] + sign * frame[:3, 0] * size * 0.52
            side, n = frame[:3, 1], frame[:3, 2]
        side, n = side / np.linalg.norm(side), n / np.linalg.norm(n)
        for sign in (-1, 1):
            foot = middle + sign * side * (0.40 * size)
            beads.append(solids.tube(np.stack([foot - n * 0.3, foot + n * (sink + 0.07)]), bead, around=20))
    return Pave(tuple(stones), tuple(beads), tuple(cutters))


def placed(
    stone: Stone, *, at: Sequence[float], up: Sequence[float] = (0, 0, 1), turn: float = 0.0
) -> tuple[Stone, Array]:
    """A stone with its girdle center at ``at`` and its table facing ``up``; also the 4x4 matrix used."""
    matrix = placing.moved(placing.raised(up) @ placing.turned(turn, (0, 0, 1)), at)
    return stone.moved(matrix), matrix
