"""Row locks, always taken through here and in key order, so that two operations cannot deadlock."""

from collections.abc import Iterable
from typing import Any, TypeVar

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from marketplace.kernel.errors import NotFound

T = TypeVar("T")


def lock(session: Session, model: type[T], key: str) -> T:
    """The row, locked until the transaction ends and read anew. Raises NotFound."""
    found = lock_all(session, model, [key])
    if not found:
        raise NotFound
    return found[0]


def lock_all(session: Session, model: type[T], keys: Iterable[str]) -> list[T]:
    """The rows that exist among `keys`, locked in key order and read anew."""
    id_column: Any = model.id  # type: ignore[attr-defined]
    query = (
        select(model)
        .where(id_column.in_(sorted(set(keys))))
        .order_by(id_column)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list(session.scalars(query))


def lock_name(session: Session, name: str) -> None:
    """Hold a named lock until the transaction ends, for things that have no row yet."""
    session.execute(text("select pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})
