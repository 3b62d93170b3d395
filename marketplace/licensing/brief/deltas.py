"""One change that a brief asks for, as typed data with one canonical form."""

import math
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)

from marketplace.gateways.casting import ring_size
from marketplace.licensing.binding import binding_text
from marketplace.licensing.vocabulary import ALLOYS_OF

Kind = Literal["metal", "ring_size", "stones", "engraving", "edit"]
#: In the order a brief lists them.
KINDS: tuple[Kind, ...] = ("metal", "ring_size", "stones", "engraving", "edit")
#: A brief is about one metal and one size; more of them are orders' lines.
SINGLE: tuple[Kind, ...] = ("metal", "ring_size")
MOST = 30
#: Millimeters from the middle of the piece beyond which a pin is on no jewelry.
FAR = 500.0

_ALLOYS = frozenset(alloy for alloys in ALLOYS_OF.values() for alloy in alloys)
_Text = Annotated[str, AfterValidator(binding_text)]


class Delta(BaseModel):
    """One change. `was` ("from" in JSON) and `to` are alloy codes, ring sizes ("US 6.5"), stones or engraved words.

    An edit has a `note` and a place: `point`, in mm from the middle of the piece as it stands in its likeness (x to the
    right, y up, z toward the reader), a `body` of the model or named part, or both.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, str_strip_whitespace=True)

    kind: Kind
    was: Annotated[_Text, Field(max_length=120)] | None = Field(default=None, alias="from")
    to: Annotated[_Text, Field(max_length=120)] | None = None
    note: Annotated[_Text, Field(max_length=600)] | None = None
    body: Annotated[_Text, Field(max_length=80)] | None = None
    point: tuple[float, float, float] | None = None

    @field_validator("was", "to")
    @classmethod
    def _in_the_words_of_its_kind(cls, value: str | None, info: ValidationInfo) -> str | None:
        kind = info.data.get("kind")
        if not value:
            return None
        if kind == "metal" and value not in _ALLOYS:
            raise ValueError("Choose an alloy from the list.")
        if kind == "ring_size":
            return ring_size(value).name
        if kind == "engraving" and len(value) > 60:
            raise ValueError("An engraving has at most 60 characters.")
        if kind == "edit":
            raise ValueError("Describe the change in its note.")
        return value

    @field_validator("note", "body")
    @classmethod
    def _empty_is_none(cls, value: str | None) -> str | None:
        return value or None

    @field_validator("point")
    @classmethod
    def _on_the_piece(cls, value: tuple[float, float, float] | None) -> tuple[float, float, float] | None:
        if value is None:
            return None
        if not all(math.isfinite(number) and abs(number) <= FAR for number in value):
            raise ValueError("The pin does not lie on the piece.")
        x, y, z = (round(number, 2) + 0.0 for number in value)
        return x, y, z

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind == "edit":
            if not self.note:
                raise ValueError("Describe the change.")
            if self.point is None and not self.body:
                raise ValueError("Say where: choose a part or place a pin.")
            return self
        if not self.to:
            raise ValueError("Say what it shall be.")
        if self.to == self.was:
            raise ValueError("This is no change: it is the same before and after.")
        if self.kind in SINGLE and (self.body or self.point):
            raise ValueError("A metal and a size are of the whole piece.")
        return self

    @model_serializer(mode="plain")
    def _written(self) -> dict[str, Any]:
        """What is there and nothing else; whole millimeters as whole numbers."""
        point = None if self.point is None else [int(n) if n.is_integer() else n for n in self.point]
        given = {
            "kind": self.kind,
            "from": self.was,
            "to": self.to,
            "note": self.note,
            "body": self.body,
            "point": point,
        }
        return {name: value for name, value in given.items() if value is not None}

    @property
    def rank(self) -> tuple[Any, ...]:
        """Where it stands in a brief."""
        at = self.point or ()
        return (KINDS.index(self.kind), self.body or "", at, self.was or "", self.to or "", self.note or "")


def in_order(deltas: list[Delta]) -> list[Delta]:
    """A brief in its one order, each change once; raises ValueError for two metals or two sizes."""
    found = sorted(set(deltas), key=lambda delta: delta.rank)
    kinds = [delta.kind for delta in found]
    if any(kinds.count(kind) > 1 for kind in SINGLE):
        raise ValueError("A brief names one metal and one ring size; order other sizes line by line.")
    return found


#: A brief in terms: canonical whatever the order it came in.
Brief = Annotated[list[Delta], Field(max_length=MOST), AfterValidator(in_order)]
