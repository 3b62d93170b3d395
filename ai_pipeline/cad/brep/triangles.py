"""Triangles of solids: coarse first, then finer while they stay few enough."""

import numpy as np
from OCP.BRep import BRep_Builder, BRep_Tool
from OCP.BRepMesh import BRepMesh_IncrementalMesh
from OCP.BRepTools import BRepTools
from OCP.TopAbs import TopAbs_FACE, TopAbs_REVERSED
from OCP.TopLoc import TopLoc_Location
from OCP.TopoDS import TopoDS, TopoDS_Compound

from ai_pipeline.cad import mesh
from ai_pipeline.cad.brep.solids import Part, Shape, exact_volume, inside
from ai_pipeline.cad.shape import MAX_TRIANGLES, Body, Faces, Points, limit_count

# (largest distance between triangle and surface in mm, largest angle between neighbors in radians), coarse to fine.
# The finest one keeps volumes of rings within 0.05 % and bores within 0.005 mm; finer angles cost millions.
LEVELS = ((0.1, 0.5), (0.05, 0.3), (0.02, 0.2), (0.01, 0.1))
MAX_FINE = 400_000
# An exact volume must agree with that of the triangles to this share of it, or to what the area can bulge between
# triangle and surface; or the solid is not what it seems.
AGREE = 0.005


def triangulate(parts: list[Part], mm: float) -> tuple[list[Body], float]:
    """(one body per part, largest distance from the surface in mm). `mm` is the length of the unit of the parts; a part
    that is used several times counts as often.

    Raises Unreadable `too_many_items` when even the coarsest triangles are too many.
    """
    whole = TopoDS_Compound()
    builder = BRep_Builder()
    builder.MakeCompound(whole)
    for part in parts:
        builder.Add(whole, part.shape)
    tolerance = LEVELS[0][0]
    count = 0
    for number, (chord, angle) in enumerate(LEVELS):
        if number and count * _growth(number) > MAX_FINE:
            break
        BRepTools.Clean_s(whole)
        BRepMesh_IncrementalMesh(whole, chord / mm, False, angle, False)
        count, tolerance = sum(part.uses * _count(part.shape) for part in parts), chord
        limit_count(count, "triangles", MAX_TRIANGLES)
    return [_body(part, tolerance / mm) for part in parts], tolerance


def _growth(level: int) -> float:
    """How many times more triangles a level can need than the one before, on surfaces curved both ways."""
    (chord, angle), (before, wider) = LEVELS[level], LEVELS[level - 1]
    return max(before / chord, (wider / angle) ** 2)


def _count(shape: Shape) -> int:
    return sum(
        found.NbTriangles()
        for face in inside(shape, TopAbs_FACE)
        if (found := BRep_Tool.Triangulation_s(TopoDS.Face(face), TopLoc_Location())) is not None
    )


def _body(part: Part, tolerance: float) -> Body:
    points, faces = _triangles(part.shape)
    body = Body(points, faces, part.name, part.material)
    if len(faces):
        exact = exact_volume(part.shape)
        bulge = max(AGREE * (exact or 0.0), tolerance * mesh.area(points, faces))
        if exact is not None and abs(exact - abs(mesh.volume(points, faces))) <= bulge:
            body.exact_volume = exact
    return body


def _triangles(shape: Shape) -> tuple[Points, Faces]:
    """The triangles of every face as one list, wound outwards as the solid is."""
    points: list[Points] = [np.empty((0, 3))]
    faces: list[Faces] = [np.empty((0, 3), np.int64)]
    start = 0
    for face in inside(shape, TopAbs_FACE):
        location = TopLoc_Location()
        found = BRep_Tool.Triangulation_s(TopoDS.Face(face), location)
        if found is None or not found.NbTriangles():
            continue
        node, triangle = found.Node, found.Triangle
        corners = np.array([node(number).Coord() for number in range(1, found.NbNodes() + 1)], np.float64)
        order = np.array([triangle(number).Get() for number in range(1, found.NbTriangles() + 1)], np.int64) - 1
        mirrored = False
        if not location.IsIdentity():
            move = location.Transformation()
            matrix = np.array([[move.Value(row, column) for column in range(1, 5)] for row in range(1, 4)])
            corners = corners @ matrix[:, :3].T + matrix[:, 3]
            mirrored = move.IsNegative()
        if (face.Orientation() == TopAbs_REVERSED) != mirrored:
            order = order[:, ::-1]
        points.append(corners)
        faces.append(order + start)
        start += len(corners)
    return np.vstack(points), np.vstack(faces)
