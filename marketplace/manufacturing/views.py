"""Pages of the NDA, the CAD links and the workshop's profile."""

from dataclasses import replace
from typing import Any

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from marketplace.accounts.models import Organization
from marketplace.audit.operations import record, record_refusal
from marketplace.db.locks import lock
from marketplace.db.unit_of_work import unit_of_work
from marketplace.designs.access import load_design
from marketplace.designs.models import Design
from marketplace.designs.vocabulary import metal_options
from marketplace.gateways.tokens import Purpose
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import DomainError, Forbidden, NotFound
from marketplace.manufacturing import nda_text, operations, queries
from marketplace.manufacturing.forms import ClauseForm, LinkForm, ProfileForm, SignForm
from marketplace.manufacturing.models import CadCopy, CadLink
from marketplace.manufacturing.rules import LINK_LIFE_S, OPEN_STATES
from marketplace.manufacturing.sight import eyes, sight
from marketplace.orders.access import CadDoor, load_cad_door, load_order
from marketplace.orders.models import Order
from marketplace.policy.permissions import Permission as P
from marketplace.web.call import Call
from marketplace.web.errors import is_htmx
from marketplace.web.forms import FormState, read_form
from marketplace.web.i18n import locale_code
from marketplace.web.limits import limit
from marketplace.web.navigate import see_other
from marketplace.web.section import Section

section = Section("manufacturing")


@section.get("/orders/<order_id>/nda", needs=P.NDA_READ, subject=load_order)
def nda(call: Call, order: Order, form: FormState | None = None) -> ResponseReturnValue:
    """The text in the reader's language with the other one a click away, and the place to sign."""
    language = request.args.get("lang", "")
    if language not in nda_text.LANGUAGES:
        language = nda_text.language_for(locale_code())
    return render_template(
        "manufacturing/nda.html",
        order=order,
        nda=operations.current_text(call.session, order, language),
        signed=operations.nda_of(call.session, order),
        form=form or FormState(),
        may_sign=order.maker_org_id == call.org_id,
        governing=nda_text.GOVERNING,
    )


@section.post("/orders/<order_id>/nda/sign", needs=P.NDA_SIGN, subject=load_order, on_invalid=nda)
def sign(call: Call, order: Order) -> ResponseReturnValue:
    """Sign the text that was shown."""
    given = read_form(SignForm)
    operations.sign_nda(
        call.session,
        call.actor,
        order,
        typed_name=given.typed_name,
        sha256=given.sha256,
        user_agent=request.user_agent.string,
    )
    return see_other("orders.show", toast=_("The NDA is signed."), order_id=order.id)


@section.post("/orders/<order_id>/nda/revoke", needs=P.NDA_CONTROL, subject=load_order)
def revoke(call: Call, order: Order) -> ResponseReturnValue:
    """Close the file to the workshop at once."""
    operations.revoke_nda(call.session, call.actor, order)
    return see_other("orders.show", toast=_("The NDA is revoked; no CAD link works any more."), order_id=order.id)


@section.post("/orders/<order_id>/nda/issue", needs=P.NDA_CONTROL, subject=load_order)
def issue(call: Call, order: Order) -> ResponseReturnValue:
    """Issue a new version that the workshop must sign."""
    operations.issue_nda(call.session, call.actor, order, read_form(ClauseForm).clause or None)
    return see_other("orders.show", toast=_("The new version waits for the workshop's signature."), order_id=order.id)


@section.post("/orders/<order_id>/cad-links", needs=P.CAD_LINK, subject=load_cad_door)
def cad_link(call: Call, door: CadDoor) -> ResponseReturnValue:
    """Mint a link and go there, the download begins; or begin to prepare the copy it is for."""
    made = mint(call, door, read_form(LinkForm).asset)
    if isinstance(made, CadCopy):
        told = _("Your copy is being prepared. It takes a few seconds.")
        return see_other("orders.show", toast=told, order_id=door.order_id, _anchor="cad")
    return redirect(url_for("manufacturing.fetch", token=made[0]), code=303)


@section.get("/orders/<order_id>/cad-copies", needs=P.CAD_LINK, subject=load_cad_door)
def copies(call: Call, door: CadDoor) -> ResponseReturnValue:
    """The workshop's files with its copies, for the page that asks again while one is being prepared."""
    if door.order is None:
        raise NotFound
    if not is_htmx():
        return see_other("orders.show", order_id=door.order_id, _anchor="cad")
    nda = operations.nda_of(call.session, door.order)
    mine = queries.open_copies(call.session, door.order_id, call.user_id)
    is_open = nda is not None and nda.revoked_at is None and door.order.state in OPEN_STATES
    return render_template(
        "manufacturing/_copies.html", order=door.order, files=door.order.cad, copies=mine, open=is_open
    )


def mint(call: Call, door: CadDoor, asset_id: str) -> tuple[str, CadLink] | CadCopy:
    """The link or the copy that is being prepared for it; a refusal is in the audit log of the design's owner too."""
    limit("cad-link", call.user_id, "40 per 10 minutes")
    try:
        if door.order is None:
            raise Forbidden("not_assigned", "Only the workshop that was awarded this order gets its CAD file.")
        return operations.mint_link(call.session, call.actor, door.order, asset_id, call.services.tokens)
    except DomainError as error:
        record_refusal(
            call.services.engine,
            call.actor,
            "cad.link_refused",
            door.order_id,
            owner_org_id=door.designer_org_id,
            code=error.code,
            asset=asset_id,
        )
        raise


@section.get("/cad/<token>", needs=P.PUBLIC)
def fetch(call: Call, token: str) -> ResponseReturnValue:
    """Spend a link and go to the file for a minute.

    The token names the person and the workshop, so that a program may fetch it without a browser session; somebody
    else's session is refused. This is the one GET that writes (docs/adr): spending the link commits on its own.
    """
    payload = call.services.tokens.read(Purpose.CAD_LINK, token, LINK_LIFE_S)
    holder = _holder(call, payload)
    try:
        if call.actor.signed_in and call.actor.user_id != holder.user_id:
            raise NotFound
        with unit_of_work(call.services.engine, holder) as session:
            link, copy = operations.redeem(session, holder, payload)
    except DomainError as error:
        _refused(call, holder, payload, error)
        raise
    if copy.storage_key is None:
        raise NotFound
    url = call.services.storage.presign_get(
        copy.storage_key, LINK_LIFE_S, link.filename, "application/octet-stream", "attachment"
    )
    response: Response = redirect(url, code=303)  # type: ignore[assignment]
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _holder(call: Call, payload: dict[str, Any]) -> Actor:
    """The person the token names, acting for the workshop it names; the membership is checked when it is spent."""
    return replace(
        call.actor,
        kind="person",
        user_id=str(payload.get("user", "")),
        org_id=str(payload.get("org", "")),
        org_name=_org_name(call, str(payload.get("org", ""))),
        role="manufacturer",
    )


def _org_name(call: Call, org_id: str) -> str:
    found = call.session.get(Organization, org_id)
    return found.name if found else ""


def _refused(call: Call, holder: Actor, payload: dict[str, Any], error: DomainError) -> None:
    with unit_of_work(call.services.engine, holder) as session:
        link = session.get(CadLink, str(payload.get("link", "")))
        record(
            session,
            holder if not call.actor.signed_in else call.actor,
            "cad.fetch_refused",
            link.order_id if link else None,
            owner_org_id=link.designer_org_id if link else None,
            outcome="refused",
            code=error.code,
        )


@section.get("/designs/<design_id>/cad-log", needs=P.DESIGN_READ, subject=load_design)
def cad_log(call: Call, design: Design) -> ResponseReturnValue:
    """Who fetched the CAD of a design, when, under which NDA."""
    return render_template(
        "manufacturing/cad_log.html", design=design, fetches=queries.cad_fetches(call.session, design.id)
    )


@section.get("/designs/<design_id>/who-sees", needs=P.DESIGN_READ, subject=load_design)
def who_sees(call: Call, design: Design) -> ResponseReturnValue:
    """What each kind of person would see of this design now, as the policy answers."""
    template = "manufacturing/_sight.html" if is_htmx() else "manufacturing/who_sees.html"
    return render_template(template, design=design, eyes=eyes(design), rows=sight(design))


@section.get("/workshop", needs=P.WORKSHOP_PROFILE)
def profile(call: Call, form: FormState | None = None) -> ResponseReturnValue:
    """What production managers read about this workshop."""
    found = call.session.get_one(Organization, call.org_id).profile
    return render_template("manufacturing/profile.html", form=form or FormState.of(**found), metals=metal_options())


@section.post("/workshop", needs=P.WORKSHOP_PROFILE, on_invalid=profile)
def save_profile(call: Call) -> ResponseReturnValue:
    """Change it."""
    given = read_form(ProfileForm)
    known = {code for code, _word in metal_options()}
    row = lock(call.session, Organization, call.org_id)
    row.profile = {**row.profile, **given.model_dump(), "metals": [m for m in given.metals if m in known]}
    record(call.session, call.actor, "workshop.profile_edited", row.id, owner_org_id=row.id)
    return see_other("manufacturing.profile", toast=_("Saved."))
