"""Another method or spelling of an address never opens what the address itself does not (AUTHZ-19, WEB-08)."""

from urllib.parse import unquote

import pytest

from marketplace.policy.permissions import Permission
from marketplace.web.section import ROUTES, RouteSpec
from tests.access.calling import path_of
from tests.access.rows import ROWS
from tests.kit.world import World

GUARDED_PAGES = sorted(
    name
    for name, spec in ROUTES.items()
    if not spec.api and spec.methods == ("GET",) and ROWS.get(name) and ROWS[name].args and not ROWS[name].shared
)
API_ROUTES = sorted(name for name, spec in ROUTES.items() if spec.api and spec.needs is not Permission.PUBLIC)
_OPEN = {200, 201, 202, 204}


def _spellings(path: str) -> list[str]:
    head, _slash, tail = path.rpartition("/")
    return [
        path + "/",
        path.replace("/", "//", 2),
        head + "//" + tail,
        head + "/./" + tail,
        head + "/x/../" + tail,
        head + "/%2e%2e/" + tail,
        path + ";x",
        path + "%20",
        path + "%00",
        path + ".css",
        path + "/x.css",
        path.upper(),
        head + "%2f" + tail,
    ]


def _strangers_path(world: World, name: str) -> tuple[RouteSpec, str]:
    spec = ROUTES[name]
    return spec, path_of(spec, ROWS[name], world, world.ours).partition("?")[0]


@pytest.mark.parametrize("name", GUARDED_PAGES)
def test_no_spelling_of_a_page_opens_it_to_a_stranger(world: World, name: str) -> None:
    _spec, path = _strangers_path(world, name)
    role = sorted(ROWS[name].parties)[0]
    stranger = world.browser_of(world.theirs.people[role])
    for spelled in _spellings(path):
        # As a server hands it over; the test client would take the start of "//x" for a host.
        answer = stranger.client.get("/", environ_overrides={"PATH_INFO": unquote(spelled)})
        assert answer.status_code not in _OPEN, f"{spelled}: {answer.status_code}"
        if answer.status_code in {301, 302, 303, 307, 308}:
            assert answer.location.startswith(("/", "http://localhost/")), answer.location
            assert stranger.client.get(answer.location).status_code not in _OPEN
    for method in ("HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE"):
        answer = stranger.client.open(path, method=method)
        assert answer.status_code not in _OPEN, f"{method}: {answer.status_code}"
    told = stranger.client.options(path)
    assert told.get_data() == b""
    for header in ("X-HTTP-Method-Override", "X-Original-URL", "X-Rewrite-URL"):
        value = "POST" if "Method" in header else path
        assert stranger.client.get("/terms", headers={header: value}).status_code == 200
        assert stranger.client.get(path, headers={header: "/terms"}).status_code not in _OPEN


def test_a_cache_is_never_fooled_by_a_suffix(world: World) -> None:
    designer = world.browser_of(world.ours.people["designer"])
    path = f"/designs/{world.ours.ids['design']}"
    assert designer.client.get(path).status_code == 200
    for suffix in ("/x.css", ".css", "/a.js", ";.png", "%2fx.css"):
        assert designer.client.get(path + suffix).status_code == 404, suffix


@pytest.mark.parametrize("name", API_ROUTES)
def test_the_api_takes_no_session_cookie_and_no_token_in_the_address(world: World, name: str) -> None:
    spec, path = _strangers_path(world, name)
    person = world.ours.people["designer"]
    token = person.api.headers["Authorization"].removeprefix("Bearer ")
    browser = world.browser_of(person)
    method = spec.methods[0]
    assert browser.client.open(path, method=method, json={}).status_code == 401
    visitor = world.visitor()
    for query in (f"?token={token}", f"?access_token={token}"):
        assert visitor.open(path + query, method=method, json={}).status_code == 401
    for header in (f"Basic {token}", "Bearer", f"Bearer {token}x", f"Bearer {token[:-1]}", "Bearer tst_", token):
        answer = visitor.open(path, method=method, json={}, headers={"Authorization": header})
        assert answer.status_code == 401, header
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    browser.client.set_cookie("touchstone_session", token, domain="localhost")
    assert browser.client.get("/settings").status_code == 303
