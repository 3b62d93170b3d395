"""The public preview: decimated, scaled to unit size, nameless, too coarse to cast from - never the CAD."""

import hashlib
from pathlib import Path

import fast_simplification
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ai_pipeline.cad.glb_writer import Part, write_glb
from ai_pipeline.cad.mesh import normals
from ai_pipeline.cad.report import Preview
from ai_pipeline.cad.shape import Faces, Points
from ai_pipeline.cad.solids import Shell

MAX_FACES, MAX_STONE_FACES = 12_000, 6_000
AGGRESSION = 5
# Share of the diagonal beyond which a collapse has torn a hole rather than smoothed a detail.
MAX_DEVIATION = 0.02
SMOOTH_DEGREES = 35.0
DEVIATION_SAMPLES = 20_000
DEVIATION_MARKS = 150_000
METAL = {"baseColorFactor": [1.0, 0.79, 0.43, 1.0], "metallicFactor": 1.0, "roughnessFactor": 0.15}
# Real transmission renders black in common viewers; a smooth mirror with flat facets reads as a stone.
STONE = {"baseColorFactor": [0.93, 0.96, 1.0, 1.0], "metallicFactor": 1.0, "roughnessFactor": 0.0}


def write_preview(metal: list[Shell], stones: list[Shell], target: Path, *, z_up: bool) -> Preview:
    """Write `target` (GLB, y up, longest diagonal 1) of at most MAX_FACES triangles of metal;
    measure how far they lie off.
    """
    points, faces = _joined(metal)
    gem_points, gem_faces = _joined(stones)
    coarse, coarse_faces = _decimated(points, faces, MAX_FACES)
    gem_coarse, gem_coarse_faces = _decimated(gem_points, gem_faces, MAX_STONE_FACES)
    deviation = 0.0 if coarse is points else _deviation(points, faces, coarse, coarse_faces)
    everything = np.vstack([coarse, gem_coarse])
    low, high = everything.min(axis=0), everything.max(axis=0)
    scale = 1.0 / float(np.linalg.norm(high - low))

    def placed(values: Points) -> Points:
        moved: Points = (values - (low + high) / 2.0) * scale
        # glTF is y up; most CAD is z up.
        return np.column_stack([moved[:, 0], moved[:, 2], -moved[:, 1]]) if z_up else moved

    parts = []
    if len(coarse_faces):
        parts.append(Part(*_shaded(placed(coarse), coarse_faces, SMOOTH_DEGREES), METAL))
    if len(gem_coarse_faces):
        parts.append(Part(*_shaded(placed(gem_coarse), gem_coarse_faces, 0.0), STONE))
    data = write_glb(parts)
    target.write_bytes(data)
    return Preview(
        name=target.name,
        faces=len(coarse_faces) + len(gem_coarse_faces),
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        deviation=deviation,
    )


def _joined(shells: list[Shell]) -> tuple[Points, Faces]:
    if not shells:
        return np.empty((0, 3)), np.empty((0, 3), np.int64)
    starts = np.cumsum([0, *(len(shell.vertices) for shell in shells)])
    faces = np.vstack([shell.faces + start for shell, start in zip(shells, starts, strict=False)])
    return np.vstack([shell.vertices for shell in shells]), faces


def _decimated(points: Points, faces: Faces, budget: int) -> tuple[Points, Faces]:
    """At most `budget` triangles by edge collapse;
    by merging near points where collapsing gets stuck or tears the shape.
    """
    if len(faces) <= budget:
        return points, faces
    middle = points.mean(axis=0)
    start = (points - middle).astype(np.float32)
    limit = MAX_DEVIATION * float(np.linalg.norm(np.ptp(points, axis=0)))
    # Collapsing in two steps reaches counts, below a twentieth of the start, that one step does not.
    for steps in ((budget,), (3 * budget, budget)):
        coarse, coarse_faces = start, faces.astype(np.int32)
        for target in steps:
            if len(coarse_faces) > target:
                coarse, coarse_faces = fast_simplification.simplify(
                    coarse, coarse_faces, target_count=target, agg=AGGRESSION
                )
        result, result_faces = coarse.astype(np.float64) + middle, coarse_faces.astype(np.int64)
        if len(result_faces) <= budget and _deviation(points, faces, result, result_faces) <= limit:
            return result, result_faces
    return _clustered(points, faces, budget)


def _clustered(points: Points, faces: Faces, budget: int) -> tuple[Points, Faces]:
    """Points merged on a grid that grows until few enough triangles are left."""
    cell = float(np.ptp(points, axis=0).max()) / 200.0
    while True:
        cells = np.round((points - points.min(axis=0)) / cell).astype(np.int64)
        _, first, order = np.unique(cells, axis=0, return_index=True, return_inverse=True)
        merged = order.ravel()[faces]
        a, b, c = merged.T
        merged = np.unique(merged[(a != b) & (b != c) & (c != a)], axis=0)
        if len(merged) <= budget:
            return points[first], merged
        cell *= 1.3


def _deviation(points: Points, faces: Faces, coarse: Points, coarse_faces: Faces) -> float:
    """The largest distance in mm found from points of the CAD to the preview's surface."""
    generator = np.random.default_rng(1)
    probes = _scattered(points, faces, DEVIATION_SAMPLES, generator)[0]
    marks, owners = _scattered(coarse, coarse_faces, DEVIATION_MARKS, generator)
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


def _shaded(points: Points, faces: Faces, degrees: float) -> tuple[Points, Points, Faces]:
    """(points, normals, faces):
    corners keep apart where their faces meet sharper than `degrees`, else share a normal.
    """
    face_normals, sizes = normals(points, faces)
    corners = faces.ravel()
    corner_normals = np.repeat(face_normals, 3, axis=0)
    if degrees:
        order = np.argsort(corners, kind="stable")
        groups = np.split(order, np.cumsum(np.bincount(corners, minlength=len(points)))[:-1])
        weights = np.repeat(sizes, 3)[:, None]
        smooth = corner_normals.copy()
        limit = np.cos(np.radians(degrees))
        for group in groups:
            around = corner_normals[group]
            alike = (around @ around.T >= limit).astype(float)
            smooth[group] = alike @ (around * weights[group])
        lengths = np.linalg.norm(smooth, axis=1, keepdims=True)
        corner_normals = np.where(lengths > 0, smooth / np.where(lengths > 0, lengths, 1.0), corner_normals)
    keys = np.column_stack([corners, np.round(corner_normals * 127)]).astype(np.int64)
    _, first, order = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    return points[corners[first]], corner_normals[first], order.reshape(-1, 3)
