"""`Idempotency-Key`: one key, one effect, one answer."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from tests.kit.people import ApiClient, Make

KEY = {"Idempotency_Key": "order-7"}


def _designs(session: Session) -> int:
    return int(session.scalar(text("select count(*) from designs")) or 0)


def test_the_same_key_and_body_give_the_same_answer_and_one_effect(make: Make, session: Session) -> None:
    person = make.person("designer")
    first = person.api.post("/designs", {"title": "Ring"}, **KEY)
    again = person.api.post("/designs", {"title": "Ring"}, **KEY)
    assert first.status_code == again.status_code == 201
    assert again.json == first.json
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert _designs(session) == 1


def test_the_same_key_with_another_body_or_address_is_refused(make: Make, session: Session) -> None:
    person = make.person("designer")
    made = person.api.post("/designs", {"title": "Ring"}, **KEY)
    other = person.api.post("/designs", {"title": "Brooch"}, **KEY)
    assert other.status_code == 422
    assert other.json["code"] == "idempotency_key_reused"
    elsewhere = person.api.post(f"/designs/{made.json['id']}/unlist", {"title": "Ring"}, **KEY)
    assert elsewhere.status_code == 422
    assert _designs(session) == 1


def test_a_key_is_one_persons_own(make: Make, session: Session) -> None:
    one, two = make.person("designer"), make.person("designer")
    mine = one.api.post("/designs", {"title": "Ring"}, **KEY)
    theirs = two.api.post("/designs", {"title": "Ring"}, **KEY)
    assert mine.json["id"] != theirs.json["id"]
    assert "Idempotent-Replayed" not in theirs.headers
    assert _designs(session) == 2


def test_a_refused_request_leaves_the_key_free(make: Make, session: Session) -> None:
    person = make.person("designer")
    assert person.api.post("/designs", {"title": ""}, **KEY).status_code == 422
    assert person.api.post("/designs", {"title": "Ring"}, **KEY).status_code == 201
    assert _designs(session) == 1


def test_a_key_is_forgotten_after_a_day(make: Make, session: Session, services: Any) -> None:
    person = make.person("designer")
    first = person.api.post("/designs", {"title": "Ring"}, **KEY)
    with services.engine.begin() as connection:
        old = timedelta(hours=24, minutes=1)
        connection.execute(text("update idempotency_keys set created_at = created_at - :old"), {"old": old})
    second = person.api.post("/designs", {"title": "Ring"}, **KEY)
    assert second.status_code == 201
    assert second.json["id"] != first.json["id"]


def test_a_key_beyond_two_hundred_characters_is_refused(make: Make, session: Session) -> None:
    person = make.person("designer")
    assert person.api.post("/designs", {"title": "Ring"}, Idempotency_Key="k" * 201).status_code == 422
    assert _designs(session) == 0


def test_two_at_once_have_one_effect_and_both_get_the_answer(app: Flask, make: Make, session: Session) -> None:
    person = make.person("designer")
    token = person.api.headers["Authorization"][7:]

    def ask(_number: int) -> TestResponse:
        return ApiClient(app.test_client(), token).post("/designs", {"title": "Ring"}, **KEY)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(ask, range(6)))
    assert {a.status_code for a in answers} == {201}
    assert len({a.json["id"] for a in answers}) == 1
    assert sum("Idempotent-Replayed" in a.headers for a in answers) == 5
    assert _designs(session) == 1
