"""Pages of the operator."""

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from pydantic import Field

from marketplace.accounts import operations
from marketplace.accounts.models import Organization
from marketplace.accounts.queries import lookalikes, organizations_to_review
from marketplace.accounts.rules import VETTING
from marketplace.desk.access import load_organization
from marketplace.policy.permissions import Permission
from marketplace.web.call import Call
from marketplace.web.forms import Form, FormState, read_form
from marketplace.web.navigate import see_other
from marketplace.web.section import Section

section = Section("desk", url_prefix="/desk")


class ReviewForm(Form):
    """A decision; refusing and suspending need a reason that is sent to the business."""

    action: str = Field(max_length=20)
    reason: str = Field(default="", max_length=1000)


@section.get("/vetting", needs=Permission.VETTING_REVIEW)
def vetting(call: Call, form: FormState | None = None) -> ResponseReturnValue:
    """Businesses by vetting state, the ones that wait first."""
    state = request.args.get("state", VETTING.initial)
    state = state if state in VETTING.states else VETTING.initial
    found = organizations_to_review(call.session, state=state, cursor=request.args.get("cursor"))
    return render_template("desk/vetting.html", page=found, state=state, form=form or FormState())


@section.get("/vetting/<org_id>", needs=Permission.VETTING_REVIEW, subject=load_organization)
def organization(call: Call, org: Organization, form: FormState | None = None) -> ResponseReturnValue:
    """One business with everything it told us, and the decision."""
    return render_template(
        "desk/organization.html",
        organization=org,
        form=form or FormState(),
        machine=VETTING,
        alike=lookalikes(call.session, org),
    )


@section.post("/vetting/<org_id>", needs=Permission.VETTING_REVIEW, subject=load_organization, on_invalid=organization)
def review(call: Call, org: Organization) -> ResponseReturnValue:
    """Approve, refuse or suspend; the members are told."""
    given = read_form(ReviewForm)
    operations.review(call.session, call.actor, org, given.action, given.reason or None)
    return see_other("desk.vetting", toast=_("Decision for %(name)s recorded; they have been told.", name=org.name))
