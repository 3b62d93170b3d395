"""Solids with known volume, and writers for the formats under test."""

import math
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Mesh = tuple[NDArray[np.float64], NDArray[np.int64]]


def box(side: float = 10.0, at: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Mesh:
    """A cube of volume side^3 with its low corner at `at`."""
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], float) * side + np.array(at)
    faces = [(0, 1, 3), (0, 3, 2), (4, 6, 7), (4, 7, 5), (0, 4, 5), (0, 5, 1), (2, 3, 7), (2, 7, 6), (0, 2, 6),
             (0, 6, 4), (1, 5, 7), (1, 7, 3)]  # fmt: skip
    return corners, np.array(faces, np.int64)


def band(inner: float, wall: float, width: float, segments: int = 360) -> Mesh:
    """A flat band around z whose inner polygon has the inscribed diameter `inner`."""
    reach = 1.0 / math.cos(math.pi / segments)
    rims = [
        (inner / 2 * reach, 0.0),
        (inner / 2 * reach, width),
        (inner / 2 * reach + wall, width),
        (inner / 2 * reach + wall, 0.0),
    ]
    angles = np.arange(segments) * 2 * math.pi / segments
    points = np.array([[r * math.cos(a), r * math.sin(a), z] for a in angles for r, z in rims])
    faces = []
    for number in range(segments):
        here, there = 4 * number, 4 * ((number + 1) % segments)
        for side in range(4):
            a, b = side, (side + 1) % 4
            faces += [(here + a, here + b, there + b), (here + a, there + b, there + a)]
    return points, np.array(faces, np.int64)


def joined(*meshes: Mesh) -> Mesh:
    """Several meshes in one."""
    starts = np.cumsum([0, *(len(points) for points, _ in meshes)])
    return np.vstack([points for points, _ in meshes]), np.vstack(
        [faces + start for (_, faces), start in zip(meshes, starts, strict=False)]
    )


def turned(mesh: Mesh) -> Mesh:
    """Inside out."""
    return mesh[0], mesh[1][:, ::-1]


def write_stl(mesh: Mesh, path: Path) -> Path:
    """Binary STL."""
    points, faces = mesh
    records = np.zeros(len(faces), np.dtype([("n", "<f4", 3), ("p", "<f4", (3, 3)), ("a", "<u2")]))
    records["p"] = points[faces]
    path.write_bytes(b"\0" * 80 + struct.pack("<I", len(faces)) + records.tobytes())
    return path


def write_obj(parts: dict[str, Mesh], path: Path) -> Path:
    """OBJ with one object per part."""
    lines, start = [], 1
    for name, (points, faces) in parts.items():
        lines.append(f"o {name}")
        lines += [f"v {x:.9f} {y:.9f} {z:.9f}" for x, y, z in points]
        lines += ["f " + " ".join(str(corner + start) for corner in face) for face in faces]
        start += len(points)
    path.write_text("\n".join(lines) + "\n")
    return path
