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


def test_the_migration_writes_what_was_granted_and_numbers_what_was_ordered(
    empty_database: Engine,
) -> None:
    """Rows of before the rights, as they stand in a filled database, go through it with their rights and numbers."""
    migrate(empty_database, "0013")
    with empty_database.begin() as connection:
        for statement in _FORMER_ROWS:
            connection.execute(text(statement))
    migrate(empty_database, "head")
    with empty_database.begin() as connection:
        found = connection.execute(text("select source_id, kind, upper_inf(period) endless from rights_grants")).all()
        assert [tuple(row) for row in found] == [("lic_1", "exclusive", False)]
        numbers = connection.execute(text("select order_id, first, last from serials order by first")).all()
        assert [tuple(row) for row in numbers] == [("ord_1", 1, 20), ("ord_3", 21, 25)]
    migrate(empty_database, "base")


_FORMER_ROWS = (
    "set local session_replication_role = replica",  # the rows around these are of no matter here
    "insert into negotiations(id,design_id,designer_org_id,buyer_org_id,state,turn,current_version,expires_at,snapshot,"
    "updated_at,created_at) values ('neg_1','dsn_1','org_1','org_2','accepted','buyer',1,now(),'{}',now(),now())",
    "insert into offers(id,negotiation_id,version,by_org_id,by_user_id,side,terms,terms_hash,created_at)"
    " values ('off_1','neg_1',1,'org_2','usr','buyer','{}','x',now())",
    "insert into licenses(id,negotiation_id,offer_id,design_id,designer_org_id,buyer_org_id,terms,terms_hash,kind,"
    "fee_amount,currency,state,active_from,active_until,created_at) values ('lic_1','neg_1','off_1','dsn_1','org_1',"
    "'org_2','{\"territories\": [\"DE\"], \"metals\": [\"gold\"], \"term_months\": 12}','x','exclusive',0,'USD',"
    "'active',now(),now() + interval '1 year',now())",
    "insert into orders(id,license_id,design_id,design_title,buyer_org_id,designer_org_id,manager_org_id,placed_by,"
    "quantity,lines,ship_to,cad,spec,royalty,currency,state,nda_version,created_at)"
    " select 'ord_' || n, 'lic_1', 'dsn_1', 'T', 'org_2', 'org_1', 'org_3', 'usr', (array[20, 7, 5])[n], '[]', '{}',"
    " '[]', '{}', '{}', 'USD', (array['placed', 'canceled', 'placed'])[n], 0, now() + n * interval '1 minute'"
    " from generate_series(1, 3) n",
)


def test_every_table_with_tenant_rows_is_forced_under_row_security(instance: Instance) -> None:
    guarded = {
        "addenda", "license_events", "agreement_texts",
        "assets", "derivatives", "facts", "content_drafts", "ai_calls", "saved_designs",
        "negotiation_events", "negotiation_assignees", "negotiation_reads",
        "negotiations", "offers", "messages", "message_translations", "licenses", "signatures",
        "orders", "rfqs", "quotes", "ndas", "cad_links", "stage_events", "shipments",
        "cad_copies", "cad_copy_keys", "cad_shapes", "cad_traces",
        "payment_accounts", "checkouts", "transfers", "payouts", "ledger_entries", "ledger_transactions",
        "ledger_links", "ledger_accounts", "fee_rates",
        "material_overrides", "rights_grants", "rights_holds", "first_asks", "serials",
        "payee_banks", "bank_files", "bank_items",
        "term_sheets", "design_sheets", "metal_prices", "approval_policies", "approvals",
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
    # Functions that see past row security. One finds ids of listed designs, which every reader of the catalog may see;
    # one finds threads of the actor's own organization; one tells how many threads of an organization hold news. The
    # triggers of the inbox keep the other side's row, which the actor may not write; those of rights keep what is taken
    # of a design, and the functions beside them tell it: scopes, times and counts, no party and no money. Two tell a
    # payee of its own refunds and disputes, with its share in place of the whole. The last checks a signed document
    # for anybody and tells its number.
    assert sorted(leaky) == [
        "check_serials:",
        "design_grants:wanted,asker,scope,kind,territories,channels,categories,metals,begins,until,held_until,own",
        "design_reserved:wanted,territory",
        "design_units:wanted,numbered,edition",
        "follow_hold:",
        "follow_license:",
        "follow_negotiation:",
        "follow_order:",
        "free_serials:wanted,quantity,first,last",
        "inbox_follow_license:",
        "inbox_follow_message:",
        "inbox_follow_negotiation:",
        "inbox_follow_offer:",
        "inbox_follow_read:",
        "inbox_index_head:wanted",
        "inbox_index_message:",
        "inbox_index_translation:",
        "listed_designs_matching:wanted",
        "shared_disputes:",
        "shared_refunds:",
        "threads_matching:wanted",
        "unread_threads:org",
        "verify_document:wanted_code,wanted_sha256,kind,number,signed_at,sealed_at,signers,sealed_copy,in_force,"
        "sealed_sha256,paper",
    ]
