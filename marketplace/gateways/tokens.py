"""Signed, expiring tokens for links in mails and forms; the only importer of `itsdangerous`.

A token proves who made it and when, not that it was never used: whoever must allow a single use keeps the
`jti` of the payload and refuses it the second time. Each purpose signs with its own key, so a token of one
opens nothing else.
"""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from itsdangerous import BadData, SignatureExpired, TimestampSigner
from itsdangerous.encoding import base64_decode, base64_encode

from marketplace.kernel import clock
from marketplace.kernel.errors import DomainError

#: No payload of ours comes near; it bounds the work done on what strangers send.
MAX_LENGTH = 2048


class Purpose(StrEnum):
    """What a token is good for."""

    EMAIL_CONFIRM = "email-confirm"
    PASSWORD_RESET = "password-reset"  # noqa: S105 (a purpose, not a password)
    INVITE = "invite"
    CAD_LINK = "cad-link"
    CSRF = "csrf"
    UNSUBSCRIBE = "unsubscribe"
    REPLY = "reply"


class BadToken(DomainError):
    """Not a token of this purpose made by us, letter for letter."""

    status = 400


class ExpiredToken(BadToken):
    """A good token that is too old."""

    status = 410


class _Signer(TimestampSigner):
    """Takes its time from the product's clock."""

    def get_timestamp(self) -> int:
        return int(clock.now().timestamp())


class Tokens:
    """Signs and reads tokens under one secret."""

    def __init__(self, secret_key: str) -> None:
        self._signers = {
            purpose: _Signer(
                secret_key,
                salt=f"touchstone.{purpose}.v1",
                key_derivation="hmac",
                digest_method=staticmethod(hashlib.sha256),
            )
            for purpose in Purpose
        }

    def sign(self, purpose: Purpose, payload: Mapping[str, Any]) -> str:
        """A URL-safe token that carries `payload` (JSON values) and, unless given, a fresh `jti`."""
        full = {"jti": secrets.token_urlsafe(16), **payload}
        body = json.dumps(full, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()
        token = self._signers[purpose].sign(base64_encode(body)).decode("ascii")
        if len(token) > MAX_LENGTH:
            raise ValueError("the payload is too large for a token")
        return token

    def read(self, purpose: Purpose, token: str, max_age_s: int) -> dict[str, Any]:
        """The payload. Raises ExpiredToken past `max_age_s` seconds, BadToken for everything else that is
        wrong.

        Only the one spelling that `sign` produced is taken: base64 has several for the same bytes.
        """
        if not token.isascii() or len(token) > MAX_LENGTH:
            raise _bad()
        signer = self._signers[purpose]
        value, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signer.get_signature(value), signature.encode("ascii")):
            raise _bad()
        try:
            body = signer.unsign(token, max_age=max_age_s)
        except SignatureExpired as error:
            raise ExpiredToken("token_expired", "This link has expired. Ask for a new one.") from error
        except BadData as error:
            raise _bad() from error
        payload = json.loads(base64_decode(body))
        return dict(payload)

    def seal(self, purpose: Purpose, value: str) -> str:
        """A signature of `value` (128 bits) in small letters and digits, for places that keep neither length nor
        case: 26 characters.
        """
        digest = base64_decode(self._signers[purpose].get_signature(value))
        return base64.b32encode(digest[:16]).decode("ascii").rstrip("=").lower()

    def sealed(self, purpose: Purpose, value: str, seal: str) -> bool:
        """Whether `seal` is ours for `value`, however it is capitalized."""
        return hmac.compare_digest(self.seal(purpose, value).encode(), seal.lower().encode())


def _bad() -> BadToken:
    return BadToken("token_invalid", "This link is not valid. Check that it was copied whole.")
