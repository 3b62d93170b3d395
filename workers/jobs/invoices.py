"""Jobs of invoices: numbers after money was booked, the PDF of each, and the sweep for what has none."""

import hashlib
from datetime import timedelta
from functools import lru_cache

from flask import Flask
from sqlalchemy import select

from marketplace.app import create_app
from marketplace.db.jobs import JobName, JobRow
from marketplace.gateways.documents import make_pdf
from marketplace.invoices import operations, queries
from marketplace.invoices.document import TEMPLATE, values
from marketplace.invoices.models import Invoice
from marketplace.payments.claims import Dispute, Refund
from workers.run import Run, Wait


def issue(run: Run, checkout_id: str, cause: str = "", parts: list[list[str | int]] | None = None) -> None:
    """Issue the invoices of a paid checkout, or with `cause` the credit notes over what went back.

    Notes of a dispute that was reinstated, or a refund called off, before they could be issued are undone at once.
    """
    with run.phase() as session:
        if parts is None:
            operations.issue_for_checkout(session, run.actor, checkout_id)
            return
        credited = [operations.Credited(str(p[0]), str(p[1]), int(p[2]), int(p[3])) for p in parts]
        operations.credit(session, run.actor, checkout_id, cause=cause, parts=credited)
        # Its undoing may have found none, where this was given up and is tried again.
        dispute, refund = session.get(Dispute, cause), session.get(Refund, cause)
        if (dispute is not None and dispute.settled == "won") or (refund is not None and refund.state == "undone"):
            operations.restore(session, run.actor, checkout_id, cause=cause)


def restore(run: Run, checkout_id: str, cause: str) -> None:
    """Undo the credit notes of a lost dispute that was reinstated or a refund that was called off, once issued."""
    with run.phase() as session:
        issuing = select(JobRow.state).where(JobRow.key == f"{JobName.ISSUE_INVOICES}:{cause}")
        if session.scalar(issuing) in {"queued", "running"}:
            raise Wait("the credit notes are not issued yet", timedelta(seconds=10))
        operations.restore(session, run.actor, checkout_id, cause=cause)


def make_document(run: Run, invoice_id: str) -> None:
    """Make the PDF and store it under a name made of its content; the same bytes when it runs again."""
    with run.phase(20) as session:
        if queries.document(session, invoice_id) is not None:
            return
        invoice = session.get_one(Invoice, invoice_id)
        locale = operations.reader_locale(session, invoice.recipient_org_id)
    with _app().app_context():
        content = values(invoice, locale, run.services.settings.brand_name)
    pdf = make_pdf(TEMPLATE, content, invoice.created_at)
    digest = hashlib.sha256(pdf).hexdigest()
    key = f"invoices/{digest}.pdf"
    run.services.storage.put(key, pdf, "application/pdf", digest)
    with run.phase(95) as session:
        operations.document_made(session, invoice_id, key=key, sha256=digest)


def sweep(run: Run) -> None:
    """Ask for the invoices of paid checkouts that have none, such as those paid before the operator had signed up."""
    with run.phase() as session:
        for checkout_id in queries.uninvoiced(session):
            operations.issue_for_checkout(session, run.actor, checkout_id)


@lru_cache(maxsize=1)
def _app() -> Flask:
    """Only for its translations."""
    return create_app()
