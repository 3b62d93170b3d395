"""How a piece is placed for its picture, and how an unknown mesh is turned upright."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from ai_pipeline.cad.studio import placing

if TYPE_CHECKING:
    import trimesh

Doubles = npt.NDArray[np.float64]
Pose = Literal["standing", "lying", "hanging", "pair"]

BANGLE_FROM_MM = 30.0
"""A bore above this is worn on the wrist and is shown lying."""


def _bore(points: Doubles, axis: Doubles) -> tuple[float, Doubles] | None:
    """Diameter of the hole along ``axis`` and the direction of the head, or None when there is no hole."""
    helper = np.eye(3)[int(np.argmin(np.abs(axis)))]
    u = np.cross(axis, helper)
    u /= np.linalg.norm(u)
    v = np.cross(axis, u)
    flat = np.stack([points @ u, points @ v], -1)
    # A head pulls the box off the bore: start at the box and move away from the nearest metal.
    center = (flat.min(0) + flat.max(0)) / 2
    for _ in range(60):
        rel = flat - center
        distance = np.linalg.norm(rel, axis=1)
        near = rel[distance < distance.min() * 1.03 + 1e-6]
        center = center - near.mean(0) * 0.25
    rel = flat - center
    distance = np.linalg.norm(rel, axis=1)
    bins = np.unique((np.arctan2(rel[:, 1], rel[:, 0]) / (2 * np.pi) * 36).astype(int) % 36)
    reach = float(distance.max())
    if distance.min() < 0.45 * reach or len(bins) < 28:
        return None
    far = rel[distance > distance.max() * 0.93].mean(0)
    if np.linalg.norm(far) < 0.25 * reach:
        far = np.array([0.0, 1.0]) if abs(v[2]) > abs(u[2]) else np.array([1.0, 0.0])
    head = far[0] * u + far[1] * v
    return 2 * float(distance.min()), head / np.linalg.norm(head)


def upright(metal: "trimesh.Trimesh", stones: "Sequence[trimesh.Trimesh]") -> tuple[Doubles, Pose]:
    """The 4x4 turn that brings an unknown piece into the house pose, and that pose.

    A ring ends up with its finger axis along Y and its head up; a flat piece faces -Y with its narrow end up.
    """
    points = np.asarray(metal.vertices, np.float64)
    if len(points) > 40_000:
        points = points[np.random.default_rng(1).choice(len(points), 40_000, replace=False)]
    _, _, principal = np.linalg.svd(points - points.mean(0), full_matrices=False)
    for axis in (*np.eye(3)[[1, 2, 0]], *principal):
        found = _bore(points, axis)
        if found is not None:
            diameter, head = found
            if stones and diameter < BANGLE_FROM_MM:
                middle = np.mean([s.bounds.mean(0) for s in stones], axis=0) - points.mean(0)
                middle -= axis * (middle @ axis)
                if np.linalg.norm(middle) > 0.2 * diameter:
                    head = middle / np.linalg.norm(middle)
            turn = np.eye(4)
            turn[:3, :3] = np.stack([np.cross(axis, head), axis, head])
            return turn, "lying" if diameter >= BANGLE_FROM_MM else "standing"
    boxed = np.ptp(points, axis=0)
    axes = np.eye(3) if boxed.prod() < 1.15 * np.ptp(points @ principal.T, axis=0).prod() else principal
    spans = np.ptp(points @ axes.T, axis=0)
    depth, height = axes[int(np.argmin(spans))], axes[int(np.argmax(spans))]
    along = (points - points.mean(0)) @ height
    ends = [np.ptp(points[along >= np.quantile(along, 0.93)] @ np.cross(height, depth)),
            np.ptp(points[along <= np.quantile(along, 0.07)] @ np.cross(height, depth))]  # fmt: skip
    if ends[0] > ends[1]:
        height = -height
    if stones:
        middle = np.mean([s.bounds.mean(0) for s in stones], axis=0) - points.mean(0)
        if middle @ depth > 0:
            depth = -depth
    turn = np.eye(4)
    turn[:3, :3] = np.stack([np.cross(depth, height), depth, height])
    return turn, "hanging"


def arrangement(pose: Pose, points: Doubles) -> list[Doubles]:
    """The 4x4 places at which copies of a posed piece stand."""
    if pose == "lying":
        return [placing.turned(-90, (1, 0, 0))]
    if pose != "pair":
        return [np.eye(4)]
    width = float(np.ptp(points[:, 0]))
    gap = max(width * 0.62, float(np.ptp(points[:, 1])) * 0.30) + 0.8
    places = []
    for sign, turn, lift in ((-1, 24.0, 0.0), (1, -30.0, -0.06)):
        places.append(
            placing.moved(placing.turned(turn, (0, 0, 1)), (sign * gap, 0, lift * float(np.ptp(points[:, 2]))))
        )
    return places
