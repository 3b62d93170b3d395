"""Security headers on every kind of answer (WEB-02, -04, -08), and cookies (WEB-17)."""

import re

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.kit.instance import Instance
from tests.kit.people import Make
from tests.web.conftest import AppWith

#: method, address, headers: one of every kind of answer the site gives.
KINDS = {
    "page": ("GET", "/terms", {}),
    "landing": ("GET", "/", {}),
    "form": ("GET", "/join", {}),
    "redirect to sign in": ("GET", "/home", {}),
    "not found": ("GET", "/nothing", {}),
    "not found fragment": ("GET", "/nothing", {"HX-Request": "true"}),
    "refused form": ("POST", "/sign-in", {}),
    "wrong method": ("POST", "/terms", {}),
    "api refusal": ("GET", "/api/v1/me", {}),
    "api document": ("GET", "/api/v1/openapi.json", {}),
    "health": ("GET", "/healthz", {}),
    "ready": ("GET", "/readyz", {}),
    "webhook": ("POST", "/webhooks/stripe", {}),
    "error": ("POST", "/fails/500", {}),
    "error fragment": ("POST", "/fails/500", {"HX-Request": "true"}),
    "busy": ("GET", "/fails/503", {}),
    "foreign host": ("GET", "/", {"Host": "evil.example"}),
    "options": ("OPTIONS", "/terms", {}),
}


@pytest.fixture
def answers(failing: Flask, db: Instance) -> dict[str, TestResponse]:
    """One answer of each kind."""
    client = failing.test_client()
    return {name: client.open(path, method=how, headers=sent) for name, (how, path, sent) in KINDS.items()}


def _policy(answer: TestResponse) -> dict[str, list[str]]:
    parts = [part.split() for part in answer.headers["Content-Security-Policy"].split(";")]
    return {words[0]: words[1:] for words in parts if words}


def test_every_answer_carries_a_strict_policy_with_a_fresh_nonce(answers: dict[str, TestResponse]) -> None:
    nonces = []
    for name, answer in answers.items():
        policy = _policy(answer)
        text = answer.headers["Content-Security-Policy"]
        assert policy["default-src"] == ["'none'"], name
        for directive in ("base-uri", "object-src", "frame-ancestors"):
            assert policy[directive] == ["'none'"], name
        assert "unsafe" not in text
        assert "*" not in text
        assert "{" not in text
        [nonce, dynamic] = policy["script-src"]
        assert dynamic == "'strict-dynamic'"
        nonces.append(re.fullmatch(r"'nonce-([\w-]{22})'", nonce).group(1))
        assert policy["style-src"] == ["'self'"]
        assert "'self'" in policy["form-action"]
    assert len(set(nonces)) == len(nonces)


def test_uploads_and_pictures_may_go_to_the_object_store_and_nowhere_else(
    answers: dict[str, TestResponse], instance: Instance
) -> None:
    policy = _policy(answers["page"])
    store = instance.settings.s3_endpoint_url
    assert policy["connect-src"] == ["'self'", store]
    assert policy["img-src"] == ["'self'", "data:", "blob:", store]
    assert store in policy["form-action"]


def test_every_answer_forbids_sniffing_framing_and_telling_where_from(answers: dict[str, TestResponse]) -> None:
    for name, answer in answers.items():
        sent = answer.headers
        assert sent["X-Content-Type-Options"] == "nosniff", name
        assert sent["Referrer-Policy"] in {"same-origin", "no-referrer"}, name
        assert sent["Cross-Origin-Opener-Policy"] == "same-origin", name
        assert sent["Cross-Origin-Resource-Policy"] == "same-origin", name
        assert "geolocation=()" in sent["Permissions-Policy"], name
        assert sent["Cache-Control"] == "no-store", name
        assert re.fullmatch(r"[0-9a-f]{16}", sent["X-Request-Id"]), name
        assert "Access-Control-Allow-Origin" not in sent, name


def test_every_script_of_a_page_has_the_nonce_of_its_own_answer(answers: dict[str, TestResponse]) -> None:
    scripts = 0
    for name, answer in answers.items():
        if answer.mimetype != "text/html":
            continue
        nonce = _policy(answer)["script-src"][0].removeprefix("'nonce-").removesuffix("'")
        told = answer.get_data(as_text=True)
        for tag in re.findall(r"<script\b[^>]*>", told):
            scripts += 1
            assert f'nonce="{nonce}"' in tag, name
        assert re.search(r"\son\w+\s*=", told) is None, name
        assert "javascript:" not in told, name
        assert re.search(r"<style\b|\sstyle=", told) is None, name
    assert scripts > 3


def test_static_files_are_kept_for_a_year_and_the_rest_is_not_kept(app_with: AppWith, db: Instance) -> None:
    client = app_with().test_client()
    page = client.get("/").get_data(as_text=True)
    files = re.findall(r'"(/static/built/[\w.-]+\.(?:css|js|svg))"', page)
    assert files
    for path in set(files):
        answer = client.get(path)
        assert answer.status_code == 200
        assert "max-age=31536000" in answer.headers["Cache-Control"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        answer.close()


def test_pages_differ_by_cookie_and_language_for_caches(answers: dict[str, TestResponse]) -> None:
    for name in ("page", "not found", "error fragment"):
        vary = ", ".join(answers[name].headers.get_all("Vary"))
        assert {"HX-Request", "Cookie", "Accept-Language"} <= {word.strip() for word in vary.split(",")}


def test_cookies_are_closed_to_scripts_and_to_other_sites(app_with: AppWith, make: Make) -> None:
    person = make.person("designer")
    for base_url, name, secure in (
        ("http://localhost:8000", "touchstone_session", False),
        ("https://localhost", "__Host-touchstone", True),
    ):
        app = app_with(base_url=base_url)
        client = app.test_client()
        sent = client.get("/sign-in", base_url=base_url.removesuffix(":8000"))
        token = re.search(r'name="csrf-token" content="([0-9a-f]{64})"', sent.get_data(as_text=True))
        assert token is not None
        form = {"email": person.user.email, "password": "a plum stone in amber", "csrf_token": token.group(1)}
        done = client.post("/sign-in", data=form, base_url=base_url.removesuffix(":8000"))
        assert done.status_code == 303
        cookies = [*sent.headers.get_all("Set-Cookie"), *done.headers.get_all("Set-Cookie")]
        assert any(cookie.startswith(name + "=") for cookie in cookies)
        for cookie in cookies:
            assert "HttpOnly" in cookie
            assert "SameSite=Lax" in cookie
            assert "Path=/" in cookie
            assert "Domain=" not in cookie
            assert ("Secure" in cookie) == secure
            assert len(cookie) < 4096
        assert ("Strict-Transport-Security" in done.headers) == secure


def test_signing_in_begins_a_session_under_a_new_id_and_ends_the_old_one(make: Make) -> None:
    person = make.person("designer")
    old = person.browser.client.get_cookie("touchstone_session")
    assert old is not None
    person.browser.get("/settings")
    form = {"email": person.user.email, "password": "a plum stone in amber"}
    assert person.browser.post("/sign-in", form).status_code == 303
    new = person.browser.client.get_cookie("touchstone_session")
    assert new is not None
    assert new.value != old.value
    thief = make.visitor()
    thief.client.set_cookie("touchstone_session", old.value, domain="localhost")
    assert thief.get("/settings").status_code == 303


def test_a_session_id_that_a_visitor_brings_is_not_taken(make: Make) -> None:
    person = make.person("designer")
    visitor = make.visitor()
    visitor.client.set_cookie("touchstone_session", "chosen-by-somebody", domain="localhost")
    visitor.get("/sign-in")
    form = {"email": person.user.email, "password": "a plum stone in amber"}
    assert visitor.post("/sign-in", form).status_code == 303
    mine = visitor.client.get_cookie("touchstone_session")
    assert mine is not None
    assert mine.value != "chosen-by-somebody"
    assert len(mine.value) >= 43
