"""Cut stones as convex solids bounded by their facets.

The round brilliant follows common modern proportions (table 57 %, crown 34.5 degrees, pavilion 40.75 degrees,
star length 50 %, lower halves 77 %), which gives 57 facets; other outlines use the same facets tangent to their
own outline. Stones are built with the girdle in the XY plane and the table up.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import trimesh
from scipy.spatial import ConvexHull, HalfspaceIntersection

from ai_pipeline.cad.models.piece import Stone

Array = npt.NDArray[np.float64]

CROWN_ANGLE = 34.5
PAVILION_ANGLE = 40.75
TABLE = 0.57
GIRDLE = 0.022
"""Girdle thickness at the mains, as a share of the width."""


def outline(shape: str, length: float, width: float, count: int = 96) -> Array:
    """The girdle outline ``(count, 2)``: length along Y, width along X, counter-clockwise."""
    t = np.linspace(0, 2 * np.pi, count, endpoint=False)
    c, s = np.cos(t), np.sin(t)
    if shape == "pear":
        belly, tip = width / 2, length - width / 2
        arc = (tip**2 + belly**2) / (2 * belly)
        top = np.linspace(0, np.arctan2(tip, arc - belly), count // 3)
        side = np.stack([belly - arc + arc * np.cos(top), arc * np.sin(top)], -1)
        low = np.linspace(np.pi, 2 * np.pi, count // 2)[:-1]
        points = np.vstack([side, side[-2::-1] * [-1, 1], np.stack([belly * np.cos(low), belly * np.sin(low)], -1)[1:]])
        return points - [0, (tip - belly) / 2]
    if shape == "cushion":
        r = (np.abs(c) ** 3.2 + np.abs(s) ** 3.2) ** (-1 / 3.2)
        return np.stack([r * c * width / 2, r * s * length / 2], -1)
    return np.stack([c * width / 2, s * length / 2], -1)


def _solid(planes: Array) -> trimesh.Trimesh:
    """Convex mesh from half spaces ``n.x <= d``, rows (nx, ny, nz, d); the origin must be inside."""
    corners = HalfspaceIntersection(np.c_[planes[:, :3], -planes[:, 3]], np.zeros(3)).intersections
    corners = np.unique(np.round(corners, 7), axis=0)
    hull = ConvexHull(corners)
    faces = hull.simplices.copy()
    v = corners[faces]
    inward = np.einsum("ij,ij->i", np.cross(v[:, 1] - v[:, 0], v[:, 2] - v[:, 0]), hull.equations[:, :3]) < 0
    faces[inward] = faces[inward][:, ::-1]
    mesh = trimesh.Trimesh(corners, faces, process=False)
    mesh.remove_unreferenced_vertices()
    return mesh


def _tangent_planes(normals: Array, reach: Array, height: float, slope: Array | float) -> Array:
    """Facets through ``n.x = reach`` at ``height`` that fall outward by ``slope`` (negative: below the girdle)."""
    k = np.broadcast_to(np.asarray(slope, np.float64), (len(normals),))
    up = np.sign(k)
    planes = np.c_[normals * np.abs(k)[:, None], up, reach * np.abs(k) + up * height]
    return np.asarray(planes / np.linalg.norm(planes[:, :3], axis=1, keepdims=True))


def _facet_normals(shape: str, length: float, width: float, angles: npt.ArrayLike) -> Array:
    """Outline normals at facet angles; on an ellipse the angle is the one of the circle it was stretched from."""
    t = np.radians(np.asarray(angles, np.float64))
    stretch = (1.0, width / length) if shape != "pear" else (1.0, 1.0)
    n = np.stack([np.cos(t) * stretch[0], np.sin(t) * stretch[1]], -1)
    return np.asarray(n / np.linalg.norm(n, axis=1, keepdims=True))


def brilliant(shape: str, length: float, width: float) -> trimesh.Trimesh:
    """A brilliant cut with a round, oval, cushion or pear outline; 57 facets and a faceted girdle."""
    points = outline(shape, length, width)
    radius, girdle = width / 2, GIRDLE * width
    t = np.radians(360 / 96 * np.arange(96))
    around = np.stack([np.cos(t), np.sin(t)], -1)
    if shape != "pear":
        around = _facet_normals(shape, length, width, np.degrees(t))

    def support(n: Array) -> Array:
        return np.asarray((points @ n.T).max(0))

    rise = np.tan(np.radians(CROWN_ANGLE))
    drop = np.tan(np.radians(PAVILION_ANGLE)) * radius
    star_at = 1 - (TABLE * np.cos(np.pi / 8) + 0.5 * (1 - TABLE * np.cos(np.pi / 8)))
    star_height = (1 - (1 - star_at) * np.cos(np.pi / 8)) * rise * radius
    table = (1 - TABLE) * rise * radius
    star_slope = (table - star_height) / ((1 - star_at - TABLE * np.cos(np.pi / 8)) * radius)
    chord = 1 - np.cos(np.pi / 16)
    half_slope = star_height / (np.cos(np.pi / 16) * star_at * radius)
    low = 0.23
    low_height = (1 - low * np.cos(np.pi / 8)) * drop
    low_ratio = low_height / (np.cos(np.pi / 16) * (1 - low)) / drop

    mains = _facet_normals(shape, length, width, 45 * np.arange(8) + 90.0)
    stars = _facet_normals(shape, length, width, 45 * np.arange(8) + 112.5)
    halves = _facet_normals(shape, length, width, 22.5 * np.arange(16) + 101.25)
    top, bottom = girdle / 2, -girdle / 2
    planes = [
        np.c_[around, np.zeros(len(around)), support(around)],
        [[0, 0, 1, top + table]],
        _tangent_planes(mains, support(mains), top, rise),
        _tangent_planes(stars, support(stars) - star_at * radius, top + star_height, star_slope),
        _tangent_planes(halves, support(halves) - chord * radius, top, half_slope),
        _tangent_planes(mains, support(mains), bottom, -drop / support(mains)),
        _tangent_planes(halves, support(halves) - chord * radius, bottom, -low_ratio * drop / support(halves)),
    ]
    return _solid(np.vstack(planes))


def step_cut(length: float, width: float, corner: float = 0.16) -> trimesh.Trimesh:
    """An emerald cut: three steps above and three below the girdle on eight sides."""
    t = np.radians(45 * np.arange(8))
    n = np.stack([np.cos(t), np.sin(t)], -1)
    cut = corner * width
    diagonal = (width / 2 + length / 2 - cut) / np.sqrt(2)
    reach = np.where(np.arange(8) % 2 == 1, diagonal, np.where(np.arange(8) % 4 == 0, width / 2, length / 2))
    girdle = 0.03 * width
    planes = [np.c_[n, np.zeros(8), reach]]
    height, inset = girdle / 2, 0.0
    for step, angle in ((0.07, 46.0), (0.06, 38.0), (0.05, 30.0)):
        slope = np.tan(np.radians(angle))
        planes.append(_tangent_planes(n, reach - inset, height, slope))
        inset, height = inset + step * width, height + step * width * slope
    planes.append(np.array([[0, 0, 1, height]]))
    height, inset = -girdle / 2, 0.0
    for step, angle in ((0.12, 54.0), (0.16, 47.0), (0.22, 39.0)):
        slope = np.tan(np.radians(angle))
        planes.append(_tangent_planes(n, reach - inset, height, -slope))
        inset, height = inset + step * width, height - step * width * slope
    return _solid(np.vstack(planes))


def cabochon(length: float, width: float, height: float) -> trimesh.Trimesh:
    """A domed stone with a flat, slightly beveled base at z = 0 to hold in a bezel."""
    t = np.linspace(0, 2 * np.pi, 128, endpoint=False)
    rise = np.linspace(0, np.pi / 2, 40)
    r = np.concatenate([[0.93, 0.97], np.cos(rise[:-1]) * 1.0])
    z = np.concatenate([[-0.12 * height, -0.09 * height], np.sin(rise[:-1]) * height])
    ring = np.stack([np.cos(t) * width / 2, np.sin(t) * length / 2], -1)
    rows = np.concatenate([r[:, None, None] * ring[None], np.broadcast_to(z[:, None, None], (len(z), 128, 1))], -1)
    vertices = np.vstack([rows.reshape(-1, 3), [[0, 0, z[0]], [0, 0, height]]])
    index = np.arange(len(z) * 128).reshape(len(z), 128)
    a, b = index[:-1], index[1:]
    an, bn = np.roll(a, -1, 1), np.roll(b, -1, 1)
    bottom, top = len(vertices) - 2, len(vertices) - 1
    faces = np.concatenate(
        [
            np.stack([a, an, bn], -1).reshape(-1, 3),
            np.stack([a, bn, b], -1).reshape(-1, 3),
            np.stack([np.full(128, bottom), np.roll(index[0], -1), index[0]], -1),
            np.stack([np.full(128, top), index[-1], np.roll(index[-1], -1)], -1),
        ]
    )
    return trimesh.Trimesh(vertices, faces, process=False)


def pearl(diameter: float) -> trimesh.Trimesh:
    """A round pearl."""
    ball: trimesh.Trimesh = trimesh.creation.icosphere(subdivisions=5, radius=diameter / 2)
    return ball


_CUTS: dict[str, Callable[[float, float], trimesh.Trimesh]] = {
    "round": lambda length, width: brilliant("round", length, width),
    "oval": lambda length, width: brilliant("oval", length, width),
    "pear": lambda length, width: brilliant("pear", length, width),
    "cushion": lambda length, width: brilliant("cushion", length, width),
    "emerald": step_cut,
    "cabochon": lambda length, width: cabochon(length, width, 0.42 * width),
    "pearl": lambda length, _width: pearl(length),
}


def cut(shape: str, species: str, length: float, width: float | None = None) -> Stone:
    """A stone at the origin, table up. Raises ``KeyError`` for an unknown shape."""
    width = length if width is None else width
    mesh = _CUTS[shape](length, width)
    return Stone(mesh, shape, species, length, width, float(np.ptp(mesh.vertices[:, 2])))
