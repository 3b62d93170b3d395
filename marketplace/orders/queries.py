"""Reading orders, requests and workshops; bounded, by index ranges."""

from collections.abc import Sequence

from sqlalchemy import and_, func, inspect, select
from sqlalchemy.orm import Session, joinedload, selectinload

from marketplace.accounts.models import Organization
from marketplace.accounts.queries import organization_names
from marketplace.kernel.actor import Actor
from marketplace.orders.models import Order, Rfq
from marketplace.orders.rules import CLOSED
from marketplace.web.paging import Page, page

#: Role -> the column of Order that holds its organization, and the states in which it is that side's turn.
_SIDES = {
    "buyer": (Order.buyer_org_id, ("awarded", "shipped")),
    "designer": (Order.designer_org_id, ()),
    "production_manager": (Order.manager_org_id, ("placed", "quoting")),
    "manufacturer": (Order.maker_org_id, ("paid", "in_production")),
}


def orders(
    session: Session, actor: Actor, *, show: str = "all", cursor: str | None = None, limit: int = 24
) -> Page[Order]:
    """The orders of the actor's organization in its role, newest first; `show` open, waiting (own turn), done, all."""
    side, waiting = _SIDES[actor.role or "designer"]
    query = select(Order).where(side == actor.org_id)
    if show == "open":
        query = query.where(Order.state.not_in(CLOSED))
    elif show == "waiting":
        query = query.where(Order.state.in_(waiting))
    elif show == "done":
        query = query.where(Order.state.in_(CLOSED))
    return page(session, query, (Order.created_at, Order.id), cursor=cursor or None, limit=limit)


def orders_waiting(session: Session, actor: Actor) -> int:
    """How many orders wait for the actor's side, at most 100; for home pages."""
    found = _SIDES.get(actor.role or "")
    if found is None or not found[1]:
        return 0
    side, waiting = found
    inner = select(Order.id).where(side == actor.org_id, Order.state.in_(waiting)).limit(100).subquery()
    return session.scalars(select(func.count()).select_from(inner)).one()


def rfqs(session: Session, actor: Actor, *, show: str = "all", cursor: str | None = None, limit: int = 24) -> Page[Rfq]:
    """The requests a workshop received, newest first, with their quotes."""
    query = select(Rfq).where(Rfq.maker_org_id == actor.org_id).options(selectinload(Rfq.quotes))
    if show != "all":
        query = query.where(Rfq.state == show)
    return page(session, query, (Rfq.created_at, Rfq.id), cursor=cursor or None, limit=limit)


def rfqs_of(session: Session, order: Order) -> Sequence[Rfq]:
    """Every request of an order with its workshop and quotes, in the order they were sent. One statement."""
    query = (
        select(Rfq)
        .where(Rfq.order_id == order.id)
        .options(joinedload(Rfq.quotes), joinedload(Rfq.maker).load_only(Organization.name))
        .order_by(Rfq.created_at, Rfq.id)
    )
    return session.scalars(query).unique().all()


def party_names(session: Session, order: Order) -> dict[str, str]:
    """Names of an order's parties by id; read anew only when the order was not loaded with them."""
    parties = ("buyer", "designer", "manager", "maker")
    if set(parties) & inspect(order).unloaded:
        return organization_names(session, {getattr(order, f"{p}_org_id") for p in parties} - {None})
    return {org.id: org.name for p in parties if (org := getattr(order, p)) is not None}


def vetted_makers(session: Session) -> Sequence[Organization]:
    """Approved workshops by name."""
    query = select(Organization).where(and_(Organization.kind == "manufacturer", Organization.state == "approved"))
    return session.scalars(query.order_by(Organization.name, Organization.id).limit(200)).all()


def managers(session: Session) -> list[tuple[str, str]]:
    """(id, name) of approved production managers, the oldest first."""
    query = select(Organization.id, Organization.name).where(
        Organization.kind == "production_manager", Organization.state == "approved"
    )
    rows = session.execute(query.order_by(Organization.created_at, Organization.id).limit(50))
    return [(row.id, row.name) for row in rows]
