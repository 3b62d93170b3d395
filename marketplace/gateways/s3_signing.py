"""AWS Signature Version 4 in the query string and for POST policies, without an SDK in the path.

Made for speed: a page of pictures needs dozens of addresses, and the signing key is the same all day. The
algorithm is that of the "Signature Version 4" chapter of the Amazon S3 API reference; a test compares every
signature with botocore's.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlsplit

_ALGORITHM = "AWS4-HMAC-SHA256"


class Signer:
    """Signs for one bucket, addressed by path (`https://host/bucket/key`)."""

    def __init__(self, *, endpoint_url: str, region: str, bucket: str, access_key: str, secret_key: str) -> None:
        self.endpoint_url = endpoint_url.rstrip("/") or f"https://s3.{region}.amazonaws.com"
        self.bucket = bucket
        self._region = region
        self._access_key = access_key
        self._secret = secret_key.encode()
        parts = urlsplit(self.endpoint_url)
        default_port = {"http": 80, "https": 443}.get(parts.scheme)
        host = parts.hostname or ""
        self._host = host if parts.port in {None, default_port} else f"{host}:{parts.port}"
        self._base_path = f"{parts.path.rstrip('/')}/{bucket}"
        self._origin = f"{parts.scheme}://{self._host}"
        self._day: tuple[str, bytes] = ("", b"")

    @property
    def bucket_url(self) -> str:
        """Where the bucket is, without a slash at the end."""
        return self._origin + self._base_path

    def get_url(self, key: str, at: datetime, expires_s: int, response: Mapping[str, str]) -> str:
        """A signed GET of `key`. `response` names the `response-...` headers; they are part of the
        signature.
        """
        return self._url("GET", key, at, expires_s, response, {})

    def part_url(self, key: str, at: datetime, expires_s: int, *, upload_id: str, number: int, size: int) -> str:
        """A signed PUT of exactly `size` bytes as part `number` of a multipart upload."""
        query = {"partNumber": str(number), "uploadId": upload_id}
        return self._url("PUT", key, at, expires_s, query, {"content-length": str(size)})

    def _url(
        self,
        method: str,
        key: str,
        at: datetime,
        expires_s: int,
        more: Mapping[str, str],
        headers: Mapping[str, str],
    ) -> str:
        # Parameters must be in byte order ("X" sorts before the lower-case ones of `more`), headers too.
        stamp = f"{at:%Y%m%dT%H%M%SZ}"
        day = stamp[:8]
        scope = f"{day}/{self._region}/s3/aws4_request"
        signed = {**headers, "host": self._host}
        names = ";".join(sorted(signed))
        query = (
            f"X-Amz-Algorithm={_ALGORITHM}&X-Amz-Credential={_quote(f'{self._access_key}/{scope}')}"
            f"&X-Amz-Date={stamp}&X-Amz-Expires={expires_s}&X-Amz-SignedHeaders={_quote(names)}"
        )
        for name in sorted(more):
            query += f"&{name}={_quote(more[name])}"
        path = f"{self._base_path}/{quote(key, safe='/~')}"
        lines = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
        request = f"{method}\n{path}\n{query}\n{lines}\n{names}\nUNSIGNED-PAYLOAD"
        to_sign = f"{_ALGORITHM}\n{stamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        signature = hmac.digest(self._key(day), to_sign.encode(), "sha256").hex()
        return f"{self._origin}{path}?{query}&X-Amz-Signature={signature}"

    def post_fields(
        self, at: datetime, expires_at: datetime, fields: Mapping[str, str], conditions: Sequence[Any]
    ) -> dict[str, str]:
        """The form fields of a browser upload: `fields` exactly as given, plus `conditions`, plus the
        signature.
        """
        stamp = f"{at:%Y%m%dT%H%M%SZ}"
        scope = f"{stamp[:8]}/{self._region}/s3/aws4_request"
        signed = {
            **fields,
            "x-amz-algorithm": _ALGORITHM,
            "x-amz-credential": f"{self._access_key}/{scope}",
            "x-amz-date": stamp,
        }
        policy = {
            "expiration": f"{expires_at:%Y-%m-%dT%H:%M:%SZ}",
            "conditions": [
                {"bucket": self.bucket},
                *({name: value} for name, value in signed.items()),
                *conditions,
            ],
        }
        encoded = base64.b64encode(json.dumps(policy).encode())
        signature = hmac.digest(self._key(stamp[:8]), encoded, "sha256").hex()
        return {**signed, "policy": encoded.decode(), "x-amz-signature": signature}

    def _key(self, day: str) -> bytes:
        known, key = self._day
        if known != day:
            key = b"AWS4" + self._secret
            for part in (day, self._region, "s3", "aws4_request"):
                key = hmac.digest(key, part.encode(), "sha256")
            self._day = (day, key)  # one assignment: threads may race, to the same value
        return key


@lru_cache(maxsize=4096)
def _quote(value: str) -> str:
    return quote(value, safe="-_.~")
