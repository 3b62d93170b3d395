"""Where a redirect or an absolute address may lead (WEB-05, WEB-06)."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.kit.people import PASSWORD, Make
from tests.web.conftest import AppWith

#: Spellings that some browser takes for another site, or that break out of the header.
ELSEWHERE = [
    "https://evil.example/",
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "\\\\evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "http:evil.example",
    "http:/evil.example",
    "https:evil.example",
    "HTTPS://evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "evil.example",
    "@evil.example",
    ".evil.example",
    "..//evil.example",
    "/ok\r\nSet-Cookie: a=b",
    "/ok\x00//evil.example",
    "/\u2028/evil.example",
    "http://localhost:8000@evil.example/",
    "http://localhost:8000/",
    "",
    "?next=//evil.example",
    "#//evil.example",
]


@pytest.mark.parametrize("target", ELSEWHERE)
def test_signing_in_never_leads_away(make: Make, target: str) -> None:
    person = make.person("designer")
    visitor = make.visitor()
    page = visitor.get("/sign-in", query_string={"next": target})
    assert page.status_code in {200, 422}
    answer = visitor.post("/sign-in", {"email": person.user.email, "password": PASSWORD, "next": target})
    if answer.status_code == 422:  # a character that cannot be stored
        assert "\x00" in target
        return
    assert answer.status_code == 303
    assert answer.location == "/home"
    assert "Set-Cookie: a" not in str(answer.headers)


@pytest.mark.parametrize("target", ELSEWHERE)
def test_choosing_a_language_never_leads_away(make: Make, target: str) -> None:
    answer = make.visitor().post("/preferences/language", {"language": "en", "next": target})
    if "\x00" in target:
        assert answer.status_code == 422
        return
    assert answer.status_code == 303
    assert answer.location == "/"


def test_a_page_of_ours_is_where_one_goes_on(make: Make) -> None:
    person = make.person("designer")
    visitor = make.visitor()
    away = visitor.get("/designs?state=draft")
    assert away.location == "/sign-in?next=/designs?state%3Ddraft"
    visitor.get(away.location)
    form = {"email": person.user.email, "password": PASSWORD, "next": "/designs?state=draft"}
    assert visitor.post("/sign-in", form).location == "/designs?state=draft"


def test_the_page_a_visitor_wanted_is_quoted_into_the_link(make: Make) -> None:
    answer = make.visitor().get("/designs?x=%0d%0aSet-Cookie:%20a=b&y=%22%3E%3Cscript%3E")
    assert answer.status_code == 303
    assert "\r" not in answer.location
    assert "<" not in answer.location
    page = make.visitor().get(answer.location).get_data(as_text=True)
    assert '"><script>' not in page


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "evil.example:8000", "127.0.0.1.evil.example"]
)
def test_a_forged_host_gets_nothing(app_with: AppWith, db: Any, host: str) -> None:
    client = app_with().test_client()
    for path in ("/", "/sign-in", "/home", "/api/v1/me"):
        answer = client.get(path, headers={"Host": host})
        assert answer.status_code == 400
        assert "evil" not in answer.get_data(as_text=True)
        assert "evil" not in str(answer.headers)


def test_forwarded_headers_of_strangers_change_nothing(make: Make, session: Session, run_jobs: Any, mails: Any) -> None:
    person = make.person("designer")
    visitor = make.visitor()
    forged = {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-For": "6.6.6.6",
        "Forwarded": "for=6.6.6.6;host=evil.example;proto=https",
        "X-Original-Host": "evil.example",
    }
    page = visitor.get("/sign-in", headers=forged)
    assert "evil.example" not in page.get_data(as_text=True)
    assert visitor.post("/reset", {"email": person.user.email}, headers=forged).status_code == 303
    run_jobs()
    [mail] = mails(person.user.email)
    assert "evil.example" not in str(mail)
    assert all(url.startswith("http://localhost:8000/") for url in mail["links"])
    visitor.post("/sign-in", {"email": person.user.email, "password": PASSWORD}, headers=forged)
    kept = session.scalars(text("select ip from sessions where user_id = :id"), {"id": person.user.id})
    assert "6.6.6.6" not in set(kept)
