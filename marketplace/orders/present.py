"""Orders, requests and quotes as a given reader may see them. Pages and the API both start here."""

from collections.abc import Iterable, Mapping
from typing import Any

from marketplace.kernel.money import Money
from marketplace.orders.models import Order, Quote, Rfq
from marketplace.orders.operations import royalty_terms
from marketplace.orders.rules import turn, visible


def order_out(
    order: Order, who: Iterable[str], names: Mapping[str, str], *, quotes: int = 1, packed: bool = False
) -> dict[str, Any]:
    """The order with exactly the fields `who` may see; `names` are organizations' names by id."""
    relations = frozenset(who)
    seen = visible(order.state, relations)
    whose = turn(order.state, quotes=quotes, packed=packed)
    found: dict[str, Any] = {
        "id": order.id,
        "reference": order.reference,
        "state": order.state,
        "design": {"id": order.design_id, "title": order.design_title},
        "quantity": order.quantity,
        "lines": order.lines,
        "currency": order.currency,
        "whose_turn": whose[0] if whose else None,
        "next_action": whose[1] if whose else None,
        "your_turn": bool(whose and whose[0] in relations),
        "cancel_reason": order.cancel_reason,
        **{
            name: _time(getattr(order, name))
            for name in ("created_at", "awarded_at", "paid_at", "shipped_at", "delivered_at", "canceled_at")
        },
    }
    for party in ("buyer", "designer", "manager", "maker"):
        org_id = getattr(order, f"{party}_org_id")
        if party in seen:
            found[party] = {"id": org_id, "name": names.get(org_id, "")} if org_id else None
    if "license" in seen:
        found["license"] = order.license_id
    if "ship_to" in seen:
        found["ship_to"] = order.ship_to
    if "production" in seen:
        found["production"] = money_out(order.production)
    if "royalty" in seen:
        found["royalty"] = money_out(order.royalty_due)
        found["royalty_on_sales"] = royalty_terms(order).on_sales
        found["royalty_by_statement"] = royalty_terms(order).later
    if "total" in seen:
        found["total"] = money_out(order.total)
    if "cad" in seen:
        found["cad"] = [{"asset": item["asset_id"], "filename": item["filename"]} for item in order.cad]
    return found


def rfq_out(rfq: Rfq, maker_name: str | None = None) -> dict[str, Any]:
    """A request with its specification and the quote that counts. CAD is named, never linked."""
    quote = rfq.quote
    return {
        "id": rfq.id,
        "order": rfq.order_id,
        "state": rfq.state,
        "manufacturer": {"id": rfq.maker_org_id, "name": maker_name} if maker_name else {"id": rfq.maker_org_id},
        "created_at": _time(rfq.created_at),
        "spec": rfq.spec,
        "cad_locked": "not_assigned" if rfq.state != "won" else "nda_required",
        "quote": quote_out(quote, int(rfq.spec["quantity"])) if quote else None,
    }


def quote_out(quote: Quote, quantity: int) -> dict[str, Any]:
    """A quote; `production` is what the whole order costs at it."""
    return {
        "id": quote.id,
        "rfq": quote.rfq_id,
        "state": quote.state,
        "unit_price": money_out(quote.unit),
        "tooling": money_out(quote.tool),
        "production": money_out(quote.production(quantity)),
        "lead_days": quote.lead_days,
        "valid_until": quote.valid_until.isoformat(),
        "note": quote.note,
        "created_at": _time(quote.created_at),
    }


def money_out(value: Money | None) -> dict[str, Any] | None:
    """Money as the API writes it."""
    return None if value is None else {"amount": value.amount, "currency": value.currency}


def _time(value: Any) -> str | None:
    return value.isoformat() if value else None
