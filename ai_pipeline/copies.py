"""Copies of CAD files for one recipient each, and tracing them: the worker's door. All parsing is the child's."""

from pathlib import Path

from ai_pipeline.cad.fingerprint.report import Comparison, CopyReport, Described
from ai_pipeline.child import run_in_child
from ai_pipeline.errors import Unreadable


def copy_cad(
    path: Path,
    *,
    filename: str,
    key: bytes,
    tag: str,
    out_dir: Path,
    unit: str | None = None,
    scale: float | None = None,
) -> CopyReport:
    """Write a copy marked with `key` (16 bytes) into `out_dir`. Raises Unreadable.

    `unit` is what a person confirmed; `scale` (mm per unit of the file) is that of earlier copies and goes first.
    """
    arguments = {"filename": filename, "key": key.hex(), "tag": tag, "unit": unit, "scale": scale}
    report = run_in_child("copy", arguments, CopyReport, read=path, out_dir=out_dir)
    target = out_dir / report.name
    if report.name != "copy" or target.is_symlink() or not target.is_file() or target.stat().st_size != report.bytes:
        raise Unreadable("reader_stopped", detail="invalid answer")
    return report


def describe_suspect(path: Path, *, filename: str, out_dir: Path) -> Described:
    """What finds the original of a suspect file. Raises Unreadable."""
    return run_in_child("describe", {"filename": filename}, Described, read=path, out_dir=out_dir)


def compare_suspect(
    folder: Path, *, suspect: str, original: str, scale: float, keys: dict[str, bytes], out_dir: Path
) -> Comparison:
    """Compare the file `suspect` in `folder` with every copy of the file `original` there; the names are the file names
    that tell the formats. Raises Unreadable.
    """
    pairs = {
        "suspect": suspect,
        "original": original,
        "scale": scale,
        "keys": {name: key.hex() for name, key in keys.items()},
    }
    return run_in_child("compare", {"pairs": pairs}, Comparison, read=folder, out_dir=out_dir)
