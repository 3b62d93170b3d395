"""A piece placed in front of the camera: posed, lit, standing on or hanging before its backdrop."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import fast_simplification
import numpy as np
import trimesh
from PIL import Image

from ai_pipeline.cad.studio import materials
from ai_pipeline.cad.studio.camera import Camera, framed
from ai_pipeline.cad.studio.exposure import Sampling, expose
from ai_pipeline.cad.studio.film import to_image
from ai_pipeline.cad.studio.ground import Ground
from ai_pipeline.cad.studio.lights import lighting
from ai_pipeline.cad.studio.looks import IVORY, Look
from ai_pipeline.cad.studio.posing import Doubles, Pose, arrangement, upright
from ai_pipeline.cad.studio.recut import recut, table_normal
from ai_pipeline.cad.studio.shots import Shot
from ai_pipeline.cad.studio.tracer import Tracer
from ai_pipeline.cad.studio.world import Part, World

Quality = Literal["final", "draft", "frame"]

THREADS = 2
MAX_TRIANGLES = 400_000
"""Finer meshes are decimated for the picture; the difference is below a tenth of a pixel."""
SMOOTH_STONES = frozenset({"cabochon", "pearl", "bead"})
HUNG = ("hanging", "pair")
APART = (1.3, 0.12)
"""How far a stone is lifted out: this often its depth, and this share of the piece's radius."""

_SAMPLING: dict[Quality, Sampling] = {
    "final": Sampling(base=5, edges=24, stones=112, budget=4_000_000),
    "draft": Sampling(base=3, edges=8, stones=16, mirror=False),
    "frame": Sampling(base=4, edges=10, stones=28, budget=500_000),
}
#: Of the ground's light: grid points along an edge, rays from each.
_BAKE: dict[Quality, tuple[int, int]] = {"final": (176, 72), "draft": (72, 24), "frame": (96, 32)}


class StoneLike(Protocol):
    """What the studio needs to know of a stone."""

    @property
    def mesh(self) -> trimesh.Trimesh: ...
    @property
    def shape(self) -> str: ...
    @property
    def species(self) -> str: ...


@dataclass(frozen=True)
class Stage:
    """A world ready for any camera. ``plane`` is the ground: a point and its normal; ``head`` is what eyes go to."""

    pose: Pose
    parts: tuple[Part, ...]
    world: World
    look: Look
    points: Doubles
    head: Doubles
    plane: tuple[Doubles, Doubles]
    extent: float
    soften: float


def stage(
    metal: trimesh.Trimesh, stones: Sequence[StoneLike], *, alloy: str, pose: Pose | None = None,
    findings: Sequence[trimesh.Trimesh] = (), look: Look = IVORY,
) -> Stage:  # fmt: skip
    """Place a piece in the studio.

    ``pose`` None turns the piece upright first; otherwise it must already be (ring: finger along Y, head up; the rest:
    facing -Y, +Z up). ``findings`` (a chain) are shown in the same alloy but do not count for the framing.
    Raises ``KeyError`` for an unknown alloy and ``ValueError`` for a mesh without triangles.
    """
    if len(metal.faces) == 0:
        raise ValueError("the metal has no triangles")
    surface = materials.alloy(alloy)
    turn: Doubles = np.eye(4)
    if pose is None:
        turn, pose = upright(metal, [s.mesh for s in stones])
    light = _light(metal)
    posed = light.copy().apply_transform(turn)
    parts: list[Part] = []
    shown = [recut(s.mesh) if s.shape == "round" else s.mesh for s in stones]
    for place in (place @ turn for place in arrangement(pose, np.asarray(posed.vertices, np.float64))):
        parts.append(Part(light.copy().apply_transform(place), surface))
        for stone, mesh in zip(stones, shown, strict=True):
            cut = mesh.copy().apply_transform(place)
            width = float(np.sort(np.ptp(cut.vertices, axis=0))[1])
            material = materials.stone(stone.species, width)
            parts.append(Part(cut, material, faceted=stone.shape not in SMOOTH_STONES))
        parts += [Part(f.copy().apply_transform(place), surface, beside=True) for f in findings]
    return staged(parts, pose, look)


def staged(parts: Sequence[Part], pose: Pose, look: Look) -> Stage:
    """A stage around posed parts; those ``beside`` the piece do not count for the framing."""
    points = np.concatenate([np.asarray(p.mesh.vertices, np.float64) for p in parts if not p.beside])
    head = _head(parts, points, pose)
    radius = float(np.linalg.norm(np.ptp(points, axis=0))) / 2
    soften = (0.055 if pose in HUNG else 0.022) * radius
    return Stage(pose, tuple(parts), World(parts), look, points, head, _plane(points, pose, radius),
                 2.6 * radius, soften)  # fmt: skip


def apart(scene: Stage) -> Stage:
    """The same piece with its stones lifted out of their seats along the axes of their tables."""
    middle = (scene.points.min(0) + scene.points.max(0)) / 2
    radius = float(np.linalg.norm(np.ptp(scene.points, axis=0))) / 2
    parts = []
    for part in scene.parts:
        if part.material.kind == "metal":
            parts.append(part)
            continue
        center = np.asarray(part.mesh.bounds, np.float64).mean(0)
        axis = table_normal(part.mesh) if part.faceted else center - middle
        axis = axis / max(float(np.linalg.norm(axis)), 1e-9)
        depth = float(np.ptp(np.asarray(part.mesh.vertices) @ axis))
        moved = part.mesh.copy().apply_translation(axis * (APART[0] * depth + APART[1] * radius))
        parts.append(replace(part, mesh=moved))
    return staged(parts, scene.pose, scene.look)


def photograph(
    scene: Stage, camera: Camera, azimuth: float, *, quality: Quality = "final", sampling: Sampling | None = None,
    progress: Callable[[float], None] | None = None,
) -> Image.Image:  # fmt: skip
    """One picture of a stage; the lights follow the ``azimuth`` (degrees) of the camera."""
    a = np.radians(azimuth)
    frame = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]], np.float32)
    grid, rays = _BAKE[quality]
    lights = lighting(_facing(scene).rig, 512 if quality == "draft" else 1024)
    with ThreadPoolExecutor(THREADS) as pool:
        point, normal = (v.astype(np.float32) for v in scene.plane)
        ground = Ground(point, normal, scene.extent, _facing(scene))
        ground.bake(scene.world, lights, frame, grid=grid, rays=rays, soften=scene.soften, pool=pool)
        if lights.sun is not None:
            ground.bake_sun(scene.world, (frame @ lights.sun).astype(np.float32), grid=4 * grid, rays=8, pool=pool)
        tracer = Tracer(scene.world, lights, frame, ground)
        linear = expose(tracer, camera, sampling or _SAMPLING[quality], pool, progress or (lambda _share: None))
    return to_image(linear)


def aim(scene: Stage, shot: Shot, size: tuple[int, int]) -> Camera:
    """The camera of a shot for a picture of ``size`` (width, height) pixels."""
    subject = scene.head if shot.subject == "head" else scene.points
    camera = framed(subject, shot.azimuth, shot.elevation, size, fill=shot.fill, shift=shot.shift)
    return camera.focused(scene.head, scene.points, shot.blur) if shot.blur else camera


def _facing(scene: Stage) -> Look:
    """The look of a scene; a sun that stands behind a wall is brought around to the front of it."""
    sun = scene.look.rig.sun
    if scene.pose not in HUNG or sun is None or abs(sun.azimuth) < 90:
        return scene.look
    front = replace(sun, azimuth=float(np.copysign(180 - abs(sun.azimuth), sun.azimuth)))
    return replace(scene.look, rig=replace(scene.look.rig, sun=front))


def _light(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    """The mesh, decimated when it is finer than any picture shows."""
    if len(mesh.faces) <= MAX_TRIANGLES:
        return mesh
    v, f = fast_simplification.simplify(
        np.asarray(mesh.vertices, np.float32), np.asarray(mesh.faces, np.int32), target_count=MAX_TRIANGLES, agg=5
    )
    return trimesh.Trimesh(v, f, process=False)


def _head(parts: Sequence[Part], points: Doubles, pose: Pose) -> Doubles:
    """The large stones, or else the upper (of a lying piece: the front) part."""
    gems = [np.asarray(p.mesh.vertices, np.float64) for p in parts if p.material.kind != "metal"]
    # Of a pair, the first one: a camera close by cannot show both.
    gems = gems[: len(gems) // 2] if pose == "pair" else gems
    largest = max((float(np.ptp(g, axis=0).max()) for g in gems), default=0.0)
    focus = [g for g in gems if np.ptp(g, axis=0).max() > 0.6 * largest]
    if focus:
        return np.concatenate(focus)
    if pose == "lying":
        return points[points[:, 1] < np.quantile(points[:, 1], 0.4)]
    return points[points[:, 2] > np.quantile(points[:, 2], 0.55)]


def _plane(points: Doubles, pose: Pose, radius: float) -> tuple[Doubles, Doubles]:
    if pose in HUNG:
        back = float(points[:, 1].max()) + 0.18 * radius
        return np.array([0.0, back, points[:, 2].mean()]), np.array([0.0, -1.0, 0.0])
    middle = (points.min(0) + points.max(0)) / 2
    return np.array([middle[0], middle[1], points[:, 2].min()]), np.array([0.0, 0.0, 1.0])
