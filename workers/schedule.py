"""`python -m workers.schedule`: stages periodic jobs; two schedulers or a repeated tick stage each period once."""

import logging
import signal
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from marketplace.db.jobs import JobName, stage
from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel import clock
from marketplace.kernel.actor import system
from marketplace.web import logs
from workers.queue import services

log = logging.getLogger(__name__)
TICK_S = 5.0


@dataclass(frozen=True, slots=True)
class Periodic:
    """A job staged once in every period."""

    name: JobName
    every: timedelta


#: What runs by the clock.
PERIODIC: tuple[Periodic, ...] = (
    Periodic(JobName.RECONCILE_PAYMENTS, timedelta(minutes=2)),
    Periodic(JobName.RELEASE_ACCEPTED, timedelta(hours=1)),
    Periodic(JobName.COMPARE_BOOKS, timedelta(days=1)),
    Periodic(JobName.EXPIRE_NEGOTIATIONS, timedelta(minutes=1)),
    Periodic(JobName.EXPIRE_QUOTES, timedelta(minutes=10)),
    # Unlisting stages it at once; this is for those who come to see a design later, such as a workshop that is asked.
    Periodic(JobName.MARK_COVERS, timedelta(minutes=2)),
    Periodic(JobName.KEEP_ROYALTIES, timedelta(minutes=10)),
    Periodic(JobName.SEND_DIGESTS, timedelta(minutes=15)),
    Periodic(JobName.SWEEP_UPLOADS, timedelta(hours=1)),
    Periodic(JobName.SWEEP_INVOICES, timedelta(hours=1)),
    Periodic(JobName.FETCH_RATES, timedelta(hours=6)),
)


def tick(engine: Engine, moment: datetime) -> None:
    """Stage the current period of every periodic job; the key makes a second tick a no-op."""
    with unit_of_work(engine, system("schedule")) as session:
        for item in PERIODIC:
            period = int(moment.timestamp() // item.every.total_seconds())
            stage(session, item.name, f"period-{period}", {})


def main() -> None:
    """Tick until told to stop."""
    provided = services()
    logs.configure(provided.settings.log_level)
    stop = threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: stop.set())
    while not stop.wait(TICK_S):
        try:
            tick(provided.engine, clock.now())
        except SQLAlchemyError as error:
            log.warning("schedule waits", extra={"error": type(error).__name__})


if __name__ == "__main__":
    main()
