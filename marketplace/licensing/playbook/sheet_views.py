"""Pages of a studio's term sheets and of its prices of metal."""

from typing import Any

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from marketplace.designs.access import load_design
from marketplace.designs.models import Design
from marketplace.designs.vocabulary import metal_options
from marketplace.kernel.money import CURRENCIES, Money
from marketplace.licensing.access import load_negotiation
from marketplace.licensing.forms import form_values
from marketplace.licensing.models import Negotiation
from marketplace.licensing.playbook import operations, queries
from marketplace.licensing.playbook.access import load_sheet
from marketplace.licensing.playbook.forms import ChoiceForm, CurrencyForm, NameForm, PublishForm, SheetForm, prices
from marketplace.licensing.playbook.models import TermSheet
from marketplace.licensing.seats import current_offer
from marketplace.licensing.sheets import term_choices
from marketplace.licensing.term_words import headline
from marketplace.licensing.terms import Terms
from marketplace.policy.permissions import Permission
from marketplace.web.call import Call
from marketplace.web.errors import is_htmx
from marketplace.web.forms import FormState, read_form
from marketplace.web.i18n import Formats, locale_code
from marketplace.web.navigate import see_other
from marketplace.web.section import Section

section = Section("term_sheets", url_prefix="/term-sheets")


@section.get("", needs=Permission.TERM_SHEETS)
def index(call: Call) -> ResponseReturnValue:
    """Every term sheet of the studio; what was deleted lately can be brought back."""
    kept, gone = queries.sheets_of(call.session, call.actor)
    used = queries.designs_by_sheet(call.session, call.actor)
    return render_template("playbook/sheets.html", kept=kept, gone=gone, headline=headline, used=used)


@section.get("/new", needs=Permission.TERM_SHEETS)
def new(call: Call, form: FormState | None = None) -> ResponseReturnValue:
    """An empty term sheet."""
    usual = {"kind": "non_exclusive", "where": "world", "term_months": 24, "derivatives": "none"}
    fresh = FormState.of(**usual, governing_language=locale_code())
    return render_template("playbook/sheet.html", sheet_row=None, form=form or fresh, sheet=term_choices())


@section.post("", needs=Permission.TERM_SHEETS, on_invalid=new)
def create(call: Call) -> ResponseReturnValue:
    """Keep a new term sheet."""
    given = read_form(SheetForm)
    operations.keep(call.session, call.actor, given.name, given.to_terms())
    return see_other("term_sheets.index", toast=_("Saved."))


@section.post("/from/<negotiation_id>", needs=Permission.TERM_SHEETS, subject=load_negotiation)
def keep(call: Call, negotiation: Negotiation) -> ResponseReturnValue:
    """Keep the terms on the table of a thread under a name."""
    terms = Terms.model_validate(current_offer(call.session, negotiation).terms)
    operations.keep(call.session, call.actor, read_form(NameForm).name, terms)
    return see_other("term_sheets.index", toast=_("Saved."))


@section.get("/prices", needs=Permission.TERM_SHEETS)
def prices_page(call: Call, form: FormState | None = None) -> ResponseReturnValue:
    """What the studio reckons a gram of each alloy at, one currency at a time (`?currency=`)."""
    chosen = request.values.get("currency", "USD")
    chosen = chosen if chosen in CURRENCIES else "USD"
    rows = [row for row in queries.prices(call.session, call.actor) if row.currency == chosen]
    values = {f"price-{row.alloy}": Formats().plain_amount(Money(row.amount, row.currency)) for row in rows}
    return render_template(
        "playbook/prices.html",
        form=form or FormState(values=values),
        currency=chosen,
        currencies=CURRENCIES,
        metals=metal_options(),
    )


@section.post("/prices", needs=Permission.TERM_SHEETS, on_invalid=prices_page)
def set_prices(call: Call) -> ResponseReturnValue:
    """Use these prices from now on; an empty field means no price."""
    currency = read_form(CurrencyForm).currency
    operations.set_prices(call.session, call.actor, currency, prices(currency))
    return see_other("term_sheets.prices_page", toast=_("Saved."), currency=currency)


@section.get("/for/<design_id>", needs=Permission.TERM_SHEETS, subject=load_design)
def for_design(call: Call, design: Design, form: FormState | None = None) -> ResponseReturnValue:
    """What offers for one design start from, as a part of the design's page or as one of its own."""
    start = queries.start_of(call.session, design.org_id, design.id)
    return render_template(
        "playbook/_start.html" if is_htmx() else "playbook/start.html",
        design=design,
        start=start,
        kept=queries.sheets_of(call.session, call.actor)[0],
        headline=headline,
        form=form or FormState.of(sheet=start.own.id if start.own else ""),
    )


@section.post("/for/<design_id>", needs=Permission.TERM_SHEETS, subject=load_design, on_invalid=for_design)
def choose(call: Call, design: Design) -> ResponseReturnValue:
    """Let offers for this design start from another sheet."""
    operations.choose(call.session, call.actor, design, read_form(ChoiceForm).sheet or None)
    return see_other("designs.show", toast=_("Offers for this design start from it now."), design_id=design.id)


@section.get("/<sheet_id>", needs=Permission.TERM_SHEETS, subject=load_sheet)
def edit(call: Call, sheet: TermSheet, form: FormState | None = None) -> ResponseReturnValue:
    """One term sheet as a form."""
    values: dict[str, Any] = {**form_values(sheet.terms), "name": sheet.name, "version": sheet.version}
    choices = term_choices(sheet.terms.get("metals"))
    return render_template("playbook/sheet.html", sheet_row=sheet, form=form or FormState.of(**values), sheet=choices)


@section.post("/<sheet_id>", needs=Permission.TERM_SHEETS, subject=load_sheet, on_invalid=edit)
def save(call: Call, sheet: TermSheet) -> ResponseReturnValue:
    """Put other terms in its place."""
    given = read_form(SheetForm)
    operations.change(call.session, call.actor, sheet, given.name, given.to_terms(), given.version)
    return see_other("term_sheets.index", toast=_("Saved."))


@section.post("/<sheet_id>/publish", needs=Permission.TERM_SHEETS, subject=load_sheet)
def publish(call: Call, sheet: TermSheet) -> ResponseReturnValue:
    """Let buyers of the studio's designs start from it, or no longer."""
    wanted = read_form(PublishForm).published
    operations.publish(call.session, call.actor, sheet, wanted=wanted)
    toast = _("Buyers start from it now.") if wanted else _("Buyers no longer start from it.")
    return see_other("term_sheets.index", toast=toast)


@section.post("/<sheet_id>/delete", needs=Permission.TERM_SHEETS, subject=load_sheet)
def delete(call: Call, sheet: TermSheet) -> ResponseReturnValue:
    """Delete; the list offers to bring it back."""
    operations.remove(call.session, call.actor, sheet)
    return see_other("term_sheets.index", toast=_("Deleted. You can bring it back below."))


@section.post("/<sheet_id>/restore", needs=Permission.TERM_SHEETS, subject=load_sheet)
def restore(call: Call, sheet: TermSheet) -> ResponseReturnValue:
    """Undo the deletion."""
    operations.bring_back(call.session, call.actor, sheet)
    return see_other("term_sheets.index", toast=_("It is back."))
