"""`./dev run`: the whole product on this machine, from nothing to the first page."""

import argparse
import errno
import hashlib
import signal
import time
from collections.abc import Sequence
from types import FrameType

from sandbox.local import announce, preflight
from sandbox.local.environment import WEBHOOK_PATH, Instance, find_instance, settings
from sandbox.local.lock import acquire, refuse_second
from sandbox.local.processes import MARKETPLACE, Task, child_environment, long_running
from sandbox.local.reset import forget_unfinished
from sandbox.local.supervisor import Stage, Supervisor
from sandbox.local.terminal import Trouble, done, paint, say
from sandbox.services import ServiceFailed, Services
from sandbox.services.process import Process, tail, wait_until_ready

# Generous for a machine busy with other things: a crash is seen at once anyway.
_HEALTHY_SECONDS = 180.0
_CRASHES_TOO_MANY = 3
# A terminal and a wrapper may both pass on the same Ctrl-C.
_ONE_REQUEST_SECONDS = 0.5


def main(arguments: Sequence[str]) -> int:
    """Run until told to stop; the exit status."""
    parser = argparse.ArgumentParser(
        prog="./dev run", description="Start everything and print the address. Ctrl-C stops it and keeps the data."
    )
    parser.add_argument("--empty", action="store_true", help="do not fill a new database with the demo world")
    options = parser.parse_args(arguments)
    instance = find_instance()
    refuse_second(instance.lock)
    try:
        preflight.check(instance)
    except ServiceFailed as error:
        raise Trouble(str(error)) from error
    lock = acquire(instance.lock)
    supervisor = Supervisor()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        _start(instance, supervisor, empty=options.empty)
        supervisor.watch(until=lambda: False)
    except KeyboardInterrupt:
        say(f"\n{paint('Stopping', 'bold')} (once more to stop at once; the data is kept either way)")
    except ServiceFailed as error:
        raise Trouble(str(error), f"The logs are in {instance.logs}; ./dev doctor looks for causes.") from error
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise Trouble("The disk is full.", "Free some space, then start again; nothing was lost.") from error
    finally:
        _stop(supervisor)
        lock.close()
    return 0


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _stop(supervisor: Supervisor) -> None:
    asked = time.monotonic()

    def at_once(number: int, frame: FrameType | None) -> None:
        if time.monotonic() - asked > _ONE_REQUEST_SECONDS:
            supervisor.kill()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, at_once)
    supervisor.stop()
    done("stopped", time.monotonic() - asked)


def _start(instance: Instance, supervisor: Supervisor, *, empty: bool) -> None:
    began = time.monotonic()
    if forget_unfinished(instance):
        say("  The demo world was not finished last time; it is made afresh.")
    services = Services(
        instance.directory,
        given=instance.given,
        webhook_url=f"http://127.0.0.1:{instance.port}{WEBHOOK_PATH}",
    )
    values = settings(instance, services.env, services.keys.get("session"))
    env = child_environment(values)
    release: Task | None = None
    front_end = Task("front end built", "front-end", ["-m", "frontend.build"], instance.logs, env)
    try:
        supervisor.start(services.stores, Stage.STORES)
        supervisor.start(services.stand_ins, Stage.STAND_INS)
        if services.postgres and services.postgres.created:
            instance.seeded.unlink(missing_ok=True)
        took = wait_until_ready(services.children)
        done("services answer", time.monotonic() - began, ", ".join(took))
        announce.write_files(instance, values)
        known = _holds_demo_world(instance)
        if not known:
            _fill(instance, env, supervisor, empty=empty)
        front_end.finish(supervisor.tick)
        web_began = time.monotonic()
        quiet, workers, web = long_running(instance, env)
        supervisor.start([web], Stage.WEB)
        if known:  # new migrations are rare: web need not wait for them, and says itself when it must
            release = _release(instance, env, niceness=5)
    finally:
        front_end.kill()
    supervisor.watch(until=lambda: bool(release and release.failed()) or _healthy(web, supervisor, web_began))
    if release:
        release.finish(supervisor.tick)
    done("first page answers", time.monotonic() - web_began, "worker, relay and schedule follow")
    supervisor.start(quiet, Stage.RELAY)
    supervisor.start(workers, Stage.WORKERS)
    announce.write_files(instance, values)
    announce.announce(instance, values, time.monotonic() - began)


def _release(instance: Instance, env: dict[str, str], niceness: int = 0) -> Task:
    command = [*MARKETPLACE, "release"]
    return Task("database and object store ready", "release", command, instance.logs, env, niceness=niceness)


def _fill(instance: Instance, env: dict[str, str], supervisor: Supervisor, *, empty: bool) -> None:
    """Prepare new stores, and make the demo world in them unless told not to."""
    _release(instance, env).finish(supervisor.tick)
    if not empty:
        instance.seeding.touch()
        seed = Task("demo world made", "seed", [*MARKETPLACE, "seed"], instance.logs, env)
        seed.finish(supervisor.tick)
        instance.seeded.write_text(_stores(instance))
        instance.seeding.unlink()


def _holds_demo_world(instance: Instance) -> bool:
    """Whether an earlier start filled these very stores: then web need not wait for the database to be prepared."""
    return instance.seeded.exists() and instance.seeded.read_text() == _stores(instance)


def _stores(instance: Instance) -> str:
    """A mark for the pair of database and object store."""
    stores = [instance.given.get(name) or "started here" for name in ("DATABASE_URL", "S3_ENDPOINT_URL")]
    return hashlib.sha256("\n".join(stores).encode()).hexdigest()


def _healthy(web: Process, supervisor: Supervisor, began: float) -> bool:
    """Whether web answers; raises ServiceFailed when something cannot come up."""
    for name, crashes in supervisor.crashes().items():
        if crashes >= _CRASHES_TOO_MANY:
            raise ServiceFailed(f"{name} crashed {crashes} times while starting; its last words are above.")
    if time.monotonic() - began > _HEALTHY_SECONDS:
        raise ServiceFailed(f"web is not ready after {_HEALTHY_SECONDS:.0f} s. Its last words:\n{tail(web.log)}")
    return web.ready()
