"""`python -m workers.main [queue ...]`: one worker process over the named queues, or over all of them."""

import argparse
from collections.abc import Sequence

from rq.serializers import JSONSerializer

from marketplace.app import create_app
from marketplace.web import logs
from workers.queue import AppWorker, connect, services
from workers.registry import QUEUES


def queues(arguments: Sequence[str] | None = None) -> list[str]:
    """The queues to work on, in the order in which a worker empties them; an unknown name ends the program."""
    parser = argparse.ArgumentParser(prog="python -m workers.main", description="Run background jobs.")
    parser.add_argument("queues", nargs="*", metavar="queue", help=f"any of {', '.join(QUEUES)}; default all")
    wanted = parser.parse_args(arguments).queues or QUEUES
    if unknown := sorted(set(wanted) - set(QUEUES)):
        parser.error(f"there is no queue {', '.join(unknown)}; choose from {', '.join(QUEUES)}")
    return [name for name in QUEUES if name in wanted]


def main() -> None:
    """Work until told to stop; the running job is finished first."""
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
    worker.work(with_scheduler=False, logging_level="WARNING")


if __name__ == "__main__":
    main()
