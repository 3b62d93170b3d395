"""The public preview: decimated, scaled to unit size, nameless, too coarse to cast from - never the CAD.

What a buyer turns around is a likeness. Cavities and everything else inside the metal are left out, a mesh that is
coarse already is made coarser still, points are moved to a grid, and how far the likeness lies off is measured and
stated.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fast_simplification
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ai_pipeline.cad import mesh
from ai_pipeline.cad.gems import measure_stone
from ai_pipeline.cad.glb_writer import Part, write_glb
from ai_pipeline.cad.mesh import normals
from ai_pipeline.cad.report import Preview
from ai_pipeline.cad.shape import Faces, Points
from ai_pipeline.cad.solids import Shell
from ai_pipeline.cad.studio.posing import upright
from ai_pipeline.cad.walls import Walls

#: What a page may fetch before somebody sees the piece turn, bytes.
MAX_BYTES = 150_000
MAX_FACES, MAX_STONE_FACES = 7_000, 3_000
LEAST_FACES = 400
AGGRESSION = 5
# Cubes along the longest side within which points are merged before edges collapse.
MERGING = 500
# Share of the diagonal beyond which a collapse has torn a hole rather than smoothed a detail.
MAX_DEVIATION = 0.02
# A likeness of a piece 30 mm across that lies 0.03 mm off is past what a caster would call the model.
COARSE_ENOUGH = 0.001
# Positions keep to a grid of this many steps along the diagonal.
GRID = 1024
SMOOTH_DEGREES = 35.0
# (points of the CAD that are looked up, points of the preview they are looked up among): while trying, and as stated.
TRIED, STATED = (3_000, 25_000), (12_000, 80_000)
# Spots that name a stone, largest first; more would hide the piece.
MAX_SPOTS = 3
# Ends of the map of wall thickness, mm (frontend/js/ramp.js draws the same).
THINNEST, THICKEST = 0.3, 3.0
METAL = {
    "pbrMetallicRoughness": {"baseColorFactor": [1.0, 0.79, 0.43, 1.0], "metallicFactor": 1.0, "roughnessFactor": 0.15}
}
# Real transmission renders black in common viewers; a smooth mirror with flat facets reads as a stone.
STONE = {
    "pbrMetallicRoughness": {"baseColorFactor": [0.93, 0.96, 1.0, 1.0], "metallicFactor": 1.0, "roughnessFactor": 0.0}
}


def write_preview(metal: list[Shell], stones: list[Shell], target: Path, walls: Walls | None = None) -> Preview:
    """Write `target` (GLB, y up, longest diagonal 1, at most MAX_BYTES); measure how far the metal lies off, mm.

    The piece stands as in its pictures: a ring with its head up, facing the reader. With `walls` the first texture
    coordinate says how thick the metal is there, from THINNEST (0) to THICKEST (1), logarithmically in 255 steps.
    """
    outside = [shell for shell in metal if not _hidden(shell, metal)]
    points, faces = _joined(outside)
    gem_points, gem_faces = _joined(stones)
    turn = _turn(points if len(points) else gem_points, stones)
    low, high = _box(points @ turn.T, gem_points @ turn.T)
    diagonal = float(np.linalg.norm(high - low))
    middle = (low + high) / 2.0 @ turn

    def placed(values: Points) -> Points:
        return np.clip((values - middle) @ turn.T / diagonal, -1.0, 1.0)

    gem_coarse, gem_coarse_faces = _decimated(gem_points, gem_faces, MAX_STONE_FACES)
    gems = [Part(placed(_on_grid(gem_coarse, middle, diagonal)), None, gem_coarse_faces, STONE)] if stones else []
    spots = _spots(stones, placed)

    def made(coarse: Points, coarse_faces: Faces, deviation: float) -> bytes:
        parts = []
        if len(coarse_faces):
            # Shaded as it was before its points moved to the grid, so that the grid is not seen.
            corners, directions, order = mesh.shaded(coarse, coarse_faces, SMOOTH_DEGREES)
            tint = _tint(walls, corners) if walls else None
            parts.append(Part(placed(_on_grid(corners, middle, diagonal)), directions @ turn.T, order, METAL, tint))
        return write_glb([*parts, *gems], {"deviation": deviation, "spots": spots, "walls": walls is not None})

    budget = min(MAX_FACES, len(faces) // 2)
    while True:
        coarse, coarse_faces = _decimated(points, faces, max(budget, LEAST_FACES))
        last = len(coarse_faces) <= LEAST_FACES
        room = MAX_BYTES / len(made(coarse, coarse_faces, 0.0))
        if last or (room >= 1 and _deviation(points, faces, coarse, coarse_faces, TRIED) >= COARSE_ENOUGH * diagonal):
            break
        budget = int(min(len(coarse_faces), budget) * min(0.75, 0.95 * room))
    moved = _on_grid(coarse, middle, diagonal)
    deviation = _deviation(points, faces, moved, coarse_faces, STATED) if len(coarse_faces) else 0.0
    data = made(coarse, coarse_faces, deviation)
    target.write_bytes(data)
    return Preview(
        name=target.name,
        faces=len(coarse_faces) + len(gem_coarse_faces),
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        deviation=deviation,
        turn=[round(float(value), 6) for value in turn.ravel()],
    )


def _hidden(shell: Shell, metal: list[Shell]) -> bool:
    """True for a closed surface that lies wholly within another: a cavity, or a body that nobody sees."""
    for other in metal:
        if other is shell or not other.closed or other.volume <= 0:
            continue
        if (shell.low <= other.low).any() or (shell.high >= other.high).any():
            continue
        picks = shell.vertices[np.linspace(0, len(shell.vertices) - 1, 8).astype(int)]
        if all(mesh.winding(pick, other.vertices, other.faces) > 0.5 for pick in picks):
            return True
    return False


def _turn(points: Points, stones: list[Shell]) -> Points:
    """The rotation (3 by 3, rows are the new axes) from the file's coordinates to the preview's: y up."""
    boxes = [SimpleNamespace(bounds=np.array([stone.low, stone.high])) for stone in stones]
    pose: Any = upright
    posed: Points = pose(SimpleNamespace(vertices=points), boxes)[0][:3, :3]
    # The pose has z up and is seen against y; glTF has y up and is seen against z.
    return np.array([posed[0], posed[2], -posed[1]])


def _box(*clouds: Points) -> tuple[Points, Points]:
    everything = np.vstack(clouds)
    return everything.min(axis=0), everything.max(axis=0)


def _tint(walls: Walls, points: Points) -> NDArray[np.float64]:
    """Where on the map of thickness each point stands; a point without a measured wall counts as thick."""
    thickness = walls.nearest(points)
    share = np.log(np.maximum(thickness, THINNEST) / THINNEST) / np.log(THICKEST / THINNEST)
    return np.where(thickness > 0, np.clip(share, 0.02, 0.98), 0.98)


def _on_grid(points: Points, middle: Points, diagonal: float) -> Points:
    moved: Points = np.round((points - middle) / diagonal * GRID) / GRID * diagonal + middle
    return moved


def _spots(stones: list[Shell], placed: Callable[[Points], Points]) -> list[dict[str, object]]:
    """Where the largest stones are, as the preview's own coordinates, with length and width in mm and their shape."""
    largest = sorted(stones, key=lambda stone: -abs(stone.volume))[:MAX_SPOTS]
    found: list[dict[str, object]] = []
    for stone in largest:
        size = measure_stone(stone)
        place = placed(((stone.low + stone.high) / 2.0)[None])[0]
        found.append(
            {
                "place": np.round(place, 4).tolist(),
                "shape": size.shape,
                "length": round(size.length, 2),
                "width": round(size.width, 2),
            }
        )
    return found


def _joined(shells: list[Shell]) -> tuple[Points, Faces]:
    if not shells:
        return np.empty((0, 3)), np.empty((0, 3), np.int64)
    starts = np.cumsum([0, *(len(shell.vertices) for shell in shells)])
    faces = np.vstack([shell.faces + start for shell, start in zip(shells, starts, strict=False)])
    return np.vstack([shell.vertices for shell in shells]), faces


def _decimated(points: Points, faces: Faces, budget: int) -> tuple[Points, Faces]:
    """At most `budget` triangles: near points are merged first, then edges collapse.

    Collapsing alone is stuck or tears the shape where one triangle in thirty is left (tried: 226,000 to 7,000).
    """
    if len(faces) <= budget:
        return points, faces
    middle = points.mean(axis=0)
    limit = MAX_DEVIATION * float(np.linalg.norm(np.ptp(points, axis=0)))
    merged, merged_faces = _clustered(points - middle, faces, MERGING)
    coarse, coarse_faces = fast_simplification.simplify(
        merged.astype(np.float32), merged_faces.astype(np.int32), target_count=budget, agg=AGGRESSION
    )
    result, result_faces = coarse.astype(np.float64) + middle, coarse_faces.astype(np.int64)
    if 0 < len(result_faces) <= budget and _deviation(points, faces, result, result_faces, TRIED) <= limit:
        return result, result_faces
    cells = float(MERGING)
    while len(merged_faces) > budget:
        cells /= 1.3
        merged, merged_faces = _clustered(points - middle, faces, cells)
    return merged + middle, merged_faces


def _clustered(points: Points, faces: Faces, cells: float) -> tuple[Points, Faces]:
    """Points merged within cubes, `cells` of them along the longest side; faces that vanish are dropped."""
    if len(faces) < LEAST_FACES:
        return points, faces
    cubes = np.round((points - points.min(axis=0)) * (cells / float(np.ptp(points, axis=0).max()))).astype(np.int64)
    keys = (cubes[:, 0] << 42) | (cubes[:, 1] << 21) | cubes[:, 2]
    _, first, order = np.unique(keys, return_index=True, return_inverse=True)
    merged = order.ravel()[faces]
    a, b, c = merged.T
    return points[first], merged[(a != b) & (b != c) & (c != a)]


def _deviation(points: Points, faces: Faces, coarse: Points, coarse_faces: Faces, counts: tuple[int, int]) -> float:
    """The largest distance in mm found from points of the CAD to the preview's surface."""
    generator = np.random.default_rng(1)
    probes = _scattered(points, faces, counts[0], generator)[0]
    marks, owners = _scattered(coarse, coarse_faces, counts[1], generator)
    _, near = cKDTree(marks).query(probes, k=8)
    best = np.full(len(probes), np.inf)
    for column in near.T:
        best = np.minimum(best, _to_triangle(probes, *coarse[coarse_faces[owners[column]]].transpose(1, 0, 2)))
    return round(float(best.max()), 4)


def _scattered(
    points: Points, faces: Faces, count: int, generator: np.random.Generator
) -> tuple[Points, NDArray[np.int64]]:
    """(points spread evenly over the surface, the face each lies on)."""
    _, sizes = normals(points, faces)
    owners = generator.choice(len(faces), count, p=sizes / sizes.sum())
    u, v = np.sqrt(generator.random((count, 1))), generator.random((count, 1))
    a, b, c = points[faces[owners]].transpose(1, 0, 2)
    return (1 - u) * a + u * (1 - v) * b + u * v * c, owners


def _to_triangle(p: Points, a: Points, b: Points, c: Points) -> NDArray[np.float64]:
    """Distance of each point to its triangle: to the plane where it projects inside, else to the nearest side."""
    normal = np.cross(b - a, c - a)
    length = np.linalg.norm(normal, axis=1)
    normal = normal / np.where(length > 0, length, 1.0)[:, None]
    sides = []
    inside = length > 0
    for start, stop in ((a, b), (b, c), (c, a)):
        edge, arm = stop - start, p - start
        inside &= np.einsum("ij,ij->i", np.cross(edge, arm), normal) >= 0
        share = np.clip(
            np.einsum("ij,ij->i", arm, edge) / np.maximum(np.einsum("ij,ij->i", edge, edge), 1e-30), 0.0, 1.0
        )
        sides.append(np.linalg.norm(arm - share[:, None] * edge, axis=1))
    height = np.abs(np.einsum("ij,ij->i", p - a, normal))
    distance: NDArray[np.float64] = np.where(inside, height, np.min(sides, axis=0))
    return distance
