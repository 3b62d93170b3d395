"""Finding a workshop: requests for quotes, quotes, the award. Nothing here commits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Organization
from marketplace.audit.operations import record
from marketplace.db.locks import lock, lock_all
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, Invalid, NotFound
from marketplace.kernel.money import MAX_AMOUNT
from marketplace.notifications.operations import notify_org
from marketplace.orders.models import Order, Quote, Rfq
from marketplace.orders.operations import check_parties, royalty_terms
from marketplace.orders.pricing import price
from marketplace.orders.rules import ORDER, QUOTE, RFQ, check_valid_until
from marketplace.policy.decide import relations_of

MAX_MAKERS = 20


@dataclass(frozen=True, slots=True)
class Offer:
    """What a workshop asks for the order; amounts in minor units of the order's currency."""

    unit_price: int
    tooling: int
    lead_days: int
    valid_until: date
    note: str | None = None


def request_quotes(session: Session, actor: Actor, order: Order, maker_org_ids: Sequence[str]) -> list[Rfq]:
    """Ask vetted workshops for a quote; those already asked are left alone. Returns the new requests.

    Raises Invalid `manufacturer_unknown` when one is not an approved manufacturer.
    """
    row = lock(session, Order, order.id)
    ORDER.target(row.state, "request_quotes", relations_of(row, actor))
    wanted = sorted(set(maker_org_ids))
    if not wanted or len(wanted) > MAX_MAKERS:
        text = "Choose at least one."
        raise Invalid("manufacturers_missing", "Choose between one and twenty workshops.", fields={"makers": text})
    vetted = select(Organization.id).where(
        Organization.id.in_(wanted), Organization.kind == "manufacturer", Organization.state == "approved"
    )
    if set(session.scalars(vetted)) != set(wanted):
        text = "Choose one of the offered values."
        raise Invalid("manufacturer_unknown", "One of these is not an approved workshop.", fields={"makers": text})
    asked = set(session.scalars(select(Rfq.maker_org_id).where(Rfq.order_id == row.id)))
    spec = _spec(row)
    made = [
        Rfq(
            order_id=row.id,
            design_id=row.design_id,
            designer_org_id=row.designer_org_id,
            manager_org_id=row.manager_org_id,
            maker_org_id=maker,
            state=RFQ.initial,
            spec=spec,
            quotes=[],
        )
        for maker in wanted
        if maker not in asked
    ]
    session.add_all(made)
    session.flush()
    before = ORDER.advance(row, "request_quotes", relations_of(row, actor))
    row.quotes_asked_at = row.quotes_asked_at or clock.now()
    for rfq in made:
        record(session, actor, "rfq.sent", rfq.id, owner_org_id=rfq.maker_org_id, order=row.id)
        notify_org(
            session,
            rfq.maker_org_id,
            "rfq_received",
            path=f"/requests/{rfq.id}",
            quantity=row.quantity,
            design=row.design_title,
        )
    if made and before == "placed":
        notify_org(
            session,
            row.buyer_org_id,
            "order_quoting",
            path=f"/orders/{row.id}",
            mail=False,
            design=row.design_title,
            makers=len(made),
        )
    return made


def submit_quote(session: Session, actor: Actor, rfq: Rfq, offer: Offer) -> Quote:
    """Answer a request; an earlier answer is replaced until the award. Raises Invalid for impossible figures."""
    row = lock(session, Rfq, rfq.id)
    RFQ.target(row.state, "quote", relations_of(row, actor))
    _check_offer(offer)
    for old in session.scalars(select(Quote).where(Quote.rfq_id == row.id, Quote.state.in_(("open", "expired")))):
        QUOTE.advance(old, "replace", relations_of(row, actor))
    session.flush()
    quote = Quote(
        rfq_id=row.id,
        order_id=row.order_id,
        manager_org_id=row.manager_org_id,
        maker_org_id=row.maker_org_id,
        user_id=actor.user_id or "",
        unit_price=offer.unit_price,
        tooling=offer.tooling,
        currency=row.spec["currency"],
        lead_days=offer.lead_days,
        valid_until=offer.valid_until,
        note=offer.note,
        state=QUOTE.initial,
    )
    session.add(quote)
    RFQ.advance(row, "quote", relations_of(row, actor))
    session.flush()
    record(session, actor, "quote.submitted", quote.id, owner_org_id=row.manager_org_id, rfq=row.id)
    notify_org(
        session,
        row.manager_org_id,
        "quote_received",
        path=f"/orders/{row.order_id}",
        maker=actor.org_name,
        design=row.spec["title"],
    )
    return quote


def award(session: Session, actor: Actor, order: Order, quote_id: str) -> Order:
    """Give the order to one quote; every other request is closed and told so.

    Raises Conflict `quote_expired` past its last day, `quote_replaced` when the workshop has quoted anew meanwhile,
    `illegal_transition` when another award was first, `manufacturer_not_approved`, `party_suspended`; NotFound for a
    quote of another order.
    """
    row = lock(session, Order, order.id)
    who = relations_of(row, actor)
    ORDER.target(row.state, "award", who)
    rfqs = lock_all(session, Rfq, session.scalars(select(Rfq.id).where(Rfq.order_id == row.id)).all())
    quotes = lock_all(session, Quote, session.scalars(select(Quote.id).where(Quote.order_id == row.id)).all())
    chosen = next((quote for quote in quotes if quote.id == quote_id), None)
    if chosen is None:
        raise NotFound
    if chosen.state == "replaced":
        raise Conflict("quote_replaced", "The workshop has sent a new quote. Compare again before you award.")
    if chosen.state == "expired":
        raise Conflict("quote_expired", "This quote has expired. Ask the workshop to renew it.")
    check_valid_until(chosen.valid_until, clock.now().astimezone(UTC).date())
    still = session.scalars(select(Organization.state).where(Organization.id == chosen.maker_org_id)).one()
    if still != "approved":
        raise Conflict("manufacturer_not_approved", "This workshop is not approved any more. Choose another one.")
    check_parties(session, row.buyer_org_id, row.designer_org_id)
    QUOTE.advance(chosen, "win", who)
    for quote in quotes:
        if quote.id != chosen.id and quote.state in {"open", "expired"}:
            QUOTE.advance(quote, "lose", who)
    for rfq in rfqs:
        RFQ.advance(rfq, "win" if rfq.id == chosen.rfq_id else "lose", who)
    _settle(session, row, chosen)
    ORDER.advance(row, "award", who)
    session.flush()
    record(session, actor, "order.awarded", row.id, owner_org_id=row.buyer_org_id, quote=chosen.id)
    _tell_award(session, row, rfqs, chosen)
    return row


def _settle(session: Session, order: Order, quote: Quote) -> None:
    figures = price(quote.unit, quote.tool, order.quantity, royalty_terms(order))
    order.maker_org_id, order.quote_id, order.awarded_at = quote.maker_org_id, quote.id, clock.now()
    order.production_amount = figures.production.amount
    order.royalty_amount = figures.royalty.amount
    order.total_amount = figures.total.amount


def _tell_award(session: Session, order: Order, rfqs: Sequence[Rfq], chosen: Quote) -> None:
    path, design = f"/orders/{order.id}", order.design_title
    notify_org(session, order.buyer_org_id, "order_to_pay", path=path, design=design)
    notify_org(session, chosen.maker_org_id, "quote_awarded", path=path, design=design)
    for rfq in rfqs:
        if rfq.id != chosen.rfq_id:
            notify_org(session, rfq.maker_org_id, "quote_declined", path=f"/requests/{rfq.id}", design=design)


def _check_offer(offer: Offer) -> None:
    if not 0 < offer.unit_price <= MAX_AMOUNT:
        text = "The price must be above zero."
        raise Invalid("price_invalid", "The price must be above zero.", fields={"unit_price": text})
    if not 0 <= offer.tooling <= MAX_AMOUNT:
        text = "Tooling cannot cost less than nothing."
        raise Invalid("tooling_invalid", "Tooling cannot cost less than nothing.", fields={"tooling": text})
    if not 1 <= offer.lead_days <= 730:
        text = "Between 1 and 730 days."
        raise Invalid("lead_days_invalid", "The lead time is between 1 and 730 days.", fields={"lead_days": text})
    if offer.valid_until < clock.now().astimezone(UTC).date():
        text = "The date has passed."
        raise Invalid("valid_until_past", "The quote must be valid today at least.", fields={"valid_until": text})


def _spec(order: Order) -> dict[str, Any]:
    """What a workshop may know before it has the order: figures and facts, no CAD, no names, no address."""
    return {
        "title": order.design_title,
        "category": order.spec.get("category"),
        "reference": order.reference,
        "quantity": order.quantity,
        "lines": order.lines,
        "currency": order.currency,
        "country": order.ship_to.get("country"),
        "facts": order.spec.get("facts") or [],
        "brief": order.spec.get("brief") or [],
        "metals": order.spec.get("metals") or [],
        "cad": [item["filename"] for item in order.cad],
    }
