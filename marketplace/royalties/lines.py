"""What a statement counts: orders, reported sales and their corrections, and what audits found; each once."""

from datetime import UTC, date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.licensing.models import License
from marketplace.royalties import pieces, returns
from marketplace.royalties.counted import Counted, known
from marketplace.royalties.models import Inquiry, SalesLine, SalesReport
from marketplace.royalties.reckoning import net_sales
from marketplace.royalties.rules import Scheme


def uncounted(session: Session, held: License, terms: Scheme, before: date) -> list[Counted]:
    """Everything of a license that no statement has counted, in the order it is shown.

    Orders count by the day they were paid, sales by their quarter, both before the day `before` (UTC); corrections of
    earlier quarters and what an audit found count as soon as they are there.
    """
    return [
        *(_of_order(found) for found in pieces.earnings(session, held.id, terms, before)),
        *returns.of_orders(session, held),
        *returns.of_statements(session, held),
        *_sales(session, held, terms, before),
        *_audits(session, held),
    ]


def _of_order(found: pieces.Earning) -> Counted:
    return Counted(
        kind="order",
        source_id=found.order_id,
        day=found.day,
        reference=found.reference,
        quantity=found.quantity,
        base=found.base,
        royalty=found.royalty,
        paid=found.paid,
        serials=found.serials,
    )


def _sales(session: Session, held: License, terms: Scheme, before: date) -> list[Counted]:
    query = (
        select(SalesLine)
        .join(SalesReport, SalesReport.id == SalesLine.report_id)
        .where(
            SalesLine.license_id == held.id,
            SalesLine.sold_ends <= before,
            SalesReport.state == "submitted",
            SalesLine.id.not_in(known("sale", held.id)),
        )
        .order_by(SalesLine.sold_ends, SalesLine.created_at, SalesLine.report_id, SalesLine.position)
    )
    return [_of_sale(line, terms) for line in session.scalars(query)]


def _of_sale(line: SalesLine, terms: Scheme) -> Counted:
    base = net_sales(line.gross, line.discounts, line.returns, line.taxes)
    serials = None if line.serial_from is None else f"{line.serial_from}-{line.serial_to}"
    if line.serial_from is not None and line.serial_from == line.serial_to:
        serials = str(line.serial_from)
    return Counted(
        kind="sale",
        source_id=line.id,
        day=line.sold_ends - timedelta(days=1),
        reference="correction" if line.corrects else "sale",
        quantity=line.quantity,
        base=base,
        royalty=terms.rate.of(base=base, quantity=line.quantity),
        gross=line.gross,
        serials=serials,
        territory=line.territory,
        channel=line.channel,
        flags=tuple(line.flags),
        note=line.note,
    )


def _audits(session: Session, held: License) -> list[Counted]:
    query = (
        select(Inquiry)
        .where(
            Inquiry.license_id == held.id,
            Inquiry.state == "closed",
            Inquiry.adjustment > 0,
            Inquiry.id.not_in(known("audit", held.id)),
        )
        .order_by(Inquiry.closed_at, Inquiry.id)
    )
    return [
        Counted(
            kind="audit",
            source_id=row.id,
            day=(row.closed_at or row.created_at).astimezone(UTC).date(),
            reference=row.kind,
            quantity=0,
            base=row.adjustment,
            royalty=row.adjustment,
        )
        for row in session.scalars(query)
    ]
