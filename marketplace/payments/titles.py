"""What a payment is for: kept as what it is made of (purpose and `about`), said in each reader's own language."""

from collections.abc import Mapping
from typing import Any, Protocol

from flask_babel import gettext as _

from ai_pipeline.errors import N_

#: purpose -> the title; its words are the keys of `about`. English stands in the books and in what a bank is sent.
PATTERNS: Mapping[str, str] = {
    "license": N_("License for %(design)s"),
    "order": N_("Order %(reference)s: %(design)s × %(quantity)s"),
    "royalty": N_("Royalty statement %(number)s for %(design)s"),
}


class Titled(Protocol):
    """A payment, a share of one, a refund or a dispute."""

    @property
    def purpose(self) -> str: ...
    @property
    def about(self) -> dict[str, Any]: ...
    @property
    def description(self) -> str: ...


def plain(purpose: str, about: Mapping[str, Any]) -> str:
    """The title in English, at most 300 characters. Raises KeyError when `about` lacks a word of it."""
    return (PATTERNS[purpose] % about)[:300]


def title(row: Titled) -> str:
    """The title in the current language; of a row that was made before titles were kept in parts, as it was written."""
    return said(row.purpose, row.about, row.description)


def said(purpose: str, about: Mapping[str, Any], otherwise: str) -> str:
    """The same by its parts; `otherwise` when there are none."""
    pattern = PATTERNS.get(purpose)
    return _(pattern) % about if pattern and about else otherwise


def param(row: Titled) -> Any:
    """The title as a parameter of a notification, which says it in the language of each who is told."""
    if not row.about or row.purpose not in PATTERNS:
        return row.description
    return {"message": PATTERNS[row.purpose], "params": row.about}
