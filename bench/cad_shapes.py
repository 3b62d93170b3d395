"""Families of generated pieces with known truth: meshes by formula, and boundary surfaces whose volume is exact."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

Mesh = tuple[NDArray[np.float64], NDArray[np.int64]]
Dice = np.random.Generator

MM_PER = {"mm": 1.0, "cm": 10.0, "in": 25.4}


@dataclass
class Piece:
    """What is written to a file and what is true of it, in mm. `thin` tells how far a place is from the thinnest spot.

    `polyhedron` is the volume of the triangles, `volume` that of the ideal shape.
    """

    name: str
    bodies: dict[str, Mesh] = field(default_factory=dict)
    shape: Any = None
    volume: float | None = None
    polyhedron: float | None = None
    inner: float | None = None
    wall: float | None = None
    thin: Callable[[NDArray[np.float64]], float] | None = None
    stones: int | None = None
    carat: float | None = None


def posed(piece: Piece, dice: Dice) -> Piece:
    """The piece turned and moved at random."""
    turn, _ = np.linalg.qr(dice.normal(size=(3, 3)))
    turn *= np.sign(np.linalg.det(turn))
    move = dice.uniform(-40, 40, 3)
    piece.bodies = {name: (points @ turn.T + move, faces) for name, (points, faces) in piece.bodies.items()}
    thin = piece.thin
    if thin:
        piece.thin = lambda place: thin((place - move) @ turn)
    return piece


def revolved(profile: NDArray[np.float64], segments: int) -> Mesh:
    """A closed profile (radius, height; counterclockwise) turned around z."""
    angles = np.arange(segments) * 2 * math.pi / segments
    count = len(profile)
    points = np.vstack([np.column_stack([profile[:, 0] * math.cos(a), profile[:, 0] * math.sin(a), profile[:, 1]])
                        for a in angles])  # fmt: skip
    here = np.arange(segments)[:, None] * count + np.arange(count)
    there = np.roll(here, -1, axis=0)
    a, b = here, np.roll(here, -1, axis=1)
    c, d = np.roll(there, -1, axis=1), there
    faces = np.concatenate([np.stack([a, d, c], -1).reshape(-1, 3), np.stack([a, c, b], -1).reshape(-1, 3)])
    return points, faces.astype(np.int64)


def flat_band(dice: Dice) -> Piece:
    """A band with a polygon for a bore: everything about it is known exactly."""
    inner, wall, width = dice.uniform(13, 23), dice.uniform(0.9, 2.4), dice.uniform(1.5, 8)
    segments = int(dice.integers(120, 720))
    reach = inner / 2 / math.cos(math.pi / segments)
    profile = np.array([[reach, 0], [reach + wall, 0], [reach + wall, width], [reach, width]], float)
    exact = 0.5 * segments * math.sin(2 * math.pi / segments) * ((reach + wall) ** 2 - reach**2) * width
    thinnest = min(wall * math.cos(math.pi / segments), width)
    return Piece("flat band", {"band": revolved(profile, segments)}, polyhedron=exact, inner=inner, wall=thinnest)


def torus(dice: Dice) -> Piece:
    """A round wire bent into a ring."""
    tube, inner = dice.uniform(0.5, 1.6), dice.uniform(13, 22)
    radius, around, across = inner / 2 + tube, 480, 160
    angles = np.arange(across) * 2 * math.pi / across
    profile = np.column_stack([radius + tube * np.cos(angles), tube * np.sin(angles)])
    return Piece("torus", {"torus": revolved(profile, around)}, volume=2 * math.pi**2 * radius * tube**2,
                 inner=inner, wall=2 * tube)  # fmt: skip


def d_band(dice: Dice) -> Piece:
    """Flat inside, low dome outside: thinnest along both edges."""
    inner, edge, width = dice.uniform(14, 21), dice.uniform(0.8, 1.6), dice.uniform(2.5, 6)
    rise = width * dice.uniform(0.02, 0.05)
    arc = (width**2 / 4 + rise**2) / (2 * rise)
    z = np.linspace(-width / 2, width / 2, 121)
    outer = inner / 2 + edge + np.sqrt(arc**2 - z**2) - (arc - rise)
    profile = np.vstack([[inner / 2, -width / 2], np.column_stack([outer, z]), [inner / 2, width / 2]])
    tall = np.linspace(-width / 2, width / 2, 20001)
    reach = inner / 2 + edge + np.sqrt(arc**2 - tall**2) - (arc - rise)
    volume = math.pi * float(np.trapezoid(reach**2 - (inner / 2) ** 2, tall))
    return Piece("D band", {"band": revolved(profile, 900)}, volume=volume, inner=inner, wall=edge,
                 thin=lambda p: abs(width / 2 - abs(float(p[2]))))  # fmt: skip


def eccentric(dice: Dice) -> Piece:
    """A band whose bore is off center: thin on one side."""
    inner, wall, width = dice.uniform(14, 21), dice.uniform(1.0, 2.0), dice.uniform(3, 7)
    shift, segments = wall * dice.uniform(0.3, 0.6), 1440
    angles = np.arange(segments) * 2 * math.pi / segments
    round_ = np.column_stack([np.cos(angles), np.sin(angles)])
    holes, rims = round_ * inner / 2 + [shift, 0], round_ * (inner / 2 + wall)
    low, high = np.zeros((segments, 1)), np.full((segments, 1), width)
    points = np.stack([np.hstack([holes, low]), np.hstack([rims, low]), np.hstack([rims, high]),
                       np.hstack([holes, high])], axis=1).reshape(-1, 3)  # fmt: skip
    _, faces = revolved(np.zeros((4, 2)), segments)
    return Piece("eccentric band", {"band": (points, faces)},
                 volume=math.pi * ((inner / 2 + wall) ** 2 - (inner / 2) ** 2) * width, inner=inner,
                 wall=wall - shift,
                 thin=lambda p: math.dist(p[:2], (inner / 2 + shift + (wall - shift) / 2, 0)))  # fmt: skip


def hollow_sphere(dice: Dice) -> Piece:
    """A bead with a closed cavity."""
    outer, wall = dice.uniform(3, 8), dice.uniform(0.4, 1.2)
    inside = outer - wall
    points, faces = _sphere(240)
    return Piece("hollow sphere", {"bead": (np.vstack([points * outer, points * inside]),
                                            np.vstack([faces, faces[:, ::-1] + len(points)]))},
                 volume=4 / 3 * math.pi * (outer**3 - inside**3), wall=wall)  # fmt: skip


def _sphere(rings: int) -> Mesh:
    across = np.linspace(0, math.pi, rings + 1)[1:-1]
    around = np.arange(2 * rings) * math.pi / rings
    grid = np.stack([np.outer(np.sin(across), np.cos(around)), np.outer(np.sin(across), np.sin(around)),
                     np.outer(np.cos(across), np.ones_like(around))], -1)  # fmt: skip
    points = np.vstack([[[0, 0, 1]], grid.reshape(-1, 3), [[0, 0, -1]]])
    n = 2 * rings
    here = 1 + np.arange(n * (rings - 2)).reshape(-1, n)
    right, below, across_ = np.roll(here, -1, axis=1), here + n, np.roll(here + n, -1, axis=1)
    first = 1 + np.arange(n)
    last = 1 + n * (rings - 2) + np.arange(n)
    faces = np.concatenate([
        np.stack([np.zeros(n, int), first, np.roll(first, -1)], -1),
        np.stack([here, below, across_], -1).reshape(-1, 3), np.stack([here, across_, right], -1).reshape(-1, 3),
        np.stack([last, np.full(n, len(points) - 1), np.roll(last, -1)], -1),
    ])  # fmt: skip
    return points, faces.astype(np.int64)


def brilliant(
    diameter: float, at: NDArray[np.float64] | None = None, up: NDArray[np.float64] | None = None, girdle: int = 64
) -> Mesh:
    """A round brilliant: table 57 %, crown 15 %, girdle 2.5 %, pavilion 43 % of the diameter; the girdle in steps."""
    r = diameter / 2
    ring = lambda n, radius, z, turn=0.0: np.column_stack([  # noqa: E731 - three lines that say one thing
        radius * np.cos((np.arange(n) + turn) * 2 * math.pi / n),
        radius * np.sin((np.arange(n) + turn) * 2 * math.pi / n), np.full(n, z)])  # fmt: skip
    points = np.vstack([
        ring(8, 0.57 * r, 0.325 * r), ring(8, 0.80 * r, 0.19 * r, 0.5),
        ring(girdle, r, 0.025 * r), ring(girdle, r, -0.025 * r),
        ring(8, 0.24 * r, -0.68 * r, 0.5), [[0, 0, -0.885 * r]],
    ])  # fmt: skip
    hull = ConvexHull(points)
    faces = hull.simplices.copy()
    a, b, c = points[faces].transpose(1, 0, 2)
    turned = np.einsum("ij,ij->i", np.cross(b - a, c - a), hull.equations[:, :3]) < 0
    faces[turned] = faces[turned][:, ::-1]
    used, order = np.unique(faces, return_inverse=True)
    points, faces = points[used], order.reshape(-1, 3)
    if up is not None:
        side = np.cross(up, np.eye(3)[int(np.abs(up).argmin())])
        side /= np.linalg.norm(side)
        points = points @ np.column_stack([side, np.cross(up, side), up]).T
    return points + (0 if at is None else at), faces.astype(np.int64)


def volume_of(mesh: Mesh) -> float:
    """The volume of a closed mesh."""
    a, b, c = mesh[0][mesh[1]].transpose(1, 0, 2)
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6.0)


def write_obj(bodies: dict[str, Mesh], path: Path, scale: float = 1.0) -> Path:
    """OBJ with one object per body, its coordinates divided by `scale`."""
    lines, start = [], 1
    for name, (points, faces) in bodies.items():
        lines.append(f"o {name}")
        lines += [f"v {x:.12g} {y:.12g} {z:.12g}" for x, y, z in points / scale]
        lines += [f"f {a} {b} {c}" for a, b, c in faces + start]
        start += len(points)
    path.write_text("\n".join(lines) + "\n")
    return path


MESHES = (flat_band, torus, d_band, eccentric, hollow_sphere)
