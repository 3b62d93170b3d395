"""What a statement counts: orders, reported sales and their corrections, and what audits found; each once."""

from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import Any

from sqlalchemy import String, and_, cast, select
from sqlalchemy.orm import Session

from marketplace.licensing.models import License
from marketplace.orders.models import Order
from marketplace.payments.claims import GiveBack
from marketplace.payments.models import Checkout
from marketplace.royalties import pieces
from marketplace.royalties.models import Inquiry, SalesLine, SalesReport, StatementLine
from marketplace.royalties.reckoning import net_sales
from marketplace.royalties.rules import Scheme


@dataclass(frozen=True, slots=True)
class Counted:
    """A line before it is written, see models.StatementLine."""

    kind: str
    source_id: str
    day: date
    reference: str
    quantity: int
    base: int
    royalty: int
    paid: int = 0
    gross: int | None = None
    serials: str | None = None
    territory: str | None = None
    channel: str | None = None
    flags: tuple[str, ...] = ()
    note: str | None = None


def uncounted(session: Session, held: License, terms: Scheme, before: date) -> list[Counted]:
    """Everything of a license that no statement has counted, in the order it is shown.

    Orders count by the day they were paid, sales by their quarter, both before the day `before` (UTC); corrections of
    earlier quarters and what an audit found count as soon as they are there.
    """
    return [
        *(_of_order(found) for found in pieces.earnings(session, held.id, terms, before)),
        *_refunds(session, held),
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


def _refunds(session: Session, held: License) -> list[Counted]:
    """What went back of royalties that were paid with orders which a statement has counted or counts now."""
    known = _known("refund", held.id)
    query = (
        select(Order, GiveBack)
        .join(Checkout, and_(Checkout.subject_id == Order.id, Checkout.purpose == "order"))
        .join(GiveBack, GiveBack.checkout_id == Checkout.id)
        .where(
            Order.license_id == held.id,
            # Of an order that never began nothing was counted, so its late payment takes nothing off.
            Order.paid_at.is_not(None),
            GiveBack.org_id == held.designer_org_id,
            GiveBack.kind == "royalty",
            # Of a payment that came too late nothing was earned.
            ~Checkout.replaced,
            cast(GiveBack.id, String).not_in(known),
        )
        .order_by(GiveBack.id)
    )
    return [
        Counted(
            kind="refund",
            source_id=str(back.id),
            day=back.created_at.astimezone(UTC).date(),
            reference=order.reference,
            quantity=0,
            base=-(back.net + back.fee),
            royalty=-(back.net + back.fee),
            paid=-(back.net + back.fee),
        )
        for order, back in session.execute(query)
    ]


def _sales(session: Session, held: License, terms: Scheme, before: date) -> list[Counted]:
    query = (
        select(SalesLine)
        .join(SalesReport, SalesReport.id == SalesLine.report_id)
        .where(
            SalesLine.license_id == held.id,
            SalesLine.sold_ends <= before,
            SalesReport.state == "submitted",
            SalesLine.id.not_in(_known("sale", held.id)),
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
            Inquiry.id.not_in(_known("audit", held.id)),
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


def _known(kind: str, license_id: str) -> Any:
    return select(StatementLine.source_id).where(StatementLine.license_id == license_id, StatementLine.kind == kind)
