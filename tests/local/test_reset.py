from pathlib import Path

import pytest

from sandbox.local import reset
from sandbox.local.environment import Instance, find_instance
from sandbox.local.lock import acquire
from sandbox.local.terminal import Trouble

_STORES = ("postgres", "valkey", "s3", "mail")


@pytest.fixture
def instance(base: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    """An instance with data in a directory of its own, found through LOCAL_DIR."""
    directory = base / "moved data"
    for name in _STORES:
        (directory / name).mkdir(parents=True)
    (directory / "secrets.json").write_text("{}")
    monkeypatch.setenv("LOCAL_DIR", str(directory))
    for name in ("DATABASE_URL", "REDIS_URL", "S3_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    return find_instance()


def test_reset_deletes_the_instance_when_told_so(instance: Instance) -> None:
    assert reset.main(["--yes"]) == 0
    assert not instance.directory.exists()


def test_reset_asks_and_no_terminal_means_no(instance: Instance) -> None:
    with pytest.raises(Trouble, match="no terminal"):
        reset.main([])
    assert instance.secrets.exists()


def test_reset_refuses_while_the_instance_runs(instance: Instance) -> None:
    with acquire(instance.lock), pytest.raises(Trouble, match="is running"):
        reset.main(["--yes"])
    assert instance.secrets.exists()


def test_reset_leaves_a_directory_that_is_no_instance_alone(instance: Instance) -> None:
    instance.secrets.unlink()
    with pytest.raises(Trouble, match="does not look like"):
        reset.main(["--yes"])
    assert (instance.directory / "postgres").exists()


def test_a_half_made_demo_world_is_forgotten_and_the_keys_are_kept(instance: Instance) -> None:
    instance.seeding.touch()
    for name in ("stripe.json", "stripe.json-wal", "cluster.json"):
        (instance.directory / name).write_text("{}")
    assert reset.forget_unfinished(instance)
    assert sorted(path.name for path in instance.directory.iterdir()) == ["secrets.json"]


def test_finished_data_is_never_forgotten(instance: Instance) -> None:
    assert not reset.forget_unfinished(instance)
    assert all((instance.directory / name).exists() for name in _STORES)


def test_stores_elsewhere_are_never_forgotten(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/db")
    instance.seeding.touch()
    assert not reset.forget_unfinished(find_instance())
    assert (instance.directory / "s3").exists()
