"""Ports on loopback that stay the same from one start to the next while they are free."""

import json
import secrets
import socket
from pathlib import Path

# Below the range from which kernels take ports for outgoing connections (32768 on Linux, 49152 elsewhere),
# so that a port is still ours to take after a restart.
_LOWEST, _HIGHEST = 20_000, 32_000


def is_free(port: int) -> bool:
    """Whether a server can listen on this port of 127.0.0.1 now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class Ports:
    """Names to ports, remembered in a JSON file when one is given."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._known: dict[str, int] = {}
        if file and file.exists():
            try:
                self._known = {str(k): int(v) for k, v in json.loads(file.read_text()).items()}
            except (ValueError, AttributeError):
                self._known = {}  # a damaged file costs new ports, nothing else
        self._given: set[int] = set()

    def take(self, name: str, *, beside: int = 0) -> int:
        """The port for `name`: last time's when it is still free, else a new one.

        With `beside`, the port that many above it is free as well.
        """
        port = self._known.get(name, 0)
        while not port or port in self._given or not is_free(port) or not is_free(port + beside):
            port = _LOWEST + secrets.randbelow(_HIGHEST - _LOWEST)
        self._given.add(port)
        if self._known.get(name) != port:
            self._known[name] = port
            if self._file:
                self._file.parent.mkdir(parents=True, exist_ok=True)
                self._file.write_text(json.dumps(self._known, indent=1, sort_keys=True) + "\n")
        return port
