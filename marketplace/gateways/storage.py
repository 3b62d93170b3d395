"""Objects in one private S3 bucket; the only importer of `boto3`.

All addresses that leave the application are made here: signed with version 4, short-lived, for one exact
key, with what the browser is told about the bytes signed in. Keys come from `new_key` and are kept in rows;
nothing a person typed is ever part of one.
"""

import re
import secrets
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any, Literal

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from marketplace.gateways.s3_names import check_key, check_prefix, content_disposition
from marketplace.gateways.s3_signing import Signer
from marketplace.kernel import clock
from marketplace.kernel.errors import DomainError, Invalid, Unavailable

#: The only lives, in seconds, that an address may have. 60 is for CAD.
LIVES = frozenset({60, 120, 300, 600})
#: Types that a browser may show in place. Nothing that can hold a script is among them.
INLINE_TYPES = frozenset(
    {"image/jpeg", "image/png", "image/webp", "image/avif", "application/pdf", "model/gltf-binary"}
)
#: Image addresses stay the same within a window this long, so that browsers can cache the bytes.
IMAGE_WINDOW_S = 300

_IMAGE_ENDINGS = {"jpg": "image/jpeg", "avif": "image/avif", "png": "image/png", "glb": "model/gltf-binary"}
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


class StorageUnavailable(Unavailable):
    """The object store does not answer, or refuses us; trying again is safe."""


class ObjectMissing(DomainError):
    """There is no object under this key (any more)."""

    status = 404


class ObjectTooLarge(Invalid):
    """The object is larger than the caller wants to read."""


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What the store knows of an object. `sha256` is what the uploader's policy bound it to, if it did."""

    key: str
    size: int
    content_type: str
    etag: str
    modified: datetime
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Upload:
    """A form that a browser posts, `file` last, to put exactly one object. `expires_at` in UTC."""

    url: str
    fields: dict[str, str]
    expires_at: datetime
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a multipart upload that has arrived; `size` in bytes, `etag` as the store wants it back."""

    number: int
    size: int
    etag: str


class Storage:
    """One bucket. Safe to share between threads; no connection is opened before the first call that needs
    one.
    """

    def __init__(self, *, endpoint_url: str, region: str, bucket: str, access_key: str, secret_key: str) -> None:
        self.bucket = bucket
        self._signer = Signer(
            endpoint_url=endpoint_url,
            region=region,
            bucket=bucket,
            access_key=access_key,
            secret_key=secret_key,
        )
        self._endpoint, self._region = endpoint_url or None, region
        self._keys = (access_key, secret_key)
        self._made: Any = None
        self._lock = threading.Lock()

    @property
    def origin(self) -> str:
        """Scheme, host and port that browsers fetch from and post to, for the content security policy."""
        scheme, _, rest = self._signer.bucket_url.partition("://")
        return f"{scheme}://{rest.partition('/')[0]}"

    # Addresses

    @staticmethod
    def new_key(prefix: str) -> str:
        """`prefix/` and 128 random bits. The prefix is a constant of the code, such as `cad` or
        `images/web`.
        """
        check_prefix(prefix)
        return f"{prefix}/{secrets.token_hex(16)}"

    def presign_get(
        self,
        key: str,
        expires_s: int,
        filename: str,
        content_type: str,
        disposition: Literal["attachment", "inline"] = "attachment",
    ) -> str:
        """An address that downloads `key` for `expires_s` seconds (one of LIVES), under `filename`.

        Raises ValueError for a life outside LIVES, a malformed key, or a type not fit to be shown in place.
        """
        check_key(key, content_type)
        if expires_s not in LIVES:
            raise ValueError(f"an address lives {sorted(LIVES)} seconds, not {expires_s}")
        if disposition != "attachment" and content_type not in INLINE_TYPES:
            raise ValueError(f"{content_type} is only ever sent as an attachment")
        response = {
            "response-content-disposition": content_disposition(disposition, filename),
            "response-content-type": content_type,
        }
        return self._signer.get_url(key, clock.now(), expires_s, response)

    def image_url(self, key: str) -> str:
        """A picture's address that stays the same for IMAGE_WINDOW_S and works at least that long.

        The browser is told the type that the key's ending names; without one, WebP.
        """
        content_type = _IMAGE_ENDINGS.get(key.rpartition(".")[2], "image/webp")
        check_key(key, content_type)
        now = clock.now()
        window = now - timedelta(seconds=now.timestamp() % IMAGE_WINDOW_S, microseconds=0)
        response = {
            "response-cache-control": f"private, max-age={IMAGE_WINDOW_S}, immutable",
            "response-content-disposition": "inline",
            "response-content-type": content_type,
        }
        return self._signer.get_url(key, window, 2 * IMAGE_WINDOW_S, response)

    def presign_post(
        self,
        key: str,
        content_type: str,
        *,
        max_bytes: int | None = None,
        size: int | None = None,
        sha256: str | None = None,
        expires_s: int = 600,
    ) -> Upload:
        """A form that uploads one object: exactly this key and type, and exactly `size` or 1..`max_bytes`
        bytes.

        `sha256` (hex) is bound into the object's metadata for the check on completion; the store itself
        does not compare it. Raises ValueError when a bound is missing or malformed.
        """
        check_key(key, content_type)
        low, high = (size, size) if size is not None else (1, max_bytes or 0)
        if not 0 < low <= high:
            raise ValueError("an upload needs a positive size or limit")
        if expires_s not in LIVES:
            raise ValueError(f"an upload form lives {sorted(LIVES)} seconds, not {expires_s}")
        fields = {"key": key, "Content-Type": content_type, "success_action_status": "204"}
        if sha256 is not None:
            if not _SHA256.fullmatch(sha256):
                raise ValueError("sha256 is 64 hexadecimal digits")
            fields["x-amz-meta-sha256"] = sha256
        now = clock.now()
        expires_at = now + timedelta(seconds=expires_s)
        signed = self._signer.post_fields(now, expires_at, fields, [["content-length-range", low, high]])
        return Upload(url=f"{self._signer.bucket_url}/", fields=signed, expires_at=expires_at)

    # Uploads in parts

    def start_parts(self, key: str, content_type: str, sha256: str) -> str:
        """Begin an upload in parts and return its id; `sha256` (hex) is bound as in `presign_post`."""
        check_key(key, content_type)
        with _errors():
            made = self._client.create_multipart_upload(
                Bucket=self.bucket, Key=key, ContentType=content_type, Metadata={"sha256": sha256}
            )
        return str(made["UploadId"])

    def part_url(self, key: str, upload_id: str, number: int, size: int, expires_s: int = 600) -> str:
        """Where exactly `size` bytes are put as part `number` (from 1). Raises ValueError for a life not in LIVES."""
        if expires_s not in LIVES:
            raise ValueError(f"an address lives {sorted(LIVES)} seconds, not {expires_s}")
        return self._signer.part_url(key, clock.now(), expires_s, upload_id=upload_id, number=number, size=size)

    def parts(self, key: str, upload_id: str) -> dict[int, Part]:
        """The parts that have arrived, by number. Raises ObjectMissing once the upload was joined or dropped."""
        found: dict[int, Part] = {}
        with _errors():
            pages = self._client.get_paginator("list_parts")
            for page in pages.paginate(Bucket=self.bucket, Key=key, UploadId=upload_id):
                for item in page.get("Parts", []):
                    found[item["PartNumber"]] = Part(item["PartNumber"], item["Size"], item["ETag"])
        return found

    def join_parts(self, key: str, upload_id: str, parts: list[Part]) -> None:
        """Make the object from its parts, in their order. Raises ObjectMissing when the upload is not there."""
        listed: Any = [{"PartNumber": part.number, "ETag": part.etag} for part in parts]
        with _errors():
            self._client.complete_multipart_upload(
                Bucket=self.bucket, Key=key, UploadId=upload_id, MultipartUpload={"Parts": listed}
            )

    def drop_parts(self, prefix: str, started_before: datetime | None = None) -> int:
        """Give up the unfinished uploads under a prefix, or the old ones among them; returns how many."""
        count = 0
        with _errors():
            for page in self._client.get_paginator("list_multipart_uploads").paginate(
                Bucket=self.bucket, Prefix=prefix
            ):
                for item in page.get("Uploads", []):
                    if started_before is None or item["Initiated"] < started_before:
                        self._client.abort_multipart_upload(
                            Bucket=self.bucket, Key=item["Key"], UploadId=item["UploadId"]
                        )
                        count += 1
        return count

    # Objects

    def head(self, key: str) -> ObjectInfo:
        """What is stored under `key`. Raises ObjectMissing."""
        with _errors():
            found = self._client.head_object(Bucket=self.bucket, Key=key)
        return ObjectInfo(
            key=key,
            size=found["ContentLength"],
            content_type=found.get("ContentType", "application/octet-stream"),
            etag=found["ETag"].strip('"'),
            modified=found["LastModified"],
            sha256=found.get("Metadata", {}).get("sha256"),
        )

    def read(self, key: str, max_bytes: int) -> bytes:
        """All bytes of an object. Raises ObjectTooLarge beyond `max_bytes`, ObjectMissing."""
        with _errors():
            found = self._client.get_object(Bucket=self.bucket, Key=key)
            with found["Body"] as body:
                if found["ContentLength"] > max_bytes:
                    raise ObjectTooLarge("object_too_large", f"The file is larger than {max_bytes} bytes.")
                return bytes(body.read())

    def download_to(self, key: str, path: Path, max_bytes: int | None = None) -> int:
        """Write an object to a file and return its size. Raises ObjectTooLarge before writing past
        `max_bytes`.
        """
        with _errors():
            found = self._client.get_object(Bucket=self.bucket, Key=key)
            with found["Body"] as body:
                if max_bytes is not None and found["ContentLength"] > max_bytes:
                    raise ObjectTooLarge("object_too_large", f"The file is larger than {max_bytes} bytes.")
                with path.open("wb") as target:
                    shutil.copyfileobj(body, target, 1 << 20)
        return int(found["ContentLength"])

    def put(self, key: str, data: bytes, content_type: str, sha256: str | None = None) -> None:
        """Store `data` under `key`."""
        check_key(key, content_type)
        metadata = {"sha256": sha256} if sha256 else {}
        with _errors():
            self._client.put_object(Bucket=self.bucket, Key=key, Body=data, ContentType=content_type, Metadata=metadata)

    def put_file(self, key: str, path: Path, content_type: str, sha256: str | None = None) -> None:
        """Store a file under `key`, in parts when it is large."""
        check_key(key, content_type)
        extra: dict[str, Any] = {
            "ContentType": content_type,
            "Metadata": {"sha256": sha256} if sha256 else {},
        }
        with _errors():
            self._client.upload_file(str(path), self.bucket, key, ExtraArgs=extra)

    def put_stream(self, key: str, stream: IO[bytes], content_type: str, sha256: str) -> None:
        """Store what `stream` still holds under `key` without reading it whole."""
        check_key(key, content_type)
        extra: dict[str, Any] = {"ContentType": content_type, "Metadata": {"sha256": sha256}}
        with _errors():
            self._client.upload_fileobj(stream, self.bucket, key, ExtraArgs=extra)

    def copy(self, source: str, target: str) -> None:
        """Copy an object within the bucket, with its type and metadata. Raises ObjectMissing."""
        check_key(target, "application/octet-stream")
        with _errors():
            self._client.copy_object(Bucket=self.bucket, Key=target, CopySource={"Bucket": self.bucket, "Key": source})

    def delete(self, key: str) -> None:
        """Remove an object; nothing happens when it is not there."""
        with _errors():
            self._client.delete_object(Bucket=self.bucket, Key=key)

    def keys(self, prefix: str) -> Iterator[str]:
        """Every key that starts with `prefix`, a page at a time."""
        with _errors():
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix):
                for item in page.get("Contents", []):
                    yield item["Key"]

    # The bucket

    def ensure_bucket(self, cors_origin: str) -> None:
        """Make the bucket if need be, keep it private, and let pages of `cors_origin` GET, POST and PUT."""
        with _errors():
            try:
                self._client.create_bucket(Bucket=self.bucket, **self._location())
            except ClientError as error:
                if _code(error) not in {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}:
                    raise
            rule: Any = {
                "AllowedOrigins": [cors_origin.rstrip("/")],
                "AllowedMethods": ["GET", "HEAD", "POST", "PUT"],
                "AllowedHeaders": ["*"],
                "ExposeHeaders": ["ETag"],
                "MaxAgeSeconds": 600,
            }
            self._client.put_bucket_cors(Bucket=self.bucket, CORSConfiguration={"CORSRules": [rule]})
            self._block_public_access()

    def ping(self) -> None:
        """Return when the bucket answers. Raises StorageUnavailable, or ObjectMissing without a bucket."""
        with _errors():
            self._client.head_bucket(Bucket=self.bucket)

    def _block_public_access(self) -> None:
        names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        rules: Any = dict.fromkeys(names, True)
        try:
            self._client.put_public_access_block(Bucket=self.bucket, PublicAccessBlockConfiguration=rules)
        except ClientError as error:
            # Not every compatible store has this call; those that lack it have no public buckets by default.
            if _code(error) not in {"NotImplemented", "MethodNotAllowed", "InvalidRequest", "405", "501"}:
                raise

    def _location(self) -> Any:
        # us-east-1 is the one region that must not be named.
        if self._endpoint or self._region == "us-east-1":
            return {}
        return {"CreateBucketConfiguration": {"LocationConstraint": self._region}}

    @property
    def _client(self) -> Any:
        with self._lock:  # making a client is not thread-safe, using one is
            if self._made is None:
                self._made = boto3.client(
                    "s3",
                    endpoint_url=self._endpoint,
                    region_name=self._region,
                    aws_access_key_id=self._keys[0],
                    aws_secret_access_key=self._keys[1],
                    config=Config(
                        signature_version="s3v4",
                        s3={"addressing_style": "path"},
                        connect_timeout=5,
                        read_timeout=30,
                        retries={"max_attempts": 3, "mode": "standard"},
                        max_pool_connections=20,
                    ),
                )
            return self._made


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if _code(error) in {"NoSuchKey", "NoSuchBucket", "NoSuchUpload", "NotFound", "404"}:
            raise ObjectMissing("object_missing", "The file is not there any more.") from error
        raise StorageUnavailable("storage_unavailable", f"The file store refused ({_code(error)}).") from error
    except BotoCoreError as error:
        raise StorageUnavailable("storage_unavailable", "The file store does not answer right now.") from error
