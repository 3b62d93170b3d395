"""The queue server away, and back empty: pages work, limits hold, nothing is lost, nothing is done twice.

The outage is shorter than a minute, to spare everybody's time, but longer than the connections' own retries (some
20 s): after those every process has met the error itself. `OUTAGE_S=65` makes it longer.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.app import create_app
from marketplace.config import Settings
from marketplace.db.jobs import JobRow
from marketplace.studio.models import AiCall, ContentDraft
from sandbox.services.keys import Keys
from sandbox.services.ports import Ports
from sandbox.services.process import wait_until_ready
from sandbox.services.valkey import Valkey
from tests.kit.crew import Crew, running_crew, wait_for
from tests.kit.instance import Instance
from tests.kit.people import Browser, Make

pytestmark = pytest.mark.slow
OUTAGE_S = float(os.environ.get("OUTAGE_S", "25"))


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Valkey]:
    """A queue server of our own, which forgets everything when it stops."""
    server = Valkey(tmp_path, Keys(tmp_path / "secrets.json"), Ports(), durable=False)
    server.start()
    wait_until_ready([server])
    yield server
    server.stop(grace=0)


@pytest.fixture
def env(db: Instance, queue: Valkey) -> dict[str, str]:
    """The test instance with that server."""
    return {**db.env, "REDIS_URL": queue.url}


@pytest.fixture
def product(env: dict[str, str]) -> Iterator[Flask]:
    """The web side of it."""
    made = create_app(Settings.from_env(env))
    yield made
    made.extensions["services"].engine.dispose()


@pytest.fixture
def crew(env: dict[str, str], tmp_path: Path) -> Iterator[Crew]:
    """A relay and a worker at it."""
    with running_crew(env, tmp_path / "crew.log") as found:
        found.start("relay")
        found.start("worker")
        yield found


def sign_up(visitor: Browser, name: str) -> str:
    """Sign up on the page; the address."""
    form = {
        "role": "designer",
        "name": name.title(),
        "email": f"{name}@example.com",
        "password": "a plum stone in amber",
        "business_name": f"Studio {name}",
        "address": "1 Test Street, Testville",
        "country": "SE",
        "adult": "true",
        "terms": "true",
    }
    answer = visitor.post("/join", form)
    assert answer.status_code == 303, answer.get_data(as_text=True)[:500]
    return form["email"]


def test_an_outage_of_the_queue_loses_and_repeats_nothing(
    db: Instance, product: Flask, queue: Valkey, crew: Crew, mails: Any
) -> None:
    make = Make(product, db.background)
    designer, visitor, client = make.person("designer"), make.visitor(), product.test_client()
    first = sign_up(visitor, "before")
    wait_for(lambda: len(mails(first)) == 1, "the mail before the outage")
    design = designer.api.post("/designs", {"title": "Onda", "category": "ring"}).json["id"]
    requests.post(f"{db.settings.gemini_base_url}/_sandbox/fail", json={"next": 1, "delay_ms": 3_000}, timeout=60)
    assert designer.api.post(f"/designs/{design}/content", {"kinds": ["story"]}).status_code == 202
    engine = db.background.engine

    def running() -> bool:
        with Session(engine) as session:
            return bool(
                session.scalar(select(func.count()).where(JobRow.name == "draft_story", JobRow.state == "running"))
            )

    wait_for(running, "the story being drafted")

    queue.stop()
    began = time.monotonic()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["checks"]["queue"]) == (503, "failed: ConnectionError")
    assert answer.json["checks"]["database"] == "ok"
    during = [sign_up(visitor, name) for name in ("during", "meanwhile")]
    wrong = {"email": designer.user.email, "password": "not the password"}
    tries = [visitor.post("/sign-in", wrong).status_code for _ in range(32)]
    assert tries[0] == 422
    assert tries[-1] == 429
    time.sleep(max(0.0, began + OUTAGE_S - time.monotonic()))
    assert [mails(address) for address in during] == [[], []]

    queue.start()
    wait_until_ready([queue])
    wait_for(lambda: client.get("/readyz").status_code == 200, "being ready again")

    def all_done() -> bool:
        with Session(engine) as session:
            return session.scalar(select(func.count()).where(JobRow.state != "done")) == 0

    wait_for(all_done, "every job after the outage")
    assert [len(mails(address)) for address in (first, *during)] == [1, 1, 1]
    with Session(engine) as session:
        assert session.scalar(select(func.count()).select_from(ContentDraft)) == 1
        assert session.scalars(select(AiCall.state)).all() == ["done"]
        assert set(session.scalars(select(JobRow.attempts))) == {1}
    for pid in crew.pids:
        os.kill(pid, 0)  # raises when the process has ended
