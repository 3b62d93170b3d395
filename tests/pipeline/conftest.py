"""Where the real input lies, and the `full` marker: every file instead of a sample."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def pytest_configure(config: pytest.Config) -> None:
    """Make `-m full` known."""
    config.addinivalue_line("markers", "full: walks every file of the real input; only with -m full")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the full walks out unless they are asked for by name."""
    if "full" in (config.getoption("-m") or ""):
        return
    skip = pytest.mark.skip(reason="every file of the real input: run with -m full")
    for item in items:
        if item.get_closest_marker("full"):
            item.add_marker(skip)


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real input."""
    folder = Path(os.environ.get("TOUCHSTONE_DATA") or ROOT.parent / "shared" / "data")
    if not (folder / "cad" / "truth.json").is_file():
        pytest.skip("the real input is not here: set TOUCHSTONE_DATA or put it at ../shared/data")
    return folder
