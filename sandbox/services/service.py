"""What the embedded services have in common: one server process, its log, and the note of its process id."""

from pathlib import Path

from sandbox.services import orphans
from sandbox.services.process import Process


class Service:
    """A server of the instance in `base`; a subclass says how it is prepared and when it answers."""

    name = ""

    def __init__(self, base: Path) -> None:
        self._base = base
        self._process: Process | None = None

    @property
    def log(self) -> Path:
        """Where the server logs."""
        return self._base / "logs" / f"{self.name}.log"

    @property
    def pid(self) -> int | None:
        """Process id while started."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the server without waiting for it; a lost one on the same files is ended first."""
        orphans.clear(self._pid_file)
        self._process = self._prepare()
        self._process.start()
        if self._process.pid:
            orphans.remember(self._pid_file, self._process.pid)

    def ready(self) -> bool:
        """Whether the server runs and answers."""
        return self.pid is not None and self.poll() is None and self._answers()

    def poll(self) -> int | None:
        """Exit status of the server; None while it runs."""
        return self._process.poll() if self._process else None

    def request_stop(self) -> None:
        """Ask for an orderly end and return at once."""
        if self._process:
            self._process.request_stop()

    def stop(self, grace: float | None = None) -> None:
        """End the server in order, or by force after `grace` seconds; its data stays."""
        if self._process:
            self._process.stop(grace)
        self._pid_file.unlink(missing_ok=True)

    def kill(self) -> None:
        """End the server as a crash would."""
        if self._process:
            self._process.kill()

    @property
    def _pid_file(self) -> Path:
        return self._base / f"{self.name}.pid"

    def _prepare(self) -> Process:
        raise NotImplementedError

    def _answers(self) -> bool:
        raise NotImplementedError
