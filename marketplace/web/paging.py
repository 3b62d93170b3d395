"""Lists by cursor: always an index range, never an offset."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, tuple_
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from marketplace.kernel.errors import Invalid

T = TypeVar("T")
MAX_LIMIT = 100


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list; `next_cursor` is None on the last."""

    items: Sequence[T]
    next_cursor: str | None


def page(
    session: Session,
    query: Select[Any],
    keys: Sequence[ColumnElement[Any] | Any],
    *,
    cursor: str | None,
    limit: int = 24,
    descending: bool = True,
) -> Page[Any]:
    """Rows of `query` ordered by `keys` (the last one unique), after `cursor`; `limit` is capped at 100.

    The entity must carry attributes named like the keys. Raises Invalid for a cursor we did not make.
    """
    limit = max(1, min(limit, MAX_LIMIT))
    if cursor:
        values = read_cursor(cursor, len(keys))
        position = tuple_(*keys)
        query = query.where(position < tuple(values) if descending else position > tuple(values))
    order = [key.desc() if descending else key.asc() for key in keys]
    rows = list(session.scalars(query.order_by(*order).limit(limit + 1)))
    more = len(rows) > limit
    rows = rows[:limit]
    next_cursor = make_cursor([getattr(rows[-1], str(key.key)) for key in keys]) if more and rows else None
    return Page(rows, next_cursor)


def make_cursor(values: Sequence[Any]) -> str:
    """An opaque position in a list."""
    plain = [{"t": v.isoformat()} if isinstance(v, datetime) else v for v in values]
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")


def read_cursor(cursor: str, count: int) -> list[Any]:
    """The `count` values of a position; raises Invalid for anything else."""
    try:
        raw = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        values = json.loads(raw)
        if not isinstance(values, list) or len(values) != count:
            raise ValueError("wrong shape")
        return [_plain(v) for v in values]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Invalid("bad_cursor", "This page address is damaged; start again from the first page.") from error


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return datetime.fromisoformat(value["t"])
    if isinstance(value, list):
        raise TypeError("nested cursor")
    return value
