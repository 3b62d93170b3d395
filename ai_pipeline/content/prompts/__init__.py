"""Versioned instructions. The version of a prompt is the name of its file; a change of words is a new file."""

from pathlib import Path

FOLDER = Path(__file__).parent


def instruction(version: str) -> str:
    """The text of a prompt such as `story.v1`."""
    return (FOLDER / f"{version}.txt").read_text(encoding="utf-8")
