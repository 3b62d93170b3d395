"""STEP through Open CASCADE: the product tree with names, colors and places, each solid a part of its own.

Lengths come out in millimeters whatever unit the file states: the reader converts them.
"""

import re
from pathlib import Path
from typing import Any

from OCP.collections import Sequence_TDF_Label
from OCP.IFSelect import IFSelect_RetDone
from OCP.Quantity import Quantity_Color
from OCP.STEPCAFControl import STEPCAFControl_Reader
from OCP.TCollection import TCollection_ExtendedString
from OCP.TDataStd import TDataStd_Name
from OCP.TDF import TDF_Label
from OCP.TDocStd import TDocStd_Document
from OCP.TopLoc import TopLoc_Location
from OCP.XCAFDoc import XCAFDoc_ColorSurf, XCAFDoc_DocumentTool, XCAFDoc_ShapeTool

from ai_pipeline.cad.brep.solids import Part, Shape, solids_and_surfaces
from ai_pipeline.cad.brep.triangles import triangulate
from ai_pipeline.cad.shape import MAX_BODIES, Drawing, limit_count
from ai_pipeline.errors import Unreadable

MAX_DEPTH = 32
# Names the library and common exporters make up when the author gave none.
MADE_UP = re.compile(
    r"COMPOUND|COMPSOLID|SOLID|SHELL|FACE|NONE|Open CASCADE STEP translator.*|=>\[[0-9:]*\]", re.IGNORECASE
)


def step_drawing(path: Path) -> Drawing:
    """Every solid and surface of a checked STEP file as triangles in mm. Raises Unreadable."""
    document = TDocStd_Document(TCollection_ExtendedString("step"))
    reader = STEPCAFControl_Reader()
    for mode in (reader.SetNameMode, reader.SetColorMode):
        mode(True)
    # Going on after a file that was not read ends in a crash.
    if reader.ReadFile(str(path)) != IFSelect_RetDone or not reader.Transfer(document):
        raise Unreadable("damaged", detail="its entities do not fit together")
    tree = Tree(document)
    if not tree.parts:
        raise Unreadable("no_geometry")
    bodies, tolerance = triangulate(tree.parts, 1.0)
    triangles = sum(len(body.faces) for body in bodies)
    return Drawing(bodies, "mm", notes=[("tessellated", {"tolerance": tolerance, "triangles": triangles})])


class Tree:
    """Walks the products of a document; `parts` are placed where the assemblies put them."""

    def __init__(self, document: Any) -> None:
        self.parts: list[Part] = []
        self._colors = XCAFDoc_DocumentTool.ColorTool_s(document.Main())
        roots = Sequence_TDF_Label()
        XCAFDoc_DocumentTool.ShapeTool_s(document.Main()).GetFreeShapes(roots)
        for number in range(1, roots.Length() + 1):
            self._walk(roots.Value(number), TopLoc_Location(), "", "", 0)

    def _walk(self, label: Any, place: Any, name: str, color: str, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise Unreadable("damaged", detail="its assemblies are nested too deep")
        name, color = _name(label) or name, self._color(label) or color
        if XCAFDoc_ShapeTool.IsReference_s(label):
            place = place.Multiplied(XCAFDoc_ShapeTool.GetLocation_s(label))
            target = TDF_Label()
            XCAFDoc_ShapeTool.GetReferredShape_s(label, target)
            self._walk(target, place, name, color, depth + 1)
        elif XCAFDoc_ShapeTool.IsAssembly_s(label):
            children = Sequence_TDF_Label()
            XCAFDoc_ShapeTool.GetComponents_s(label, children)
            for number in range(1, children.Length() + 1):
                self._walk(children.Value(number), place, name, color, depth + 1)
        else:
            shape = XCAFDoc_ShapeTool.GetShape_s(label)
            if shape.IsNull():
                return
            for part in solids_and_surfaces(shape.Moved(place), 1.0):
                limit_count(len(self.parts) + 1, "bodies", MAX_BODIES)
                self.parts.append(Part(part, name, self._color_of(part) or color))

    def _color(self, label: Any) -> str:
        found = Quantity_Color()
        return _code(found) if self._colors.GetColor_s(label, XCAFDoc_ColorSurf, found) else ""

    def _color_of(self, shape: Shape) -> str:
        found = Quantity_Color()
        bare = shape.Located(TopLoc_Location())
        return _code(found) if self._colors.GetColor(bare, XCAFDoc_ColorSurf, found) else ""


def _code(color: Any) -> str:
    """The color as #rrggbb: STEP gives solids colors where other formats name materials."""
    return "#" + "".join(f"{round(255 * part):02x}" for part in (color.Red(), color.Green(), color.Blue()))


def _name(label: Any) -> str:
    found = TDataStd_Name()
    if not label.FindAttribute(TDataStd_Name.GetID_s(), found):
        return ""
    name = str(found.Get().ToExtString())[:100].strip()
    return "" if MADE_UP.fullmatch(name) else name
