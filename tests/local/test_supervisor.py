import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.local.supervisor import Stage, Supervisor, is_loud
from sandbox.services.process import Process, ServiceFailed, describe_exit, wait_until_ready

# Notes its end with the time, so that the order of several can be told.
_LIVES = (
    "import signal, sys, time, pathlib\n"
    "def end(*_):\n"
    "    pathlib.Path(sys.argv[1]).write_text(str(time.monotonic_ns())); sys.exit()\n"
    "signal.signal(signal.SIGTERM, end)\n"
    "print('up', flush=True)\n"
    "while True: time.sleep(.02)\n"
)


@pytest.fixture
def said() -> list[str]:
    """What the supervisor reported."""
    return []


@pytest.fixture
def supervisor(said: list[str]) -> Iterator[Supervisor]:
    """A supervisor that restarts quickly and leaves nothing behind."""
    made = Supervisor(report=said.append, first_pause=0.05)
    yield made
    made.kill()
    made.stop()


def _python(base: Path, name: str, program: str, *arguments: str) -> Process:
    return Process(name, [sys.executable, "-c", program, *arguments], base / f"{name}.log")


def _within(seconds: float, holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _up(process: Process) -> bool:
    return process.poll() is None and "up" in process.log.read_text()


def test_a_killed_child_is_started_again_and_its_death_explained(
    base: Path, supervisor: Supervisor, said: list[str]
) -> None:
    child = _python(base, "worker", _LIVES, str(base / "end"))
    supervisor.start([child], Stage.WORKERS)
    assert _within(60, lambda: _up(child))
    first = child.pid
    assert first
    os.kill(first, signal.SIGKILL)
    supervisor.watch(until=lambda: child.pid != first and child.poll() is None)
    assert "worker was ended by SIGKILL" in said[0]
    assert "    up" in said[0]
    assert "Starting worker again" in said[0]


def test_restarts_pause_longer_each_time(base: Path, supervisor: Supervisor, said: list[str]) -> None:
    child = _python(base, "web", "print('broken thing'); raise SystemExit(3)")
    supervisor.start([child], Stage.WEB)
    supervisor.watch(until=lambda: supervisor.crashes()["web"] >= 4)
    pauses = [float(line.rpartition("again in ")[2].rstrip(" s.")) for line in said]
    assert pauses[3] > pauses[0]
    assert "web ended with status 3" in said[0]
    assert "broken thing" in said[0]


def test_children_stop_from_web_to_stores(base: Path, supervisor: Supervisor) -> None:
    names = {stage: base / f"{stage.name}.end" for stage in Stage}
    for stage in (Stage.WEB, Stage.STORES, Stage.WORKERS, Stage.STAND_INS, Stage.RELAY):
        child = _python(base, stage.name, _LIVES, str(names[stage]))
        supervisor.start([child], stage)
        assert _within(60, lambda child=child: _up(child))  # type: ignore[misc]
    supervisor.stop()
    ended = sorted(Stage, key=lambda stage: int(names[stage].read_text()))
    assert ended == [Stage.WEB, Stage.WORKERS, Stage.RELAY, Stage.STAND_INS, Stage.STORES]


def test_warnings_and_tracebacks_are_shown_and_the_rest_is_not(
    base: Path, supervisor: Supervisor, said: list[str]
) -> None:
    program = (
        "import time\n"
        'print(\'{"level": "info", "event": "request"}\')\n'
        'print(\'{"level": "error", "event": "mail refused"}\')\n'
        "print('Traceback (most recent call last):\\n  File x\\nValueError: odd\\nall is well', flush=True)\n"
        "time.sleep(60)\n"
    )
    child = _python(base, "relay", program)
    supervisor.start([child], Stage.RELAY)
    supervisor.watch(until=lambda: "all is well" in child.log.read_text())
    supervisor.tick()
    shown = [line.partition("| ")[2] for line in said]
    assert shown == [
        '{"level": "error", "event": "mail refused"}',
        "Traceback (most recent call last):",
        "  File x",
        "ValueError: odd",
    ]


@pytest.mark.parametrize(
    ("line", "loud"),
    [
        ('{"level": "warning", "event": "x"}', True),
        ('{"level": "info", "event": "an ERROR in words"}', False),
        ("[ERROR] cannot bind", True),
        ("sqlalchemy.exc.OperationalError: gone", True),
        ("[INFO] Started worker-1", False),
    ],
)
def test_a_line_is_loud_by_its_level(line: str, loud: bool) -> None:
    assert is_loud(line) is loud


def test_a_child_that_ignores_the_request_is_killed_with_its_children(base: Path) -> None:
    program = (
        "import os, signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = os.fork()\n"
        "print('up' if child else 'grandchild %d' % os.getpid(), flush=True)\n"
        "time.sleep(60)\n"
    )
    process = _python(base, "stubborn", program)
    process.start()
    assert _within(60, lambda: _up(process) and "grandchild" in process.log.read_text())
    grandchild = int(process.log.read_text().partition("grandchild ")[2].split()[0])
    process.stop(grace=0.2)
    assert process.poll() == -signal.SIGKILL
    assert _within(60, lambda: not _alive(grandchild))


def test_a_child_that_ends_while_awaited_is_told_with_its_last_words(base: Path) -> None:
    process = _python(base, "service", "raise SystemExit('no room: No space left on device')")
    process.check = lambda: False
    process.start()
    with pytest.raises(ServiceFailed, match="service ended with status 1") as told:
        wait_until_ready([process])
    assert "The disk is full" in str(told.value)


def test_a_program_that_is_not_there_is_told(base: Path) -> None:
    with pytest.raises(ServiceFailed, match="nothing could not be started"):
        Process("nothing", [base / "no such program"], base / "log").start()


def test_a_full_disk_in_the_last_words_brings_its_advice(base: Path) -> None:
    log = base / "log"
    log.write_text("PANIC: could not write: No space left on device\n")
    assert "free some space" in describe_exit("postgres", 1, log).lower()


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
