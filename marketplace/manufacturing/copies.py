"""A workshop's own copy of a CAD file: asked for, made in the background, handed over once."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace.audit.operations import record
from marketplace.db.jobs import JobName, stage
from marketplace.db.locks import lock
from marketplace.designs.models import Asset, DiscardedObject
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.manufacturing.models import CadCopy, CadCopyKey, CadShape, Nda
from marketplace.orders.models import Order

#: The stored copy is deleted after this; another one is made on request.
KEPT_FOR = timedelta(days=7)
#: A link is only made while the copy lives longer than a download may take.
MARGIN = timedelta(hours=1)
_OPEN = ("preparing", "ready")


@dataclass(frozen=True, slots=True)
class CopyWork:
    """What the job needs: the licensed bytes, and the secret of the copy."""

    copy_id: str
    storage_key: str
    filename: str
    size: int
    sha256: str
    unit: str | None
    scale: float | None
    secret: bytes
    tag: str


@dataclass(frozen=True, slots=True)
class MadeCopy:
    """What became of it: the stored copy, what it carries, and what finds its original again."""

    storage_key: str
    size: int
    sha256: str
    level: str
    moved_um: float
    volume_change: float
    scale: float
    shape: dict[str, Any]


def own_copy(session: Session, order: Order, nda: Nda, pinned: dict[str, Any], user_id: str) -> CadCopy:
    """The person's open copy of a file of the locked order: ready, or being prepared from now on."""
    query = select(CadCopy).where(
        CadCopy.order_id == order.id,
        CadCopy.asset_id == pinned["asset_id"],
        CadCopy.user_id == user_id,
        CadCopy.state.in_(_OPEN),
    )
    found = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if found is not None and _stands(found, nda):
        return found
    if found is not None:
        found.state = "void"
        session.flush()
    made = CadCopy(
        order_id=order.id,
        design_id=order.design_id,
        asset_id=pinned["asset_id"],
        filename=str(pinned["filename"])[:300],
        original_sha256=pinned["sha256"],
        maker_org_id=nda.maker_org_id,
        designer_org_id=order.designer_org_id,
        user_id=user_id,
        nda_id=nda.id,
        nda_version=nda.version,
    )
    session.add(made)
    session.flush()
    stage(
        session,
        JobName.MAKE_CAD_COPY,
        made.id,
        {"copy_id": made.id},
        subject=made.id,
        org_id=made.maker_org_id,
        user_id=user_id,
    )
    return made


def _stands(copy: CadCopy, nda: Nda) -> bool:
    """Made under the signature in force, and not about to be deleted."""
    lives = copy.keep_until is None or copy.keep_until - MARGIN > clock.now()
    return copy.nda_id == nda.id and lives


def begin(session: Session, copy_id: str) -> CopyWork | None:
    """Take a copy into work; its secret is drawn once, before anything is made. None when there is nothing to do."""
    copy = lock(session, CadCopy, copy_id)
    asset = session.get(Asset, copy.asset_id)
    if copy.state != "preparing" or asset is None or asset.storage_key is None:
        return None
    key = session.get(CadCopyKey, copy_id)
    if key is None:
        key = CadCopyKey(copy_id=copy_id, secret=secrets.token_bytes(16), tag=secrets.token_hex(16))
        session.add(key)
        session.flush()
    copy.progress = 5
    # Every copy of a file is marked at the scale of the first, whatever unit is confirmed later.
    index = session.get(CadShape, copy.asset_id)
    return CopyWork(
        copy_id=copy.id,
        storage_key=asset.storage_key,
        filename=copy.filename,
        size=asset.size,
        sha256=copy.original_sha256,
        unit=asset.unit,
        scale=index.scale if index else None,
        secret=key.secret,
        tag=key.tag,
    )


def note(session: Session, copy_id: str, percent: int) -> None:
    """Show how far it is."""
    copy = session.get(CadCopy, copy_id)
    if copy is not None and copy.state == "preparing":
        copy.progress = percent


def finish(session: Session, actor: Actor, work: CopyWork, made: MadeCopy) -> bool:
    """Hand the copy to its recipient's page, note its original in the index, and have the object deleted in time."""
    copy = lock(session, CadCopy, work.copy_id)
    if copy.state != "preparing":
        return False
    copy.state, copy.progress = "ready", 100
    copy.storage_key, copy.size, copy.sha256, copy.level = made.storage_key, made.size, made.sha256, made.level
    copy.moved_um, copy.volume_change = made.moved_um, made.volume_change
    copy.made_at, copy.keep_until = clock.now(), clock.now() + KEPT_FOR
    _delete_at(session, made.storage_key, KEPT_FOR)
    index = {
        "asset_id": copy.asset_id,
        "design_id": copy.design_id,
        "filename": copy.filename,
        "sha256": copy.original_sha256,
        "size": work.size,
        "scale": made.scale,
        "shape": made.shape,
        "created_at": clock.now(),
    }
    session.execute(insert(CadShape).values(index).on_conflict_do_nothing(index_elements=["asset_id"]))
    record(
        session,
        actor,
        "cad.copy_made",
        copy.order_id,
        owner_org_id=copy.designer_org_id,
        copy=copy.id,
        asset=copy.asset_id,
        sha256=made.sha256,
        level=made.level,
    )
    return True


def fail(session: Session, actor: Actor, copy_id: str, code: str) -> None:
    """The copy could not be made; asking again makes another."""
    copy = lock(session, CadCopy, copy_id)
    if copy.state != "preparing":
        return
    copy.state = "failed"
    record(
        session,
        actor,
        "cad.copy_failed",
        copy.order_id,
        owner_org_id=copy.designer_org_id,
        outcome="failed",
        copy=copy.id,
        code=code,
    )


def hand_over(copy: CadCopy) -> None:
    """The copy goes out. Its object is deleted when its time has come, its record and secret stay."""
    copy.state, copy.fetched_at = "fetched", clock.now()


def _delete_at(session: Session, key: str, after: timedelta) -> None:
    due = clock.now() + after
    session.execute(
        insert(DiscardedObject)
        .values(key=key, due_at=due, created_at=clock.now())
        .on_conflict_do_update(index_elements=["key"], set_={"due_at": due})
    )
