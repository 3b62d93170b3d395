"""Pages of rights: the owner's map, the check of a draft, holding what an offer asks for."""

from typing import Any

from flask import Flask, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from marketplace.accounts.models import Organization
from marketplace.catalog.access import load_listed
from marketplace.designs.access import load_design
from marketplace.designs.models import Design
from marketplace.designs.vocabulary import metal_word
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.licensing import findings, holds
from marketplace.licensing.access import load_negotiation
from marketplace.licensing.availability import Place, at_place, channels_open
from marketplace.licensing.forms import HoldForm, alone, whole_form
from marketplace.licensing.grants import granted
from marketplace.licensing.models import Negotiation
from marketplace.licensing.refusal.queries import firsts_of
from marketplace.licensing.refusal.words import STATES
from marketplace.licensing.regions import territory_words
from marketplace.licensing.rights_map import HORIZON, read_map
from marketplace.licensing.rules import side_of, state_now
from marketplace.licensing.seats import current_offer
from marketplace.licensing.term_words import shown
from marketplace.licensing.terms import Terms
from marketplace.licensing.tiles import COLUMNS, ROWS
from marketplace.licensing.vocabulary import CHANNELS, COUNTRIES, KINDS, country_names
from marketplace.policy.permissions import Permission
from marketplace.web.call import Call
from marketplace.web.errors import is_htmx
from marketplace.web.forms import read_form
from marketplace.web.i18n import locale_code
from marketplace.web.navigate import see_other
from marketplace.web.section import Section

section = Section("rights")

_ANY = "US"

#: State of a place -> (word, sentence).
PLACE_WORDS: dict[str, tuple[Any, Any]] = {
    "open": (_l("Still open"), _l("Nothing is licensed; also an exclusive can be granted.")),
    "shared": (_l("Shared"), _l("Licensed without excluding others; no exclusive can be granted.")),
    "partly": (_l("Partly exclusive"), _l("Some channels or metals are exclusive; the rest can be licensed.")),
    "taken": (_l("Taken"), _l("Exclusively licensed; nothing can be granted.")),
}


@section.get("/designs/<design_id>/rights", needs=Permission.DESIGN_READ, subject=load_design)
def design_map(call: Call, design: Design) -> ResponseReturnValue:
    """Who holds what of one's own design: a map, a timeline for each channel, a table."""
    return render_template(
        "rights/map.html",
        page=read_map(call.session, call.actor, design, cursor=request.args.get("cursor")),
        words=PLACE_WORDS,
        kinds=KINDS,
        channels=CHANNELS,
        names=country_names(locale_code()),
        where=lambda codes: territory_words(codes, locale_code()),
        shown=shown,
        metal_word=metal_word,
        until_words=findings.until_words,
        columns=COLUMNS,
        rows=ROWS,
        years=range(1, HORIZON.days // 365),
    )


@section.get("/catalog/<design_id>/rights", needs=Permission.CATALOG_BROWSE, subject=load_listed)
def available(call: Call, design: Design) -> ResponseReturnValue:
    """What is still to be had in the reader's country, and in another one that is asked about (`?in=`)."""
    names = country_names(locale_code())
    asked = request.args.get("in", "").upper()
    territory = asked if asked in names else home_of(call.session, call.actor)
    place, ways = place_of(call.session, design, call.actor, territory)
    return render_template(
        "rights/_available.html" if is_htmx() else "rights/available.html",
        design=design,
        place=place,
        territory=territory,
        country=names.get(territory, territory),
        countries=sorted(names.items(), key=lambda pair: pair[1]),
        ways=[CHANNELS[way] for way in ways],
    )


@section.get("/negotiations/<negotiation_id>/rights", needs=Permission.NEGOTIATION_READ, subject=load_negotiation)
def of_offer(call: Call, negotiation: Negotiation) -> ResponseReturnValue:
    """Whether the offer on the table is free, and what is held for it."""
    now = clock.now()
    open_now = state_now(negotiation, now) == "open"
    found = firsts = None
    if open_now:
        design = call.session.get_one(Design, negotiation.design_id)
        terms = Terms.model_validate(current_offer(call.session, negotiation).terms)
        buyer = negotiation.buyer_org_id
        found = findings.look(call.session, design, terms, holder=buyer, negotiation_id=negotiation.id)
        if not found.free and side_of(negotiation, call.actor) == "designer":
            firsts = firsts_of(call.session, negotiation, terms)
    return render_template(
        "rights/_offer.html" if is_htmx() else "rights/offer.html",
        negotiation=negotiation,
        found=found,
        firsts=firsts,
        states=STATES,
        held=holds.held(call.session, negotiation.id, now) if open_now else None,
        side=side_of(negotiation, call.actor),
        days=holds.HOLD_DAYS,
    )


@section.post("/negotiations/<negotiation_id>/rights", needs=Permission.NEGOTIATION_ACT, subject=load_negotiation)
def check_counter(call: Call, negotiation: Negotiation) -> ResponseReturnValue:
    """What the rights say to a counter offer that is being written, of all terms or of one alone (`only`)."""
    design = call.session.get_one(Design, negotiation.design_id)
    typed: MultiDict[str, str] = request.form
    if term := alone(request.form.get("only", "")):
        typed = whole_form(current_offer(call.session, negotiation).terms, term, request.form)
    return _checked(call, design, typed, negotiation.buyer_org_id, negotiation.id)


@section.post("/catalog/<design_id>/rights", needs=Permission.NEGOTIATION_OPEN, subject=load_listed)
def check_first(call: Call, design: Design) -> ResponseReturnValue:
    """What the rights say to a first offer that is being written."""
    return _checked(call, design, request.form, call.org_id, "")


@section.post("/negotiations/<negotiation_id>/hold", needs=Permission.NEGOTIATION_ACT, subject=load_negotiation)
def hold(call: Call, negotiation: Negotiation) -> ResponseReturnValue:
    """Keep the offer's scope free for its buyer for some days."""
    given = read_form(HoldForm)
    holds.hold(call.session, call.actor, negotiation.id, version=given.version, days=given.days)
    return see_other("negotiations.show", toast=_("The rights are held."), negotiation_id=negotiation.id)


@section.post("/negotiations/<negotiation_id>/hold/release", needs=Permission.NEGOTIATION_ACT, subject=load_negotiation)
def release(call: Call, negotiation: Negotiation) -> ResponseReturnValue:
    """Let go of what is held."""
    holds.release_hold(call.session, call.actor, negotiation.id)
    return see_other("negotiations.show", toast=_("The rights are no longer held."), negotiation_id=negotiation.id)


def home_of(session: Session, actor: Actor) -> str:
    """The country of the actor's organization; whoever has none asks about any, and begins with one."""
    own = session.get(Organization, actor.org_id) if actor.org_id else None
    return own.country if own is not None and own.country in COUNTRIES else _ANY


def place_of(session: Session, design: Design, actor: Actor, territory: str) -> tuple[Place, list[str]]:
    """How much of a country is taken for the actor's organization, and the channels that are not."""
    now = clock.now()
    standing = granted(session, design.id, holder=actor.org_id or "", now=now, place={"territories": [territory]})
    categories = findings.categories_of(design.category)
    place = at_place(standing, territory, now, categories=categories)
    return place, channels_open(standing, territory, now, categories=categories)


def install(app: Flask) -> None:
    """Let the catalog, which is below, tell what is still to be had."""
    app.extensions["availability"] = place_of
    app.extensions["home_country"] = home_of


def _checked(
    call: Call, design: Design, typed: MultiDict[str, str], holder: str, negotiation_id: str
) -> ResponseReturnValue:
    terms = findings.drafted(typed)
    found = findings.look(call.session, design, terms, holder=holder, negotiation_id=negotiation_id) if terms else None
    return render_template("rights/_draft.html", found=found, stopped=False)
