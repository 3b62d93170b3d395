"""Pages of negotiations: opening, thread, counter offer. The list of them is the inbox's."""

from datetime import datetime, timedelta
from typing import Any

from flask import Response, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from marketplace.designs.queries import listed_design
from marketplace.designs.vocabulary import metal_word
from marketplace.kernel import clock
from marketplace.kernel.errors import Invalid
from marketplace.kernel.money import CURRENCIES
from marketplace.licensing import conversing, endings, negotiating, queries, thread
from marketplace.licensing.access import load_negotiation
from marketplace.licensing.brief import page as briefs
from marketplace.licensing.brief.forms import edited
from marketplace.licensing.forms import AnswerForm, CounterForm, MessageForm, NewForm, form_values, until_date
from marketplace.licensing.models import Negotiation
from marketplace.licensing.regions import REGIONS
from marketplace.licensing.term_words import LABELS
from marketplace.licensing.terms import DEFAULT_VALIDITY
from marketplace.licensing.vocabulary import (
    CATEGORIES,
    CHANNELS,
    DERIVATIVES,
    GOVERNING,
    GUARANTEE_SPANS,
    KINDS,
    METAL_FAMILIES,
    ROYALTY_BASES,
    country_names,
)
from marketplace.policy.permissions import Permission
from marketplace.web.call import Call
from marketplace.web.errors import is_htmx
from marketplace.web.forms import FormState, read_form
from marketplace.web.i18n import locale_code
from marketplace.web.navigate import see_other
from marketplace.web.section import Section

section = Section("negotiations", url_prefix="/negotiations")


@section.get("/new", needs=Permission.NEGOTIATION_OPEN)
def new(call: Call, form: FormState | None = None) -> ResponseReturnValue:
    """The first offer for a listed design (`?design=`), filled in with what is usual."""
    design = listed_design(call.session, request.values.get("design", ""))
    running = queries.open_negotiation_id(call.session, call.actor, design.id)
    if running and form is None:
        return see_other("negotiations.show", negotiation_id=running)
    return render_template(
        "negotiations/new.html",
        design=design,
        form=form or FormState.of(**_usual(design)),
        sheet=_sheet(),
        brief=briefs.new_sheet(call.session, design, call.services.storage.image_url),
    )


@section.post("", needs=Permission.NEGOTIATION_OPEN, on_invalid=new)
def create(call: Call) -> ResponseReturnValue:
    """Open the negotiation; a brief that gets or loses a row comes back unsent."""
    if (again := edited()) is not None:
        return new(call, form=again)
    given = read_form(NewForm)
    made = negotiating.open_negotiation(call.session, call.actor, given.design, given.to_terms(), given.message)
    return see_other("negotiations.show", toast=_("Your offer was sent."), negotiation_id=made.id)


@section.get("/<negotiation_id>", needs=Permission.NEGOTIATION_READ, subject=load_negotiation)
def show(call: Call, negotiation: Negotiation, form: FormState | None = None) -> ResponseReturnValue:
    """The thread; after a refusal with what was typed."""
    if form is not None and is_htmx():
        return _news(call, negotiation, form)
    page = thread.read_thread(call.session, call.actor, negotiation, before=_before(request.args.get("before")))
    return render_template("negotiations/show.html", page=page, form=form, now=clock.now(), brief=_brief(call, page))


@section.get("/<negotiation_id>/news", needs=Permission.NEGOTIATION_READ, subject=load_negotiation)
def news(call: Call, negotiation: Negotiation) -> ResponseReturnValue:
    """What came since `after`, for the page that is open; 204 when nothing did."""
    return _news(call, negotiation, None)


@section.post("/<negotiation_id>/read", needs=Permission.NEGOTIATION_READ, subject=load_negotiation)
def read(call: Call, negotiation: Negotiation) -> ResponseReturnValue:
    """Remember that everything up to now was seen."""
    conversing.mark_read(call.session, call.actor, negotiation.id)
    return "", 204


@section.post("/<negotiation_id>/messages", needs=Permission.MESSAGE_SEND, subject=load_negotiation, on_invalid=show)
def message(call: Call, negotiation: Negotiation) -> ResponseReturnValue:
    """Write to the other side."""
    conversing.say(call.session, call.actor, negotiation.id, read_form(MessageForm).text)
    if is_htmx():
        return _news(call, negotiation, FormState())
    return see_other("negotiations.show", negotiation_id=negotiation.id, _anchor="end")


@section.get("/<negotiation_id>/counter", needs=Permission.NEGOTIATION_ACT, subject=load_negotiation)
def counter_page(call: Call, negotiation: Negotiation, form: FormState | None = None) -> ResponseReturnValue:
    """The form of a counter offer, filled in with the terms on the table."""
    page = thread.read_thread(call.session, call.actor, negotiation)
    fresh = FormState.of(
        **form_values(page.last.terms),
        base_version=negotiation.current_version,
        valid_until=until_date(clock.now() + DEFAULT_VALIDITY),
    )
    name = "negotiations/_counter.html" if is_htmx() else "negotiations/counter.html"
    return render_template(
        name,
        page=page,
        form=form or fresh,
        sheet=_sheet(page.last.terms.get("metals")),
        brief=briefs.counter_sheet(call.session, negotiation, call.services.storage.image_url),
    )


@section.post(
    "/<negotiation_id>/counter", needs=Permission.NEGOTIATION_ACT, subject=load_negotiation, on_invalid=counter_page
)
def counter(call: Call, negotiation: Negotiation) -> ResponseReturnValue:
    """Make the counter offer; a brief that gets or loses a row comes back unsent."""
    if (again := edited()) is not None:
        return counter_page(call, negotiation, form=again)
    given = read_form(CounterForm)
    negotiating.make_offer(
        call.session,
        call.actor,
        negotiation.id,
        base_version=given.base_version,
        terms=given.to_terms(),
        message=given.message,
    )
    return see_other("negotiations.show", toast=_("Your offer was sent."), negotiation_id=negotiation.id)


@section.post("/<negotiation_id>/accept", needs=Permission.NEGOTIATION_ACT, subject=load_negotiation, on_invalid=show)
def accept(call: Call, negotiation: Negotiation) -> ResponseReturnValue:
    """Accept the version and the terms that the person saw."""
    given = read_form(AnswerForm)
    if given.terms_hash is None:
        raise Invalid("invalid", "The page is out of date; open it again.")
    made = negotiating.accept(
        call.session, call.actor, negotiation.id, version=given.version, terms_hash=given.terms_hash
    )
    return see_other("licenses.show", toast=_("Accepted. The agreement is being drawn up."), license_id=made.id)


@section.post("/<negotiation_id>/decline", needs=Permission.NEGOTIATION_ACT, subject=load_negotiation, on_invalid=show)
def decline(call: Call, negotiation: Negotiation) -> ResponseReturnValue:
    """Decline, with a reason."""
    given = read_form(AnswerForm)
    endings.decline(call.session, call.actor, negotiation.id, version=given.version, reason=given.reason)
    return see_other("negotiations.show", toast=_("Declined."), negotiation_id=negotiation.id)


@section.post("/<negotiation_id>/withdraw", needs=Permission.NEGOTIATION_ACT, subject=load_negotiation, on_invalid=show)
def withdraw(call: Call, negotiation: Negotiation) -> ResponseReturnValue:
    """Take back one's own last offer."""
    given = read_form(AnswerForm)
    endings.withdraw(call.session, call.actor, negotiation.id, version=given.version)
    return see_other("negotiations.show", toast=_("Your offer was withdrawn."), negotiation_id=negotiation.id)


def _news(call: Call, negotiation: Negotiation, form: FormState | None) -> Response:
    """New entries, and the panel when something moved; `form` brings the composer back (empty, or as typed)."""
    since = _moment(request.values.get("after"))
    seen_version = request.values.get("version", type=int)
    seen_state = request.values.get("state")
    page = thread.read_news(call.session, call.actor, negotiation, since)
    moved = (seen_version, seen_state) != (negotiation.current_version, page.state)
    if not page.entries and not moved and form is None:
        return make_response("", 204)
    return make_response(
        render_template(
            "negotiations/_news.html",
            page=page,
            form=form,
            moved=moved,
            since=since,
            now=clock.now(),
            brief=_brief(call, page) if moved else None,
        )
    )


def _brief(call: Call, page: thread.ThreadPage) -> briefs.Panel | None:
    """The brief of the version on the table."""
    return briefs.panel(call.session, page.negotiation, page.last.terms, call.services.storage.image_url)


def _moment(given: str | None) -> datetime:
    """The page's own time stamp; anything else means an hour ago, which repeats entries but loses none that matter."""
    try:
        found = datetime.fromisoformat(given or "")
    except ValueError:
        found = clock.now() - timedelta(hours=1)
    return found if found.tzinfo else clock.now() - timedelta(hours=1)


def _before(given: str | None) -> tuple[datetime, str] | None:
    if not given or "~" not in given:
        return None
    moment, _tilde, key = given.partition("~")
    try:
        return datetime.fromisoformat(moment), key[:40]
    except ValueError:
        return None


def _usual(design: Any) -> dict[str, Any]:
    """A first offer to start from: what most licenses of this trade look like."""
    price = design.list_price
    values: dict[str, Any] = {
        "kind": "non_exclusive",
        "where": "countries",
        "categories": [design.category] if design.category in CATEGORIES else [],
        "term_months": 24,
        "fee_currency": price.currency if price else "USD",
        "royalty_base": "",
        "derivatives": "none",
        "governing_language": locale_code(),
        "valid_until": until_date(clock.now() + DEFAULT_VALIDITY),
        "design": design.id,
    }
    if price:
        values["fee"] = form_values({"fee": {"amount": price.amount, "currency": price.currency}, "territories": []})[
            "fee"
        ]
    return values


def _sheet(chosen_metals: list[str] | None = None) -> dict[str, Any]:
    """The choices of the term sheet's form; single alloys only where the terms on the table name them."""
    alloys = [metal for metal in chosen_metals or [] if metal not in METAL_FAMILIES]
    names = country_names(locale_code())
    return {
        "labels": LABELS,
        "kinds": list(KINDS.items()),
        "regions": [(code, region.name) for code, region in REGIONS.items()],
        "countries": sorted(names.items(), key=lambda pair: pair[1]),
        "channels": list(CHANNELS.items()),
        "categories": list(CATEGORIES.items()),
        "metals": [*METAL_FAMILIES.items(), *((alloy, metal_word(alloy)) for alloy in alloys)],
        "currencies": list(CURRENCIES),
        "bases": list(ROYALTY_BASES.items()),
        "guarantee_spans": list(GUARANTEE_SPANS.items()),
        "derivatives": list(DERIVATIVES.items()),
        "languages": list(GOVERNING.items()),
    }
