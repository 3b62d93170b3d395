"""The processes of the product, as `Procfile` names them, and its one-off commands."""

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sandbox.local.environment import CHECKOUT, Instance
from sandbox.local.terminal import Trouble, done, show_progress
from sandbox.services.process import Process, last_line, remedy, tail
from sandbox.services.standins import healthy

# A WSGI thread holds one request. One process is enough for one machine and is up in half the time; Procfile has two.
_WEB = ("--workers", "1", "--blocking-threads", "16")
MARKETPLACE = ("-c", "from marketplace.cli import main; main(prog_name='marketplace')")


def long_running(instance: Instance, env: Mapping[str, str]) -> tuple[list[Process], list[Process], Process]:
    """Relay and schedule; the workers; web."""

    def process(name: str, *arguments: str, grace: float, check: Callable[[], bool] | None = None) -> Process:
        return Process(
            name,
            [sys.executable, *arguments],
            instance.logs / f"{name}.log",
            env=env,
            cwd=CHECKOUT,
            grace=grace,
            check=check,
        )

    local = f"http://127.0.0.1:{instance.port}"
    serve = ("-m", "granian", "--interface", "wsgi", "marketplace.wsgi:app", "--host", "127.0.0.1")
    web = process(
        "web",
        *(*serve, "--port", str(instance.port), *_WEB),
        grace=10,
        check=lambda: healthy(f"{local}/healthz") and healthy(f"{local}/readyz"),
    )
    quiet = [process("relay", "-m", "workers.relay", grace=10), process("schedule", "-m", "workers.schedule", grace=10)]
    # A running job may take a while to end; what is cut off is taken back and done later.
    # The second worker leaves pictures of CAD alone, so that mail and money never wait behind one.
    workers = [
        process("worker", "-m", "workers.main", grace=15),
        process("worker-quick", "-m", "workers.main", "urgent", "default", grace=15),
    ]
    return quiet, workers, web


class Task:
    """A command that runs once beside everything else; its output goes to a log."""

    def __init__(
        self,
        what: str,
        name: str,
        command: Sequence[str],
        logs: Path,
        env: Mapping[str, str],
        *,
        niceness: int = 0,
    ) -> None:
        self.what = what
        log = logs / f"{name}.log"
        log.unlink(missing_ok=True)
        self._process = Process(name, [sys.executable, *command], log, env=env, cwd=CHECKOUT, niceness=niceness)
        self._process.start()
        self._began = time.time()

    def finish(self, meanwhile: Callable[[], None]) -> None:
        """Wait for the end, showing the last line of output; raises Trouble with the last words on failure."""
        waited = False
        while (status := self._process.poll()) is None:
            waited = True
            meanwhile()
            show_progress(f"{self.what}  {last_line(self._process.log)}")
            time.sleep(0.05)
        if status:
            words = tail(self._process.log, 20)
            raise Trouble(
                f"{self.what} failed (status {status}):\n{words}",
                remedy(words) or f"The whole output is in {self._process.log}.",
            )
        # One that ended earlier, beside other steps, wrote its last line about then.
        ended = time.time() if waited else self._process.log.stat().st_mtime
        done(self.what, ended - self._began)

    def failed(self) -> bool:
        """Whether it ended with an error already."""
        return bool(self._process.poll())

    def kill(self) -> None:
        """End it at once when it still runs."""
        if self._process.poll() is None:
            self._process.kill()


def child_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of a child: ours, the settings, and output that is written at once."""
    return {**os.environ, **settings, "PYTHONUNBUFFERED": "1"}
