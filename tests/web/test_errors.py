"""Every refusal and failure: the right status, the right shape, and nothing of our insides (WEB-15, LOG-02)."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from tests.kit.instance import Instance
from tests.kit.people import ApiClient, Make
from tests.web.conftest import CANARY, FAILURES, AppWith

_INSIDES = (CANARY, "Traceback", 'File "', "RuntimeError", "sqlalchemy", "psycopg", "werkzeug", "SELECT ", "/srv/")
_ACCEPT = {"page": {}, "htmx": {"HX-Request": "true"}}


def _assert_no_insides(told: str) -> None:
    assert [word for word in _INSIDES if word in told] == []


@pytest.mark.parametrize("status", sorted(FAILURES))
@pytest.mark.parametrize("kind", ["page", "htmx"])
def test_an_error_on_a_page_is_a_page_or_a_fragment(failing: Flask, status: int, kind: str) -> None:
    answer = failing.test_client().post(f"/fails/{status}", headers=_ACCEPT[kind])
    told = answer.get_data(as_text=True)
    assert answer.status_code == status
    assert answer.mimetype == "text/html"
    assert ("<!doctype html>" in told.lower()) == (kind == "page")
    assert answer.headers["X-Request-Id"] in told
    _assert_no_insides(told)


@pytest.mark.parametrize("status", sorted(FAILURES))
def test_an_error_of_the_api_is_a_problem_document(failing: Flask, status: int) -> None:
    for path, headers in ((f"/api/v1/fails/{status}", {}), (f"/fails/{status}", {"Accept": "application/json"})):
        answer = failing.test_client().post(path, headers=headers)
        assert answer.status_code == status
        assert answer.mimetype == "application/problem+json"
        document = answer.get_json()
        assert {"type", "title", "status", "detail", "code", "request_id"} <= set(document)
        assert document["status"] == status
        assert re.fullmatch(r"[a-z_]+", document["code"])
        assert document["request_id"] == answer.headers["X-Request-Id"]
        _assert_no_insides(answer.get_data(as_text=True))
    assert ("errors" in document) == (status == 422)


def test_too_many_and_unauthenticated_say_what_to_do(failing: Flask) -> None:
    client = failing.test_client()
    assert client.post("/fails/429").headers["Retry-After"] == "30"
    assert client.post("/api/v1/fails/429").headers["Retry-After"] == "30"
    assert client.post("/api/v1/fails/401").headers["WWW-Authenticate"] == "Bearer"
    seen = client.get("/fails/401?x=1")
    assert seen.status_code == 303
    assert seen.location == "/sign-in?next=/fails/401?x%3D1"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing-here", 404),
        ("GET", "/api/v1/nothing-here", 404),
        ("POST", "/terms", 405),
        ("DELETE", "/api/v1/me", 405),
        ("GET", "/confirm/not-a-token", 400),
        ("GET", "/api/v1/me", 401),
        ("GET", "/.git/config", 404),
        ("GET", "/.env", 404),
        ("GET", "/static/../config.py", 404),
        ("GET", "/static/built/app.js.map", 404),
        ("GET", "/static/", 404),
    ],
)
def test_real_addresses_answer_with_the_right_error(
    app_with: AppWith, db: Instance, method: str, path: str, status: int
) -> None:
    answer = app_with().test_client().open(path, method=method)
    assert answer.status_code == status
    wanted = "application/problem+json" if path.startswith("/api/") else "text/html"
    assert answer.mimetype == wanted
    _assert_no_insides(answer.get_data(as_text=True))


@pytest.mark.parametrize("path", ["/sign-in", "/api/v1/tokens"])
def test_a_body_beyond_two_megabytes_is_too_large(app_with: AppWith, db: Instance, path: str) -> None:
    client = app_with().test_client()
    answer = client.post(path, data=b"x" * (2 * 1024 * 1024 + 1), content_type="application/json")
    assert answer.status_code == 413
    _assert_no_insides(answer.get_data(as_text=True))


def test_a_form_of_too_many_parts_is_refused(app_with: AppWith, db: Instance) -> None:
    part = '--x\r\nContent-Disposition: form-data; name="f"\r\n\r\n1\r\n'
    body = (part * 1001 + "--x--\r\n").encode()
    answer = app_with().test_client().post("/sign-in", data=body, content_type="multipart/form-data; boundary=x")
    assert answer.status_code == 413


def test_without_the_database_pages_say_so_and_public_ones_still_work(app_with: AppWith, make: Make) -> None:
    person = make.person("designer")
    app = app_with(database_web_url="postgresql+psycopg://nobody:nothing@127.0.0.1:1/none")
    client = app.test_client()
    assert client.get("/terms").status_code == 200
    assert client.get("/").status_code == 200
    cookie = person.browser.client.get_cookie("touchstone_session")
    assert cookie is not None
    client.set_cookie("touchstone_session", cookie.value, domain="localhost")
    seen = client.get("/designs")
    assert seen.status_code == 503
    _assert_no_insides(seen.get_data(as_text=True))
    called = ApiClient(app.test_client(), "tst_anything").get("/me")
    assert called.status_code == 503
    assert called.mimetype == "application/problem+json"
    _assert_no_insides(called.get_data(as_text=True))


def test_a_row_that_somebody_else_holds_is_busy_and_tells_no_sql(
    app_with: AppWith, make: Make, instance: Instance
) -> None:
    person = make.person("designer")
    design = person.api.post("/designs", {"title": "Held"}).json["id"]
    app = app_with()
    client = ApiClient(app.test_client(), person.api.headers["Authorization"][7:])
    with instance.owner.connect() as holder, holder.begin():
        holder.execute(text("select id from designs where id = :id for update"), {"id": design})
        answer = client.patch(f"/designs/{design}", {"title": "Changed"})
    assert answer.status_code == 503
    assert answer.get_json()["code"] == "busy"
    _assert_no_insides(answer.get_data(as_text=True))


def test_head_answers_like_get_without_a_body(app_with: AppWith, db: Instance) -> None:
    client: FlaskClient = app_with().test_client()
    for path in ("/", "/terms", "/nothing", "/designs"):
        seen, asked = client.get(path), client.head(path)
        assert asked.status_code == seen.status_code
        assert asked.get_data() == b""
