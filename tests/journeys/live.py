"""The real processes of the product on ports of their own, for tests that use it as people do."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

from marketplace.accounts import operations as accounts
from marketplace.config import Settings
from marketplace.db.migrate import owner_engine, prepare
from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel.actor import system
from marketplace.services import Services
from sandbox.local.environment import WEBHOOK_PATH
from sandbox.local.environment import Instance as Local
from sandbox.local.processes import child_environment, long_running
from sandbox.services import standins
from sandbox.services.keys import Keys
from sandbox.services.ports import Ports
from sandbox.services.process import Process, ServiceFailed, describe_exit, wait_until_ready
from tests.kit.instance import Instance
from tests.kit.people import PASSWORD

OPERATOR = "operator@example.com"
#: A machine that runs much else may take this long, in seconds, to bring up four processes.
_READY_S = 180.0


@dataclass(frozen=True)
class Live:
    """A running product: its address, the stand-ins behind it, and its database."""

    base_url: str
    stripe_url: str
    mail_url: str
    env: Mapping[str, str]
    settings: Settings
    background: Services
    owner: Engine
    logs: Path

    def stripe(self, method: str, path: str, **body: Any) -> Any:
        """Call the control API of this product's own payments stand-in."""
        answer = requests.request(method, f"{self.stripe_url}/_sandbox{path}", json=body or None, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def mails(self, to: str) -> list[dict[str, Any]]:
        """Mails to an address, newest first."""
        answer = requests.get(self.mail_url + "/_sandbox/mails", params={"to": to}, timeout=60)
        found: list[dict[str, Any]] = answer.json()["mails"]
        return found

    def forget_limits(self) -> None:
        """Empty the counters of the rate limits, which all of a test's people share with their one address."""
        client = self.background.redis
        for key in client.scan_iter("LIMITS*"):
            client.delete(key)

    def count(self, query: str, **values: Any) -> int:
        """One number from the database."""
        with self.owner.connect() as connection:
            return int(connection.scalar(text(query), values) or 0)

    def text(self, query: str, **values: Any) -> str:
        """One text from the database."""
        with self.owner.connect() as connection:
            return str(connection.scalar(text(query), values) or "")


@contextmanager
def running(shared: Instance, directory: Path) -> Iterator[Live]:
    """Web with two processes, worker, relay and schedule, on a database, queue and bucket of their own."""
    ports, keys = Ports(), Keys(directory / "secrets.json")
    port = ports.take("web")
    base_url = f"http://localhost:{port}"
    webhooks = f"http://127.0.0.1:{port}{WEBHOOK_PATH}"
    stripe = standins.stripe(directory, keys, ports, child_environment({}), webhooks, durable=False)
    env = dict(shared.env) | {
        "BASE_URL": base_url,
        "PORT": str(port),
        "DATABASE_URL": _own_database(shared, "touchstone_journeys"),
        "REDIS_URL": shared.env["REDIS_URL"].removesuffix("/0").rstrip("/") + "/3",
        "S3_BUCKET": "journeys",
        "STRIPE_API_BASE": stripe.url,
        "STRIPE_WEBHOOK_SECRET": standins.webhook_secret(keys),
        "LOG_LEVEL": "INFO",
    }
    settings = Settings.from_env(env)
    prepare(settings)
    background = Services(settings, background=True)
    background.storage.ensure_bucket(base_url)
    background.redis.flushdb()
    with unit_of_work(background.engine, system("test")) as session:
        accounts.create_operator(
            session,
            system("test"),
            name="Olive Kerr",
            email=OPERATOR,
            password=PASSWORD,
            brand=settings.brand_name,
            country="GB",
        )
    children = [stripe, *_processes(directory, port, env)]
    owner = owner_engine(settings)
    try:
        for child in children:
            child.start()
        wait_until_ready(children, timeout=_READY_S)
        yield Live(base_url, stripe.url, shared.mail_url, env, settings, background, owner, directory / "logs")
        for child in children:
            if (status := child.poll()) is not None:
                raise ServiceFailed(describe_exit(child.name, status, child.log))
    finally:
        for child in reversed(children):
            child.request_stop()
        for child in reversed(children):
            with suppress(ProcessLookupError):
                child.stop(grace=3)
        background.engine.dispose()
        owner.dispose()


def _processes(directory: Path, port: int, env: Mapping[str, str]) -> list[Process]:
    """What `./dev run` starts, in the order it starts them."""
    quiet, workers, web = long_running(Local(directory, port, env), child_environment(env))
    return [web, *quiet, *workers]


def _own_database(shared: Instance, name: str) -> str:
    """The address of a new, empty database beside the shared one."""
    engine = owner_engine(shared.settings).execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'drop database if exists "{name}" with (force)'))
        connection.execute(text(f'create database "{name}"'))
    engine.dispose()
    return make_url(shared.settings.database_url).set(database=name).render_as_string(hide_password=False)
