"""Files of a design, an order or a thread: announcing, completing, trying again, ordering, removing."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace.audit.operations import record
from marketplace.db.jobs import JobName, stage
from marketplace.db.locks import lock, lock_name
from marketplace.designs import facts, rules
from marketplace.designs.models import Asset, Derivative, Design, DiscardedObject
from marketplace.designs.operations import check_still_listable
from marketplace.designs.pictures import refresh_cover
from marketplace.gateways.storage import Storage, Upload
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, Invalid, NotFound
from marketplace.policy.decide import relations_of

MAX_FILES = 200
#: Where browsers write; nothing is kept there.
UPLOADS = "uploads"


@dataclass(frozen=True, slots=True)
class NewUpload:
    """An announced file and the form that sends its bytes.

    `twin` is a file of the organization with the same bytes, `twin_title` the design it belongs to.
    """

    asset: Asset
    upload: Upload
    twin: Asset | None = None
    twin_title: str | None = None


def create_asset(
    session: Session,
    actor: Actor,
    storage: Storage,
    *,
    kind: str,
    filename: str,
    content_type: str,
    size: int,
    sha256: str,
    design: Design | None = None,
    order_id: str | None = None,
    negotiation_id: str | None = None,
) -> NewUpload:
    """Announce a file of the actor's organization and get the form that uploads exactly these bytes.

    Announcing the same bytes again while they have not arrived renews the form. Raises Invalid for a file that cannot
    be taken (`empty_file`, `file_too_large`, `unsupported_file`, `quota_exceeded`), Conflict `already_here` with the
    present file's id when the design has it. A thread can take the same file any number of times.
    """
    if actor.org_id is None or [design, order_id, negotiation_id].count(None) != 2:
        raise NotFound
    filename = rules.file_name(filename)
    rules.check_file(kind, filename, size)
    lock_name(session, f"uploads of {actor.org_id}")
    twin = _twin(session, actor.org_id, sha256, kind, design, order_id)
    here = (
        twin is not None
        and twin.kind == kind
        and negotiation_id is None
        and (twin.design_id, twin.order_id) == _place(design, order_id)
    )
    if twin is not None and here:
        if twin.state != "awaiting_upload":
            raise Conflict(
                "already_here",
                "%(filename)s is already here.",
                params={"filename": twin.filename},
                extra={"asset": twin.id},
            )
        twin.created_at = clock.now()  # the wait for its bytes begins anew
        return _new(session, storage, twin, present_copy(session, twin))
    _check_room(session, actor.org_id, size, _same_place(design, order_id, negotiation_id))
    asset = Asset(
        org_id=actor.org_id,
        user_id=actor.user_id,
        design_id=design.id if design else None,
        order_id=order_id,
        negotiation_id=negotiation_id,
        kind=kind,
        filename=filename,
        content_type=rules.media_type(content_type),
        size=size,
        sha256=sha256,
        upload_key=storage.new_key(UPLOADS),
        position=_next_position(session, design),
    )
    session.add(asset)
    session.flush()
    record(session, actor, "asset.announced", asset.id, owner_org_id=asset.org_id, kind=kind, size=size)
    return _new(session, storage, asset, twin)


def complete(session: Session, actor: Actor, asset_id: str) -> Asset:
    """Note that the bytes are there and have them checked; a second call changes nothing. Raises Conflict, NotFound."""
    row = lock(session, Asset, asset_id)
    if row.state in {"uploaded", "processing", "ready"}:
        return row
    check_again(session, actor, row, "complete")
    row.upload_id = None
    record(session, actor, "asset.uploaded", row.id, owner_org_id=row.org_id)
    return row


def retry(session: Session, actor: Actor, asset: Asset) -> Asset:
    """Check a refused file once more, when the trouble was ours and its bytes are still here. Raises Conflict."""
    row = lock(session, Asset, asset.id)
    if row.state == "rejected" and not can_retry(row):
        raise Conflict("not_kept", "A refused file is not kept. Upload it again.")
    check_again(session, actor, row, "retry")
    record(session, actor, "asset.retried", row.id, owner_org_id=row.org_id)
    return row


def can_retry(asset: Asset) -> bool:
    """Whether checking again can help: the file was not refused for what it is."""
    return asset.state == "rejected" and (asset.reason or {}).get("code") == "processing_failed"


def remove_asset(session: Session, actor: Actor, asset: Asset) -> None:
    """Take a file away. Files of a design that was ever listed are kept out of sight, because licenses may name them.

    Raises Conflict `listed_incomplete` when a listed design needs it.
    """
    design = lock(session, Design, asset.design_id) if asset.design_id else None
    row = lock(session, Asset, asset.id)
    if row.removed_at is not None:
        raise NotFound
    row.removed_at = clock.now()
    if design is None or design.listed_at is None:
        discard_files(session, row)
    else:
        session.execute(update(Derivative).where(Derivative.asset_id == row.id).values(hidden=True))
    session.flush()
    if design is not None:
        facts.forget_measured(session, row)
        pin_cad(session, design)
        refresh_cover(session, design)
        check_still_listable(session, design)
    record(session, actor, "asset.removed", row.id, owner_org_id=row.org_id, kind=row.kind)


def discard_files(session: Session, asset: Asset) -> None:
    """Forget everything stored for a file and have the objects deleted soon."""
    made = session.scalars(select(Derivative).where(Derivative.asset_id == asset.id)).all()
    keys = [asset.upload_key, asset.storage_key, *(row.storage_key for row in made)]
    discard(session, [key for key in keys if key])
    for row in made:
        session.delete(row)
    asset.upload_key = asset.upload_id = asset.storage_key = None


def discard(session: Session, keys: list[str], *, stage_sweep: bool = True) -> None:
    """Have stored objects deleted after the commit."""
    if not keys:
        return
    rows = [{"key": key, "due_at": clock.now(), "created_at": clock.now()} for key in sorted(set(keys))]
    session.execute(insert(DiscardedObject).values(rows).on_conflict_do_nothing())
    if stage_sweep:
        stage(session, JobName.SWEEP_UPLOADS, f"discard-{rows[0]['key']}", {})


def present_copy(session: Session, asset: Asset) -> Asset | None:
    """A checked file of the same organization with the bytes that `asset` announced, to take them from."""
    same = (Asset.org_id == asset.org_id, Asset.sha256 == asset.sha256, Asset.size == asset.size)
    query = (
        select(Asset)
        .where(*same, Asset.id != asset.id, Asset.removed_at.is_(None), Asset.state == "ready")
        .where(Asset.storage_key.is_not(None))
        .order_by(Asset.created_at)
        .limit(1)
    )
    return session.scalars(query).one_or_none()


def pin_cad(session: Session, design: Design) -> None:
    """Note the ready CAD files on the design, for those who may know of them but not read them."""
    query = (
        select(Asset)
        .where(Asset.design_id == design.id, Asset.kind == "cad", Asset.state == "ready", Asset.removed_at.is_(None))
        .order_by(Asset.position, Asset.id)
    )
    design.cad_pins = [
        {"asset_id": a.id, "sha256": a.sha256, "filename": a.filename, "size": a.size} for a in session.scalars(query)
    ]


def order_pictures(session: Session, actor: Actor, design: Design, picture_ids: list[str]) -> None:
    """Show the pictures (`asset.view`) in this order; those not named follow as they were."""
    row = lock(session, Design, design.id)
    made = session.scalars(select(Derivative).where(Derivative.design_id == row.id)).all()
    wanted = {name: number for number, name in enumerate(dict.fromkeys(picture_ids))}
    for item in made:
        name = f"{item.asset_id}.{item.view}"
        item.position = wanted[name] * 10 if name in wanted else len(wanted) * 10 + item.position
    refresh_cover(session, row)
    record(session, actor, "design.pictures_ordered", row.id, owner_org_id=row.org_id)


def hide_picture(session: Session, actor: Actor, design: Design, picture_id: str, *, hidden: bool) -> None:
    """Leave one render out, or take it back in; a photo is removed as a file instead. Raises NotFound, Conflict."""
    row = lock(session, Design, design.id)
    asset_id, _dot, view = picture_id.partition(".")
    done = session.execute(
        update(Derivative)
        .where(Derivative.design_id == row.id, Derivative.asset_id == asset_id, Derivative.view == view)
        .values(hidden=hidden)
        .returning(Derivative.id)
    ).all()
    if not done:
        raise NotFound
    session.expire_all()
    refresh_cover(session, row)
    check_still_listable(session, row)
    record(session, actor, "design.picture_hidden", row.id, owner_org_id=row.org_id, picture=picture_id, hidden=hidden)


def check_again(session: Session, actor: Actor, row: Asset, action: str) -> None:
    """Send a locked file back to the checker by `action` of its states, as a new round. Raises Conflict."""
    rules.ASSET.advance(row, action, relations_of(row, actor))
    row.round += 1
    row.progress, row.reason = 0, None
    stage(
        session,
        JobName.PROCESS_ASSET,
        f"{row.id}:{row.round}",
        {"asset_id": row.id},
        subject=row.id,
        org_id=row.org_id,
        user_id=actor.user_id,
    )


def _new(session: Session, storage: Storage, asset: Asset, twin: Asset | None) -> NewUpload:
    other = session.get(Design, twin.design_id) if twin is not None and twin.design_id else None
    return NewUpload(asset, _form(storage, asset), twin, other.title if other else None)


def _form(storage: Storage, asset: Asset) -> Upload:
    if asset.upload_key is None:
        raise NotFound
    return storage.presign_post(asset.upload_key, asset.content_type, size=asset.size, sha256=asset.sha256)


def _place(design: Design | None, order_id: str | None) -> tuple[str | None, str | None]:
    return (design.id if design else None, order_id)


def _twin(
    session: Session, org_id: str, sha256: str, kind: str, design: Design | None, order_id: str | None
) -> Asset | None:
    same_place = (Asset.design_id == design.id) if design else (Asset.order_id == order_id)
    query = (
        select(Asset)
        .where(Asset.org_id == org_id, Asset.sha256 == sha256, Asset.removed_at.is_(None), Asset.state != "rejected")
        .order_by(same_place.desc().nulls_last(), (Asset.kind == kind).desc(), Asset.created_at)
        .limit(1)
    )
    return session.scalars(query).one_or_none()


def _same_place(design: Design | None, order_id: str | None, negotiation_id: str | None) -> Any:
    if design is not None:
        return Asset.design_id == design.id
    return Asset.order_id == order_id if order_id else Asset.negotiation_id == negotiation_id


def _check_room(session: Session, org_id: str, size: int, place: Any) -> None:
    used, files = session.execute(
        select(func.coalesce(func.sum(Asset.size), 0), func.count().filter(place)).where(
            Asset.org_id == org_id, Asset.removed_at.is_(None), Asset.state != "rejected"
        )
    ).one()
    if int(used) + size > rules.QUOTA:
        raise Invalid(
            "quota_exceeded",
            "Your files would take %(used)s GB; your studio may keep %(quota)s GB. Remove some files first.",
            params={"used": round((int(used) + size) / 10**9, 1), "quota": rules.QUOTA // 10**9},
        )
    if files >= MAX_FILES:
        raise Invalid(
            "too_many_files",
            "There are %(count)s files here already; the most is %(limit)s.",
            params={"count": files, "limit": MAX_FILES},
        )


def _next_position(session: Session, design: Design | None) -> int:
    if design is None:
        return 0
    highest = session.scalar(select(func.max(Asset.position)).where(Asset.design_id == design.id))
    return (highest or 0) + 10
