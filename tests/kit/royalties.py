"""What a license with royalties leaves: a statement to pay with a question about it, and a quarter to report."""

import hashlib
from datetime import UTC, datetime, timedelta

from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel.actor import system
from marketplace.licensing.models import License
from marketplace.royalties.models import Inquiry, InquiryNote, SalesLine, SalesReport, Statement, StatementLine
from marketplace.services import Services

_PDF = b"%PDF-1.7 a statement"


def leave_statements(services: Services, license_id: str) -> dict[str, str]:
    """Ids of: statement, to_report, inquiry, books (a file that was handed in), sold (a reported line)."""
    today = datetime.now(UTC).date()
    key = f"statements/{hashlib.sha256(license_id.encode()).hexdigest()}.pdf"
    services.storage.put(key, _PDF, "application/pdf")
    with unit_of_work(services.engine, system("test")) as session:
        held = session.get_one(License, license_id)
        sides = {"designer_org_id": held.designer_org_id, "buyer_org_id": held.buyer_org_id}
        whose = {"license_id": license_id, **sides}
        title = {"design_id": held.design_id, "design_title": "Solstice solitaire", "currency": "USD", "reminded": []}
        stands = Statement(
            kind="quarter",
            starts=today - timedelta(days=182),
            ends=today - timedelta(days=91),
            state="payable",
            sequence=1,
            report_due=today - timedelta(days=61),
            earned=58_750,
            amount_due=58_750,
            issued_at=datetime.now(UTC),
            due_on=today + timedelta(days=20),
            document_key=key,
            document_sha256=hashlib.sha256(_PDF).hexdigest(),
            **whose,
            **title,
        )
        waits = Statement(
            kind="quarter",
            starts=stands.ends,
            ends=today,
            state="draft",
            report_due=today + timedelta(days=30),
            **whose,
            **title,
        )
        session.add_all([stands, waits])
        session.flush()
        report = SalesReport(statement_id=stands.id, state="submitted", submitted_at=datetime.now(UTC), **whose)
        session.add(report)
        session.flush()
        sold = SalesLine(
            report_id=report.id,
            statement_id=stands.id,
            position=0,
            sold_ends=stands.ends,
            serial_from=1,
            serial_to=20,
            quantity=20,
            territory="GB",
            channel="retail",
            gross=980_000,
            discounts=40_000,
            returns=0,
            taxes=156_667,
            currency="USD",
            flags=["more_than_made"],
            **whose,
        )
        session.add(sold)
        session.flush()
        asked = Inquiry(
            statement_id=stands.id,
            kind="query",
            state="answered",
            asked_by="usr_designer",
            due_on=today + timedelta(days=9),
            currency="USD",
            reminded=[],
            **whose,
        )
        session.add_all([_line(stands, sold, whose), asked])
        session.flush()
        session.add(_note(asked, "designer", "ask", "Which discounts were these?", sides))
        session.flush()
        books = _note(asked, "buyer", "answer", "The spring sale; see the list.", sides)
        books.filename, books.storage_key, books.sha256, books.size = (
            "sales.pdf",
            key,
            stands.document_sha256,
            len(_PDF),
        )
        session.add(books)
        session.flush()
        return {
            "statement": stands.id,
            "to_report": waits.id,
            "inquiry": asked.id,
            "books": books.id,
            "sold": sold.id,
        }


def _line(stands: Statement, sold: SalesLine, whose: dict[str, str]) -> StatementLine:
    return StatementLine(
        statement_id=stands.id,
        position=0,
        kind="sale",
        source_id=sold.id,
        day=stands.ends,
        reference="sale",
        quantity=20,
        serials="1-20",
        territory="GB",
        channel="retail",
        gross=sold.gross,
        base=783_333,
        royalty=58_750,
        flags=["more_than_made"],
        **whose,
    )


def _note(asked: Inquiry, side: str, action: str, text: str, sides: dict[str, str]) -> InquiryNote:
    return InquiryNote(inquiry_id=asked.id, side=side, user_id=f"usr_{side}", action=action, text=text, **sides)
