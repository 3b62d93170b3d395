"""API calls of an order as a whole, and of making and shipping it."""

from typing import Any

from marketplace.kernel.money import Money
from marketplace.orders.access import load_order
from marketplace.orders.models import Order
from marketplace.policy.permissions import Permission as P
from marketplace.production import operations, queries
from marketplace.production.forms import EvidenceIn, ShipIn, StageIn
from marketplace.production.operations import Parcel
from marketplace.production.views import announce
from marketplace.web.call import Call
from marketplace.web.section import Api

api = Api("production")


@api.get("/orders/<order_id>", needs=P.ORDER_READ, subject=load_order, summary="An order as the caller may see it")
def order(call: Call, order: Order) -> dict[str, Any]:
    """Only the fields the caller's side may see."""
    return queries.story(call.session, call.actor, order).view


@api.call(
    "POST",
    "/orders/<order_id>/assets",
    needs=P.STAGE_RECORD,
    subject=load_order,
    body=EvidenceIn,
    status=201,
    summary="Announce a photo of a stage",
)
def evidence(call: Call, order: Order, body: EvidenceIn) -> dict[str, Any]:
    """The asset and where to send its bytes; complete it with `POST /assets/{id}/complete`."""
    return announce(call, order, body)


@api.call(
    "POST",
    "/orders/<order_id>/stages",
    needs=P.STAGE_RECORD,
    subject=load_order,
    body=StageIn,
    status=201,
    summary="Record a finished stage",
)
def stage(call: Call, order: Order, body: StageIn) -> dict[str, Any]:
    """The order with the stage; 409 `stage_out_of_order` names the stages that are allowed."""
    operations.record_stage(call.session, call.actor, order, body.stage, note=body.note, evidence=body.evidence)
    return queries.story(call.session, call.actor, order).view


@api.call(
    "POST",
    "/orders/<order_id>/shipments",
    needs=P.SHIPMENT_RECORD,
    subject=load_order,
    body=ShipIn,
    status=201,
    summary="Record the shipment",
)
def ship(call: Call, order: Order, body: ShipIn) -> dict[str, Any]:
    """The order, shipped."""
    value = body.declared_value
    declared = Money(value.amount, value.currency) if value else None
    operations.ship(call.session, call.actor, order, Parcel(body.carrier, body.tracking, declared))
    return queries.story(call.session, call.actor, order).view


@api.call("POST", "/orders/<order_id>/accept-delivery", needs=P.DELIVERY_ACCEPT, subject=load_order)
def accept_delivery(call: Call, order: Order) -> dict[str, Any]:
    """The buyer has the pieces; the held money is released."""
    operations.accept_delivery(call.session, call.actor, order)
    return queries.story(call.session, call.actor, order).view
