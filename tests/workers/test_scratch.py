"""What a worker's jobs put on the disk goes with them."""

import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from workers import scratch


@pytest.fixture(autouse=True)
def _own_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_temporary_files_stand_in_a_folder_of_the_worker(tmp_path: Path) -> None:
    folder = scratch.claim()
    assert folder.parent == tmp_path
    assert Path(tempfile.mkdtemp()).parent == folder
    assert folder.stat().st_mode & 0o777 == 0o700


def test_what_a_killed_job_left_is_removed_and_the_folder_stays(tmp_path: Path) -> None:
    folder = scratch.claim()
    (folder / "asset-1").mkdir()
    (folder / "asset-1" / "input").write_bytes(b"somebody's design")
    (folder / "loose").write_bytes(b"x")
    outside = tmp_path / "outside"
    outside.mkdir()
    (folder / "link").symlink_to(outside)
    scratch.clear(folder)
    assert list(folder.iterdir()) == []
    assert outside.is_dir()


def test_folders_of_workers_that_are_gone_go_and_those_of_living_ones_stay(tmp_path: Path) -> None:
    ended = subprocess.Popen(["/bin/true"])
    ended.wait()
    gone, living = tmp_path / f"touchstone-{ended.pid}-abc", tmp_path / f"touchstone-{os.getppid()}-abc"
    for folder in (gone, living):
        folder.mkdir()
        (folder / "file").write_bytes(b"x")
    scratch.claim()
    assert not gone.exists()
    assert (living / "file").exists()


def test_workers_that_begin_at_once_do_not_trip_over_one_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = subprocess.Popen(["/bin/true"])
    ended.wait()
    gone = tmp_path / f"touchstone-{ended.pid}-abc"
    gone.mkdir()
    runs = scratch._runs

    def another_is_faster(pid: int) -> bool:
        gone.rmdir()
        return runs(pid)

    monkeypatch.setattr(scratch, "_runs", another_is_faster)
    assert scratch.claim().is_dir()
