"""The scale view: a piece beside a coin, with the sizes of both written on the picture."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import trimesh
from PIL import Image

from ai_pipeline.cad.studio.camera import framed
from ai_pipeline.cad.studio.lettering import Lettering
from ai_pipeline.cad.studio.looks import WHITE
from ai_pipeline.cad.studio.materials import Material
from ai_pipeline.cad.studio.placing import moved, raised
from ai_pipeline.cad.studio.stage import HUNG, Quality, Stage, photograph, staged
from ai_pipeline.cad.studio.world import Part

COIN_MM, COIN_THICK = 20.0, 1.6
"""A coin of no country, as wide as many small ones."""
GAP = 4.0
_BRONZE = Material("metal", f0=(0.47, 0.40, 0.32))
#: The coin's profile from its middle outward: (radius, height) as shares of its own.
_PROFILE = ((0, 0), (0.96, 0), (1, 0.15), (1, 0.85), (0.985, 1), (0.92, 1), (0.90, 0.80), (0.52, 0.80), (0.50, 0.92),
            (0.40, 0.92), (0.38, 0.80), (0, 0.80))  # fmt: skip


def coin() -> trimesh.Trimesh:
    """A coin lying with its back at z = 0."""
    profile = np.array(_PROFILE, float) * [COIN_MM / 2, COIN_THICK]
    made: trimesh.Trimesh = trimesh.creation.revolve(profile, sections=160)
    return made


def scale_view(
    scene: Stage, edge: int, *, quality: Quality = "final", progress: Callable[[float], None] | None = None
) -> Image.Image:
    """The piece and the coin from the front, with dimension lines in mm."""
    low, high = scene.points.min(0), scene.points.max(0)
    middle = (low + high) / 2
    ground, normal = scene.plane
    hung = scene.pose in HUNG
    at = np.array([high[0] + GAP + COIN_MM / 2, middle[1], middle[2]])
    at = at - normal * float((at - ground) @ normal)
    beside = Part(coin().apply_transform(moved(raised(normal), at)), _BRONZE, beside=True)
    look = replace(WHITE, gloss=0.25)
    together = staged([*(p for p in scene.parts if not p.beside), beside], scene.pose, look)
    points = np.concatenate([together.points, np.asarray(beside.mesh.vertices)])
    whole = float(np.ptp(points[:, 0]))
    off, room = 0.05 * whole, 0.20 * whole
    # Room for the lines and words on the left and below.
    margins = [low - [off + room, 0, 0], low - [0, 0 if hung else 2.4 * off, 2.4 * off if hung else 0]]
    camera = framed(np.vstack([points, margins]), 0, 4 if hung else 26, (edge, edge), fill=0.84, shift=(0.0, 0.02))
    picture = photograph(together, camera, 0, quality=quality, progress=progress)
    sheet = Lettering(picture.size)

    def dimension(start: Sequence[float], end: Sequence[float], words: str, side: tuple[int, int]) -> None:
        a, b = camera.project(np.array([start, end], np.float64))
        # Upright and level on the page, whatever the perspective.
        b[0 if side[0] else 1] = a[0 if side[0] else 1]
        sheet.dimension(a, b, words, side)

    span, left = high - low, low[0] - off
    depth = middle[1] if hung else low[1] - 1.6 * off
    foot = low[2] - off if hung else low[2]
    dimension((left, middle[1], low[2]), (left, middle[1], high[2]), f"{span[2]:.1f} mm", (-1, 0))
    dimension((low[0], depth, foot), (high[0], depth, foot), f"{span[0]:.1f} mm", (0, 1))
    r = COIN_MM / 2
    rim = at - [0, 0, r + off] if hung else at - [0, r + 1.6 * off, 0]
    dimension((rim[0] - r, rim[1], rim[2]), (rim[0] + r, rim[1], rim[2]), f"{COIN_MM:.0f} mm", (0, 1))
    return sheet.over(picture)
