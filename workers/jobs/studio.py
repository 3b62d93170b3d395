"""Reading uploaded files, in three phases around an isolated child process."""

import hashlib
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from ai_pipeline.cad.report import Fact
from ai_pipeline.errors import REASONS, Unreadable
from ai_pipeline.intake import inspect_cad, inspect_paper
from marketplace.designs import processing
from marketplace.designs.processing import Made, Work
from marketplace.gateways.storage import ObjectMissing, ObjectTooLarge, Storage
from marketplace.materials import queries as materials
from workers.jobs.photos import web_sizes
from workers.run import Run

GLB = "model/gltf-binary"
PDF = "application/pdf"
_BYTES_DIFFER = "What arrived is not the file that was announced. Upload it again."
_MISSING = "The file did not arrive. Upload it again."
_TROUBLE = "The file could not be checked because of a trouble on our side. Try again."


def process(run: Run, asset_id: str) -> None:
    """Verify a file, read it, store what was made of it, and note the results once."""
    storage = run.services.storage
    folder = storage.new_key("derived") + "/"
    with run.phase(5) as session:
        work = processing.begin(session, asset_id, folder)
        tables = materials.for_measuring(session, asset_id) if work and work.kind == "cad" else {}
    if work is None:
        return

    def first(facts: list[Fact]) -> None:
        with run.phase(50) as session:
            processing.note_first_facts(session, asset_id, [fact.model_dump(mode="json") for fact in facts])

    with tempfile.TemporaryDirectory(prefix="asset-") as scratch:
        try:
            path = fetch(storage, work, Path(scratch))
            _note(run, asset_id, 30)
            report, made, renderable = read(storage, work, path, Path(scratch), folder, tables, first)
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
    storage: Storage,
    work: Work,
    path: Path,
    scratch: Path,
    folder: str,
    tables: Mapping[str, Any],
    first: Callable[[list[Fact]], None],
) -> tuple[dict[str, Any], list[Made], bool]:
    """(report, stored derivatives, whether pictures can be rendered). Raises Unreadable.

    CAD is weighed and judged by `tables` (alloys and rules); `first` gets what is known of it before the rest.
    """
    out = scratch / "out"
    out.mkdir()
    if work.kind == "cad":
        report = inspect_cad(
            path,
            filename=work.filename,
            declared_type=work.content_type,
            out_dir=out,
            unit=work.unit,
            choices={**work.choices, **tables},
            first=first,
        )
        made = []
        for role, file in (("preview_glb", report.preview), ("studio_glb", report.studio)):
            if file:
                key = folder + file.name
                storage.put_file(key, out / file.name, GLB, file.sha256)
                made.append(Made(role, "glb", key, GLB, file.bytes))
        return report.model_dump(mode="json"), made, report.status == "measured" and report.preview is not None
    if work.kind == "attachment" and work.filename.lower().endswith(".pdf"):
        paper = inspect_paper(path, filename=work.filename, declared_type=work.content_type, out_dir=out)
        key = folder + paper.name
        storage.put_file(key, out / paper.name, PDF, paper.sha256)
        return paper.model_dump(mode="json"), [Made("clean_pdf", "paper", key, PDF, paper.bytes)], False
    told = web_sizes(
        storage, path, out, folder, filename=work.filename, declared=work.content_type, view="photo", role="photo"
    )
    return *told, False


def _note(run: Run, asset_id: str, percent: int) -> None:
    with run.phase(percent) as session:
        processing.note_progress(session, asset_id, percent)


def _reject(run: Run, asset_id: str, code: str, message: str, params: dict[str, Any]) -> None:
    with run.phase() as session:
        processing.reject(session, run.actor, asset_id, {"code": code, "message": message, "params": params})
