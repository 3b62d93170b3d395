"""Pictures in the background: web sizes, edited photos, proposals of edits."""

import tempfile
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from ai_pipeline.errors import REASONS, Unreadable
from ai_pipeline.imaging.report import Derivative
from ai_pipeline.imaging.stack import Stack
from ai_pipeline.intake import edit_photo, inspect_photo, propose_edits
from marketplace.designs.processing import Made
from marketplace.gateways.storage import Storage
from marketplace.studio import photo_work
from marketplace.studio.photo_work import Photo
from workers.run import Run

_TROUBLE = "The edited photo could not be made because of a trouble on our side. Change a step to try again."


def web_sizes(
    storage: Storage, path: Path, out: Path, folder: str, *, filename: str, declared: str, view: str, role: str
) -> tuple[dict[str, Any], list[Made]]:
    """(what reading the picture told, its web sizes as stored under `folder`). Raises Unreadable."""
    report = inspect_photo(path, filename=filename, declared_type=declared, out_dir=out)
    made = keep(storage, out, folder, report.derivatives, view=view, role=role, placeholder=report.placeholder)
    return report.model_dump(mode="json", exclude={"placeholder"}), made


def keep(
    storage: Storage, out: Path, folder: str, items: list[Derivative], *, view: str, role: str, placeholder: str
) -> list[Made]:
    """Store web sizes that lie in `out` under `folder`."""
    made = []
    for item in items:
        key = f"{folder}{view}-{item.name}"
        storage.put_file(key, out / item.name, item.media_type, item.sha256)
        made.append(
            Made(
                role=f"{role}_{item.width}_{Path(item.name).suffix[1:]}",
                view=view,
                storage_key=key,
                content_type=item.media_type,
                size=item.bytes,
                width=item.width,
                height=item.height,
                placeholder=placeholder,
            )
        )
    return made


def edit(run: Run, asset_id: str, version: int) -> None:
    """Make the draft of a photo's present steps, in all web sizes."""
    storage = run.services.storage
    folder = storage.new_key("derived") + "/"
    with run.phase(5) as session:
        photo = photo_work.begin(session, asset_id, version, folder)
    if photo is None:
        return
    with tempfile.TemporaryDirectory(prefix="edit-") as scratch:
        path, out = _fetch(storage, photo, Path(scratch))
        run.progress(20)
        try:
            report = edit_photo(
                path,
                filename=photo.filename,
                declared_type=photo.content_type,
                out_dir=out,
                stack=Stack.model_validate({"steps": photo.steps}),
            )
        except Unreadable as refusal:
            reason = {"code": refusal.code, "message": REASONS[refusal.code], "params": dict(refusal.params)}
            with run.phase() as session:
                photo_work.fail(session, asset_id, version, reason)
            return
        run.progress(70)
        made = keep(
            storage, out, folder, report.derivatives, view="draft", role="draft", placeholder=report.placeholder
        )
        made += keep(storage, out, folder, [report.before], view="before", role="before", placeholder="")
    told = report.model_dump(mode="json", exclude={"placeholder", "derivatives", "before"})
    with run.phase(95) as session:
        photo_work.finish(session, asset_id, version, folder=folder, report=told, made=made)


def edit_failed(session: Session, run: Run, why: str, asset_id: str, version: int) -> None:
    """Every attempt failed for a reason of ours."""
    del why, run
    photo_work.fail(session, asset_id, version, {"code": "edit_failed", "message": _TROUBLE, "params": {}})


def propose(run: Run, asset_id: str) -> None:
    """Find steps that make a photo even, and have their draft made."""
    with run.phase(5) as session:
        photo = photo_work.photo_to_read(session, asset_id)
    if photo is None:
        return
    with tempfile.TemporaryDirectory(prefix="propose-") as scratch:
        path, out = _fetch(run.services.storage, photo, Path(scratch))
        run.progress(20)
        try:
            found = propose_edits(path, filename=photo.filename, declared_type=photo.content_type, out_dir=out)
        except Unreadable as refusal:
            steps: list[dict[str, Any]] = []
            notes = [{"code": refusal.code, "message": REASONS[refusal.code], "params": dict(refusal.params)}]
        else:
            steps, notes = found.steps, [note.model_dump() for note in found.notes]
    with run.phase(90) as session:
        photo_work.keep_proposal(session, run.actor, asset_id, steps, notes)


def _fetch(storage: Storage, photo: Photo, scratch: Path) -> tuple[Path, Path]:
    """(the photo as it was uploaded and verified, an empty folder)."""
    path, out = scratch / "input", scratch / "out"
    out.mkdir()
    storage.download_to(photo.key, path, max_bytes=photo.size)
    return path, out
