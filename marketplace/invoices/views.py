"""Pages of invoices: the list, one invoice with its reasons, the year as CSV, and the own details."""

import csv
import io
from datetime import UTC

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from marketplace.accounts.models import Organization
from marketplace.invoices import operations, queries, tax_ids
from marketplace.invoices.access import load_invoice
from marketplace.invoices.forms import DetailsForm
from marketplace.invoices.models import Invoice
from marketplace.invoices.words import CHARGES, KINDS, TREATMENTS, page_of, reference_of, title_of
from marketplace.kernel import clock
from marketplace.kernel.errors import Conflict
from marketplace.policy.permissions import Permission
from marketplace.web.call import Call
from marketplace.web.forms import FormState, read_form
from marketplace.web.navigate import leave_for, see_other
from marketplace.web.section import Section

section = Section("invoices", url_prefix="/invoices")

#: Seconds that the address of a document works.
DOCUMENT_LIFE_S = 60
#: A cell that begins so would run as a formula in a spreadsheet.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_COLUMNS = (
    *("number", "kind", "date", "from", "to", "charge", "description", "currency"),
    *("net", "tax_percent", "tax", "gross", "treatment", "corrects"),
)


@section.get("", needs=Permission.INVOICE_LIST)
def index(call: Call) -> ResponseReturnValue:
    """What was invoiced to and by the organization, newest first."""
    side = _side()
    return render_template(
        "invoices/index.html",
        page=queries.invoices(call.session, call.org_id, side, cursor=request.args.get("cursor")),
        side=side,
        profile=queries.profile(call.session, call.org_id),
        year=clock.now().astimezone(UTC).year,
        title_of=title_of,
        charges=CHARGES,
        kinds=KINDS,
    )


@section.get("/<invoice_id>", needs=Permission.INVOICE_READ, subject=load_invoice)
def show(call: Call, invoice: Invoice) -> ResponseReturnValue:
    """One invoice: how much, which tax and why, and what corrects it."""
    return render_template(
        "invoices/show.html",
        invoice=invoice,
        related=queries.related(call.session, invoice),
        title_of=title_of,
        charges=CHARGES,
        kinds=KINDS,
        treatments=TREATMENTS,
        reference=reference_of(invoice.content),
        page=page_of(invoice.content) if call.actor.role != "operator" else None,
        tax_number=tax_ids.shown,
    )


@section.get("/<invoice_id>/document", needs=Permission.INVOICE_READ, subject=load_invoice)
def document(call: Call, invoice: Invoice) -> ResponseReturnValue:
    """The PDF by an address that works for a minute. Raises Conflict while it is being made."""
    found = queries.document(call.session, invoice.id)
    if found is None:
        raise Conflict("not_made", "The document is being made. Try again in a moment.")
    return leave_for(
        call.services.storage.presign_get(found.key, DOCUMENT_LIFE_S, f"{invoice.number}.pdf", "application/pdf")
    )


@section.get("/export", needs=Permission.INVOICE_LIST)
def export(call: Call) -> ResponseReturnValue:
    """A year's documents as CSV for the bookkeeper, amounts as decimals with their currency beside them."""
    year = request.args.get("year", clock.now().astimezone(UTC).year, type=int)
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(_COLUMNS)
    for row in queries.all_of_year(call.session, call.org_id, _side(), year):
        rows.writerow(_line(row))
    # The mark at the front makes spreadsheets read Chinese names as UTF-8.
    return Response(
        "\ufeff" + out.getvalue(),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="invoices-{year}.csv"'},
    )


@section.get("/details", needs=Permission.INVOICE_DETAILS)
def details(call: Call, form: FormState | None = None) -> ResponseReturnValue:
    """How the organization stands on its invoices."""
    org = call.session.get_one(Organization, call.org_id)
    held = queries.profile(call.session, call.org_id)
    name, number, address = (held.legal_name, held.tax_id, held.address) if held else (org.name, "", "")
    shown = form or FormState.of(legal_name=name, tax_id=number, address=address or org.address)
    return render_template("invoices/details.html", form=shown, org=org, profile=held)


@section.post("/details", needs=Permission.INVOICE_DETAILS, on_invalid=details)
def save_details(call: Call) -> ResponseReturnValue:
    """Use these details on invoices from now on."""
    given = read_form(DetailsForm)
    operations.save_profile(
        call.session,
        call.actor,
        call.org_id,
        legal_name=given.legal_name,
        tax_id=given.tax_id,
        address=given.address,
    )
    return see_other("invoices.details", toast=_("Saved. Invoices from now on carry these details."))


def _side() -> queries.Side:
    side = request.args.get("side")
    return side if side in ("issued", "received") else "all"  # type: ignore[return-value]


def _line(row: Invoice) -> list[str]:
    net, tax, gross = (str(money).split()[1] for money in (row.net_money, row.tax_money, row.gross_money))
    content = row.content
    return [
        row.number,
        row.kind,
        row.created_at.astimezone(UTC).date().isoformat(),
        _cell(content["seller"]["name"]),
        _cell(content["buyer"]["name"]),
        row.charge,
        _cell(title_of(content)),
        row.currency,
        net,
        f"{row.tax_rate_bps // 100}.{row.tax_rate_bps % 100:02d}",
        tax,
        gross,
        row.treatment,
        content.get("credits") or content.get("restores", ""),
    ]


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
