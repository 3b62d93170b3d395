"""One throw-away instance of all services for a whole test run."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import Connection, Engine, Table, create_engine, event, text

from marketplace.config import Settings
from marketplace.db.base import Base
from marketplace.db.migrate import prepare
from marketplace.services import Services
from sandbox.services import Services as Embedded

_MIRRORS = {
    "TEST_DATABASE_URL": "DATABASE_URL",
    "TEST_REDIS_URL": "REDIS_URL",
    "TEST_S3_ENDPOINT_URL": "S3_ENDPOINT_URL",
    "TEST_S3_ACCESS_KEY_ID": "S3_ACCESS_KEY_ID",
    "TEST_S3_SECRET_ACCESS_KEY": "S3_SECRET_ACCESS_KEY",
    "TEST_SMTP_URL": "SMTP_URL",
    "TEST_MAIL_URL": "SANDBOX_MAIL_URL",
    "TEST_INBOUND_MAIL_DOMAIN": "INBOUND_MAIL_DOMAIN",
    "TEST_INBOUND_MAIL_KEY": "INBOUND_MAIL_KEY",
    "TEST_STRIPE_URL": "STRIPE_API_BASE",
    "TEST_STRIPE_API_KEY": "STRIPE_API_KEY",
    "TEST_STRIPE_WEBHOOK_SECRET": "STRIPE_WEBHOOK_SECRET",
    "TEST_RATES_URL": "RATES_URL",
    "TEST_GEMINI_URL": "GEMINI_BASE_URL",
    "TEST_GEMINI_API_KEY": "GEMINI_API_KEY",
}
#: Tables that migrations fill; emptied never.
_KEPT = {"alembic_version", "alloys", "casting_rules", "ledger_accounts", "fee_rates"}


@dataclass
class Instance:
    """Addresses of everything, and the settings an application under test starts with."""

    env: dict[str, str]
    settings: Settings
    owner: Engine
    background: Services

    @property
    def mail_url(self) -> str:
        """The inbox of the mail stand-in."""
        return self.env["SANDBOX_MAIL_URL"]

    def empty(self) -> None:
        """Forget every row and every stand-in's memory.

        Deletes the rows of the few tables that have any, with triggers and references off: a truncation makes new files
        for every table and index and takes ten times as long.
        """
        tables = [t for t in Base.metadata.sorted_tables if t.name not in _KEPT]
        ask = " union all ".join(f"select '{t.name}' where exists (select from {t.name})" for t in tables)
        with self.owner.begin() as connection:
            connection.execute(text("set local session_replication_role = replica"))
            filled = set(connection.scalars(text(ask)))
            for table in tables:
                if table.name in filled:
                    connection.execute(table.delete())
                    _count_from_one(connection, table)
        self.background.redis.flushall()
        requests.delete(self.mail_url + "/_sandbox/mails", timeout=60)
        requests.post(self.settings.stripe_api_base + "/_sandbox/reset", timeout=60)


@contextmanager
def running_instance(directory: Path) -> Iterator[Instance]:
    """Start what the TEST_ variables do not already give, with a migrated database and a bucket.

    Tests empty the database, so of several processes that test at once only the first may use what was given.
    """
    first = os.environ.get("PYTEST_XDIST_WORKER", "gw0") == "gw0"
    given = {name: value for name in _MIRRORS if first and (value := os.environ.get(name))}
    with Embedded(directory, durable=False, given=given) as services:
        env: dict[str, str] = {**services.env}
        for test_name, name in _MIRRORS.items():
            if test_name in given:
                env[name] = given[test_name]
        env |= {
            "ENVIRONMENT": "test",
            "BASE_URL": "http://localhost:8000",
            "SECRET_KEY": secrets.token_hex(32),
            "LOG_LEVEL": "WARNING",
            "BANK_ACCOUNT": "GB33BUKB20201555555555",
            "BANK_BIC": "BUKBGB22",
        }
        settings = Settings.from_env(env)
        prepare(settings)
        background = Services(settings, background=True)
        be_patient(background.engine)
        background.storage.ensure_bucket(settings.base_url)
        owner = create_engine(settings.database_url)
        yield Instance(env=env, settings=settings, owner=owner, background=background)
        owner.dispose()
        background.engine.dispose()


def be_patient(engine: Engine) -> None:
    """Let connections wait a minute for a lock: on a slow machine ten racers at one row take longer than 5 s."""

    @event.listens_for(engine, "connect")
    def _wait_long(connection: Any, _record: Any) -> None:
        connection.execute("set lock_timeout = '60s'; set statement_timeout = '120s'")
        connection.commit()


def _count_from_one(connection: Connection, table: Table) -> None:
    column = table.autoincrement_column
    if column is not None and column.type.python_type is int:
        connection.execute(text(f"select setval(pg_get_serial_sequence('{table.name}', '{column.name}'), 1, false)"))


def stripe_events(instance: Instance) -> list[dict[str, Any]]:
    """Every event the payments stand-in has made, oldest first."""
    answer = requests.get(instance.settings.stripe_api_base + "/_sandbox/events", timeout=60).json()
    return list(reversed(answer["events"]))
