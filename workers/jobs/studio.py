"""Reading uploaded files and making pictures of CAD, each in three phases around an isolated child process."""

import hashlib
import tempfile
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from ai_pipeline.cad.alloys import ALLOYS
from ai_pipeline.errors import REASONS, Unreadable
from ai_pipeline.intake import inspect_cad, render_cad
from marketplace.designs import processing
from marketplace.designs.processing import Made, Work
from marketplace.gateways.storage import ObjectMissing, ObjectTooLarge, Storage
from workers.jobs.photos import web_sizes
from workers.run import Run

GLB = "model/gltf-binary"
#: The widest a page shows a picture on a common screen; twice the edge costs four times the work.
RENDER_PIXELS = 1024
DEFAULT_ALLOY = "18k_yellow"
#: Words in a typed metal that tell which alloy its pictures show; the first that fits.
_HINTS = (("platin", "platinum_950_ru"), ("silver", "sterling"), ("rose", "18k_rose"), ("white", "18k_white_pd"))
_BYTES_DIFFER = "What arrived is not the file that was announced. Upload it again."
_MISSING = "The file did not arrive. Upload it again."
_TROUBLE = "The file could not be checked because of a trouble on our side. Try again."


def process(run: Run, asset_id: str) -> None:
    """Verify a file, read it, store what was made of it, and note the results once."""
    storage = run.services.storage
    folder = storage.new_key("derived") + "/"
    with run.phase(5) as session:
        work = processing.begin(session, asset_id, folder)
    if work is None:
        return
    with tempfile.TemporaryDirectory(prefix="asset-") as scratch:
        try:
            path = fetch(storage, work, Path(scratch))
            _note(run, asset_id, 30)
            report, made, renderable = read(storage, work, path, Path(scratch), folder)
        except Unreadable as refusal:
            _reject(run, asset_id, refusal.code, REASONS[refusal.code], dict(refusal.params))
            return
        except ObjectMissing:
            _reject(run, asset_id, "missing", _MISSING, {})
            return
        except (ObjectTooLarge, BytesDiffer):
            _reject(run, asset_id, "bytes_differ", _BYTES_DIFFER, {})
            return
        _note(run, asset_id, 85)
        kept = folder + "original"
        storage.put_file(kept, path, work.content_type, work.sha256)
    with run.phase(95) as session:
        processing.finish(
            session,
            run.actor,
            asset_id,
            folder=folder,
            storage_key=kept,
            report=report,
            made=made,
            renderable=renderable,
        )


def process_failed(session: Session, run: Run, why: str, asset_id: str) -> None:
    """Every attempt failed for a reason of ours: say so and keep the file for another try."""
    del why
    reason = {"code": "processing_failed", "message": _TROUBLE, "params": {}}
    processing.reject(session, run.actor, asset_id, reason, keep_file=True)


def render(run: Run, asset_id: str) -> None:
    """Make studio pictures of a measured CAD file, in web sizes, with progress."""
    storage = run.services.storage
    folder = storage.new_key("derived") + "/"
    with run.phase(1) as session:
        work = processing.begin_render(session, asset_id, folder)
    if work is None:
        return

    def progress(percent: int, _note: str) -> None:
        with run.phase(percent) as session:
            processing.note_render(session, asset_id, percent)

    with tempfile.TemporaryDirectory(prefix="render-") as scratch:
        path = fetch(storage, work, Path(scratch))
        try:
            made = _pictures(storage, work, path, Path(scratch), folder, progress)
        except Unreadable:
            with run.phase() as session:
                processing.fail_render(session, asset_id)
            return
    with run.phase(99) as session:
        processing.finish_render(session, run.actor, asset_id, folder=folder, made=made)


def render_failed(session: Session, run: Run, why: str, asset_id: str) -> None:
    """Every attempt at pictures failed; measurements stay."""
    del why, run
    processing.fail_render(session, asset_id)


class BytesDiffer(Exception):
    """The stored bytes are not those that were announced."""


def fetch(storage: Storage, work: Work, scratch: Path) -> Path:
    """The verified bytes in a file. Raises BytesDiffer, ObjectMissing, ObjectTooLarge."""
    path = scratch / "input"
    size = storage.download_to(work.key, path, max_bytes=work.size)
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if size != work.size or digest != work.sha256:
        raise BytesDiffer(work.asset_id)
    return path


def read(
    storage: Storage, work: Work, path: Path, scratch: Path, folder: str
) -> tuple[dict[str, Any], list[Made], bool]:
    """(report, stored derivatives, whether pictures can be rendered). Raises Unreadable."""
    out = scratch / "out"
    out.mkdir()
    if work.kind == "cad":
        report = inspect_cad(
            path,
            filename=work.filename,
            declared_type=work.content_type,
            out_dir=out,
            unit=work.unit,
            choices=work.choices,
        )
        made = []
        if report.preview:
            key = folder + report.preview.name
            storage.put_file(key, out / report.preview.name, GLB, report.preview.sha256)
            made.append(Made("preview_glb", "glb", key, GLB, report.preview.bytes))
        return report.model_dump(mode="json"), made, report.status == "measured" and report.preview is not None
    told = web_sizes(
        storage, path, out, folder, filename=work.filename, declared=work.content_type, view="photo", role="photo"
    )
    return *told, False


def _pictures(storage: Storage, work: Work, path: Path, scratch: Path, folder: str, progress: Any) -> list[Made]:
    shots = scratch / "shots"
    shots.mkdir()
    alloy = alloy_of(work.metals)
    shown = -5

    def report(percent: int, note: str) -> None:
        nonlocal shown
        if percent >= shown + 5:
            shown = percent
            progress(min(95, percent), note)

    images = render_cad(
        path,
        filename=work.filename,
        out_dir=shots,
        alloy=alloy,
        size=RENDER_PIXELS,
        unit=work.unit,
        choices=work.choices,
        progress=report,
    )
    made: list[Made] = []
    for image in images:
        out = scratch / f"web-{image.view}"
        out.mkdir()
        kind = "image/" + Path(image.name).suffix.lstrip(".").replace("jpg", "jpeg")
        made += web_sizes(
            storage,
            shots / image.name,
            out,
            folder,
            filename=image.name,
            declared=kind,
            view=image.view,
            role=f"render_{image.view}",
        )[1]
    return made


def alloy_of(metals: tuple[str, ...]) -> str:
    """The alloy that pictures show: the design's first metal, as a code or as words."""
    for metal in metals:
        if metal in ALLOYS:
            return metal
        for hint, alloy in _HINTS:
            if hint in metal.casefold():
                return alloy
    return DEFAULT_ALLOY


def _note(run: Run, asset_id: str, percent: int) -> None:
    with run.phase(percent) as session:
        processing.note_progress(session, asset_id, percent)


def _reject(run: Run, asset_id: str, code: str, message: str, params: dict[str, Any]) -> None:
    with run.phase() as session:
        processing.reject(session, run.actor, asset_id, {"code": code, "message": message, "params": params})
