"""One running instance per directory: a lock that the kernel drops when its holder ends, however it ends."""

import fcntl
import os
from pathlib import Path
from typing import IO

from sandbox.local.terminal import Trouble


def acquire(file: Path) -> IO[str]:
    """Hold the lock until the file object is closed or the process ends; raises Trouble when another holds it."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    held = file.open("a+")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        held.close()
        raise _already_running(file) from error
    held.truncate(0)
    held.write(str(os.getpid()))
    held.flush()
    return held


def refuse_second(file: Path) -> None:
    """Raises Trouble when another process holds the lock."""
    if holder(file) is not None:
        raise _already_running(file)


def _already_running(file: Path) -> Trouble:
    return Trouble(
        f"This instance is already running: process {holder(file)} holds {file}.",
        "Use the running one, or stop it with Ctrl-C (or `kill` and that number). "
        "LOCAL_DIR and PORT make room for a second one.",
    )


def holder(file: Path) -> int | None:
    """The process that holds the lock, None when nobody does."""
    try:
        with file.open("r+") as probe:
            fcntl.flock(probe, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return int(file.read_text() or 0)
    except FileNotFoundError:
        return None
    return None
