"""What the picture studio writes about a CAD file: each function is one phase's transaction."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.audit.operations import record
from marketplace.db.jobs import JobName, JobRow
from marketplace.db.locks import lock
from marketplace.designs.models import Asset, Derivative, Design
from marketplace.designs.pictures import refresh_cover
from marketplace.designs.processing import Made, Work, keep, lock_with_design, replace_derivatives, work_of
from marketplace.kernel.actor import Actor

_OPEN = ("queued", "running")


@dataclass(frozen=True, slots=True)
class Sitting:
    """One run of the studio over one reading of a file; `round` None (a job of an older release) means the present."""

    asset_id: str
    round: int | None
    job_id: str


def begin_render(session: Session, sitting: Sitting) -> Work | None:
    """Take a measured CAD file into the picture studio; None when there is nothing (more) to do."""
    asset = lock(session, Asset, sitting.asset_id)
    if not _current(asset, sitting) or asset.storage_key is None:
        return None
    asset.render_state, asset.render_progress = "running", 0
    design = session.get(Design, asset.design_id) if asset.design_id else None
    return work_of(asset, asset.storage_key, design)


def note_render(session: Session, sitting: Sitting, percent: int) -> None:
    """Show how far the pictures are."""
    asset = session.get(Asset, sitting.asset_id)
    if asset is not None and _current(asset, sitting):
        asset.render_progress = percent


def land_picture(session: Session, sitting: Sitting, *, folder: str, view: str, made: list[Made]) -> bool:
    """Show a finished picture in place of an older one of its view; False when the file was removed or re-read."""
    found = lock_with_design(session, sitting.asset_id)
    if found is None or not _current(found[0], sitting):
        return False
    asset, design = found
    replace_derivatives(session, asset, made, view=view)
    keep(session, folder)
    if design is not None:
        refresh_cover(session, design)
    return True


def finish_render(session: Session, actor: Actor, sitting: Sitting, *, pictures: int) -> bool:
    """All pictures of a sitting are there; False when the file was removed or re-read meanwhile."""
    asset = lock(session, Asset, sitting.asset_id)
    if not _current(asset, sitting):
        return False
    _settle(session, asset, sitting, "done")
    record(session, actor, "asset.rendered", asset.id, owner_org_id=asset.org_id, pictures=pictures)
    return True


def fail_render(session: Session, sitting: Sitting) -> None:
    """The pictures could not be made; the measurements and older pictures stand."""
    asset = lock(session, Asset, sitting.asset_id)
    if _current(asset, sitting):
        shown = select(Derivative.id).where(Derivative.asset_id == asset.id, Derivative.role.startswith("render_"))
        _settle(session, asset, sitting, "done" if session.scalars(shown.limit(1)).first() else "failed")


def _current(asset: Asset, sitting: Sitting) -> bool:
    return (
        asset.state == "ready"
        and asset.removed_at is None
        and sitting.round in (None, asset.round)
        and asset.render_state in _OPEN
    )


def _settle(session: Session, asset: Asset, sitting: Sitting, state: str) -> None:
    """The file is as it stands, unless other pictures of it still wait."""
    more = select(JobRow.id).where(
        JobRow.subject == asset.id,
        JobRow.name == str(JobName.RENDER_CAD),
        JobRow.state.in_(_OPEN),
        JobRow.id != sitting.job_id,
    )
    waits = session.scalars(more.limit(1)).first() is not None
    asset.render_state, asset.render_progress = ("queued", 0) if waits else (state, 100)
