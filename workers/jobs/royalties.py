"""Jobs of royalties: the calendar's tick, and making one statement with its document."""

import hashlib
from functools import lru_cache

from flask import Flask

from marketplace.app import create_app
from marketplace.gateways.documents import make_pdf
from marketplace.royalties import document, issuing, operations
from marketplace.royalties.models import Statement
from workers.run import Run


def keep(run: Run) -> None:
    """Open what the calendar asks for, remind, mark what is late; a batch a phase."""
    place: str | None = ""
    while place is not None:
        with run.phase() as session:
            _opened, place = issuing.open_due(session, run.actor, after=place)
    place = ""
    while place is not None:
        with run.phase() as session:
            place = operations.follow_up(session, run.actor, after=place)
    with run.phase() as session:
        operations.remind_of_inquiries(session)


def issue_statement(run: Run, statement_id: str) -> None:
    """Reckon a statement and let it stand, then make its PDF and store it under a name made of its content.

    Killed in between, it goes on with the PDF: the figures stand, and the same statement makes the same bytes.
    """
    with run.phase(20) as session:
        issuing.issue(session, run.actor, statement_id)
    with run.phase(30) as session:
        row = session.get_one(Statement, statement_id)
        if row.issued_at is None or row.document_key is not None:
            return
        draft = document.gather(session, row, run.services.settings.brand_name)
    with _app().app_context():
        content = document.values(draft)
    pdf = make_pdf(document.TEMPLATE, content, row.issued_at)
    digest = hashlib.sha256(pdf).hexdigest()
    key = f"statements/{digest}.pdf"
    run.progress(70)
    run.services.storage.put(key, pdf, "application/pdf", digest)
    with run.phase(95) as session:
        operations.attach_document(session, run.actor, statement_id, key=key, sha256=digest)


@lru_cache(maxsize=1)
def _app() -> Flask:
    """Only for its translations."""
    return create_app()
