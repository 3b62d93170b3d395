"""Migrations: up, down, with rows, and equal to the models."""

import secrets
from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine, inspect, pool, text
from sqlalchemy.engine import make_url

from marketplace.db.base import Base
from marketplace.db.migrate import migrate
from tests.kit.instance import Instance


@pytest.fixture
def empty_database(instance: Instance) -> Iterator[Engine]:
    """A database of its own, in the same server, without any table."""
    name = f"migrations_{secrets.token_hex(4)}"
    with instance.owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"create database {name}"))
    engine = create_engine(make_url(instance.settings.database_url).set(database=name), poolclass=pool.NullPool)
    yield engine
    engine.dispose()
    with instance.owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"drop database {name} with (force)"))


def test_migrations_build_exactly_what_the_models_say(empty_database: Engine) -> None:
    migrate(empty_database, "head")
    with empty_database.connect() as connection:
        difference = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    assert difference == []


def test_migrations_go_down_to_nothing_and_up_again(empty_database: Engine) -> None:
    migrate(empty_database, "head")
    migrate(empty_database, "base")
    assert set(inspect(empty_database).get_table_names()) <= {"alembic_version"}
    migrate(empty_database, "head")


def test_migrations_keep_the_rows_that_were_there(empty_database: Engine) -> None:
    migrate(empty_database, "0001")
    with empty_database.begin() as connection:
        connection.execute(
            text(
                "insert into organizations(id,name,kind,address,country,state,profile,created_at)"
                " values ('org_1','Atelier','designer','','GB','approved','{}',now())"
            )
        )
    migrate(empty_database, "head")
    with empty_database.connect() as connection:
        assert connection.scalar(text("select name from organizations")) == "Atelier"


def test_every_table_with_tenant_rows_is_forced_under_row_security(instance: Instance) -> None:
    guarded = {
        "assets", "derivatives", "facts", "content_drafts", "ai_calls", "saved_designs",
        "negotiation_events", "negotiation_assignees", "negotiation_reads",
        "negotiations", "offers", "messages", "message_translations", "licenses", "signatures",
        "orders", "rfqs", "quotes", "ndas", "cad_links", "stage_events", "shipments",
        "cad_copies", "cad_copy_keys", "cad_shapes", "cad_traces",
        "payment_accounts", "checkouts", "transfers", "payouts", "ledger_entries", "ledger_transactions",
        "ledger_links", "ledger_accounts", "fee_rates",
        "material_overrides",
        "term_sheets", "metal_prices", "approval_policies", "approvals",
        "inbox_threads", "thread_texts", "reply_addresses", "digests", "inbound_mails",
        "royalty_statements", "royalty_lines", "sales_reports", "sales_lines",
        "royalty_inquiries", "royalty_inquiry_notes",
    }  # fmt: skip
    with instance.owner.connect() as connection:
        forced = set(
            connection.scalars(
                text("select relname from pg_class where relkind = 'r' and relrowsecurity and relforcerowsecurity")
            )
        )
    assert guarded - forced == set()


def test_run_time_roles_own_nothing_and_bypass_nothing(instance: Instance) -> None:
    with instance.owner.connect() as connection:
        owned = connection.scalar(
            text(
                "select count(*) from pg_class c join pg_roles r on r.oid = c.relowner"
                " where r.rolname like 'touchstone%'"
            )
        )
        strong = connection.scalar(
            text(
                "select count(*) from pg_roles where rolname like 'touchstone%'"
                " and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb)"
            )
        )
        leaky = list(
            connection.scalars(
                text(
                    "select p.proname || ':' || coalesce(array_to_string(p.proargnames, ','), '') from pg_proc p"
                    " join pg_namespace n on n.oid = p.pronamespace where n.nspname = 'public' and p.prosecdef"
                )
            )
        )
        views = connection.scalar(text("select count(*) from information_schema.views where table_schema = 'public'"))
    assert (owned, strong, views) == (0, 0, 0)
    # Functions that see past row security. One tells what is taken of a design, and names no party and no money; one
    # finds ids of listed designs, which every reader of the catalog may see; one finds threads of the actor's own
    # organization; one tells how many threads of an organization hold news. The triggers of the inbox keep the other
    # side's row, which the actor may not write.
    assert sorted(leaky) == [
        "design_grants:wanted,kind,territories,channels,categories,metals,start,term_months,active_from,active_until,"
        "created_at",
        "inbox_follow_license:",
        "inbox_follow_message:",
        "inbox_follow_negotiation:",
        "inbox_follow_offer:",
        "inbox_follow_read:",
        "inbox_index_head:wanted",
        "inbox_index_message:",
        "inbox_index_translation:",
        "listed_designs_matching:wanted",
        "threads_matching:wanted",
        "unread_threads:org",
    ]
