"""Calling a route as somebody, and what the answer should be."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from werkzeug.test import TestResponse

from marketplace.gateways.tokens import Purpose
from marketplace.policy.permissions import GRANTS, Permission
from marketplace.web.section import RouteSpec
from tests.access.rows import Row
from tests.kit.people import ApiClient, Browser, Person
from tests.kit.trade import Side
from tests.kit.world import World

OPEN = 0
_ARGUMENT = re.compile(r"<(?:\w+:)?(\w+)>")
_PASSING = re.compile(r'[0-9a-f]{64}|[0-9a-f]{16}|nonce="[^"]+"|nonce-[\w-]+')


@dataclass(frozen=True)
class Caller:
    """Somebody who sends requests; `side` is whose trade they belong to, None for people outside both."""

    name: str
    role: str | None
    side: Side | None
    person: Person | None
    approved: bool = True
    confirmed: bool = True
    admin: bool = True


def callers(world: World) -> Iterator[Caller]:
    """Everybody: both trades, a colleague, people who are not let in yet, and a visitor."""
    for name, side in (("our", world.ours), ("their", world.theirs)):
        for role, person in side.people.items():
            yield Caller(f"{name} {role}", role, side, person)
    yield Caller("our designer's colleague", "designer", world.ours, world.colleague, admin=False)
    for role, person in world.unconfirmed.items():
        yield Caller(f"unconfirmed {role}", role, None, person, confirmed=False)
    for role, person in world.unapproved.items():
        yield Caller(f"unapproved {role}", role, None, person, approved=False)
    yield Caller("visitor", None, None, None)


def expected(spec: RouteSpec, row: Row, caller: Caller, owner: Side) -> int:
    """401, 403, 404 or OPEN for `caller` on a thing of `owner`, read from the table of grants."""
    if spec.needs is Permission.PUBLIC:
        return OPEN
    if caller.role is None:
        return 401
    grant = GRANTS[spec.needs]
    if caller.role not in grant.roles or (grant.admin and not caller.admin):
        return 403
    if (grant.confirmed and not caller.confirmed) or (grant.approved and not caller.approved):
        return 403
    if not row.args or row.shared:
        return OPEN
    if row.personal and not caller.admin:  # the colleague of the person whose thing it is
        return 404
    return OPEN if caller.side is owner and caller.role in row.parties else 404


def path_of(spec: RouteSpec, row: Row, world: World, side: Side, **instead: str) -> str:
    """The address of the route on a thing of `side`; `instead` replaces URL arguments."""

    def value(found: re.Match[str]) -> str:
        name = found.group(1)
        return quote(instead.get(name) or thing(world, side, row.args[name]), safe="")

    query = row.query(world, side) if row.query else ""
    return _ARGUMENT.sub(value, spec.rule) + query


def thing(world: World, side: Side, name: str) -> str:
    """What a URL argument of this name in a row stands for."""
    if name.startswith("="):
        return name[1:]
    if name == "confirm:":
        designer = side.people["designer"].user
        tokens = world.app.extensions["services"].tokens
        return str(tokens.sign(Purpose.EMAIL_CONFIRM, {"user": designer.id, "email": designer.email_key}))
    if name == "cad:":
        maker = world.api_of(side.people["manufacturer"])
        answer = maker.post(f"/orders/{side.ids['making']}/cad-links", {"asset": side.ids["cad"]})
        assert answer.status_code == 201, answer.get_data(as_text=True)
        return str(answer.json["url"]).rpartition("/")[2]
    return side.ids[name]


def twins(row: Row, side: Side) -> dict[str, str]:
    """For each URL argument that names a thing, an id of the same form that nothing has."""
    found = {}
    for argument, name in row.args.items():
        if not name.startswith("=") and not name.endswith(":"):
            found[argument] = side.ids[name][:-8] + "00000000"
    return found


def send(world: World, spec: RouteSpec, row: Row, caller: Caller, path: str, owner: Side) -> TestResponse:
    """The answer to the route's request with a body that the thing's owner could send."""
    method = spec.methods[0]
    somebody = caller.person or owner.people["designer"]
    body = row.send(world, owner, somebody) if row.send else {}
    if spec.api:
        client = world.api_of(caller.person) if caller.person else ApiClient(world.app.test_client(), None)
        sent = None if method == "GET" else body if spec.body is not None or body else None
        return client.request(method, path.removeprefix("/api/v1"), sent)
    browser = world.browser_of(caller.person) if caller.person else Browser(world.visitor())
    return browser.get(path) if method == "GET" else browser.post(path, data=body)


def plain(response: TestResponse, ids: list[str]) -> str:
    """The body without what differs from one answer to the next: ids, request id, token, nonce."""
    text = words(response)
    for one in ids:
        text = text.replace(one, "ID")
    return _PASSING.sub("X", text)


def asked(details: Any) -> str:
    """The route an audit row tells of."""
    return str((details or {}).get("route"))


def words(response: TestResponse) -> str:
    """The body as text, whatever it is."""
    return response.get_data().decode("utf-8", "replace")
