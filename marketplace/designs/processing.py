"""What the background work writes about a file: each function is one phase's transaction."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace.audit.operations import record
from marketplace.db.locks import lock
from marketplace.designs import facts, render_queue, rules
from marketplace.designs.models import Asset, Derivative, Design, DiscardedObject
from marketplace.designs.pictures import refresh_cover
from marketplace.designs.uploads import discard, discard_files, pin_cad
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.notifications.operations import notify_org

#: A folder whose results were never recorded may be deleted after this; longer than any job may run.
ABANDONED_AFTER = timedelta(hours=6)
_SYSTEM = frozenset({"system"})
#: Renders stand behind photos until a person orders them.
_RENDER_POSITION = 100_000
_VIEW_ORDER = ("hero", "three_quarter", "detail", "front", "side", "top", "back", "scale", "heat", "exploded")
#: Pictures for whoever makes the piece; their owner may show them.
_FOR_THE_BENCH = frozenset({"heat", "exploded"})


@dataclass(frozen=True, slots=True)
class Made:
    """One stored derivative, before it has a row."""

    role: str
    view: str
    storage_key: str
    content_type: str
    size: int
    width: int | None = None
    height: int | None = None
    placeholder: str | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """What a job needs to know of the file it works on."""

    asset_id: str
    kind: str
    filename: str
    content_type: str
    size: int
    sha256: str
    key: str
    unit: str | None
    choices: dict[str, Any]
    metals: tuple[str, ...]


def begin(session: Session, asset_id: str, folder: str) -> Work | None:
    """Take an uploaded file into processing and write `folder` down; None when there is nothing (more) to do."""
    asset = lock(session, Asset, asset_id)
    key = asset.upload_key or asset.storage_key
    if asset.state not in {"uploaded", "processing"} or asset.removed_at is not None or key is None:
        return None
    rules.ASSET.advance(asset, "begin", _SYSTEM)
    asset.progress = 10
    expect(session, folder)
    return work_of(asset, key)


def work_of(asset: Asset, key: str, design: Design | None = None) -> Work:
    """What a job needs to know of a file."""
    return Work(
        asset.id,
        asset.kind,
        asset.filename,
        asset.content_type,
        asset.size,
        asset.sha256,
        key,
        asset.unit,
        dict(asset.choices),
        tuple(design.metals if design else ()),
    )


def note_progress(session: Session, asset_id: str, percent: int) -> None:
    """Show how far reading a file is."""
    asset = session.get(Asset, asset_id)
    if asset is not None and asset.state == "processing":
        asset.progress = percent


def note_first_facts(session: Session, asset_id: str, facts: list[dict[str, Any]]) -> None:
    """Show what is known of a file while the rest is still being measured."""
    asset = session.get(Asset, asset_id)
    if asset is not None and asset.state == "processing":
        asset.report = {**asset.report, "status": "measuring", "facts": facts}
        asset.progress = 50


def expect(session: Session, folder: str) -> None:
    """Write down a folder before anything is stored in it, so that a killed job leaves nothing behind for good."""
    due = clock.now() + ABANDONED_AFTER
    session.execute(
        insert(DiscardedObject)
        .values(key=folder, due_at=due, created_at=clock.now())
        .on_conflict_do_update(index_elements=["key"], set_={"due_at": due})
    )


def finish(
    session: Session,
    actor: Actor,
    asset_id: str,
    *,
    folder: str,
    storage_key: str,
    report: dict[str, Any],
    made: list[Made],
    renderable: bool,
) -> bool:
    """Record what reading a file gave: exactly one set of derivatives and facts, whatever ran before.

    False (and nothing is kept) when the file was removed or settled meanwhile.
    """
    found = lock_with_design(session, asset_id)
    if found is None:
        return False
    asset, design = found
    if asset.state != "processing" or asset.removed_at is not None:
        return False
    replace_derivatives(session, asset, made)
    # The hourly sweep is soon enough for the uploaded copy; a job of its own would cost more than the room.
    old = [key for key in (asset.upload_key, asset.storage_key) if key and key != storage_key]
    discard(session, old, stage_sweep=False)
    asset.upload_key, asset.storage_key = None, storage_key
    asset.report, asset.reason, asset.progress = report, None, 100
    rules.ASSET.advance(asset, "finish", _SYSTEM)
    keep(session, folder)
    session.flush()
    if asset.kind == "cad" and renderable:
        render_queue.enqueue(session, asset, user_id=asset.user_id)
    if design is not None:
        if asset.kind == "cad":
            facts.write_measured(session, asset)
            pin_cad(session, design)
        refresh_cover(session, design)
        notify_org(
            session,
            asset.org_id,
            "asset_ready",
            path=f"/designs/{design.id}",
            mail=False,
            filename=asset.filename,
        )
    record(session, actor, "asset.ready", asset.id, owner_org_id=asset.org_id, sha256=asset.sha256)
    return True


def reject(session: Session, actor: Actor, asset_id: str, reason: dict[str, Any], *, keep_file: bool = False) -> None:
    """Refuse a file with {code, message, params}; its bytes are deleted unless trying again could help."""
    found = lock_with_design(session, asset_id)
    if found is None:
        return
    asset, design = found
    if asset.state not in {"uploaded", "processing"}:
        return
    rules.ASSET.advance(asset, "reject", _SYSTEM)
    asset.reason, asset.progress, asset.render_state = reason, 0, None
    if not keep_file:
        discard_files(session, asset)
    session.flush()
    if design is not None:
        facts.forget_measured(session, asset)
        pin_cad(session, design)
        refresh_cover(session, design)
    path = f"/designs/{asset.design_id}" if asset.design_id else f"/orders/{asset.order_id}"
    if asset.negotiation_id:
        path = f"/negotiations/{asset.negotiation_id}"
    if asset.removed_at is None:
        notify_org(session, asset.org_id, "asset_rejected", path=path, filename=asset.filename, reason=reason)
    record(session, actor, "asset.rejected", asset.id, owner_org_id=asset.org_id, code=reason["code"])


def lock_with_design(session: Session, asset_id: str) -> tuple[Asset, Design | None] | None:
    """A file and its design, locked; None when it is gone."""
    # The design first, then its file: the order every operation takes them in.
    design_id = session.scalars(select(Asset.design_id).where(Asset.id == asset_id)).one_or_none()
    design = lock(session, Design, design_id) if design_id else None
    return lock(session, Asset, asset_id), design


def replace_derivatives(session: Session, asset: Asset, made: list[Made], *, view: str | None = None) -> None:
    """Put new derivatives in place of old ones: of all of them, or of one view."""
    old = session.scalars(select(Derivative).where(Derivative.asset_id == asset.id)).all()
    gone = [row for row in old if view is None or row.view == view]
    positions = {row.view: (row.position, row.hidden) for row in gone}
    discard(session, [row.storage_key for row in gone], stage_sweep=False)
    if gone:
        session.execute(delete(Derivative).where(Derivative.id.in_([row.id for row in gone])))
        for row in gone:
            session.expunge(row)
    for item in made:
        fallback = (_position(asset, item.view), item.view in _FOR_THE_BENCH)
        position, hidden = positions.get(item.view, fallback)
        session.add(
            Derivative(
                asset_id=asset.id,
                design_id=asset.design_id,
                order_id=asset.order_id,
                org_id=asset.org_id,
                role=item.role,
                view=item.view,
                storage_key=item.storage_key,
                content_type=item.content_type,
                width=item.width,
                height=item.height,
                size=item.size,
                placeholder=item.placeholder,
                position=position,
                hidden=hidden,
            )
        )
    session.flush()


def _position(asset: Asset, view: str) -> int:
    if view == "photo":
        return asset.position
    name, _, more = view.partition(".")
    order = _VIEW_ORDER.index(name) if name in _VIEW_ORDER else len(_VIEW_ORDER)
    # Pictures in other looks follow the first set of every file.
    return _RENDER_POSITION + asset.position * 100 + order + (50_000 if more else 0)


def keep(session: Session, folder: str) -> None:
    """What lies in a folder is in use now."""
    session.execute(delete(DiscardedObject).where(DiscardedObject.key == folder))
