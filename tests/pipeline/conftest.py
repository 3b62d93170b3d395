"""Where the real input lies."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real input."""
    folder = Path(os.environ.get("TOUCHSTONE_DATA") or ROOT.parent / "shared" / "data")
    if not (folder / "cad" / "truth.json").is_file():
        pytest.skip("the real input is not here: set TOUCHSTONE_DATA or put it at ../shared/data")
    return folder
