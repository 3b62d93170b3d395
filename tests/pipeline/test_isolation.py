"""What the child that reads uploads can and cannot do."""

from pathlib import Path

import pytest

from ai_pipeline.child import run_in_child
from ai_pipeline.errors import REASONS, Unreadable
from ai_pipeline.imaging.report import PhotoReport
from ai_pipeline.intake import inspect_cad, inspect_photo, probe_isolation
from ai_pipeline.isolation import Limits
from tests.pipeline.shapes import box, write_stl


@pytest.fixture
def upload(tmp_path: Path) -> tuple[Path, Path]:
    """An uploaded file and the folder for what is made of it."""
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    return write_stl(box(), tmp_path / "in" / "box.stl"), tmp_path / "out"


def test_the_child_reaches_no_network_no_program_and_no_other_file(upload: tuple[Path, Path]) -> None:
    report = probe_isolation(*upload)
    assert report.reading is not None
    if report.reading.isolation != "landlock+seccomp":
        pytest.skip(f"this kernel offers only {report.reading.isolation}")
    assert report.possible == []


def test_the_child_inherits_neither_environment_nor_files(
    upload: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIPE_API_KEY", "sk_live_secret")
    with upload[0].open("rb") as held:
        report = probe_isolation(*upload)
        assert held.fileno() > 0
    assert not {"STRIPE_API_KEY", "PATH", "DATABASE_URL"} & set(report.environment)
    # Standard input, output and error, and the pipe of the answer.
    assert report.open_files <= 5


def test_a_task_that_outstays_its_time_is_killed_with_its_group(upload: tuple[Path, Path]) -> None:
    with pytest.raises(Unreadable) as refused:
        run_in_child(
            "cad",
            {"filename": "box.stl", "declared_type": "", "unit": None},
            PhotoReport,
            read=upload[0],
            out_dir=upload[1],
            limits=Limits(wall_s=0.05, cpu_s=5, memory_mb=2048, file_mb=10),
        )
    assert refused.value.code == "took_too_long"
    assert not [p for p in Path("/proc").glob("[0-9]*/cmdline") if str(upload[0]).encode() in _read(p)]


def test_a_task_that_runs_out_of_memory_is_a_typed_refusal(upload: tuple[Path, Path]) -> None:
    with pytest.raises(Unreadable) as refused:
        run_in_child(
            "cad",
            {"filename": "box.stl", "declared_type": "", "unit": None},
            PhotoReport,
            read=upload[0],
            out_dir=upload[1],
            limits=Limits(wall_s=20, cpu_s=10, memory_mb=96, file_mb=10),
        )
    assert refused.value.code in ("needs_too_much_memory", "reader_stopped")


def test_a_refusal_never_names_a_path_of_this_machine(tmp_path: Path) -> None:
    (tmp_path / "x.jpg").write_bytes(b"\xff\xd8\xff\xe0" + b"junk" * 50)
    with pytest.raises(Unreadable) as refused:
        inspect_photo(tmp_path / "x.jpg", filename="x.jpg", declared_type="image/jpeg", out_dir=tmp_path)
    assert str(tmp_path) not in refused.value.message


def test_an_empty_file_says_that_it_is_empty(tmp_path: Path) -> None:
    (tmp_path / "ring.stl").touch()
    with pytest.raises(Unreadable) as refused:
        inspect_cad(tmp_path / "ring.stl", filename="ring.stl", declared_type="", out_dir=tmp_path)
    assert (refused.value.code, refused.value.message) == ("empty_file", REASONS["empty_file"])


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
