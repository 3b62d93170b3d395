"""The render task of the child: tell metal from stones, and let the studio photograph it."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import trimesh

from ai_pipeline.cad.gems import is_stone, measure_stone
from ai_pipeline.cad.load import Loaded
from ai_pipeline.cad.render import render_views
from ai_pipeline.cad.report import RenderedImage, RenderReport
from ai_pipeline.cad.solids import Shell, shells_of
from ai_pipeline.cad.studio.materials import ALLOYS as FINISHES
from ai_pipeline.cad.studio.materials import STONES as SPECIES
from ai_pipeline.errors import Unreadable

# Alloys that differ in weight, not in looks.
LOOKS = {
    "22k_yellow": "24k_yellow",
    "18k_white_pd": "18k_white",
    "18k_white_ni": "18k_white",
    "14k_white_pd": "14k_white",
    "14k_white_ni": "14k_white",
    "10k_yellow": "14k_yellow",
    "9k_yellow": "14k_yellow",
    "sterling": "silver",
    "platinum_950_ru": "platinum",
    "platinum_950_co": "platinum",
    "palladium_950": "18k_white",
}


@dataclass(frozen=True)
class StoneBody:
    """A stone as the studio wants it; its species is what the file calls it, else diamond."""

    mesh: trimesh.Trimesh
    shape: str
    species: str


def render(
    prepared: Loaded,
    out_dir: str,
    alloy: str,
    size: int,
    views: list[str],
    progress: Callable[[int, str], None],
    **_arguments: object,
) -> RenderReport:
    """Write one picture per view into `out_dir`. Raises Unreadable; KeyError for an unknown alloy or view."""
    if not prepared.bodies:
        raise Unreadable("no_geometry")
    shells = shells_of(prepared.bodies).shells
    stones = [shell for shell in shells if is_stone(shell)]
    metal = [shell for shell in shells if not any(shell is stone for stone in stones)]
    if not metal:
        raise Unreadable("no_geometry")
    y_up = prepared.kind.name == "GLB"
    finish = LOOKS.get(alloy, alloy)
    if finish not in FINISHES:
        raise KeyError(alloy)
    pictures = render_views(
        _joined([_mesh(shell, y_up) for shell in metal]),
        [StoneBody(_mesh(shell, y_up), measure_stone(shell).shape, _species(shell)) for shell in stones],
        Path(out_dir),
        alloy=finish,
        size=size,
        views=views,
        progress=lambda share: progress(int(share * 100), ""),
    )
    images = []
    for picture in pictures:
        data = picture.path.read_bytes()
        images.append(
            RenderedImage(
                view=picture.name,
                name=picture.path.name,
                width=picture.width,
                height=picture.height,
                bytes=len(data),
                sha256=hashlib.sha256(data).hexdigest(),
            )
        )
    return RenderReport(images=images)


def _mesh(shell: Shell, y_up: bool) -> trimesh.Trimesh:
    points = shell.vertices
    if y_up:  # the studio is z up
        points = np.column_stack([points[:, 0], -points[:, 2], points[:, 1]])
    return trimesh.Trimesh(points, shell.faces, process=False)


def _joined(meshes: list[trimesh.Trimesh]) -> trimesh.Trimesh:
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])
    faces = np.vstack([mesh.faces + start for mesh, start in zip(meshes, starts, strict=False)])
    return trimesh.Trimesh(np.vstack([mesh.vertices for mesh in meshes]), faces, process=False)


def _species(shell: Shell) -> str:
    label = re.sub(r"[\s-]+", "_", f"{shell.name} {shell.material}".lower())
    return next((name for name in SPECIES if name in label), "diamond")
