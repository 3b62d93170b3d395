"""3MF: packaging and XML are checked here; its geometry is not measured yet.

Source: 3MF Core Specification 1.3, chapters 2 and 3 (packaging, relationships, units, build).
"""

from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import NoReturn
from xml.parsers import expat

from ai_pipeline.cad.formats.archive import read_directory, unpack
from ai_pipeline.cad.shape import MAX_COORDINATE
from ai_pipeline.errors import Unreadable

MAX_XML = 200 << 20
MAX_DEPTH = 40
MODEL_TYPE = "http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"
UNITS = {"micron", "millimeter", "centimeter", "inch", "foot", "meter"}
NUMBERS = {"x", "y", "z"}
CORE = "http://schemas.microsoft.com/3dmanufacturing/core/"


def check_threemf(path: Path) -> None:
    """Pass a 3MF whose package, relationships and model are well-formed and self-contained. Raises Unreadable."""
    data = path.read_bytes()
    entries = {entry.name: entry for entry in read_directory(data)}
    folded = {name.casefold() for name in entries}
    if "[Content_Types].xml" not in entries or "_rels/.rels" not in entries:
        raise Unreadable("damaged", detail="no package description")
    model = ""
    for name, entry in entries.items():
        if name.endswith(".rels"):
            for kind, target in _relationships(unpack(data, entry, MAX_XML)):
                part = _part(name, target)
                if part.casefold() not in folded:
                    raise Unreadable("damaged", detail="a relationship to a missing part")
                if name == "_rels/.rels" and kind == MODEL_TYPE:
                    if model and model != part:
                        raise Unreadable("damaged", detail="two models in one package")
                    model = part
    if not model or model not in entries:
        raise Unreadable("no_geometry")
    for name, entry in entries.items():
        if name.lower().endswith((".model", ".xml")):
            Model(name == model).read(unpack(data, entry, MAX_XML))


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


def _parse(xml: bytes, start: Callable[[str, dict[str, str]], None], end: Callable[[str], None] | None = None) -> None:
    """Feed expat with document types, entities and external references refused."""
    parser = expat.ParserCreate(namespace_separator=" ")

    def refuse(*_: object) -> NoReturn:
        raise Unreadable("external_reference", target="document type")

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.ExternalEntityRefHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    try:
        parser.Parse(xml, True)
    except expat.ExpatError:
        raise Unreadable("damaged", detail="its XML is not well-formed") from None


class Model:
    """Checks one model part: root, unit, finite numbers, references that exist and do not turn in circles."""

    def __init__(self, main: bool) -> None:
        self.main = main
        self.depth = 0
        self.object = ""
        self.uses: dict[str, list[str]] = {}
        self.built: list[str] = []
        self.has_build = False

    def read(self, xml: bytes) -> None:
        """Parse and check. Raises Unreadable `damaged`."""
        _parse(xml, self._start, self._end)
        if self.main and not self.has_build:
            raise Unreadable("damaged", detail="nothing in it is set to be built")
        if self.main and any(number not in self.uses for number in self.built):
            raise Unreadable("damaged", detail="it builds an object that is not there")
        self._require_no_cycle()

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Unreadable("damaged", detail="its XML is nested too deep")
        name = tag.rpartition(" ")[2]
        if self.depth == 1 and self.main:
            if name != "model":
                raise Unreadable("damaged", detail="its main part is not a model")
            if attributes.get("unit", "millimeter") not in UNITS:
                raise Unreadable("damaged", detail="its unit is unknown")
        elif name == "vertex":
            axes = NUMBERS if tag.startswith(CORE) else NUMBERS & attributes.keys()  # slices are flat
            if any(abs(_number(attributes.get(axis, ""))) > MAX_COORDINATE for axis in axes):
                raise Unreadable("damaged", detail="a coordinate is absurdly large")
        elif name == "object":
            self.object = attributes.get("id", "")
            if self.object in self.uses:
                raise Unreadable("damaged", detail="two objects of one number")
            self.uses[self.object] = []
        elif name == "component" and "objectid" in attributes:
            self._transform(attributes)
            if not any(key.endswith(" path") for key in attributes):
                self.uses.setdefault(self.object, []).append(attributes["objectid"])
        elif name == "build":
            self.has_build = True
        elif name == "item" and "objectid" in attributes:
            self._transform(attributes)
            if not any(key.endswith(" path") for key in attributes):
                self.built.append(attributes["objectid"])

    def _end(self, _: str) -> None:
        self.depth -= 1

    def _transform(self, attributes: dict[str, str]) -> None:
        numbers = [_number(word) for word in attributes.get("transform", "1 0 0 0 1 0 0 0 1 0 0 0").split()]
        if len(numbers) != 12:
            raise Unreadable("damaged", detail="a transform is not twelve numbers")

    def _require_no_cycle(self) -> None:
        """Refuse objects that contain themselves, and trees that unfold into more than a million parts."""
        sizes: dict[str, int] = {}
        for root in self.uses:
            open_objects: set[str] = set()
            stack = [(root, False)]
            while stack:
                number, done = stack.pop()
                if done:
                    open_objects.discard(number)
                    sizes[number] = 1 + sum(sizes.get(child, 1) for child in self.uses.get(number, []))
                    if sizes[number] > 1_000_000:
                        raise Unreadable("too_many_items", count=sizes[number], items="components", limit=1_000_000)
                elif number in open_objects:
                    raise Unreadable("damaged", detail="an object contains itself")
                elif number not in sizes:
                    open_objects.add(number)
                    stack.append((number, True))
                    stack += [(child, False) for child in self.uses.get(number, [])]


def _number(word: str) -> float:
    try:
        value = float(word)
    except ValueError:
        raise Unreadable("damaged", detail="a coordinate is not a number") from None
    if value - value != 0.0:
        raise Unreadable("damaged", detail="a coordinate is not a number")
    return value
