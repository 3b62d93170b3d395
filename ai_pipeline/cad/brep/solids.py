"""Solids out of shapes: loose faces are sewn, and the volume of a sound closed solid is known exactly."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from OCP.BRep import BRep_Builder, BRep_Tool
from OCP.BRepBuilderAPI import BRepBuilderAPI_Sewing
from OCP.BRepCheck import BRepCheck_Analyzer
from OCP.BRepGProp import BRepGProp
from OCP.BRepLib import BRepLib
from OCP.GProp import GProp_GProps
from OCP.ShapeFix import ShapeFix_Solid
from OCP.TopAbs import TopAbs_FACE, TopAbs_SHELL, TopAbs_SOLID
from OCP.TopExp import TopExp_Explorer
from OCP.TopoDS import TopoDS, TopoDS_Shell

# An Open CASCADE shape: the library ships no types.
Shape = Any

# Relative error of the volume of each face; the default integration is off by half a percent on long curved faces.
VOLUME_ERROR = 1e-5
# Loose faces whose edges lie within this, in mm, belong together.
SEW_MM = 0.005


@dataclass
class Part:
    """One solid, or one open surface, with the names its file gave it and how often it is used."""

    shape: Shape
    name: str = ""
    material: str = ""
    uses: int = 1


def inside(shape: Shape, kind: Any, unless: Any = None) -> Iterator[Shape]:
    """Every sub-shape of a kind (TopAbs_...), except those that lie in one of the kind `unless`."""
    explorer = TopExp_Explorer(shape, kind) if unless is None else TopExp_Explorer(shape, kind, unless)
    while explorer.More():
        yield explorer.Current()
        explorer.Next()


def solids_and_surfaces(shape: Shape, mm: float) -> list[Shape]:
    """The solids of a shape, then what its other faces make when they are sewn; `mm` is the unit of the shape."""
    found = list(inside(shape, TopAbs_SOLID))
    loose = list(inside(shape, TopAbs_FACE, TopAbs_SOLID))
    if loose:
        found += sewn(loose, SEW_MM / mm)
    return found


def sewn(faces: list[Shape], tolerance: float) -> list[Shape]:
    """Faces joined where they meet within `tolerance`: closed shells as solids, the others as they are."""
    sewing = BRepBuilderAPI_Sewing(tolerance)
    for face in faces:
        sewing.Add(face)
    sewing.Perform()
    result = sewing.SewedShape()
    shells = list(inside(result, TopAbs_SHELL))
    # A face that meets only itself, such as a whole sphere, is not made into a shell by sewing.
    shells += [_alone(face) for face in inside(result, TopAbs_FACE, TopAbs_SHELL)]
    return [_solid(TopoDS.Shell(shell)) for shell in shells]


def _alone(face: Shape) -> Shape:
    shell = TopoDS_Shell()
    builder = BRep_Builder()
    builder.MakeShell(shell)
    builder.Add(shell, face)
    return shell


def _solid(shell: Shape) -> Shape:
    if not BRep_Tool.IsClosed_s(shell):
        return shell
    solid = ShapeFix_Solid().SolidFromShell(shell)
    BRepLib.OrientClosedSolid_s(solid)
    return solid


def is_closed(shape: Shape) -> bool:
    """Whether every shell of the shape closes."""
    shells = list(inside(shape, TopAbs_SHELL))
    return bool(shells) and all(BRep_Tool.IsClosed_s(shell) for shell in shells)


def exact_volume(shape: Shape) -> float | None:
    """The volume of a closed, valid solid in cubic units of its file; None for anything else."""
    if not is_closed(shape) or not BRepCheck_Analyzer(shape).IsValid():
        return None
    properties = GProp_GProps()
    BRepGProp.VolumeProperties_s(shape, properties, VOLUME_ERROR, True, False)
    volume = float(properties.Mass())
    return abs(volume) if volume else None


def surface_area(shape: Shape) -> float:
    """The area of all faces, exactly enough to tell two ways of trimming a face apart."""
    properties = GProp_GProps()
    BRepGProp.SurfaceProperties_s(shape, properties)
    return abs(float(properties.Mass()))
