"""How much of a term sheet the two sides agree on. Pure; nothing of it binds: only accepting a version does.

What a side last said about a term is its value in the side's own last offer, or in a version of the other side in which
it has since marked the term as agreed (until it takes the mark back). A term is agreed when both sides have said
something about it and last said the same. Counted are the terms of the license (not the offer's expiry) that either
side's last offer fills in, and those whose absence means "all".
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from marketplace.licensing.terms import Terms

#: Of the offer, not of the license.
OFFER_ONLY = frozenset({"valid_until"})
#: Absent, these mean all of them.
MEANT_EMPTY = frozenset({"channels", "categories", "metals"})


class Version(Protocol):
    """What an offer tells."""

    version: int
    side: str
    terms: dict[str, Any]


class Mark(Protocol):
    """A term marked (`agreed`) or no longer marked (`disagreed`) by a side, in a version."""

    @property
    def kind(self) -> str: ...
    @property
    def term(self) -> str | None: ...
    @property
    def version(self) -> int | None: ...
    @property
    def side(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Position:
    """Where the two stand on one term; a side that has said nothing has `said` False."""

    term: str
    designer: Any = None
    buyer: Any = None
    designer_said: bool = False
    buyer_said: bool = False
    marked: bool = False

    @property
    def agreed(self) -> bool:
        """Whether both last said the same."""
        return self.designer_said and self.buyer_said and self.designer == self.buyer


@dataclass(frozen=True, slots=True)
class Meter:
    """All counted terms in the order of the sheet."""

    positions: tuple[Position, ...]

    @property
    def total(self) -> int:
        """How many terms are counted."""
        return len(self.positions)

    @property
    def agreed(self) -> int:
        """How many of them are agreed."""
        return sum(p.agreed for p in self.positions)

    @property
    def open(self) -> list[Position]:
        """The terms still to be agreed."""
        return [p for p in self.positions if not p.agreed]

    def of(self, term: str) -> Position | None:
        """Where the two stand on this term; None when it is not counted."""
        return next((p for p in self.positions if p.term == term), None)


def measure(versions: Sequence[Version], marks: Iterable[Mark], *, accepted: bool = False) -> Meter:
    """The meter of a negotiation: `versions` oldest first, `marks` in the order they were made."""
    last = {offer.side: offer for offer in versions}
    if not last:
        return Meter(())
    by_version = {offer.version: offer.terms for offer in versions}
    marked = _standing_marks(last, marks)
    found = []
    for name in Terms.model_fields:
        if name in OFFER_ONLY or not (name in MEANT_EMPTY or any(_given(o.terms.get(name)) for o in last.values())):
            continue
        said: dict[str, Any] = {side: _value(offer.terms, name) for side, offer in last.items()}
        for (side, term), version in marked.items():
            if term == name and version in by_version:
                said[side] = _value(by_version[version], name)
        if accepted:
            final = _value(versions[-1].terms, name)
            said = {"designer": final, "buyer": final}
        found.append(
            Position(
                term=name,
                designer=said.get("designer"),
                buyer=said.get("buyer"),
                designer_said="designer" in said,
                buyer_said="buyer" in said,
                marked=any(term == name for _side, term in marked),
            )
        )
    return Meter(tuple(found))


def _standing_marks(last: Mapping[str, Version], marks: Iterable[Mark]) -> dict[tuple[str, str], int]:
    """(side, term) -> the version whose value it marked, where it has made no offer since and not taken it back."""
    standing: dict[tuple[str, str], int] = {}
    for mark in marks:
        if mark.term is None or mark.version is None:
            continue
        own = last.get(mark.side)
        if mark.kind == "agreed" and (own is None or mark.version > own.version):
            standing[mark.side, mark.term] = mark.version
        elif mark.kind == "disagreed":
            standing.pop((mark.side, mark.term), None)
    return standing


def _value(terms: Mapping[str, Any], name: str) -> Any:
    value = terms.get(name)
    return None if value == [] else value


def _given(value: Any) -> bool:
    return value is not None and value != []
