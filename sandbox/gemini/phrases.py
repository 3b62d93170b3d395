"""Sentences of negotiations in five languages, from phrases.csv.

`{n}` and `{m}` are numbers, other slots are a few words. Messages written with these sentences are translated whole,
so the demo world uses them.
"""

import csv
from pathlib import Path

_TABLE = Path(__file__).with_name("phrases.csv")


def load() -> list[dict[str, str]]:
    """One dict per sentence, by language."""
    with _TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
