"""`Idempotency-Key` on API posts: the same key and body give the same answer for 24 hours."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flask import Response, jsonify, make_response, request
from pydantic import BaseModel
from sqlalchemy import String, select
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Base, Created
from marketplace.kernel import clock
from marketplace.kernel.errors import Invalid
from marketplace.web.call import AfterCommit, Call

if TYPE_CHECKING:
    from marketplace.web.section import RouteSpec

LIFE = timedelta(hours=24)


class IdempotencyKey(Created, Base):
    """An answered post, by person and key."""

    __tablename__ = "idempotency_keys"

    user_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    request_hash: Mapped[str] = mapped_column(String(64))
    status: Mapped[int | None]
    body: Mapped[Any | None] = mapped_column(JSONB)


def answer(spec: RouteSpec, call: Call, produce: Callable[[], Any]) -> Response | AfterCommit:
    """The view's answer as JSON, stored under the request's key in the same transaction.

    Raises Invalid `idempotency_key_reused` when the key came with another request before. Two requests with one
    key at the same time: the second waits for the first, then gets its answer.
    """
    key = request.headers.get("Idempotency-Key")
    if not spec.idempotent or not key or call.actor.user_id is None:
        result = produce()
        return result if isinstance(result, AfterCommit) else to_response(result, spec.status)
    if len(key) > 200:
        raise Invalid("bad_idempotency_key", "An idempotency key has at most 200 characters.")
    digest = hashlib.sha256(f"{request.method} {request.path}\n".encode() + request.get_data()).hexdigest()
    made = call.session.execute(
        insert(IdempotencyKey)
        .values(user_id=call.actor.user_id, key=key, request_hash=digest, created_at=clock.now())
        .on_conflict_do_update(
            index_elements=["user_id", "key"],
            set_={"request_hash": digest, "created_at": clock.now(), "status": None, "body": None},
            where=IdempotencyKey.created_at < clock.now() - LIFE,
        )
        .returning(IdempotencyKey.key)
    ).first()
    mine = (IdempotencyKey.user_id == call.actor.user_id, IdempotencyKey.key == key)
    stored = call.session.scalars(select(IdempotencyKey).where(*mine)).one()
    if made is None:
        if stored.request_hash != digest:
            raise Invalid("idempotency_key_reused", "This idempotency key was used for another request.")
        replay = make_response(jsonify(stored.body) if stored.body is not None else "", stored.status or 200)
        replay.headers["Idempotent-Replayed"] = "true"
        return replay
    result = produce()
    if isinstance(result, AfterCommit):
        # The answer comes from a vendor call that has its own idempotency key; ask it again on a repeat.
        call.session.delete(stored)
        return result
    response = to_response(result, spec.status)
    if response.status_code < 400:
        stored.status = response.status_code
        stored.body = response.get_json(silent=True)
    return response


def to_response(value: Any, status: int) -> Response:
    """A JSON response from a model, dict, list, None (204), a ready response, or (value, status)."""
    if isinstance(value, Response):
        return value
    if isinstance(value, tuple):
        value, status = value
    if value is None:
        return make_response("", 204 if status == 200 else status)
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json", by_alias=True)
    return make_response(jsonify(value), status)
