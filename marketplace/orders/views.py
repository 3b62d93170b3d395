"""Pages of orders: the list, placing one under a license, routing it to workshops, paying, canceling.

The page of a single order is in `production`, which knows everything an order is made of.
"""

from collections.abc import Sequence
from typing import Any

from flask import make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from marketplace.accounts.models import Organization
from marketplace.accounts.queries import organization_names
from marketplace.designs.queries import cards
from marketplace.designs.vocabulary import metal_options
from marketplace.gateways.documents import make_pdf
from marketplace.gateways.s3_names import content_disposition
from marketplace.kernel import clock
from marketplace.kernel.errors import Invalid
from marketplace.licensing.access import load_license
from marketplace.licensing.models import License
from marketplace.licensing.serials import units
from marketplace.licensing.vocabulary import country_names
from marketplace.orders import briefs, operations, queries, routing
from marketplace.orders.access import load_order
from marketplace.orders.forms import AwardForm, CancelForm, MakersForm, OrderFilter, OrderForm
from marketplace.orders.models import Order
from marketplace.orders.operations import Line, ShipTo
from marketplace.orders.present import order_out
from marketplace.orders.words import turn_words
from marketplace.payments.checkout import url_for_checkout
from marketplace.policy.decide import relations_of
from marketplace.policy.permissions import Permission as P
from marketplace.web.call import AfterCommit, Call
from marketplace.web.forms import FormState, read_form, read_query
from marketplace.web.i18n import locale_code
from marketplace.web.limits import limit
from marketplace.web.navigate import see_other
from marketplace.web.section import Section

section = Section("orders", url_prefix="/orders")
#: The metal a line starts with where the license allows it.
_USUAL = "18k_yellow"


@section.get("", needs=P.ORDER_LIST)
def index(call: Call) -> ResponseReturnValue:
    """The orders of the organization, each with whose turn it is."""
    wanted = read_query(OrderFilter)
    found = queries.orders(call.session, call.actor, show=wanted.show, cursor=wanted.cursor, limit=wanted.limit)
    rows = order_rows(call, found.items)
    pictures = cards(call.session, [order.design_id for order in found.items], sign=call.services.storage.image_url)
    return render_template(
        "orders/index.html", rows=rows, cards=pictures, next_cursor=found.next_cursor, show=wanted.show
    )


def order_rows(call: Call, found: Sequence[Order]) -> list[dict[str, Any]]:
    """Orders as the actor sees them, with the turn in words."""
    orgs = {getattr(o, f"{p}_org_id") for o in found for p in ("buyer", "designer", "manager", "maker")} - {None}
    names = organization_names(call.session, orgs)
    rows = []
    for order in found:
        row = order_out(order, relations_of(order, call.actor), names)
        whose = (row["whose_turn"], row["next_action"]) if row["whose_turn"] else None
        rows.append({**row, "turn": turn_words(whose, mine=row["your_turn"]), "placed": order.created_at})
    return rows


@section.get("/new/<license_id>", needs=P.ORDER_CREATE, subject=load_license)
def new(call: Call, license: License, form: FormState | None = None) -> ResponseReturnValue:
    """The form of an order under a license; the address starts as the organization's own."""
    own = call.session.get_one(Organization, call.org_id)
    initial = FormState.of(name=own.name, line1=own.address, country=own.country)
    allowed = operations.licensed_metals(license.terms)
    return render_template(
        "orders/new.html",
        license=license,
        form=form or initial,
        units=units(call.session, license),
        default_metal=_USUAL,
        metals=[(code, word) for code, word in metal_options() if code in allowed],
        managers=queries.managers(call.session),
        countries=sorted(country_names(locale_code()).items(), key=lambda pair: pair[1]),
    )


@section.post("/new/<license_id>", needs=P.ORDER_CREATE, subject=load_license, on_invalid=new)
def create(call: Call, license: License) -> ResponseReturnValue:
    """Place the order."""
    given = read_form(OrderForm)
    order = operations.place_order(
        call.session,
        call.actor,
        license.id,
        lines=_lines(),
        ship_to=ShipTo(
            name=given.name,
            line1=given.line1,
            line2=given.line2 or None,
            city=given.city,
            region=given.region or None,
            postal_code=given.postal_code or None,
            country=given.country,
            phone=given.phone or None,
        ),
        manager_org_id=given.manager or None,
    )
    return see_other("orders.show", toast=_("The order is placed."), order_id=order.id)


@section.get("/<order_id>/tech-pack.pdf", needs=P.ORDER_READ, subject=load_order)
def tech_pack(call: Call, order: Order) -> AfterCommit:
    """Pieces, brief and figures as a document in the reader's language; made when asked for, after the transaction."""
    limit("tech_pack", call.user_id, "20 per minute")
    values, title = briefs.document(order, call.settings.brand_name), order.design_title

    def made() -> ResponseReturnValue:
        answer = make_response(make_pdf(briefs.TEMPLATE, values, clock.now()))
        answer.headers["Content-Type"] = "application/pdf"
        answer.headers["Content-Disposition"] = content_disposition("inline", f"{title}.pdf")
        return answer

    return AfterCommit(made)


@section.post("/<order_id>/cancel", needs=P.ORDER_CANCEL, subject=load_order)
def cancel(call: Call, order: Order) -> ResponseReturnValue:
    """Stop the order before it is paid."""
    operations.cancel(call.session, call.actor, order, read_form(CancelForm).reason or None)
    return see_other("orders.show", toast=_("The order is canceled."), order_id=order.id)


@section.get("/<order_id>/makers", needs=P.ORDER_ROUTE, subject=load_order)
def makers(call: Call, order: Order, form: FormState | None = None) -> ResponseReturnValue:
    """Vetted workshops to choose from, with what they say of themselves."""
    asked = {rfq.maker_org_id for rfq in queries.rfqs_of(call.session, order)}
    return render_template(
        "orders/makers.html",
        order=order,
        form=form or FormState(),
        makers=queries.vetted_makers(call.session),
        asked=asked,
    )


@section.post("/<order_id>/makers", needs=P.ORDER_ROUTE, subject=load_order, on_invalid=makers)
def request_quotes(call: Call, order: Order) -> ResponseReturnValue:
    """Ask the chosen workshops."""
    made = routing.request_quotes(call.session, call.actor, order, read_form(MakersForm).makers)
    return see_other("orders.show", toast=_("Asked %(count)s workshops.", count=len(made)), order_id=order.id)


@section.post("/<order_id>/award", needs=P.ORDER_AWARD, subject=load_order)
def award(call: Call, order: Order) -> ResponseReturnValue:
    """Give the order to one quote."""
    routing.award(call.session, call.actor, order, read_form(AwardForm).quote)
    return see_other("orders.show", toast=_("The order is awarded."), order_id=order.id)


@section.post("/<order_id>/checkout", needs=P.ORDER_PAY, subject=load_order)
def checkout(call: Call, order: Order) -> AfterCommit:
    """Go to the payment page."""
    checkout_id = operations.open_order_checkout(call.session, call.actor, order)
    return AfterCommit(lambda: redirect(url_for_checkout(call.services, call.actor, checkout_id), code=303))


def _lines() -> list[Line]:
    """The rows that were filled in; raises Invalid for a quantity that is not a whole number above zero."""
    metals, sizes = request.form.getlist("metal"), request.form.getlist("ring_size")
    engravings = request.form.getlist("engraving")
    found = []
    for index, typed in enumerate(request.form.getlist("quantity")):
        if not typed.strip():
            continue
        number = typed.strip()
        if not (number.isascii() and number.isdigit()) or len(number) > 6 or not 0 < int(number) <= 100_000:
            text = "Write a whole number of pieces, one or more."
            raise Invalid("quantity_invalid", "Write a whole number of pieces, one or more.", fields={"quantity": text})
        found.append(
            Line(
                quantity=int(number),
                metal=metals[index] if index < len(metals) else "",
                ring_size=_at(sizes, index, 20),
                engraving=_at(engravings, index, 60),
            )
        )
    return found


def _at(values: list[str], index: int, limit: int) -> str | None:
    return (values[index].strip()[:limit] or None) if index < len(values) else None
