"""The finished pictures of our own models: three per piece, a banner and a square composition."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ai_pipeline.cad.models.piece import Design, Piece
from ai_pipeline.cad.models.registry import PIECES
from ai_pipeline.cad.studio import materials, placing
from ai_pipeline.cad.studio.camera import framed
from ai_pipeline.cad.studio.exposure import Sampling
from ai_pipeline.cad.studio.film import save
from ai_pipeline.cad.studio.looks import IVORY
from ai_pipeline.cad.studio.shots import SHOTS
from ai_pipeline.cad.studio.stage import SMOOTH_STONES, Stage, aim, photograph, stage, staged
from ai_pipeline.cad.studio.world import Part

HERO, SMALL, CLOSE = (1200, 1500), (900, 1125), (800, 1000)
HERO_BYTES, SMALL_BYTES, BANNER_BYTES = 120_000, 80_000, 250_000

SAMPLING = Sampling(base=6, edges=20, stones=64, budget=3_500_000)

_SECOND = {"standing": "top", "lying": "front", "hanging": "side", "pair": "side"}


def shoot(design: Design, folder: Path) -> list[Path]:
    """Render hero, second view and detail of a design in its first alloy; return the files."""
    piece = design.build()
    scene = stage(piece.metal, piece.stones, alloy=design.metals[0], pose=design.pose, findings=piece.findings)
    files = []
    for name, view, size, limit in (
        ("hero", "hero", HERO, HERO_BYTES),
        ("second", _SECOND[design.pose], SMALL, SMALL_BYTES),
        ("detail", "detail", CLOSE, SMALL_BYTES),
    ):
        shot = SHOTS[design.pose][view]
        if view == "detail":
            shot = replace(shot, fill=shot.fill * _closeness(scene, len(piece.stones)))
        picture = photograph(scene, aim(scene, shot, size), shot.azimuth, sampling=SAMPLING)
        path = folder / f"{design.slug}-{name}.webp"
        save(picture, path, quality=93, limit=limit)
        files.append(path)
    return files


def _closeness(scene: Stage, stones: int) -> float:
    """How much nearer than usual the detail is taken: into a row of stones, back from a single small one."""
    head, whole = float(np.ptp(scene.head, axis=0).max()), float(np.ptp(scene.points, axis=0).max())
    if stones != 1 and head > 0.55 * whole:
        return 1.6
    return 0.6 if head < 3.5 else 1.0


def _place(piece: Piece, *, at: tuple[float, float], turn: float, lying: bool = False) -> npt.NDArray[np.float64]:
    """The 4x4 place of a piece on the floor, turned about the vertical; ``lying`` puts a ring on its side."""
    matrix = placing.turned(turn, (0, 0, 1))
    if lying:
        matrix = matrix @ placing.turned(90, (1, 0, 0))
    low = float((np.asarray(piece.metal.vertices) @ matrix[2, :3]).min())
    return placing.moved(matrix, (*at, -low))


def composition(items: list[tuple[str, str, tuple[float, float], float, bool]]) -> Stage:
    """Several pieces on one floor: (slug, alloy, position in mm, turn in degrees, lying)."""
    parts: list[Part] = []
    for slug, alloy, at, turn, lying in items:
        piece = PIECES[slug].build()
        matrix = _place(piece, at=at, turn=turn, lying=lying)
        parts.append(Part(piece.metal.copy().apply_transform(matrix), materials.alloy(alloy)))
        for s in piece.stones:
            parts.append(Part(s.moved(matrix).mesh, materials.stone(s.species), faceted=s.shape not in SMOOTH_STONES))
    scene = staged(parts, "standing", IVORY)
    return replace(scene, extent=scene.extent * 1.8 / 2.6, soften=0.5)


BANNER = [
    ("six-claw-solitaire", "18k_yellow", (-13.0, -2.0), 26.0, False),
    ("oval-signet", "18k_yellow", (38.0, 12.0), -32.0, False),
    ("sapphire-trilogy", "platinum", (13.0, 17.0), 12.0, False),
    ("rope-band", "18k_rose", (15.0, -14.0), 0.0, True),
]
SQUARE = [
    ("oval-signet", "18k_yellow", (-11.0, 6.0), 30.0, False),
    ("knife-edge-band", "platinum", (13.0, 9.0), -34.0, False),
    ("half-eternity", "18k_rose", (4.0, -15.0), 0.0, True),
]


def banner(path: Path) -> None:
    """The landing page's picture, 2000 x 1100, its left side left free for a headline."""
    scene = composition(BANNER)
    camera = framed(scene.points, 0, 17, (2000, 1100), fill=0.52, shift=(0.19, -0.03))
    save(photograph(scene, camera, 0, sampling=SAMPLING), path, quality=93, limit=BANNER_BYTES)


def square(path: Path) -> None:
    """A square composition of three bands, 1200 pixels."""
    scene = composition(SQUARE)
    camera = framed(scene.points, 0, 22, (1200, 1200), fill=0.74, shift=(0, -0.02))
    save(photograph(scene, camera, 0, sampling=SAMPLING), path, quality=93, limit=HERO_BYTES)
