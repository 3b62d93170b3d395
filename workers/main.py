"""`python -m workers.main [queue ...]`: one worker process over the named queues, or over all of them."""

import argparse
import logging
import os
import signal
import sys
import time
from collections.abc import Sequence

from redis import Redis
from redis.exceptions import RedisError
from rq.serializers import JSONSerializer

from marketplace.app import create_app
from marketplace.web import logs
from workers.queue import AppWorker, connect, services
from workers.registry import QUEUES

log = logging.getLogger(__name__)
#: Between two looks at a queue server that is away.
PAUSE_S = 2.0


def queues(arguments: Sequence[str] | None = None) -> list[str]:
    """The queues to work on, in the order in which a worker empties them; an unknown name ends the program."""
    parser = argparse.ArgumentParser(prog="python -m workers.main", description="Run background jobs.")
    parser.add_argument("queues", nargs="*", metavar="queue", help=f"any of {', '.join(QUEUES)}; default all")
    wanted = parser.parse_args(arguments).queues or QUEUES
    if unknown := sorted(set(wanted) - set(QUEUES)):
        parser.error(f"there is no queue {', '.join(unknown)}; choose from {', '.join(QUEUES)}")
    return [name for name in QUEUES if name in wanted]


def main() -> None:
    """Work until told to stop; the running job is finished first.

    RQ's loop ends by itself when the queue server stays away; then this process begins anew once it is back.
    """
    wanted = queues()
    provided = services()
    logs.configure(provided.settings.log_level)
    create_app(provided.settings)  # imports every feature before the first fork
    worker = AppWorker(
        wanted,
        connection=connect(provided.settings.redis_url),
        serializer=JSONSerializer,
        job_monitoring_interval=3,
        maintenance_interval=5,
        log_job_description=False,
    )
    try:
        worker.work(with_scheduler=False, logging_level="WARNING")
    except RedisError as error:
        log.warning("the queue server is away", extra={"error": type(error).__name__})
    if not worker.told_to_stop:
        _begin_anew(provided.settings.redis_url)


def _begin_anew(redis_url: str) -> None:
    """Replace this process by a fresh one, under the same id; a job's child goes on meanwhile."""
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, signal.SIG_DFL)
    with Redis.from_url(redis_url, socket_connect_timeout=1, socket_timeout=2) as connection:
        while not _answers(connection):
            time.sleep(PAUSE_S)
    log.warning("worker begins anew")
    os.execv(sys.executable, [sys.executable, "-m", "workers.main", *sys.argv[1:]])  # noqa: S606 - our own program


def _answers(connection: Redis) -> bool:
    try:
        return bool(connection.ping())
    except RedisError:
        return False


if __name__ == "__main__":
    main()
