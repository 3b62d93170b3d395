"""Whose copy a file is: the index and the threshold. Pure; the reading is the child's (ai_pipeline.copies)."""

from collections.abc import Sequence
from datetime import datetime
from math import log

from pydantic import BaseModel

from ai_pipeline.cad.fingerprint.report import Shape

#: A copy is named only when chance would do as well in fewer than one in a billion traces (natural logarithm), counted
#: over every comparison that was made for the file.
CERTAIN = log(1e-9)
#: As many originals as are laid under a suspect.
MOST_ORIGINALS = 12
#: Relative difference up to which two lengths or shares may be the same, and how many of the seven ratios must be.
_SAME, _ENOUGH = 2e-3, 4


class Evidence(BaseModel):
    """A copy that a suspect comes from, with everything on file about it.

    `by`: bytes (the very file), geometry, order, structure, or tag (the mark in a header, which anybody can copy).
    `chance_power` is the power of ten that bounds chance over all comparisons of the trace; None where chance plays no
    part.
    """

    copy_id: str
    by: str
    score: float
    chance_power: float | None
    filename: str
    level: str
    copy_sha256: str
    original_sha256: str
    order_id: str
    order_reference: str
    design: str
    maker: str
    person: str
    email: str
    nda_id: str
    nda_version: int
    nda_sha256: str
    typed_name: str
    signed_at: datetime
    made_at: datetime | None
    fetched_at: datetime | None
    link_id: str | None
    ip: str | None

    @property
    def words(self) -> str:
        """How the copy was recognized, in plain English."""
        if self.by == "bytes":
            return "it is the very file that was handed over, byte for byte"
        if self.by == "tag":
            return "the mark in its header (anybody who saw the mark could write it)"
        what = {"geometry": "its surface", "order": "the order of its facets", "structure": "the order of its parts"}
        return f"{what[self.by]}; chance would do it less than once in 10^{-(self.chance_power or 0.0):.0f} files"


class Finding(BaseModel):
    """What a trace found. `verdict`: named, none, original (the licensed file itself), or unreadable."""

    filename: str
    sha256: str
    verdict: str = "none"
    evidence: list[Evidence] = []
    original: str = ""
    reason: str = ""
    shape: Shape | None = None
    copies_on_file: int = 0
    copies_compared: int = 0
    originals_on_file: int = 0
    originals_compared: int = 0
    comparisons: int = 0
    matched: int = 0
    corners: int = 0
    best: float = 0.0
    left_out: list[str] = []


def alike(suspect: Shape, original: Shape) -> bool:
    """Whether a suspect may be made from an original: same proportions, same count, or common pieces."""
    if original.marks or suspect.marks:
        return suspect.format == original.format and len({*suspect.marks} & {*original.marks}) >= min(
            4, len(original.marks)
        )
    return suspect.triangles == original.triangles or _agreeing(suspect, original) >= _ENOUGH


def nearest(suspect: Shape, originals: Sequence[tuple[str, Shape]]) -> list[str]:
    """The names of the originals to compare with, most alike first."""
    ranked = sorted(originals, key=lambda item: (-_agreeing(suspect, item[1]), _difference(suspect, item[1])))
    return [name for name, _ in ranked[:MOST_ORIGINALS]]


def _agreeing(one: Shape, other: Shape) -> int:
    return sum(abs(a - b) <= _SAME * max(abs(a), abs(b)) for a, b in zip(one.ratios, other.ratios, strict=False))


def _difference(one: Shape, other: Shape) -> float:
    shares = sum(abs(a - b) for a, b in zip(one.ratios, other.ratios, strict=False))
    return shares + abs(one.triangles - other.triangles) / max(1, one.triangles, other.triangles)
