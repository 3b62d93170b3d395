"""The second lock alone: raw statements of the web role as somebody else, without any Python check (AUTHZ-11, -13)."""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from marketplace.app import create_app
from marketplace.db.base import Base
from marketplace.db.engines import make_engine
from marketplace.db.unit_of_work import open_session, set_actor
from marketplace.kernel.actor import ANONYMOUS, Actor
from tests.kit.people import ApiClient
from tests.kit.trade import Side
from tests.kit.world import World

#: Tables whose rows are partly public by design, with the condition of those that are.
_LISTED = "exists (select 1 from designs d where d.id = {column} and d.state <> 'draft')"
PUBLIC_ROWS = {
    "designs": "t.state <> 'draft'",
    "assets": "t.kind = 'photo' and t.state = 'ready' and " + _LISTED.format(column="t.design_id"),
    "derivatives": "t.role <> 'studio_glb' and " + _LISTED.format(column="t.design_id"),
    "facts": _LISTED.format(column="t.design_id"),
}
#: What the operator reads of everybody: enough to run the platform, never files, words, messages or terms.
OPERATOR_READS = frozenset(
    {
        "designs", "ai_calls", "payment_accounts", "checkouts", "transfers", "payouts", "ledger_entries",
        "ledger_transactions", "privacy_requests", "audit_events", "organizations", "users", "memberships", "jobs",
        "cad_traces",
        # of which it is itself the issuer: those over its fee
        "invoices", "invoice_documents",
        "payee_banks", "bank_files", "bank_items", "bank_answers",
        "refunds", "disputes", "give_backs", "reversals", "money_alerts", "reconciliations",
        "ledger_links",
    }
)  # fmt: skip
#: A list of storage keys that the web role only adds to and cannot read.
_ADD_ONLY = frozenset({"discarded_objects"})
#: Published numbers: everybody reads them and no request changes them.
_FOR_ALL = frozenset({"fee_rates", "ledger_accounts", "alloys", "casting_rules"})
#: Tables about which an operator decides.
_OPERATOR_DECIDES = frozenset({"refunds", "disputes", "money_alerts", "payment_accounts", "bank_files", "bank_items"})
_ROUNDS = 4


@pytest.fixture(scope="module")
def forced(world: World) -> list[str]:
    """Every table under forced row security."""
    with world.instance.owner.connect() as connection:
        names = connection.scalars(
            text("select relname from pg_class where relforcerowsecurity and relkind = 'r' order by relname")
        )
        return list(names)


@pytest.fixture(scope="module")
def private(world: World, forced: list[str]) -> dict[str, list[str]]:
    """By table, our rows as text that nobody outside of our trade may touch; public ones left out."""
    with world.instance.owner.connect() as connection:
        ours, theirs = _marks(connection, world.ours), _marks(connection, world.theirs)
        found = {}
        for table in forced:
            public = PUBLIC_ROWS.get(table)
            where = f"where not coalesce({public}, false)" if public else ""
            rows = connection.scalars(text(f"select t::text from {table} t {where}"))
            found[table] = [r for r in rows if any(m in r for m in ours) and not any(m in r for m in theirs)]
        return found


def _marks(connection: Connection, side: Side) -> set[str]:
    """Ids of everything that hangs on the people and organizations of a side."""
    marks = {person.org.id for person in side.people.values()} | {p.user.id for p in side.people.values()}
    for _round in range(_ROUNDS):
        before = len(marks)
        for table in Base.metadata.sorted_tables:
            keys = [c.name for c in inspect(table).primary_key.columns]
            if keys != ["id"]:
                continue
            for key, row in connection.execute(text(f"select t.id::text, t::text from {table.name} t")):
                if "_" in key and any(mark in row for mark in marks):
                    marks.add(key)
        if len(marks) == before:
            break
    return marks


def strangers(world: World) -> Iterator[Actor]:
    """Everybody who is no party of our trade, and nobody at all."""
    for person in [*world.theirs.people.values(), *world.unconfirmed.values(), *world.unapproved.values()]:
        yield person.actor
    yield replace(world.theirs.people["designer"].actor, role="buyer")
    yield replace(world.theirs.people["designer"].actor, user_id="", org_id="")
    yield ANONYMOUS


@contextmanager
def acting(world: World, actor: Actor) -> Iterator[Connection]:
    """A connection of the web role as `actor`, rolled back at the end."""
    session = open_session(world.app.extensions["services"].engine)
    try:
        set_actor(session, actor)
        yield session.connection()
    finally:
        session.rollback()
        session.close()


def test_the_world_holds_private_rows_in_every_forced_table(private: dict[str, list[str]]) -> None:
    empty = {table for table, rows in private.items() if not rows}
    assert empty <= _ADD_ONLY | _FOR_ALL, empty
    assert sum(len(rows) for rows in private.values()) > 100


def test_select_alone_shows_a_stranger_none_of_our_rows(
    world: World, forced: list[str], private: dict[str, list[str]]
) -> None:
    for actor in strangers(world):
        with acting(world, actor) as connection:
            for table in forced:
                if actor.role == "operator" and table in OPERATOR_READS:
                    continue
                seen = set(connection.scalars(text(f"select t::text from {table} t")))
                assert seen.isdisjoint(private[table]), f"{actor.role} {actor.org_id} sees {table}"


def test_our_own_people_do_see_their_rows(world: World, private: dict[str, list[str]]) -> None:
    seen: set[str] = set()
    for person in world.ours.people.values():
        with acting(world, person.actor) as connection:
            for table in private:
                seen |= set(connection.scalars(text(f"select t::text from {table} t")))
    missing = {t for t, rows in private.items() if rows and seen.isdisjoint(rows)} - _ADD_ONLY
    unread = {"mails", "used_tokens", "payment_events", "cad_copy_keys", "cad_shapes", "invoice_series"}
    unread |= {"thread_texts", "inbound_mails"}
    assert missing <= unread, "nobody at all reads these through the site"


def test_update_and_delete_touch_none_of_our_rows(
    world: World, forced: list[str], private: dict[str, list[str]]
) -> None:
    for actor in strangers(world):
        for table in forced:
            column = inspect(Base.metadata.tables[table]).columns.keys()[0]
            if actor.role == "operator" and table in _OPERATOR_DECIDES:
                continue
            for change in (f"update {table} t set {column} = t.{column}", f"delete from {table} t"):
                with acting(world, actor) as connection:
                    touched = _rows_touched(connection, change, private[table])
                assert touched in {0, "42501"}, f"{actor.role} {actor.org_id}: {change}: {touched}"


def _rows_touched(connection: Connection, change: str, rows: list[str]) -> int | str:
    """How many of `rows` a statement changed, or the SQL state of its refusal."""
    try:
        return connection.execute(text(f"{change} where t::text = any(:rows)"), {"rows": rows}).rowcount
    except DBAPIError as error:
        return str(getattr(error.orig, "sqlstate", ""))


def test_no_row_can_be_added_in_our_name(world: World, forced: list[str]) -> None:
    stranger = world.theirs.people["buyer"].actor
    ours = {p.org.id for p in world.ours.people.values()}
    tried = 0
    for table in sorted(set(forced) - _ADD_ONLY - _FOR_ALL):
        with world.instance.owner.connect() as connection:
            rows = [dict(r) for r in connection.scalars(text(f"select to_jsonb(t) from {table} t"))]
        named = [row for row in rows if any(one in json.dumps(row) for one in ours)]
        if not named:
            continue
        row = named[0]
        key = inspect(Base.metadata.tables[table]).primary_key.columns.keys()[0]
        row[key] = secrets.token_hex(8) if isinstance(row[key], str) else 2**40
        insert = text(f"insert into {table} select * from jsonb_populate_record(null::{table}, cast(:row as jsonb))")
        with acting(world, stranger) as connection, pytest.raises(DBAPIError) as refused:
            connection.execute(insert, {"row": json.dumps(row)})
        assert getattr(refused.value.orig, "sqlstate", "") == "42501", f"{table}: {refused.value}"
        tried += 1
    assert tried > 20


def test_nothing_of_one_tenant_stays_on_the_connection_for_the_next(world: World) -> None:
    settings = world.instance.settings
    app = create_app(settings)
    engine = make_engine(settings.database_web_url, pool_size=1)
    app.extensions["services"].__dict__["engine"] = engine
    clients = [
        (side, other, ApiClient(app.test_client(), side.people[role].api.headers["Authorization"][7:]))
        for role in ("buyer", "manufacturer")
        for side, other in ((world.ours, world.theirs), (world.theirs, world.ours))
    ]
    missing = "/orders/ord_00000000000000000000000000"
    for number in range(200):
        side, other, client = clients[number % len(clients)]
        if number % 7 == 0:
            assert client.get(missing).status_code == 404
        if number % 11 == 0:
            assert client.post("/designs", {"title": ""}).status_code in {403, 422}
        told = client.get("/orders").get_data(as_text=True)
        assert side.ids["making"] in told
        assert other.ids["making"] not in told
        if number % 5 == 0:
            with engine.connect() as connection:
                assert connection.scalar(text("select count(*) from orders")) == 0
                assert connection.scalar(text("select current_setting('app.org', true)")) in {"", None}
    assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    engine.dispose()
    world.forget_limits()
