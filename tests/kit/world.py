"""Two whole trades side by side, with everything the product knows of, made through its own doors.

`ours` and `theirs` have nothing to do with each other, so whatever one of them sees of the other is a leak.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, text, update
from sqlalchemy.engine import make_url

from demo import acts
from demo.inprocess import InProcess
from demo.play import Player
from marketplace.accounts import operations as accounts
from marketplace.accounts.models import Organization
from marketplace.app import create_app
from marketplace.config import Settings
from marketplace.db.base import Base
from marketplace.db.migrate import owner_engine, prepare
from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel.actor import system
from marketplace.policy.permissions import ROLES
from marketplace.services import Services
from tests.kit.files import band_stl, photo
from tests.kit.instance import Instance
from tests.kit.people import PASSWORD, ApiClient, Browser, Make, Person
from tests.kit.trade import Side, Trade

COOKIE = "touchstone_session"
_SYSTEM = system("test")
#: What a refused request may still write: the audit log; and when a session was last seen, should that be kept.
_UNCOUNTED = frozenset({"audit_events", "sessions", "alembic_version"})


@dataclass
class World:
    """Both trades and the people who are not let in yet; on a database of its own that no other test empties."""

    instance: Instance
    app: Flask
    ours: Side
    theirs: Side
    unconfirmed: dict[str, Person]
    unapproved: dict[str, Person]
    colleague: Person
    #: The form token of each person; it depends on the session alone.
    _tokens: dict[str, str] = field(default_factory=dict)

    def fingerprint(self) -> dict[str, tuple[int, int]]:
        """Number of rows and newest writing transaction of every table; any insert, update or delete changes it."""
        parts = [
            f"select '{t.name}', count(*), coalesce(max(xmin::text::bigint), 0) from {t.name}"
            for t in Base.metadata.sorted_tables
            if t.name not in _UNCOUNTED
        ]
        with self.instance.owner.connect() as connection:
            return {name: (rows, newest) for name, rows, newest in connection.execute(text(" union all ".join(parts)))}

    def refusals_since(self, last: int) -> list[Any]:
        """Audit rows after number `last`, oldest first."""
        query = text("select id, user_id, subject, outcome, details from audit_events where id > :last order by id")
        with self.instance.owner.connect() as connection:
            return list(connection.execute(query, {"last": last}))

    def last_audit_id(self) -> int:
        """The number of the newest audit row."""
        with self.instance.owner.connect() as connection:
            return int(connection.scalar(text("select coalesce(max(id), 0) from audit_events")) or 0)

    def forget_limits(self) -> None:
        """Empty the counters of the rate limits."""
        self.instance.background.redis.flushdb()

    @cached_property
    def _scratch(self) -> Flask:
        app = create_app(self.instance.settings)
        app.config["PROPAGATE_ERRORS"] = True
        return app

    @cached_property
    def cut_off(self) -> "World":
        """The same world with the first lock alone: an application under no row security, which reaches no outside
        service (a call of one fails).
        """
        nowhere = "http://127.0.0.1:1"
        app = create_app(
            replace(self.instance.settings, stripe_api_base=nowhere, gemini_base_url=nowhere, s3_endpoint_url=nowhere)
        )
        app.config["PROPAGATE_ERRORS"] = True
        app.extensions["services"].__dict__["engine"] = self.instance.background.engine
        return replace(self, app=app)

    @contextmanager
    def throwaway(self) -> Iterator["World"]:
        """The same world in a transaction that is rolled back at the end, whatever is committed in it."""
        engine = self.app.extensions["services"].engine
        with engine.connect() as connection:
            outer = connection.begin()
            connection.begin_nested()
            self._scratch.extensions["services"].__dict__["engine"] = connection
            yield replace(self, app=self._scratch)
            outer.rollback()

    def browser_of(self, person: Person) -> Browser:
        """A browser of this person at this world's application."""
        client = self.app.test_client()
        cookie = person.browser.client.get_cookie(COOKIE)
        assert cookie is not None
        client.set_cookie(COOKIE, cookie.value, domain="localhost")
        made = Browser(client)
        if person.user.id not in self._tokens:
            made.get("/terms")
            self._tokens[person.user.id] = made.csrf
        made.csrf = self._tokens[person.user.id]
        return made

    def api_of(self, person: Person) -> ApiClient:
        """An API client of this person at this world's application."""
        made = ApiClient(self.app.test_client(), None)
        made.headers = dict(person.api.headers)
        return made

    def visitor(self) -> FlaskClient:
        """Somebody who is not signed in."""
        return self.app.test_client()


def sibling(instance: Instance, name: str) -> Instance:
    """The same services with a database of their own beside the first one."""
    url = make_url(instance.settings.database_url)
    engine = owner_engine(instance.settings).execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'drop database if exists "{name}" with (force)'))
        connection.execute(text(f'create database "{name}"'))
    env = instance.env | {
        "DATABASE_URL": url.set(database=name).render_as_string(hide_password=False),
        "REDIS_URL": instance.env["REDIS_URL"].rstrip("/0") + "/1",
    }
    settings = Settings.from_env(env)
    prepare(settings)
    return Instance(
        env=env, settings=settings, owner=owner_engine(settings), background=Services(settings, background=True)
    )


@contextmanager
def running_world(first: Instance, scratch: Path) -> Iterator[World]:
    """Both trades on a database beside the first instance's, and everything closed at the end."""
    instance = sibling(first, "touchstone_world")
    app = create_app(instance.settings)
    app.config["PROPAGATE_ERRORS"] = True
    try:
        yield build(instance, app, scratch)
    finally:
        app.extensions["services"].engine.dispose()
        instance.background.engine.dispose()


def build(instance: Instance, app: Flask, scratch: Path) -> World:
    """Play both trades on an empty instance and add what a finished one no longer shows."""
    make = Make(app, instance.background)
    transport = InProcess(app, instance.background)
    sides = []
    for number, name in enumerate(("ours", "theirs")):
        operator = f"operator{number}@example.com"
        _create_operator(instance.background.engine, operator)
        picture, cad = scratch / f"{name}.jpg", scratch / f"{name}.stl"
        picture.write_bytes(photo((180, 150, 90 + 60 * number), width=700).data)
        cad.write_bytes(band_stl(thickness_mm=1.6 + 0.2 * number).data)
        sandbox = acts.Sandbox(instance.settings.stripe_api_base, instance.mail_url)
        player = Player(transport, sandbox, (operator, PASSWORD), [picture], cad, say=lambda line: None)
        player.play()
        sides.append(Trade(instance, make, player, operator, picture).side())
        instance.background.redis.flushdb()
    transport.settle()
    ours, theirs = sides
    return World(
        instance=instance,
        app=app,
        ours=ours,
        theirs=theirs,
        unconfirmed={role: make.person(role, confirmed=False) for role in ROLES},
        unapproved={role: _unapproved(instance.background.engine, make, role) for role in ROLES},
        colleague=_colleague(make, ours.people["designer"]),
    )


def _create_operator(engine: Engine, email: str) -> None:
    with unit_of_work(engine, _SYSTEM) as session:
        accounts.create_operator(
            session, _SYSTEM, name="Desk", email=email, password=PASSWORD, brand="Touchstone", country="GB"
        )


def _unapproved(engine: Engine, make: Make, role: str) -> Person:
    person = make.person(role, approved=False)
    with unit_of_work(engine, _SYSTEM) as session:
        session.execute(update(Organization).where(Organization.id == person.org.id).values(state="pending"))
    return person


def _colleague(make: Make, designer: Person) -> Person:
    """A member of our studio without the right to administrate it."""
    user = make.user(designer.org, "designer", admin=False)
    return make.sign_in(user, designer.org, "designer")
