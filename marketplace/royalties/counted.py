"""A line of a statement before it is written, and which were written."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from marketplace.royalties.models import StatementLine


@dataclass(frozen=True, slots=True)
class Counted:
    """A line before it is written, see models.StatementLine."""

    kind: str
    source_id: str
    day: date
    reference: str
    quantity: int
    base: int
    royalty: int
    paid: int = 0
    gross: int | None = None
    serials: str | None = None
    territory: str | None = None
    channel: str | None = None
    flags: tuple[str, ...] = ()
    note: str | None = None


def known(kind: str, license_id: str) -> Any:
    """The sources of a license's lines of a kind, to be asked in a query."""
    return select(StatementLine.source_id).where(StatementLine.license_id == license_id, StatementLine.kind == kind)
