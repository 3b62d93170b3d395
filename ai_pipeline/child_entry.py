"""The child's side of `child.py`: shut the door, import the task, answer. Run as a script, never imported."""

import importlib
import json
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from ai_pipeline.errors import Unreadable  # noqa: E402 - `python -I` does not look beside the script
from ai_pipeline.isolation import Limits, isolate, limit_resources  # noqa: E402
from ai_pipeline.tasks import TASKS  # noqa: E402

SYSTEM = ("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/proc/self", "/proc/cpuinfo", "/proc/meminfo",
          "/sys/devices/system/cpu", "/dev/urandom")  # fmt: skip


def main() -> None:
    """Read the request, isolate, run the task, write the answer on the pipe that was standard output."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    null = os.open(os.devnull, os.O_RDWR)
    request = json.loads(sys.stdin.buffer.read())
    for stream in (0, 1):  # libraries that print must not be able to answer
        os.dup2(null, stream)

    def say(message: dict[str, Any]) -> None:
        answers.write(json.dumps(message, allow_nan=False) + "\n")
        answers.flush()

    started = time.monotonic()
    if TASKS[request["task"]].patient:
        os.nice(10)  # pictures take long and keep every core busy; pages and measurements go first
    limit_resources(Limits(**request["limits"]))
    libraries = [Path(path) for path in (*SYSTEM, sys.prefix, sys.base_prefix, str(ROOT / "ai_pipeline"))]
    held = isolate(
        read=[*libraries, *map(Path, request["read"])], write=[*map(Path, request["write"]), Path(os.devnull)]
    )
    task = TASKS[request["task"]]
    try:
        arguments = request["arguments"]
        if task.prepare:
            arguments["prepared"] = named(task.prepare)(**arguments)
        if task.speaks:
            arguments["progress"] = lambda percent, note="": say({"progress": percent, "note": note})
        if task.tells:
            arguments["say"] = lambda what, value: say({"part": what, "value": value})
        report = named(task.run)(**arguments)
        result = report.model_dump(mode="json")
        usage = resource.getrusage(resource.RUSAGE_SELF)
        result["reading"] = {
            "isolation": held,
            "wall_ms": round((time.monotonic() - started) * 1000),
            "cpu_ms": round((usage.ru_utime + usage.ru_stime) * 1000),
            "peak_mb": peak_megabytes(),
        }
        say({"result": result})
    except Unreadable as refusal:
        say({"refused": {"code": refusal.code, "params": refusal.params}})
    except MemoryError:
        say({"refused": {"code": "needs_too_much_memory", "params": {}}})
    except Exception as error:  # a parser may raise anything on hostile input; the type is all that is told
        traceback.print_exc(file=sys.stderr)
        say({"refused": {"code": "reader_stopped", "params": {"detail": type(error).__name__}}})


def peak_megabytes() -> int:
    """Highest resident size since the program began; the value of getrusage also counts the parent that forked it."""
    try:
        status = Path("/proc/self/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) // 1024
    except (OSError, ValueError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def named(name: str) -> Callable[..., Any]:
    """The function `module:function`."""
    module, _, function = name.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return found


if __name__ == "__main__":
    main()
    # Skip destructors of native libraries: the answer is out, and some of them crash on the way down.
    sys.stderr.flush()
    os._exit(0)
