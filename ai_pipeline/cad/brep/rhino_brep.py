"""Rhino boundary surfaces without a Rhino: each face is rebuilt from its surface and the curves of its edges.

openNURBS stores the exact surfaces and edge curves but no mesher; its render meshes may be missing and are some
percent off. The curves in the plane of each face are not exposed, so they are made anew from the edges in space.
"""

from dataclasses import dataclass
from typing import Any

from OCP.BRep import BRep_Builder
from OCP.BRepBuilderAPI import BRepBuilderAPI_MakeEdge, BRepBuilderAPI_MakeFace
from OCP.BRepCheck import BRepCheck_Analyzer
from OCP.collections import Array1_double, Array1_gp_Pnt, Array1_int, Array2_double, Array2_gp_Pnt
from OCP.Geom import Geom_BSplineCurve, Geom_BSplineSurface
from OCP.gp import gp_Pnt
from OCP.ShapeExtend import ShapeExtend_WireData
from OCP.ShapeFix import ShapeFix_Face, ShapeFix_Wire
from OCP.TopLoc import TopLoc_Location
from OCP.TopoDS import TopoDS, TopoDS_Compound, TopoDS_Face

from ai_pipeline.cad.brep.solids import Shape, is_closed, sewn, surface_area

# Geometry of rhino3dm and of Open CASCADE; neither library ships types.
Rhino = Any
Geometry = Any

# Distance within which a surface counts as rebuilt on its own, in units of the file; the least sewing distance.
CLOSE, LEAST_SEW = 1e-6, 1e-3
# How much larger a trimmed face may measure than its whole surface before the trimming must have failed.
LARGER = 1.001
# Knots nearer than this, relative to their size, are one knot repeated.
SAME_KNOT = 1e-12


@dataclass
class Rebuilt:
    """The shape of one Brep; `closed` when its faces join without a free edge; `missing` counts faces that failed."""

    shape: Shape
    closed: bool
    missing: int


def rebuild(brep: Rhino, tolerance: float, areas: list[float | None]) -> Rebuilt:
    """A Brep as an Open CASCADE shape. `tolerance` is the file's own; `areas` are those of the faces' render meshes,
    None where a face has none: of two ways to trim a face the one nearer to it is right.
    """
    edges: dict[int, Shape] = {}
    for number, edge in enumerate(brep.Edges):
        try:
            edges[number] = BRepBuilderAPI_MakeEdge(_curve(edge.ToNurbsCurve())).Edge()
        except Exception:  # noqa: S112 - the library raises what it likes on a broken curve; the face then shows it
            continue
    faces, missing = [], 0
    for number in range(len(brep.Faces)):
        face = _face(brep.Faces[number], edges, tolerance, areas[number])
        if face is None:
            missing += 1
        else:
            faces.append(face)
    shells = sewn(faces, max(2 * tolerance, LEAST_SEW)) if faces else []
    if len(shells) == 1:
        shape = shells[0]
    else:
        shape = TopoDS_Compound()
        builder = BRep_Builder()
        builder.MakeCompound(shape)
        for shell in shells:
            builder.Add(shape, shell)
    return Rebuilt(shape, not missing and bool(shells) and all(is_closed(shell) for shell in shells), missing)


def _face(face: Rhino, edges: dict[int, Shape], tolerance: float, area: float | None) -> Shape | None:
    try:
        surface = _surface(face.UnderlyingSurface().ToNurbsSurface())
    except Exception:  # as above
        return None
    whole = _attempt(lambda: BRepBuilderAPI_MakeFace(surface, CLOSE).Face())
    cut = _attempt(lambda: _trimmed(face, surface, edges, tolerance))
    sized = [(found, size) for found in (cut, whole) if found is not None and (size := surface_area(found)) > 0]
    if not sized:
        return None
    if area is not None:
        best = min(sized, key=lambda item: abs(item[1] - area))[0]
    else:
        limit = surface_area(whole) * LARGER if whole is not None else float("inf")
        fits = cut is not None and BRepCheck_Analyzer(cut).IsValid() and 0 < surface_area(cut) <= limit
        best = cut if fits else sized[-1][0]
    return best.Reversed() if face.OrientationIsReversed else best


def _attempt(make: Any) -> Shape | None:
    try:
        found = make()
    except Exception:  # a face that cannot be made this way may be made the other way
        return None
    return None if found is None or found.IsNull() else found


def _trimmed(face: Rhino, surface: Geometry, edges: dict[int, Shape], tolerance: float) -> Shape:
    """The surface bounded by the face's loops; curves in its plane, seams and poles are added by the fixers."""
    builder, result = BRep_Builder(), TopoDS_Face()
    builder.MakeFace(result, surface, TopLoc_Location(), CLOSE)
    for loop in face.Loops:
        wire = ShapeExtend_WireData()
        for trim in loop.Trims:
            edge = edges.get(trim.EdgeIndex)
            if edge is not None:
                wire.Add(TopoDS.Edge(edge.Reversed()) if trim.IsReversed else edge)
        if not wire.NbEdges():
            continue
        fix = ShapeFix_Wire()
        fix.Load(wire)
        fix.SetFace(result)
        fix.SetPrecision(tolerance)
        fix.SetMaxTolerance(10 * tolerance)
        fix.ClosedWireMode = True
        for step in (fix.FixReorder, fix.FixConnected, fix.FixEdgeCurves, fix.FixDegenerated):
            step()
        builder.Add(result, fix.Wire())
    fix_face = ShapeFix_Face(result)
    fix_face.SetPrecision(tolerance)
    fix_face.SetMaxTolerance(10 * tolerance)
    fix_face.FixOrientationMode = fix_face.FixMissingSeamMode = fix_face.FixAddNaturalBoundMode = 1
    fix_face.Perform()
    return fix_face.Result()


def _curve(nurbs: Rhino) -> Geometry:
    points = list(nurbs.Points)
    places, weights = Array1_gp_Pnt(1, len(points)), Array1_double(1, len(points))
    for number, point in enumerate(points, 1):
        place, weight = _point(point, nurbs.IsRational)
        places.SetValue(number, place)
        weights.SetValue(number, weight)
    return Geom_BSplineCurve(places, weights, *_knots(nurbs.Knots), nurbs.Order - 1, False)


def _surface(nurbs: Rhino) -> Geometry:
    rows, columns = nurbs.Points.CountU, nurbs.Points.CountV
    places, weights = Array2_gp_Pnt(1, rows, 1, columns), Array2_double(1, rows, 1, columns)
    for row in range(rows):
        for column in range(columns):
            place, weight = _point(nurbs.Points.GetControlPoint(row, column), nurbs.IsRational)
            places.SetValue(row + 1, column + 1, place)
            weights.SetValue(row + 1, column + 1, weight)
    along, across = _knots(nurbs.KnotsU), _knots(nurbs.KnotsV)
    return Geom_BSplineSurface(
        places, weights, along[0], across[0], along[1], across[1], nurbs.OrderU - 1, nurbs.OrderV - 1, False, False
    )


def _point(point: Rhino, rational: bool) -> tuple[Geometry, float]:
    """(place, weight): rational control points are stored multiplied by their weight."""
    weight = point.W if rational and point.W else 1.0
    return gp_Pnt(point.X / weight, point.Y / weight, point.Z / weight), weight


def _knots(listed: Rhino) -> tuple[Geometry, Geometry]:
    """(distinct knots, how often each is repeated): openNURBS leaves out the first and the last of them."""
    values = list(listed)
    distinct: list[float] = []
    repeated: list[int] = []
    for knot in (values[0], *values, values[-1]):
        if distinct and abs(knot - distinct[-1]) <= SAME_KNOT * max(1.0, abs(knot)):
            repeated[-1] += 1
        else:
            distinct.append(knot)
            repeated.append(1)
    knots, times = Array1_double(1, len(distinct)), Array1_int(1, len(distinct))
    for number, (knot, count) in enumerate(zip(distinct, repeated, strict=True), 1):
        knots.SetValue(number, knot)
        times.SetValue(number, count)
    return knots, times
