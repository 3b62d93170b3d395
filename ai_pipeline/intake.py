"""Read an uploaded file: the worker's door to photos and CAD. Every call parses in an isolated child process."""

from pathlib import Path

from ai_pipeline.child import Progress, run_in_child
from ai_pipeline.errors import Unreadable
from ai_pipeline.imaging.report import PhotoReport


def inspect_photo(path: Path, *, filename: str, declared_type: str, out_dir: Path) -> PhotoReport:
    """Verify a photo and write its clean derivatives into the existing folder `out_dir`. Raises Unreadable."""
    report = run_in_child(
        "photo",
        {"path": str(path.resolve()), "filename": filename, "declared_type": declared_type, "out_dir": str(out_dir.resolve())},
        PhotoReport,
        read=path,
        out_dir=out_dir,
    )  # fmt: skip
    _check_written(out_dir, {item.name: item.bytes for item in report.derivatives})
    return report


def _check_written(out_dir: Path, sizes: dict[str, int]) -> None:
    """Refuse an answer that names anything but a plain file of the stated size directly in `out_dir`."""
    for name, size in sizes.items():
        target = out_dir / name
        if Path(name).name != name or target.is_symlink() or not target.is_file() or target.stat().st_size != size:
            raise Unreadable("reader_stopped", detail="invalid answer")
