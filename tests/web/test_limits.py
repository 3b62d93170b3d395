"""Rate limits: counted over spellings and doors, and still there without the queue server (RATE-01, RATE-03)."""

import itertools
from typing import Any

import pytest
from argon2.exceptions import VerifyMismatchError
from flask import Flask

from marketplace.accounts import passwords
from marketplace.web import limits
from tests.kit.people import PASSWORD, ApiClient, Browser, Make
from tests.web.conftest import AppWith

_TRIES = 30
_numbers = itertools.count(1)


def _guess(app: Flask, email: str, times: int, **headers: str) -> list[int]:
    browser = Browser(app.test_client())
    form = {"email": email, "password": "wrong wrong wrong"}
    return [browser.post("/sign-in", form, headers=headers).status_code for _ in range(times)]


@pytest.mark.parametrize("redis_url", [None, "redis://127.0.0.1:1/0"], ids=["with queue server", "without it"])
def test_guesses_at_one_account_are_limited(app_with: AppWith, make: Make, redis_url: str | None) -> None:
    app = app_with(**({"redis_url": redis_url} if redis_url else {}))
    email = f"victim{next(_numbers)}@example.com"
    answers = _guess(app, email, _TRIES + 3)
    assert answers[:_TRIES] == [422] * _TRIES
    assert answers[_TRIES:] == [429] * 3
    browser = Browser(app.test_client())
    refused = browser.post("/sign-in", {"email": email, "password": PASSWORD})
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0


def test_other_spellings_headers_and_the_api_share_one_count(app: Flask, make: Make) -> None:
    name = f"victim{next(_numbers)}"
    seen: list[int] = []
    for number in range(_TRIES):
        spelled = (f"{name}@example.com", f"{name.upper()}@EXAMPLE.com", f"  {name}@example.com ")[number % 3]
        if number % 2:
            forged = {"X-Forwarded-For": f"10.0.0.{number}", "X-Real-IP": f"10.0.0.{number}"}
            seen += _guess(app, spelled, 1, **forged)
        else:
            body = {"email": spelled, "password": "wrong wrong wrong"}
            seen.append(ApiClient(app.test_client(), None).post("/tokens", body).status_code)
    assert set(seen) == {401, 422}
    assert _guess(app, f"{name}@example.com", 1) == [429]
    called = ApiClient(app.test_client(), None).post("/tokens", {"email": f"{name}@example.com", "password": "x"})
    assert called.status_code == 429
    assert called.json["code"] == "rate_limited"


def test_one_account_at_its_limit_leaves_the_others_alone(app: Flask, make: Make) -> None:
    person = make.person("designer")
    _guess(app, f"victim{next(_numbers)}@example.com", _TRIES + 1)
    called = ApiClient(app.test_client(), None).post("/tokens", {"email": person.user.email, "password": PASSWORD})
    assert called.status_code == 201


def test_reset_mails_to_one_address_are_limited_and_the_answer_tells_nothing(
    make: Make, run_jobs: Any, mails: Any
) -> None:
    person = make.person("designer")
    visitor = make.visitor()
    for email in (person.user.email, "unknown@example.com"):
        answers = [visitor.post("/reset", {"email": email}).status_code for _ in range(7)]
        assert answers == [303] * 5 + [429] * 2
    run_jobs()
    assert len(mails(person.user.email)) == 5
    assert mails("unknown@example.com") == []


def test_changes_of_one_person_are_limited(app: Flask, make: Make) -> None:
    person, other = make.person("designer"), make.person("designer")
    person.browser.get("/settings")
    counter = limits._shared(app.extensions["services"].settings.redis_url)
    counter.hit(limits._item(limits._WRITES), "write", person.user.id, cost=230)
    answers = [person.browser.post("/notifications/read").status_code for _ in range(12)]
    assert answers == [303] * 10 + [429] * 2
    assert person.browser.get("/settings").status_code == 200
    assert other.browser.post("/notifications/read").status_code == 303


def test_an_unknown_account_costs_the_same_hash_as_a_known_one() -> None:
    with pytest.raises(VerifyMismatchError):  # a malformed stand-in would be refused at once, and tell
        passwords._hasher.verify(passwords._NOBODY, "any password at all")
    known = passwords.hash_password("any password at all")
    assert known.rpartition("$")[0].rpartition("$")[0] == passwords._NOBODY.rpartition("$")[0].rpartition("$")[0]
