"""API calls of orders up to the payment. `GET /orders/{id}` and what follows the payment are in `production`."""

from typing import Any

from flask import request

from marketplace.accounts.queries import organization_names
from marketplace.kernel.errors import Invalid
from marketplace.licensing.access import load_license
from marketplace.licensing.models import License
from marketplace.orders import operations, queries, routing
from marketplace.orders.access import load_order, load_rfq
from marketplace.orders.forms import (
    AwardIn,
    CancelForm,
    MoneyIn,
    OrderFilter,
    OrderIn,
    OrdersOut,
    QuoteIn,
    RfqFilter,
    RfqsIn,
    UrlOut,
)
from marketplace.orders.models import Order, Rfq
from marketplace.orders.operations import Line, ShipTo
from marketplace.orders.present import order_out, quote_out, rfq_out
from marketplace.orders.routing import Offer
from marketplace.payments.checkout import url_for_checkout
from marketplace.policy.decide import relations_of
from marketplace.policy.permissions import Permission as P
from marketplace.web.call import AfterCommit, Call
from marketplace.web.forms import read_json, read_query
from marketplace.web.section import Api

api = Api("orders")


@api.call(
    "POST",
    "/licenses/<license_id>/orders",
    needs=P.ORDER_CREATE,
    subject=load_license,
    body=OrderIn,
    status=201,
    summary="Order pieces under an active license",
)
def place(call: Call, license: License, body: OrderIn) -> dict[str, Any]:
    """The new order."""
    order = operations.place_order(
        call.session,
        call.actor,
        license.id,
        lines=[Line(**line.model_dump()) for line in body.lines],
        ship_to=ShipTo(**body.ship_to.model_dump()),
        manager_org_id=body.production_manager,
    )
    return shown(call, order)


@api.get("/orders", needs=P.ORDER_LIST, returns=OrdersOut, summary="The organization's orders")
def orders(call: Call) -> OrdersOut:
    """Orders, newest first; `?show=` open, waiting, done or all."""
    wanted = read_query(OrderFilter)
    found = queries.orders(call.session, call.actor, show=wanted.show, cursor=wanted.cursor, limit=wanted.limit)
    orgs = {getattr(o, f"{p}_org_id") for o in found.items for p in ("buyer", "designer", "manager", "maker")} - {None}
    names = organization_names(call.session, orgs)
    items = [order_out(order, relations_of(order, call.actor), names) for order in found.items]
    return OrdersOut(items=items, next_cursor=found.next_cursor)


@api.call(
    "POST",
    "/orders/<order_id>/rfqs",
    needs=P.ORDER_ROUTE,
    subject=load_order,
    body=RfqsIn,
    status=201,
    summary="Ask vetted workshops for quotes",
)
def request_quotes(call: Call, order: Order, body: RfqsIn) -> dict[str, Any]:
    """The requests that were made; a workshop that was asked before is not asked again."""
    made = routing.request_quotes(call.session, call.actor, order, body.manufacturers)
    return {"items": [rfq_out(rfq) for rfq in made], "state": order.state}


@api.get("/orders/<order_id>/rfqs", needs=P.ORDER_ROUTE, subject=load_order, summary="The requests and quotes")
def order_rfqs(call: Call, order: Order) -> dict[str, Any]:
    """Every request of the order with its quote, for comparing."""
    found = queries.rfqs_of(call.session, order)
    return {"items": [rfq_out(rfq, rfq.maker.name) for rfq in found]}


@api.get("/rfqs", needs=P.RFQ_LIST, returns=OrdersOut, summary="Requests this workshop received")
def rfqs(call: Call) -> OrdersOut:
    """Requests, newest first; `?show=` open, quoted, won, lost or all."""
    wanted = read_query(RfqFilter)
    found = queries.rfqs(call.session, call.actor, show=wanted.show, cursor=wanted.cursor, limit=wanted.limit)
    return OrdersOut(items=[rfq_out(rfq) for rfq in found.items], next_cursor=found.next_cursor)


@api.get("/rfqs/<rfq_id>", needs=P.RFQ_READ, subject=load_rfq, summary="A request with its specification")
def rfq(call: Call, rfq: Rfq) -> dict[str, Any]:
    """The specification without the CAD, and the quote."""
    return rfq_out(rfq)


@api.call(
    "POST",
    "/rfqs/<rfq_id>/quotes",
    needs=P.QUOTE_SUBMIT,
    subject=load_rfq,
    body=QuoteIn,
    status=201,
    summary="Quote, or replace the quote",
)
def quote(call: Call, rfq: Rfq, body: QuoteIn) -> dict[str, Any]:
    """The quote as it counts now."""
    currency = rfq.spec["currency"]
    offer = Offer(
        unit_price=_amount("/unit_price", body.unit_price, currency),
        tooling=_amount("/tooling", body.tooling, currency) if body.tooling else 0,
        lead_days=body.lead_days,
        valid_until=body.valid_until,
        note=body.note,
    )
    made = routing.submit_quote(call.session, call.actor, rfq, offer)
    return quote_out(made, int(rfq.spec["quantity"]))


@api.call("POST", "/orders/<order_id>/award", needs=P.ORDER_AWARD, subject=load_order, body=AwardIn)
def award(call: Call, order: Order, body: AwardIn) -> dict[str, Any]:
    """Give the order to one quote; 409 for an expired or replaced one, or when another award was first."""
    return shown(call, routing.award(call.session, call.actor, order, body.quote))


@api.call(
    "POST",
    "/orders/<order_id>/checkout",
    needs=P.ORDER_PAY,
    subject=load_order,
    returns=UrlOut,
    summary="The payment page of an awarded order",
)
def checkout(call: Call, order: Order) -> AfterCommit:
    """The address of the payment page; the state turns paid by webhook alone."""
    checkout_id = operations.open_order_checkout(call.session, call.actor, order)
    return AfterCommit(lambda: UrlOut(url=url_for_checkout(call.services, call.actor, checkout_id)))


@api.call("POST", "/orders/<order_id>/cancel", needs=P.ORDER_CANCEL, subject=load_order)
def cancel(call: Call, order: Order) -> dict[str, Any]:
    """Stop an order before it is paid."""
    reason = read_json(CancelForm).reason if request.get_data() else ""
    return shown(call, operations.cancel(call.session, call.actor, order, reason or None))


def shown(call: Call, order: Order) -> dict[str, Any]:
    """The order as the caller may see it."""
    return order_out(order, relations_of(order, call.actor), queries.party_names(call.session, order))


def _amount(pointer: str, given: MoneyIn, currency: str) -> int:
    if given.currency != currency:
        text = "Quote in the currency of the request."
        raise Invalid("currency_mismatch", "Quote in the currency of the request.", fields={pointer: text})
    return given.amount
