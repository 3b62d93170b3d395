"""Generated boundary surfaces: bands, rings with prongs, and pave, whose volume Open CASCADE integrates exactly."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import rhino3dm
from OCP.BRep import BRep_Tool
from OCP.BRepAlgoAPI import BRepAlgoAPI_Cut, BRepAlgoAPI_Fuse
from OCP.BRepGProp import BRepGProp
from OCP.BRepMesh import BRepMesh_IncrementalMesh
from OCP.BRepPrimAPI import (
    BRepPrimAPI_MakeCone,
    BRepPrimAPI_MakeCylinder,
    BRepPrimAPI_MakeSphere,
    BRepPrimAPI_MakeTorus,
)
from OCP.gp import gp_Ax2, gp_Dir, gp_Pnt
from OCP.GProp import GProp_GProps
from OCP.Message import Message, Message_PrinterOStream
from OCP.STEPControl import STEPControl_AsIs, STEPControl_Writer
from OCP.TopAbs import TopAbs_FACE, TopAbs_REVERSED
from OCP.TopExp import TopExp_Explorer
from OCP.TopLoc import TopLoc_Location
from OCP.TopoDS import TopoDS

from bench.cad_shapes import Dice, Mesh, Piece, brilliant, volume_of

# An Open CASCADE shape: the library ships no types.
Shape = Any
LINEAR, ANGULAR = 0.005, 0.1


def band(dice: Dice) -> Piece:
    """A plain cylinder with a hole, as surfaces."""
    inner, wall, width = dice.uniform(14, 21), dice.uniform(1.0, 2.4), dice.uniform(2, 7)
    shape = _cut(_cylinder(inner / 2 + wall, width), _cylinder(inner / 2, width))
    volume = math.pi * ((inner / 2 + wall) ** 2 - (inner / 2) ** 2) * width
    return Piece("B-rep band", shape=shape, volume=volume, inner=inner, wall=min(wall, width))


def ring_torus(dice: Dice) -> Piece:
    """A torus as one surface."""
    tube, inner = dice.uniform(0.6, 1.6), dice.uniform(14, 21)
    radius = inner / 2 + tube
    shape = BRepPrimAPI_MakeTorus(radius, tube).Shape()
    return Piece("B-rep torus", shape=shape, volume=2 * math.pi**2 * radius * tube**2, inner=inner, wall=2 * tube)


def solitaire(dice: Dice) -> Piece:
    """A round shank with four prongs, a gallery and one stone."""
    tube, inner, stone = dice.uniform(0.9, 1.3), dice.uniform(15, 20), dice.uniform(4.5, 7.5)
    rail = dice.uniform(0.35, 0.45)
    prong = rail + dice.uniform(0.05, 0.15)
    radius, top = inner / 2 + tube, inner / 2 + 2 * tube
    shape = BRepPrimAPI_MakeTorus(radius, tube).Shape()
    girdle = np.array([top + 0.6 * stone, 0.0, 0.0])
    for angle in (math.pi / 4 + step * math.pi / 2 for step in range(4)):
        foot = np.array([top - tube * 0.6, 0.3 * stone * math.cos(angle), 0.3 * stone * math.sin(angle)])
        tip = girdle + np.array([0.8, (stone / 2 + prong) * math.cos(angle), (stone / 2 + prong) * math.sin(angle)])
        shape = _fuse(shape, _cylinder(prong, float(np.linalg.norm(tip - foot)), foot, tip - foot))
        shape = _fuse(shape, BRepPrimAPI_MakeSphere(gp_Pnt(*tip.tolist()), prong).Shape())
    lower = np.array([top + 0.25 * stone, 0.0, 0.0])
    share = (lower[0] - (top - tube * 0.6)) / (girdle[0] + 0.8 - (top - tube * 0.6))
    ring = 0.3 * stone + share * (stone / 2 + prong - 0.3 * stone)
    shape = _fuse(shape, BRepPrimAPI_MakeTorus(gp_Ax2(gp_Pnt(*lower.tolist()), gp_Dir(1, 0, 0)), ring, rail).Shape())
    shape = _cut(shape, _cylinder(inner / 2, 4 * tube, np.array([0, 0, -2 * tube])))
    gem = brilliant(stone, girdle, np.array([1.0, 0.0, 0.0]))
    return Piece("solitaire", {"gem round": gem}, shape, volume=exact_volume(shape), inner=inner, wall=2 * rail,
                 stones=1, carat=volume_of(gem) / 1000 * 3.52 / 0.2)  # fmt: skip


def pave(dice: Dice) -> Piece:
    """A flat band with a row of conical seats, a stone in each."""
    inner, wall, width = dice.uniform(15, 20), dice.uniform(1.8, 2.4), dice.uniform(2.4, 3.5)
    count, stone = int(dice.integers(5, 17)), dice.uniform(1.2, 1.6)
    shape = _cut(_cylinder(inner / 2 + wall, width), _cylinder(inner / 2, width))
    outer = inner / 2 + wall
    gems: dict[str, Mesh] = {}
    for place in range(count):
        angle = (place - count / 2) * (stone + 0.35) / outer
        out = np.array([math.cos(angle), math.sin(angle), 0.0])
        middle = np.array([0, 0, width / 2])
        rim = middle + out * (outer - 0.15)
        axis = gp_Ax2(gp_Pnt(*(rim - out * 0.6).tolist()), gp_Dir(*out.tolist()))
        shape = _cut(shape, BRepPrimAPI_MakeCone(axis, 0.12, stone / 2 + 0.02, 0.6).Shape())
        shape = _cut(shape, _cylinder(stone / 2 + 0.02, 1.0, rim, out))
        gems[f"gem {place}"] = brilliant(stone, rim, out)
    carat = sum(volume_of(gem) for gem in gems.values()) / 1000 * 3.52 / 0.2
    return Piece("pave", gems, shape, volume=exact_volume(shape), inner=inner, stones=count, carat=carat)


def exact_volume(shape: Shape) -> float:
    """The volume of a solid by integrating its surfaces."""
    found = GProp_GProps()
    BRepGProp.VolumeProperties_s(shape, found, 1e-7)
    return float(found.Mass())


def tessellated(shape: Shape) -> Mesh:
    """Its triangles at LINEAR mm and ANGULAR radians."""
    BRepMesh_IncrementalMesh(shape, LINEAR, False, ANGULAR)
    points: list[list[float]] = []
    faces: list[list[int]] = []
    explorer = TopExp_Explorer(shape, TopAbs_FACE)
    while explorer.More():
        face = TopoDS.Face(explorer.Current())
        place = TopLoc_Location()
        mesh = BRep_Tool.Triangulation_s(face, place)
        start = len(points)
        for number in range(1, mesh.NbNodes() + 1):
            node = mesh.Node(number).Transformed(place.Transformation())
            points.append([node.X(), node.Y(), node.Z()])
        turned = face.Orientation() == TopAbs_REVERSED
        for number in range(1, mesh.NbTriangles() + 1):
            a, b, c = (start + corner - 1 for corner in mesh.Triangle(number).Get())
            faces.append([a, c, b] if turned else [a, b, c])
        explorer.Next()
    return np.array(points), np.array(faces, np.int64)


def write_step(shape: Shape, path: Path) -> Path:
    """STEP in mm."""
    Message.DefaultMessenger_s().RemovePrinters(Message_PrinterOStream.get_type_descriptor_s())
    writer = STEPControl_Writer()
    writer.Transfer(shape, STEPControl_AsIs)
    writer.Write(str(path))
    return path


def write_rhino(dice: Dice, path: Path, unit: str) -> float:
    """A 3DM of a sphere and a cylinder as surfaces, in `unit`; their volume in mm3."""
    scale = {"mm": 1.0, "in": 25.4}[unit]
    radius, tall, wide = dice.uniform(3, 9), dice.uniform(4, 12), dice.uniform(2, 5)
    model = rhino3dm.File3dm()
    model.Settings.ModelUnitSystem = {
        "mm": rhino3dm.UnitSystem.Millimeters,
        "in": rhino3dm.UnitSystem.Inches,
    }[unit]
    ball = rhino3dm.Sphere(rhino3dm.Point3d(30 / scale, 0, 0), radius / scale)
    model.Objects.AddBrep(rhino3dm.Brep.CreateFromSphere(ball))
    circle = rhino3dm.Circle(rhino3dm.Point3d(0, 0, 0), wide / scale)
    model.Objects.AddBrep(rhino3dm.Brep.CreateFromCylinder(rhino3dm.Cylinder(circle, tall / scale), True, True))
    model.Write(str(path), 7)
    return 4 / 3 * math.pi * radius**3 + math.pi * wide**2 * tall


def _cylinder(radius: float, height: float, at: Any = None, along: Any = None) -> Shape:
    if at is None:
        return BRepPrimAPI_MakeCylinder(radius, height).Shape()
    way = gp_Dir(*map(float, along)) if along is not None else gp_Dir(0, 0, 1)
    return BRepPrimAPI_MakeCylinder(gp_Ax2(gp_Pnt(*map(float, at)), way), radius, height).Shape()


def _fuse(one: Shape, two: Shape) -> Shape:
    return BRepAlgoAPI_Fuse(one, two).Shape()


def _cut(one: Shape, two: Shape) -> Shape:
    return BRepAlgoAPI_Cut(one, two).Shape()


BREPS = (band, ring_torus, solitaire, pave)
