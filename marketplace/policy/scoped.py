"""Loading a row for the organizations that it names, and what an actor is to it."""

from collections.abc import Mapping
from typing import TypeVar

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from marketplace.db.base import Base
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import NotFound

Row = TypeVar("Row", bound=Base)

#: Relation -> the column that names its organization, of what a designer and a buyer share.
TWO_SIDES = {"designer": "designer_org_id", "buyer": "buyer_org_id"}


def load_for(session: Session, actor: Actor, model: type[Row], key: str, columns: Mapping[str, str]) -> Row:
    """The row `key` of `model` in one of whose `columns` the actor's organization stands. Raises NotFound: everybody
    else does not learn that it is there.
    """
    mine = or_(*(getattr(model, column) == actor.org_id for column in columns.values()))
    found = session.scalars(select(model).where(model.__table__.c.id == key, mine)).one_or_none()
    if found is None or actor.org_id is None:
        raise NotFound
    return found


def relations(subject: Base, actor: Actor, columns: Mapping[str, str]) -> frozenset[str]:
    """What the actor's organization is to the row: the names of the columns it stands in."""
    if actor.org_id is None:
        return frozenset()
    return frozenset(name for name, column in columns.items() if getattr(subject, column) == actor.org_id)
