"""What happens to a statement that stands: it is paid, runs over its day, and people are reminded. Nothing commits."""

from datetime import UTC, date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.audit.operations import record
from marketplace.db.locks import lock
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, NotFound
from marketplace.licensing.models import License
from marketplace.notifications.operations import notify_org
from marketplace.payments.claims import GiveBack, Refund
from marketplace.payments.models import Checkout
from marketplace.payments.operations import open_checkout as open_payment
from marketplace.payments.operations import release
from marketplace.payments.rules import TOO_LATE, Share
from marketplace.royalties.calendar import due_reminders
from marketplace.royalties.models import Inquiry, Statement
from marketplace.royalties.rules import OPEN, STATEMENT

BATCH = 200


def open_checkout(session: Session, actor: Actor, statement_id: str) -> str:
    """The id of the checkout that pays a statement to the designer; the same one when repeated.

    Raises Conflict `already_paid`, or `not_payable` when nothing is due.
    """
    row = lock(session, Statement, statement_id)
    if row.buyer_org_id != actor.org_id:
        raise NotFound
    if row.state not in OPEN or row.amount_due == 0:
        raise Conflict(
            "already_paid" if row.state == "paid" else "not_payable",
            "There is nothing to pay for this statement now.",
            extra={"state": row.state},
        )
    return open_payment(
        session,
        actor,
        purpose="royalty",
        subject_id=row.id,
        payer_org_id=row.buyer_org_id,
        amount=row.due_money,
        about={"design": row.design_title, "number": row.number},
        shares=[Share(row.designer_org_id, "royalty", row.due_money)],
        agreed_at=row.issued_at,
        success_path=f"/royalties/{row.id}?paid=1",
        cancel_path=f"/royalties/{row.id}",
    )


def mark_paid(session: Session, actor: Actor, statement_id: str) -> None:
    """The payment has arrived: the statement is settled and the money released. Harmless when repeated."""
    # The license first: a statement that is reckoned now sees this payment whole or not at all.
    lock(session, License, session.get_one(Statement, statement_id).license_id)
    row = lock(session, Statement, statement_id)
    if row.paid_at is not None:
        return
    before = STATEMENT.advance(row, "pay", {actor.kind})
    row.paid_at = clock.now()
    record(session, actor, "statement.paid", row.id, owner_org_id=row.designer_org_id, before=before)
    release(session, actor, purpose="royalty", subject_id=row.id)
    for org_id in (row.designer_org_id, row.buyer_org_id):
        notify_org(
            session,
            org_id,
            "statement_paid",
            path=f"/royalties/{row.id}",
            design=row.design_title,
            amount=row.due_money,
        )


def given_back(session: Session, checkout_id: str, cause_id: str) -> None:
    """Tell both sides that money which a statement had been paid with went back, and what becomes of it.

    Nothing for a payment of something else, or one that came too late and paid no statement.
    """
    checkout, refund = session.get_one(Checkout, checkout_id), session.get(Refund, cause_id)
    if checkout.purpose != "royalty" or (refund is not None and refund.reason == TOO_LATE):
        return
    row = session.get_one(Statement, checkout.subject_id)
    given = select(func.sum(GiveBack.net + GiveBack.fee)).where(GiveBack.cause_id == cause_id)
    kind = "advance_returned" if row.kind == "advance" else "statement_returned"
    amount = row.money(int(session.scalars(given).one() or 0))
    for org_id in (row.designer_org_id, row.buyer_org_id):
        notify_org(session, org_id, kind, path=f"/royalties/{row.id}", design=row.design_title, amount=amount)


def attach_document(session: Session, actor: Actor, statement_id: str, *, key: str, sha256: str) -> None:
    """Attach the PDF of a statement, once."""
    row = lock(session, Statement, statement_id)
    if row.document_key is not None or row.state == "draft":
        return
    row.document_key, row.document_sha256 = key, sha256
    record(session, actor, "statement.documented", row.id, owner_org_id=row.designer_org_id, sha256=sha256)


def follow_up(session: Session, actor: Actor, *, after: str = "", limit: int = BATCH) -> str | None:
    """Remind of reports and payments, and mark what is late, for the next `limit` open statements by id.

    Returns where to go on, or None. Each reminder is sent once however often this runs.
    """
    today = clock.now().astimezone(UTC).date()
    waiting = select(Statement.id).where(Statement.id > after, Statement.state.in_(("draft", *OPEN)))
    keys = session.scalars(waiting.order_by(Statement.id).limit(limit)).all()
    for key in keys:
        row = lock(session, Statement, key)
        if row.state == "draft" and row.report_due is not None:
            _remind(session, row, "report", row.report_due, today)
        elif row.state in OPEN and row.due_on is not None:
            _remind(session, row, "pay", row.due_on, today)
            if row.state == "payable" and row.due_on < today:
                STATEMENT.advance(row, "lapse", {"system"})
                record(session, actor, "statement.overdue", row.id, owner_org_id=row.designer_org_id)
                notify_org(
                    session,
                    row.designer_org_id,
                    "statement_overdue",
                    path=f"/royalties/{row.id}",
                    design=row.design_title,
                    amount=row.due_money,
                )
    return keys[-1] if len(keys) == limit else None


def remind_of_inquiries(session: Session, *, limit: int = BATCH) -> None:
    """Remind buyers of questions and audits whose answer is due."""
    today = clock.now().astimezone(UTC).date()
    query = select(Inquiry.id).where(Inquiry.state == "open", Inquiry.due_on <= today).order_by(Inquiry.due_on)
    for key in session.scalars(query.limit(limit)).all():
        row = lock(session, Inquiry, key)
        if row.state != "open" or "late" in row.reminded:
            continue
        row.reminded = [*row.reminded, "late"]
        statement = session.get_one(Statement, row.statement_id)
        path = f"/royalties/{row.statement_id}"
        for org_id in (row.buyer_org_id, row.designer_org_id):
            notify_org(session, org_id, "inquiry_late", path=path, design=statement.design_title)


def _remind(session: Session, row: Statement, name: str, deadline: date, today: date) -> None:
    """Send the reminder that is due now, if it was not sent."""
    reminder, settled = due_reminders(deadline, today, row.reminded, name)
    if reminder is None:
        return
    row.reminded = settled
    late = reminder.endswith(":7")
    path = f"/royalties/{row.id}/report" if name == "report" else f"/royalties/{row.id}"
    kind = {"report": "report_late" if late else "report_reminder", "pay": "pay_late" if late else "pay_reminder"}[name]
    more: dict[str, Any] = {} if name == "report" else {"amount": row.due_money}
    notify_org(session, row.buyer_org_id, kind, path=path, design=row.design_title, day=deadline, **more)
    if late and name == "report":
        path = f"/royalties/{row.id}"
        notify_org(session, row.designer_org_id, "report_missing", path=path, design=row.design_title, day=deadline)
