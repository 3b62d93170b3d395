"""GLB (binary glTF 2.0), self-contained only: every buffer is the file's own, nothing is fetched, cycles and overruns
are refused.

Lengths in glTF are meters. Source: Khronos glTF 2.0 specification, sections 3.6, 3.7 and 4.
"""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

from ai_pipeline.cad.formats import gltf_scene
from ai_pipeline.cad.shape import MAX_TRIANGLES, Body, Drawing, Faces, Points, limit_count
from ai_pipeline.errors import Unreadable

MAX_JSON = 20 << 20
COMPONENTS = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
HARMLESS = ("KHR_materials_", "KHR_texture_", "KHR_lights_", "EXT_texture_", "KHR_mesh_quantization", "KHR_xmp")
TRIANGLES, STRIP, FAN = 4, 5, 6


def read_glb(path: Path) -> Drawing:
    """Read every triangle of the default scene. Raises Unreadable:
    `damaged`, `external_reference`, `unsupported_feature` ...
    """
    document, binary = _chunks(path.read_bytes())
    try:
        return Drawing(_bodies(document, binary), "m")
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, struct.error, OverflowError, RecursionError):
        raise Unreadable("damaged", detail="its parts do not fit together") from None


def _chunks(data: bytes) -> tuple[dict[str, Any], bytes]:
    if len(data) < 20:
        raise Unreadable("damaged", detail="shorter than a GLB header")
    magic, version, length = struct.unpack("<4sII", data[:12])
    json_length, json_kind = struct.unpack("<I4s", data[12:20])
    if magic != b"glTF" or version != 2:
        raise Unreadable("damaged", detail="not GLB version 2")
    if length != len(data) or json_kind != b"JSON" or 20 + json_length > len(data):
        raise Unreadable("damaged", detail="its length differs from its header")
    if json_length > MAX_JSON:
        raise Unreadable("file_too_large", size=json_length >> 20, limit=MAX_JSON >> 20)
    try:
        document = json.loads(
            data[20 : 20 + json_length].decode(), object_pairs_hook=_unique, parse_constant=_no_constant
        )
    except (ValueError, RecursionError):
        raise Unreadable("damaged", detail="its description is not valid JSON") from None
    if not isinstance(document, dict):
        raise Unreadable("damaged", detail="its description is not an object")
    rest = data[20 + json_length :]
    if not rest:
        return document, b""
    if len(rest) < 8:
        raise Unreadable("damaged", detail="a chunk is cut off")
    size, kind = struct.unpack("<I4s", rest[:8])
    if kind != b"BIN\0" or 8 + size > len(rest):
        raise Unreadable("damaged", detail="a chunk is cut off")
    return document, rest[8 : 8 + size]


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("duplicate key")
    return result


def _no_constant(_: str) -> float:
    raise ValueError("not a number")


def _bodies(document: dict[str, Any], binary: bytes) -> list[Body]:
    if document["asset"]["version"] != "2.0":
        raise Unreadable("damaged", detail="not glTF 2.0")
    for extension in document.get("extensionsRequired", []):
        if not str(extension).startswith(HARMLESS):
            raise Unreadable("unsupported_feature", feature=str(extension)[:60])
    for kind in ("buffers", "images"):
        for item in document.get(kind, []):
            if "uri" in item:
                raise Unreadable("external_reference", target=str(item["uri"])[:60])
    buffers = document.get("buffers", [])
    if len(buffers) > 1 or (buffers and _whole(buffers[0]["byteLength"]) > len(binary)):
        raise Unreadable("damaged", detail="its data is shorter than it says")
    meshes = document.get("meshes", [])
    cache: dict[int, list[Body]] = {}
    bodies: list[Body] = []
    total = 0
    for name, number, matrix in gltf_scene.placed_meshes(document):
        if number not in cache:
            cache[number] = [
                part for item in meshes[number]["primitives"] if (part := _primitive(document, binary, item))
            ]
        for part in cache[number]:
            total += len(part.faces)
            limit_count(total, "triangles", MAX_TRIANGLES)
            points = part.vertices @ matrix[:3, :3].T + matrix[:3, 3]
            mirrored = np.linalg.det(matrix[:3, :3]) < 0
            label = f"{name} {str(meshes[number].get('name', ''))[:60]}".strip()
            bodies.append(Body(points, part.faces[:, ::-1] if mirrored else part.faces, label, part.material))
    return bodies


def _primitive(document: dict[str, Any], binary: bytes, item: dict[str, Any]) -> Body | None:
    if {"KHR_draco_mesh_compression", "EXT_meshopt_compression"} & set(item.get("extensions", {})):
        raise Unreadable("unsupported_feature", feature="mesh compression")
    mode = _whole(item.get("mode", TRIANGLES))
    if mode not in (TRIANGLES, STRIP, FAN):
        return None  # points and lines have no surface
    points = _accessor(document, binary, _whole(item["attributes"]["POSITION"]), "VEC3").astype(np.float64)
    if "indices" in item:
        order = _accessor(document, binary, _whole(item["indices"]), "SCALAR").astype(np.int64).ravel()
    else:
        order = np.arange(len(points))
    if len(order) and order.max() >= len(points):
        raise Unreadable("damaged", detail="a face names a point that is not there")
    material = ""
    if "material" in item:
        material = str(document["materials"][_whole(item["material"])].get("name", ""))[:100]
    return Body(points, _triangles(order, mode), material=material)


def _triangles(order: Faces, mode: int) -> Faces:
    if mode == TRIANGLES:
        if len(order) % 3:
            raise Unreadable("damaged", detail="a triangle is not complete")
        return order.reshape(-1, 3)
    if len(order) < 3:
        return np.empty((0, 3), np.int64)
    if mode == FAN:
        return np.column_stack([np.full(len(order) - 2, order[0]), order[1:-1], order[2:]])
    strip = np.column_stack([order[:-2], order[1:-1], order[2:]])
    strip[1::2] = strip[1::2, [1, 0, 2]]
    return strip


def _accessor(document: dict[str, Any], binary: bytes, number: int, wanted: str) -> Points:
    """The accessor's rows as stored numbers, (count, width), after checking that they lie inside the buffer."""
    accessor = document["accessors"][number]
    if "sparse" in accessor or "bufferView" not in accessor:
        raise Unreadable("unsupported_feature", feature="sparse accessors")
    if accessor["type"] != wanted:
        raise Unreadable("damaged", detail="an accessor of the wrong type")
    view = document["bufferViews"][_whole(accessor["bufferView"])]
    if "EXT_meshopt_compression" in view.get("extensions", {}):
        raise Unreadable("unsupported_feature", feature="mesh compression")
    kind = np.dtype(COMPONENTS[accessor["componentType"]])
    count, width = _whole(accessor["count"]), WIDTHS[wanted]
    limit_count(count, "points", 3 * MAX_TRIANGLES)
    row = kind.itemsize * width
    stride = _whole(view.get("byteStride", row))
    offset = _whole(accessor.get("byteOffset", 0))
    start, length = _whole(view.get("byteOffset", 0)), _whole(view["byteLength"])
    if count < 1 or stride < row or stride > 252 or start + length > len(binary):
        raise Unreadable("damaged", detail="an accessor of impossible size")
    if offset + stride * (count - 1) + row > length:
        raise Unreadable("damaged", detail="an accessor runs past its buffer")
    table = np.ndarray((count, width), kind, binary, start + offset, (stride, kind.itemsize))
    if accessor.get("normalized") is True and kind.kind in "iu":
        return np.maximum(table / np.iinfo(kind).max, -1.0)
    return table.astype(np.float64)


def _whole(value: Any) -> int:
    """A non-negative JSON integer; anything else is damage (true, 1.5, -3, "7")."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("not a whole number")
    return value
