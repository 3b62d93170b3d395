"""API calls of the photo editor: steps as data, undo and redo, proposals, publishing."""

from sqlalchemy import select

from marketplace.designs.models import Asset, Derivative
from marketplace.designs.pictures import ORDER, group
from marketplace.policy.permissions import Permission
from marketplace.studio import answers, photo_edits
from marketplace.studio.answers import JobOut
from marketplace.studio.api import api
from marketplace.studio.models import PhotoEdit
from marketplace.studio.photo_edits import load_photo
from marketplace.studio.photo_forms import EditsIn, MoveIn, PhotoEditOut, PublishIn, edit_out
from marketplace.web.call import Call

#: The calls of the studio, extended here; composition takes them from this module so that its routes are there.
__all__ = ["api"]

_PATH = "/designs/<design_id>/photos/<asset_id>/edits"


@api.get(_PATH, needs=Permission.DESIGN_EDIT, subject=load_photo, returns=PhotoEditOut, summary="Edits of a photo")
def photo_edits_of(call: Call, asset: Asset) -> PhotoEditOut:
    """Steps, what they did to color, and both pictures."""
    return _out(call, asset, photo_edits.edit_of(call.session, asset))


@api.call(
    "PUT",
    _PATH,
    needs=Permission.DESIGN_EDIT,
    subject=load_photo,
    body=EditsIn,
    returns=PhotoEditOut,
    status=202,
    summary="Replace the steps of a photo's edit",
)
def set_photo_edits(call: Call, asset: Asset, body: EditsIn) -> PhotoEditOut:
    """A draft is made of them; the photo that others see stays as it is."""
    edit = photo_edits.change(call.session, call.actor, asset, body.steps, base_version=body.version)
    return _out(call, asset, edit)


@api.call(
    "POST",
    f"{_PATH}/move",
    needs=Permission.DESIGN_EDIT,
    subject=load_photo,
    body=MoveIn,
    returns=PhotoEditOut,
    status=202,
    summary="Undo or redo a change of the steps",
)
def move_photo_edits(call: Call, asset: Asset, body: MoveIn) -> PhotoEditOut:
    """Back to the steps before, or forth again."""
    by = -1 if body.action == "undo" else 1
    return _out(call, asset, photo_edits.move(call.session, call.actor, asset, by, base_version=body.version))


@api.call(
    "POST",
    f"{_PATH}/propose",
    needs=Permission.CONTENT_DRAFT,
    subject=load_photo,
    returns=JobOut,
    status=202,
    summary="Have steps proposed for a photo",
)
def propose_photo_edits(call: Call, asset: Asset) -> JobOut:
    """White balance, exposure, straighten and crop by measurement; as one change that can be undone."""
    return answers.job_out(photo_edits.request_proposal(call.session, call.actor, asset))


@api.call(
    "POST",
    f"{_PATH}/publish",
    needs=Permission.CONTENT_APPROVE,
    subject=load_photo,
    body=PublishIn,
    returns=PhotoEditOut,
    summary="Show everybody the edited photo",
)
def publish_photo_edits(call: Call, asset: Asset, body: PublishIn) -> PhotoEditOut:
    """409 `look_first` where color moved too far, or the piece was hard to find, and nobody confirmed."""
    return _out(call, asset, photo_edits.publish(call.session, call.actor, asset, confirmed=body.confirmed))


def _out(call: Call, asset: Asset, edit: PhotoEdit) -> PhotoEditOut:
    query = select(Derivative).where(Derivative.asset_id == asset.id).order_by(*ORDER)
    pictures = {picture.view: picture for picture in group(call.session.scalars(query).all(), editor=True)}
    return edit_out(asset, edit, pictures, call.services.storage.image_url)
