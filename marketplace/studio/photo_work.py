"""What the background work writes about edited photos: each function is one phase's transaction."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.db.locks import lock
from marketplace.designs.models import Asset, Derivative, Design, DiscardedObject
from marketplace.designs.processing import Made, expect
from marketplace.designs.uploads import discard
from marketplace.kernel.actor import Actor
from marketplace.studio import photo_edits, rules
from marketplace.studio.models import PhotoEdit

_SYSTEM = frozenset({"system"})


@dataclass(frozen=True, slots=True)
class Photo:
    """What a job needs to know of a photo and of the steps to make."""

    asset_id: str
    filename: str
    content_type: str
    size: int
    sha256: str
    key: str
    steps: list[dict[str, Any]]


def photo_to_read(session: Session, asset_id: str) -> Photo | None:
    """The photo, for a proposal; None when it is gone."""
    asset = session.get(Asset, asset_id)
    if asset is None or asset.removed_at is not None or asset.state != "ready" or asset.storage_key is None:
        return None
    return Photo(asset.id, asset.filename, asset.content_type, asset.size, asset.sha256, asset.storage_key, [])


def begin(session: Session, asset_id: str, version: int, folder: str) -> Photo | None:
    """The photo and its steps, with `folder` written down; None when they changed meanwhile or it is gone."""
    photo = photo_to_read(session, asset_id)
    edit = session.get(PhotoEdit, asset_id)
    if photo is None or edit is None or edit.state != "queued" or edit.version != version:
        return None
    expect(session, folder)
    return Photo(photo.asset_id, photo.filename, photo.content_type, photo.size, photo.sha256, photo.key, edit.steps)


def finish(
    session: Session,
    asset_id: str,
    version: int,
    *,
    folder: str,
    report: dict[str, Any],
    made: list[Made],
) -> bool:
    """Keep the draft in place of an older one; False (and nothing is kept) when the steps changed meanwhile."""
    edit = _current(session, asset_id, version)
    if edit is None:
        return False
    query = select(Derivative).where(Derivative.asset_id == asset_id, Derivative.view.in_(("draft", "before")))
    old = session.scalars(query).all()
    discard(session, [row.storage_key for row in old], stage_sweep=False)
    for row in old:
        session.delete(row)
    session.flush()
    for item in made:
        session.add(
            Derivative(
                asset_id=asset_id,
                design_id=edit.design_id,
                org_id=edit.org_id,
                role=item.role,
                view=item.view,
                storage_key=item.storage_key,
                content_type=item.content_type,
                width=item.width,
                height=item.height,
                size=item.size,
                placeholder=item.placeholder,
            )
        )
    edit.report = report
    rules.PHOTO_EDIT.advance(edit, "finish", _SYSTEM)
    marker = session.get(DiscardedObject, folder)
    if marker is not None:
        session.delete(marker)
    return True


def fail(session: Session, asset_id: str, version: int, reason: dict[str, Any]) -> None:
    """The draft could not be made; `reason` is {code, message, params}."""
    edit = _current(session, asset_id, version)
    if edit is not None:
        edit.report = {"reason": reason}
        rules.PHOTO_EDIT.advance(edit, "fail", _SYSTEM)


def keep_proposal(
    session: Session, actor: Actor, asset_id: str, steps: list[dict[str, Any]], notes: list[dict[str, Any]]
) -> None:
    """Put proposed steps in as one more change, which can be undone; without steps only the notes are kept."""
    asset = session.get(Asset, asset_id)
    if asset is None or asset.removed_at is not None or asset.state != "ready":
        return
    edit = photo_edits.edit_of(session, asset)
    if steps:
        edit = photo_edits.change(session, actor, asset, steps)
    session.add(edit)
    edit.notes = notes
    session.flush()


def _current(session: Session, asset_id: str, version: int) -> PhotoEdit | None:
    asset = session.get(Asset, asset_id)
    if asset is None or asset.design_id is None:
        return None
    lock(session, Design, asset.design_id)
    row = lock(session, Asset, asset_id)
    edit = session.get(PhotoEdit, asset_id)
    if row.removed_at is not None or edit is None or edit.state != "queued" or edit.version != version:
        return None
    return edit
