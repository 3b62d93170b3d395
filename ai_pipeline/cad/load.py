"""Turn a checked file into bodies in mm."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ai_pipeline.cad.precheck import Kind, identify
from ai_pipeline.cad.shape import Body, Drawing, Layer, checked
from ai_pipeline.cad.units import Units, judge

# Where the reader of each format lives: modules that take a library which most files do not need are imported by name.
READERS = {
    "STL": "stl:read_stl",
    "OBJ": "obj:read_obj",
    "PLY": "ply:read_ply",
    "GLB": "glb:read_glb",
    "3MF": "threemf:read_threemf",
    "STEP": "step:read_step",
    "3DM": "rhino:read_rhino",
}
# Formats whose layers can be chosen.
LAYERED = {"3DM"}


@dataclass(frozen=True)
class Loaded:
    """A file that passed its checks. `bodies` are in mm, and empty when all it holds is hidden or cannot be rebuilt.

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
    module, _, name = READERS[kind.name].partition(":")
    read: Callable[..., Drawing] = getattr(importlib.import_module(f"ai_pipeline.cad.formats.{module}"), name)
    layers = (choices or {}).get("layers")
    drawing = checked(read(Path(path), layers) if kind.name in LAYERED else read(Path(path)))
    shown = [body for body in drawing.bodies if not body.hidden]
    units = judge(shown, drawing.unit, unit) if shown else Units("", "file", True, 0.0, ())
    return Loaded(
        kind,
        [body.scaled(units.scale) for body in shown],
        [body for body in drawing.bodies if body.hidden],
        units,
        drawing.layers,
        drawing.notes,
    )
