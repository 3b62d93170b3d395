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
from sandbox.local.processes import MARKETPLACE, Task, child_environment, long_running, run_once
from sandbox.local.supervisor import Supervisor
from sandbox.local.terminal import Trouble, done, paint, say
from sandbox.services import ServiceFailed, Services
from sandbox.services.process import Process, tail, wait_until_ready

_HEALTHY_SECONDS = 90.0
_CRASHES_TOO_MANY = 3


def main(arguments: Sequence[str]) -> int:
    """Run until told to stop; the exit status."""
    parser = argparse.ArgumentParser(
        prog="./dev run", description="Start everything and print the address. Ctrl-C stops it and keeps the data."
    )
    parser.add_argument("--empty", action="store_true", help="do not fill a new database with the demo world")
    options = parser.parse_args(arguments)
    instance = find_instance()
    refuse_second(instance.lock)
    preflight.check(instance)
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
    def at_once(number: int, frame: FrameType | None) -> None:
        supervisor.kill()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, at_once)
    began = time.monotonic()
    supervisor.stop()
    done("stopped", time.monotonic() - began)


def _start(instance: Instance, supervisor: Supervisor, *, empty: bool) -> None:
    began = time.monotonic()
    services = Services(
        instance.directory,
        given=instance.given,
        webhook_url=f"http://127.0.0.1:{instance.port}{WEBHOOK_PATH}",
    )
    values = settings(instance, services.env, services.keys.get("session"))
    env = child_environment(values)
    front_end = Task("front end built", "front-end", ["-m", "frontend.build"], instance.logs, env)
    try:
        supervisor.start(services.stores, shown=False)
        supervisor.start(services.stand_ins)
        if services.postgres and services.postgres.created:
            instance.seeded.unlink(missing_ok=True)
        took = wait_until_ready(services.children)
        done("services answer", time.monotonic() - began, ", ".join(took))
        announce.write_files(instance, values)
        run_once(
            "database and object store prepared",
            "release",
            [*MARKETPLACE, "release"],
            instance,
            env,
            supervisor.tick,
        )
        if not empty:
            _seed(instance, env, supervisor)
        front_end.finish(supervisor.tick)
    finally:
        front_end.kill()
    _start_product(instance, env, supervisor)
    announce.write_files(instance, values)
    announce.announce(instance, values, time.monotonic() - began)


def _seed(instance: Instance, env: dict[str, str], supervisor: Supervisor) -> None:
    """Make the demo world once for each pair of stores."""
    stores = [instance.given.get(name) or "started here" for name in ("DATABASE_URL", "S3_ENDPOINT_URL")]
    mark = hashlib.sha256("\n".join(stores).encode()).hexdigest()
    if instance.seeded.exists() and instance.seeded.read_text() == mark:
        return
    run_once("demo world made", "seed", [*MARKETPLACE, "seed"], instance, env, supervisor.tick)
    instance.seeded.write_text(mark)


def _start_product(instance: Instance, env: dict[str, str], supervisor: Supervisor) -> None:
    began = time.monotonic()
    groups = long_running(instance, env)
    for group in groups:
        supervisor.start(group)
    (web,) = groups[-1]
    supervisor.watch(until=lambda: _healthy(web, supervisor, began))
    done("web, worker, relay and schedule up", time.monotonic() - began)


def _healthy(web: Process, supervisor: Supervisor, began: float) -> bool:
    """Whether web answers; raises ServiceFailed when something cannot come up."""
    for name, crashes in supervisor.crashes().items():
        if crashes >= _CRASHES_TOO_MANY:
            raise ServiceFailed(f"{name} crashed {crashes} times while starting; its last words are above.")
    if time.monotonic() - began > _HEALTHY_SECONDS:
        raise ServiceFailed(f"web is not ready after {_HEALTHY_SECONDS:.0f} s. Its last words:\n{tail(web.log)}")
    return web.ready()
