"""Keeps the processes of an instance running: restarts what crashes, shows what warns, stops all in order."""

import json
import random
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

from sandbox.local.terminal import paint, say
from sandbox.services.process import Child, ServiceFailed, describe_exit

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
# A child that lived this long is taken for healthy again: its next crash starts over with the first pause.
_STEADY_SECONDS = 60.0
_LARGEST_LOG = 50 * 1024 * 1024
_TICK_SECONDS = 0.1

_COLORS = ("cyan", "blue", "yellow", "green")
_WARNS = re.compile(r"\b(WARN|WARNING|ERROR|CRITICAL|FATAL|PANIC|Traceback)\b|^\S+(Error|Exception)\b")
# granian says so at every start on two cores; the number of threads is chosen.
_KNOWN = "Configuration allows spawning up to"
_LOUD = {"warn", "warning", "error", "critical", "fatal"}


def is_loud(line: str) -> bool:
    """Whether a log line is a warning or worse, in plain text or as a JSON record with a level."""
    if line.startswith("{"):
        try:
            level = json.loads(line).get("level", "")
        except (ValueError, AttributeError):
            return False
        return str(level).lower() in _LOUD
    return bool(_WARNS.search(line)) and _KNOWN not in line


class Stage(IntEnum):
    """When a child stops: the highest stage first, so that each still has what it depends on."""

    STORES = 0
    STAND_INS = 1
    RELAY = 2
    WORKERS = 3
    WEB = 4


@dataclass(slots=True)
class _Watched:
    child: Child
    stage: Stage
    read_up_to: int
    started: float
    crashes: int = 0
    start_at: float | None = None
    in_traceback: bool = False


@dataclass(slots=True)
class Supervisor:
    """Watches the children it started.

    All methods belong to the main thread: a child is told of its parent's death by the thread that started it.
    """

    report: Callable[[str], None] = say
    first_pause: float = _FIRST_PAUSE
    stopping: bool = False
    _watched: list[_Watched] = field(default_factory=list)

    def start(self, children: Sequence[Child], stage: Stage) -> None:
        """Start children and watch them."""
        for child in children:
            watched = _Watched(child, stage, _size(child.log), time.monotonic())
            child.start()
            self._watched.append(watched)

    def watch(self, *, until: Callable[[], bool]) -> None:
        """Look after everything until the condition holds or a stop is asked for."""
        while not self.stopping and not until():
            self.tick()
            time.sleep(_TICK_SECONDS)

    def tick(self) -> None:
        """One round: show new warnings, note crashes, restart what is due."""
        for watched in self._watched:
            self._show(watched)
            if watched.start_at is not None:
                if time.monotonic() >= watched.start_at:
                    self._restart(watched)
            elif (status := watched.child.poll()) is not None:
                self._crashed(watched, describe_exit(watched.child.name, status, watched.child.log))

    def crashes(self) -> dict[str, int]:
        """How often each child crashed since it was last steady."""
        return {watched.child.name: watched.crashes for watched in self._watched}

    def stop(self) -> None:
        """End all: the highest stage first, the children of a stage together."""
        self.stopping = True
        for stage in reversed(Stage):
            group = [watched for watched in self._watched if watched.stage is stage]
            for watched in group:
                watched.child.request_stop()
            for watched in group:
                watched.child.stop()
                self._show(watched)

    def kill(self) -> None:
        """End all at once, as a crash would."""
        for watched in self._watched:
            watched.child.kill()

    def _crashed(self, watched: _Watched, message: str) -> None:
        watched.child.kill()  # what its leader left behind would hold on to its port
        if time.monotonic() - watched.started > _STEADY_SECONDS:
            watched.crashes = 0
        pause = min(self.first_pause * 2**watched.crashes, _LONGEST_PAUSE) * random.uniform(0.8, 1.2)
        watched.crashes += 1
        watched.start_at = time.monotonic() + pause
        self.report(f"{paint('✗', 'red')} {message}\n  Starting {watched.child.name} again in {pause:.1f} s.")

    def _restart(self, watched: _Watched) -> None:
        watched.start_at = None
        watched.started = time.monotonic()
        try:
            watched.child.start()
        except (ServiceFailed, OSError) as error:
            self._crashed(watched, f"{watched.child.name} could not be started: {error}")

    def _show(self, watched: _Watched) -> None:
        size = _size(watched.child.log)
        if size < watched.read_up_to:
            watched.read_up_to = 0
        if size == watched.read_up_to:
            return
        with watched.child.log.open("rb") as log:
            log.seek(watched.read_up_to)
            fresh = log.read(1024 * 1024)
        whole = fresh.rpartition(b"\n")[0] + b"\n" if b"\n" in fresh else b""
        watched.read_up_to += len(whole)
        if size > _LARGEST_LOG:
            _turn_over(watched.child.log)
        for line in whole.decode(errors="replace").splitlines():
            # A traceback goes on while it is indented, and ends with the line that names the error.
            loud = is_loud(line) or watched.in_traceback
            watched.in_traceback = "Traceback" in line or (watched.in_traceback and line.startswith((" ", "\t")))
            if loud and watched.stage is not Stage.STORES:  # the stores' own warnings are for their logs
                self.report(f"{self._prefix(watched)} {line}")

    def _prefix(self, watched: _Watched) -> str:
        color = _COLORS[self._watched.index(watched) % len(_COLORS)]
        return paint(f"{watched.child.name:>9} |", color)


def _size(log: Path) -> int:
    try:
        return log.stat().st_size
    except FileNotFoundError:
        return 0


def _turn_over(log: Path) -> None:
    """Keep one old log; the writer appends, so that it goes on at the start of the emptied file."""
    log.with_suffix(".old.log").write_bytes(log.read_bytes())
    with log.open("r+b") as emptied:
        emptied.truncate(0)
