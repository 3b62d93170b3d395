"""Pictures of a piece: metal and stones in a studio, rendered on the CPU with Embree and numpy.

``render_views`` is the entry; everything below it lives in ``ai_pipeline.cad.studio``.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import fast_simplification
import numpy as np
import numpy.typing as npt
import trimesh
from PIL import Image

from ai_pipeline.cad.studio import materials
from ai_pipeline.cad.studio.camera import Camera, framed
from ai_pipeline.cad.studio.exposure import Sampling, expose
from ai_pipeline.cad.studio.film import save, to_image
from ai_pipeline.cad.studio.ground import Ground
from ai_pipeline.cad.studio.lights import Lighting
from ai_pipeline.cad.studio.posing import Doubles, Pose, arrangement, upright
from ai_pipeline.cad.studio.tracer import Tracer
from ai_pipeline.cad.studio.world import Part, World

Floats = npt.NDArray[np.float32]
Quality = Literal["final", "draft"]

THREADS = 2
MAX_TRIANGLES = 400_000
"""Finer meshes are decimated for the picture; the difference is below a tenth of a pixel."""

SMOOTH_STONES = frozenset({"cabochon", "pearl", "bead"})


class StoneLike(Protocol):
    """What the renderer needs to know of a stone."""

    @property
    def mesh(self) -> trimesh.Trimesh: ...
    @property
    def shape(self) -> str: ...
    @property
    def species(self) -> str: ...


@dataclass(frozen=True)
class RenderedView:
    """A finished picture on disk."""

    name: str
    path: Path
    width: int
    height: int


@dataclass(frozen=True)
class Shot:
    """Where the camera stands: degrees, the share of the frame the subject fills, and what the subject is."""

    azimuth: float
    elevation: float
    fill: float = 0.74
    subject: Literal["piece", "head"] = "piece"
    shift: tuple[float, float] = (0.0, -0.02)


SHOTS: dict[Pose, dict[str, Shot]] = {
    "standing": {
        "hero": Shot(36, 19),
        "front": Shot(0, 6),
        "side": Shot(90, 8),
        "top": Shot(24, 66),
        "detail": Shot(24, 42, 0.62, "head"),
    },
    "lying": {
        "hero": Shot(22, 30, 0.80),
        "front": Shot(0, 14, 0.80),
        "side": Shot(90, 16, 0.80),
        "top": Shot(0, 84, 0.78),
        "detail": Shot(32, 22, 0.95, "head"),
    },
    "hanging": {
        "hero": Shot(-24, 10, 0.62, shift=(0.0, -0.06)),
        "front": Shot(0, 2, 0.62, shift=(0.0, -0.06)),
        "side": Shot(62, 6, 0.62, shift=(0.0, -0.06)),
        "top": Shot(-18, 38, 0.66, shift=(0.0, -0.04)),
        "detail": Shot(-34, 16, 0.80, "head"),
    },
    "pair": {
        "hero": Shot(-6, 9, 0.70),
        "front": Shot(0, 2, 0.70),
        "side": Shot(52, 8, 0.70),
        "top": Shot(-8, 42, 0.70),
        "detail": Shot(-22, 20, 0.72, "head"),
    },
}

_SAMPLING: dict[Quality, Sampling] = {
    "final": Sampling(base=5, edges=18, stones=64, budget=1_600_000),
    "draft": Sampling(base=3, edges=8, stones=16, mirror=False),
}
_BAKE: dict[Quality, tuple[int, int]] = {"final": (176, 72), "draft": (72, 24)}


@dataclass(frozen=True)
class Stage:
    """A lit world ready for any camera."""

    pose: Pose
    world: World
    lighting: Lighting
    points: Doubles
    head: Doubles
    plane: tuple[Doubles, Doubles]
    extent: float
    soften: float


def _light(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    """The mesh, decimated when it is finer than any picture shows."""
    if len(mesh.faces) <= MAX_TRIANGLES:
        return mesh
    v, f = fast_simplification.simplify(
        np.asarray(mesh.vertices, np.float32), np.asarray(mesh.faces, np.int32), target_count=MAX_TRIANGLES, agg=5
    )
    return trimesh.Trimesh(v, f, process=False)


def stage(
    metal: trimesh.Trimesh, stones: Sequence[StoneLike], *, alloy: str, pose: Pose | None = None,
    findings: Sequence[trimesh.Trimesh] = (),
) -> Stage:  # fmt: skip
    """Place a piece in the studio.

    ``pose`` None turns the piece upright first; otherwise it must already be (ring: finger along Y, head up; the rest:
    facing -Y, +Z up). ``findings`` (a chain) are shown in the same alloy but do not count for the framing.
    Raises ``KeyError`` for an unknown alloy.
    """
    surface = materials.alloy(alloy)
    turn: Doubles = np.eye(4)
    if pose is None:
        turn, pose = upright(metal, [s.mesh for s in stones])
    light = _light(metal)
    posed = light.copy().apply_transform(turn)
    places = [place @ turn for place in arrangement(pose, np.asarray(posed.vertices, np.float64))]
    parts = []
    for place in places:
        parts.append(Part(light.copy().apply_transform(place), surface))
        for s in stones:
            shown = s.mesh.copy().apply_transform(place)
            parts.append(Part(shown, materials.stone(s.species), faceted=s.shape not in SMOOTH_STONES))
    bodies = len(parts)
    parts += [Part(f.copy().apply_transform(place), surface) for place in places for f in findings]
    points = np.concatenate([np.asarray(p.mesh.vertices, np.float64) for p in parts[:bodies]])
    gems = [np.asarray(p.mesh.vertices, np.float64) for p in parts[1 : 1 + len(stones)]]
    largest = max((float(np.ptp(g, axis=0).max()) for g in gems), default=0.0)
    focus = [g for g in gems if np.ptp(g, axis=0).max() > 0.6 * largest]
    if focus:
        head = np.concatenate(focus)
    elif pose == "lying":
        head = points[points[:, 1] < np.quantile(points[:, 1], 0.4)]
    else:
        head = points[points[:, 2] > np.quantile(points[:, 2], 0.55)]
    radius = float(np.linalg.norm(np.ptp(points, axis=0))) / 2
    if pose in ("hanging", "pair"):
        back = float(points[:, 1].max()) + 0.18 * radius
        plane = (np.array([0.0, back, points[:, 2].mean()]), np.array([0.0, -1.0, 0.0]))
    else:
        middle = (points.min(0) + points.max(0)) / 2
        plane = (np.array([middle[0], middle[1], points[:, 2].min()]), np.array([0.0, 0.0, 1.0]))
    soften = 0.055 * radius if pose in ("hanging", "pair") else 0.022 * radius
    return Stage(pose, World(parts), Lighting(), points, head, plane, 2.6 * radius, soften)


def photograph(
    scene: Stage, camera: Camera, azimuth: float, *, quality: Quality = "final", sampling: Sampling | None = None,
    progress: Callable[[float], None] | None = None,
) -> Image.Image:  # fmt: skip
    """One picture of a stage; the lights follow the ``azimuth`` (degrees) of the camera."""
    a = np.radians(azimuth)
    frame = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]], np.float32)
    grid, rays = _BAKE[quality]
    with ThreadPoolExecutor(THREADS) as pool:
        ground = Ground(scene.plane[0].astype(np.float32), scene.plane[1].astype(np.float32), scene.extent)
        ground.bake(scene.world, scene.lighting, frame, grid=grid, rays=rays, soften=scene.soften, pool=pool)
        tracer = Tracer(scene.world, scene.lighting, frame, ground)
        linear = expose(tracer, camera, sampling or _SAMPLING[quality], pool, progress or (lambda _share: None))
    return to_image(linear)


def aim(scene: Stage, shot: Shot, size: tuple[int, int]) -> Camera:
    """The camera of a shot for a picture of ``size`` (width, height) pixels."""
    subject = scene.head if shot.subject == "head" else scene.points
    return framed(subject, shot.azimuth, shot.elevation, size, fill=shot.fill, shift=shot.shift)


def render_views(
    metal: trimesh.Trimesh,
    stones: Sequence[StoneLike],
    out_dir: Path,
    *,
    alloy: str = "18k_yellow",
    size: int = 1024,
    views: Sequence[str] = ("hero", "front", "side", "top"),
    quality: Quality = "final",
    pose: Pose | None = None,
    findings: Sequence[trimesh.Trimesh] = (),
    suffix: Literal[".webp", ".png"] = ".webp",
    progress: Callable[[float], None] | None = None,
) -> list[RenderedView]:
    """Render square pictures of a piece (mm) into ``out_dir`` and return them in the order asked for.

    The hero is ``size`` pixels wide, every other view three quarters of that; ``quality="draft"`` caps both at 512
    and takes a few seconds. Views are hero, front, side, top and detail. ``progress`` receives 0..1.
    Raises ``KeyError`` for an unknown alloy or view and ``ValueError`` for a mesh without triangles.
    """
    if len(metal.faces) == 0:
        raise ValueError("the metal has no triangles")
    scene = stage(metal, stones, alloy=alloy, pose=pose, findings=findings)
    shots = [(name, SHOTS[scene.pose][name]) for name in views]
    out_dir.mkdir(parents=True, exist_ok=True)
    report = progress or (lambda _share: None)
    done: list[RenderedView] = []
    for i, (name, shot) in enumerate(shots):
        edge = size if name == "hero" else round(size * 0.75)
        if quality == "draft":
            edge = min(edge, 512)

        def share(part: float, step: int = i) -> None:
            report((step + part) / len(shots))

        picture = photograph(scene, aim(scene, shot, (edge, edge)), shot.azimuth, quality=quality, progress=share)
        path = out_dir / f"{name}{suffix}"
        save(picture, path)
        done.append(RenderedView(name, path, *picture.size))
        share(1.0)
    return done
