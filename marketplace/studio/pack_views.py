"""The tech pack: confirming what is proposed, and taking it away as PDF or JSON. Part of the section of the designs."""

import json
from typing import Any

from flask import make_response, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from marketplace.designs import facts
from marketplace.designs.access import load_design
from marketplace.designs.models import Design
from marketplace.gateways.documents import make_pdf
from marketplace.gateways.s3_names import content_disposition
from marketplace.gateways.storage import ObjectMissing, ObjectTooLarge
from marketplace.kernel import clock
from marketplace.policy.permissions import Permission
from marketplace.studio import pack_document
from marketplace.studio.api import api
from marketplace.studio.canvas import context
from marketplace.studio.forms import ConfirmForm
from marketplace.studio.queries import workspace_files
from marketplace.studio.upload_views import section
from marketplace.studio.views import show
from marketplace.web.call import AfterCommit, Call
from marketplace.web.errors import is_htmx
from marketplace.web.forms import read_form
from marketplace.web.limits import limit
from marketplace.web.navigate import see_other

#: The section of the designs, extended here; composition takes it from this module so that its routes are there.
__all__ = ["section"]

#: Setting a page takes a third of a second of a processor; nobody needs more than this.
_DOCUMENTS = "20 per minute"


@section.post("/<design_id>/facts", needs=Permission.DESIGN_EDIT, subject=load_design, on_invalid=show)
def confirm_facts(call: Call, design: Design) -> ResponseReturnValue:
    """Confirm several values at once, as they stand."""
    for name in read_form(ConfirmForm).names:
        facts.set_fact(call.session, call.actor, design, name)
    if is_htmx():
        return render_template("designs/_pack.html", **context(call, workspace_files(call.session, design)))
    return see_other("designs.show", toast=_("Confirmed."), design_id=design.id, _anchor="pack")


@section.get("/<design_id>/tech-pack.pdf", needs=Permission.DESIGN_READ, subject=load_design)
def tech_pack_pdf(call: Call, design: Design) -> AfterCommit:
    """The tech pack as a document in the reader's language; made when it is asked for, after the transaction."""
    limit("tech_pack", call.user_id, _DOCUMENTS)
    found = workspace_files(call.session, design)
    values = pack_document.document(found, call.settings.brand_name)
    key, title = pack_document.picture_key(found), design.title

    def made() -> Any:
        if key is not None:
            values["picture"] = _bytes(call, key)
        answer = make_response(make_pdf(pack_document.TEMPLATE, values, clock.now()))
        answer.headers["Content-Type"] = "application/pdf"
        answer.headers["Content-Disposition"] = content_disposition("inline", f"{title}.pdf")
        return answer

    return AfterCommit(made)


@section.get("/<design_id>/tech-pack.json", needs=Permission.DESIGN_READ, subject=load_design)
def tech_pack_json(call: Call, design: Design) -> ResponseReturnValue:
    """The tech pack as data, to download."""
    found = pack_document.as_json(workspace_files(call.session, design))
    answer = make_response(json.dumps(found, ensure_ascii=False, indent=1))
    answer.headers["Content-Type"] = "application/json"
    answer.headers["Content-Disposition"] = content_disposition("attachment", f"{design.title}.json")
    return answer


@api.get(
    "/designs/<design_id>/tech-pack",
    needs=Permission.DESIGN_READ,
    subject=load_design,
    returns=dict[str, Any],
    summary="The tech pack of a design: facts, weights, stones, findings, versions",
)
def tech_pack(call: Call, design: Design) -> dict[str, Any]:
    """The same as the page shows, with methods and tolerances."""
    return pack_document.as_json(workspace_files(call.session, design))


def _bytes(call: Call, key: str) -> list[int] | None:
    """The picture for the document, or None when it is gone meanwhile."""
    try:
        return list(call.services.storage.read(key, pack_document.PICTURE_BYTES))
    except (ObjectMissing, ObjectTooLarge):
        return None
