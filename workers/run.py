"""Running one job: claim the row, keep its lease alive, call the function, close or put back."""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from random import uniform
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from marketplace.db import jobs
from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel.actor import Actor, system
from marketplace.kernel.errors import DomainError, Unavailable
from marketplace.services import Services

log = logging.getLogger(__name__)
HEARTBEAT_S = 4.0
FIRST_DELAY_S = 2.0
MAX_DELAY_S = 1800.0


class LeaseLost(Exception):
    """Another worker has this job now; whatever this one did in the open phase is rolled back."""


class Retry(Exception):
    """Run the job again later: something it needs is not there yet. `delay` overrides the back-off."""

    def __init__(self, why: str, delay: timedelta | None = None) -> None:
        super().__init__(why)
        self.delay = delay


class Wait(Retry):
    """Run the job again after `delay`, for as long as it takes (a bank, another job): no attempt is used up."""


@dataclass(frozen=True, slots=True)
class Binding:
    """A job's function and its bounds; `queue` is one of workers.registry.QUEUES."""

    function: Callable[..., None]
    queue: str = "default"
    timeout_s: int = 120
    max_attempts: int = 8
    on_failed: Callable[..., None] | None = None


class Run:
    """One attempt at one job. Work happens in phases; no phase stays open while a vendor is called."""

    def __init__(self, services: Services, row: jobs.JobRow) -> None:
        self.services = services
        self.job_id, self.job_name, self.fence, self.attempt = row.id, row.name, row.fence, row.attempts
        self.actor: Actor = system(row.name, request_id=row.id)

    @contextmanager
    def phase(self, progress: int | None = None) -> Iterator[Session]:
        """One transaction that commits only while the lease is ours; raises LeaseLost otherwise."""
        with unit_of_work(self.services.engine, self.actor) as session:
            if not jobs.hold(session, self.job_id, self.fence, progress=progress):
                raise LeaseLost(self.job_id)
            yield session

    def progress(self, percent: int) -> None:
        """Show how far the job is (0-100)."""
        with self.phase(percent):
            pass


def execute(services: Services, bindings: Mapping[str, Binding], job_id: str) -> str:
    """Run a job if it is ours to run; returns what became of it: skipped, done, failed, again or lost."""
    with unit_of_work(services.engine, system("worker")) as session:
        row = jobs.claim(session, job_id)
    if row is None:
        return "skipped"
    run = Run(services, row)
    binding = bindings.get(row.name)
    if binding is None:
        return _failed(run, None, row.args, f"unknown job {row.name}")
    stop = threading.Event()
    beat = threading.Thread(target=_keep_alive, args=(run, stop), daemon=True)
    beat.start()
    try:
        binding.function(run, **row.args)
        with run.phase() as session:
            jobs.finish(session, run.job_id, run.fence)
        return "done"
    except LeaseLost:
        log.warning("lease lost", extra={"job": job_id})
        return "lost"
    except Wait as error:
        with unit_of_work(services.engine, run.actor) as session:
            delay = error.delay or timedelta(seconds=FIRST_DELAY_S)
            jobs.put_back(session, run.job_id, run.fence, error=str(error), delay=delay, attempt_counts=False)
        return "again"
    except (Retry, Unavailable) as error:
        return _again(run, binding, row.args, str(error), getattr(error, "delay", None))
    except DomainError as error:
        log.warning("job refused", extra={"job": job_id, "code": error.code})
        return _failed(run, binding, row.args, f"{error.code}: {error}")
    except Exception as error:
        log.exception("job raised", extra={"job": job_id, "job_name": row.name})
        return _again(run, binding, row.args, type(error).__name__, None)
    finally:
        stop.set()
        beat.join(timeout=1)


def _keep_alive(run: Run, stop: threading.Event) -> None:
    while not stop.wait(HEARTBEAT_S):
        try:
            with unit_of_work(run.services.engine, run.actor) as session:
                if not jobs.hold(session, run.job_id, run.fence):
                    return
        except SQLAlchemyError:
            log.warning("heartbeat missed", extra={"job": run.job_id})


def _again(run: Run, binding: Binding, args: dict[str, Any], why: str, delay: timedelta | None) -> str:
    if run.attempt >= binding.max_attempts:
        return _failed(run, binding, args, why)
    backoff = min(FIRST_DELAY_S * 2 ** (run.attempt - 1), MAX_DELAY_S) * uniform(0.8, 1.2)
    with unit_of_work(run.services.engine, run.actor) as session:
        jobs.put_back(session, run.job_id, run.fence, error=why, delay=delay or timedelta(seconds=backoff))
    return "again"


def _failed(run: Run, binding: Binding | None, args: dict[str, Any], why: str) -> str:
    """Close the job for good, and let its feature say so to the people who wait."""
    with unit_of_work(run.services.engine, run.actor) as session:
        closed = jobs.finish(session, run.job_id, run.fence, error=why[:500])
        if closed and binding and binding.on_failed:
            binding.on_failed(session, run, why, **args)
    log.error("job failed for good", extra={"job": run.job_id, "why": why[:200]})
    return "failed"
