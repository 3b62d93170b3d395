"""Making a workshop's own copy of a CAD file, and tracing a suspect file."""

import tempfile
from pathlib import Path

from sqlalchemy.orm import Session

from ai_pipeline.copies import copy_cad
from ai_pipeline.errors import Unreadable
from marketplace.designs.processing import expect
from marketplace.kernel.errors import Conflict
from marketplace.manufacturing import copies, traces
from marketplace.manufacturing.copies import MadeCopy
from marketplace.manufacturing.investigate import Investigation, fetch_exactly
from workers.run import Run

_TYPE = "application/octet-stream"


def make(run: Run, copy_id: str) -> None:
    """Mark the licensed bytes for one recipient and store the copy. A repeat after a crash uses the same secret."""
    storage = run.services.storage
    key = storage.new_key("copies")
    with run.phase(5) as session:
        work = copies.begin(session, copy_id)
        if work is not None:
            expect(session, key)
    if work is None:
        return
    with tempfile.TemporaryDirectory(prefix="copy-") as place:
        scratch = Path(place)
        out = scratch / "out"
        out.mkdir()
        try:
            fetch_exactly(storage, work.storage_key, scratch / "original", size=work.size, sha256=work.sha256)
            _note(run, copy_id, 25)
            report = copy_cad(
                scratch / "original",
                filename=work.filename,
                key=work.secret,
                tag=work.tag,
                out_dir=out,
                unit=work.unit,
                scale=work.scale,
            )
        except Unreadable as refusal:
            raise Conflict(refusal.code, "The copy could not be made.") from refusal
        _note(run, copy_id, 80)
        storage.put_file(key, out / report.name, _TYPE, report.sha256)
    made = MadeCopy(
        storage_key=key,
        size=report.bytes,
        sha256=report.sha256,
        level=report.level,
        moved_um=report.moved_um,
        volume_change=report.volume_change,
        scale=report.scale,
        shape=report.shape.model_dump(),
    )
    with run.phase(95) as session:
        copies.finish(session, run.actor, work, made)


def make_failed(session: Session, run: Run, why: str, copy_id: str) -> None:
    """No attempt worked: say so; the workshop may ask again."""
    copies.fail(session, run.actor, copy_id, why.partition(":")[0][:60])


def trace(run: Run, trace_id: str) -> None:
    """Find out whose copy a suspect file is."""
    with run.phase(5) as session:
        work = traces.begin(session, trace_id)
    if work is None:
        return
    with tempfile.TemporaryDirectory(prefix="trace-") as place:
        suspect = Path(place) / "suspect"
        fetch_exactly(run.services.storage, work.storage_key, suspect, size=work.size, sha256=work.sha256)

        def progress(percent: int) -> None:
            with run.phase(percent) as session:
                traces.note(session, trace_id, percent)

        investigation = Investigation(run.services, run.actor, Path(place), progress)
        finding = investigation.trace(suspect, work.filename)
    with run.phase(95) as session:
        traces.finish(session, run.actor, trace_id, finding)


def trace_failed(session: Session, run: Run, why: str, trace_id: str) -> None:
    """No attempt worked."""
    del why
    traces.fail(session, run.actor, trace_id)


def _note(run: Run, copy_id: str, percent: int) -> None:
    with run.phase(percent) as session:
        copies.note(session, copy_id, percent)
