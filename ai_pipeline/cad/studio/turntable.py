"""The turntable: a piece turning once in front of the camera, as an animated WebP."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from ai_pipeline.cad.studio.camera import framed
from ai_pipeline.cad.studio.shots import SHOTS
from ai_pipeline.cad.studio.stage import HUNG, Stage, photograph

FRAMES, MILLISECONDS = 24, 125
SWING = 42.0
"""Degrees to each side; what hangs before a wall swings instead of turning, since its back faces the wall."""


def azimuths(scene: Stage) -> list[float]:
    """The camera's places, one a frame; the last is followed by the first without a jump."""
    turn = np.arange(FRAMES) / FRAMES
    if scene.pose in HUNG:
        return [float(a) for a in SWING * np.sin(2 * np.pi * turn)]
    return [float(a) for a in SHOTS[scene.pose]["hero"].azimuth + 360 * turn]


def turntable(scene: Stage, path: Path, *, edge: int, progress: Callable[[float], None]) -> tuple[int, int]:
    """Write the animation and return its width and height in pixels."""
    shot = SHOTS[scene.pose]["hero"]
    places = azimuths(scene)
    # Framed once around everything the turning piece sweeps, so that it does not breathe.
    middle = (scene.points.min(0) + scene.points.max(0)) / 2
    few = scene.points[:: max(len(scene.points) // 4_000, 1)] - middle
    swept = np.concatenate([few @ _about_z(a).T for a in np.linspace(0, 360, 24, endpoint=False)]) + middle
    whole = scene.points if scene.pose in HUNG else swept
    frames: list[Image.Image] = []
    for number, azimuth in enumerate(places):
        camera = framed(whole, azimuth, shot.elevation, (edge, edge), fill=shot.fill, shift=shot.shift)
        frames.append(photograph(scene, camera, azimuth, quality="frame"))
        progress((number + 1) / len(places))
    frames[0].save(
        path, save_all=True, append_images=frames[1:], duration=MILLISECONDS, loop=0, quality=88, method=4
    )  # fmt: skip
    return frames[0].size


def _about_z(degrees: float) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    a = np.radians(degrees)
    return np.array([[np.cos(a), -np.sin(a), 0.0], [np.sin(a), np.cos(a), 0.0], [0.0, 0.0, 1.0]])
