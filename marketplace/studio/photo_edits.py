"""Editing photos: changing the steps, going back and forth, proposing, publishing. The originals are never touched."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.audit.operations import record
from marketplace.db.jobs import JobName, JobRow, stage
from marketplace.db.locks import lock
from marketplace.designs.access import load_asset, load_design
from marketplace.designs.models import Asset, Derivative, Design
from marketplace.designs.pictures import refresh_cover
from marketplace.designs.uploads import discard
from marketplace.gateways.photos import SURE, checked_steps
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, NotFound
from marketplace.kernel.ids import new_id
from marketplace.policy.decide import relations_of
from marketplace.studio import rules
from marketplace.studio.models import PhotoEdit

#: Photos of one design that are proposed for at once.
MAX_PROPOSALS = 24


@relations_of.register
def _edit(subject: PhotoEdit, actor: Actor) -> frozenset[str]:
    if actor.kind == "system":
        return frozenset({"system"})
    return frozenset({"owner"}) if actor.org_id == subject.org_id else frozenset()


def load_photo(session: Session, actor: Actor, design_id: str, asset_id: str) -> Asset:
    """A photo of one of the actor's designs that has been read; raises NotFound."""
    design = load_design(session, actor, design_id)
    asset = load_asset(session, actor, asset_id)
    if asset.design_id != design.id or asset.kind != "photo" or asset.state != "ready":
        raise NotFound
    return asset


def edit_of(session: Session, asset: Asset) -> PhotoEdit:
    """The edit of a photo; a fresh one, which is not kept yet, when there is none."""
    found = session.get(PhotoEdit, asset.id)
    if found is not None:
        return found
    return PhotoEdit(
        asset_id=asset.id,
        design_id=asset.design_id,
        org_id=asset.org_id,
        state="plain",
        version=0,
        history=[[]],
        place=0,
        notes=[],
    )


def change(
    session: Session, actor: Actor, asset: Asset, steps: Sequence[Any], *, base_version: int | None = None
) -> PhotoEdit:
    """Put another stack in place of the present one and have a draft made of it.

    Raises Invalid `bad_step`, Conflict `stale_version`.
    """
    wanted = checked_steps(steps)
    edit = _locked(session, asset)
    _check_version(edit, base_version)
    if wanted != edit.steps:
        _push(edit, wanted)
        edit.notes = []
    _have_made(session, actor, edit)
    record(session, actor, "photo.edited", asset.id, owner_org_id=asset.org_id, steps=[s["kind"] for s in wanted])
    return edit


def move(session: Session, actor: Actor, asset: Asset, by: int, *, base_version: int | None = None) -> PhotoEdit:
    """Undo (`by` -1) or redo (1) the last change. Raises Conflict `no_further`, `stale_version`."""
    edit = _locked(session, asset)
    _check_version(edit, base_version)
    if not 0 <= edit.place + by < len(edit.history):
        raise Conflict("no_further", "There is no further change in this direction.")
    edit.place += by
    edit.notes = []
    _have_made(session, actor, edit)
    return edit


def publish(session: Session, actor: Actor, asset: Asset, *, confirmed: bool) -> PhotoEdit:
    """Show everybody the result of the present stack; with no steps, the photo as it was uploaded.

    Raises Conflict `not_made` before the draft is there, `look_first` when color moved beyond its limit or the piece
    was not told from its ground with confidence, and nobody `confirmed` to have looked.
    """
    if asset.design_id is None:
        raise NotFound
    design = lock(session, Design, asset.design_id)
    edit = _locked(session, asset)
    if edit.state not in {"ready", "plain"}:
        raise Conflict("not_made", "The edited photo is not ready yet.")
    if edit.state == "ready" and doubts(edit) and not confirmed:
        raise Conflict("look_first", "Compare the two pictures, then confirm that the piece is shown as it is.")
    rows = session.scalars(select(Derivative).where(Derivative.asset_id == asset.id)).all()
    by_view = {view: [row for row in rows if row.view == view] for view in ("photo", "original", "draft", "before")}
    if edit.state == "ready":
        _exchange(session, by_view, edits={"kinds": [step["kind"] for step in edit.steps], **_color(edit)})
        edit.published = edit.steps
    elif edit.published is not None:
        _put_back(session, by_view)
        edit.published = None
    rules.PHOTO_EDIT.advance(edit, "publish", relations_of(edit, actor))
    edit.version += 1
    edit.published_by, edit.published_at = actor.user_id, clock.now()
    refresh_cover(session, design)
    record(session, actor, "photo.published", asset.id, owner_org_id=asset.org_id, steps=edit.published or [])
    return edit


def request_proposals(session: Session, actor: Actor, design: Design) -> list[JobRow]:
    """Have steps proposed for every photo of a design that nobody has edited. Raises Conflict `no_photos`."""
    query = (
        select(Asset)
        .outerjoin(PhotoEdit, PhotoEdit.asset_id == Asset.id)
        .where(
            Asset.design_id == design.id,
            Asset.kind == "photo",
            Asset.state == "ready",
            Asset.removed_at.is_(None),
            PhotoEdit.asset_id.is_(None) | (PhotoEdit.state == "plain") & PhotoEdit.published.is_(None),
        )
        .order_by(Asset.position, Asset.id)
        .limit(MAX_PROPOSALS)
    )
    photos = session.scalars(query).all()
    if not photos:
        raise Conflict("no_photos", "There is no photo without edits here.")
    return [request_proposal(session, actor, asset) for asset in photos]


def request_proposal(session: Session, actor: Actor, asset: Asset) -> JobRow:
    """Have steps proposed for one photo; while a proposal is being made, no second one is."""
    lock(session, Asset, asset.id)
    found = open_proposal(session, asset)
    if found is not None:
        return found
    job_id = stage(
        session,
        JobName.PROPOSE_EDITS,
        f"{asset.id}:{new_id('ask')}",
        {"asset_id": asset.id},
        subject=asset.id,
        org_id=asset.org_id,
        user_id=actor.user_id,
    )
    return session.get_one(JobRow, job_id)


def open_proposal(session: Session, asset: Asset) -> JobRow | None:
    """The proposal that is being made for a photo."""
    query = select(JobRow).where(
        JobRow.subject == asset.id,
        JobRow.name == str(JobName.PROPOSE_EDITS),
        JobRow.state.in_(("queued", "running")),
    )
    return session.scalars(query.limit(1)).one_or_none()


def doubts(edit: PhotoEdit) -> list[str]:
    """What a person must have looked at before the draft is published: `color`, `edge`."""
    report = edit.report or {}
    found = []
    color = report.get("color") or {}
    if color and color["moved"] > color["limit"]:
        found.append("color")
    confidence = report.get("confidence")
    if confidence is not None and confidence < SURE:
        found.append("edge")
    return found


def _locked(session: Session, asset: Asset) -> PhotoEdit:
    """The edit, kept and locked; the asset's lock stands for one that is just being made."""
    row = lock(session, Asset, asset.id)
    if row.removed_at is not None or row.kind != "photo" or row.state != "ready" or row.design_id is None:
        raise NotFound
    edit = edit_of(session, row)
    session.add(edit)
    session.flush()
    return edit


def _check_version(edit: PhotoEdit, base: int | None) -> None:
    if base is not None and base != edit.version:
        raise Conflict(
            "stale_version",
            "Somebody changed this edit meanwhile. Reload the page and look at it first.",
            extra={"version": edit.version},
        )


def _push(edit: PhotoEdit, steps: list[dict[str, Any]]) -> None:
    kept = [*edit.history[: edit.place + 1], steps][-rules.MAX_HISTORY :]
    edit.history, edit.place = kept, len(kept) - 1


def _have_made(session: Session, actor: Actor, edit: PhotoEdit) -> None:
    """Stage the draft of the present stack; without steps there is nothing to make."""
    edit.version += 1
    edit.report = None
    who = relations_of(edit, actor)
    if not edit.steps:
        rules.PHOTO_EDIT.advance(edit, "clear", who)
        return
    rules.PHOTO_EDIT.advance(edit, "change", who)
    stage(
        session,
        JobName.EDIT_PHOTO,
        f"{edit.asset_id}:{edit.version}",
        {"asset_id": edit.asset_id, "version": edit.version},
        subject=edit.asset_id,
        org_id=edit.org_id,
        user_id=actor.user_id,
    )


def _color(edit: PhotoEdit) -> dict[str, Any]:
    color = (edit.report or {}).get("color") or {}
    return {"moved": color.get("moved"), "limit": color.get("limit")}


def _exchange(session: Session, by_view: dict[str, list[Derivative]], *, edits: dict[str, Any]) -> None:
    """The draft takes the place of the photo; the photo as it was uploaded is kept to compare and to go back to."""
    shown = by_view["photo"]
    position = shown[0].position if shown else 0
    hidden = shown[0].hidden if shown else False
    if by_view["original"]:
        _drop(session, shown)
    else:
        _rename(shown, "original")
    session.flush()
    _rename(by_view["draft"], "photo")
    for row in by_view["draft"]:
        row.position, row.hidden, row.edits = position, hidden, edits
    session.flush()


def _put_back(session: Session, by_view: dict[str, list[Derivative]]) -> None:
    """The photo as it was uploaded takes the place of the edited one."""
    shown = by_view["photo"]
    position = shown[0].position if shown else 0
    _drop(session, [*shown, *by_view["draft"], *by_view["before"]])
    session.flush()
    _rename(by_view["original"], "photo")
    for row in by_view["original"]:
        row.position = position
    session.flush()


def _rename(rows: Sequence[Derivative], view: str) -> None:
    for row in rows:
        row.role = f"{view}_{row.role.partition('_')[2]}"
        row.view = view


def _drop(session: Session, rows: Sequence[Derivative]) -> None:
    discard(session, [row.storage_key for row in rows], stage_sweep=False)
    for row in rows:
        session.delete(row)
