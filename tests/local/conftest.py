"""Fixtures of the tests of `./dev`: directories that are awkward on purpose."""

from pathlib import Path

import pytest


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """An instance's directory with a space in its name."""
    made = tmp_path / "an instance"
    made.mkdir()
    return made
