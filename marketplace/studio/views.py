"""The designer's pages: list, form, workspace, facts, pictures, listing."""

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from marketplace.designs import facts, operations, uploads
from marketplace.designs.access import load_design
from marketplace.designs.models import Design
from marketplace.designs.queries import designs_of, facts_of
from marketplace.designs.rules import LIMITS
from marketplace.designs.vocabulary import category_options, category_word, fact_word, metal_options
from marketplace.kernel.errors import Invalid, NotFound
from marketplace.kernel.money import CURRENCIES, Money
from marketplace.policy.permissions import Permission
from marketplace.studio.api import announce, fact_name
from marketplace.studio.canvas import context
from marketplace.studio.forms import AssetIn, DesignForm, FactForm, ListForm, PictureForm, form_values
from marketplace.studio.queries import workspace, workspace_files, workspace_results
from marketplace.studio.rows import fact_value, metals_line
from marketplace.studio.wording import words_context
from marketplace.web.call import Call
from marketplace.web.errors import is_htmx
from marketplace.web.forms import FormState, read_form, read_json, read_query
from marketplace.web.i18n import Formats
from marketplace.web.idempotency import to_response
from marketplace.web.navigate import see_other
from marketplace.web.section import Section

section = Section("designs", url_prefix="/designs")


@section.get("", needs=Permission.DESIGN_CREATE)
def index(call: Call) -> ResponseReturnValue:
    """One's own designs with search and state."""
    given = read_query(ListForm)
    found = designs_of(call.session, call.org_id, q=given.q, state=given.state, cursor=given.cursor)
    return render_template(
        "designs/index.html",
        page=found,
        given=given,
        sign=call.services.storage.image_url,
        category_word=category_word,
        metals_line=metals_line,
    )


@section.get("/new", needs=Permission.DESIGN_CREATE)
def new(call: Call, form: FormState | None = None) -> ResponseReturnValue:
    """The form of a new design."""
    return _form_page(form or FormState.of(**form_values(None)), None)


@section.post("", needs=Permission.DESIGN_CREATE, on_invalid=new)
def create(call: Call) -> ResponseReturnValue:
    """Create it and go on to its files."""
    given = read_form(DesignForm)
    design = operations.create_design(
        call.session,
        call.actor,
        title=given.title,
        category=given.category,
        description=given.description,
        details=given.details({}),
        list_price=_price(given),
        no_cad_reason=given.no_cad_reason or None,
    )
    return see_other("designs.show", toast=_("Saved. Now add photos and CAD."), design_id=design.id)


@section.get("/<design_id>", needs=Permission.DESIGN_READ, subject=load_design)
def show(call: Call, design: Design, form: FormState | None = None) -> ResponseReturnValue:
    """The workspace of a design; `form` says why something was refused."""
    found = workspace(call.session, design)
    words = words_context(found.drafts, found.jobs)
    return render_template("designs/show.html", **context(call, found), **words, limits=LIMITS, refused=form)


@section.get("/<design_id>/results", needs=Permission.DESIGN_READ, subject=load_design)
def results(call: Call, design: Design) -> ResponseReturnValue:
    """Pictures, facts, findings and checklist, polled while files are being read."""
    return render_template("designs/_results.html", **context(call, workspace_results(call.session, design)))


@section.get("/<design_id>/edit", needs=Permission.DESIGN_EDIT, subject=load_design)
def edit(call: Call, design: Design, form: FormState | None = None) -> ResponseReturnValue:
    """The form with the design in it."""
    plain = Formats().plain_amount(design.list_price)
    return _form_page(form or FormState.of(**form_values(design, plain)), design)


@section.post("/<design_id>/edit", needs=Permission.DESIGN_EDIT, subject=load_design, on_invalid=edit)
def save(call: Call, design: Design) -> ResponseReturnValue:
    """Save the form."""
    given = read_form(DesignForm)
    changes = {
        "title": given.title,
        "category": given.category,
        "description": given.description,
        "details": given.details(design.details),
        "list_price": _price(given),
        "no_cad_reason": given.no_cad_reason or None,
    }
    operations.edit_design(call.session, call.actor, design, changes, base_version=given.version)
    return see_other("designs.show", toast=_("Saved."), design_id=design.id)


@section.post("/<design_id>/assets", needs=Permission.ASSET_UPLOAD, subject=load_design)
def add_asset(call: Call, design: Design) -> ResponseReturnValue:
    """Announce a file; the page's script sends JSON and gets the form for the object store."""
    return to_response(announce(call, design, read_json(AssetIn)), 201)


@section.post("/<design_id>/list", needs=Permission.DESIGN_LIST, subject=load_design, on_invalid=show)
def list_design(call: Call, design: Design) -> ResponseReturnValue:
    """Put it into the catalog."""
    operations.list_design(call.session, call.actor, design)
    return see_other("designs.show", toast=_("Listed. Trade members can find it now."), design_id=design.id)


@section.post("/<design_id>/unlist", needs=Permission.DESIGN_LIST, subject=load_design, on_invalid=show)
def unlist_design(call: Call, design: Design) -> ResponseReturnValue:
    """Take it out of the catalog."""
    operations.unlist_design(call.session, call.actor, design)
    return see_other("designs.show", toast=_("Taken out of the catalog."), design_id=design.id)


@section.get("/<design_id>/facts", needs=Permission.DESIGN_EDIT, subject=load_design)
def facts_page(call: Call, design: Design, form: FormState | None = None) -> ResponseReturnValue:
    """Confirm or correct what was measured."""
    found = facts_of(call.session, design.id)
    return render_template(
        "designs/facts.html",
        design=design,
        facts=found,
        form=form or FormState(),
        fact_word=fact_word,
        fact_value=fact_value,
    )


@section.post("/<design_id>/facts/<name>", needs=Permission.DESIGN_EDIT, subject=load_design, on_invalid=facts_page)
def set_fact(call: Call, design: Design) -> ResponseReturnValue:
    """Confirm, state or take back one fact."""
    given = read_form(FactForm)
    name = fact_name(str((request.view_args or {})["name"]))
    known = next((fact for fact in facts_of(call.session, design.id) if fact.name == name), None)
    if known is None:
        raise NotFound
    expected = (known.measured or {}).get("value") if known.value is None else known.value
    facts.set_fact(
        call.session,
        call.actor,
        design,
        name,
        value=_typed(given.value, expected) if given.action == "state" else None,
        confirmed=given.action != "take_back",
    )
    if given.origin == "pack":
        if is_htmx():
            return render_template("designs/_pack.html", **context(call, workspace_files(call.session, design)))
        return see_other("designs.show", toast=_("Confirmed."), design_id=design.id, _anchor="pack")
    return see_other("designs.facts_page", toast=_("Saved."), design_id=design.id)


@section.post("/<design_id>/pictures", needs=Permission.DESIGN_EDIT, subject=load_design, on_invalid=show)
def arrange(call: Call, design: Design) -> ResponseReturnValue:
    """Move a picture, or leave a render out."""
    given = read_form(PictureForm)
    if given.action in {"hide", "show"}:
        uploads.hide_picture(call.session, call.actor, design, given.picture, hidden=given.action == "hide")
    else:
        names = [p.id for p in workspace_results(call.session, design).pictures]
        uploads.order_pictures(call.session, call.actor, design, _moved(names, given.picture, given.action))
    return see_other("designs.show", design_id=design.id, _anchor="pictures")


def _moved(names: list[str], name: str, action: str) -> list[str]:
    if name not in names:
        raise NotFound
    here = names.index(name)
    there = {"first": 0, "earlier": max(0, here - 1), "later": min(len(names) - 1, here + 1)}[action]
    names.insert(there, names.pop(here))
    return names


def _typed(text: str, expected: object) -> bool | float | str:
    """What a person typed, of the kind the fact has. Raises Invalid."""
    plain = text.strip()
    if not plain:
        raise Invalid("no_value", "Write the value first.", fields={"value": "Please fill this in."})
    if isinstance(expected, bool):
        return plain.casefold() in {"yes", "true", "1", "on"}
    if isinstance(expected, int | float):
        try:
            return float(plain.replace(",", "."))
        except ValueError as error:
            raise Invalid(
                "bad_value", "This fact is a number.", fields={"value": "Write a number in digits."}
            ) from error
    return plain


def _price(given: DesignForm) -> Money | None:
    try:
        return given.price()
    except Invalid as error:
        raise Invalid(error.code, error.message, fields={"list_price": error.message}) from error


def _form_page(form: FormState, design: Design | None) -> str:
    return render_template(
        "designs/form.html",
        form=form,
        design=design,
        categories=category_options(),
        metals=metal_options(),
        currencies=CURRENCIES,
    )
