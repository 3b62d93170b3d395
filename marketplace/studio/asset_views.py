"""Pages of single files: the polled row, completing an upload, trying again, the unit, removing."""

from flask import make_response, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from marketplace.designs import choices, render_queue, uploads
from marketplace.designs.access import load_asset
from marketplace.designs.models import Asset
from marketplace.policy.permissions import Permission
from marketplace.studio import answers
from marketplace.studio.api import complete, parts, reuse
from marketplace.studio.forms import ChoicesForm, PicturesForm
from marketplace.studio.queries import thumbs_of
from marketplace.studio.rows import asset_row
from marketplace.web.call import AfterCommit, Call
from marketplace.web.errors import is_htmx, wants_json
from marketplace.web.forms import read_form
from marketplace.web.idempotency import to_response
from marketplace.web.navigate import see_other
from marketplace.web.section import Section

section = Section("assets", url_prefix="/assets")


@section.get("/<asset_id>", needs=Permission.ASSET_READ, subject=load_asset)
def show(call: Call, asset: Asset) -> ResponseReturnValue:
    """The row of a file, for the page that asks again; a plain visit goes to the page the file belongs to."""
    if not is_htmx():
        return _home_of(asset)
    sign = call.services.storage.image_url
    before = render_queue.waiting_before(call.session, [asset])
    row = asset_row(asset, thumbs_of(call.session, asset.id), sign, before.get(asset.id))
    response = make_response(render_template("designs/_row_only.html", row=row))
    # The results beside the list look again when a file moved on.
    response.headers["HX-Trigger"] = "asset-changed"
    return response


@section.post("/<asset_id>/complete", needs=Permission.ASSET_UPLOAD, subject=load_asset)
def complete_upload(call: Call, asset: Asset) -> ResponseReturnValue | AfterCommit:
    """Called by the page's script once the bytes are in the store."""
    return AfterCommit(lambda: to_response(answers.asset_out(complete(call, asset), [], str), 202))


@section.post("/<asset_id>/parts", needs=Permission.ASSET_UPLOAD, subject=load_asset)
def upload_parts(call: Call, asset: Asset) -> AfterCommit:
    """Called by the page's script: which parts are here, and where the others go."""
    return AfterCommit(lambda: to_response(parts(call, asset), 200))


@section.post("/<asset_id>/reuse", needs=Permission.ASSET_UPLOAD, subject=load_asset)
def reuse_present(call: Call, asset: Asset) -> AfterCommit:
    """Called by the page's script when the same bytes are here already: nothing has to be sent."""
    return AfterCommit(lambda: to_response(answers.asset_out(reuse(call, asset), [], str), 202))


@section.post("/<asset_id>/remove", needs=Permission.ASSET_UPLOAD, subject=load_asset)
def remove(call: Call, asset: Asset) -> ResponseReturnValue:
    """Take the file away."""
    uploads.remove_asset(call.session, call.actor, asset)
    if wants_json():  # the script that cancels an upload takes its row away itself
        return to_response(None, 204)
    return _home_of(asset, toast=_("%(filename)s was removed.", filename=asset.filename))


@section.post("/<asset_id>/retry", needs=Permission.ASSET_UPLOAD, subject=load_asset)
def retry(call: Call, asset: Asset) -> ResponseReturnValue:
    """Check it once more."""
    uploads.retry(call.session, call.actor, asset)
    return _home_of(asset)


@section.post("/<asset_id>/choices", needs=Permission.ASSET_UPLOAD, subject=load_asset)
def choose(call: Call, asset: Asset) -> ResponseReturnValue:
    """State the unit, the layers and the parts of a CAD file, and measure again."""
    given = read_form(ChoicesForm)
    round_before = asset.round
    found = choices.choose(
        call.session, call.actor, asset, unit=given.unit, layers=given.chosen_layers(), roles=given.chosen_roles()
    )
    return _home_of(asset, toast=_("Measuring again.") if found.round > round_before else _("Nothing was changed."))


@section.post("/<asset_id>/pictures", needs=Permission.ASSET_UPLOAD, subject=load_asset)
def pictures(call: Call, asset: Asset) -> ResponseReturnValue:
    """Have more pictures made in another look and alloy."""
    given = read_form(PicturesForm)
    job = render_queue.request_pictures(call.session, call.actor, asset, look=given.look, alloy=given.alloy)
    if job.state == "done":
        return _home_of(asset, toast=_("These pictures are already here."))
    return _home_of(asset, toast=_("The pictures will appear here one by one."))


def _home_of(asset: Asset, toast: str | None = None) -> ResponseReturnValue:
    if asset.design_id:
        return see_other("designs.show", toast=toast, design_id=asset.design_id)
    if asset.negotiation_id:
        return see_other("negotiations.show", toast=toast, negotiation_id=asset.negotiation_id)
    return see_other("orders.show", toast=toast, order_id=asset.order_id)
