"""Engines: one per process and database role, safe across fork."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from psycopg.pq import TransactionStatus
from sqlalchemy import Engine, create_engine


def _default(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be kept as JSON")


def dump_json(value: Any) -> str:
    """Compact JSON for jsonb columns; NaN and infinities are refused."""
    return json.dumps(value, default=_default, allow_nan=False, separators=(",", ":"), ensure_ascii=False)


def make_engine(url: str, *, pool_size: int = 10, application_name: str = "touchstone") -> Engine:
    """An engine whose statements end after 20 s and whose lock waits end after 5 s, so nothing piles up."""
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=5,
        pool_timeout=5,
        pool_pre_ping=False,
        pool_recycle=1800,
        json_serializer=dump_json,
        connect_args={
            "application_name": application_name,
            "connect_timeout": 5,
            "options": "-c statement_timeout=20000 -c lock_timeout=5000"
            " -c idle_in_transaction_session_timeout=60000 -c timezone=UTC",
        },
    )
    engine.dialect.do_rollback = _rollback  # type: ignore[assignment]
    return engine


def _rollback(connection: Any) -> None:
    """Roll back, and keep the prepared statements of a healthy connection.

    psycopg's own rollback throws them away, so that a page that only reads (and so always rolls back) would have each
    of its statements parsed and planned anew. PostgreSQL itself keeps them through a rollback.
    """
    if connection.pgconn.transaction_status == TransactionStatus.INTRANS:
        connection.execute("rollback", prepare=False)
    else:
        connection.rollback()
