"""`python -m tests.kit.nest`: starts worker and relay processes on request, from a parent that is warm.

Reads names from standard input, a line each, and answers with the process id. A fork of a parent that has imported
the product saves each process those seconds; it runs what `python -m workers.main` or `python -m workers.relay` run.
"""

import ctypes
import os
import signal
import sys

from workers import main as worker
from workers import relay

PROGRAMS = {"worker": worker.main, "relay": relay.main}
_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def main() -> None:
    """Fork until standard input ends; children end with this process."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _run(line.strip())
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


def _run(name: str) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    sys.argv = [name]
    try:
        PROGRAMS[name]()
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
