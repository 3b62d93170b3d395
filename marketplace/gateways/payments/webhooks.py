"""Which webhooks are believed."""

import hashlib
import re
from collections.abc import Sequence

import stripe

from marketplace.gateways.payment_events import MAX_BODY, read_event
from marketplace.gateways.payment_types import BadSignature, WebhookEvent
from marketplace.kernel import clock

#: Stripe's own tolerance for the age of a signature; we hold it in both directions.
TOLERANCE_S = 300

_HEADER = re.compile(r"t=\d{9,11}(?:, ?[a-z][a-z0-9]{0,9}=[0-9a-zA-Z]{1,128}){1,16}", re.ASCII)


def verified(raw_body: bytes, header: str | None, secrets: Sequence[str], *, livemode: bool) -> WebhookEvent:
    """The event, if one of `secrets` signed exactly these bytes within TOLERANCE_S of now.

    Raises BadSignature for everything else, and nothing but BadSignature, whatever the input.
    """
    if not isinstance(header, str) or not _HEADER.fullmatch(header):
        raise BadSignature("the signature header is missing or malformed")
    if len(raw_body) > MAX_BODY:
        raise BadSignature("the body is too large")
    try:
        body = raw_body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadSignature("the body is not UTF-8") from error
    # The age is checked here, against our clock and in both directions; the library looks only back.
    signed_at = int(header[2:].partition(",")[0])
    if abs(clock.now().timestamp() - signed_at) > TOLERANCE_S:
        raise BadSignature("the signature is too old or from the future")
    if not any(_signed_by(body, header, secret) for secret in secrets):
        raise BadSignature("no known secret made this signature")
    event = read_event(body, hashlib.sha256(raw_body).hexdigest())
    if event.livemode != livemode:
        raise BadSignature("the event is of the other mode (test or live)")
    return event


def _signed_by(body: str, header: str, secret: str) -> bool:
    try:
        return stripe.WebhookSignature.verify_header(body, header, secret, None)
    except Exception:  # the verifier raises several unrelated types on hostile input; each means no
        return False
