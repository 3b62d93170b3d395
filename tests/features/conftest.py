"""Fixtures of the tests of features."""

from collections.abc import Callable

import pytest

from marketplace.db import jobs
from marketplace.db.jobs import JobName
from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel.actor import system
from marketplace.services import Services
from workers.registry import BINDINGS
from workers.run import execute


@pytest.fixture
def read_files(services: Services) -> Callable[[], None]:
    """Run every due job but the rendering of pictures, which takes a while and has a test of its own."""

    def run() -> None:
        for _ in range(50):
            with unit_of_work(services.engine, system("test")) as session:
                found = jobs.due(session, limit=50, resend_after=jobs.LEASE * 4)
            todo = [job_id for job_id, name, _attempt in found if name != JobName.RENDER_CAD]
            if not todo:
                return
            for job_id in todo:
                execute(services, BINDINGS, job_id)

    return run
