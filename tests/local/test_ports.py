import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.local import preflight
from sandbox.local.environment import find_instance
from sandbox.local.lock import acquire, holder, refuse_second
from sandbox.local.terminal import Trouble
from sandbox.services.ports import Ports


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which this process listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_free_port_stays_the_same_from_start_to_start(base: Path) -> None:
    first = Ports(base / "ports.json").take("web")
    assert Ports(base / "ports.json").take("web") == first


def test_a_taken_port_is_replaced(base: Path, taken: int) -> None:
    (base / "ports.json").write_text(f'{{"web": {taken}}}')
    assert Ports(base / "ports.json").take("web") != taken


def test_a_damaged_file_of_ports_costs_nothing(base: Path) -> None:
    (base / "ports.json").write_text("{")
    assert Ports(base / "ports.json").take("web") > 1024


def test_two_names_never_share_a_port(base: Path) -> None:
    (base / "ports.json").write_text('{"a": 21000, "b": 21000}')
    ports = Ports(base / "ports.json")
    assert ports.take("a") != ports.take("b")


def test_a_port_in_use_is_told_with_its_owner_and_a_way_out(base: Path, taken: int) -> None:
    instance = find_instance({"PORT": str(taken), "LOCAL_DIR": str(base)}, base)
    with pytest.raises(Trouble, match=f"Port {taken} is in use by") as told:
        preflight.check(instance)
    if Path("/proc/net/tcp").exists():
        assert f"process {os.getpid()}" in str(told.value)
    assert f"PORT={taken + 1} ./dev run" in told.value.advice


def test_a_directory_of_something_else_is_left_alone(base: Path) -> None:
    (base / "thesis.tex").touch()
    with pytest.raises(Trouble, match="something else"):
        preflight.check(find_instance({"LOCAL_DIR": str(base)}, base))


def test_a_full_disk_is_told_before_anything_starts(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "_NEEDED_BYTES", 2**62)
    with pytest.raises(Trouble, match="MB left") as told:
        preflight.check(find_instance({"LOCAL_DIR": str(base)}, base))
    assert "Free some space" in told.value.advice


def test_a_second_start_is_refused_and_names_the_first(base: Path) -> None:
    file = base / "run.lock"
    refuse_second(file)
    with acquire(file):
        with pytest.raises(Trouble, match=f"process {os.getpid()}"):
            refuse_second(file)
        with pytest.raises(Trouble, match="already running"):
            acquire(file)
    assert holder(file) is None
