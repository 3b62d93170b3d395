"""Real worker and relay processes on a test instance, which tests may kill."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from redis import Redis
from rq import Worker
from rq.serializers import JSONSerializer

ROOT = Path(__file__).parents[2]


class Crew:
    """Processes by id; `start("worker")` and `start("relay")` give one more."""

    def __init__(self, nest: "subprocess.Popen[str]", redis_url: str) -> None:
        self._nest = nest
        self._redis_url = redis_url
        self.pids: list[int] = []

    def start(self, name: str) -> int:
        """Start a process and return its id."""
        if self._nest.stdin is None or self._nest.stdout is None:
            raise RuntimeError("the nest has no pipes")
        self._nest.stdin.write(name + "\n")
        self._nest.stdin.flush()
        pid = int(self._nest.stdout.readline())
        self.pids.append(pid)
        return pid

    def kill_worker_of(self, job_id: str) -> bool:
        """SIGKILL the worker process that runs this job; False when none does."""
        with Redis.from_url(self._redis_url) as connection:
            for worker in Worker.all(connection=connection, serializer=JSONSerializer):
                current = worker.get_current_job_id() or ""
                if current.rpartition("-")[0] == job_id and worker.pid in self.pids:
                    os.kill(worker.pid, signal.SIGKILL)
                    self.pids.remove(worker.pid)
                    return True
        return False

    def stop(self) -> None:
        """End everything at once."""
        for pid in self.pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self._nest.kill()
        self._nest.wait()
        for pipe in (self._nest.stdin, self._nest.stdout):
            if pipe is not None:
                pipe.close()


@contextmanager
def running_crew(env: Mapping[str, str], log: Path) -> Iterator[Crew]:
    """A crew without members yet; everything it says goes to `log`."""
    with log.open("ab") as out:
        nest = subprocess.Popen(
            [sys.executable, "-m", "tests.kit.nest"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=out,
            cwd=ROOT,
            env={**os.environ, **env},
            text=True,
        )
    crew = Crew(nest, env["REDIS_URL"])
    try:
        yield crew
    finally:
        crew.stop()


def wait_for(done: Callable[[], bool], what: str, timeout: float = 600) -> None:
    """Ask again and again; raises AssertionError after `timeout` seconds, which only something that hangs reaches."""
    end = time.monotonic() + timeout
    while not done():
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not happen within {timeout:.0f} s")
        time.sleep(0.05)
