"""`./dev test`: lint, types, import rules, then all tests against throw-away services."""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType

from sandbox.local import browser
from sandbox.local.environment import CHECKOUT, SETTINGS
from sandbox.local.terminal import Trouble, done, paint, say
from sandbox.services import ServiceFailed, Services
from sandbox.services.process import remedy

_SCRIPTS = Path(sysconfig.get_path("scripts"))
_CHECKS = (
    ("lint", [str(_SCRIPTS / "ruff"), "check", "."]),
    ("format", [str(_SCRIPTS / "ruff"), "format", "--check", "."]),
    ("types", [sys.executable, "-m", "mypy"]),
    ("import rules", [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"]),
    ("front end", [sys.executable, "-m", "frontend.build"]),
)


def main(arguments: Sequence[str]) -> int:
    """Check everything; the exit status is pytest's, or 1 when an earlier check failed."""
    parser = argparse.ArgumentParser(
        prog="./dev test",
        description="Lint, types and import rules, then pytest with the given arguments.",
        epilog="Example: ./dev test --no-lint tests/unit -k money",
    )
    parser.add_argument("--no-lint", action="store_true", help="go straight to the tests (give it first)")
    options, pytest_arguments = parser.parse_known_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    scratch = Path(tempfile.mkdtemp(prefix="services-"))
    services = Services(scratch, durable=False, given=_given())
    try:
        _check([] if options.no_lint else _CHECKS[:-1])
        _check(_CHECKS[-1:])
        environment = {**_neutral(), **services.env, **_browser(required=not pytest_arguments)}
        began = time.monotonic()
        services.spawn()
        services.wait()
        done("services", time.monotonic() - began)
        say()
        return _pytest(pytest_arguments, environment)
    except ServiceFailed as error:
        raise Trouble(str(error), remedy(str(error))) from error
    finally:
        services.stop()
        shutil.rmtree(scratch, ignore_errors=True)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _given() -> dict[str, str]:
    """TEST_ variables of the person at the keyboard: services not to be started here."""
    return {name: value for name, value in os.environ.items() if name.startswith("TEST_") and value}


def _neutral() -> dict[str, str]:
    """Our environment without settings of the product: tests must not depend on, or reach, a running instance."""
    return {name: value for name, value in os.environ.items() if name not in SETTINGS}


def _check(checks: Sequence[tuple[str, list[str]]]) -> None:
    """Run checks side by side and tell each in turn; raises Trouble when any failed."""
    running = []
    for name, command in checks:
        out = tempfile.TemporaryFile("w+b")  # noqa: SIM115 - closed below, when it was read
        began = time.monotonic()
        started = subprocess.Popen(command, cwd=CHECKOUT, stdout=out, stderr=subprocess.STDOUT, env=_neutral())
        running.append((name, started, out, began))
    failed = []
    for name, started, out, began in running:
        try:
            status = started.wait()
        except BaseException:
            for _, other, _, _ in running:
                other.terminate()
            raise
        out.seek(0)
        said = out.read().decode(errors="replace").rstrip()
        out.close()
        if status:
            failed.append(name)
            say(f"  {paint('✗', 'red')} {name}\n{said}\n")
        else:
            done(name, time.monotonic() - began)
    if failed:
        raise Trouble(f"{' and '.join(failed)} failed; the tests were not run.", _advice(failed))


def _advice(failed: Sequence[str]) -> str:
    fixes = {
        "lint": ".venv/bin/ruff check --fix .",
        "format": ".venv/bin/ruff format .",
        "front end": "read the message above; ./dev doctor looks for causes",
    }
    return "; ".join(fixes[name] for name in failed if name in fixes) or "Correct what is named above."


def _browser(*, required: bool) -> Mapping[str, str]:
    """What browser tests need; a run of chosen tests may do without, and its browser tests then fail by themselves."""
    began = time.monotonic()
    try:
        found = browser.find()
    except Trouble:
        if required:
            raise
        say(f"  {paint('!', 'yellow')} no browser: browser tests would fail")
        return {}
    done("browser", time.monotonic() - began, str(found.path))
    return found.exported()


def _pytest(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Chosen tests run one after the other, in view; all of them in two processes, each with services of its own."""
    chosen = arguments or ("-n", "2")
    process = subprocess.Popen([sys.executable, "-m", "pytest", *chosen], cwd=CHECKOUT, env=dict(environment))
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)  # pytest reports what it has; on a terminal it was told already
        return process.wait(30)
