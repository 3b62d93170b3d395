"""What a clause is, and how clauses speak of a license's terms."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from marketplace.licensing.term_words import rows
from marketplace.web.i18n import locale_code


class Clause(NamedTuple):
    """One clause; `short` says it plainly and binds nobody."""

    title: str
    text: str
    short: str | None = None


class Said:
    """The terms of a license in the current language."""

    def __init__(self, terms: Mapping[str, Any]) -> None:
        self._rows = {row["name"]: row["value"] for row in rows(terms, binding=True)}

    def __getitem__(self, name: str) -> str:
        return self._rows.get(name, "–")

    def get(self, name: str, default: str) -> str:
        """What is said of a term, `default` when it is not given."""
        return self._rows.get(name, default)


def together(*sentences: str) -> str:
    """Sentences as one paragraph; Chinese ones follow each other without a space."""
    return ("" if locale_code().startswith("zh") else " ").join(sentence for sentence in sentences if sentence)
