"""Saying things in English and, when a party reads it or it governs, in Chinese beside it."""

from collections.abc import Callable
from typing import Any

from flask_babel import force_locale

Pair = dict[str, str | None]


class Both:
    """`second` is a Chinese locale, or None. Call it inside an application context."""

    def __init__(self, second: str | None) -> None:
        self.second = second

    def pair(self, say: Callable[[], str | None]) -> Pair:
        """One text in both languages."""
        return {"first": self._in("en", say), "second": self._in(self.second, say) if self.second else None}

    def rows(self, make: Callable[[], list[dict[str, str | None]]]) -> list[dict[str, Pair]]:
        """Rows of texts, each of its texts in both languages."""
        with force_locale("en"):
            first = make()
        if self.second is None:
            return [{name: {"first": text, "second": None} for name, text in row.items()} for row in first]
        with force_locale(self.second):
            second = make()
        return [
            {name: {"first": text, "second": other[name]} for name, text in row.items()}
            for row, other in zip(first, second, strict=True)
        ]

    @staticmethod
    def _in(locale: str, say: Callable[[], Any]) -> str | None:
        with force_locale(locale):
            found = say()
        return None if found is None else str(found)
