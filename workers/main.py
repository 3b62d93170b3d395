"""`python -m workers.main`: one worker process over all queues."""

from rq.serializers import JSONSerializer

from marketplace.app import create_app
from marketplace.web import logs
from workers.queue import AppWorker, connect, services
from workers.registry import QUEUES


def main() -> None:
    """Work until told to stop; the running job is finished first."""
    provided = services()
    logs.configure(provided.settings.log_level)
    create_app(provided.settings)  # imports every feature before the first fork
    worker = AppWorker(
        list(QUEUES),
        connection=connect(provided.settings.redis_url),
        serializer=JSONSerializer,
        job_monitoring_interval=3,
        maintenance_interval=5,
        log_job_description=False,
    )
    worker.work(with_scheduler=False, logging_level="WARNING")


if __name__ == "__main__":
    main()
