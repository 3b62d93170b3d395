"""`python -m workers.relay`: hands due jobs from the database to the queue, and takes back lost ones."""

import logging
import signal
import threading
from datetime import timedelta

from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from marketplace.db import jobs
from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel.actor import system
from marketplace.web import logs
from workers.queue import connect, services, wake

log = logging.getLogger(__name__)
IDLE_S = 0.25
BATCH = 100
#: A job handed over this long ago and still waiting is handed over again: the queue may have been emptied.
RESEND_AFTER = timedelta(seconds=20)


def relay_once(engine: Engine, connection: Redis) -> int:
    """Requeue what dead workers left and hand over what is due; returns how many were handed over.

    The hand-over happens inside the transaction that marks it: when the queue is away nothing is marked.
    """
    with unit_of_work(engine, system("relay")) as session:
        for job_id in jobs.requeue_lost(session):
            log.warning("job taken back from a lost worker", extra={"job": job_id})
        found = jobs.due(session, limit=BATCH, resend_after=RESEND_AFTER)
        for job_id, name, attempt in found:
            wake(connection, job_id, name, attempt)
    return len(found)


def main() -> None:
    """Relay until told to stop; outages of database or queue are waited out."""
    provided = services()
    logs.configure(provided.settings.log_level)
    stop = threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: stop.set())
    connection = connect(provided.settings.redis_url)
    pause = IDLE_S
    while not stop.wait(pause):
        try:
            pause = 0.0 if relay_once(provided.engine, connection) == BATCH else IDLE_S
        except (SQLAlchemyError, RedisError) as error:
            log.warning("relay waits", extra={"error": type(error).__name__})
            pause = 2.0


if __name__ == "__main__":
    main()
