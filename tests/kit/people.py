"""People and organizations, signed in through the real session code."""

import itertools
import json
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from marketplace.accounts.models import Membership, Organization, User
from marketplace.accounts.passwords import hash_password
from marketplace.accounts.rules import first_state
from marketplace.accounts.sessions import issue_token, start
from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor, system
from marketplace.services import Services

PASSWORD = "a plum stone in amber"
_HASH = hash_password(PASSWORD)
_numbers = itertools.count(1)
_DAY = timedelta(days=1)
_TOKEN = re.compile(r'name="csrf_token" value="([0-9a-f]{64})"|name="csrf-token" content="([0-9a-f]{64})"')


class Browser:
    """A signed-in (or anonymous) visitor without scripts: a Flask client that sends the page's CSRF token."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.csrf = ""

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        """Open a page."""
        response = self.client.get(path, **kwargs)
        self._remember(response)
        return response

    def post(self, path: str, data: dict[str, Any] | None = None, **kwargs: Any) -> TestResponse:
        """Send a form with the token of the last page (opens the terms page to get one when there is none)."""
        if not self.csrf:
            self.get("/terms")
        return self.client.post(path, data={"csrf_token": self.csrf, **(data or {})}, **kwargs)

    def _remember(self, response: TestResponse) -> None:
        if response.mimetype == "text/html" and (found := _TOKEN.search(response.get_data(as_text=True))):
            self.csrf = found.group(1) or found.group(2)


class ApiClient:
    """A caller of the API with a bearer token."""

    def __init__(self, client: FlaskClient, token: str | None) -> None:
        self.client = client
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        """Send JSON to `/api/v1<path>`."""
        data = None if body is None else json.dumps(body)
        content = {"Content-Type": "application/json"} if data is not None else {}
        names = {k.replace("_", "-"): v for k, v in headers.items()}
        return self.client.open(
            "/api/v1" + path, method=method, data=data, headers={**self.headers, **content, **names}
        )

    def get(self, path: str, **headers: str) -> TestResponse:
        """Read."""
        return self.request("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> TestResponse:
        """Change."""
        return self.request("POST", path, {} if body is None else body, **headers)

    def patch(self, path: str, body: Any, **headers: str) -> TestResponse:
        """Change a part."""
        return self.request("PATCH", path, body, **headers)


@dataclass
class Person:
    """A member of an organization with a browser and an API client."""

    user: User
    org: Organization
    actor: Actor
    browser: Browser
    api: ApiClient

    @property
    def client(self) -> Browser:
        """The browser."""
        return self.browser


class Make:
    """Factories: valid things by default; a test names only what it is about."""

    def __init__(self, app: Flask, services: Services) -> None:
        self.app = app
        self.services = services
        self._system = system("test")

    def org(self, kind: str = "buyer", *, approved: bool = True, name: str | None = None) -> Organization:
        """An organization."""
        with unit_of_work(self.services.engine, self._system) as session:
            row = Organization(
                name=name or f"{kind.title()} House {next(_numbers)}",
                kind=kind,
                address="1 Test Street, Testville",
                country="GB",
                state="approved" if approved else first_state(kind),
            )
            session.add(row)
        return row

    def user(
        self,
        org: Organization,
        role: str | None = None,
        *,
        admin: bool = True,
        confirmed: bool = True,
        locale: str = "en",
        name: str | None = None,
    ) -> User:
        """A member of `org`."""
        number = next(_numbers)
        with unit_of_work(self.services.engine, self._system) as session:
            row = User(
                name=name or f"Person {number}",
                email=f"person{number}@example.com",
                email_key=f"person{number}@example.com",
                password_hash=_HASH,
                locale=locale,
                email_confirmed_at=clock.now() if confirmed else None,
                adult_declared_at=clock.now(),
                terms_version="test",
                terms_accepted_at=clock.now(),
            )
            session.add(row)
            session.flush()
            session.add(Membership(org_id=org.id, user_id=row.id, role=role or org.kind, is_admin=admin))
        return row

    def person(
        self,
        role: str,
        *,
        org: Organization | None = None,
        approved: bool = True,
        confirmed: bool = True,
        locale: str = "en",
        name: str | None = None,
    ) -> Person:
        """A signed-in person with this role in an organization of that kind (a new one unless given)."""
        organization = org or self.org(role, approved=approved)
        user = self.user(organization, role, confirmed=confirmed, locale=locale, name=name)
        return self.sign_in(user, organization, role, approved=approved, confirmed=confirmed)

    def sign_in(
        self, user: User, org: Organization, role: str, *, approved: bool = True, confirmed: bool = True
    ) -> Person:
        """Another signed-in browser and API client of an existing member."""
        with (
            self.app.test_request_context("/"),
            unit_of_work(self.services.engine, self._system) as session,
        ):
            cookie = start(session, user_id=user.id, org_id=org.id)
            token, _row = issue_token(session, user_id=user.id, scopes=["all"], life=_DAY)
        client = self.app.test_client()
        client.set_cookie("touchstone_session", cookie, domain="localhost")
        actor = Actor(
            kind="person",
            user_id=user.id,
            org_id=org.id,
            org_kind=org.kind,
            role=role,
            is_admin=True,
            approved=approved,
            confirmed=confirmed,
            name=user.name,
            email=user.email,
            org_name=org.name,
            locale=user.locale,
            ip="127.0.0.1",
        )
        return Person(user, org, actor, Browser(client), ApiClient(self.app.test_client(), token))

    def visitor(self) -> Browser:
        """Somebody who is not signed in."""
        return Browser(self.app.test_client())
