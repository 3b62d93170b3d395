"""The page of an order for each of its parties, the workshop's bench page, shipping and accepting."""

from collections.abc import Mapping
from typing import Any

from flask import jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from marketplace.designs import transfers
from marketplace.designs.access import load_asset
from marketplace.designs.models import Asset
from marketplace.designs.queries import cards
from marketplace.designs.rules import LIMITS
from marketplace.designs.uploads import create_asset
from marketplace.designs.vocabulary import reason_text
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import DomainError, Invalid, NotFound
from marketplace.kernel.money import Money, parse_amount
from marketplace.licensing.serials import numbers
from marketplace.manufacturing.models import CadCopy
from marketplace.manufacturing.queries import open_copies
from marketplace.manufacturing.rules import OPEN_STATES
from marketplace.orders.access import load_order
from marketplace.orders.briefs import brief_of
from marketplace.orders.models import Order
from marketplace.orders.views import section as orders
from marketplace.orders.words import line_words, stations, turn_words
from marketplace.payments.queries import gone_back
from marketplace.policy.permissions import Permission as P
from marketplace.production import operations, queries
from marketplace.production.forms import EvidenceIn, ShipForm, StageForm
from marketplace.production.operations import Parcel
from marketplace.production.rules import LAST, choices, progress
from marketplace.production.words import timeline
from marketplace.web.call import AfterCommit, Call
from marketplace.web.forms import FormState, read_form, read_json
from marketplace.web.i18n import Formats
from marketplace.web.navigate import see_other
from marketplace.web.section import Section

section = Section("production", url_prefix="/orders")


@orders.get("/<order_id>", needs=P.ORDER_READ, subject=load_order)
def show(call: Call, order: Order) -> ResponseReturnValue:
    """The order as its reader may see it: stations, whose turn, the one next action, what happened."""
    found = queries.story(call.session, call.actor, order)
    sign = call.services.storage.image_url
    view = found.view
    whose = (view["whose_turn"], view["next_action"]) if view["whose_turn"] else None
    fmt = Formats()
    events = [{**entry, "when": fmt.datetime(entry["at"])} for entry in timeline(order, found, sign)]
    return render_template(
        "orders/show.html",
        order=order,
        found=found,
        copies=_own_copies(call, order, found.who),
        view=view,
        stations=stations(view),
        turn=turn_words(whose, mine=view["your_turn"]),
        lines=[line_words(line) for line in order.lines],
        brief=brief_of(order.spec),
        serials=numbers(found.serials),
        events=events,
        stages=progress(found.stages),
        card=cards(call.session, [order.design_id], sign=sign).get(order.design_id),
        returned_paid=request.args.get("paid") == "1" and order.state == "awarded",
        given_back=order.state in OPEN_STATES and gone_back(call.session, order.id),
    )


def _own_copies(call: Call, order: Order, who: frozenset[str]) -> Mapping[str, CadCopy]:
    """The reader's own copies of the CAD, for a workshop at work."""
    if "maker" not in who or order.state not in OPEN_STATES:
        return {}
    return open_copies(call.session, order.id, call.user_id)


@section.get("/<order_id>/bench", needs=P.STAGE_RECORD, subject=load_order)
def bench(call: Call, order: Order, form: FormState | None = None) -> ResponseReturnValue:
    """The workshop's page for the phone: the next stage, a note, the camera."""
    events = queries.stage_events(call.session, order.id)
    done = [event.stage for event in events]
    used = {asset_id for event in events for asset_id in event.evidence}
    photos = [asset for asset in queries.evidence(call.session, order.id) if asset.id not in used]
    pictures = queries.evidence_pictures(call.session, order.id) if photos else {}
    return render_template(
        "production/bench.html",
        order=order,
        form=form or FormState(),
        stages=progress(done),
        choices=choices(done[-1] if done else None),
        photos=[_photo(call, asset, pictures) for asset in photos],
        max_bytes=LIMITS["evidence"].max_bytes,
        packed=bool(done) and done[-1] == LAST,
        lines=[line_words(line) for line in order.lines],
        brief=brief_of(order.spec),
        given_back=order.state in OPEN_STATES and gone_back(call.session, order.id),
    )


@section.post("/<order_id>/stages", needs=P.STAGE_RECORD, subject=load_order, on_invalid=bench)
def record_stage(call: Call, order: Order) -> ResponseReturnValue:
    """Record a finished stage with the photos that were taken since the last one."""
    given = read_form(StageForm)
    operations.record_stage(call.session, call.actor, order, given.stage, note=given.note or None)
    toast = _("%(stage)s is recorded.", stage=operations.stage_word(given.stage))
    return see_other("production.bench", toast=toast, order_id=order.id)


@section.post("/<order_id>/evidence", needs=P.STAGE_RECORD, subject=load_order)
def add_evidence(call: Call, order: Order) -> ResponseReturnValue:
    """Announce a photo; the script then sends it straight to the object store."""
    return jsonify(announce(call, order, read_json(EvidenceIn))), 201


def announce(call: Call, order: Order, given: EvidenceIn) -> dict[str, Any]:
    """The new asset and where its bytes go; raises Conflict when the order is not being made."""
    operations.check_at_work(order)
    made = create_asset(
        call.session,
        call.actor,
        call.services.storage,
        kind="evidence",
        filename=given.filename,
        content_type=given.content_type,
        size=given.size,
        sha256=given.sha256,
        order_id=order.id,
    )
    upload = {"method": made.upload.method, "url": made.upload.url, "fields": made.upload.fields}
    return {"asset": made.asset.id, "upload": upload}


def load_evidence(session: Session, actor: Actor, order_id: str, asset_id: str) -> Asset:
    """A photo of one's own workshop that belongs to this order; raises NotFound."""
    asset = load_asset(session, actor, asset_id)
    if asset.order_id != order_id or asset.kind != "evidence":
        raise NotFound
    return asset


@section.post("/<order_id>/evidence/<asset_id>/complete", needs=P.ASSET_UPLOAD, subject=load_evidence)
def complete_evidence(call: Call, asset: Asset) -> AfterCommit:
    """The bytes have arrived: look at them outside of any transaction, then have them checked."""

    def run() -> ResponseReturnValue:
        done = transfers.complete(call.services.engine, call.services.storage, call.actor, asset)
        return jsonify({"id": done.id, "state": done.state}), 202

    return AfterCommit(run)


@section.get("/<order_id>/evidence/<asset_id>", needs=P.ASSET_READ, subject=load_evidence)
def evidence_row(call: Call, asset: Asset) -> ResponseReturnValue:
    """One photo's row; it polls itself until the photo is checked."""
    order_id = asset.order_id or ""
    pictures = queries.evidence_pictures(call.session, order_id) if asset.state == "ready" else {}
    return render_template("production/_photo.html", photo=_photo(call, asset, pictures), order_id=order_id)


@section.get("/<order_id>/ship", needs=P.SHIPMENT_RECORD, subject=load_order)
def ship_page(call: Call, order: Order, form: FormState | None = None) -> ResponseReturnValue:
    """Carrier, tracking number, declared value."""
    return render_template("production/ship.html", order=order, form=form or FormState())


@section.post("/<order_id>/shipments", needs=P.SHIPMENT_RECORD, subject=load_order, on_invalid=ship_page)
def ship(call: Call, order: Order) -> ResponseReturnValue:
    """The pieces have left."""
    given = read_form(ShipForm)
    declared = None
    if given.declared:
        try:
            declared = Money(parse_amount(given.declared, order.currency), order.currency)
        except DomainError as error:
            raise Invalid(error.code, error.message, fields={"declared": error.message}) from error
    parcel = Parcel(given.carrier, given.tracking, declared)
    operations.ship(call.session, call.actor, order, parcel)
    return see_other("orders.show", toast=_("The shipment is recorded."), order_id=order.id)


@section.post("/<order_id>/accept-delivery", needs=P.DELIVERY_ACCEPT, subject=load_order)
def accept_delivery(call: Call, order: Order) -> ResponseReturnValue:
    """The buyer has the pieces; the money is released."""
    operations.accept_delivery(call.session, call.actor, order)
    return see_other(
        "orders.show", toast=_("Thank you. The workshop and the designer are paid now."), order_id=order.id
    )


def _photo(call: Call, asset: Asset, pictures: dict[str, Any]) -> dict[str, Any]:
    found = pictures.get(asset.id)
    looks = {"ready": "ready", "rejected": "failed", "awaiting_upload": "waiting"}
    state = looks.get(asset.state, "processing")
    return {
        "id": asset.id,
        "name": asset.filename,
        "state": state,
        "detail": reason_text(asset.reason) or Formats().size(asset.size),
        "src": found.url(call.services.storage.image_url, 320) if found else None,
    }
