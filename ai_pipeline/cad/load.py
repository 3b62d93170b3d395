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
from ai_pipeline.cad.precheck import Kind, identify
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


@dataclass(frozen=True)
class Loaded:
    """A file that passed its checks. `bodies` are in mm, and empty for a format that is not measured yet."""

    kind: Kind
    bodies: list[Body]
    units: Units
    left_out: list[str]


def prepare(path: str, filename: str, declared_type: str = "", unit: str | None = None, **_more: object) -> Loaded:
    """Identify, check and read a file. `unit` is a person's choice and is always obeyed.

    Raises Unreadable, or KeyError for a unit that is not in MM_PER.
    """
    kind = identify(Path(path), filename, declared_type)
    if not kind.measured:
        CHECKS[kind.name](Path(path))
        return Loaded(kind, [], Units("", "file", True, 0.0, ()), [])
    drawing = checked(READERS[kind.name](Path(path)))
    units = _units(drawing, unit)
    # Shapes are still told apart where the unit is in doubt, at the scale that would fit; no length of it is shown.
    scale = MM_PER[units.unit if units.plausible or not units.proposals else units.proposals[0]]
    for body in drawing.bodies:
        body.vertices = body.vertices * scale
    return Loaded(kind, drawing.bodies, units, drawing.left_out)


def _units(drawing: Drawing, confirmed: str | None) -> Units:
    longest = _longest(drawing.bodies)
    used = confirmed or drawing.unit or "mm"
    fits = tuple(name for name, scale in MM_PER.items() if PLAUSIBLE[0] <= longest * scale <= PLAUSIBLE[1])
    return Units(
        unit=used,
        source="confirmed" if confirmed else "file" if drawing.unit else "assumed",
        plausible=confirmed is not None or used in fits,
        longest=longest * MM_PER[used],
        proposals=tuple(name for name in fits if name != used),
    )


def _longest(bodies: list[Body]) -> float:
    """The longest side of the box around all points that some face uses."""
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    for body in bodies:
        used = np.zeros(len(body.vertices), bool)
        used[body.faces] = True
        low = np.minimum(low, body.vertices[used].min(axis=0))
        high = np.maximum(high, body.vertices[used].max(axis=0))
    return float((high - low).max())
