"""Bytes on their way into the store: in parts, joined, or copied from a file that is here already.

Every function talks to the object store, so none may run inside a request's transaction; what has to be written down
is written in units of work of its own.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import IO

from sqlalchemy import Engine

from marketplace.db.locks import lock
from marketplace.db.unit_of_work import unit_of_work
from marketplace.designs import rules, uploads
from marketplace.designs.models import Asset
from marketplace.gateways.storage import ObjectInfo, ObjectMissing, Storage
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict

#: Seconds for which the address of a part can be used.
PART_LIFE_S = 600


@dataclass(frozen=True, slots=True)
class PartToSend:
    """Bytes `offset` to `offset + size` of the file; `url` is where they are put, None once they have arrived."""

    number: int
    offset: int
    size: int
    url: str | None


@dataclass(frozen=True, slots=True)
class Parts:
    """All parts of a file in their order; the addresses work until `expires_at` (UTC)."""

    parts: tuple[PartToSend, ...]
    expires_at: datetime


def parts(engine: Engine, storage: Storage, actor: Actor, asset: Asset) -> Parts:
    """Which parts of an announced file are here and where the others go; begins the upload at the first call.

    The store is asked each time, so that any browser can go on where another one stopped. Raises Conflict
    `already_sent` once the file is complete.
    """
    key = _expected(asset)
    have = _arrived(storage, asset)
    upload_id = asset.upload_id
    if have is None or upload_id is None:
        upload_id = _begin(engine, storage, actor, asset, key)
        have = frozenset()
    listed = tuple(
        PartToSend(
            number,
            offset,
            size,
            None if number in have else storage.part_url(key, upload_id, number, size, PART_LIFE_S),
        )
        for number, offset, size in rules.parts_of(asset.size)
    )
    return Parts(listed, clock.now() + timedelta(seconds=PART_LIFE_S))


def arrive(storage: Storage, asset: Asset) -> ObjectInfo:
    """What arrived for an announced file, its parts joined. Raises Conflict.

    `not_uploaded` when nothing or not every part did (`missing` names the parts), `wrong_bytes` for another size or
    announced hash.
    """
    key = _expected(asset)
    have = _arrived(storage, asset)
    missing = [number for number, _, _ in rules.parts_of(asset.size) if have is not None and number not in have]
    if have is not None and asset.upload_id is not None and not missing:
        _join(storage, asset, key, asset.upload_id)
    try:
        found = storage.head(key)
    except ObjectMissing as error:
        raise Conflict(
            "not_uploaded",
            "The file has not arrived yet. Send its bytes first.",
            extra={"missing": missing} if missing else None,
        ) from error
    if found.size != asset.size or (found.sha256 is not None and found.sha256 != asset.sha256):
        raise Conflict("wrong_bytes", "What arrived is not the file that was announced. Upload it again.")
    return found


def complete(engine: Engine, storage: Storage, actor: Actor, asset: Asset) -> Asset:
    """Join and look at what arrived, then have it checked; a second call changes nothing. Raises Conflict, NotFound."""
    if asset.state == "awaiting_upload":
        arrive(storage, asset)
    with unit_of_work(engine, actor) as session:
        return uploads.complete(session, actor, asset.id)


def reuse(engine: Engine, storage: Storage, actor: Actor, asset: Asset) -> Asset:
    """Take the bytes from a checked file of the organization that has the same ones, then have them checked here too.

    Raises Conflict `not_here` when there is none: then they have to be sent.
    """
    key = _expected(asset)
    with unit_of_work(engine, actor) as session:
        source = uploads.present_copy(session, asset)
    if source is None or source.storage_key is None:
        raise Conflict("not_here", "No file of yours has these bytes any more. Send them.")
    try:
        storage.copy(source.storage_key, key)
    except ObjectMissing as error:
        raise Conflict("not_here", "No file of yours has these bytes any more. Send them.") from error
    return complete(engine, storage, actor, asset)


def receive(engine: Engine, storage: Storage, actor: Actor, asset: Asset, stream: IO[bytes]) -> Asset:
    """Store the bytes of an announced file that came through a plain form, then have them checked."""
    stream.seek(0)
    storage.put_stream(_expected(asset), stream, asset.content_type, asset.sha256)
    return complete(engine, storage, actor, asset)


def _expected(asset: Asset) -> str:
    if asset.state != "awaiting_upload" or asset.upload_key is None:
        raise Conflict("already_sent", "This file was sent already.")
    return asset.upload_key


def _arrived(storage: Storage, asset: Asset) -> frozenset[int] | None:
    """Numbers of the parts that are here in full; None while no upload in parts is open."""
    if asset.upload_id is None or asset.upload_key is None:
        return None
    try:
        found = storage.parts(asset.upload_key, asset.upload_id)
    except ObjectMissing:
        # Joined by a call whose answer was lost, or given up: the object itself tells.
        return _all_if_whole(storage, asset, asset.upload_key)
    wanted = {number: size for number, _, size in rules.parts_of(asset.size)}
    return frozenset(number for number, part in found.items() if wanted.get(number) == part.size)


def _all_if_whole(storage: Storage, asset: Asset, key: str) -> frozenset[int] | None:
    try:
        found = storage.head(key)
    except ObjectMissing:
        return None
    return frozenset(number for number, _, _ in rules.parts_of(asset.size)) if found.size == asset.size else None


def _begin(engine: Engine, storage: Storage, actor: Actor, asset: Asset, key: str) -> str:
    """Start an upload in parts and write its id down, or find that another call just did."""
    made = storage.start_parts(key, asset.content_type, asset.sha256)
    with unit_of_work(engine, actor) as session:
        row = lock(session, Asset, asset.id)
        _expected(row)
        if row.upload_id == asset.upload_id:
            row.upload_id = made
        # Two windows at once: the first one's stands, and the sweep gives up the other.
        return row.upload_id or made


def _join(storage: Storage, asset: Asset, key: str, upload_id: str) -> None:
    try:
        found = storage.parts(key, upload_id)
        storage.join_parts(key, upload_id, [found[number] for number, _, _ in rules.parts_of(asset.size)])
    except (ObjectMissing, KeyError):
        return  # joined by somebody else at the same moment; the look that follows decides
