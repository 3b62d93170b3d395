"""Pages of what happens to a license after the signature: amendment, termination, breach, the buyer's attestation."""

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from marketplace.accounts import step_up
from marketplace.kernel.errors import Conflict
from marketplace.licensing.access import AddendumOf, load_addendum, load_license
from marketplace.licensing.contract import addenda, life
from marketplace.licensing.contract import breach as notices
from marketplace.licensing.forms import AmendForm, AttestForm, ReasonForm
from marketplace.licensing.license_page import read_addendum, signing_of, title_of
from marketplace.licensing.license_views import DOCUMENT_LIFE_S, read_signature, show
from marketplace.licensing.models import License
from marketplace.licensing.sheets import term_choices
from marketplace.licensing.vocabulary import WORLD
from marketplace.policy.permissions import Permission
from marketplace.web.call import Call
from marketplace.web.forms import FormState, read_form
from marketplace.web.navigate import leave_for, see_other
from marketplace.web.section import Section

section = Section("addenda", url_prefix="/licenses")


@section.get("/<license_id>/amend", needs=Permission.LICENSE_CHANGE, subject=load_license)
def amend_page(call: Call, held: License, form: FormState | None = None) -> ResponseReturnValue:
    """The terms as they are, to be changed."""
    terms = held.terms
    world = terms["territories"] == [WORLD]
    choices = term_choices(terms.get("metals"))
    values = {k: v for k, v in terms.items() if v is not None} | {
        "where": "world" if world else "countries",
        "territories": [] if world else terms["territories"],
    }
    return render_template(
        "licenses/amend.html",
        held=held,
        title=title_of(call.session, held),
        form=form or FormState.of(**values),
        **{name: choices[name] for name in ("countries", "channels", "metals")},
    )


@section.post("/<license_id>/amend", needs=Permission.LICENSE_CHANGE, subject=load_license, on_invalid=amend_page)
def amend(call: Call, held: License) -> ResponseReturnValue:
    """Propose an amendment."""
    given = read_form(AmendForm)
    row = addenda.propose_amendment(call.session, call.actor, held.id, given.amended(held.terms), reason=given.reason)
    return see_other(
        "addenda.paper", toast=_("The amendment is being drawn up."), license_id=held.id, addendum_id=row.id
    )


@section.post("/<license_id>/terminate", needs=Permission.LICENSE_CHANGE, subject=load_license, on_invalid=show)
def terminate(call: Call, held: License) -> ResponseReturnValue:
    """Propose to end the license, or end it when a breach was not cured."""
    given = read_form(ReasonForm)
    row = addenda.propose_termination(
        call.session, call.actor, held.id, reason=given.reason, sell_off_months=given.sell_off_months
    )
    return see_other(
        "addenda.paper", toast=_("The termination is being drawn up."), license_id=held.id, addendum_id=row.id
    )


@section.post("/<license_id>/breach", needs=Permission.LICENSE_CHANGE, subject=load_license, on_invalid=show)
def breach(call: Call, held: License) -> ResponseReturnValue:
    """Give notice of a breach."""
    notices.give_notice(call.session, call.actor, held.id, read_form(ReasonForm).reason)
    return see_other("licenses.show", toast=_("Notice was given."), license_id=held.id)


@section.post("/<license_id>/cured", needs=Permission.LICENSE_CHANGE, subject=load_license, on_invalid=show)
def cured(call: Call, held: License) -> ResponseReturnValue:
    """Say that the breach is cured."""
    notices.confirm_cured(call.session, call.actor, held.id)
    return see_other("licenses.show", toast=_("The license goes on."), license_id=held.id)


@section.post("/<license_id>/attest", needs=Permission.LICENSE_ATTEST, subject=load_license, on_invalid=show)
def attest(call: Call, held: License) -> ResponseReturnValue:
    """The buyer's word that everything is destroyed."""
    given = read_form(AttestForm)
    life.attest(
        call.session,
        call.actor,
        held.id,
        typed_name=given.typed_name,
        destroyed=given.files and given.molds and given.makers,
    )
    return see_other("licenses.show", toast=_("Thank you. It is on record."), license_id=held.id)


@section.get("/<license_id>/addenda/<addendum_id>", needs=Permission.LICENSE_READ, subject=load_addendum)
def paper(call: Call, subject: AddendumOf, form: FormState | None = None) -> ResponseReturnValue:
    """What is proposed, who has signed, and the form to sign it."""
    page = read_addendum(call.session, call.actor, subject)
    return render_template(
        "licenses/addendum.html",
        page=page,
        form=form,
        signing=signing_of(call.actor, page.document_sha256),
        fresh=step_up.fresh(call.actor),
    )


@section.get("/<license_id>/addenda/<addendum_id>/document", needs=Permission.LICENSE_READ, subject=load_addendum)
def document(call: Call, subject: AddendumOf) -> ResponseReturnValue:
    """The document by an address that works for a minute: sealed once all have signed."""
    row = subject.row
    key = row.signed_document_key or row.document_key
    if key is None:
        raise Conflict("not_drafted", "The agreement is still being drawn up. Try again in a moment.")
    name = f"{row.kind}-{row.number}-{row.license_id}{'-signed' if row.signed_document_key else ''}.pdf"
    return leave_for(call.services.storage.presign_get(key, DOCUMENT_LIFE_S, name, "application/pdf"))


@section.post(
    "/<license_id>/addenda/<addendum_id>/sign", needs=Permission.LICENSE_SIGN, subject=load_addendum, on_invalid=paper
)
def sign(call: Call, subject: AddendumOf) -> ResponseReturnValue:
    """Sign for one's side."""
    addenda.sign(call.session, call.actor, subject.row.id, read_signature(call, request.user_agent.string))
    return see_other("addenda.paper", toast=_("Signed."), license_id=subject.held.id, addendum_id=subject.row.id)


@section.post(
    "/<license_id>/addenda/<addendum_id>/close",
    needs=Permission.LICENSE_CHANGE,
    subject=load_addendum,
    on_invalid=paper,
)
def close(call: Call, subject: AddendumOf) -> ResponseReturnValue:
    """Take the own proposal back, or decline the other side's."""
    addenda.close(call.session, call.actor, subject.row.id)
    return see_other("licenses.show", toast=_("The license stays as it is."), license_id=subject.held.id)
