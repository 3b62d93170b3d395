"""Pages of sales reports: the form of a quarter, the file, the template, and amendments of single lines."""

from typing import Any

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from marketplace.gateways.s3_names import content_disposition
from marketplace.kernel.errors import Conflict, Invalid, NotFound
from marketplace.kernel.money import parse_amount
from marketplace.licensing.models import License
from marketplace.licensing.vocabulary import CHANNELS, country_names
from marketplace.policy.permissions import Permission as P
from marketplace.royalties import queries, reports, views
from marketplace.royalties.access import load_statement
from marketplace.royalties.forms import CorrectForm, ReportForm, typed_rows
from marketplace.royalties.models import SalesLine, Statement
from marketplace.royalties.rules import scheme
from marketplace.royalties.sales import Sale, read
from marketplace.royalties.tables import MAX_BYTES, read_rows, template
from marketplace.royalties.words import day, rate_words, span
from marketplace.web.call import Call
from marketplace.web.forms import FormState, read_form
from marketplace.web.i18n import locale_code
from marketplace.web.navigate import see_other
from marketplace.web.section import Section

section = Section("sales", url_prefix="/royalties")

#: Reports with more rows come as a file and are shown as a table.
MAX_FORM_ROWS = 40
#: Empty rows at the end of the form.
SPARE = 3


@section.get("/<statement_id>/report", needs=P.SALES_REPORT, subject=load_statement)
def page(call: Call, row: Statement, form: FormState | None = None) -> ResponseReturnValue:
    """The form of a quarter's sales, with what was typed before."""
    if row.report_due is None or row.state != "draft":
        raise Conflict("report_submitted", "This report has been filed. Amend single lines on the statement's page.")
    held = call.session.get_one(License, row.license_id)
    report = queries.report_of(call.session, row.id)
    if report is not None and report.state != "draft":
        raise Conflict("report_submitted", "This report has been filed. Amend single lines on the statement's page.")
    kept: list[dict[str, str]] = list(report.typed) if report else []
    typed = typed_rows() if form is not None and not form.value("use_draft") and "quantity" in request.form else kept
    _sales, wrong = read(typed, row.currency)
    errors = {f"{index}.{name}": _(text) for index, found in wrong.items() for name, text in found.items()}
    as_table = len(typed) > MAX_FORM_ROWS
    scope = reports.scope_of(call.session, held)
    return render_template(
        "royalties/report.html",
        row=row,
        span=span(row),
        day=day,
        rate=rate_words(scheme(held.terms), held.currency),
        scope=scope,
        rows=typed if as_table else [*typed, *[{}] * SPARE],
        spare=SPARE,
        as_table=as_table,
        errors=errors,
        form=form or FormState(),
        countries=sorted(country_names(locale_code()).items(), key=lambda pair: pair[1]),
        channels=CHANNELS,
    )


@section.post("/<statement_id>/report", needs=P.SALES_REPORT, subject=load_statement, on_invalid=page)
def save(call: Call, row: Statement) -> ResponseReturnValue:
    """Keep what was typed, or file it."""
    given = read_form(ReportForm)
    if given.use_draft:
        kept = queries.report_of(call.session, row.id)
        rows: list[dict[str, str]] = list(kept.typed) if kept else []
    else:
        rows = typed_rows()
    if given.do == "save":
        reports.save_draft(call.session, call.actor, row.id, rows)
        return see_other("sales.page", toast=_("Saved. Nobody but you sees it yet."), statement_id=row.id)
    reports.submit(call.session, call.actor, row.id, rows, nothing_sold=given.nothing_sold)
    return see_other("royalties.show", toast=_("Filed. The statement is being made."), statement_id=row.id)


@section.post("/<statement_id>/report/file", needs=P.SALES_REPORT, subject=load_statement, on_invalid=page)
def upload(call: Call, row: Statement) -> ResponseReturnValue:
    """Take the rows of a file in place of what was typed; they are filed from the form."""
    file = request.files.get("file")
    if file is None or not file.filename:
        raise Invalid("bad_file", "Choose a file.", fields={"file": "Choose a file."})
    data = file.read(MAX_BYTES + 1)
    file.close()
    rows = read_rows(data)
    reports.save_draft(call.session, call.actor, row.id, rows)
    toast = _("%(count)s rows were read. Check them, then file the report.", count=len(rows))
    return see_other("sales.page", toast=toast, statement_id=row.id)


@section.get("/report-template.csv", needs=P.ROYALTY_LIST)
def template_csv(call: Call) -> ResponseReturnValue:
    """An empty report file."""
    response = Response(template(), mimetype="text/csv")
    response.headers["Content-Disposition"] = content_disposition("attachment", "sales-report.csv")
    return response


@section.post("/<statement_id>/correct", needs=P.SALES_REPORT, subject=load_statement, on_invalid=views.show)
def correct(call: Call, row: Statement) -> ResponseReturnValue:
    """Amend one reported line; the difference is a line of the next statement."""
    given = read_form(CorrectForm)
    line = call.session.get(SalesLine, given.line)
    if line is None or line.statement_id != row.id:
        raise NotFound
    amounts: dict[str, Any] = {
        name: parse_amount(getattr(given, name) or "0", row.currency)
        for name in ("gross", "discounts", "returns", "taxes")
    }
    changed = Sale(given.quantity, line.territory, line.channel, **amounts)
    reports.correct(call.session, call.actor, line.id, changed, given.reason)
    toast = _("Corrected. The difference is a line of the next statement.")
    return see_other("royalties.show", toast=toast, statement_id=row.id)
