"""Every changing page route refuses a request that this visitor's own page did not send (WEB-03)."""

import re

import pytest

from marketplace import features
from marketplace.web.section import ROUTES
from tests.kit.people import Browser, Make

assert features.OPEN_ENDPOINTS
UNSAFE = sorted(name for name, spec in ROUTES.items() if not spec.api and spec.csrf and spec.methods != ("GET",))
EXEMPT = sorted(name for name, spec in ROUTES.items() if not spec.api and not spec.csrf)


def _path(name: str) -> str:
    return re.sub(r"<\w+>", "x", ROUTES[name].rule)


def test_only_what_carries_its_own_proof_needs_no_token() -> None:
    assert EXEMPT == ["mail.inbound", "mail.unsubscribe", "payments.stripe_webhook"]


def test_no_route_changes_things_by_get() -> None:
    assert [n for n, s in ROUTES.items() if "GET" in s.methods and len(s.methods) > 1] == []


@pytest.mark.parametrize("name", UNSAFE)
def test_a_form_without_this_visitors_own_token_is_refused(make: Make, name: str) -> None:
    visitor, other = make.visitor(), make.visitor()
    visitor.get("/terms")
    other.get("/terms")
    path = _path(name)
    assert other.csrf
    assert other.csrf != visitor.csrf
    for token in ("", other.csrf, visitor.csrf[:-1], visitor.csrf.upper() + "0", "é" * 64):
        answer = visitor.client.post(path, data={"csrf_token": token})
        assert answer.status_code == 403, token
        assert visitor.client.post(path, headers={"X-CSRF-Token": token.encode().hex()}).status_code == 403
    for site in ("cross-site", "same-site"):
        good = {"csrf_token": visitor.csrf}
        assert visitor.client.post(path, data=good, headers={"Sec-Fetch-Site": site}).status_code == 403, site
    assert visitor.client.post(path, json={"csrf_token": visitor.csrf}).status_code == 403
    assert visitor.client.post(f"{path}?csrf_token={visitor.csrf}").status_code == 403
    passed = visitor.client.post(path, data={"csrf_token": visitor.csrf}, headers={"Sec-Fetch-Site": "same-origin"})
    assert passed.status_code != 403


def test_a_token_dies_with_the_session_and_is_not_the_neighbors(make: Make) -> None:
    one, two = make.person("designer"), make.person("designer")
    one.browser.get("/settings")
    two.browser.get("/settings")
    change = {"name": "Changed", "locale": "en"}
    stolen = Browser(one.browser.client)
    stolen.csrf = two.browser.csrf
    assert stolen.post("/settings", change).status_code == 403
    kept = one.browser.csrf
    assert one.browser.post("/settings", change).status_code == 303
    one.browser.post("/sign-out")
    again = make.sign_in(one.user, one.org, "designer")
    again.browser.csrf = kept
    assert again.browser.post("/settings", change).status_code == 403


def test_login_csrf_is_refused(make: Make) -> None:
    person = make.person("buyer")
    form = {"email": person.user.email, "password": "a plum stone in amber"}
    assert make.visitor().client.post("/sign-in", data=form).status_code == 403
