import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest
import redis
from botocore.config import Config

from sandbox.local.environment import CHECKOUT
from sandbox.services import Services
from sandbox.services.clusters import noted_cluster
from sandbox.services.process import wait_until_ready

_SPAWNS = (
    "import sys, time\n"
    "from sandbox.services import Services\n"
    "services = Services(sys.argv[1], stand_ins=False)\n"
    "services.spawn(); services.wait()\n"
    "print(*[child.pid for child in services.children], flush=True)\n"
    "time.sleep(60)\n"
)


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """A durable group in a directory with a space in its name, as `./dev run` has it."""
    group = Services(tmp_path_factory.mktemp("an instance"), stand_ins=False)
    with group:
        yield group
    _forget_cluster(group)


def _forget_cluster(group: Services) -> None:
    cluster = noted_cluster(group.base)
    if cluster:
        subprocess.run(["rm", "-rf", str(cluster)], check=True)


def _rows(url: str, statement: str) -> list[Any]:
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute(statement)
        return found.fetchall() if found.description else []


def _bucket(env: dict[str, str]) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=env["S3_ENDPOINT_URL"],
        aws_access_key_id=env["S3_ACCESS_KEY_ID"],
        aws_secret_access_key=env["S3_SECRET_ACCESS_KEY"],
        region_name=env["S3_REGION"],
        config=Config(s3={"addressing_style": "path"}),
    )


def _crash(child: Any) -> None:
    """Kill a service, see it dead, start it again on the same files and wait for it."""
    os.kill(child.pid, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert child.poll() == -signal.SIGKILL
    child.start()
    wait_until_ready([child])


def test_a_killed_database_keeps_what_was_committed(services: Services) -> None:
    url = services.env["DATABASE_URL"]
    _rows(url, "create table kept (n int)")
    _rows(url, "insert into kept values (7)")
    _crash(services.postgres)
    assert _rows(url, "select n from kept") == [(7,)]


def test_a_killed_queue_keeps_what_was_pushed(services: Services) -> None:
    client = redis.Redis.from_url(services.env["REDIS_URL"])
    client.rpush("queue", *range(200))
    _crash(services.stores[1])
    assert client.llen("queue") == 200
    client.close()


def test_a_killed_object_store_keeps_what_was_put(services: Services) -> None:
    client = _bucket(services.env)
    client.put_object(Bucket=services.env["S3_BUCKET"], Key="ring.stl", Body=b"solid")
    _crash(services.stores[2])
    assert client.get_object(Bucket=services.env["S3_BUCKET"], Key="ring.stl")["Body"].read() == b"solid"
    client.close()


def test_every_service_asks_for_its_password(services: Services) -> None:
    host = services.env["DATABASE_URL"].rpartition("@")[2]
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"postgresql://app:guess@{host}").close()
    address = services.env["REDIS_URL"].rpartition("@")[2]
    client = redis.Redis.from_url(f"redis://{address}")
    with pytest.raises(redis.AuthenticationError):
        client.ping()
    client.close()
    wrong = _bucket({**services.env, "S3_SECRET_ACCESS_KEY": "guess"})
    with pytest.raises(wrong.exceptions.ClientError, match="SignatureDoesNotMatch"):
        wrong.list_buckets()
    wrong.close()


def test_secrets_are_readable_by_their_owner_alone(services: Services) -> None:
    for name in ("secrets.json", "s3-identities.json", "valkey/valkey.conf"):
        assert (services.base / name).stat().st_mode & 0o077 == 0


def test_two_groups_run_side_by_side_and_a_throw_away_one_leaves_no_database(
    services: Services, tmp_path: Path
) -> None:
    with Services(tmp_path / "second", durable=False, stand_ins=False) as second:
        assert second.postgres
        cluster = second.postgres.cluster
        assert cluster
        assert cluster.exists()
        _rows(second.env["TEST_DATABASE_URL"], "create table kept_elsewhere (n int)")
        assert _rows(services.env["DATABASE_URL"], "select to_regclass('kept_elsewhere')") == [(None,)]
    assert not cluster.exists()


def test_what_is_given_is_not_started(tmp_path: Path) -> None:
    given = {"DATABASE_URL": "postgresql://db/x", "REDIS_URL": "redis://r", "S3_ENDPOINT_URL": "https://s3"}
    group = Services(tmp_path, given={**given, "STRIPE_API_KEY": "sk_test_own", "SMTP_URL": "smtp://m:25"})
    assert [child.name for child in group.children] == ["gemini", "rates", "tsa"]
    assert {"DATABASE_URL", "REDIS_URL", "S3_ENDPOINT_URL", "STRIPE_API_BASE", "SMTP_URL"}.isdisjoint(group.env)


def test_a_test_address_stands_for_its_setting(tmp_path: Path) -> None:
    group = Services(tmp_path, durable=False, stand_ins=False, given={"TEST_DATABASE_URL": "postgresql://db/x"})
    assert [child.name for child in group.children] == ["valkey", "seaweed"]


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")
def test_nothing_is_left_when_the_parent_is_killed_and_the_next_start_finds_the_data(base: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", _SPAWNS, str(base)], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout
    children = [int(pid) for pid in parent.stdout.readline().split()]
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert len(children) == 3
    with Services(base, stand_ins=False) as again:  # waits for the dying, then starts on the same files
        assert again.postgres
        assert not again.postgres.created
        assert _eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children))
    _forget_cluster(again)


def _eventually(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 60
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.05)
    return holds()
