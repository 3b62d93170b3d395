import importlib.machinery
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from sandbox.local.environment import CHECKOUT


@pytest.fixture(scope="module")
def dev() -> ModuleType:
    """The script as a module."""
    loader = importlib.machinery.SourceFileLoader("dev", str(CHECKOUT / "dev"))
    spec = importlib.util.spec_from_loader("dev", loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def _run(checkout: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(checkout / "dev"), *arguments],
        cwd="/",
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def bare(base: Path) -> Path:
    """A checkout without an environment, at a path with a space."""
    shutil.copy(CHECKOUT / "dev", base / "dev")
    shutil.copy(CHECKOUT / "requirements-dev.lock", base)
    return base


def test_help_names_every_command() -> None:
    told = _run(CHECKOUT, "--help")
    assert told.returncode == 0
    for command in ("run", "test", "cli", "demo", "doctor", "reset"):
        assert f"\n  {command} " in told.stdout


def test_an_unknown_command_is_refused() -> None:
    told = _run(CHECKOUT, "ruin")
    assert told.returncode == 2
    assert "no command 'ruin'" in told.stderr


@pytest.mark.parametrize("command", ["cli", "demo", "doctor", "reset"])
def test_without_an_environment_a_command_says_how_to_get_one(bare: Path, command: str) -> None:
    told = _run(bare, command)
    assert told.returncode == 1
    assert "./dev run makes it" in told.stderr
    assert "Traceback" not in told.stderr


def test_the_script_parses_on_pythons_that_are_too_old() -> None:
    source = (CHECKOUT / "dev").read_text()
    compile(source, "dev", "exec", dont_inherit=True, flags=0)
    assert "from __future__ import annotations" in source
    assert "match " not in [line.strip()[:6] for line in source.splitlines()]
    assert ":=" not in source


@pytest.mark.parametrize(
    ("said", "happened", "advice"),
    [
        ("OSError: [Errno 28] No space left on device", "disk is full", "Free some space"),
        ("The virtual environment was not created because ensurepip is not available.", "venv", "python3-venv"),
        ("error: Failed to build `numpy==2.1`\n  sh: gcc: not found", "compiled", "build-essential"),
        ("has no wheels with a matching platform tag (`musllinux_1_2_x86_64`)", "platform", "glibc"),
        ("THESE PACKAGES DO NOT MATCH THE HASHES", "not the locked one", "do not install"),
        ("error: Failed to fetch: `https://...`\n dns error", "cannot be reached", "connection"),
        ("something nobody foresaw", "failed", "deleting .venv"),
    ],
)
def test_a_failed_set_up_says_what_happened_and_what_to_do(
    dev: ModuleType, said: str, happened: str, advice: str
) -> None:
    told = dev.explain(said)
    assert happened in told[0]
    assert said.splitlines()[-1].strip() in told[0]
    assert advice in told[1]


def test_a_killed_set_up_says_so(dev: ModuleType) -> None:
    assert "killed by signal 9" in dev.explain("", -9)[0]


def test_the_environment_is_made_anew_when_the_lock_or_the_place_changes(
    dev: ModuleType, bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dev, "LOCK", bare / "requirements-dev.lock")
    first = dev.fingerprint()
    assert dev.fingerprint() == first
    dev.LOCK.write_text(dev.LOCK.read_text() + "#\n")
    changed = dev.fingerprint()
    assert changed != first
    monkeypatch.setattr(dev, "VENV", bare / "moved")
    assert dev.fingerprint() != changed


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_lock_files_name_no_host_and_hash_every_package(name: str) -> None:
    text = (CHECKOUT / name).read_text()
    assert "://" not in text
    packages = [block for block in text.split("\n") if "==" in block and not block.startswith((" ", "#"))]
    assert len(packages) > 50
    assert all(line.endswith("\\") for line in packages)


def test_procfile_and_supervisor_run_the_same_programs() -> None:
    procfile = dict(line.split(": ", 1) for line in (CHECKOUT / "Procfile").read_text().splitlines())
    source = (CHECKOUT / "sandbox" / "local" / "processes.py").read_text()
    assert list(procfile) == ["release", "web", "worker", "relay", "schedule", "quick"]
    for name in ("worker", "relay", "schedule", "quick"):
        assert f'"{procfile[name].split()[-1]}"' in source
    assert '("--workers", "1", "--blocking-threads", "16")' in source
    assert procfile["web"].endswith("--workers 2 --blocking-threads 8")
