"""Read an uploaded file: the worker's door to photos and CAD. Every call parses in an isolated child process."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ai_pipeline.cad.report import CadReport, Fact, RenderedImage, RenderReport
from ai_pipeline.child import run_in_child
from ai_pipeline.errors import Unreadable
from ai_pipeline.imaging.report import EditReport, MarkReport, PhotoReport, ProposalReport
from ai_pipeline.imaging.stack import Stack
from ai_pipeline.letters.report import Letter
from ai_pipeline.papers import PaperReport
from ai_pipeline.probe import ProbeReport

_FACTS = TypeAdapter(list[Fact])


def inspect_photo(path: Path, *, filename: str, declared_type: str, out_dir: Path) -> PhotoReport:
    """Verify a photo and write its clean derivatives into the existing folder `out_dir`. Raises Unreadable."""
    arguments = {"filename": filename, "declared_type": declared_type}
    report = run_in_child("photo", arguments, PhotoReport, read=path, out_dir=out_dir)
    _check_written(out_dir, {item.name: item.bytes for item in report.derivatives})
    return report


def inspect_paper(path: Path, *, filename: str, declared_type: str, out_dir: Path) -> PaperReport:
    """Verify a PDF and write a copy that cannot act into the existing folder `out_dir`. Raises Unreadable."""
    arguments = {"filename": filename, "declared_type": declared_type}
    report = run_in_child("paper", arguments, PaperReport, read=path, out_dir=out_dir)
    _check_written(out_dir, {report.name: report.bytes})
    return report


def edit_photo(path: Path, *, filename: str, declared_type: str, out_dir: Path, stack: Stack) -> EditReport:
    """Make the steps of `stack` on a photo and write the result's web sizes into `out_dir`. Raises Unreadable."""
    arguments = {"filename": filename, "declared_type": declared_type, "stack": stack.model_dump()}
    report = run_in_child("edit", arguments, EditReport, read=path, out_dir=out_dir)
    _check_written(out_dir, {item.name: item.bytes for item in (*report.derivatives, report.before)})
    return report


def propose_edits(path: Path, *, filename: str, declared_type: str, out_dir: Path) -> ProposalReport:
    """Steps that make a photo even, within the color limit. Writes nothing. Raises Unreadable."""
    arguments = {"filename": filename, "declared_type": declared_type}
    return run_in_child("propose", arguments, ProposalReport, read=path, out_dir=out_dir)


def mark_picture(path: Path, *, declared_type: str, out_dir: Path, text: str) -> MarkReport:
    """Write a copy of a web picture with `text` across it into `out_dir`. Raises Unreadable."""
    arguments = {"filename": "", "declared_type": declared_type, "text": text}
    report = run_in_child("mark", arguments, MarkReport, read=path, out_dir=out_dir)
    _check_written(out_dir, {report.name: report.bytes})
    return report


def read_letter(path: Path, *, out_dir: Path) -> Letter:
    """What a mail says, without what it quotes; its files into the existing folder `out_dir`. Raises Unreadable."""
    letter = run_in_child("letter", {}, Letter, read=path, out_dir=out_dir)
    _check_written(out_dir, {item.file: item.size for item in letter.files if item.file})
    return letter


def inspect_cad(
    path: Path,
    *,
    filename: str,
    declared_type: str,
    out_dir: Path,
    unit: str | None = None,
    choices: Mapping[str, Any] | None = None,
    first: Callable[[list[Fact]], None] | None = None,
) -> CadReport:
    """Check and measure a CAD file; write its public preview and its owner's view into `out_dir`.

    `unit` is what a person confirmed ("mm", "cm", "in", "m"); without it the file's own unit or mm is used.
    `choices` are a person's: `layers` to read (None: those the file shows) and `roles` of bodies; and the table's:
    `alloys` to weigh in and `rules` to judge by. `first` gets size, volume and weights before the rest is measured.
    Raises Unreadable.
    """
    arguments = {"filename": filename, "declared_type": declared_type, "unit": unit, "choices": dict(choices or {})}

    def part(name: str, value: object) -> None:
        if first and name == "facts":
            try:
                first(_FACTS.validate_python(value))
            except ValidationError:
                raise Unreadable("reader_stopped", detail="invalid answer") from None

    report = run_in_child("cad", arguments, CadReport, read=path, out_dir=out_dir, parts=part)
    _check_written(out_dir, {made.name: made.bytes for made in (report.preview, report.studio) if made})
    return report


#: Called with a view, the file that shows it and whether a better one will follow, as soon as that file is complete.
Landed = Callable[[str, Path, bool], None]


def render_cad(
    path: Path,
    *,
    filename: str,
    out_dir: Path,
    alloy: str = "18k_yellow",
    look: str = "ivory",
    size: int = 1024,
    views: tuple[str, ...] = ("hero", "front", "side", "top"),
    draft_first: bool = False,
    unit: str | None = None,
    choices: Mapping[str, Any] | None = None,
    progress: Callable[[int], None] | None = None,
    landed: Landed | None = None,
) -> list[RenderedImage]:
    """Make studio pictures of a CAD file in `out_dir`; `progress(percent)` and `landed` are called as they appear.

    Raises Unreadable.
    """
    arguments = {"filename": filename, "alloy": alloy, "look": look, "size": size, "views": list(views), "unit": unit,
                 "draft_first": draft_first, "choices": dict(choices or {})}  # fmt: skip

    def heard(percent: int, note: str) -> None:
        if progress:
            progress(percent)
        if note and landed:
            view, _, more = note.removesuffix(".webp").partition("-")
            if view not in views or more not in {"", "draft"}:
                raise Unreadable("reader_stopped", detail="invalid answer")
            _check_plain(out_dir, note)
            landed(view, out_dir / note, more == "draft")

    report = run_in_child("render", arguments, RenderReport, read=path, out_dir=out_dir, progress=heard)
    _check_written(out_dir, {image.name: image.bytes for image in report.images})
    return report.images


def probe_isolation(path: Path, out_dir: Path) -> ProbeReport:
    """What code running in the child could do to this machine with the file `path` in hand."""
    return run_in_child("probe", {}, ProbeReport, read=path, out_dir=out_dir)


def _check_written(out_dir: Path, sizes: dict[str, int]) -> None:
    """Refuse an answer that names anything but a plain file of the stated size directly in `out_dir`."""
    for name, size in sizes.items():
        if _check_plain(out_dir, name).stat().st_size != size:
            raise Unreadable("reader_stopped", detail="invalid answer")


def _check_plain(out_dir: Path, name: str) -> Path:
    """The file of that name; refuses anything but a plain file directly in `out_dir`."""
    target = out_dir / name
    if Path(name).name != name or target.is_symlink() or not target.is_file():
        raise Unreadable("reader_stopped", detail="invalid answer")
    return target
