"""The objects of a Rhino model as bodies: their layer, where blocks place them, and what their surfaces are.

Fallbacks of a Brep, in this order: rebuilt and closed, with its exact volume; its welded display mesh if that closes,
said to be an estimate; the rebuilt surface as open as it is. What none of them can read is counted and told.
"""

import importlib
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import rhino3dm as r3
from numpy.typing import NDArray

from ai_pipeline.cad import mesh
from ai_pipeline.cad.shape import MAX_BODIES, MAX_TRIANGLES, Body, Drawing, Faces, Layer, Points, limit_count
from ai_pipeline.cad.units import MM_PER
from ai_pipeline.errors import Unreadable

# Geometry and models of rhino3dm, which ships no types.
Rhino = Any
Matrix = NDArray[np.float64]

UNITS = {"Millimeters": "mm", "Centimeters": "cm", "Meters": "m", "Inches": "in", "Feet": "ft", "Microns": "um",
         "Mils": "mil", "Decimeters": "dm", "Yards": "yd"}  # fmt: skip
HIDDEN = " [hidden]"
MAX_DEPTH = 8
MAX_PLACED = 20_000
# Hidden parts are counted on their layer; so many of them are also listed one by one.
MAX_LISTED = 200
# Subdivision surfaces are halved until they have about this many faces, at most four times.
SUBD_FACES, SUBD_STEPS = 60_000, 4
# Shares by which volumes may be off: a display mesh was measured 4.8 % short of its solid; a control net of that
# fineness lies outside its limit surface.
DISPLAY_SHARE, SUBD_SHARE = 0.05, 0.005
# A rebuilt solid whose volume differs more than this from its closed display mesh has been trimmed wrongly.
TRUSTED_SHARE = 0.15


@dataclass
class Source:
    """The geometry of one object in its own place: bodies once read, `part` the Brep waiting for its triangles."""

    bodies: list[Body] = field(default_factory=list)
    part: Any = None
    display: Body | None = None


@dataclass
class Use:
    """One object where a block or the model puts it; `hidden` when its layer, or that of its block, is not read."""

    item: Rhino
    matrix: Matrix
    name: str
    layer: str
    hidden: bool


class Scene:
    """Reads a model once: `layers` are the names chosen by a person, None for those that the file shows."""

    def __init__(self, model: Rhino, layers: list[str] | None) -> None:
        self.model = model
        self.tolerance = model.Settings.ModelAbsoluteTolerance or 0.001
        self.unit = UNITS.get(str(model.Settings.ModelUnitSystem).rpartition(".")[2])
        self.mm = MM_PER[self.unit or "mm"]
        self.notes: Counter[str] = Counter()
        self.items = {str(item.Attributes.Id): item for item in model.Objects}
        self.blocks = {str(block.Id): block for block in model.InstanceDefinitions}
        self.layers = self._layers(layers)
        self.uses: list[Use] = []

    def drawing(self) -> Drawing:
        """Everything there is to measure. Raises Unreadable."""
        for item in self.model.Objects:
            if not item.Attributes.IsInstanceDefinitionObject:
                self._place(item, np.eye(4), "", False, 0)
        for use in self.uses:
            self.layers[use.layer].bodies += 1
        sources = self._sources([use for use in self.uses if not use.hidden])
        bodies: list[Body] = []
        hidden = 0
        for use in self.uses:
            hidden += use.hidden
            if use.hidden and hidden > MAX_LISTED:
                continue
            limit_count(len(bodies) - min(hidden, MAX_LISTED), "bodies", MAX_BODIES)
            bodies += self._bodies(use, sources)
        limit_count(sum(len(body.faces) for body in bodies), "triangles", MAX_TRIANGLES)
        notes: list[tuple[str, dict[str, str | int | float]]] = [
            (code, {"count": count}) for code, count in sorted(self.notes.items()) if code != "tessellated"
        ]
        if hidden:
            notes.append(("hidden_left_out", {"count": hidden}))
        if tolerance := self.notes.get("tessellated"):
            count = sum(len(body.faces) for body in bodies)
            notes.append(("tessellated", {"tolerance": tolerance / 1e6, "triangles": count}))
        layers = [layer for layer in self.layers.values() if layer.bodies]
        return Drawing(bodies, self.unit, layers, notes, hidden + self.notes["brep_unread"])

    def _layers(self, chosen: list[str] | None) -> dict[str, Layer]:
        by_id = {str(layer.Id): layer for layer in self.model.Layers}
        found: dict[str, Layer] = {}
        for layer in self.model.Layers:
            visible, above, seen = True, layer, 0
            while above is not None and seen <= len(by_id):
                visible, above, seen = visible and above.Visible, by_id.get(str(above.ParentLayerId)), seen + 1
            for name, shown in ((layer.FullPath, visible), (layer.FullPath + HIDDEN, False)):
                found[name] = Layer(name, shown, shown if chosen is None else name in chosen)
        for name, shown in (("", True), (HIDDEN, False)) if not found else ():
            found[name] = Layer(name, shown, shown if chosen is None else name in chosen)
        return found

    def _layer_of(self, item: Rhino) -> str:
        """The name of an object's layer; objects that are hidden one by one lie on a line of their own."""
        number, names = item.Attributes.LayerIndex, [layer.FullPath for layer in self.model.Layers]
        name = names[number] if 0 <= number < len(names) else next(iter(names), "")
        off = not item.Attributes.Visible or item.Attributes.Mode == r3.ObjectMode.Hidden
        return name + HIDDEN if off else name

    def _place(self, item: Rhino, matrix: Matrix, name: str, hidden: bool, depth: int) -> None:
        layer = self._layer_of(item)
        hidden = hidden or not self.layers[layer].used
        kind = item.Geometry
        if isinstance(kind, r3.InstanceReference):
            block = self.blocks.get(str(kind.ParentIdefId))
            if depth >= MAX_DEPTH:
                raise Unreadable("damaged", detail="its blocks are nested too deep")
            if block is None or (block.SourceArchive and not block.GetObjectIds()):
                self.notes["linked_blocks"] += 1
                return
            place = np.array(kind.Xform.ToFloatArray(True), np.float64).reshape(4, 4)
            for number in block.GetObjectIds():
                member = self.items.get(str(number))
                if member is not None:
                    self._place(member, matrix @ place, item.Attributes.Name or block.Name, hidden, depth + 1)
        elif isinstance(kind, r3.Mesh | r3.Brep | r3.Extrusion | r3.SubD | r3.Surface):
            limit_count(len(self.uses) + 1, "parts", MAX_PLACED)
            label = " ".join(part for part in (name, item.Attributes.Name) if part)
            self.uses.append(Use(item, matrix, label[:100], layer, hidden))

    def _sources(self, uses: list[Use]) -> dict[str, Source]:
        """The geometry of every object that is shown, each read once however often a block repeats it."""
        counts = Counter(str(use.item.Attributes.Id) for use in uses)
        found = {number: self._source(self.items[number].Geometry, count) for number, count in counts.items()}
        waiting = [source for source in found.values() if source.part is not None]
        if waiting:
            triangles = importlib.import_module("ai_pipeline.cad.brep.triangles")
            bodies, tolerance = triangles.triangulate([source.part for source in waiting], self.mm)
            self.notes["tessellated"] = round(tolerance * 1e6)
            for source, body in zip(waiting, bodies, strict=True):
                source.bodies = [self._better(body, source.display)]
        return found

    def _source(self, kind: Rhino, uses: int) -> Source:
        if isinstance(kind, r3.Mesh):
            return Source([Body(*_mesh(kind))])
        if isinstance(kind, r3.SubD):
            return Source(self._subd(kind))
        if isinstance(kind, r3.Extrusion):
            kind = kind.ToBrep(True)
        elif not isinstance(kind, r3.Brep):
            kind = r3.Brep.CreateFromSurface(kind)
        if kind is None or not len(kind.Faces):
            self.notes["brep_unread"] += 1
            return Source()
        return self._brep(kind, uses)

    def _brep(self, brep: Rhino, uses: int) -> Source:
        shown = [found for face in brep.Faces if (found := face.GetMesh(r3.MeshType.Any)) is not None]
        display: Body | None = None
        areas: list[float | None] = [None] * len(brep.Faces)
        if len(shown) == len(brep.Faces):
            pieces = [_mesh(found) for found in shown]
            areas = [mesh.area(*piece) for piece in pieces]
            display = _welded(pieces)
        made = importlib.import_module("ai_pipeline.cad.brep.rhino_brep").rebuild(brep, self.tolerance, areas)
        solids = importlib.import_module("ai_pipeline.cad.brep.solids")
        if made.missing or (brep.IsSolid and not made.closed):
            if display is not None and (_closed(display) or made.missing):
                self.notes["display_mesh_used"] += 1
                return Source([display])
            if made.missing == len(brep.Faces):
                self.notes["brep_unread"] += 1
                return Source()
            self.notes["brep_open"] += 1
        return Source(part=solids.Part(made.shape, uses=uses), display=display)

    def _better(self, body: Body, display: Body | None) -> Body:
        """The rebuilt body, unless its closed display mesh says that it was trimmed wrongly."""
        if display is None or not _closed(display):
            return body
        expected = abs(mesh.volume(display.vertices, display.faces))
        if body.exact_volume is not None and abs(body.exact_volume - expected) <= TRUSTED_SHARE * expected:
            return body
        self.notes["display_mesh_used"] += 1
        return display

    def _subd(self, subd: Rhino) -> list[Body]:
        for _ in range(SUBD_STEPS):
            if subd.FaceCount * 4 > SUBD_FACES:
                break
            subd.Subdivide(1)
        found = r3.Mesh.CreateFromSubDControlNet(subd)
        if found is None or not len(found.Faces):
            self.notes["brep_unread"] += 1
            return []
        self.notes["subdivided"] += 1
        return [Body(*_mesh(found), estimate=SUBD_SHARE)]

    def _bodies(self, use: Use, sources: dict[str, Source]) -> list[Body]:
        if use.hidden:
            nothing = np.empty((0, 3))
            return [Body(nothing, nothing.astype(np.int64), use.name, self._material(use.item), use.layer, hidden=True)]
        turn, size = use.matrix[:3, :3], abs(float(np.linalg.det(use.matrix[:3, :3])))
        mirrored = np.linalg.det(turn) < 0
        return [
            replace(
                body,
                vertices=body.vertices @ turn.T + use.matrix[:3, 3],
                faces=body.faces[:, ::-1] if mirrored else body.faces,
                name=use.name,
                material=self._material(use.item),
                layer=use.layer,
                exact_volume=None if body.exact_volume is None else body.exact_volume * size,
            )
            for body in sources[str(use.item.Attributes.Id)].bodies
        ]

    def _material(self, item: Rhino) -> str:
        number = item.Attributes.MaterialIndex
        if item.Attributes.MaterialSource == r3.ObjectMaterialSource.MaterialFromLayer:
            place = item.Attributes.LayerIndex
            number = self.model.Layers[place].RenderMaterialIndex if 0 <= place < len(self.model.Layers) else -1
        return str(self.model.Materials[number].Name)[:100] if 0 <= number < len(self.model.Materials) else ""


def _mesh(found: Rhino) -> tuple[Points, Faces]:
    """(points, triangles) of a mesh; four-cornered faces are cut in two."""
    points = np.array([(point.X, point.Y, point.Z) for point in found.Vertices.ToPoint3dArray()], np.float64)
    corners = np.array(list(found.Faces), np.int64).reshape(-1, 4)
    four = corners[:, 2] != corners[:, 3]
    faces = np.vstack([corners[:, :3], corners[four][:, [0, 2, 3]]])
    return points.reshape(-1, 3), faces


def _welded(pieces: list[tuple[Points, Faces]]) -> Body:
    starts = np.cumsum([0, *(len(points) for points, _ in pieces)])
    faces = np.vstack([faces + start for (_, faces), start in zip(pieces, starts, strict=False)])
    points, faces, _, _ = mesh.weld(np.vstack([points for points, _ in pieces]), faces)
    return Body(points, faces, estimate=DISPLAY_SHARE)


def _closed(body: Body) -> bool:
    return not mesh.edges(body.faces, len(body.vertices)).open
