"""Turn a checked file into bodies in mm, or pass the structure of a format that is not measured yet."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ai_pipeline.cad.formats.glb import read_glb
from ai_pipeline.cad.formats.obj import read_obj
from ai_pipeline.cad.formats.ply import read_ply
from ai_pipeline.cad.formats.rhino import check_rhino
from ai_pipeline.cad.formats.step import check_step
from ai_pipeline.cad.formats.stl import read_stl
from ai_pipeline.cad.formats.threemf import check_threemf
from ai_pipeline.cad.precheck import Kind
from ai_pipeline.cad.shape import Body, Drawing, checked

MM_PER = {"mm": 1.0, "cm": 10.0, "in": 25.4, "m": 1000.0}
# The longest side of a piece of jewelry, mm: from a stud to a long chain laid out.
PLAUSIBLE = (3.0, 250.0)
READERS: dict[str, Callable[[Path], Drawing]] = {"STL": read_stl, "OBJ": read_obj, "PLY": read_ply, "GLB": read_glb}
CHECKS: dict[str, Callable[[Path], None]] = {"3MF": check_threemf, "STEP": check_step, "3DM": check_rhino}


@dataclass(frozen=True)
class Units:
    """The unit used, where it came from (`confirmed`, `file`, `assumed`), whether the size is plausible, and what else
    would be.
    """

    unit: str
    source: str
    plausible: bool
    longest: float  # mm, if the unit is right
    proposals: tuple[str, ...]


def load(path: Path, kind: Kind, unit: str | None) -> tuple[list[Body], Units, list[str]]:
    """(bodies scaled to mm, units, names of what was left out). `unit` is a person's choice and is always obeyed.

    Raises Unreadable when the file is damaged, KeyError for a unit that is not in MM_PER.
    """
    drawing = checked(READERS[kind.name](path))
    longest = _longest(drawing.bodies)
    used = unit or drawing.unit or "mm"
    fits = tuple(name for name, scale in MM_PER.items() if PLAUSIBLE[0] <= longest * scale <= PLAUSIBLE[1])
    units = Units(
        unit=used,
        source="confirmed" if unit else "file" if drawing.unit else "assumed",
        plausible=unit is not None or used in fits,
        longest=longest * MM_PER[used],
        proposals=tuple(name for name in fits if name != used),
    )
    # Shapes are still told apart where the unit is in doubt, at the scale that would fit; no length of it is shown.
    scale = MM_PER[used if units.plausible or not fits else fits[0]]
    for body in drawing.bodies:
        body.vertices = body.vertices * scale
    return drawing.bodies, units, drawing.left_out


def _longest(bodies: list[Body]) -> float:
    """The longest side of the box around all points that some face uses."""
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    for body in bodies:
        used = np.zeros(len(body.vertices), bool)
        used[body.faces] = True
        low = np.minimum(low, body.vertices[used].min(axis=0))
        high = np.maximum(high, body.vertices[used].max(axis=0))
    return float((high - low).max())


def check_only(path: Path, kind: Kind) -> None:
    """Check the structure of a format that is stored without being measured. Raises Unreadable."""
    CHECKS[kind.name](path)
