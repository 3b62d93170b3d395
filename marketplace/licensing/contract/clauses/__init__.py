"""The agreement's clauses by version. A set that was ever used stays as it is: old licenses keep their text."""

from collections.abc import Callable, Mapping
from typing import Any

from marketplace.licensing.contract.clauses import set_2026_10, set_2026_11, set_2026_11_21
from marketplace.licensing.contract.clauses.clause import Clause

_SETS: dict[str, Callable[[Mapping[str, Any]], list[Clause]]] = {
    "2026-10": lambda terms: [Clause(title, text) for title, text in set_2026_10.clauses(terms)],
    "2026-11": set_2026_11.clauses,
    "2026-11-21": set_2026_11_21.clauses,
}


def clauses(version: str, terms: Mapping[str, Any]) -> list[Clause]:
    """The clauses that terms call for, in the current language. Raises KeyError for a version that never was."""
    return _SETS[version](terms)
