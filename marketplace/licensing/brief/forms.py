"""A brief as rows of a form: `b<n>-kind`, `-from`, `-to`, `-note`, `-body`, `-point`; empty rows are skipped.

Rows are added and taken out by buttons that send the form back unsent, so that it all works without a script.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import request
from pydantic import ValidationError
from werkzeug.datastructures import MultiDict

from marketplace.kernel.errors import Invalid
from marketplace.licensing.brief.consent import LEVELS, needed_for
from marketplace.licensing.brief.deltas import KINDS, MOST, Delta
from marketplace.web.forms import FormState, validated

_NAME = re.compile(r"b(\d{1,2})-(kind|from|to|note|body|point)")
_SINGLE = ("metal", "ring_size")
ADD, DROP = "brief-add", "brief-drop"


@dataclass(slots=True)
class RowIn:
    """One row as it was typed; `number` is that of its fields."""

    number: int
    kind: str
    was: str = ""
    to: str = ""
    note: str = ""
    body: str = ""
    point: str = ""

    @property
    def empty(self) -> bool:
        """Whether nothing is asked for: no words, or the metal and size that are there already."""
        if self.kind in _SINGLE:
            return not self.to or self.to == self.was
        return not (self.to or self.note or self.point)

    def given(self) -> dict[str, Any]:
        """The change as data."""
        point = [float(number) for number in self.point.split(",")] if self.point else None
        return {
            "kind": self.kind,
            "from": self.was or None,
            "to": self.to or None,
            "note": self.note or None,
            "body": self.body or None,
            "point": point,
        }


def rows(values: Mapping[str, Any]) -> list[RowIn]:
    """The rows of a form in the order of their numbers; a metal and a ring size stand first, typed or not."""
    found: dict[int, RowIn] = {}
    for name, value in values.items():
        part = _NAME.fullmatch(str(name))
        if part is None:
            continue
        row = found.setdefault(int(part[1]), RowIn(int(part[1]), ""))
        text = value if isinstance(value, str) else str(value[0] if value else "")
        setattr(row, "was" if part[2] == "from" else part[2], text.strip())
    listed = [found[number] for number in sorted(found) if found[number].kind in KINDS][:MOST]
    first: list[RowIn] = []
    for kind in _SINGLE:
        typed = next((row for row in listed if row.kind == kind), None)
        first.append(typed if typed is not None else RowIn(next_number([*listed, *first]), kind))
    return first + [row for row in listed if row.kind not in _SINGLE]


def next_number(listed: Sequence[RowIn]) -> int:
    """A number that no row has."""
    return max((row.number for row in listed), default=-1) + 1


def read_brief(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The changes of a submitted form. Raises Invalid naming the field of the row that cannot be."""
    made: list[dict[str, Any]] = []
    problems: dict[str, str] = {}
    for row in rows(values):
        if row.empty:
            continue
        try:
            made.append(validated(Delta, row.given()).model_dump(mode="json"))
        except Invalid as error:
            problems |= {f"b{row.number}-{name or 'to'}": text for name, text in error.fields.items()}
        except (ValueError, ValidationError):
            problems[f"b{row.number}-point"] = "The pin does not lie on the piece."
    if problems:
        raise Invalid("invalid", "Please correct the marked fields.", fields=problems)
    return made


def form_rows(brief: Sequence[Mapping[str, Any]] | None) -> dict[str, str]:
    """A stored brief as the fields of a form."""
    values = {}
    for number, item in enumerate(brief or []):
        for name, value in item.items():
            values[f"b{number}-{name}"] = ",".join(map(str, value)) if name == "point" else str(value)
    return values


def edited() -> FormState | None:
    """The submitted form with a row added or taken out, when that is all that was asked for."""
    add, drop = request.form.get(ADD), request.form.get(DROP)
    if add not in KINDS and drop is None:
        return None
    values: MultiDict[str, str] = MultiDict(request.form)
    if add in KINDS:
        numbers = [int(found[1]) for name in values if (found := _NAME.fullmatch(name))]
        values[f"b{max(numbers, default=1) + 1}-kind"] = add
    for name in list(values):
        if drop is not None and name.startswith(f"b{drop}-"):
            values.poplist(name)
    return FormState(values=values)


def level(values: Mapping[str, Any]) -> str:
    """What a form's brief takes (consent.LEVELS)."""
    return max((needed_for(row.kind) for row in rows(values) if not row.empty), key=LEVELS.index, default="none")
