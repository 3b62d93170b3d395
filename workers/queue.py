"""RQ plumbing: connections, names, and the entry RQ calls. JSON only; nothing but job ids goes through."""

import ctypes
import signal
import sys
from typing import Any

from redis import Redis
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import BusyLoadingError, ConnectionError, TimeoutError
from redis.retry import Retry
from rq import Queue, Worker
from rq.job import Job
from rq.serializers import JSONSerializer

from marketplace.config import Settings
from marketplace.services import Services
from workers import scratch
from workers.registry import BINDINGS, queue_of
from workers.run import execute

_process: dict[str, Services] = {}


def connect(url: str) -> Redis:
    """A connection that survives a restart of the server."""
    return Redis.from_url(
        url,
        retry=Retry(ExponentialWithJitterBackoff(base=0.1, cap=2), 20),
        retry_on_error=[ConnectionError, TimeoutError, BusyLoadingError],
        health_check_interval=30,
    )


def services() -> Services:
    """The gateways of this process, made once (before RQ forks, so that children start warm)."""
    if "services" not in _process:
        _process["services"] = Services(Settings.from_env(), background=True)
    return _process["services"]


def run_job(job_id: str) -> str:
    """What RQ calls in the forked child: the connections of the parent are not shared."""
    provided = services()
    provided.engine.dispose(close=False)
    return execute(provided, BINDINGS, job_id)


def wake(connection: Redis, job_id: str, name: str, attempt: int) -> None:
    """Hand one job to RQ under an id that is the same for the same attempt."""
    binding = BINDINGS.get(name)
    Queue(queue_of(name), connection=connection, serializer=JSONSerializer).enqueue(
        run_job,
        job_id,
        job_id=f"{job_id}-{attempt}",
        job_timeout=binding.timeout_s if binding else 120,
        result_ttl=0,
        failure_ttl=60,
        ttl=3600,
    )


class AppWorker(Worker):
    """An RQ worker that looks after itself every few seconds and whose child dies with it."""

    log_job_description = False
    told_to_stop = False

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.scratch = scratch.claim()

    def handle_warm_shutdown_request(self) -> None:
        """Called on SIGTERM or SIGINT."""
        self.told_to_stop = True
        super().handle_warm_shutdown_request()

    @property
    def dequeue_timeout(self) -> int:
        """Seconds to block for work; RQ's 405 would delay its own maintenance as long."""
        return 2

    @property
    def connection_timeout(self) -> int:
        """Seconds before a silent connection counts as lost."""
        return 15

    def get_heartbeat_ttl(self, job: Job, **_: Any) -> int:
        """Seconds a job's heartbeat stays valid."""
        return int(self.job_monitoring_interval) + 10

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Runs in the parent until the child is gone, however it went; what it left on the disk goes too."""
        try:
            super().execute_job(job, queue)
        finally:
            scratch.clear(self.scratch)

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        """Runs in the forked child."""
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        super().main_work_horse(job, queue)
