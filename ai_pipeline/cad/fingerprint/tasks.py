"""The tasks of the child: make a copy, describe a suspect, compare a suspect with an original."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ai_pipeline.cad.fingerprint import align, blocks, shapes
from ai_pipeline.cad.fingerprint.code import facet_ranks, item_ranks
from ai_pipeline.cad.fingerprint.compare import compare, order_chance, rising_row, score_of
from ai_pipeline.cad.fingerprint.points import Corners, corners_of, offsets
from ai_pipeline.cad.fingerprint.report import Comparison, CopyReport, Described, Shape, Suspicion
from ai_pipeline.cad.fingerprint.sheet import Sheet, Unmarkable
from ai_pipeline.cad.formats.glb import read_glb
from ai_pipeline.cad.formats.obj import read_obj
from ai_pipeline.cad.formats.ply import read_ply
from ai_pipeline.cad.formats.rhino import check_rhino
from ai_pipeline.cad.formats.step import check_step
from ai_pipeline.cad.formats.stl import read_stl
from ai_pipeline.cad.formats.threemf import read_threemf
from ai_pipeline.cad.precheck import identify
from ai_pipeline.cad.shape import checked
from ai_pipeline.cad.units import MM_PER, OFFERED, PLAUSIBLE
from ai_pipeline.errors import Unreadable

READERS = {"STL": read_stl, "OBJ": read_obj, "PLY": read_ply, "GLB": read_glb, "3MF": read_threemf}
#: What a file must pass before it is opened as a sheet or as blocks.
CHECKS: dict[str, Callable[[Path], object]] = {"3MF": read_threemf, "STEP": check_step, "3DM": check_rhino}
#: Only the first facets of a run change places, so that a packed file hardly grows.
FACETS = 4096
#: What a marked copy may differ by; a copy that would differ more keeps its points.
MOST_MOVED_UM, MOST_VOLUME = 2.0, 1e-5
#: A mark that the copy itself does not show this clearly is not counted on.
CLEAR_SCORE = 9.0
COPY = "copy"


def make_copy(
    path: str,
    out_dir: str,
    filename: str,
    key: str,
    tag: str,
    unit: str | None = None,
    scale: float | None = None,
    **_more: object,
) -> CopyReport:
    """Write the copy of one recipient into `out_dir` and read it again. Raises Unreadable."""
    source, target, secret = Path(path), Path(out_dir) / COPY, bytes.fromhex(key)
    kind = _checked(source, filename)
    sheet = shapes.open_sheet(source, kind)
    if sheet is None:
        return _structured(source, target, kind, secret, tag)
    if not len(sheet.faces):
        raise Unreadable("no_geometry")
    scale = scale or _scale(sheet, unit)
    corners = corners_of(sheet.points * scale, sheet.faces)
    shape = shapes.shape_of_mesh(kind, corners)
    order = _facet_order(sheet, corners, secret)
    moved = sheet.points + offsets(secret, corners)[corners.of_point] / scale
    try:
        sheet.write(target, moved, order)
    except Unmarkable:
        return _structured(source, target, kind, secret, tag)
    found = _measured(target, kind, scale, sheet, corners, order, secret)
    if found["moved_um"] > MOST_MOVED_UM or found["volume_change"] > MOST_VOLUME:
        fresh = shapes.open_sheet(source, kind)
        assert fresh is not None
        fresh.write(target, fresh.points, order)
        found = _measured(target, kind, scale, fresh, corners, order, secret)
    level = "geometry" if found["score"] >= CLEAR_SCORE else "order"
    return CopyReport.model_validate({**_file(target), **found, "level": level, "scale": scale, "shape": shape})


def describe(path: str, filename: str, **_more: object) -> Described:
    """What a suspect is: its shape for the index, and a tag that stands in it. Raises Unreadable."""
    source = Path(path)
    kind = _checked(source, filename)
    if kind in shapes.BLOCKS:
        pieces = shapes.open_blocks(source, kind)
        shape = shapes.shape_of_blocks(kind, pieces) if pieces else Shape(format=kind)
        return Described(shape=shape, tag=blocks.tag_in(source))
    return Described(shape=shapes.shape_of_mesh(kind, _mesh(source, kind)), tag=None)


def compare_files(path: str, pairs: dict[str, Any], **_more: object) -> Comparison:
    """Lay the file `suspect` in the folder `path` over the file `original` and compare it with every key.

    `pairs` is {"suspect": filename, "original": filename, "scale": mm per unit of the original, "keys": {copy: hex}}.
    Raises Unreadable.
    """
    suspect, original = Path(path) / "suspect", Path(path) / "original"
    keys = {name: bytes.fromhex(key) for name, key in pairs["keys"].items()}
    suspect_kind, kind = _checked(suspect, pairs["suspect"]), _checked(original, pairs["original"])
    if kind in shapes.BLOCKS or suspect_kind in shapes.BLOCKS:
        return _compare_blocks(suspect, suspect_kind, kind, keys)
    sheet = shapes.open_sheet(original, kind)
    if sheet is None:
        return Comparison()
    before = corners_of(sheet.points * float(pairs["scale"]), sheet.faces)
    after = _mesh(suspect, suspect_kind)
    return compare(before, align.poses(before, after), keys, len(after.place))


def _checked(path: Path, filename: str) -> str:
    """The format, after its own strict checks. Raises Unreadable."""
    kind = identify(path, filename, "").name
    if kind in CHECKS:
        CHECKS[kind](path)
    return kind


def _mesh(path: Path, kind: str) -> Corners:
    """The corners of any mesh file, in mm if its unit is what it seems; the reader's own checks included."""
    drawing = checked(READERS[kind](path))
    starts = np.cumsum([0, *(len(body.vertices) for body in drawing.bodies)])
    points = np.vstack([body.vertices for body in drawing.bodies])
    faces = np.vstack([body.faces + start for body, start in zip(drawing.bodies, starts, strict=False)])
    return corners_of(points * _plausible(points, drawing.unit), faces)


def _scale(sheet: Sheet, unit: str | None) -> float:
    return MM_PER[unit] if unit else _plausible(sheet.points, sheet.unit)


def _plausible(points: NDArray[np.float64], unit: str | None) -> float:
    """mm per unit: what the file says, or mm, unless only another unit makes a piece of jewelry of it."""
    longest = float(np.ptp(points, axis=0).max())
    stated = MM_PER[unit or "mm"]
    fits = [MM_PER[name] for name in OFFERED if PLAUSIBLE[0] <= longest * MM_PER[name] <= PLAUSIBLE[1]]
    return stated if stated in fits or not fits else fits[0]


def _facet_order(sheet: Sheet, corners: Corners, key: bytes) -> NDArray[np.int64]:
    order = np.arange(len(sheet.faces))
    for run in sheet.runs:
        first = run[:FACETS]
        ranks = facet_ranks(key, corners.cells[corners.of_point[sheet.faces[first]]])
        order[first] = first[np.argsort(ranks, kind="stable")]
    return order


def _measured(
    target: Path, kind: str, scale: float, sheet: Sheet, corners: Corners, order: NDArray[np.int64], key: bytes
) -> dict[str, float]:
    """The copy as it stands in the file, beside the original."""
    again = shapes.open_sheet(target, kind)
    if again is None or len(again.points) != len(sheet.points) or len(again.faces) != len(sheet.faces):
        raise Unreadable("reader_stopped", detail="copy")
    before, after = sheet.points[sheet.faces[order]] * scale, again.points[again.faces] * scale
    apart = (after - before).reshape(-1, 3)
    farthest = np.linalg.norm(apart, axis=1)
    place = corners.of_point[sheet.faces[order]].ravel()
    corner, first = np.unique(place, return_index=True)
    was, now = _volume(before), _volume(after)
    return {
        "moved_um": float(farthest.max()) * 1000.0,
        "volume_change": abs(now - was) / abs(was) if was else 0.0,
        "score": score_of(corners, corner, apart[first], key),
    }


def _volume(facets: NDArray[np.float64]) -> float:
    a, b, c = (facets - facets.reshape(-1, 3).mean(axis=0)).transpose(1, 0, 2)
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6.0)


def _structured(source: Path, target: Path, kind: str, key: bytes, tag: str) -> CopyReport:
    pieces = shapes.open_blocks(source, kind)
    if pieces is None:
        shutil.copyfile(source, target)
        return CopyReport(**_file(target), level="none", scale=1.0, shape=Shape(format=kind))
    order = np.argsort(item_ranks(key, pieces.items), kind="stable") if pieces.items else np.empty(0, np.int64)
    pieces.write(target, tag, order)
    _checked(target, f"copy.{kind.lower()}")
    shape = shapes.shape_of_blocks(kind, pieces)
    return CopyReport(**_file(target), level="structure", scale=1.0, shape=shape)


def _compare_blocks(suspect: Path, suspect_kind: str, kind: str, keys: dict[str, bytes]) -> Comparison:
    pieces = shapes.open_blocks(suspect, suspect_kind)
    if pieces is None or suspect_kind != kind:
        return Comparison()
    result = Comparison(corners=len(pieces.items), matched=len(pieces.items), poses=1, comparisons=len(keys))
    for copy_id, key in keys.items():
        rising, of = rising_row(item_ranks(key, pieces.items)) if pieces.items else (0, 0)
        result.suspicions.append(
            Suspicion(copy_id=copy_id, by="structure", score=float(rising), log_chance=order_chance(rising, of))
        )
    result.suspicions = sorted(result.suspicions, key=lambda item: item.log_chance)[:5]
    return result


def _file(path: Path) -> dict[str, Any]:
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return {"name": path.name, "bytes": path.stat().st_size, "sha256": digest}
