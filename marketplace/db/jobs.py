"""The outbox: a row per job, written in the transaction that wants it; the truth about all work.

The relay wakes workers through RQ; a worker owns a job only while it holds the row's lease, and its
`fence` number refuses the writes of a worker that lost it. The queue server may be emptied at any time.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, String, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from marketplace.db.base import Base, Created, Key, LongText, Moment
from marketplace.kernel import clock
from marketplace.kernel.ids import new_id

LEASE = timedelta(seconds=15)


class JobName(StrEnum):
    """Every kind of background work; bound to functions in workers/registry.py."""

    SEND_MAIL = "send_mail"
    PROCESS_ASSET = "process_asset"
    RENDER_CAD = "render_cad"
    EDIT_PHOTO = "edit_photo"
    PROPOSE_EDITS = "propose_edits"
    MARK_COVERS = "mark_covers"
    DRAFT_STORY = "draft_story"
    DRAFT_LOOKBOOK = "draft_lookbook"
    TRANSLATE_MESSAGE = "translate_message"
    MAKE_LICENSE_DOCUMENT = "make_license_document"
    HANDLE_PAYMENT_EVENT = "handle_payment_event"
    RELEASE_ORDER_FUNDS = "release_order_funds"
    SEND_TRANSFER = "send_transfer"
    RESEND_TRANSFER = "resend_transfer"
    MAKE_REFUND = "make_refund"
    END_REFUND = "end_refund"
    REVERSE_TRANSFER = "reverse_transfer"
    RELEASE_ACCEPTED = "release_accepted"
    ASSEMBLE_EVIDENCE = "assemble_evidence"
    SUBMIT_EVIDENCE = "submit_evidence"
    COMPARE_BOOKS = "compare_books"
    EXPIRE_NEGOTIATIONS = "expire_negotiations"
    EXPIRE_QUOTES = "expire_quotes"
    SWEEP_UPLOADS = "sweep_uploads"
    FILL_BANK_FILE = "fill_bank_file"
    SETTLE_BANK_ITEM = "settle_bank_item"
    RECONCILE_PAYMENTS = "reconcile_payments"
    PREPARE_EXPORT = "prepare_export"
    ISSUE_INVOICES = "issue_invoices"
    RESTORE_INVOICES = "restore_invoices"
    MAKE_INVOICE_DOCUMENT = "make_invoice_document"
    SWEEP_INVOICES = "sweep_invoices"
    FETCH_RATES = "fetch_rates"
    MAKE_CAD_COPY = "make_cad_copy"
    TRACE_CAD = "trace_cad"
    KEEP_ROYALTIES = "keep_royalties"
    ISSUE_STATEMENT = "issue_statement"
    ERASE_PERSON = "erase_person"
    READ_INBOUND_MAIL = "read_inbound_mail"
    POST_MAIL_FILES = "post_mail_files"
    SEND_DIGESTS = "send_digests"
    TELL_EDITION = "tell_edition"


class JobRow(Created, Base):
    """One piece of work. `key` makes staging the same work twice a no-op."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index("ix_jobs_open", "run_after", postgresql_where=text("state in ('queued','running')")),
        Index("ix_jobs_subject", "subject"),
    )

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("job"))
    name: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(200), unique=True)
    args: Mapped[dict[str, Any]] = mapped_column(default=dict)
    subject: Mapped[str | None] = mapped_column(String(40))
    org_id: Mapped[str | None] = mapped_column(String(40))
    user_id: Mapped[str | None] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(10), default="queued")
    progress: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    fence: Mapped[int] = mapped_column(default=0)
    run_after: Mapped[Moment] = mapped_column(default=clock.now)
    dispatched_at: Mapped[Moment | None]
    lease_until: Mapped[Moment | None]
    finished_at: Mapped[Moment | None]
    error: Mapped[LongText | None]


def stage(
    session: Session,
    name: JobName,
    key: str,
    args: dict[str, Any],
    *,
    subject: str | None = None,
    org_id: str | None = None,
    user_id: str | None = None,
    run_after: datetime | None = None,
) -> str:
    """Write a job into the current transaction and return its id.

    `key` names the effect: staging the same key again returns the job that is already there. `args`
    holds ids only, never secrets or personal text.
    """
    job_id = new_id("job")
    row = {
        "id": job_id,
        "name": str(name),
        "key": f"{name}:{key}",
        "args": args,
        "subject": subject,
        "org_id": org_id,
        "user_id": user_id,
        "created_at": clock.now(),
        "run_after": run_after or clock.now(),
        "state": "queued",
        "progress": 0,
        "attempts": 0,
        "fence": 0,
    }
    done = session.execute(
        insert(JobRow).values(row).on_conflict_do_nothing(index_elements=["key"]).returning(JobRow.id)
    )
    made = done.scalar_one_or_none()
    if made is not None:
        return made
    return session.scalars(select(JobRow.id).where(JobRow.key == row["key"])).one()


def claim(session: Session, job_id: str) -> JobRow | None:
    """Take the lease of a queued job, or None when somebody else has it or it is done."""
    moment = clock.now()
    return session.scalars(
        update(JobRow)
        .where(JobRow.id == job_id, JobRow.state == "queued", JobRow.run_after <= moment)
        .values(
            state="running",
            attempts=JobRow.attempts + 1,
            fence=JobRow.fence + 1,
            lease_until=moment + LEASE,
            error=None,
        )
        .returning(JobRow)
    ).one_or_none()


def hold(session: Session, job_id: str, fence: int, *, progress: int | None = None) -> bool:
    """Renew the lease (and note the progress, 0-100); False when the lease is no longer ours.

    Locks the job's row until the transaction ends, so what a phase writes and its right to write it are one.
    """
    values: dict[str, Any] = {"lease_until": clock.now() + LEASE}
    if progress is not None:
        values["progress"] = progress
    done = session.execute(
        update(JobRow)
        .where(JobRow.id == job_id, JobRow.fence == fence, JobRow.state == "running")
        .values(values)
        .returning(JobRow.id)
    )
    return done.first() is not None


def finish(session: Session, job_id: str, fence: int, *, error: str | None = None) -> bool:
    """Close the job as done, or as failed for good with `error` in words."""
    done = session.execute(
        update(JobRow)
        .where(JobRow.id == job_id, JobRow.fence == fence, JobRow.state == "running")
        .values(
            state="failed" if error else "done",
            progress=JobRow.progress if error else 100,
            error=error,
            finished_at=clock.now(),
            lease_until=None,
        )
        .returning(JobRow.id)
    )
    return done.first() is not None


def put_back(
    session: Session, job_id: str, fence: int, *, error: str, delay: timedelta, attempt_counts: bool = True
) -> None:
    """Let the job run again after `delay`; with `attempt_counts` off as if it had not been tried."""
    session.execute(
        update(JobRow)
        .where(JobRow.id == job_id, JobRow.fence == fence, JobRow.state == "running")
        .values(
            state="queued",
            attempts=JobRow.attempts - (0 if attempt_counts else 1),
            error=error,
            run_after=clock.now() + delay,
            lease_until=None,
            dispatched_at=None,
        )
    )


def requeue_lost(session: Session) -> list[str]:
    """Put back every running job whose lease ran out (its worker died) and return their ids."""
    done = session.scalars(
        update(JobRow)
        .where(JobRow.state == "running", JobRow.lease_until < clock.now())
        .values(
            state="queued",
            run_after=clock.now(),
            lease_until=None,
            dispatched_at=None,
            error="the worker was lost",
        )
        .returning(JobRow.id)
    )
    return list(done)


def due(session: Session, *, limit: int, resend_after: timedelta) -> list[tuple[str, str, int]]:
    """Lock and return (id, name, fence) of jobs to hand to the queue, oldest first.

    A job that was handed over longer than `resend_after` ago and is still waiting is handed over again:
    the queue server may have lost it, and claiming makes a second hand-over harmless.
    """
    moment = clock.now()
    rows = session.execute(
        select(JobRow.id, JobRow.name, JobRow.fence)
        .where(
            JobRow.state == "queued",
            JobRow.run_after <= moment,
            (JobRow.dispatched_at.is_(None)) | (JobRow.dispatched_at < moment - resend_after),
        )
        .order_by(JobRow.run_after)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    if rows:
        session.execute(update(JobRow).where(JobRow.id.in_([r.id for r in rows])).values(dispatched_at=moment))
    return [(r.id, r.name, r.fence) for r in rows]
