"""Whose copy a file is: the index and the threshold. Pure; the reading is the child's (ai_pipeline.copies)."""

from collections.abc import Sequence
from math import log

from ai_pipeline.cad.fingerprint.report import Shape

#: A copy is named only when chance would do as well in fewer than one in a billion traces (natural logarithm), counted
#: over every comparison that was made for the file.
CERTAIN = log(1e-9)
#: As many originals as are laid under a suspect.
MOST_ORIGINALS = 12
#: Relative difference up to which two lengths or shares may be the same, and how many of the seven ratios must be.
_SAME, _ENOUGH = 2e-3, 4


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
