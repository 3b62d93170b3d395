"""Search words of a text: NFKC, case folded, Han characters as pairs (no spaces separate Chinese words)."""

import re
import unicodedata
from collections.abc import Iterable

_WORD = re.compile(r"[^\W_]+")
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
_MAX = 400


def search_words(text: str) -> list[str]:
    """The words of a text as they are indexed and searched; a single Han character stays alone."""
    words: list[str] = []
    for token in _WORD.findall(unicodedata.normalize("NFKC", text).casefold()):
        rest = 0
        for run in _HAN.finditer(token):
            words += [token[rest : run.start()]] if run.start() > rest else []
            words += _pairs(run.group())
            rest = run.end()
        words += [token[rest:]] if rest < len(token) else []
    return words


def search_text(parts: Iterable[str]) -> str:
    """What is stored for full-text search: every word once, at most 400."""
    seen: dict[str, None] = {}
    for part in parts:
        seen.update(dict.fromkeys(search_words(part)))
    return " ".join(list(seen)[:_MAX])


def _pairs(run: str) -> list[str]:
    # Single characters are kept as well, so that a one-character search finds something.
    return [*run, *(run[i : i + 2] for i in range(len(run) - 1))] if len(run) > 1 else [run]
