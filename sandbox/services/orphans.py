"""Ends servers that an earlier run left behind, so that two never write to the same files."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

_WAIT_SECONDS = 15.0


def _started(pid: int) -> str | None:
    """A mark that tells this process from a later one with the same id; None when there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        fields = stat.rpartition(")")[2].split()
        return None if fields[0] == "Z" else fields[19]  # starttime, field 22 of proc_pid_stat(5)
    except (FileNotFoundError, ProcessLookupError):
        if Path("/proc/self").exists():
            return None
    asked = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return asked.stdout.strip() or None


def remember(file: Path, pid: int) -> None:
    """Note which process serves these files."""
    file.write_text(json.dumps({"pid": pid, "started": _started(pid)}))


def clear(file: Path) -> None:
    """Wait for the noted process to end, and end it when it does not: it lost its supervisor."""
    try:
        noted = json.loads(file.read_text())
        pid, started = int(noted["pid"]), noted["started"]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return
    deadline = time.monotonic() + _WAIT_SECONDS
    asked = False
    while started and _started(pid) == started and time.monotonic() < deadline:
        if not asked and time.monotonic() > deadline - _WAIT_SECONDS + 1:
            asked = True
            _signal(pid, signal.SIGTERM)
        time.sleep(0.05)
    if started and _started(pid) == started:
        _signal(pid, signal.SIGKILL)
    file.unlink(missing_ok=True)


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
