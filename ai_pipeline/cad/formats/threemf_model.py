"""One model part of a 3MF file: events of its XML in, checked objects, materials and build items out."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ai_pipeline.cad.shape import MAX_COORDINATE, MAX_TRIANGLES, Faces, Points, limit_count
from ai_pipeline.errors import Unreadable

MAX_DEPTH = 40
UNITS = {"micron", "millimeter", "centimeter", "inch", "foot", "meter"}
CORE = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02"
#: Extensions whose files can be read without knowing them fully: they add color, parts, slices or beams to the mesh.
KNOWN = {
    CORE,
    "http://schemas.microsoft.com/3dmanufacturing/material/2015/02",
    "http://schemas.microsoft.com/3dmanufacturing/production/2015/06",
    "http://schemas.microsoft.com/3dmanufacturing/slice/2015/07",
    "http://schemas.microsoft.com/3dmanufacturing/beamlattice/2017/02",
    "http://schemas.3mf.io/3dmanufacturing/trianglesets/2021/07",
}
#: Names of metadata that need no namespace: those of the specification, then those that widely used slicers write.
METADATA = {
    "Title", "Designer", "Description", "Copyright", "LicenseTerms", "Rating", "CreationDate", "ModificationDate",
    "Application",
    "CopyRight", "License", "Origin", "Region", "Version", "Thumbnail_Middle", "Thumbnail_Small", "DesignerUserId",
    "DesignerCover", "DesignModelId", "DesignProfileId", "DesignRegion", "ModelId", "ProfileTitle",
    "ProfileDescription", "ProfileCover", "ProfileUserId", "ProfileUserName", "MakerLab",
}  # fmt: skip
GROUPS = {"object", "basematerials", "colorgroup", "texture2d", "texture2dgroup", "compositematerials",
          "multiproperties"}  # fmt: skip
AXES = ("x", "y", "z")
CORNERS = ("v1", "v2", "v3")


@dataclass
class Placed:
    """A use of an object: its number, the part it lies in (empty: the same), and where it is put."""

    object: str
    part: str
    matrix: NDArray[np.float64]


@dataclass
class ModelObject:
    """One object: a mesh, or components. `vertices` and `triangles` are flat lists of three numbers each."""

    kind: str
    name: str
    group: str
    place_in_group: str
    vertices: list[float] = field(default_factory=list)
    triangles: list[int] = field(default_factory=list)
    components: list[Placed] = field(default_factory=list)

    def mesh(self) -> tuple[Points, Faces]:
        """(points, faces). Raises Unreadable when a face names a point that is not there."""
        points = np.array(self.vertices, np.float64).reshape(-1, 3)
        faces = np.array(self.triangles, np.int64).reshape(-1, 3)
        if faces.min() < 0 or faces.max() >= len(points):
            raise _damaged("a face names a point that is not there")
        return points, faces


class Model:
    """Checks one model part while it is read: root, unit, extensions, numbers, references, circles."""

    def __init__(self, main: bool) -> None:
        self.main = main
        self.unit = "millimeter"
        self.objects: dict[str, ModelObject] = {}
        self.items: list[Placed] = []
        self._path: list[str] = []
        self._object = ModelObject("", "", "", "")
        self._group = ""
        self._groups: dict[str, str] = {}
        self._materials: dict[str, list[str]] = {}
        self._metadata: set[str] = set()
        self._prefixes: dict[str, str] = {}
        self._has_build = False
        self._core: dict[str, Callable[[dict[str, str]], None]] = {
            "vertex": self._vertex,
            "triangle": self._triangle,
            "object": self._start_object,
            "component": self._component,
            "item": self._item,
            "metadata": self._meta,
            "base": self._base,
        }

    def prefix(self, prefix: str | None, uri: str) -> None:
        """Note a namespace prefix: required extensions are named by it."""
        self._prefixes[prefix or ""] = uri

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins. Raises Unreadable."""
        namespace, _, name = tag.rpartition(" ")
        self._path.append(name)
        if len(self._path) > MAX_DEPTH:
            raise _damaged("its XML is nested too deep")
        if len(self._path) == 1:
            self._root(name, attributes)
        elif name in GROUPS and "id" in attributes:
            self._start_group(name, attributes)
        if name == "build":
            self._has_build = True
        elif name == "vertex" and namespace != CORE:
            for axis in set(AXES) & attributes.keys():  # slices are flat
                _coordinate(attributes[axis])
        elif namespace == CORE and name in self._core:
            self._core[name](attributes)

    def end(self, _tag: str) -> None:
        """An element ends."""
        self._path.pop()

    def finish(self) -> None:
        """Check what only the whole part can tell. Raises Unreadable."""
        if self.main and not self._has_build:
            raise _damaged("nothing in it is set to be built")
        if self.main and any(not item.part and item.object not in self.objects for item in self.items):
            raise _damaged("it builds an object that is not there")
        self._require_no_cycle()

    def material_of(self, found: ModelObject) -> str:
        """The name of the base material an object is made of, or an empty text."""
        names = self._materials.get(found.group, [])
        place = int(found.place_in_group) if found.place_in_group.isdigit() else 0
        return names[place] if place < len(names) else ""

    def _root(self, name: str, attributes: dict[str, str]) -> None:
        if not self.main:
            return
        if name != "model":
            raise _damaged("its main part is not a model")
        self.unit = attributes.get("unit", "millimeter")
        if self.unit not in UNITS:
            raise _damaged("its unit is unknown")
        for prefix in attributes.get("requiredextensions", "").split():
            if self._prefixes.get(prefix) not in KNOWN:
                raise Unreadable("unsupported_feature", feature=self._prefixes.get(prefix, prefix)[-60:])

    def _start_group(self, name: str, attributes: dict[str, str]) -> None:
        number = attributes["id"]
        if number in self._groups:
            raise _damaged("two resources of one number")
        kinds = [self._groups.get(other) for other in attributes.get("pids", "").split()]
        if name == "texture2dgroup" and self._groups.get(attributes.get("texid", "")) != "texture2d":
            raise _damaged("a texture that is not there")
        if name == "compositematerials" and (
            self._groups.get(attributes.get("matid", "")) != "basematerials" or "matindices" not in attributes
        ):
            raise _damaged("a mixture of materials that are not there")
        if name == "multiproperties" and (
            None in kinds
            or "multiproperties" in kinds
            or kinds.count("colorgroup") > 1
            or kinds.count("basematerials") + kinds.count("compositematerials") > 1
        ):
            raise _damaged("properties that cannot be combined")
        self._groups[number], self._group = name, number

    def _start_object(self, attributes: dict[str, str]) -> None:
        number = attributes.get("id", "")
        if number in self.objects:
            raise _damaged("two objects of one number")
        name = attributes.get("name") or attributes.get("partnumber") or ""
        kind = attributes.get("type", "")
        self._object = ModelObject(kind, name[:100], attributes.get("pid", ""), attributes.get("pindex", ""))
        self.objects[number] = self._object

    def _vertex(self, attributes: dict[str, str]) -> None:
        try:
            self._object.vertices += [_coordinate(attributes[axis]) for axis in AXES]
        except KeyError:
            raise _damaged("a point without three coordinates") from None
        limit_count(len(self._object.vertices) // 3, "points", 3 * MAX_TRIANGLES)

    def _triangle(self, attributes: dict[str, str]) -> None:
        try:
            self._object.triangles += [int(attributes[corner]) for corner in CORNERS]
        except (KeyError, ValueError):
            raise _damaged("a triangle is not complete") from None
        limit_count(len(self._object.triangles) // 3, "triangles", MAX_TRIANGLES)

    def _component(self, attributes: dict[str, str]) -> None:
        if "objectid" in attributes:
            self._object.components.append(_placed(attributes))

    def _item(self, attributes: dict[str, str]) -> None:
        if "objectid" in attributes and "build" in self._path:
            self.items.append(_placed(attributes))

    def _meta(self, attributes: dict[str, str]) -> None:
        if self._path[:-1] != ["model"]:
            return
        name = attributes.get("name", "")
        if not name or name in self._metadata:
            raise _damaged("metadata without a name of its own")
        if ":" not in name and name not in METADATA:
            raise _damaged("metadata of a name that the format does not know")
        self._metadata.add(name)

    def _base(self, attributes: dict[str, str]) -> None:
        self._materials.setdefault(self._group, []).append(attributes.get("name", "")[:100])

    def _require_no_cycle(self) -> None:
        """Refuse objects that contain themselves, and trees that unfold into more than a million parts."""
        uses = {
            number: [part.object for part in found.components if not part.part]
            for number, found in self.objects.items()
        }
        sizes: dict[str, int] = {}
        for root in uses:
            open_objects: set[str] = set()
            stack = [(root, False)]
            while stack:
                number, done = stack.pop()
                if done:
                    open_objects.discard(number)
                    sizes[number] = 1 + sum(sizes.get(child, 1) for child in uses.get(number, []))
                    limit_count(sizes[number], "components", 1_000_000)
                elif number in open_objects:
                    raise _damaged("an object contains itself")
                elif number not in sizes:
                    open_objects.add(number)
                    stack.append((number, True))
                    stack += [(child, False) for child in uses.get(number, [])]


def _placed(attributes: dict[str, str]) -> Placed:
    words = attributes.get("transform", "1 0 0 0 1 0 0 0 1 0 0 0").split()
    numbers = [_coordinate(word) for word in words]
    if len(numbers) != 12:
        raise _damaged("a transform is not twelve numbers")
    matrix = np.eye(4)
    matrix[:3, :4] = np.array(numbers).reshape(4, 3).T  # the file writes points as rows
    if abs(float(np.linalg.det(matrix[:3, :3]))) < 1e-12:
        raise _damaged("a transform flattens what it places")
    part = next((value for key, value in attributes.items() if key.endswith(" path")), "")
    return Placed(attributes["objectid"], part, matrix)


def _coordinate(word: str) -> float:
    try:
        value = float(word)
    except ValueError:
        raise _damaged("a coordinate is not a number") from None
    if value - value != 0.0:
        raise _damaged("a coordinate is not a number")
    if abs(value) > MAX_COORDINATE:
        raise _damaged("a coordinate is absurdly large")
    return value


def _damaged(detail: str) -> Unreadable:
    return Unreadable("damaged", detail=detail)
