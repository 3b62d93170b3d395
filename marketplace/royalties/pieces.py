"""The pieces behind a license: how many were made, with which serials, and what orders earned and paid."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.licensing.grant_models import Serial
from marketplace.licensing.serials import numbers, serials
from marketplace.orders.models import Order, Quote
from marketplace.orders.operations import royalty_terms
from marketplace.royalties.models import StatementLine
from marketplace.royalties.rules import Scheme, order_royalty

#: Pieces of an order exist for the buyer once they are on the way.
_MADE = ("shipped", "delivered")
#: States from the payment on.
_PAID = ("paid", "in_production", *_MADE)


@dataclass(frozen=True, slots=True)
class Earning:
    """What one order earned: `base` is the price of its pieces, `paid` the royalty that was paid with it."""

    order_id: str
    reference: str
    day: date
    quantity: int
    base: int
    royalty: int
    paid: int
    serials: str | None


def made(session: Session, license_id: str) -> int:
    """Pieces that were shipped under a license."""
    query = select(func.coalesce(func.sum(Order.quantity), 0)).where(
        Order.license_id == license_id, Order.state.in_(_MADE)
    )
    return int(session.scalars(query).one())


def earnings(session: Session, license_id: str, scheme: Scheme, before: date) -> list[Earning]:
    """Orders paid before a day (UTC) that no statement has counted, oldest first.

    Orders of a license on net sales earn nothing by themselves and are left out.
    """
    if scheme.base in {None, "net_sales"}:
        return []
    counted = select(StatementLine.source_id).where(
        StatementLine.license_id == license_id, StatementLine.kind == "order"
    )
    query = (
        select(Order, Quote.tooling)
        .outerjoin(Quote, Quote.id == Order.quote_id)
        .where(
            Order.license_id == license_id,
            Order.state.in_(_PAID),
            Order.paid_at < datetime.combine(before, time.min, UTC),
            Order.id.not_in(counted),
        )
        .order_by(Order.paid_at, Order.id)
    )
    named: dict[str | None, list[Serial]] = {}
    for row in serials(session, license_id=license_id):
        named.setdefault(row.order_id, []).append(row)
    return [
        _earning(order, tooling or 0, scheme, numbers(named.get(order.id, [])) or None)
        for order, tooling in session.execute(query)
    ]


def _earning(order: Order, tooling: int, scheme: Scheme, numbered: str | None) -> Earning:
    pieces, paid = (order.production_amount or 0) - tooling, order.royalty_amount or 0
    later = royalty_terms(order).later
    earned = order_royalty(scheme.rate, scheme.base, pieces=pieces, quantity=order.quantity) if later else paid
    when: Any = order.paid_at
    return Earning(
        order_id=order.id,
        reference=order.reference,
        day=when.astimezone(UTC).date(),
        quantity=order.quantity,
        base=pieces,
        royalty=earned,
        paid=0 if later else paid,
        serials=numbered,
    )
