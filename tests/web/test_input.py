"""Odd input at every door: it is refused in words or ignored, never a failure of ours (WEB-07, -09, -13)."""

import base64
import json
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace import features
from marketplace.policy.permissions import GRANTS, Permission
from marketplace.web.section import ROUTES
from tests.kit.people import Make, Person

assert features.OPEN_ENDPOINTS
#: Pages without a question mark in their life.
_STILL = ("public.", "styleguide.")
LISTS = sorted(n for n, s in ROUTES.items() if s.methods == ("GET",) and "<" not in s.rule and not n.startswith(_STILL))
ONE_THING = sorted(n for n, s in ROUTES.items() if s.methods == ("GET",) and "<" in s.rule)


def _cursor(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


CURSORS = [
    "x",
    "%00",
    "é",
    "A" * 5000,
    _cursor(None),
    _cursor([]),
    _cursor([1, 2]),
    _cursor(["a", "b"]),
    _cursor([None, None]),
    _cursor([{"t": "2026-01-01T00:00:00+00:00"}, {"t": "never"}]),
    _cursor([{"t": "2026-01-01T00:00:00+00:00"}, 5]),
    _cursor([{"t": 5}, "x"]),
    _cursor([True, False]),
    _cursor([10**30]),
    _cursor([-(10**30), "a"]),
    _cursor(["1"]),
    _cursor([1.5]),
    _cursor([[], {}]),
    _cursor(["\x00", "\x00"]),
    _cursor([{"t": "0001-01-01T00:00:00"}, "x"]),
    _cursor(["'; drop table users; --", "x"]),
    base64.urlsafe_b64encode(b"[" * 3000).decode(),
    base64.urlsafe_b64encode(b"[NaN, Infinity]").decode(),
    base64.urlsafe_b64encode(b"\xff\xfe").decode(),
]
QUERIES: list[dict[str, Any]] = [
    {"limit": "-1"},
    {"limit": "0"},
    {"limit": "999999999999999999999"},
    {"limit": "x"},
    {"q": "\x00"},
    {"q": "a" * 5000},
    {"q": "%"},
    {"q": "' or 1=1 --"},
    {"q": "\\"},
    {"q": "& | ! ( ) :* <->"},
    {"q": "\ud7ff\U0010ffff"},
    {"sort": "id; drop table users"},
    {"state": "\x00"},
    {"show": "../../etc/passwd"},
    {"lang": "../../etc/passwd"},
    {"subject": "\x00"},
    {"subject": "a" * 500},
    {"design": "\x00"},
    {"role": "<script>"},
    {"email": "\x00\r\n"},
    {"token": "\x00"},
    {"category": "\x00"},
    {"weight_min": "nan"},
    {"weight_max": "1e400"},
    {"price_max": "-5"},
    {"price_max": "99999999999999999999999999"},
    {"currency": "\x00"},
    {"available_for": "zz"},
    {"q": ["a", "b"]},
]

ODD_IDS = ("%00", "a" * 3000, "%ff%fe", "%E2%80%AE", "'", "..", "%2e%2e%2f", "-1", "NaN", "dsn_%00x", "%F0%9F%92%8D")


def _asker(make: Make, name: str, known: dict[str, Person]) -> Person:
    needs = ROUTES[name].needs
    role = "designer" if needs is Permission.PUBLIC else sorted(GRANTS[needs].roles)[0]
    if role not in known:
        known[role] = make.person(role)
    return known[role]


def _ask(person: Person, name: str, query: dict[str, Any]) -> int:
    spec = ROUTES[name]
    client = person.api.client if spec.api else person.browser.client
    headers = person.api.headers if spec.api else {}
    answer = client.get(spec.rule, query_string=query, headers=headers)
    answer.close()
    return answer.status_code


@pytest.mark.parametrize("name", LISTS)
def test_no_cursor_or_filter_breaks_a_list(make: Make, name: str) -> None:
    known: dict[str, Person] = {}
    person = _asker(make, name, known)
    wrong = {}
    queries: list[dict[str, Any]] = [*({"cursor": cursor} for cursor in CURSORS), *QUERIES]
    for query in queries:
        status = _ask(person, name, query)
        if status not in {200, 303, 400, 404, 422}:
            wrong[str(query)[:80]] = status
    assert wrong == {}


@pytest.mark.parametrize("name", ONE_THING)
def test_no_id_breaks_a_page(make: Make, name: str) -> None:
    person = _asker(make, name, {})
    spec = ROUTES[name]
    client = person.api.client if spec.api else person.browser.client
    for odd in (
        "%00",
        "a" * 3000,
        "%ff%fe",
        "%E2%80%AE",
        "'",
        "..",
        "%2e%2e%2f",
        "-1",
        "NaN",
        "dsn_%00x",
        "%F0%9F%92%8D",
    ):
        path = spec.rule
        while "<" in path:
            path = path.partition("<")[0] + odd + path.partition(">")[2]
        answer = client.get(path, headers=person.api.headers if spec.api else {})
        assert answer.status_code in {400, 404, 308}, f"{path[:80]}: {answer.status_code}"
        answer.close()


BAD_JSON = {
    "nothing": b"",
    "not json": b"{",
    "html": b"<p>",
    "array": b"[]",
    "string": b'"x"',
    "null": b"null",
    "number": b"1",
    "two documents": b'{"title": "a"}{"title": "b"}',
    "trailing comma": b'{"title": "a",}',
    "comment": b'{"title": "a" /* b */}',
    "single quotes": b"{'title': 'a'}",
    "twice": b'{"title": "a", "title": "b"}',
    "twice inside": b'{"title": "a", "metadata": {"metals": [], "metals": ["18k_yellow"]}}',
    "NUL escaped": b'{"title": "a\\u0000b"}',
    "NUL": b'{"title": "a\x00b"}',
    "lone surrogate": b'{"title": "\\ud800"}',
    "not utf-8": b'{"title": "\xff"}',
    "array for text": b'{"title": ["a"]}',
    "object for text": b'{"title": {"a": 1}}',
    "number for text": b'{"title": 5}',
    "unknown field": b'{"title": "a", "state": "listed"}',
    "NaN": b'{"title": "a", "metadata": {"weight": NaN}}',
    "Infinity": b'{"title": "a", "metadata": {"weight": -Infinity}}',
    "huge number": b'{"title": "a", "list_price": {"amount": 1e400, "currency": "USD"}}',
    "deep": b'{"title": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
}


@pytest.mark.parametrize("kind", sorted(BAD_JSON))
def test_a_damaged_body_is_refused_in_words_and_makes_nothing(make: Make, session: Session, kind: str) -> None:
    person = make.person("designer")
    answer = person.api.client.post(
        "/api/v1/designs",
        data=BAD_JSON[kind],
        headers={**person.api.headers, "Content-Type": "application/json"},
    )
    assert answer.status_code == 422, answer.get_data(as_text=True)[:400]
    assert answer.mimetype == "application/problem+json"
    assert session.scalar(text("select count(*) from designs")) == 0


@pytest.mark.parametrize("value", [b"NaN", b"Infinity", b"1e999", b'"\\u0000"'])
def test_a_fact_takes_no_number_that_is_none(make: Make, session: Session, value: bytes) -> None:
    person = make.person("designer")
    design = person.api.post("/designs", {"title": "Ring"}).json["id"]
    body = b'{"value": ' + value + b', "unit": "g"}'
    headers = {**person.api.headers, "Content-Type": "application/json"}
    answer = person.api.client.patch(f"/api/v1/designs/{design}/facts/weight_18k_yellow", data=body, headers=headers)
    assert answer.status_code == 422, answer.get_data(as_text=True)[:300]
    assert session.scalar(text("select count(*) from facts")) == 0


def test_extra_fields_of_a_form_change_nothing(make: Make, session: Session) -> None:
    person = make.person("buyer")
    extra = {"name": "New Name", "locale": "en", "role": "operator", "org_id": "org_x", "is_admin": "1", "state": "x"}
    extra |= {"email": "thief@example.com", "password_hash": "x", "suspended_at": "", "id": "usr_x", "__class__": "x"}
    assert person.browser.post("/settings", extra).status_code == 303
    row = session.execute(text("select * from users where id = :id"), {"id": person.user.id}).mappings().one()
    assert row["name"] == "New Name"
    assert row["email"] == person.user.email
    member = session.execute(text("select role, org_id from memberships where user_id = :id"), {"id": person.user.id})
    assert member.one() == ("buyer", person.org.id)


def test_the_first_of_a_repeated_form_field_counts(make: Make, session: Session) -> None:
    person = make.person("buyer")
    answer = person.browser.post("/settings", {"name": ["First", "Second"], "locale": ["en", "xx"]})
    assert answer.status_code == 303
    assert session.scalar(text("select name from users where id = :id"), {"id": person.user.id}) == "First"


@pytest.mark.parametrize("bad", ["\x00", "a\x00b"])
def test_no_form_takes_a_nul(make: Make, bad: str) -> None:
    person = make.person("designer")
    for path, form in (
        ("/settings", {"name": bad, "locale": "en"}),
        ("/settings/invitations", {"email": f"{bad}@example.com"}),
        ("/designs", {"title": bad}),
        ("/preferences/organization", {"organization": bad}),
        ("/preferences/language", {"language": bad, "next": bad}),
        ("/sign-in", {"email": bad, "password": bad}),
        ("/designs", {"title": "x", "metals": [bad], "stones": bad}),
    ):
        answer = person.browser.post(path, form)
        assert answer.status_code in {303, 404, 422}, path
        assert answer.status_code != 303 or path == "/preferences/language"
