"""One child process: started so that it cannot outlive us, stopped in order, and explained when it dies."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
_POLL_SECONDS = 0.05
# A child that is silent for this long, even on a busy machine, is not going to come up.
_READY_SECONDS = 120.0


class ServiceFailed(Exception):
    """A child did not start or did not become ready; the message carries its last words."""


@dataclass(frozen=True, slots=True)
class Account:
    """The unprivileged account a child runs as when we are root."""

    uid: int
    gid: int
    name: str


class Child(Protocol):
    """What a supervisor needs of anything it starts: a process, or a service wrapped around one."""

    name: str

    @property
    def log(self) -> Path: ...

    def start(self) -> None: ...

    def ready(self) -> bool: ...

    def poll(self) -> int | None: ...

    def request_stop(self) -> None: ...

    def stop(self, grace: float | None = None) -> None: ...

    def kill(self) -> None: ...


@dataclass(slots=True)
class Process:
    """A program with its own process group, writing to its own log file.

    `start` must be called from the main thread: Linux sends the parent-death signal when the *thread* that
    forked ends.
    """

    name: str
    command: Sequence[str | Path]
    log_file: Path
    env: Mapping[str, str] | None = None
    cwd: str | Path | None = None
    account: Account | None = None
    stop_signal: int = signal.SIGTERM
    grace: float = 15.0
    niceness: int = 0
    check: Callable[[], bool] | None = None
    popen: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def log(self) -> Path:
        """Where the process writes what it has to say."""
        return self.log_file

    @property
    def pid(self) -> int | None:
        """Process id while started."""
        return self.popen.pid if self.popen else None

    def start(self) -> None:
        """Spawn the program; raises ServiceFailed when it cannot be executed at all."""
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        as_account = {"user": self.account.uid, "group": self.account.gid, "extra_groups": []} if self.account else {}
        with self.log_file.open("ab") as out:
            try:
                self.popen = subprocess.Popen(
                    self.command,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    env=None if self.env is None else dict(self.env),
                    cwd=self.cwd,
                    process_group=0,
                    preexec_fn=_before_exec(os.getpid(), self.stop_signal, self.niceness),
                    **as_account,  # type: ignore[call-overload]
                )
            except OSError as error:
                raise ServiceFailed(f"{self.name} could not be started: {error}") from error

    def poll(self) -> int | None:
        """Exit status, negative for a signal; None while running or never started."""
        return self.popen.poll() if self.popen else None

    def ready(self) -> bool:
        """Whether the process answers; without a check, whether it runs."""
        if self.popen is None or self.popen.poll() is not None:
            return False
        return self.check() if self.check else True

    def request_stop(self) -> None:
        """Ask for an orderly end and return at once."""
        if self.popen and self.popen.poll() is None:
            self.popen.send_signal(self.stop_signal)

    def stop(self, grace: float | None = None) -> None:
        """Ask for an orderly end, wait, then kill whatever is left of the process group."""
        if self.popen is None:
            return
        self.request_stop()
        try:
            self.popen.wait(self.grace if grace is None else grace)
        except subprocess.TimeoutExpired:
            self.kill()
            self.popen.wait()
        self.kill()

    def kill(self) -> None:
        """End the whole process group at once, also what a dead leader left behind."""
        if self.popen is None:
            return
        try:
            os.killpg(self.popen.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return  # nothing of the group is left (macOS answers EPERM for a group of zombies)


def _before_exec(parent: int, sig: int, niceness: int) -> Callable[[], None]:
    """What runs in the child before exec: it gives way to others, and asks to be signaled when the parent ends."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl if sys.platform == "linux" else None

    def prepare() -> None:
        os.nice(niceness)
        if prctl is None:  # elsewhere a lost child is ended by the next start (orphans.py)
            return
        prctl(_PR_SET_PDEATHSIG, sig)
        if os.getppid() != parent:  # the parent ended between fork and prctl
            os._exit(1)

    return prepare


def wait_until_ready(children: Sequence[Child], timeout: float = _READY_SECONDS) -> dict[str, float]:
    """Poll all children until each is ready; answers the seconds each took.

    Raises ServiceFailed when one exits or stays silent longer than `timeout` seconds.
    """
    began = time.monotonic()
    took: dict[str, float] = {}
    while len(took) < len(children):
        for child in children:
            if child.name in took:
                continue
            status = child.poll()
            if status is not None:
                raise ServiceFailed(describe_exit(child.name, status, child.log))
            if child.ready():
                took[child.name] = time.monotonic() - began
            elif time.monotonic() - began > timeout:
                raise ServiceFailed(
                    f"{child.name} did not answer within {timeout:.0f} s. Its last words:\n{tail(child.log)}"
                )
        time.sleep(_POLL_SECONDS)
    return took


def tail(log: Path, lines: int = 8) -> str:
    """The last lines of a log, indented, for an error message."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 16_384))
            text = file.read().decode(errors="replace")
    except OSError:
        return "    (no log)"
    kept = [line for line in text.splitlines() if line.strip()][-lines:]
    return "\n".join(f"    {line[:300]}" for line in kept) or "    (it said nothing)"


def last_line(log: Path) -> str:
    """The last line of a log, without its indentation."""
    return tail(log, 1).strip()


# What a dying program says, and what to do about it.
_REMEDIES = (
    ("No space left on device", "The disk is full: free some space, then start again."),
    ("Address already in use", "Its port is taken by another program: stop that program or start again."),
    ("Cannot allocate memory", "The machine is out of memory: close something, then start again."),
    ("MemoryError", "The machine is out of memory: close something, then start again."),
    ("Permission denied", "A file is not accessible: check who owns the files under .local/."),
    ("Read-only file system", "The file system is read-only: set LOCAL_DIR to a place that can be written."),
)


def remedy(text: str) -> str:
    """What to do about an error message of a program, or an empty string."""
    return next((advice for sign, advice in _REMEDIES if sign in text), "")


def describe_exit(name: str, status: int, log: Path) -> str:
    """Say which child ended, how, with which last words, and what to do about it."""
    words = tail(log)
    if status < 0:
        how = f"was ended by {signal.Signals(-status).name}"
        if -status == signal.SIGKILL:
            how += " (killed from outside, or by the kernel when memory ran out)"
    else:
        how = f"ended with status {status}"
    advice = remedy(words)
    return f"{name} {how}. Its last words ({log}):\n{words}" + (f"\n{advice}" if advice else "")
