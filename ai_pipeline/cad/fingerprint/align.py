"""Laying a suspect over an original: unit, place, quarter turns and mirror images first; any turn if those fail."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ai_pipeline.cad.fingerprint.points import Corners
from ai_pipeline.cad.shape import Points

Matrix = NDArray[np.float64]

#: Corners closer than this to one of the original are taken for it, mm: coarse text files round to 1-10 micrometers.
MATCH = 0.012
#: While a pose is still being improved.
COARSE = 0.12
#: Share of the corners looked at that must be found again.
ENOUGH = 0.5
LOOKED_AT = 300
SAMPLE = 20_000
#: mm per unit over mm per unit: what a file without a unit may be off by.
UNITS = tuple(sorted({a / b for a in (1.0, 10.0, 25.4, 1000.0) for b in (1.0, 10.0, 25.4, 1000.0)}))
#: A box whose longest side fits a unit this well is taken to be in it.
UNIT_FITS = 5e-3
MOST_POSES = 64
_SEEDS = 160
_NEAR_TRIANGLES = 6

TURNS: list[Matrix] = [
    np.diag(signs) @ np.eye(3)[list(order)]
    for signs in product((1.0, -1.0), repeat=3)
    for order in permutations(range(3))
]


@dataclass(frozen=True)
class Laid:
    """One pose in which the suspect lies on the original: for each corner found again the number of the original's
    (each once), and where it stands beside it, in mm in the original's frame.
    """

    corner: NDArray[np.int64]
    apart: Points
    facets: NDArray[np.int64]  # (k, 3) facets of the suspect, in its order, over corners of the original


def poses(original: Corners, suspect: Corners) -> Iterator[Laid]:
    """Every pose found, at most MOST_POSES; a symmetric piece has several, and only one shows the mark."""
    tree = cKDTree(original.place)
    dice = np.random.default_rng(7)
    look = suspect.place[_some(dice, len(suspect.place), LOOKED_AT)]
    made: list[Matrix] = []
    for pose in _boxes(original, suspect, tree, look) or _triangles(original, suspect, tree, look, dice):
        if len(made) == MOST_POSES:
            return
        laid = _fit(original, suspect, tree, pose, dice)
        if laid is None:
            continue
        if any(np.allclose(laid[0], other, atol=1e-3) for other in made):
            continue
        made.append(laid[0])
        yield laid[1]


def _some(dice: np.random.Generator, count: int, wanted: int) -> NDArray[np.int64]:
    return np.arange(count) if count <= wanted else np.sort(dice.choice(count, wanted, replace=False))


def _box(points: Points) -> tuple[Points, Points]:
    low, high = points.min(axis=0), points.max(axis=0)
    return (low + high) / 2, high - low


def _boxes(original: Corners, suspect: Corners, tree: cKDTree, look: Points) -> list[Matrix]:
    """4 x 3 transforms (points times rows, last row the shift) that bring box onto box."""
    middle, sides = _box(original.place)
    other, other_sides = _box(suspect.place)
    ratio = float(sides.max() / other_sides.max())
    scale = next((unit for unit in UNITS if abs(ratio / unit - 1.0) < UNIT_FITS), ratio)
    if abs(ratio / scale - 1.0) > 1e-4:
        scale = ratio  # a casting allowance, or another size
    found = []
    for turn in TURNS:
        linear = scale * turn
        pose = np.vstack([linear, middle - other @ linear])
        if _share(tree, look, pose, COARSE) >= ENOUGH:
            found.append(pose)
    return found


def _share(tree: cKDTree, look: Points, pose: Matrix, within: float) -> float:
    distance, _ = tree.query(look @ pose[:3] + pose[3], distance_upper_bound=within)
    return float(np.isfinite(distance).mean())


def _triangles(
    original: Corners, suspect: Corners, tree: cKDTree, look: Points, dice: np.random.Generator
) -> Iterator[Matrix]:
    """Poses from single triangles whose sides are as long as one of the original's: for any turn, and for parts."""
    sides, order = _sides(original)
    shelf = cKDTree(sides)
    for scale in sorted(UNITS, key=lambda unit: abs(np.log(unit))):
        for mirror in (1.0, -1.0):
            own = Corners(suspect.place * scale * (1.0, 1.0, mirror), suspect.of_point, suspect.faces, *_unused)
            lengths, corners = _sides(own)
            large = np.argsort(lengths[:, 0])[-4 * _SEEDS :]
            seeds = large[_some(dice, len(large), _SEEDS)]
            near, which = shelf.query(lengths[seeds], k=_NEAR_TRIANGLES, distance_upper_bound=0.01)
            worked = False
            for seed, distances, facets in zip(seeds, np.atleast_2d(near), np.atleast_2d(which), strict=True):
                for distance, facet in zip(distances, facets, strict=True):
                    if not np.isfinite(distance):
                        continue
                    pose = _rigid(own.place[corners[seed]], original.place[order[facet]])
                    pose[:3] = np.diag([scale, scale, scale * mirror]) @ pose[:3]
                    if _share(tree, look, pose, COARSE) >= ENOUGH:
                        worked = True
                        yield pose
            if worked:
                return


_unused = (np.empty(0), np.empty((0, 3), np.int64))


def _sides(mesh: Corners) -> tuple[Points, NDArray[np.int64]]:
    """Lengths of the sides of each facet, shortest first, and its corners in the order of the sides opposite."""
    a, b, c = mesh.place[mesh.faces.T]
    lengths = np.column_stack([np.linalg.norm(q - p, axis=1) for p, q in ((b, c), (c, a), (a, b))])
    order = np.argsort(lengths, axis=1)
    return np.take_along_axis(lengths, order, axis=1), np.take_along_axis(mesh.faces, order, axis=1)


def _rigid(start: Points, goal: Points, *, scaled: bool = False) -> Matrix:
    """The least-squares turn and shift (and scale) from `start` to `goal`, without mirroring (Umeyama 1991)."""
    first, second = start.mean(axis=0), goal.mean(axis=0)
    u, singular, vt = np.linalg.svd((start - first).T @ (goal - second))
    keep = np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt)) or 1.0])
    linear = u @ keep @ vt
    if scaled:
        linear = linear * float((singular * np.diag(keep)).sum() / ((start - first) ** 2).sum())
    return np.vstack([linear, second - first @ linear])


def _fit(
    original: Corners, suspect: Corners, tree: cKDTree, pose: Matrix, dice: np.random.Generator
) -> tuple[Matrix, Laid] | None:
    """The pose improved over all corners found again, and what lies where; None when too little does."""
    mirrored = np.diag([1.0, 1.0, -1.0 if np.linalg.det(pose[:3]) < 0 else 1.0])
    chosen = suspect.place[_some(dice, len(suspect.place), SAMPLE)]
    for within in (COARSE, COARSE / 4, MATCH):
        distance, near = tree.query(chosen @ pose[:3] + pose[3], distance_upper_bound=within)
        hit = np.isfinite(distance)
        if hit.sum() < 4:
            return None
        improved = _rigid(chosen[hit] @ mirrored, original.place[near[hit]], scaled=True)
        pose = np.vstack([mirrored @ improved[:3], improved[3]])
    places = suspect.place @ pose[:3] + pose[3]
    distance, near = tree.query(places, distance_upper_bound=MATCH)
    hit = np.isfinite(distance)
    if hit.mean() < ENOUGH / 2 or hit.sum() < 4:
        return None
    corner, first = np.unique(near[hit], return_index=True)
    apart = places[hit][first] - original.place[corner]
    facets = np.where(hit, near, -1)[suspect.faces]
    return pose, Laid(corner, apart, facets[(facets >= 0).all(axis=1)])
