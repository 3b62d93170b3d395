"""Tidying the object store: announced files that never came, and what nothing points to any more."""

from sqlalchemy import delete, select

from marketplace.designs.models import Asset, DiscardedObject
from marketplace.designs.rules import WAIT_FOR_BYTES
from marketplace.designs.uploads import UPLOADS, discard
from marketplace.kernel import clock
from workers.run import Run

BATCH = 200


def sweep(run: Run) -> None:
    """Forget files that never arrived, delete discarded objects with their parts, give up uploads nobody knows of.

    What cannot be deleted now stays listed.
    """
    with run.phase() as session:
        query = (
            select(Asset)
            .where(Asset.state == "awaiting_upload", Asset.created_at < clock.now() - WAIT_FOR_BYTES)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        )
        for asset in session.scalars(query):
            discard(session, [asset.upload_key] if asset.upload_key else [], stage_sweep=False)
            session.delete(asset)
    while True:
        with run.phase() as session:
            due = select(DiscardedObject.key).where(DiscardedObject.due_at <= clock.now()).limit(BATCH)
            keys = session.scalars(due).all()
        if not keys:
            break
        for key in keys:
            if key.startswith(f"{UPLOADS}/"):
                run.services.storage.drop_parts(key)
            for found in list(run.services.storage.keys(key)) if key.endswith("/") else [key]:
                run.services.storage.delete(found)
        with run.phase() as session:
            session.execute(delete(DiscardedObject).where(DiscardedObject.key.in_(keys)))
    # Begun by a call that died before it wrote the id down: rows that are still waited for are younger than this.
    run.services.storage.drop_parts(f"{UPLOADS}/", clock.now() - 2 * WAIT_FOR_BYTES)
