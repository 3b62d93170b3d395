"""Pictures of a piece: metal and stones in a studio, rendered on the CPU with Embree and numpy.

``render_views`` is the entry; everything below it lives in ``ai_pipeline.cad.studio``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import trimesh

from ai_pipeline.cad.studio.film import save
from ai_pipeline.cad.studio.heat import heat_view
from ai_pipeline.cad.studio.looks import IVORY, Look
from ai_pipeline.cad.studio.posing import Pose
from ai_pipeline.cad.studio.scale import scale_view
from ai_pipeline.cad.studio.shots import SHOTS, Shot
from ai_pipeline.cad.studio.stage import Quality, Stage, StoneLike, aim, apart, photograph, stage
from ai_pipeline.cad.studio.turntable import turntable

VIEWS = ("hero", "three_quarter", "detail", "front", "side", "top", "back", "scale", "heat", "exploded", "turntable")
"""Everything that can be asked for, in the order in which it is most useful to get it."""
DRAFT_EDGE, DRAFT_MOST = 384, 512
TURNTABLE_EDGE = 480
_EXPLODED = Shot(32, 22, 0.80)
#: What a view costs beside a view of three quarters of the hero's width.
_COST = {"hero": 1.8, "detail": 2.5, "heat": 0.4, "turntable": 7.0}


@dataclass(frozen=True)
class RenderedView:
    """A finished picture on disk; a draft will be replaced by a better one of the same name."""

    name: str
    path: Path
    width: int
    height: int
    draft: bool = False


Landed = Callable[[RenderedView], None]


def render_views(
    metal: trimesh.Trimesh,
    stones: Sequence[StoneLike],
    out_dir: Path,
    *,
    alloy: str = "18k_yellow",
    size: int = 1024,
    views: Sequence[str] = ("hero", "front", "side", "top"),
    quality: Literal["final", "draft"] = "final",
    pose: Pose | None = None,
    findings: Sequence[trimesh.Trimesh] = (),
    look: Look = IVORY,
    suffix: Literal[".webp", ".png"] = ".webp",
    draft_first: bool = False,
    progress: Callable[[float], None] | None = None,
    landed: Landed | None = None,
) -> list[RenderedView]:
    """Render square pictures of a piece (mm) into ``out_dir`` and return them in the order asked for.

    The hero is ``size`` pixels wide, every other view three quarters of that, the turntable (always WebP) 480 at most;
    ``quality="draft"`` caps all at 512 and takes a few seconds. Without stones there is nothing to explode: that view
    is left out. ``landed`` hears of each file once it is complete, with ``draft_first`` of a small picture of the first
    still too. ``progress`` receives 0..1.
    Raises ``KeyError`` for an unknown alloy or view and ``ValueError`` for a mesh without triangles.
    """
    wanted = [name for name in views if stones or name != "exploded"]
    if unknown := set(wanted) - set(VIEWS):
        raise KeyError(min(unknown))
    report, heard = progress or (lambda _share: None), landed or (lambda _view: None)
    scene = stage(metal, stones, alloy=alloy, pose=pose, findings=findings, look=look)
    out_dir.mkdir(parents=True, exist_ok=True)
    first = next((name for name in wanted if name in SHOTS[scene.pose]), None)
    if draft_first and first:
        path = out_dir / f"{first}-draft{suffix}"
        heard(_written(scene, first, path, min(size, DRAFT_EDGE), "draft", lambda _share: None, draft=True))
    total = sum(_COST.get(name, 1.0) for name in wanted)
    spent = 0.0
    done: list[RenderedView] = []
    for name in wanted:
        edge = size if name == "hero" else round(size * 0.75)
        edge = min(edge, DRAFT_MOST) if quality == "draft" else edge
        cost = _COST.get(name, 1.0)

        def share(part: float, before: float = spent, cost: float = cost) -> None:
            report((before + part * cost) / total)

        made = _written(scene, name, out_dir / f"{name}{suffix}", edge, quality, share)
        spent += cost
        share(1.0)
        heard(made)
        done.append(made)
    return done


def _written(
    scene: Stage, name: str, path: Path, edge: int, quality: Quality, share: Callable[[float], None],
    *, draft: bool = False,
) -> RenderedView:  # fmt: skip
    """Render one view into a file."""
    if name == "turntable":
        path = path.with_suffix(".webp")
        return RenderedView(name, path, *turntable(scene, path, edge=min(edge, TURNTABLE_EDGE), progress=share))
    if name == "heat":
        picture = heat_view(scene, edge)
    elif name == "scale":
        picture = scale_view(scene, edge, quality=quality, progress=share)
    else:
        taken = apart(scene) if name == "exploded" else scene
        shot = _EXPLODED if name == "exploded" else SHOTS[scene.pose][name]
        picture = photograph(taken, aim(taken, shot, (edge, edge)), shot.azimuth, quality=quality, progress=share)
    save(picture, path)
    return RenderedView(name, path, *picture.size, draft=draft)
