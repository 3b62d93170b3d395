"""Royalties over the API."""

from flask import Response

from marketplace.gateways.s3_names import content_disposition
from marketplace.kernel.errors import Conflict, Invalid
from marketplace.licensing.access import load_license
from marketplace.licensing.models import License
from marketplace.payments.checkout import url_for_checkout
from marketplace.policy.permissions import Permission as P
from marketplace.royalties import inquiries, operations, queries, reports, returns
from marketplace.royalties.access import load_statement
from marketplace.royalties.forms import (
    AuditIn,
    Filter,
    InquiryOut,
    RoyaltiesOut,
    SalesIn,
    StatementOut,
    StatementsOut,
    UrlOut,
    rows_of,
)
from marketplace.royalties.models import Statement
from marketplace.royalties.present import account_out, csv_rows, statement_out
from marketplace.royalties.tables import write_rows
from marketplace.web.call import AfterCommit, Call
from marketplace.web.forms import read_query
from marketplace.web.section import Api

api = Api("royalties")

#: A statement has a few pages; this bounds what is read into memory.
MAX_DOCUMENT_BYTES = 5_000_000


@api.get("/royalties", needs=P.ROYALTY_LIST, returns=RoyaltiesOut, summary="Royalties by license, and what waits")
def royalties(call: Call) -> RoyaltiesOut:
    """What was earned, is due and was paid; `waiting` are reports and payments of the caller's organization."""
    waiting = queries.to_do(call.session, call.actor)
    return RoyaltiesOut(
        licenses=[account_out(row) for row in queries.accounts(call.session, call.actor)],
        waiting=[statement_out(row) for row in waiting],
    )


@api.get(
    "/licenses/<license_id>/statements",
    needs=P.STATEMENT_READ,
    subject=load_license,
    returns=StatementsOut,
    summary="Statements of a license, newest first",
)
def statements(call: Call, held: License) -> StatementsOut:
    """`?show=` all, report, open or paid."""
    wanted = read_query(Filter)
    found = queries.statements(
        call.session, call.actor, license_id=held.id, show=wanted.show, cursor=wanted.cursor, limit=wanted.limit
    )
    return StatementsOut(items=[statement_out(row) for row in found.items], next_cursor=found.next_cursor)


@api.get(
    "/statements/<statement_id>",
    needs=P.STATEMENT_READ,
    subject=load_statement,
    returns=StatementOut,
    summary="A statement with its lines",
)
def statement(call: Call, row: Statement) -> StatementOut:
    """How much, why, and when."""
    # Only of what was paid something can have gone back.
    back = returns.of(call.session, [row.id]).get(row.id, 0) if row.paid_at else 0
    return statement_out(row, queries.lines_of(call.session, row.id), given_back=back)


@api.get("/statements/<statement_id>.pdf", needs=P.STATEMENT_READ, subject=load_statement, summary="The PDF")
def pdf(call: Call, row: Statement) -> Response:
    """Made once, when the statement was issued."""
    if row.document_key is None:
        raise Conflict("not_made", "The document is still being made. Try again in a moment.")
    response = Response(call.services.storage.read(row.document_key, MAX_DOCUMENT_BYTES), mimetype="application/pdf")
    response.headers["Content-Disposition"] = content_disposition("attachment", f"statement-{row.number}.pdf")
    return response


@api.get("/statements/<statement_id>.csv", needs=P.STATEMENT_READ, subject=load_statement, summary="The lines as CSV")
def csv(call: Call, row: Statement) -> Response:
    """Lines and sums; no cell can start a formula."""
    return csv_response(call, row)


@api.call(
    "POST",
    "/licenses/<license_id>/sales",
    needs=P.SALES_REPORT,
    subject=load_license,
    body=SalesIn,
    returns=StatementOut,
    status=201,
    summary="Report a quarter's sales",
)
def report(call: Call, held: License, body: SalesIn) -> StatementOut:
    """The statement is made right after; corrections are lines of the next one."""
    statement_id = body.statement or queries.waiting_report(call.session, held.id)
    if statement_id is None or load_statement(call.session, call.actor, statement_id).license_id != held.id:
        raise Conflict("no_report_due", "No quarter of this license waits for a report.")
    try:
        made = reports.submit(
            call.session,
            call.actor,
            statement_id,
            rows_of(body.lines, held.currency),
            nothing_sold=body.nothing_sold,
        )
    except Invalid as error:
        error.fields = {_pointer(name): text for name, text in error.fields.items()}
        raise
    return statement_out(made)


@api.call(
    "POST",
    "/statements/<statement_id>/checkout",
    needs=P.STATEMENT_PAY,
    subject=load_statement,
    returns=UrlOut,
    summary="The payment page of a statement",
)
def checkout(call: Call, row: Statement) -> AfterCommit:
    """Asking again gives the same page; the state turns paid by the payment service's word alone."""
    checkout_id = start_checkout(call, row)
    return AfterCommit(lambda: UrlOut(url=url_for_checkout(call.services, call.actor, checkout_id)))


@api.call(
    "POST",
    "/statements/<statement_id>/audit",
    needs=P.STATEMENT_ASK,
    subject=load_statement,
    body=AuditIn,
    returns=InquiryOut,
    status=201,
    summary="Ask for an audit of a statement",
)
def audit(call: Call, row: Statement, body: AuditIn) -> InquiryOut:
    """Once a year for each license; the buyer hands in the books within the stated time."""
    made = inquiries.ask_for_audit(call.session, call.actor, row.id, body.text)
    return InquiryOut(id=made.id, statement=made.statement_id, kind=made.kind, state=made.state, due_on=made.due_on)


def start_checkout(call: Call, row: Statement) -> str:
    """The checkout of a statement."""
    return operations.open_checkout(call.session, call.actor, row.id)


def csv_response(call: Call, row: Statement) -> Response:
    """The statement as a file."""
    if row.issued_at is None:
        raise Conflict("not_issued", "The statement has not been issued yet.")
    text = write_rows(csv_rows(row, queries.lines_of(call.session, row.id)))
    response = Response(text, mimetype="text/csv")
    response.headers["Content-Disposition"] = content_disposition("attachment", f"statement-{row.number}.csv")
    return response


def _pointer(name: str) -> str:
    """A field's name as a JSON pointer: "2.gross" is /lines/2/gross; pointers stay."""
    row, _dot, column = name.partition(".")
    if name.startswith("/"):
        return name
    return f"/lines/{row}/{column}" if row.isdigit() else f"/{name}"
