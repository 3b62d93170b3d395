"""Bringing a database to the code's version: roles first, then migrations, as the owner."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, pool
from sqlalchemy.orm import Session

from marketplace.config import WEB_ROLE, WORKER_ROLE, Settings, role_password
from marketplace.db.locks import lock_name
from marketplace.db.row_security import ensure_role, grant_tables

SCRIPTS = Path(__file__).parent / "migrations"


def owner_engine(settings: Settings) -> Engine:
    """An engine as the owner of the tables; only for migrations."""
    return create_engine(settings.database_url, poolclass=pool.NullPool)


def prepare(settings: Settings) -> None:
    """Create the run-time roles and apply every migration; safe to run again and by two at once."""
    engine = owner_engine(settings)
    with Session(engine) as guard, guard.begin():
        lock_name(guard, "touchstone release")
        with engine.begin() as connection:
            for role in (WEB_ROLE, WORKER_ROLE):
                ensure_role(connection, role, role_password(settings.secret_key, role))
        migrate(engine, "head")
        with engine.begin() as connection:
            grant_tables(connection)
    engine.dispose()


def migrate(engine: Engine, target: str) -> None:
    """Move to a revision, up or down ("head", "base", or an id)."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        if target == "base" or target.startswith("-"):
            command.downgrade(config, target)
        else:
            command.upgrade(config, target)
        connection.commit()
