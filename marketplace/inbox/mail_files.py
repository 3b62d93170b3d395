"""Files of answers by mail: through the same door as uploads, then into the thread as a message of their own.

The words of a mail are said at once. Its files are announced with them, checked in the jail as every upload is, and
follow when all of them are checked; what was refused, at the door or by the check, is named in an answer to the person.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ai_pipeline.errors import N_
from marketplace.accounts.models import User
from marketplace.accounts.queries import member_actor
from marketplace.db.jobs import JobName, stage
from marketplace.designs.models import Asset
from marketplace.designs.rules import check_file, file_name
from marketplace.designs.uploads import complete, create_asset
from marketplace.gateways.storage import Storage
from marketplace.inbox.models import InboundMail, ReplyAddress
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from marketplace.licensing.conversing import say
from marketplace.notifications.operations import send_mail

_LOST = N_("This file could not be read.")
_GONE = "The negotiation has ended, so nothing can be added to it."
_NAMELESS = "file"


@dataclass(frozen=True, slots=True)
class Arrived:
    """A file as it came in a mail; `path` is None for one that was one too many or too large to be written."""

    name: str
    content_type: str
    size: int
    sha256: str
    path: Path | None


def announce(
    session: Session, writer: Actor, storage: Storage, negotiation_id: str, files: Sequence[Arrived]
) -> list[dict[str, Any]]:
    """Announce each file as the writer's upload into the thread: {name, asset}, or {name, reason} for a refused one."""
    coming: list[dict[str, Any]] = []
    for file in files:
        name = file.name or _NAMELESS
        try:
            if file.path is None:
                check_file("attachment", file_name(name), file.size)
                raise Invalid("too_many_files", "A message takes at most 10 files along.")
            made = create_asset(
                session,
                writer,
                storage,
                kind="attachment",
                filename=name,
                content_type=file.content_type,
                size=file.size,
                sha256=file.sha256,
                negotiation_id=negotiation_id,
            )
            made.asset.by_mail = True
            coming.append({"name": made.asset.filename, "asset": made.asset.id})
        except Invalid as error:
            reason = {"code": error.code, "message": error.message, "params": error.params}
            coming.append({"name": name, "reason": reason})
    return coming


def keys_of(session: Session, inbound_id: str) -> dict[str, tuple[str, str]]:
    """Where the announced files of a mail that have not arrived yet go: asset id -> (key, content type)."""
    assets = _assets(session, session.get_one(InboundMail, inbound_id))
    return {
        row.id: (row.upload_key, row.content_type)
        for row in assets
        if row.state == "awaiting_upload" and row.upload_key is not None
    }


def arrived(session: Session, actor: Actor, inbound_id: str) -> None:
    """Have the files checked that are in the object store now, forget the mail, and let them follow its words."""
    row = session.get_one(InboundMail, inbound_id, with_for_update=True)
    if row.files is None or row.raw is None:
        return
    for asset in _assets(session, row):
        if (
            writer := member_actor(session, asset.user_id or "", asset.org_id, request_id=actor.request_id)
        ) is not None:
            complete(session, writer, asset.id)
    row.raw = None
    stage(session, JobName.POST_MAIL_FILES, inbound_id, {"inbound_id": inbound_id}, subject=inbound_id)


def checked(session: Session, inbound_id: str) -> bool:
    """Whether every file of the mail was checked."""
    moving = {"awaiting_upload", "uploaded", "processing"}
    return all(asset.state not in moving for asset in _assets(session, session.get_one(InboundMail, inbound_id)))


def post(session: Session, actor: Actor, inbound_id: str, *, given_up: bool = False) -> None:
    """Say the files that passed in the thread, and tell the person which ones did not; once. None passes when the
    posting was `given_up`.
    """
    row = session.get_one(InboundMail, inbound_id, with_for_update=True)
    address = session.get(ReplyAddress, row.address_id)
    person = session.get(User, address.user_id) if address else None
    coming, assets = row.files, {asset.id: asset for asset in _assets(session, row)}
    row.files = row.raw = None
    if coming is None or address is None or person is None:
        return
    refused = [item for item in coming if "reason" in item]
    passed = []
    for item in coming:
        asset = assets.get(item.get("asset", ""))
        if asset is None or asset.removed_at is not None:
            continue  # refused at the door, or taken away by the writer
        if asset.state == "ready" and not given_up:
            passed.append(item)
        else:
            refused.append({"name": item["name"], "reason": asset.reason or {"code": "lost", "message": _LOST}})
    writer = member_actor(session, address.user_id, address.org_id, request_id=actor.request_id)
    if passed and not _said(session, writer, row, address, [item["asset"] for item in passed]):
        refused += [{"name": item["name"], "reason": {"code": "gone", "message": _GONE}} for item in passed]
    if refused and writer is not None:
        send_mail(
            session,
            to=person.email,
            locale=person.locale,
            template="reply_refused",
            user_id=person.id,
            reason="files",
            posted=True,
            files=refused,
            path=f"/negotiations/{address.negotiation_id}",
        )


def _said(
    session: Session, writer: Actor | None, row: InboundMail, address: ReplyAddress, asset_ids: Sequence[str]
) -> bool:
    if writer is None:
        return False
    try:
        with session.begin_nested():
            key = f"{row.id}:f"
            say(session, writer, address.negotiation_id, "", files=asset_ids, client_key=key, by_mail=True)
    except (NotFound, Forbidden, Conflict, Invalid):
        return False
    return True


def _assets(session: Session, row: InboundMail) -> Sequence[Asset]:
    ids = [item["asset"] for item in row.files or [] if "asset" in item]
    return session.scalars(select(Asset).where(Asset.id.in_(ids)).order_by(Asset.id)).all() if ids else []
