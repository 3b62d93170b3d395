"""Putting one's own number in place of a published one, and taking it back. Nothing here commits."""

from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.audit.operations import record
from marketplace.db.locks import lock_name
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, NotFound
from marketplace.materials.models import MaterialOverride
from marketplace.materials.queries import Entry
from marketplace.materials.rules import checked


def put(session: Session, actor: Actor, entry: Entry, value: Decimal | None) -> None:
    """Use `value` from now on, or the published number again for None. Raises Invalid `out_of_bounds`."""
    row = _row(session, actor, entry)
    wanted = None if value is None else checked(entry.kind, value, entry.standard, entry.unit)
    if wanted == row.value:
        return
    _set(session, actor, row, wanted, row.value)


def undo(session: Session, actor: Actor, entry: Entry) -> None:
    """Bring back what stood there before the last change. Raises Conflict `nothing_to_undo`."""
    row = _row(session, actor, entry)
    if row.value == row.previous:
        raise Conflict("nothing_to_undo", "There is nothing to undo here.")
    _set(session, actor, row, row.previous, row.value)


def _row(session: Session, actor: Actor, entry: Entry) -> MaterialOverride:
    if actor.org_id is None:
        raise NotFound
    lock_name(session, f"materials:{actor.org_id}:{entry.id}")
    query = select(MaterialOverride).where(
        MaterialOverride.org_id == actor.org_id,
        MaterialOverride.kind == entry.kind,
        MaterialOverride.code == entry.code,
    )
    row = session.scalars(query).one_or_none()
    if row is None:
        row = MaterialOverride(org_id=actor.org_id, kind=entry.kind, code=entry.code)
        session.add(row)
    return row


def _set(
    session: Session, actor: Actor, row: MaterialOverride, value: Decimal | None, previous: Decimal | None
) -> None:
    row.value, row.previous, row.user_id = value, previous, actor.user_id
    record(
        session,
        actor,
        f"materials.{row.kind}_changed",
        row.code,
        owner_org_id=actor.org_id,
        value=None if value is None else str(value),
        previous=None if previous is None else str(previous),
    )
