"""3MF: a ZIP package whose model parts are checked strictly, then placed as its build says.

Source: 3MF Core Specification 1.3, chapters 2 to 4 (packaging, relationships, units, objects, build); Materials and
Properties 1.2.1; Production 1.1 (parts of a model in several files).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import NoReturn
from xml.parsers import expat

import numpy as np
from numpy.typing import NDArray

from ai_pipeline.cad.formats.archive import Entry, read_directory, unpack
from ai_pipeline.cad.formats.threemf_model import Model, ModelObject, Placed
from ai_pipeline.cad.shape import MAX_BODIES, MAX_TRIANGLES, Body, Drawing, Faces, Points, limit_count
from ai_pipeline.errors import Unreadable

MAX_XML = 200 << 20
MAX_NESTING = 40
MAX_PLACED = 100_000
MODEL_TYPE = "http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"
TICKET_TYPE = "http://schemas.microsoft.com/3dmanufacturing/2013/01/printticket"
UNITS = {"micron": "um", "millimeter": "mm", "centimeter": "cm", "inch": "in", "foot": "ft", "meter": "m"}
#: Objects that become part of the piece; supports and helpers do not.
BUILT = {"model", "solidsupport", ""}


def read_threemf(path: Path) -> Drawing:
    """Every object the build names, placed by its transforms, one body each. Raises Unreadable."""
    data = path.read_bytes()
    entries = {entry.name: entry for entry in read_directory(data)}
    main = _main_part(data, entries)
    models: dict[str, Model] = {}
    for name, entry in entries.items():
        if name.lower().endswith((".model", ".xml")):
            model = Model(name == main)
            _parse(unpack(data, entry, MAX_XML), model.start, model.end, model.prefix)
            model.finish()
            models["/" + name.casefold()] = model
    scene = Scene(models)
    root = "/" + main.casefold()
    for item in models[root].items:
        scene.place(root, item, np.eye(4), 0)
    notes: list[tuple[str, dict[str, str | int | float]]] = []
    if scene.supports:
        notes.append(("supports_left_out", {"count": scene.supports}))
    if scene.other_shapes:
        notes.append(("shapes_left_out", {"count": scene.other_shapes}))
    return Drawing(scene.bodies, UNITS[models[root].unit], notes=notes)


@dataclass
class Scene:
    """Bodies as the build places them. `supports` counts parts that are not built, `other_shapes` objects without
    triangles (beams, slices).
    """

    models: dict[str, Model]
    bodies: list[Body] = field(default_factory=list)
    supports: int = 0
    other_shapes: int = 0
    placed: int = 0
    triangles: int = 0
    cache: dict[tuple[str, str], tuple[Points, Faces]] = field(default_factory=dict)

    def place(self, part: str, item: Placed, around: NDArray[np.float64], depth: int) -> None:
        """Put one object, and what it is composed of, into the scene. Raises Unreadable."""
        self.placed += 1
        limit_count(self.placed, "components", MAX_PLACED)
        part = item.part.casefold() or part
        found = self.models[part].objects.get(item.object) if part in self.models else None
        if found is None:
            raise Unreadable("damaged", detail="it builds an object that is not there")
        if depth > MAX_NESTING:
            raise Unreadable("damaged", detail="an object contains itself")
        matrix = around @ item.matrix
        if found.kind not in BUILT:
            self.supports += 1
        elif found.components:
            for component in found.components:
                self.place(part, component, matrix, depth + 1)
        elif not found.triangles:
            self.other_shapes += 1
        else:
            self._add(part, item.object, found, matrix)

    def _add(self, part: str, number: str, found: ModelObject, matrix: NDArray[np.float64]) -> None:
        if (part, number) not in self.cache:
            self.cache[part, number] = found.mesh()
        points, faces = self.cache[part, number]
        self.triangles += len(faces)
        limit_count(self.triangles, "triangles", MAX_TRIANGLES)
        limit_count(len(self.bodies) + 1, "bodies", MAX_BODIES)
        turn = matrix[:3, :3]
        if np.linalg.det(turn) < 0:
            faces = faces[:, ::-1]
        material = self.models[part].material_of(found)
        self.bodies.append(Body(points @ turn.T + matrix[:3, 3], faces, found.name, material))


def _main_part(data: bytes, entries: dict[str, Entry]) -> str:
    """The name of the part that the package calls its model, after checking every relationship."""
    folded = {name.casefold() for name in entries}
    if "[Content_Types].xml" not in entries or "_rels/.rels" not in entries:
        raise Unreadable("damaged", detail="no package description")
    main = ""
    for name, entry in entries.items():
        if not name.endswith(".rels"):
            continue
        tickets = 0
        for kind, target in _relationships(unpack(data, entry, MAX_XML)):
            part = _part(name, target)
            if part.casefold() not in folded:
                raise Unreadable("damaged", detail="a relationship to a missing part")
            tickets += kind == TICKET_TYPE
            if tickets > 1:
                raise Unreadable("damaged", detail="two print tickets for one part")
            if name == "_rels/.rels" and kind == MODEL_TYPE:
                if main and main != part:
                    raise Unreadable("damaged", detail="two models in one package")
                main = part
    if not main or main not in entries or not main.lower().endswith((".model", ".xml")):
        raise Unreadable("no_geometry")
    return main


def _relationships(xml: bytes) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        if tag.rpartition(" ")[2] == "Relationship":
            if attributes.get("TargetMode", "Internal") != "Internal" or "://" in attributes.get("Target", ""):
                raise Unreadable("external_reference", target=attributes.get("Target", "")[:60])
            found.append((attributes.get("Type", ""), attributes.get("Target", "")))

    _parse(xml, start)
    return found


def _part(rels: str, target: str) -> str:
    """The part a relationship names, relative to the folder of the part that owns the relationship."""
    base = PurePosixPath(rels).parent.parent
    path = PurePosixPath(target.lstrip("/")) if target.startswith("/") else base / target
    if ".." in path.parts:
        raise Unreadable("external_reference", target=target[:60])
    return str(path)


def _parse(
    xml: bytes,
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None] | None = None,
    prefix: Callable[[str | None, str], None] | None = None,
) -> None:
    """Feed expat with document types, entities and external references refused."""
    parser = expat.ParserCreate(namespace_separator=" ")

    def refuse(*_: object) -> NoReturn:
        raise Unreadable("external_reference", target="document type")

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.ExternalEntityRefHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.StartNamespaceDeclHandler = prefix
    try:
        parser.Parse(xml, True)
    except expat.ExpatError:
        raise Unreadable("damaged", detail="its XML is not well-formed") from None
