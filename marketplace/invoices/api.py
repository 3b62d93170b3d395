"""Invoices over the API."""

from flask import request

from marketplace.invoices import operations, queries
from marketplace.invoices.access import load_invoice
from marketplace.invoices.forms import DetailsIn
from marketplace.invoices.models import Invoice, TaxProfile
from marketplace.invoices.words import reference_of, title_of
from marketplace.policy.permissions import Permission
from marketplace.web.call import Call
from marketplace.web.forms import Body
from marketplace.web.section import Api

api = Api("invoices")


class AmountOut(Body):
    """Minor units and ISO 4217 code."""

    amount: int
    currency: str


class InvoiceOut(Body):
    """An invoice or credit note: net + tax = gross. `treatment` says why this tax; `corrects` names an invoice,
    `restores` the credit note that it undoes; `subject` is the id of what was paid for, `reference` its number.
    """

    id: str
    kind: str
    number: str
    issued_at: str
    seller: str
    buyer: str
    charge: str
    description: str
    subject: str
    reference: str
    net: AmountOut
    tax: AmountOut
    gross: AmountOut
    tax_rate_bps: int
    treatment: str
    corrects: str | None
    restores: str | None


class InvoicesOut(Body):
    """A page of documents."""

    items: list[InvoiceOut]
    next_cursor: str | None


class DetailsOut(Body):
    """How the organization stands on its invoices."""

    legal_name: str
    tax_id: str
    address: str


@api.get("/invoices", needs=Permission.INVOICE_LIST, returns=InvoicesOut, summary="Invoices issued and received")
def list_invoices(call: Call) -> InvoicesOut:
    """Invoices and credit notes of the organization, newest first; `side` is issued or received."""
    wanted = request.args.get("side")
    side: queries.Side = "issued" if wanted == "issued" else "received" if wanted == "received" else "all"
    found = queries.invoices(
        call.session,
        call.org_id,
        side,
        cursor=request.args.get("cursor"),
        limit=request.args.get("limit", 24, type=int),
    )
    return InvoicesOut(items=[_out(row) for row in found.items], next_cursor=found.next_cursor)


@api.get(
    "/invoices/<invoice_id>",
    needs=Permission.INVOICE_READ,
    subject=load_invoice,
    returns=InvoiceOut,
    summary="One invoice",
)
def show_invoice(call: Call, invoice: Invoice) -> InvoiceOut:
    """One invoice or credit note."""
    del call
    return _out(invoice)


@api.call(
    "PUT",
    "/invoices/details",
    needs=Permission.INVOICE_DETAILS,
    body=DetailsIn,
    returns=DetailsOut,
    summary="Legal name, tax number and address on invoices",
)
def put_details(call: Call, body: DetailsIn) -> DetailsOut:
    """Use these details on invoices from now on."""
    held: TaxProfile = operations.save_profile(
        call.session, call.actor, call.org_id, legal_name=body.legal_name, tax_id=body.tax_id, address=body.address
    )
    return DetailsOut(legal_name=held.legal_name, tax_id=held.tax_id, address=held.address)


def _out(row: Invoice) -> InvoiceOut:
    def money(amount: int) -> AmountOut:
        return AmountOut(amount=amount, currency=row.currency)

    return InvoiceOut(
        id=row.id,
        kind=row.kind,
        number=row.number,
        issued_at=row.created_at.isoformat(),
        seller=row.content["seller"]["name"],
        buyer=row.content["buyer"]["name"],
        charge=row.charge,
        description=title_of(row.content),
        subject=row.content["subject"],
        reference=reference_of(row.content),
        net=money(row.net),
        tax=money(row.tax),
        gross=money(row.gross),
        tax_rate_bps=row.tax_rate_bps,
        treatment=row.treatment,
        corrects=row.content.get("credits"),
        restores=row.content.get("restores"),
    )
