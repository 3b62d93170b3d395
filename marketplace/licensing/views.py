"""Pages of negotiations: opening, thread, counter offer. The list of them is the inbox's."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from flask import make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from marketplace.designs.models import Design
from marketplace.designs.queries import listed_design
from marketplace.designs.rules import LIMITS
from marketplace.kernel import clock
from marketplace.kernel.errors import Invalid
from marketplace.kernel.ids import new_id
from marketplace.licensing import conversing, endings, findings, negotiating, queries, thread
from marketplace.licensing.access import load_negotiation
from marketplace.licensing.brief import page as briefs
from marketplace.licensing.brief.forms import edited
from marketplace.licensing.entries import DECLINED_FOR, WayOut
from marketplace.licensing.forms import (
    AnswerForm,
    CounterForm,
    MessageForm,
    NewForm,
    OneTermForm,
    alone,
    form_values,
    until_date,
    whole_form,
    with_one_term,
)
from marketplace.licensing.models import Negotiation, Offer
from marketplace.licensing.playbook import holding
from marketplace.licensing.playbook import queries as playbook
from marketplace.licensing.refusal.models import FirstAsk
from marketplace.licensing.refusal.queries import load_ask
from marketplace.licensing.room import tag_of
from marketplace.licensing.rules import state_now
from marketplace.licensing.sheets import start, term_choices
from marketplace.licensing.term_words import LABELS
from marketplace.licensing.terms import DEFAULT_VALIDITY
from marketplace.policy.permissions import Permission
from marketplace.web.call import Call
from marketplace.web.errors import is_htmx
from marketplace.web.forms import FormState, read_form
from marketplace.web.i18n import locale_code
from marketplace.web.limits import limit
from marketplace.web.navigate import see_other
from marketplace.web.section import Section

section = Section("negotiations", url_prefix="/negotiations")

#: How often one organization can take one negotiation up again.
REOPENINGS = "10 per day"
#: Years of the moments that addresses of a thread may name.
_FIRST_YEAR, _LAST_YEAR = 2000, 9000
_ASKED = _l("This is above your limit. Your colleagues were asked to approve it.")


@section.get("/new", needs=Permission.NEGOTIATION_OPEN)
def new(call: Call, form: FormState | None = None) -> ResponseReturnValue:
    """The first offer for a listed design (`?design=`), filled in with what is usual."""
    design = listed_design(call.session, request.values.get("design", ""))
    running = queries.running(call.session, call.actor, design.id)
    if running and form is None:
        return see_other("negotiations.show", negotiation_id=running.id)
    first = playbook.start_of(call.session, design.org_id, design.id)
    initial = start(design, first.sheet)
    if (asked := _asked_first(call, design.id)) is not None:
        # Nothing of the studio's own sheet: what the asked terms leave open is open.
        initial = {"valid_until": initial["valid_until"], **form_values(asked.terms)}
    return render_template(
        "negotiations/new.html",
        design=design,
        form=form or FormState.of(**initial),
        start=None if asked else first,
        asked=asked,
        sheet=term_choices(),
        brief=briefs.new_sheet(call.session, design, call.services.storage.image_url),
    )


@section.post("", needs=Permission.NEGOTIATION_OPEN, on_invalid=new)
def create(call: Call) -> ResponseReturnValue:
    """Open the negotiation; a brief that gets or loses a row, or other rights, come back unsent."""
    if (again := edited()) is not None:
        return new(call, form=again)
    design = listed_design(call.session, request.form.get("design", ""))
    given = read_form(NewForm)
    terms = given.to_terms()
    if (filled := findings.used(call.session, design, terms, request.form, holder=call.org_id)) is not None:
        return new(call, form=filled)
    findings.warn(call.session, design, terms, holder=call.org_id)
    if holding.hold_opening(call.session, call.actor, given.design, terms, given.message):
        return see_other("approvals.index", toast=str(_ASKED))
    made = negotiating.open_negotiation(call.session, call.actor, given.design, terms, given.message)
    return see_other("negotiations.show", toast=_("Your offer was sent."), negotiation_id=made.id)


@section.get("/<negotiation_id>", needs=Permission.NEGOTIATION_READ, subject=load_negotiation)
def show(call: Call, negotiation: Negotiation, form: FormState | None = None) -> ResponseReturnValue:
    """The thread; after a refusal with what was typed."""
    before = _before(request.args.get("before"))
    page = thread.read_thread(call.session, call.actor, negotiation, way_out(negotiation), before=before)
    if form is not None and is_htmx():
        return render_template(
            "negotiations/_composer.html", page=page, form=form, about=_about(page), client_key=new_id("key")
        )
    return render_template(
        "negotiations/show.html",
        page=page,
        form=form,
        about=_about(page),
        older=before is not None,
        tag=page.tag,
        sign=call.services.storage.image_url,
        reasons=DECLINED_FOR,
        labels=LABELS,
        client_key=new_id("key"),
        changes=thread.what_changed(form.extra) if form else [],
        attachments=LIMITS["attachment"],
        brief=_brief(call, page),
    )


@section.get("/<negotiation_id>/news", needs=Permission.NEGOTIATION_READ, subject=load_negotiation)
def news(call: Call, negotiation: Negotiation) -> ResponseReturnValue:
    """What came since `after`, for the page that is open; 304 when nothing moved since the tag it holds."""
    state = state_now(negotiation, clock.now())
    tag = tag_of(call.session, negotiation, state, locale_code())
    if request.headers.get("If-None-Match") == f'"{tag}"':
        return "", 304
    since = _moment(request.args.get("after"))
    page = thread.read_news(call.session, call.actor, negotiation, way_out(negotiation), since)
    seen = (request.args.get("version", type=int), request.args.get("state"))
    turned = seen != (negotiation.current_version, page.state)
    asked = page.considered != ("considered" in request.args)
    moved = turned or asked or any(entry.kind != "message" for entry in page.entries)
    if not page.entries and not moved and "If-None-Match" not in request.headers:
        return "", 204
    response = make_response(
        render_template(
            "negotiations/_news.html",
            page=page,
            moved=moved,
            tag=tag,
            sign=call.services.storage.image_url,
            reasons=DECLINED_FOR,
            labels=LABELS,
            turned=turned,
            rights=turned or any(entry.rights for entry in page.entries),
            brief=_brief(call, page) if turned else None,
        )
    )
    response.headers["ETag"] = f'"{tag}"'
    return response


@section.post("/<negotiation_id>/read", needs=Permission.NEGOTIATION_READ, subject=load_negotiation)
def read(call: Call, negotiation: Negotiation) -> ResponseReturnValue:
    """Remember that everything up to `until` (default: now) was seen."""
    until = request.form.get("until")
    conversing.mark_read(call.session, call.actor, negotiation.id, _moment(until) if until else None)
    return "", 204


@section.post("/<negotiation_id>/messages", needs=Permission.MESSAGE_SEND, subject=load_negotiation, on_invalid=show)
def message(call: Call, negotiation: Negotiation) -> ResponseReturnValue:
    """Write to the other side; the page's script shows the new line by asking for news."""
    given = read_form(MessageForm)
    conversing.say(
        call.session,
        call.actor,
        negotiation.id,
        given.text,
        about=given.about,
        files=given.files,
        client_key=given.client_key,
    )
    if is_htmx():
        return "", 204
    return see_other("negotiations.show", negotiation_id=negotiation.id, _anchor="end")


@section.get("/<negotiation_id>/counter", needs=Permission.NEGOTIATION_ACT, subject=load_negotiation)
def counter_page(call: Call, negotiation: Negotiation, form: FormState | None = None) -> ResponseReturnValue:
    """The form of a counter offer, filled in with the terms on the table; `?term=` opens at one of them."""
    return _counter_form(call, negotiation, form, reopening=False)


@section.post(
    "/<negotiation_id>/counter", needs=Permission.NEGOTIATION_ACT, subject=load_negotiation, on_invalid=counter_page
)
def counter(call: Call, negotiation: Negotiation) -> ResponseReturnValue:
    """Make the counter offer; a brief that gets or loses a row, or other rights, come back unsent."""
    if (again := edited()) is not None:
        return counter_page(call, negotiation, form=again)
    return _send_offer(call, negotiation, counter_page, negotiating.make_offer)


@section.get("/<negotiation_id>/reopen", needs=Permission.NEGOTIATION_ACT, subject=load_negotiation)
def reopen_page(call: Call, negotiation: Negotiation, form: FormState | None = None) -> ResponseReturnValue:
    """The same form for taking an ended negotiation up again."""
    return _counter_form(call, negotiation, form, reopening=True)


@section.post(
    "/<negotiation_id>/reopen", needs=Permission.NEGOTIATION_ACT, subject=load_negotiation, on_invalid=reopen_page
)
def reopen(call: Call, negotiation: Negotiation) -> ResponseReturnValue:
    """Take it up again with a new version."""
    if (again := edited()) is not None:
        return reopen_page(call, negotiation, form=again)
    return _send_offer(call, negotiation, reopen_page, negotiating.reopen)


@section.post("/<negotiation_id>/accept", needs=Permission.NEGOTIATION_ACT, subject=load_negotiation, on_invalid=show)
def accept(call: Call, negotiation: Negotiation) -> ResponseReturnValue:
    """Accept the version and the terms that the person saw."""
    given = read_form(AnswerForm)
    if given.terms_hash is None:
        raise Invalid("invalid", "The page is out of date; open it again.")
    if holding.hold_accept(call.session, call.actor, negotiation, given.version, given.terms_hash):
        return see_other("negotiations.show", toast=str(_ASKED), negotiation_id=negotiation.id)
    made = negotiating.accept(
        call.session, call.actor, negotiation.id, version=given.version, terms_hash=given.terms_hash
    )
    return see_other("licenses.show", toast=_("Accepted. The agreement is being drawn up."), license_id=made.id)


@section.post("/<negotiation_id>/decline", needs=Permission.NEGOTIATION_ACT, subject=load_negotiation, on_invalid=show)
def decline(call: Call, negotiation: Negotiation) -> ResponseReturnValue:
    """Decline, with a reason."""
    given = read_form(AnswerForm)
    endings.decline(
        call.session, call.actor, negotiation.id, version=given.version, reason=given.reason, code=given.code
    )
    return see_other("negotiations.show", toast=_("Declined."), negotiation_id=negotiation.id)


@section.post("/<negotiation_id>/withdraw", needs=Permission.NEGOTIATION_ACT, subject=load_negotiation, on_invalid=show)
def withdraw(call: Call, negotiation: Negotiation) -> ResponseReturnValue:
    """Take back one's own last offer."""
    given = read_form(AnswerForm)
    endings.withdraw(call.session, call.actor, negotiation.id, version=given.version)
    return see_other("negotiations.show", toast=_("Your offer was withdrawn."), negotiation_id=negotiation.id)


def way_out(negotiation: Negotiation) -> WayOut:
    """Where links in this thread lead: to the page that warns before leaving."""
    return lambda url: url_for("negotiations.away", negotiation_id=negotiation.id, to=url)


def _counter_form(
    call: Call, negotiation: Negotiation, form: FormState | None, *, reopening: bool
) -> ResponseReturnValue:
    page = thread.read_thread(call.session, call.actor, negotiation, way_out(negotiation))
    kept = playbook.sheets_of(call.session, call.actor)[0] if page.side == "designer" else []
    chosen = next((row for row in kept if row.id == request.args.get("sheet")), None)
    asked = _asked_first(call, negotiation.design_id)
    terms = {**page.last.terms, **(chosen.terms if chosen else asked.terms if asked else {})}
    fresh = FormState.of(
        **form_values(terms),
        base_version=negotiation.current_version,
        valid_until=until_date(clock.now() + DEFAULT_VALIDITY),
    )
    name = "negotiations/_counter.html" if is_htmx() else "negotiations/counter.html"
    return render_template(
        name,
        page=page,
        form=form or fresh,
        kept=kept,
        sheet=term_choices(terms.get("metals")),
        reopening=reopening,
        focus=alone(form.data.get("only", "") if form else request.args.get("term", "")),
        labels=LABELS,
        changes=thread.what_changed(form.extra) if form else [],
        sign=call.services.storage.image_url,
        brief=briefs.counter_sheet(negotiation, page.room, call.services.storage.image_url),
    )


def _send_offer(
    call: Call, negotiation: Negotiation, page: Callable[..., ResponseReturnValue], send: Callable[..., Offer]
) -> ResponseReturnValue:
    """Send the terms of the form, all of them or one alone; a suggestion of what is free comes back unsent."""
    if "only" in request.form:
        one = read_form(OneTermForm)
        base = next((o for o in queries.offers(call.session, negotiation.id) if o.version == one.base_version), None)
        if base is None or alone(one.only) != one.only or not one.only:
            raise Invalid("invalid", "The page is out of date; open it again.")
        terms = with_one_term(base.terms, one.only, request.form, one.valid_until)
        version, message, typed = one.base_version, one.message, whole_form(base.terms, one.only, request.form)
    else:
        given = read_form(CounterForm)
        terms, version, message, typed = given.to_terms(), given.base_version, given.message, request.form
    against = _against(call, negotiation)
    if (filled := findings.used(call.session, terms=terms, typed=typed, **against)) is not None:
        return page(call, negotiation, form=filled)
    findings.warn(call.session, terms=terms, **against)
    if holding.hold_offer(call.session, call.actor, negotiation, version, terms, message):
        return see_other("negotiations.show", toast=str(_ASKED), negotiation_id=negotiation.id)
    send(call.session, call.actor, negotiation.id, base_version=version, terms=terms, message=message)
    if send is negotiating.reopen:
        bound_reopening(call, negotiation)
    return see_other("negotiations.show", toast=_("Your offer was sent."), negotiation_id=negotiation.id)


def bound_reopening(call: Call, negotiation: Negotiation) -> None:
    """Count one reopening by the actor's organization; beyond the bound raise TooMany, which undoes it.

    Each one tells the other side, also by mail: who was declined ten times in a day is not asked again that day.
    """
    limit("reopen", f"{call.org_id}:{negotiation.id}", REOPENINGS)


def _against(call: Call, negotiation: Negotiation) -> dict[str, Any]:
    """Whose draft of which design the rights are asked about."""
    design = call.session.get_one(Design, negotiation.design_id)
    return {"design": design, "holder": negotiation.buyer_org_id, "negotiation_id": negotiation.id}


def _asked_first(call: Call, design_id: str) -> FirstAsk | None:
    """What the actor was asked as the holder of a first refusal over this design (`?first=`): the form starts there."""
    if not request.args.get("first"):
        return None
    row = load_ask(call.session, call.actor, request.args["first"])
    return row if row.design_id == design_id and row.buyer_org_id == call.actor.org_id else None


def _about(page: thread.ThreadPage) -> dict[str, Any] | None:
    """The term that the composer is to comment on (`?about=`), of the version on the table."""
    term = request.values.get("about") or request.form.get("term") or ""
    if term not in LABELS:
        return None
    return {"term": term, "label": LABELS[term], "version": page.negotiation.current_version}


def _brief(call: Call, page: thread.ThreadPage) -> briefs.Panel | None:
    """The brief of the version on the table."""
    return briefs.panel(page.negotiation, page.last.terms, page.room, call.services.storage.image_url)


def _moment(given: str | None) -> datetime:
    """The page's own time stamp; anything else means an hour ago, which repeats entries but loses none that matter."""
    return _read_moment(given or "") or clock.now() - timedelta(hours=1)


def _before(given: str | None) -> tuple[datetime, str] | None:
    if not given or "~" not in given:
        return None
    moment, _tilde, key = given.partition("~")
    found = _read_moment(moment)
    return (found, key[:40]) if found else None


def _read_moment(given: str) -> datetime | None:
    """A time stamp that this product can have written: with a zone, and not at the ends of the calendar."""
    try:
        found = datetime.fromisoformat(given)
    except ValueError:
        return None
    return found if found.tzinfo and _FIRST_YEAR <= found.year <= _LAST_YEAR else None
