"""Rigid 4x4 transforms in millimeters."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def turned(degrees: float, axis: Sequence[float]) -> Array:
    """Rotation about an axis through the origin (Rodrigues' formula)."""
    x, y, z = np.asarray(axis, np.float64) / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = np.radians(degrees)
    matrix = np.eye(4)
    matrix[:3, :3] += np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    return matrix


def raised(direction: Sequence[float] | Array) -> Array:
    """The smallest rotation that brings +Z to ``direction``."""
    goal = np.asarray(direction, np.float64) / np.linalg.norm(direction)
    axis = np.cross([0.0, 0.0, 1.0], goal)
    if np.linalg.norm(axis) < 1e-9:
        return np.eye(4) if goal[2] > 0 else turned(180, (1, 0, 0))
    return turned(float(np.degrees(np.arccos(np.clip(goal[2], -1, 1)))), [float(v) for v in axis])


def moved(matrix: Array, to: Sequence[float] | Array) -> Array:
    """The transform followed by a shift of the origin to a point."""
    result = matrix.copy()
    result[:3, 3] = np.asarray(to, np.float64)
    return result
