"""Rhino files written here, so that the tests of their reader need no folder of real input."""

import math
from pathlib import Path
from typing import Any

import rhino3dm as r3

from tests.pipeline.shapes import Mesh


def rhino_mesh(mesh: Mesh) -> Any:
    """A mesh as Rhino keeps it."""
    points, faces = mesh
    made = r3.Mesh()
    for x, y, z in points.tolist():
        made.Vertices.Add(x, y, z)
    for a, b, c in faces.tolist():
        made.Faces.AddFace(a, b, c)
    return made


def torus(major: float, minor: float) -> Any:
    """A torus as a Brep of one exact surface, without any display mesh: a circle turned about an axis."""
    circle = r3.Circle(minor).ToNurbsCurve()
    circle.Rotate(math.pi / 2, r3.Vector3d(1, 0, 0), r3.Point3d(0, 0, 0))
    circle.Translate(r3.Vector3d(major, 0, 0))
    axis = r3.Line(r3.Point3d(0, 0, 0), r3.Point3d(0, 0, 1))
    turned = r3.RevSurface.Create(circle, axis, 0.0, 2 * math.pi)
    return r3.Brep.CreateFromRevSurface(turned, False, False)


class RhinoFile:
    """A model in the making."""

    def __init__(self, unit: Any = None) -> None:
        self.model = r3.File3dm()
        self.model.Settings.ModelUnitSystem = unit or r3.UnitSystem.Millimeters
        self.model.Settings.ModelAbsoluteTolerance = 0.001

    def layer(self, name: str, visible: bool = True) -> int:
        """A layer of that name; its number."""
        made = r3.Layer()
        made.Name, made.Visible = name, visible
        return int(self.model.Layers.Add(made))

    def attributes(self, layer: int = 0, name: str = "", visible: bool = True) -> Any:
        """What an object is called and where it lies."""
        made = r3.ObjectAttributes()
        made.LayerIndex, made.Name = layer, name
        if not visible:
            made.Visible = False
        return made

    def write(self, path: Path) -> Path:
        """The file, in the version of Rhino 7."""
        assert self.model.Write(str(path), 7)
        return path
