"""The page about one's own data."""

from typing import Literal

from flask import render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from pydantic import Field
from sqlalchemy import select

from marketplace.kernel.errors import NotFound
from marketplace.policy.permissions import Permission
from marketplace.privacy import operations
from marketplace.privacy.access import load_request
from marketplace.privacy.models import PrivacyRequest
from marketplace.web.call import Call
from marketplace.web.forms import Form, FormState, read_form
from marketplace.web.limits import limit
from marketplace.web.navigate import leave_for, see_other
from marketplace.web.section import Section

section = Section("privacy", url_prefix="/privacy-requests")
EXPORT_TYPE = "application/json"


class RequestForm(Form):
    """What a person asks for."""

    kind: Literal["access", "erase", "correct", "restrict"]
    note: str = Field(default="", max_length=2000)


@section.get("", needs=Permission.PRIVACY_REQUEST)
def index(call: Call, form: FormState | None = None) -> ResponseReturnValue:
    """What we hold, what was asked, and by when it is answered."""
    query = select(PrivacyRequest).where(PrivacyRequest.user_id == call.user_id)
    found = call.session.scalars(query.order_by(PrivacyRequest.created_at.desc(), PrivacyRequest.id).limit(50)).all()
    return render_template("privacy/index.html", requests=found, form=form or FormState())


@section.post("", needs=Permission.PRIVACY_REQUEST, on_invalid=index)
def ask(call: Call) -> ResponseReturnValue:
    """Take a request."""
    limit("privacy", call.user_id, "10 per day")
    given = read_form(RequestForm)
    operations.ask(call.session, call.actor, given.kind, given.note)
    return see_other("privacy.index", toast=_("Your request is recorded."))


@section.post("/<request_id>/download", needs=Permission.PRIVACY_REQUEST, subject=load_request)
def download(call: Call, request: PrivacyRequest) -> ResponseReturnValue:
    """Fetch the copy by a link that lives a minute."""
    return leave_for(link(call, request))


def link(call: Call, request: PrivacyRequest) -> str:
    """The address of a finished copy; raises NotFound while there is none."""
    if request.storage_key is None:
        raise NotFound
    return call.services.storage.presign_get(request.storage_key, 60, "my-data.json", EXPORT_TYPE)
