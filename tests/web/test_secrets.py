"""No password, token or link of a person stays in a log, a job, a queue or the table of mails (LOG-01, LOG-02)."""

import io
import json
import logging
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.db.base import Base
from marketplace.web.logs import JsonFormatter
from tests.kit.instance import Instance
from tests.kit.people import ApiClient, Make

_FIRST, _SECOND, _WRONG = "canary otter lantern 41", "canary heron bridge 42", "canary wrong guess 43"


@pytest.fixture
def captured_log() -> Iterator[io.StringIO]:
    """Everything that any logger says, down to DEBUG, as the product writes it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    logging.getLogger("marketplace").setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(before)
    logging.getLogger("marketplace").setLevel(logging.NOTSET)


def _path(url: str) -> str:
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _rows(session: Session) -> str:
    """Every row of every table as text."""
    found: list[str] = []
    for table in Base.metadata.sorted_tables:
        found += session.scalars(text(f"select t::text from {table.name} t"))
    return "\n".join(found)


def test_no_secret_of_an_account_is_kept_or_logged(
    app: Flask,
    make: Make,
    session: Session,
    instance: Instance,
    run_jobs: Any,
    mails: Any,
    captured_log: io.StringIO,
) -> None:
    secrets = [_FIRST, _SECOND, _WRONG]
    email, visitor = "canary.person@example.com", make.visitor()
    joining = {
        "role": "designer",
        "name": "Canary Person",
        "email": email,
        "password": _FIRST,
        "business_name": "House",
        "address": "1 High Street, London",
        "country": "GB",
        "adult": "true",
        "terms": "true",
    }
    assert visitor.post("/join", joining).status_code == 303
    run_jobs()
    confirm = next(u for m in mails(email) for u in m["links"] if "/confirm/" in u)
    secrets.append(confirm.rpartition("/")[2])
    visitor.get(_path(confirm))
    assert visitor.post(_path(confirm)).status_code == 303
    assert visitor.post("/sign-in", {"email": email, "password": _WRONG}).status_code == 422
    assert visitor.post("/sign-in", {"email": email, "password": _FIRST}).status_code == 303
    cookie = visitor.client.get_cookie("touchstone_session")
    assert cookie is not None
    secrets.append(cookie.value)
    visitor.get("/settings")
    secrets.append(visitor.csrf)
    api = ApiClient(app.test_client(), None)
    token = str(api.post("/tokens", {"email": email, "password": _FIRST}).json["token"])
    secrets.append(token)
    ApiClient(app.test_client(), token).get("/me")
    assert visitor.post("/reset", {"email": email}).status_code == 303
    assert visitor.post("/settings/invitations", {"email": "colleague@example.com"}).status_code == 303
    run_jobs()
    reset = next(u for m in mails(email) for u in m["links"] if "/reset/" in u)
    invited = next(u for m in mails("colleague@example.com") for u in m["links"] if "/invitation" in u)
    tokens = [parse_qs(urlsplit(url).query)["token"][0] for url in (reset, invited)]
    secrets += tokens
    reader = make.visitor()
    reader.get(_path(reset))
    assert reader.post("/reset/new", {"token": tokens[0], "password": _SECOND}).status_code == 303
    assert reader.post("/sign-in", {"email": email, "password": _SECOND}).status_code == 303
    reader.get(_path(invited))
    assert reader.post("/invitation", {"token": tokens[1], "password": _SECOND, "name": "C"}).status_code == 303

    logged = captured_log.getvalue()
    lines = [json.loads(line) for line in logged.splitlines()]
    assert sum(line["event"] == "request" for line in lines) > 15
    assert all(re.fullmatch(r"[0-9a-f]{16}", line["request_id"]) for line in lines if line["event"] == "request")
    kept = _rows(session)
    queued = " ".join(str(instance.background.redis.dump(key)) for key in instance.background.redis.keys("*"))
    assert email in kept
    for secret in secrets:
        assert secret not in logged
        assert secret not in kept
        assert secret not in queued
    assert email not in logged
    settings = instance.settings
    signing = (settings.secret_key, settings.stripe_webhook_secret, settings.inbound_mail_key)
    for secret in (*signing, settings.s3_secret_access_key):
        assert secret not in logged
        assert secret not in kept


def test_a_failure_logs_its_trace_under_the_request_id_without_the_form(
    failing: Flask, captured_log: io.StringIO
) -> None:
    form = {"password": "canary otter lantern 41", "card": "4242424242424242"}
    answer = failing.test_client().post("/fails/500?token=canary-token", data=form)
    lines = [json.loads(line) for line in captured_log.getvalue().splitlines()]
    [line] = [one for one in lines if one["level"] == "error"]
    assert line["request_id"] == answer.headers["X-Request-Id"]
    assert "RuntimeError" in line["trace"]
    logged = captured_log.getvalue()
    for secret in ("canary otter", "4242424242424242", "canary-token"):
        assert secret not in logged


@pytest.mark.parametrize(
    "said",
    [
        "Bearer tst_abcdefgh",
        "sk_test_51abcdef",
        "whsec_abcdef",
        "postgresql://app:hunter2@db/x",
        "https://s3/x?X-Amz-Signature=abc123",
        "password=hunter2",
    ],
)
def test_what_looks_like_a_secret_is_blotted_out(said: str) -> None:
    record = logging.LogRecord("x", logging.INFO, "x", 1, "told %s", (said,), None)
    record.detail = {"nested": said}
    line = JsonFormatter().format(record)
    assert "[secret]" in line
    for secret in ("tst_abcdefgh", "51abcdef", "whsec_abcdef", "hunter2", "abc123"):
        assert secret not in line


def test_a_log_line_is_one_line_whatever_is_in_it(captured_log: io.StringIO) -> None:
    logging.getLogger("x").warning("a\nb\r\x1b[31mc\u2028d\u202ee")
    told = captured_log.getvalue()
    assert told.count("\n") == 1
    assert told.isascii()
    assert "\x1b" not in told
