"""The thickness picture: how much metal lies behind each point of the surface, in color, with a legend in mm.

One ray per sample goes in along the surface normal; it ends where it leaves the metal through a wall within 60
degrees of parallel, as the measured minimum wall does. Bodies that overlap count as one.
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from PIL import Image

from ai_pipeline.cad.studio.camera import Camera
from ai_pipeline.cad.studio.film import srgb
from ai_pipeline.cad.studio.lettering import Lettering
from ai_pipeline.cad.studio.shots import SHOTS
from ai_pipeline.cad.studio.stage import Stage, aim
from ai_pipeline.cad.studio.tracer import dot
from ai_pipeline.cad.studio.world import METAL, World

Floats = npt.NDArray[np.float32]

OVERSAMPLED = 2
PARALLEL = 0.5
MOST_WALLS = 8
#: mm and linear color: what breaks is red, what is common is green, what could be hollowed is blue.
STOPS = (
    (0.3, (0.42, 0.01, 0.02)), (0.6, (0.85, 0.10, 0.03)), (0.8, (0.93, 0.42, 0.04)), (1.0, (0.86, 0.72, 0.10)),
    (1.3, (0.20, 0.55, 0.16)), (1.8, (0.05, 0.42, 0.50)), (2.5, (0.07, 0.20, 0.55)), (4.0, (0.06, 0.06, 0.25)),
)  # fmt: skip
UNKNOWN, STONE, PAPER = (0.42, 0.42, 0.42), (0.72, 0.76, 0.80), (0.985, 0.985, 0.985)


def thickness(world: World, points: Floats, inward: Floats) -> Floats:
    """Metal in mm behind surface ``points`` along unit vectors ``inward`` ``(n, 3)``; NaN where no wall faces them."""
    result = np.full(len(points), np.nan, np.float32)
    step = np.float32(1e-3)
    travelled = np.full(len(points), step, np.float32)
    depth = np.ones(len(points), np.int32)
    left = np.arange(len(points))
    for _ in range(MOST_WALLS):
        hits = world.cast(points[left] + inward[left] * travelled[left, None], inward[left])
        found = hits.tri >= 0
        left, tri = left[found], hits.tri[found]
        travelled[left] += hits.distance[found]
        cos = dot(world.faces[tri], inward[left])
        depth[left] += np.where(cos > 0, -1, 1)
        out = depth[left] <= 0
        facing = out & (cos > PARALLEL)
        result[left[facing]] = travelled[left[facing]]
        left = left[~out]
        travelled[left] += step
        if not len(left):
            break
    return result


def colors(millimeters: Floats) -> Floats:
    """Linear colors ``(n, 3)`` of thicknesses; grey for NaN."""
    at = np.log([stop for stop, _ in STOPS])
    table = np.array([color for _, color in STOPS])
    with np.errstate(invalid="ignore"):
        x = np.log(np.clip(millimeters, STOPS[0][0], STOPS[-1][0]))
    made = np.stack([np.interp(x, at, table[:, c]) for c in range(3)], -1)
    made[np.isnan(millimeters)] = UNKNOWN
    return np.asarray(made, np.float32)


def heat_view(scene: Stage, edge: int) -> Image.Image:
    """The picture from three quarters; stones are pale, walls that end in no wall are grey."""
    shot = SHOTS[scene.pose]["three_quarter"]
    shot = replace(shot, fill=min(shot.fill, 0.70), shift=(-0.06, 0.0))  # room for the legend
    fine = edge * OVERSAMPLED
    camera = aim(scene, shot, (fine, fine))
    sheet = np.broadcast_to(np.asarray(PAPER, np.float32), (fine * fine, 3)).copy()
    metal = World([p for p in scene.parts if p.material.kind == "metal" and not p.beside])
    rows = max(2_000_000 // fine, 1)
    for top in range(0, fine, rows):
        y, x = np.mgrid[top : min(top + rows, fine), 0:fine]
        part = sheet[top * fine : top * fine + x.size]
        _paint(scene.world, metal, camera, x.ravel(), y.ravel(), part)
    picture = srgb(sheet.reshape(edge, OVERSAMPLED, edge, OVERSAMPLED, 3).mean((1, 3)))
    return _legend(Image.fromarray((picture * 255 + 0.5).astype(np.uint8)))


def _paint(
    world: World, metal: World, camera: Camera, x: npt.NDArray[np.intp], y: npt.NDArray[np.intp], sheet: Floats
) -> None:
    origins, directions = camera.rays(x.astype(np.float32) + 0.5, y.astype(np.float32) + 0.5)
    hits = world.cast(origins, directions)
    seen = np.flatnonzero(hits.tri >= 0)
    tri, d = hits.tri[seen], directions[seen]
    at = origins[seen] + d * hits.distance[seen, None]
    smooth = world.normals(tri, hits.u[seen], hits.v[seen])
    face = world.faces[tri]
    smooth = np.where((dot(d, face) > 0)[:, None], -smooth, smooth)
    light = np.float32(0.42) + np.float32(0.58) * np.clip(-dot(d, smooth), 0, 1)
    color = np.broadcast_to(np.asarray(STONE, np.float32), (len(seen), 3)).copy()
    solid = world.kind[world.part[tri]] == METAL
    inward = np.where((dot(d, face) > 0)[:, None], face, -face)
    color[solid] = colors(thickness(metal, at[solid], inward[solid]))
    sheet[seen] = color * light[:, None]


def _legend(picture: Image.Image) -> Image.Image:
    """A bar of the colors with their thicknesses."""
    width, height = picture.size
    sheet = Lettering(picture.size)
    left, wide = 0.885 * width, 0.028 * width
    top, bottom = 0.30 * height, 0.78 * height
    steps = 96
    logs = np.linspace(np.log(STOPS[0][0]), np.log(STOPS[-1][0]), steps)
    ink = np.round(srgb(colors(np.exp(logs).astype(np.float32))) * 255).astype(int)
    edges = np.linspace(bottom, top, steps + 1)
    for i in range(steps):
        red, green, blue = (int(c) for c in ink[i])
        sheet.box((left, edges[i + 1]), (left + wide, edges[i] + 0.4), (red, green, blue))
    for stop, _ in STOPS:
        share = (np.log(stop) - logs[0]) / (logs[-1] - logs[0])
        sheet.text((left + wide * 1.35, bottom + (top - bottom) * share), f"{stop:g}", "lm")
    sheet.text((left + wide / 2, top - sheet.text_height * 1.1), "mm", "mb")
    return sheet.over(picture)
