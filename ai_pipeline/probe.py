"""Try from inside the child what a hostile file would try, and tell what was possible. For the doctor and the tests."""

import os
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel

from ai_pipeline.imaging.report import Reading


class ProbeReport(BaseModel):
    """Attempts that succeeded though they should not (empty when the kernel isolates), and the environment seen."""

    possible: list[str]
    environment: list[str]
    open_files: int
    reading: Reading | None = None


def probe(path: str, out_dir: str) -> ProbeReport:
    """Attempt to reach the network, other programs, other files and other processes."""
    attempts: dict[str, Callable[[], object]] = {
        "open a socket": lambda: socket.socket().close(),
        "connect": lambda: socket.create_connection(("127.0.0.1", 9), 0.2),
        "run a program": lambda: subprocess.run(["/bin/true"], check=True),
        "fork": _fork,
        "read /etc/passwd": lambda: Path("/etc/passwd").read_bytes(),
        "list the folder of the upload": lambda: list(Path(path).parent.iterdir()),
        "write beside the upload": lambda: Path(path).with_name("planted").write_bytes(b"x"),
        "change the upload": lambda: Path(path).open("ab").close(),
        "leave a link in the output": lambda: (Path(out_dir) / "link").symlink_to("/etc/passwd"),
        "signal the parent": lambda: os.kill(os.getppid(), signal.SIGCONT),
    }
    possible = []
    for name, attempt in attempts.items():
        try:
            attempt()
        except (OSError, subprocess.SubprocessError):
            continue
        possible.append(name)
    return ProbeReport(
        possible=possible, environment=sorted(os.environ), open_files=len(list(Path("/proc/self/fd").iterdir())) - 1
    )


def _fork() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
