"""Reading invoices: lists, one with what corrects it, sums by month, and the check for gaps."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import BigInteger, ColumnElement, and_, cast, func, or_, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from marketplace.accounts.models import Organization
from marketplace.invoices.models import Invoice, InvoiceDocument, InvoiceSeries, TaxProfile
from marketplace.invoices.rules import PLATFORM_FEE
from marketplace.payments.models import Checkout
from marketplace.web.paging import Page, page

Side = Literal["received", "issued", "all"]


@dataclass(frozen=True, slots=True)
class Related:
    """An invoice's PDF, if it has been made, and the documents that belong to it.

    `corrects`: what it corrects or undoes (one, or none); `corrected`: what corrects or undoes it.
    """

    document: InvoiceDocument | None
    corrects: Sequence[Invoice]
    corrected: Sequence[Invoice]


def invoices(session: Session, org_id: str, side: Side, *, cursor: str | None = None, limit: int = 24) -> Page[Invoice]:
    """An organization's invoices and credit notes, newest first."""
    query = select(Invoice).where(_of(org_id, side))
    return page(session, query, (Invoice.created_at, Invoice.id), cursor=cursor, limit=limit)


def all_of_year(session: Session, org_id: str, side: Side, year: int) -> Iterable[Invoice]:
    """Every document of a year in the order it was issued, fetched in pieces."""
    query = (
        select(Invoice)
        .where(_of(org_id, side), func.extract("year", func.timezone("UTC", Invoice.created_at)) == year)
        .order_by(Invoice.created_at, Invoice.id)
    )
    return session.scalars(query.execution_options(yield_per=500))


def related(session: Session, invoice: Invoice) -> Related:
    """What belongs to one invoice."""
    before = [name for name in (invoice.credits_id, invoice.restores_id) if name]
    query = select(Invoice).where(
        or_(Invoice.credits_id == invoice.id, Invoice.restores_id == invoice.id, Invoice.id.in_(before))
    )
    others = session.scalars(query.order_by(Invoice.created_at)).all()
    return Related(
        document(session, invoice.id),
        corrects=[row for row in others if row.id in before],
        corrected=[row for row in others if row.id not in before],
    )


def document(session: Session, invoice_id: str) -> InvoiceDocument | None:
    """The PDF of an invoice, if it has been made."""
    return session.get(InvoiceDocument, invoice_id)


def profile(session: Session, org_id: str) -> TaxProfile | None:
    """How an organization stands on invoices, if it said so."""
    return session.get(TaxProfile, org_id)


def uninvoiced(session: Session, limit: int = 100) -> list[str]:
    """Paid checkouts that have no invoice yet, or none for our fee that can have one by now, oldest first."""
    mine = select(Invoice.id).where(Invoice.checkout_id == Checkout.id)
    share = func.jsonb_array_elements(Checkout.splits).table_valued("value").alias("share")
    fee = select(share.c.value).where(cast(cast(share.c.value, JSONB)["fee"].astext, BigInteger) > 0).exists()
    operator = select(Organization.id).where(Organization.kind == "operator").exists()
    no_fee_invoice = and_(fee, operator, ~mine.where(Invoice.charge == PLATFORM_FEE).exists())
    query = (
        select(Checkout.id)
        .where(Checkout.paid_at.is_not(None), or_(~mine.exists(), no_fee_invoice))
        .order_by(Checkout.paid_at)
        .limit(limit)
    )
    return list(session.scalars(query))


def problems(session: Session) -> list[str]:
    """What is wrong with the numbers, in words: a series whose documents are not exactly 1..last (needs a role that
    sees all).
    """
    year = func.extract("year", func.timezone("UTC", Invoice.created_at))
    counts = {
        (issuer, kind, int(in_year)): int(count)
        for issuer, kind, in_year, count in session.execute(
            select(Invoice.issuer_org_id, Invoice.kind, year, func.count(Invoice.number.distinct())).group_by(
                Invoice.issuer_org_id, Invoice.kind, year
            )
        )
    }
    last = {(s.issuer_org_id, s.kind, s.year): s.last for s in session.scalars(select(InvoiceSeries))}
    return [
        f"series {kind} {in_year} of {issuer} has {counts.get((issuer, kind, in_year), 0)} documents"
        f" and gave {last.get((issuer, kind, in_year), 0)} numbers"
        for issuer, kind, in_year in sorted({*counts, *last})
        if counts.get((issuer, kind, in_year), 0) != last.get((issuer, kind, in_year), 0)
    ]


def _of(org_id: str, side: Side) -> ColumnElement[bool]:
    issued, received = Invoice.issuer_org_id == org_id, Invoice.recipient_org_id == org_id
    return {"issued": issued, "received": received, "all": or_(issued, received)}[side]
