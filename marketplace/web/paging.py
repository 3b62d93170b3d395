"""Lists by cursor: always an index range, never an offset."""

import base64
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, tuple_
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from marketplace.kernel.errors import Invalid

T = TypeVar("T")
MAX_LIMIT = 100
#: What a bigint column holds.
_MAX_NUMBER = 2**63


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
        after = tuple(read_position(cursor, keys))
        at = tuple_(*keys)
        query = query.where(at < after if descending else at > after)
    order = [key.desc() if descending else key.asc() for key in keys]
    rows = list(session.scalars(query.order_by(*order).limit(limit + 1)))
    more = len(rows) > limit
    rows = rows[:limit]
    next_cursor = make_cursor([getattr(rows[-1], str(key.key)) for key in keys]) if more and rows else None
    return Page(rows, next_cursor)


def read_position(cursor: str, keys: Sequence[ColumnElement[Any] | Any]) -> list[Any]:
    """The values of a position in a list ordered by `keys`; raises Invalid unless each is of its key's type."""
    values = read_cursor(cursor, len(keys))
    if not all(_fits(value, key.type.python_type) for value, key in zip(values, keys, strict=True)):
        raise _damaged()
    return values


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
        raise _damaged() from error


def _damaged() -> Invalid:
    return Invalid("bad_cursor", "This page address is damaged; start again from the first page.")


def _fits(value: Any, kind: type[Any]) -> bool:
    """Whether the database can compare `value` with a column of this type."""
    if isinstance(value, str):
        return kind is str and "\x00" not in value
    if isinstance(value, datetime):
        return kind is datetime and value.tzinfo is not None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return kind in {int, float, Decimal} and math.isfinite(value) and abs(value) < _MAX_NUMBER


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return datetime.fromisoformat(value["t"])
    if isinstance(value, list):
        raise TypeError("nested cursor")
    return value
