"""Files sent with messages: which ones may go, and what the message keeps of them.

A file of a thread is read by its own organization alone until a message takes it along: then the message's row, which
only the two sides see, holds what is needed to show and to fetch it. Nothing but what the jailed child made is ever
handed to the other side: the clean pictures of a photo, the clean copy of a PDF.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.designs.models import Asset, Derivative
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Invalid, NotFound
from marketplace.messaging.models import Message

#: Files one message can take along.
MAX_FILES = 10
#: The width of the picture shown in the thread, in pixels; the whole file is the largest one made.
_SHOWN = 640


def files_of(session: Session, actor: Actor, negotiation_id: str, asset_ids: Sequence[str]) -> list[dict[str, Any]]:
    """What a message keeps of the sender's checked files. Raises Invalid for one that is not there or not ready."""
    wanted = list(dict.fromkeys(asset_ids))
    if not wanted:
        return []
    if len(wanted) > MAX_FILES:
        words = "A message takes at most 10 files along."
        raise Invalid("invalid", words, fields={"files": words})
    query = select(Asset).where(
        Asset.id.in_(wanted),
        Asset.org_id == actor.org_id,
        Asset.negotiation_id == negotiation_id,
        Asset.removed_at.is_(None),
    )
    assets = {row.id: row for row in session.scalars(query)}
    states = {row.state for row in assets.values()}
    if set(wanted) - set(assets):
        words = "One of the files is not there. Attach it again."
        raise Invalid("invalid", words, fields={"files": words})
    if "rejected" in states:
        words = "One of the files was refused. Take it out, or attach another one."
        raise Invalid("invalid", words, fields={"files": words})
    if states != {"ready"}:
        words = "A file is still being checked. Send again in a moment."
        raise Invalid("invalid", words, fields={"files": words})
    made: dict[str, list[Derivative]] = {}
    for item in session.scalars(select(Derivative).where(Derivative.asset_id.in_(wanted))):
        made.setdefault(item.asset_id, []).append(item)
    kept = [_kept(assets[key], made[key]) for key in wanted]
    for row in assets.values():
        # From now on the file is the message's: its uploader can neither take it away nor send it a second time.
        row.removed_at = clock.now()
    return kept


def file_in(session: Session, negotiation_id: str, asset_id: str) -> dict[str, Any]:
    """A file that a message of this thread took along. Raises NotFound."""
    query = select(Message.files).where(
        Message.negotiation_id == negotiation_id, Message.files.contains([{"asset": asset_id}])
    )
    for files in session.scalars(query.limit(1)):
        for item in files:
            if item["asset"] == asset_id:
                return dict(item)
    raise NotFound


def _kept(asset: Asset, made: list[Derivative]) -> dict[str, Any]:
    if made[0].content_type == "application/pdf":
        whole = made[0]
        return {
            "asset": asset.id,
            "name": asset.filename,
            "type": whole.content_type,
            "size": whole.size,
            "key": whole.storage_key,
            "pages": asset.report.get("pages"),
        }
    # AVIF and WebP come in the same widths; every browser and every desk reads WebP or JPEG.
    plain = [item for item in made if item.content_type != "image/avif"] or made
    by_width = sorted(plain, key=lambda item: item.width or 0)
    shown = next((item for item in by_width if (item.width or 0) >= _SHOWN), by_width[-1])
    whole = by_width[-1]
    return {
        "asset": asset.id,
        "name": asset.filename,
        "type": whole.content_type,
        "size": whole.size,
        "key": whole.storage_key,
        "preview": shown.storage_key,
        "width": shown.width,
        "height": shown.height,
        "placeholder": shown.placeholder,
    }
