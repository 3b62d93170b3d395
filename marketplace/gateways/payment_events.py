"""From the verified bytes of a webhook to a WebhookEvent. Knows both event shapes of the vendor:

- snapshot events (`"object": "event"`), which carry the object as it was, and
- thin events (`"object": "v2.core.event"`), which carry only a reference; accounts report this way.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from marketplace.gateways.payment_types import BadSignature, WebhookEvent

#: The vendor's events are a few kilobytes; one hundred times that is not an event.
MAX_BODY = 512 * 1024
MAX_DEPTH = 40


#: What is kept of an event; its object (who paid, where they live, with which card) is not.
_ENVELOPE = ("id", "object", "type", "created", "livemode", "api_version", "account", "context")
_OF_OBJECT = ("id", "object", "type", "status", "payment_status")


def read_event(body: str, sha256: str = "") -> WebhookEvent:
    """The event in `body`; `sha256` is the digest of its bytes, kept beside it.

    Raises BadSignature for anything that is not an event object.
    """
    try:
        event = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BadSignature("the body is not JSON") from error
    if not isinstance(event, dict) or not _shallow(event) or not _storable(event):
        raise BadSignature("the body is not an event")
    kind = event.get("object")
    if kind == "event":
        return _snapshot(event, sha256)
    if kind == "v2.core.event":
        return _thin(event, sha256)
    raise BadSignature("the body is not an event")


def _snapshot(event: dict[str, Any], sha256: str) -> WebhookEvent:
    data = event.get("data")
    subject = data.get("object") if isinstance(data, dict) else None
    subject = subject if isinstance(subject, dict) else {}
    kind, account = _text(event, "type"), _optional(event, "account")
    # A payee took its account away: what the event carries is our own application, what it is about is the account.
    gone = kind == "account.application.deauthorized"
    return WebhookEvent(
        id=_text(event, "id"),
        type=kind,
        api_version=_optional(event, "api_version"),
        account=account,
        livemode=event.get("livemode") is True,
        created=_from_epoch(event.get("created")),
        object_id=account if gone else _optional(subject, "id"),
        object_type="account" if gone else _optional(subject, "object"),
        kept={**_plain(event, _ENVELOPE), "data": {"object": _plain(subject, _OF_OBJECT)}},
        sha256=sha256,
    )


def _thin(event: dict[str, Any], sha256: str) -> WebhookEvent:
    related = event.get("related_object")
    related = related if isinstance(related, dict) else {}
    kind = _optional(related, "type")
    object_id = _optional(related, "id")
    is_account = kind == "v2.core.account"
    return WebhookEvent(
        id=_text(event, "id"),
        type=_text(event, "type"),
        api_version=None,
        account=object_id if is_account else _optional(event, "context"),
        livemode=event.get("livemode") is True,
        created=_from_iso(_text(event, "created")),
        object_id=object_id,
        object_type="account" if is_account else kind,
        kept={**_plain(event, _ENVELOPE), "related_object": _plain(related, _OF_OBJECT)},
        sha256=sha256,
    )


def _plain(found: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: found[name] for name in names if isinstance(found.get(name), str | int | bool)}


def _text(event: dict[str, Any], name: str) -> str:
    value = _optional(event, name)
    if not value:
        raise BadSignature(f"the event has no {name}")
    return value


def _optional(event: dict[str, Any], name: str) -> str | None:
    value = event.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > 255 or "\x00" in value:
        raise BadSignature(f"the event has a strange {name}")
    return value


def _from_epoch(value: Any) -> datetime:
    if type(value) is not int:
        raise BadSignature("the event has no time")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise BadSignature("the event has a strange time") from error


def _from_iso(value: str) -> datetime:
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadSignature("the event has a strange time") from error


def _shallow(value: Any) -> bool:
    """Whether nesting stays within MAX_DEPTH, so that storing and copying the body cannot fail."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for item in level
            if isinstance(item, dict | list)
            for child in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return True
    return False


def _storable(event: dict[str, Any]) -> bool:
    """Whether the database can hold the body: JSON allows NUL and lone surrogates, PostgreSQL does not."""
    try:
        text = json.dumps(event, ensure_ascii=False)
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return "\\u0000" not in text


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
