"""`/healthz`: the process answers. `/readyz`: it can do its work; 503 names what is missing."""

from collections.abc import Callable
from pathlib import Path

from flask import Blueprint, Response, jsonify
from sqlalchemy import text

from marketplace.services import Services
from marketplace.web.call import services

blueprint = Blueprint("health", __name__)
MIGRATIONS = Path(__file__).parents[1] / "db" / "migrations"


@blueprint.get("/healthz")
def healthz() -> Response:
    """Alive."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def readyz() -> tuple[Response, int]:
    """Ready, or what is not."""
    checks: dict[str, Callable[[Services], None]] = {
        "database": _database,
        "migrations": _migrations,
        "queue": _queue,
        "storage": _storage,
    }
    found: dict[str, str] = {}
    for name, check in checks.items():
        try:
            check(services())
            found[name] = "ok"
        except Exception as error:
            found[name] = f"failed: {type(error).__name__}"
    ready = all(v == "ok" for v in found.values())
    return jsonify(status="ready" if ready else "not ready", checks=found), 200 if ready else 503


def head_revision() -> str:
    """The newest migration in the code; the files are numbered in their order (Alembic would take long to import)."""
    return max((path.stem.partition("_")[0] for path in MIGRATIONS.glob("versions/[0-9]*.py")), default="")


def _database(provided: Services) -> None:
    with provided.engine.connect() as connection:
        connection.execute(text("select 1"))


def _migrations(provided: Services) -> None:
    with provided.engine.connect() as connection:
        at = connection.scalar(text("select version_num from alembic_version"))
    if at != head_revision():
        raise RuntimeError(f"the database is at {at}; run `marketplace release`")


def _queue(provided: Services) -> None:
    provided.redis.ping()


def _storage(provided: Services) -> None:
    provided.storage.ping()
