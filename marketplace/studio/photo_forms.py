"""Input of the photo editor's pages and calls, and what the calls answer."""

from typing import Any, Literal

from pydantic import Field

from marketplace.designs.models import Asset
from marketplace.designs.pictures import Picture, Sign
from marketplace.studio.models import PhotoEdit
from marketplace.studio.photo_edits import doubts
from marketplace.web.forms import Body, Form


class EditsIn(Body):
    """The whole stack of steps; `version` refuses a change on top of somebody else's."""

    steps: list[dict[str, Any]] = Field(max_length=12)
    version: int | None = None


class MoveIn(Body):
    """Undo or redo."""

    action: Literal["undo", "redo"]
    version: int | None = None


class PublishIn(Body):
    """`confirmed`: a person compared both pictures, where that is asked for."""

    confirmed: bool = False


class PhotoEditOut(Body):
    """The edit of a photo: its steps, what they did to color, what is shown to everybody."""

    asset: str
    state: str
    version: int
    steps: list[dict[str, Any]]
    can_undo: bool
    can_redo: bool
    report: dict[str, Any] | None
    notes: list[dict[str, Any]]
    must_confirm: list[str]
    published: list[dict[str, Any]] | None
    before: str | None
    after: str | None


class StepForm(Form):
    """One step from the page, or what to do with the whole stack.

    Numbers are those of the sliders; a step's fields that the form does not send keep their defaults.
    """

    action: Literal["set", "remove", "undo", "redo", "propose", "publish", "original"] = "set"
    kind: Literal["straighten", "crop", "dust", "white_balance", "exposure", "background"] | None = None
    version: int | None = None
    confirmed: bool = False
    angle: float | None = None
    shape: str | None = None
    x: float | None = None
    y: float | None = None
    size: float | None = None
    strength: int | None = None
    warmth: float | None = None
    tint: float | None = None
    stops: float | None = None
    ground: str | None = None

    def step(self) -> dict[str, Any]:
        """The step as data, with what was sent for it."""
        names = ("angle", "shape", "x", "y", "size", "strength", "warmth", "tint", "stops", "ground")
        sent = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        return {"kind": self.kind, **sent}


def edit_out(asset: Asset, edit: PhotoEdit, pictures: dict[str, Picture], sign: Sign) -> PhotoEditOut:
    """The edit of a photo."""
    before, after = before_and_after(edit, pictures)
    return PhotoEditOut(
        asset=asset.id,
        state=edit.state,
        version=edit.version,
        steps=edit.steps,
        can_undo=edit.place > 0,
        can_redo=edit.place + 1 < len(edit.history),
        report=edit.report,
        notes=edit.notes,
        must_confirm=doubts(edit) if edit.state == "ready" else [],
        published=edit.published,
        before=before.url(sign, 1200) if before else None,
        after=after.url(sign, 1200) if after else None,
    )


def before_and_after(edit: PhotoEdit, pictures: dict[str, Picture]) -> tuple[Picture | None, Picture | None]:
    """The photo in the frame of the result (or as it was uploaded), and the result of the present steps once made."""
    before = pictures.get("original") or pictures.get("photo")
    if edit.state in {"ready", "published"}:
        before = pictures.get("before") or before
    after = {"ready": pictures.get("draft"), "published": pictures.get("photo")}.get(edit.state)
    return before, after
