"""The render task of the child: tell metal from stones, and let the studio photograph it."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import trimesh

from ai_pipeline.cad.gems import SUPPOSED
from ai_pipeline.cad.load import Loaded
from ai_pipeline.cad.parts import parts_of
from ai_pipeline.cad.render import RenderedView, render_views
from ai_pipeline.cad.report import RenderedImage, RenderReport
from ai_pipeline.cad.solids import Shell, shells_of
from ai_pipeline.cad.studio.looks import LOOKS
from ai_pipeline.cad.studio.materials import finish_of
from ai_pipeline.errors import Unreadable

MOST_FACETED = 2_000
"""Triangles of the most richly faceted cut; a dome or a pearl is drawn with more."""


@dataclass(frozen=True)
class StoneBody:
    """A stone as the studio wants it; its species is what a person or the file calls it, else diamond."""

    mesh: trimesh.Trimesh
    shape: str
    species: str


def render(
    prepared: Loaded,
    out_dir: str,
    alloy: str,
    look: str,
    size: int,
    views: list[str],
    draft_first: bool,
    progress: Callable[[int, str], None],
    choices: Mapping[str, Any] | None = None,
    **_arguments: object,
) -> RenderReport:
    """Write one picture per view into `out_dir`; `progress` hears the name of each file when it is complete.

    `choices` may hold the `roles` a person gave to bodies (see `parts_of`).

    Raises Unreadable; KeyError for an unknown alloy, look or view.
    """
    if not prepared.bodies:
        raise Unreadable("no_geometry")
    welding = shells_of(prepared.bodies, len(prepared.bodies) + len(prepared.hidden))
    parts = parts_of(welding, (choices or {}).get("roles"))
    if not parts.metal:
        raise Unreadable("no_geometry")
    y_up = prepared.kind.name == "GLB"
    percent = 0

    def share(part: float) -> None:
        nonlocal percent
        percent = int(part * 100)
        progress(percent, "")

    def landed(view: RenderedView) -> None:
        progress(percent, view.path.name)

    pictures = render_views(
        _joined([_mesh(shell, y_up) for shell in parts.metal]),
        [
            StoneBody(_mesh(shell, y_up), _shape(shell, size.shape), size.species or SUPPOSED)
            for shell, size in zip(parts.stones, parts.sizes, strict=True)
        ],
        Path(out_dir),
        alloy=finish_of(alloy),
        look=LOOKS[look],
        size=size,
        views=views,
        draft_first=draft_first,
        progress=share,
        landed=landed,
    )
    return RenderReport(images=[_image(picture) for picture in pictures])


def _image(picture: RenderedView) -> RenderedImage:
    data = picture.path.read_bytes()
    return RenderedImage(
        view=picture.name,
        name=picture.path.name,
        width=picture.width,
        height=picture.height,
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
    )


def _mesh(shell: Shell, y_up: bool) -> trimesh.Trimesh:
    points = shell.vertices
    if y_up:  # the studio is z up
        points = np.column_stack([points[:, 0], -points[:, 2], points[:, 1]])
    return trimesh.Trimesh(points, shell.faces, process=False)


def _joined(meshes: list[trimesh.Trimesh]) -> trimesh.Trimesh:
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])
    faces = np.vstack([mesh.faces + start for mesh, start in zip(meshes, starts, strict=False)])
    return trimesh.Trimesh(np.vstack([mesh.vertices for mesh in meshes]), faces, process=False)


def _shape(shell: Shell, shape: str) -> str:
    """The shape of a stone; one of very many small faces is domed, whatever its outline."""
    return "cabochon" if len(shell.faces) > MOST_FACETED else shape
