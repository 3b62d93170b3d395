"""`/healthz` says the process lives, `/readyz` names what is missing."""

import pytest

from tests.kit.instance import Instance
from tests.web.conftest import AppWith

NOWHERE = {
    "queue": {"redis_url": "redis://127.0.0.1:1/0"},
    "database": {"database_web_url": "postgresql+psycopg://nobody:nothing@127.0.0.1:1/none"},
    "storage": {"s3_endpoint_url": "http://127.0.0.1:1"},
}


def test_everything_there_is_ready(app_with: AppWith, db: Instance) -> None:
    answer = app_with().test_client().get("/readyz")
    assert answer.status_code == 200
    assert answer.json == {
        "status": "ready",
        "checks": {"database": "ok", "migrations": "ok", "queue": "ok", "storage": "ok"},
    }


@pytest.mark.parametrize("missing", sorted(NOWHERE))
def test_what_is_away_is_named_and_the_process_still_lives(app_with: AppWith, db: Instance, missing: str) -> None:
    client = app_with(**NOWHERE[missing]).test_client()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    failed = {name for name, state in answer.json["checks"].items() if state != "ok"}
    assert failed == ({"database", "migrations"} if missing == "database" else {missing})
    told = answer.get_data(as_text=True)
    for inside in ("127.0.0.1", "nobody", "nothing", "Traceback"):
        assert inside not in told
    assert client.get("/healthz").json == {"status": "ok"}


def test_pages_answer_without_the_queue_server(app_with: AppWith, db: Instance) -> None:
    client = app_with(**NOWHERE["queue"]).test_client()
    for path in ("/", "/terms", "/sign-in", "/join"):
        assert client.get(path).status_code == 200
