"""Pages of a workshop's requests: the list, the specification without the CAD, the quote."""

from datetime import timedelta

from flask import render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from marketplace.designs.queries import cards
from marketplace.designs.vocabulary import reason_text
from marketplace.kernel import clock
from marketplace.kernel.errors import Invalid
from marketplace.kernel.money import parse_amount
from marketplace.materials.queries import by_rules_of
from marketplace.orders import queries, routing
from marketplace.orders.access import load_rfq
from marketplace.orders.briefs import brief_of
from marketplace.orders.forms import QuoteForm, RfqFilter
from marketplace.orders.models import Rfq
from marketplace.orders.present import rfq_out
from marketplace.orders.routing import Offer
from marketplace.orders.words import fact_rows, line_words
from marketplace.policy.permissions import Permission as P
from marketplace.studio.checks import verdict_rows
from marketplace.web.call import Call
from marketplace.web.forms import FormState, read_form, read_query
from marketplace.web.navigate import see_other
from marketplace.web.section import Section

section = Section("rfqs", url_prefix="/requests")
#: What a new quote is valid for unless the workshop says otherwise.
VALID_DAYS = 14


@section.get("", needs=P.RFQ_LIST)
def index(call: Call) -> ResponseReturnValue:
    """What this workshop was asked to quote."""
    wanted = read_query(RfqFilter)
    found = queries.rfqs(call.session, call.actor, show=wanted.show, cursor=wanted.cursor, limit=wanted.limit)
    pictures = cards(call.session, [rfq.design_id for rfq in found.items], sign=call.services.storage.image_url)
    return render_template(
        "rfqs/index.html", rfqs=found.items, cards=pictures, next_cursor=found.next_cursor, show=wanted.show
    )


@section.get("/<rfq_id>", needs=P.RFQ_READ, subject=load_rfq)
def show(call: Call, rfq: Rfq, form: FormState | None = None) -> ResponseReturnValue:
    """The specification, the pictures, the locked CAD, and the quote."""
    pictures = cards(call.session, [rfq.design_id], sign=call.services.storage.image_url)
    quote = rfq.quote
    initial = FormState.of(
        lead_days=quote.lead_days if quote else "",
        valid_until=(clock.now() + timedelta(days=VALID_DAYS)).date().isoformat(),
        note=quote.note if quote else "",
    )
    mine = rfq.maker_org_id == call.org_id
    facts = rfq.spec.get("facts") or []
    metal = next((str(line["metal"]) for line in rfq.spec["lines"] if line.get("metal")), "")
    judged = by_rules_of(call.session, call.org_id, facts, metal) if mine else ([], {})
    return render_template(
        "rfqs/show.html",
        findings=[(reason_text(found), found["severity"], found["rule_source"]) for found in judged[0]],
        verdicts=verdict_rows(judged[1]) if mine else [],
        rfq=rfq,
        spec=rfq.spec,
        lines=[line_words(line) for line in rfq.spec["lines"]],
        fact_rows=fact_rows(facts),
        brief=brief_of(rfq.spec),
        view=rfq_out(rfq),
        quote=quote,
        card=pictures.get(rfq.design_id),
        form=form or initial,
        mine=mine,
        today=clock.now().date().isoformat(),
    )


@section.post("/<rfq_id>/quotes", needs=P.QUOTE_SUBMIT, subject=load_rfq, on_invalid=show)
def submit(call: Call, rfq: Rfq) -> ResponseReturnValue:
    """Send a quote, or a new one in place of it."""
    given = read_form(QuoteForm)
    currency = rfq.spec["currency"]
    offer = Offer(
        unit_price=_amount("unit_price", given.unit_price, currency),
        tooling=_amount("tooling", given.tooling or "0", currency),
        lead_days=given.lead_days,
        valid_until=given.valid_until,
        note=given.note or None,
    )
    routing.submit_quote(call.session, call.actor, rfq, offer)
    return see_other("rfqs.show", toast=_("Your quote is sent."), rfq_id=rfq.id)


def _amount(name: str, typed: str, currency: str) -> int:
    try:
        return parse_amount(typed, currency)
    except Invalid as error:
        raise Invalid(error.code, error.message, fields={name: error.message}) from error
