"""What may happen to a copy on its way: saved in another mesh format, shuffled, moved, turned."""

import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ai_pipeline.cad.fingerprint.shapes import open_sheet
from tests.pipeline.shapes import Mesh, write_obj, write_stl

QUARTER = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])


def mesh_of(path: Path, kind: str) -> Mesh:
    """The points and facets of a mesh file, each point once, as a modeling program holds them."""
    sheet = open_sheet(path, kind)
    assert sheet is not None
    points, order = np.unique(sheet.points, axis=0, return_inverse=True)
    return points, order.ravel()[sheet.faces]


def shuffled(mesh: Mesh, seed: int) -> Mesh:
    """Points and facets in any order, facets begun at any corner."""
    dice = np.random.default_rng(seed)
    points, faces = mesh
    order = dice.permutation(len(points))
    back = np.argsort(order)
    mixed = back[faces][dice.permutation(len(faces))]
    first = dice.integers(0, 3, len(mixed))[:, None]
    return points[order], np.take_along_axis(mixed, (first + np.arange(3)) % 3, axis=1)


def moved(mesh: Mesh, seed: int) -> Mesh:
    """Somewhere else."""
    return mesh[0] + np.random.default_rng(seed).uniform(-40, 40, 3), mesh[1]


def quarter_turned(mesh: Mesh, seed: int) -> Mesh:
    """Turned by 90 degrees about one of the axes."""
    turn = np.roll(QUARTER, seed % 3, axis=(0, 1))
    return mesh[0] @ turn.T, mesh[1]


def turned(mesh: Mesh, seed: int) -> Mesh:
    """Turned any way."""
    turn, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    turn *= np.sign(np.linalg.det(turn))
    return mesh[0] @ turn.T, mesh[1]


def write_ply(mesh: Mesh, path: Path) -> Path:
    """Binary PLY with float points."""
    points, faces = mesh
    head = (
        f"ply\nformat binary_little_endian 1.0\nelement vertex {len(points)}\nproperty float x\nproperty float y\n"
        f"property float z\nelement face {len(faces)}\nproperty list uchar int vertex_indices\nend_header\n"
    )
    rows = np.zeros(len(faces), np.dtype([("n", "u1"), ("f", "<i4", 3)]))
    rows["n"], rows["f"] = 3, faces
    path.write_bytes(head.encode() + points.astype("<f4").tobytes() + rows.tobytes())
    return path


def write_glb(mesh: Mesh, path: Path) -> Path:
    """GLB in meters, as its standard demands."""
    points, faces = (mesh[0] / 1000.0).astype("<f4"), mesh[1].astype("<u4")
    blob = points.tobytes() + faces.tobytes()
    document = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
        "buffers": [{"byteLength": len(blob)}],
        "bufferViews": [
            {"buffer": 0, "byteOffset": 0, "byteLength": points.nbytes},
            {"buffer": 0, "byteOffset": points.nbytes, "byteLength": faces.nbytes},
        ],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": len(points), "type": "VEC3",
             "min": points.min(axis=0).tolist(), "max": points.max(axis=0).tolist()},
            {"bufferView": 1, "componentType": 5125, "count": 3 * len(faces), "type": "SCALAR"},
        ],
    }  # fmt: skip
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    head = struct.pack("<4sIII4s", b"glTF", 2, 28 + len(text) + len(blob), len(text), b"JSON")
    path.write_bytes(head + text + struct.pack("<I4s", len(blob), b"BIN\0") + blob)
    return path


def write_threemf(mesh: Mesh, path: Path) -> Path:
    """3MF in millimeters with six decimals."""
    points, faces = mesh
    vertices = "".join(f'<vertex x="{x:.6f}" y="{y:.6f}" z="{z:.6f}" />' for x, y, z in points)
    triangles = "".join(f'<triangle v1="{a}" v2="{b}" v3="{c}" />' for a, b, c in faces)
    core = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02"
    model = (
        f'<?xml version="1.0" encoding="UTF-8"?><model unit="millimeter" xmlns="{core}"><resources><object id="1" '
        f'type="model"><mesh><vertices>{vertices}</vertices><triangles>{triangles}</triangles></mesh></object>'
        '</resources><build><item objectid="1" /></build></model>'
    )
    package = "http://schemas.openxmlformats.org/package/2006"
    types = (
        f'<?xml version="1.0"?><Types xmlns="{package}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml" /><Default Extension="model" '
        'ContentType="application/vnd.ms-package.3dmanufacturing-3dmodel+xml" /></Types>'
    )
    rels = (
        f'<?xml version="1.0"?><Relationships xmlns="{package}/relationships"><Relationship Id="r" '
        'Target="/3D/3dmodel.model" Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel" />'
        "</Relationships>"
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
        made.writestr("[Content_Types].xml", types)
        made.writestr("_rels/.rels", rels)
        made.writestr("3D/3dmodel.model", model)
    return path


def write_text_obj(mesh: Mesh, path: Path) -> Path:
    """OBJ with the six decimals that most programs write."""
    points, faces = mesh
    return write_obj({"piece": (np.round(points, 6), faces)}, path)


WRITERS: dict[str, Callable[[Mesh, Path], Path]] = {
    "stl": write_stl,
    "obj": write_text_obj,
    "ply": write_ply,
    "3mf": write_threemf,
    "glb": write_glb,
}
