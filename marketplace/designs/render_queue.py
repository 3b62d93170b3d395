"""Asking for pictures of a CAD file, and how many other files are before it."""

from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from marketplace.audit.operations import record
from marketplace.db.jobs import JobName, JobRow, stage
from marketplace.db.locks import lock
from marketplace.designs.models import Asset
from marketplace.gateways.content import ALLOY_LABELS, LOOKS, finish_of
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, Invalid

_OPEN = ("queued", "running")


def enqueue(
    session: Session, asset: Asset, *, user_id: str | None, look: str | None = None, alloy: str | None = None
) -> str:
    """Have the first set of pictures made, or with a look and an alloy a few more; returns the job's id.

    What was asked for before and has not failed is not made twice. The caller holds the asset's lock.
    """
    key = f"{asset.id}:{asset.round}"
    args: dict[str, object] = {"asset_id": asset.id, "round": asset.round}
    if look and alloy:
        key += f":{look}:{finish_of(alloy)}"
        args |= {"look": look, "alloy": alloy}
    failed = select(func.count()).where(
        JobRow.subject == asset.id, JobRow.state == "failed", JobRow.key.startswith(f"{JobName.RENDER_CAD}:{key}")
    )
    again = session.scalar(failed) or 0
    job_id = stage(
        session,
        JobName.RENDER_CAD,
        f"{key}:again-{again}" if again else key,
        args,
        subject=asset.id,
        org_id=asset.org_id,
        user_id=user_id,
    )
    job = session.get(JobRow, job_id)
    if job is not None and job.state in _OPEN and asset.render_state not in _OPEN:
        asset.render_state, asset.render_progress = "queued", 0
    return job_id


def request_pictures(session: Session, actor: Actor, asset: Asset, *, look: str, alloy: str) -> JobRow:
    """More pictures of a measured CAD file in another look and alloy. Raises Invalid, Conflict `not_measured`."""
    if look not in LOOKS:
        raise Invalid("bad_look", "Choose one of the looks.", fields={"look": "Choose one of the looks."})
    if alloy not in ALLOY_LABELS:
        raise Invalid("bad_alloy", "Choose one of the alloys.", fields={"alloy": "Choose one of the alloys."})
    row = lock(session, Asset, asset.id)
    if row.kind != "cad" or row.state != "ready" or row.removed_at is not None or row.render_state is None:
        raise Conflict("not_measured", "Pictures can be made once the CAD file has been measured.")
    job = session.get_one(JobRow, enqueue(session, row, user_id=actor.user_id, look=look, alloy=alloy))
    record(session, actor, "asset.pictures_requested", row.id, owner_org_id=row.org_id, look=look, alloy=alloy)
    return job


def waiting_before(session: Session, assets: Iterable[Asset]) -> dict[str, int]:
    """For each of these files whose pictures wait: how many files of anybody are made or wait before it. One statement,
    none when no file waits.
    """
    waiting = [asset.id for asset in assets if asset.render_state == "queued"]
    if not waiting:
        return {}
    mine, other = aliased(JobRow), aliased(JobRow)
    before = (
        select(func.count())
        .where(
            other.name == str(JobName.RENDER_CAD),
            other.state.in_(_OPEN),
            other.subject != mine.subject,
            (other.state == "running") | (other.created_at < mine.created_at),
        )
        .correlate(mine)
        .scalar_subquery()
    )
    query = select(mine.subject, func.min(before)).where(
        mine.name == str(JobName.RENDER_CAD), mine.state.in_(_OPEN), mine.subject.in_(waiting)
    )
    return {str(subject): int(count) for subject, count in session.execute(query.group_by(mine.subject))}
