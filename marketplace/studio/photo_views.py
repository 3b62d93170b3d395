"""Pages of the photo editor. They belong to the section of the designs."""

from flask import make_response, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from marketplace.designs.models import Asset, Derivative
from marketplace.designs.pictures import ORDER, group
from marketplace.designs.vocabulary import reason_text
from marketplace.gateways.photos import KINDS
from marketplace.kernel.errors import NotFound
from marketplace.policy.permissions import Permission
from marketplace.studio import photo_edits
from marketplace.studio.pack_views import section
from marketplace.studio.photo_edits import load_photo
from marketplace.studio.photo_forms import StepForm, before_and_after
from marketplace.studio.photo_words import GROUND_WORDS, SHAPE_WORDS, STEP_HINTS, STEP_WORDS, step_text
from marketplace.web.call import Call
from marketplace.web.errors import is_htmx
from marketplace.web.forms import FormState, read_form
from marketplace.web.navigate import see_other

#: The section of the designs, extended here; composition takes it from this module so that its routes are there.
__all__ = ["section"]


@section.get("/<design_id>/photos/<asset_id>", needs=Permission.DESIGN_EDIT, subject=load_photo)
def photo(call: Call, asset: Asset, form: FormState | None = None) -> ResponseReturnValue:
    """The editor; asked by the page itself, the part that shows the result."""
    edit = photo_edits.edit_of(call.session, asset)
    query = select(Derivative).where(Derivative.asset_id == asset.id).order_by(*ORDER)
    pictures = {picture.view: picture for picture in group(call.session.scalars(query).all(), editor=True)}
    before, after = before_and_after(edit, pictures)
    proposing = photo_edits.open_proposal(call.session, asset)
    page = render_template(
        "studio/_photo_result.html" if is_htmx() else "studio/photo.html",
        photo=asset,
        edit=edit,
        steps={step["kind"]: step for step in edit.steps},
        moved={step["kind"]: step for step in (edit.report or {}).get("steps", [])},
        doubts=photo_edits.doubts(edit) if edit.state == "ready" else [],
        proposing=proposing,
        before=before,
        after=after,
        sign=call.services.storage.image_url,
        kinds=KINDS,
        step_words=STEP_WORDS,
        step_hints=STEP_HINTS,
        shape_words=SHAPE_WORDS,
        ground_words=GROUND_WORDS,
        step_text=step_text,
        reason_text=reason_text,
        refused=form,
    )
    response = make_response(page)
    if is_htmx() and edit.state != "queued" and proposing is None:
        # The steps beside the result tell what each did: the whole page is shown anew.
        response.headers["HX-Refresh"] = "true"
    return response


@section.post("/<design_id>/photos/<asset_id>", needs=Permission.DESIGN_EDIT, subject=load_photo, on_invalid=photo)
def edit_photo(call: Call, asset: Asset) -> ResponseReturnValue:
    """Set or take out a step, go back or forth, have steps proposed, or publish."""
    given = read_form(StepForm)
    toast = None
    if given.action in {"undo", "redo"}:
        by = -1 if given.action == "undo" else 1
        photo_edits.move(call.session, call.actor, asset, by, base_version=given.version)
    elif given.action == "propose":
        photo_edits.request_proposal(call.session, call.actor, asset)
    elif given.action == "publish":
        photo_edits.publish(call.session, call.actor, asset, confirmed=given.confirmed)
        toast = _("This is what everybody sees now.")
    elif given.action == "original":
        photo_edits.change(call.session, call.actor, asset, [], base_version=given.version)
    else:
        if given.kind is None:
            raise NotFound
        present = photo_edits.edit_of(call.session, asset).steps
        steps = [step for step in present if step["kind"] != given.kind]
        if given.action == "set":
            steps.append(given.step())
        photo_edits.change(call.session, call.actor, asset, steps, base_version=given.version)
    return see_other("designs.photo", toast=toast, design_id=asset.design_id, asset_id=asset.id)
