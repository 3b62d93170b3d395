"""Turn a checked file into bodies in mm, or pass the structure of a format that is not measured yet."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ai_pipeline.cad.formats.glb import read_glb
from ai_pipeline.cad.formats.obj import read_obj
from ai_pipeline.cad.formats.ply import read_ply
from ai_pipeline.cad.formats.rhino import check_rhino
from ai_pipeline.cad.formats.step import check_step
from ai_pipeline.cad.formats.stl import read_stl
from ai_pipeline.cad.formats.threemf import check_threemf
from ai_pipeline.cad.precheck import Kind, identify
from ai_pipeline.cad.shape import Body, Drawing, Layer, checked
from ai_pipeline.cad.units import Units, judge

READERS: dict[str, Callable[[Path], Drawing]] = {"STL": read_stl, "OBJ": read_obj, "PLY": read_ply, "GLB": read_glb}
CHECKS: dict[str, Callable[[Path], None]] = {"3MF": check_threemf, "STEP": check_step, "3DM": check_rhino}


@dataclass(frozen=True)
class Loaded:
    """A file that passed its checks. `bodies` are in mm, and empty for a format that is not measured yet.

    `hidden` lists the parts on layers that are not read, for the list of bodies alone; `layers` are those of a format
    that has them; `notes` are codes of findings with their parameters.
    """

    kind: Kind
    bodies: list[Body]
    hidden: list[Body]
    units: Units
    layers: list[Layer]
    notes: list[tuple[str, dict[str, str | int | float]]]


def prepare(
    path: str,
    filename: str,
    declared_type: str = "",
    unit: str | None = None,
    choices: Mapping[str, Any] | None = None,
    **_more: object,
) -> Loaded:
    """Identify, check and read a file. `unit` and `choices["layers"]` are a person's choice and always obeyed.

    Raises Unreadable, or KeyError for a unit that is not in MM_PER.
    """
    kind = identify(Path(path), filename, declared_type)
    if not kind.measured:
        CHECKS[kind.name](Path(path))
        return Loaded(kind, [], [], Units("", "file", True, 0.0, ()), [], [])
    drawing = checked(READERS[kind.name](Path(path)))
    shown = [body for body in drawing.bodies if not body.hidden]
    units = judge(shown, drawing.unit, unit)
    return Loaded(
        kind,
        [body.scaled(units.scale) for body in shown],
        [body for body in drawing.bodies if body.hidden],
        units,
        drawing.layers,
        drawing.notes,
    )
