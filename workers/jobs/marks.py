"""Covers of designs that are not listed any more, each copy marked for the organization that may still see it."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select, text, union
from sqlalchemy.orm import Session

from ai_pipeline.intake import mark_picture
from marketplace.accounts.models import Organization
from marketplace.designs.models import Design, DiscardedObject, MarkedCover
from marketplace.designs.processing import expect
from marketplace.designs.uploads import discard
from marketplace.gateways.storage import ObjectMissing
from marketplace.licensing.models import License, Negotiation
from marketplace.orders.models import Order, Rfq
from workers.run import Run

BATCH = 100
WEBP = "image/webp"


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who may still see a cover, and the picture to mark."""

    design_id: str
    owner_org_id: str
    org_id: str
    name: str
    source_key: str

    @property
    def mark(self) -> str:
        """What stands across the copy: the name where our letters can write it, and always the code."""
        plain = self.name if self.name.isascii() else ""
        return f"{plain} {self.org_id}".strip()


def mark_covers(run: Run) -> None:
    """Make every copy that is missing or made of an older cover."""
    storage = run.services.storage
    folder = storage.new_key("derived") + "/"
    with run.phase(5) as session:
        viewers = missing(session)
        if viewers:
            expect(session, folder)
    for number, viewer in enumerate(viewers):
        with tempfile.TemporaryDirectory(prefix="mark-") as scratch:
            path, out = Path(scratch) / "input", Path(scratch) / "out"
            out.mkdir()
            try:
                storage.download_to(viewer.source_key, path)
            except ObjectMissing:
                continue  # the cover changed meanwhile; the next run sees the new one
            report = mark_picture(path, declared_type=WEBP, out_dir=out, text=viewer.mark)
            key = f"{folder}{number}-{report.name}"
            storage.put_file(key, out / report.name, WEBP)
        with run.phase(10 + 80 * number // len(viewers)) as session:
            keep(session, viewer, key)
    if viewers:
        with run.phase(95) as session:
            marker = session.get(DiscardedObject, folder)
            if marker is not None:
                session.delete(marker)


def missing(session: Session) -> list[Viewer]:
    """Copies that are to be made."""
    parties = union(
        select(Negotiation.design_id, Negotiation.buyer_org_id.label("org_id")),
        select(License.design_id, License.buyer_org_id),
        *(select(Order.design_id, column) for column in (Order.buyer_org_id, Order.manager_org_id, Order.maker_org_id)),
        select(Order.design_id, Rfq.maker_org_id).join(Order, Order.id == Rfq.order_id),
        select(Order.design_id, Rfq.manager_org_id).join(Order, Order.id == Rfq.order_id),
    ).subquery()
    cover = Design.cover.op("->>")(text("'key'"))
    query = (
        select(Design.id, Design.org_id, Organization.id, Organization.name, cover)
        .join(parties, parties.c.design_id == Design.id)
        .join(Organization, Organization.id == parties.c.org_id)
        .outerjoin(
            MarkedCover,
            (MarkedCover.design_id == Design.id)
            & (MarkedCover.viewer_org_id == Organization.id)
            & (MarkedCover.source_key == cover),
        )
        .where(Design.state == "removed", cover.is_not(None), MarkedCover.design_id.is_(None))
        .where(Organization.id != Design.org_id)
        .order_by(Design.id, Organization.id)
        .limit(BATCH)
    )
    return [Viewer(*found) for found in session.execute(query)]


def keep(session: Session, viewer: Viewer, key: str) -> None:
    """Note a copy in place of an older one."""
    old = session.get(MarkedCover, (viewer.design_id, viewer.org_id))
    if old is None:
        session.add(
            MarkedCover(
                design_id=viewer.design_id,
                viewer_org_id=viewer.org_id,
                org_id=viewer.owner_org_id,
                source_key=viewer.source_key,
                storage_key=key,
            )
        )
        return
    discard(session, [old.storage_key], stage_sweep=False)
    old.source_key, old.storage_key = viewer.source_key, key
