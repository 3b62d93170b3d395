"""The log of a license: what happened, in order, each entry carrying the hash of the one before it."""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.licensing.models import License, LicenseEvent
from marketplace.licensing.rules import side_of

#: What stands where the first entry has no one before it.
GENESIS = "0" * 64


def note(
    session: Session,
    actor: Actor,
    held: License,
    kind: str,
    *,
    key: str | None = None,
    addendum_id: str | None = None,
    **details: str | int | None,
) -> LicenseEvent | None:
    """Add an entry; the caller holds the license's row lock. With a `key` that is there already nothing is added."""
    if key is not None and session.scalar(
        select(LicenseEvent.id).where(LicenseEvent.license_id == held.id, LicenseEvent.key == key)
    ):
        return None
    session.flush()
    last = session.execute(
        select(LicenseEvent.seq, LicenseEvent.hash)
        .where(LicenseEvent.license_id == held.id)
        .order_by(LicenseEvent.seq.desc())
        .limit(1)
    ).one_or_none()
    made = LicenseEvent(
        license_id=held.id,
        seq=(last.seq if last else 0) + 1,
        kind=kind,
        key=key,
        at=clock.now(),
        side=side_of(held, actor),
        user_id=actor.user_id,
        addendum_id=addendum_id,
        details=details,
        previous=last.hash if last else GENESIS,
    )
    made.hash = entry_hash(made)
    session.add(made)
    session.flush()
    return made


def entry_hash(event: LicenseEvent) -> str:
    """SHA-256 (hex) of everything an entry says, the hash before it included."""
    said: dict[str, Any] = {
        "license": event.license_id,
        "seq": event.seq,
        "kind": event.kind,
        "key": event.key,
        "at": event.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "side": event.side,
        "user": event.user_id,
        "addendum": event.addendum_id,
        "details": event.details,
        "previous": event.previous,
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def log_of(session: Session, license_id: str) -> list[LicenseEvent]:
    """Every entry of a license, oldest first."""
    query = select(LicenseEvent).where(LicenseEvent.license_id == license_id).order_by(LicenseEvent.seq).limit(1000)
    return list(session.scalars(query))


def unbroken(log: Sequence[LicenseEvent]) -> bool:
    """Whether no entry of a whole log was changed, left out or put in between."""
    previous = GENESIS
    for seq, event in enumerate(log, 1):
        if (event.seq, event.previous) != (seq, previous) or event.hash != entry_hash(event):
            return False
        previous = event.hash
    return True
