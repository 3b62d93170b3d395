"""Pages of licenses: list, agreement, signing, paying."""

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from marketplace.accounts import step_up
from marketplace.kernel.errors import Conflict, Invalid
from marketplace.licensing import operations, queries
from marketplace.licensing.access import load_license
from marketplace.licensing.contract.life import expires_soon, real_end
from marketplace.licensing.contract.signing import Given
from marketplace.licensing.forms import SignForm
from marketplace.licensing.license_page import read_license, signing_of
from marketplace.licensing.models import License
from marketplace.licensing.refusal.queries import asks_of_license
from marketplace.licensing.refusal.words import STATES
from marketplace.licensing.rights import FIRST_REFUSAL
from marketplace.licensing.vocabulary import ADDENDUM_STATES, LICENSE_STATES
from marketplace.payments.checkout import url_for_checkout
from marketplace.payments.queries import gone_back
from marketplace.policy.permissions import Permission
from marketplace.web.call import AfterCommit, Call
from marketplace.web.errors import is_htmx
from marketplace.web.forms import FormState, read_form
from marketplace.web.navigate import leave_for, see_other
from marketplace.web.section import ROUTES, Section

section = Section("licenses", url_prefix="/licenses")

#: The filters of the list: state, or `expiring` -> word.
FILTERS = {"": _l("All")} | {
    state: LICENSE_STATES[state][0] for state in ("to_sign", "to_pay", "active", "expiring", "sell_off", "ended")
}
#: Seconds that the address of the document works.
DOCUMENT_LIFE_S = 60


@section.get("", needs=Permission.LICENSE_LIST)
def index(call: Call) -> ResponseReturnValue:
    """All licenses, newest first; `state` filters."""
    state = request.args.get("state", "")
    state = state if state in FILTERS else ""
    found = queries.licenses(call.session, call.actor, state=state, cursor=request.args.get("cursor"))
    more = queries.around(call.session, call.actor, [row.negotiation_id for row in found.items])
    titles = queries.titles(call.session, [row.negotiation_id for row in found.items])
    names = {row.id: queries.counterpart(row, call.actor, more[row.negotiation_id]) for row in found.items}
    return render_template(
        "licenses/index.html",
        page=found,
        names=names,
        titles=titles,
        states=LICENSE_STATES,
        expires_soon=expires_soon,
        real_end=real_end,
        fee_of=operations.fee_of,
        filters=FILTERS,
        state=state,
    )


@section.get("/<license_id>", needs=Permission.LICENSE_READ, subject=load_license)
def show(call: Call, held: License, form: FormState | None = None) -> ResponseReturnValue:
    """Terms, document, signatures, payment; polls itself while it waits for somebody else."""
    page = read_license(call.session, call.actor, held, returned="paid" in request.args)
    name = "licenses/_body.html" if is_htmx() and form is None else "licenses/show.html"
    # Orders come after licenses; the link is there when that feature is.
    order_url = url_for("orders.new", license_id=held.id) if "orders.new" in ROUTES else None
    return render_template(
        name,
        page=page,
        form=form,
        states=LICENSE_STATES,
        expiring=expires_soon(held),
        given_back=held.state in ("active", "breach") and gone_back(call.session, held.id),
        addendum_states=ADDENDUM_STATES,
        order_url=order_url,
        asks=asks_of_license(call.session, held.id) if held.kind == FIRST_REFUSAL else [],
        ask_states=STATES,
        signing=signing_of(call.actor, held.document_sha256),
        fresh=step_up.fresh(call.actor),
    )


@section.get("/<license_id>/document", needs=Permission.LICENSE_READ, subject=load_license)
def document(call: Call, held: License) -> ResponseReturnValue:
    """The agreement by an address that works for a minute: with the signature page once there is one."""
    key = held.signed_document_key or held.document_key
    if key is None:
        raise Conflict("not_drafted", "The agreement is still being drawn up. Try again in a moment.")
    name = f"license-{held.id}{'-signed' if held.signed_document_key else ''}.pdf"
    return leave_for(call.services.storage.presign_get(key, DOCUMENT_LIFE_S, name, "application/pdf"))


@section.post("/<license_id>/sign", needs=Permission.LICENSE_SIGN, subject=load_license, on_invalid=show)
def sign(call: Call, held: License) -> ResponseReturnValue:
    """Sign for one's side."""
    operations.sign(call.session, call.actor, held.id, read_signature(call, request.user_agent.string))
    return see_other("licenses.show", toast=_("Signed."), license_id=held.id)


def read_signature(call: Call, user_agent: str) -> Given:
    """The signature of a page's form, by a person who has proved to be the account's owner."""
    form = read_form(SignForm)
    if not form.consent:
        words = "Tick the box to say that you agree to sign electronically."
        raise Invalid("invalid", words, fields={"consent": words})
    return Given(
        proved_at=step_up.confirm(call.session, call.actor, form.password),
        agree=form.agree,
        typed_name=form.typed_name,
        drawn=form.drawn,
        document_sha256=form.document_sha256,
        user_agent=user_agent,
    )


@section.post("/<license_id>/checkout", needs=Permission.LICENSE_PAY, subject=load_license)
def checkout(call: Call, held: License) -> AfterCommit:
    """Go to the payment page."""
    checkout_id = start_checkout(call, held)
    return AfterCommit(lambda: leave_for(url_for_checkout(call.services, call.actor, checkout_id)))


def start_checkout(call: Call, held: License) -> str:
    """The checkout of the license fee."""
    title = queries.titles(call.session, [held.negotiation_id])[held.negotiation_id]
    return operations.open_checkout(
        call.session,
        call.actor,
        held.id,
        design=title,
    )
