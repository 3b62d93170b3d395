"""Deliveries of the service that receives our mail: Mailgun's route to a URL that ends with `mime`.

It posts a form with the mail as it came (`body-mime`) and signs time and token, not the content, with the account's
HTTP signing key; TLS protects the content, and a token is taken once.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from email import policy
from email.parser import BytesParser
from urllib.parse import parse_qsl

from marketplace.kernel import clock

#: The service tries again for eight hours; a delivery that is older, or from the future, is nobody's.
MAX_AGE_S = 12 * 3600
MAX_SKEW_S = 300
#: A mail of the largest size that is still looked at, with its form: one with files of some 8 MB, as mail encodes them.
MAX_BODY = 12 * 1024 * 1024
_MAX_FIELDS = 100


class BadDelivery(Exception):
    """Not a delivery of the service; the text is for the log, never for the caller."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One mail for one or more of our addresses. `sender` is the envelope's, empty for a bounce."""

    token: str
    recipients: tuple[str, ...]
    sender: str
    raw: bytes


def read_delivery(body: bytes, content_type: str, key: str) -> Delivery:
    """The delivery in a request's body. Raises BadDelivery unless it is signed with `key` and fresh."""
    if not key:
        raise BadDelivery("no key is set")
    if len(body) > MAX_BODY:
        raise BadDelivery("the body is too large")
    form = _fields(body, content_type)
    stamp, token = _text(form, "timestamp"), _text(form, "token")
    expected = hmac.new(key.encode(), (stamp + token).encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), _text(form, "signature").lower().encode()):
        raise BadDelivery("the signature is not ours")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        raise BadDelivery("the time is not a number")
    age = clock.now().timestamp() - int(stamp)
    if not -MAX_SKEW_S <= age <= MAX_AGE_S:
        raise BadDelivery("the delivery is too old")
    if not token or not form.get("body-mime"):
        raise BadDelivery("the delivery has no mail")
    recipients = tuple(part.strip().lower() for part in _text(form, "recipient").split(",") if part.strip())
    return Delivery(token[:80], recipients[:20], _text(form, "sender").strip().lower()[:320], form["body-mime"])


def _fields(body: bytes, content_type: str) -> Mapping[str, bytes]:
    """The form's fields as bytes: a mail need not be UTF-8. A form with files comes in parts."""
    if content_type.partition(";")[0].strip().lower() == "multipart/form-data":
        head = b"Content-Type: " + content_type.encode("latin-1", "replace") + b"\r\n\r\n"
        parts = BytesParser(policy=policy.HTTP).parsebytes(head + body).iter_parts()
        found: dict[str, bytes] = {}
        for number, part in enumerate(parts):
            name = part.get_param("name", header="content-disposition")
            payload = part.get_payload(decode=True)
            if number < _MAX_FIELDS and isinstance(name, str) and isinstance(payload, bytes):
                found.setdefault(name, payload)
        return found
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, encoding="latin-1", max_num_fields=_MAX_FIELDS)
    except ValueError as error:
        raise BadDelivery("the body is not a form") from error
    return {name: value.encode("latin-1") for name, value in reversed(pairs)}


def _text(form: Mapping[str, bytes], name: str) -> str:
    return form.get(name, b"").decode("utf-8", "replace").replace("\x00", "")
