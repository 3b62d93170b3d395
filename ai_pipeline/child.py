"""Run a named task in a child process that cannot reach the network, the environment or anybody's files.

The child gets one request on standard input and answers with lines of JSON: any number of {"progress": percent,
"note": text},
then one {"result": ...} or {"refused": ...}. Whatever else happens - signal, time-out, memory, noise - is `Unreadable`.
"""

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, TypeVar

from pydantic import BaseModel, ValidationError

from ai_pipeline.errors import REASONS, Unreadable
from ai_pipeline.isolation import Limits
from ai_pipeline.tasks import TASKS

ENTRY = Path(__file__).with_name("child_entry.py")
MAX_ANSWER = 8 << 20
MAX_NOISE = 4 << 10

Progress = Callable[[int, str], None]
Parts = Callable[[str, Any], None]
Report = TypeVar("Report", bound=BaseModel)


def run_in_child(
    task: str,
    arguments: Mapping[str, Any],
    report: type[Report],
    *,
    read: Path,
    out_dir: Path,
    progress: Progress | None = None,
    parts: Parts | None = None,
    limits: Limits | None = None,
) -> Report:
    """Run `task` on the file `read`; it may write into `out_dir`. Returns its validated answer.

    The task gets `arguments` (JSON values), `path` and `out_dir`. `parts(name, value)` gets what it tells on the way,
    as unchecked as the child is.

    Raises Unreadable when the task refuses the file or does not survive it.
    """
    limits = limits or TASKS[task].limits
    with tempfile.TemporaryDirectory(prefix="ai-pipeline-") as scratch:
        request = {
            "task": task,
            "arguments": {**arguments, "path": str(read.resolve()), "out_dir": str(out_dir.resolve())},
            "read": [str(read.resolve())],
            "write": [str(out_dir.resolve()), scratch],
            "limits": vars(limits),
        }
        process = subprocess.Popen(
            [sys.executable, "-I", "-X", "utf8", str(ENTRY)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=scratch,
            env=_environment(scratch),
            start_new_session=True,
            close_fds=True,
        )
        try:
            answer, noise = _converse(process, json.dumps(request).encode(), limits, progress, parts)
        finally:
            _kill(process)
    if answer is None:
        death = _death(process, limits)
        if noise:
            death.add_note(noise.decode("utf-8", "replace"))
        raise death
    if "refused" in answer:
        raise _refusal(answer["refused"])
    try:
        return report.model_validate(answer.get("result"))
    except ValidationError:
        raise Unreadable("reader_stopped", detail="invalid answer") from None


def _environment(scratch: str) -> dict[str, str]:
    # One thread per numeric library: the worker's own concurrency fills the machine.
    quiet = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "2", "MKL_NUM_THREADS": "1"}
    llvm = {name: os.environ[name] for name in ("DRJIT_LIBLLVM_PATH",) if name in os.environ}
    return {"HOME": scratch, "TMPDIR": scratch, "LC_ALL": "C.UTF-8", **quiet, **llvm}


def _converse(
    process: subprocess.Popen[bytes], request: bytes, limits: Limits, progress: Progress | None, parts: Parts | None
) -> tuple[dict[str, Any] | None, bytes]:
    """Send the request, read lines until the answer:
    (answer or None when the child ended without one, end of its noise).
    """
    assert process.stdin
    assert process.stdout
    assert process.stderr
    try:
        process.stdin.write(request)
        process.stdin.close()
    except BrokenPipeError:
        return None, b""
    deadline = time.monotonic() + limits.wall_s
    received, pending, noise = 0, b"", b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        selector.register(process.stderr, selectors.EVENT_READ)
        while selector.get_map():
            left = deadline - time.monotonic()
            if left <= 0:
                raise Unreadable("took_too_long", seconds=round(limits.wall_s))
            for key, _ in selector.select(left):
                stream: IO[bytes] = key.fileobj  # type: ignore[assignment]
                chunk = os.read(stream.fileno(), 1 << 16)
                if not chunk:
                    selector.unregister(stream)
                elif stream is process.stderr:
                    noise = (noise + chunk)[-MAX_NOISE:]
                else:
                    received += len(chunk)
                    if received > MAX_ANSWER:
                        return None, noise
                    *lines, pending = (pending + chunk).split(b"\n")
                    for line in lines:
                        answer = _message(line, progress, parts)
                        if answer is not None:
                            return answer, noise
    return None, noise


def _message(line: bytes, progress: Progress | None, parts: Parts | None) -> dict[str, Any] | None:
    """The final answer of one line; None for a line of progress or a part, which is passed on."""
    try:
        message = json.loads(line)
    except ValueError:
        return {}
    if not isinstance(message, dict):
        return {}
    if "part" in message:
        if parts:
            parts(str(message["part"]), message.get("value"))
        return None
    if "progress" not in message:
        return message
    if progress and isinstance(message["progress"], int):
        progress(max(0, min(100, message["progress"])), str(message.get("note", ""))[:200])
    return None


def _kill(process: subprocess.Popen[bytes]) -> None:
    # An honest child is already on its way out; one that lingers, and any thread of it, goes by its group.
    try:
        process.wait(0.2)
    except subprocess.TimeoutExpired:
        pass
    if process.poll() is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    for stream in (process.stdout, process.stderr):
        if stream:
            stream.close()
    process.wait()


def _death(process: subprocess.Popen[bytes], limits: Limits) -> Unreadable:
    code = process.returncode
    if code == -signal.SIGXCPU:
        return Unreadable("took_too_long", seconds=limits.cpu_s)
    if code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        return Unreadable("reader_stopped", detail=name)
    return Unreadable("reader_stopped", detail=f"exit {code}")


def _refusal(refused: Any) -> Unreadable:
    """The child's own refusal, rebuilt from its code and parameters; anything unknown is a stopped reader."""
    try:
        code, params = refused["code"], refused["params"]
        if code in REASONS and all(isinstance(value, str | int | float) for value in params.values()):
            return Unreadable(code, **params)
    except (KeyError, TypeError, ValueError, AttributeError):
        pass
    return Unreadable("reader_stopped", detail="invalid answer")
