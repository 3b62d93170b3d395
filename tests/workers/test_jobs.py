"""The outbox: nothing leaves before the commit, and whatever dies, each job ends once."""

import json
import zlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.db import jobs
from marketplace.db.jobs import JobName, JobRow, stage
from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel import clock
from marketplace.kernel.actor import system
from marketplace.kernel.errors import Conflict
from marketplace.services import Services
from workers.queue import connect, wake
from workers.relay import relay_once
from workers.run import Binding, LeaseLost, Retry, Run, execute

SYSTEM = system("test")


def stage_one(services: Services, key: str = "one") -> str:
    with unit_of_work(services.engine, SYSTEM) as session:
        return stage(session, JobName.SEND_MAIL, key, {"mail_id": key})


def bind(function: Callable[..., None], **more: Any) -> dict[str, Binding]:
    return {JobName.SEND_MAIL: Binding(function, **more)}


def row(services: Services, job_id: str) -> JobRow:
    with unit_of_work(services.engine, SYSTEM) as session:
        return session.get_one(JobRow, job_id)


def test_a_rolled_back_transaction_leaves_no_job(services: Services, session: Session) -> None:
    def stage_and_fail() -> None:
        with unit_of_work(services.engine, SYSTEM) as work:
            stage(work, JobName.SEND_MAIL, "gone", {})
            raise RuntimeError("after staging")

    with pytest.raises(RuntimeError):
        stage_and_fail()
    assert session.scalars(select(JobRow)).all() == []


def test_staging_the_same_effect_twice_is_one_job(services: Services) -> None:
    assert stage_one(services) == stage_one(services)


def test_a_job_runs_once_although_it_is_handed_over_three_times(services: Services) -> None:
    ran: list[str] = []
    job_id = stage_one(services)
    bindings = bind(lambda run, mail_id: ran.append(mail_id))
    assert [execute(services, bindings, job_id) for _ in range(3)] == ["done", "skipped", "skipped"]
    assert ran == ["one"]


def test_a_lost_worker_is_noticed_and_its_late_write_refused(services: Services) -> None:
    job_id = stage_one(services)
    with unit_of_work(services.engine, SYSTEM) as session:
        dead = jobs.claim(session, job_id)
    assert dead is not None
    zombie = Run(services, dead)
    with clock.frozen(clock.now() + jobs.LEASE + timedelta(seconds=1)):
        with unit_of_work(services.engine, SYSTEM) as session:
            assert jobs.requeue_lost(session) == [job_id]
        ran: list[int] = []
        assert execute(services, bind(lambda run, mail_id: ran.append(run.attempt)), job_id) == "done"
        assert ran == [2]
        with pytest.raises(LeaseLost), zombie.phase():
            pass
    assert row(services, job_id).state == "done"


def test_a_retry_waits_longer_each_time_and_gives_up_at_the_bound(services: Services) -> None:
    told: list[str] = []

    def never(run: Run, mail_id: str) -> None:
        raise Retry("not yet")

    def sorry(session: Session, run: Run, why: str, mail_id: str) -> None:
        told.append(why)

    job_id = stage_one(services)
    bindings = bind(never, max_attempts=3, on_failed=sorry)
    moment, waits = clock.now(), []
    for _ in range(3):
        with clock.frozen(moment):
            outcome = execute(services, bindings, job_id)
        waits.append((row(services, job_id).run_after - moment).total_seconds())
        moment = max(moment, row(services, job_id).run_after)
    assert outcome == "failed"
    assert waits[1] > waits[0] > 1
    assert told == ["not yet"]
    assert row(services, job_id).state == "failed"


def test_a_refusal_is_not_repeated(services: Services) -> None:
    def refuse(run: Run, mail_id: str) -> None:
        raise Conflict("too_late", "Too late.")

    job_id = stage_one(services)
    assert execute(services, bind(refuse), job_id) == "failed"
    assert row(services, job_id).error == "too_late: Too late."


def test_a_job_of_another_release_is_closed_with_a_reason_not_dropped(services: Services) -> None:
    job_id = stage_one(services)
    assert execute(services, {}, job_id) == "failed"
    assert row(services, job_id).error == "unknown job send_mail"


def test_emptied_queue_server_loses_no_job(services: Services) -> None:
    connection = connect(services.settings.redis_url)
    job_id = stage_one(services)
    assert relay_once(services.engine, connection) == 1
    connection.flushall()
    assert relay_once(services.engine, connection) == 0
    with clock.frozen(clock.now() + timedelta(seconds=30)):
        assert relay_once(services.engine, connection) == 1
        assert execute(services, bind(lambda run, mail_id: None), job_id) == "done"
    connection.close()


def test_nothing_but_the_job_id_goes_through_the_queue_server(services: Services) -> None:
    connection = connect(services.settings.redis_url)
    wake(connection, "job_secretless", JobName.SEND_MAIL, 0)
    stored: Any = connection.hgetall("rq:job:job_secretless-0")
    sent = json.loads(zlib.decompress(stored[b"data"]))
    assert sent == ["workers.queue.run_job", None, ["job_secretless"], {}]
    assert b"mail_id" not in b"".join(stored.values())
    connection.close()
