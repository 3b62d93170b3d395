"""Fixtures of every test: one instance of real services a run, an emptied database a test."""

import hashlib
import hmac
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask
from hypothesis import HealthCheck, settings
from sqlalchemy import event
from sqlalchemy.orm import Session
from xdist.scheduler import LoadFileScheduling

from marketplace.app import create_app
from marketplace.db import jobs
from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel.actor import system
from marketplace.services import Services
from tests.kit.instance import Instance, be_patient, running_instance, stripe_events
from tests.kit.people import ApiClient, Make
from tests.kit.world import World, running_world
from workers.registry import BINDINGS
from workers.run import execute

ROOT = Path(__file__).parents[1]
# The same examples on every machine, however slow; the whole proofs look for new ones.
settings.register_profile(
    "ours", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("ours")


class JourneysTogether(LoadFileScheduling):
    """A test process gets a file at a time, but all journeys: they share a live product that takes a minute to fill."""

    def _split_scope(self, nodeid: str) -> str:
        return "tests/journeys" if nodeid.startswith("tests/journeys/") else str(super()._split_scope(nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> JourneysTogether:
    """How tests are dealt out to several processes."""
    config.option.loadscopereorder = False
    return JourneysTogether(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with what takes longest; leave the whole proofs out unless they are asked for by name."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: (item.path.parent != ROOT / "tests" / "journeys", item.path not in slow))
    if "full" in (config.getoption("-m") or ""):
        return
    skip = pytest.mark.skip(reason="the whole proof: run with -m full")
    for item in items:
        if item.get_closest_marker("full"):
            item.add_marker(skip)


@pytest.fixture(scope="session")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """All services, migrated and empty."""
    with running_instance(tmp_path_factory.mktemp("services")) as found:
        os.environ.update(found.env)
        yield found


@pytest.fixture(scope="session")
def world(instance: Instance, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Two finished trades beside each other, on a database that the other tests do not empty."""
    with running_world(instance, tmp_path_factory.mktemp("world")) as made:
        yield made


@pytest.fixture(scope="session")
def app(instance: Instance) -> Iterator[Flask]:
    """The application as the web role sees it."""
    made = create_app(instance.settings)
    made.config["PROPAGATE_ERRORS"] = True
    be_patient(made.extensions["services"].engine)
    yield made
    made.extensions["services"].engine.dispose()


@pytest.fixture
def db(instance: Instance) -> Instance:
    """An empty database, queue, inbox and payments stand-in."""
    instance.empty()
    return instance


@pytest.fixture
def services(db: Instance) -> Services:
    """The gateways as a background process has them (no row security)."""
    return db.background


@pytest.fixture
def session(services: Services) -> Iterator[Session]:
    """A transaction as the system, rolled back at the end; for reading what happened use a fresh one."""
    work = Session(services.engine, expire_on_commit=False)
    yield work
    work.rollback()
    work.close()


@pytest.fixture
def make(app: Flask, services: Services) -> Make:
    """Factories of people and organizations."""
    return Make(app, services)


@pytest.fixture
def anonymous(app: Flask, db: Instance) -> ApiClient:
    """An API caller without a token."""
    return ApiClient(app.test_client(), None)


@pytest.fixture
def run_jobs(services: Services) -> Callable[..., dict[str, str]]:
    """Run every due job in this process until none is left; returns what became of each job by id."""

    def run(limit: int = 200) -> dict[str, str]:
        done: dict[str, str] = {}
        for _ in range(limit):
            with unit_of_work(services.engine, system("test")) as session:
                found = jobs.due(session, limit=50, resend_after=jobs.LEASE * 0)
            if all(done.get(job_id) == "again" for job_id, _name, _attempt in found):
                return done
            for job_id, _name, _attempt in found:
                if done.get(job_id) != "again":  # a slow machine reaches the time it was put back to
                    done[job_id] = execute(services, BINDINGS, job_id)
        raise AssertionError("jobs keep coming")

    return run


@pytest.fixture
def mails(instance: Instance) -> Callable[..., list[dict[str, Any]]]:
    """Mails that reached the inbox, newest last; optionally only those to one address."""

    def read(to: str | None = None) -> list[dict[str, Any]]:
        params = {"to": to} if to else {}
        found = requests.get(instance.mail_url + "/_sandbox/mails", params=params, timeout=60).json()["mails"]
        return sorted(found, key=lambda m: str(m["received_at"]))

    return read


@pytest.fixture
def deliver_events(app: Flask, instance: Instance) -> Callable[..., list[int]]:
    """Post every event the payments stand-in has made (or only `types`) to our webhook, signed as it signs."""

    def deliver(*types: str) -> list[int]:
        client = app.test_client()
        answers = []
        for item in stripe_events(instance):
            if types and item["type"] not in types:
                continue
            body = json.dumps({k: v for k, v in item.items() if k != "delivery"})
            at = int(time.time())
            key = instance.settings.stripe_webhook_secret.encode()
            signature = hmac.new(key, f"{at}.{body}".encode(), hashlib.sha256).hexdigest()
            header = {"Stripe-Signature": f"t={at},v1={signature}", "Content-Type": "application/json"}
            answers.append(client.post("/webhooks/stripe", data=body, headers=header).status_code)
        return answers

    return deliver


@pytest.fixture
def sandbox_control(instance: Instance) -> Callable[..., Any]:
    """Call the payments stand-in's control API: `sandbox_control("POST", "/checkout/cs_1/pay")`."""

    def control(method: str, path: str, /, **body: Any) -> Any:
        url = f"{instance.settings.stripe_api_base}/_sandbox{path}"
        answer = requests.request(method, url, json=body or None, timeout=60)
        answer.raise_for_status()
        return answer.json()

    return control


@pytest.fixture
def count_statements(app: Flask) -> Iterator[Callable[[], int]]:
    """The number of SQL statements the web role has sent since the fixture or the last call."""
    engine = app.extensions["services"].engine
    seen: list[str] = []

    def note(_c: Any, _cur: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)

    def taken() -> int:
        number = len(seen)
        seen.clear()
        return number

    yield taken
    event.remove(engine, "before_cursor_execute", note)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real input; skips when this checkout does not have it."""
    for candidate in (os.environ.get("TOUCHSTONE_DATA"), ROOT.parent / "shared" / "data"):
        if candidate and Path(candidate).is_dir():
            return Path(candidate)
    pytest.skip("real input is not here; set TOUCHSTONE_DATA to its folder")
