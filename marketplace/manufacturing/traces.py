"""Suspect files an operator has traced: taken in, worked on, answered."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from marketplace.audit.operations import record
from marketplace.db.jobs import JobName, stage
from marketplace.db.locks import lock
from marketplace.designs.uploads import discard
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import NotFound
from marketplace.manufacturing.models import CadTrace
from marketplace.manufacturing.tracing import Finding


@dataclass(frozen=True, slots=True)
class TraceWork:
    """What the job needs."""

    storage_key: str
    filename: str
    size: int
    sha256: str


def ask(session: Session, actor: Actor, *, filename: str, size: int, sha256: str, key: str) -> CadTrace:
    """Have a stored suspect traced."""
    if actor.user_id is None:
        raise NotFound
    row = CadTrace(user_id=actor.user_id, filename=filename[:300], size=size, sha256=sha256, storage_key=key)
    session.add(row)
    session.flush()
    stage(session, JobName.TRACE_CAD, row.id, {"trace_id": row.id}, subject=row.id, user_id=actor.user_id)
    record(session, actor, "cad.trace_asked", row.id, sha256=sha256)
    return row


def begin(session: Session, trace_id: str) -> TraceWork | None:
    """Take it into work; None when it is done."""
    row = lock(session, CadTrace, trace_id)
    if row.state not in {"queued", "running"} or row.storage_key is None:
        return None
    row.state, row.progress = "running", 5
    return TraceWork(row.storage_key, row.filename, row.size, row.sha256)


def note(session: Session, trace_id: str, percent: int) -> None:
    """Show how far it is."""
    row = session.get(CadTrace, trace_id)
    if row is not None and row.state == "running":
        row.progress = percent


def finish(session: Session, actor: Actor, trace_id: str, found: Finding) -> None:
    """Keep the finding and let go of the file."""
    row = lock(session, CadTrace, trace_id)
    if row.state != "running":
        return
    row.state, row.progress, row.finished_at = "done", 100, clock.now()
    row.result = found.model_dump(mode="json")
    _let_go(session, row)
    record(
        session,
        actor,
        "cad.traced",
        row.id,
        verdict=found.verdict,
        copies=[item.copy_id for item in found.evidence],
    )


def fail(session: Session, actor: Actor, trace_id: str) -> None:
    """The trace did not come to an end."""
    row = lock(session, CadTrace, trace_id)
    if row.state in {"queued", "running"}:
        row.state, row.finished_at = "failed", clock.now()
        _let_go(session, row)
        record(session, actor, "cad.traced", row.id, outcome="failed")


def _let_go(session: Session, row: CadTrace) -> None:
    if row.storage_key is not None:
        discard(session, [row.storage_key], stage_sweep=False)
        row.storage_key = None
