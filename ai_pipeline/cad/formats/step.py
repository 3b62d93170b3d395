"""STEP (ISO 10303-21): the exchange structure is checked before the library that may crash on it sees the file."""

import importlib
import re
from pathlib import Path

from ai_pipeline.cad.shape import Drawing, limit_count
from ai_pipeline.errors import Unreadable

MAX_BYTES = 100 << 20
MAX_NESTING = 48
MAX_ENTITIES = 1_500_000
MAX_STRING = 32 << 10
# Strings and comments first, so that a bracket or a number inside one does not count.
STRING = re.compile(rb"'(?:[^']|'')*'|/\*.*?\*/", re.DOTALL)
TOKEN = re.compile(STRING.pattern + rb"|[()]|DATA\s*;|(?<=[;\s])#(\d+)\s*=|\bDOCUMENT_FILE\b", re.DOTALL)
REFERENCE = re.compile(rb"#(\d+)")
SHAPES = re.compile(
    rb"\b(MANIFOLD_SOLID_BREP|BREP_WITH_VOIDS|SHELL_BASED_SURFACE_MODEL|FACETED_BREP|ADVANCED_FACE|CSG_SOLID"
    rb"|TESSELLATED_\w+|TRIANGULATED_\w+|GEOMETRIC_(?:CURVE_)?SET|SWEPT_AREA_SOLID)\s*\("
)


def read_step(path: Path) -> Drawing:
    """Every solid and surface as triangles in mm. Raises Unreadable."""
    check_step(path)
    drawing: Drawing = importlib.import_module("ai_pipeline.cad.brep.step").step_drawing(path)
    return drawing


def check_step(path: Path) -> None:
    """Pass a STEP file with a complete structure, unique numbers, no dangling references and some shape.

    Raises Unreadable.
    """
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise Unreadable("file_too_large", size=size >> 20, limit=MAX_BYTES >> 20)
    data = path.read_bytes()
    if not data.lstrip().startswith(b"ISO-10303-21"):
        raise Unreadable("unsupported_cad")
    if b"END-ISO-10303-21" not in data[-256:] or b"ENDSEC" not in data:
        raise Unreadable("damaged", detail="its end is missing")
    numbers = _entities(data)
    if any(_identifier(match.group(1)) not in numbers for match in REFERENCE.finditer(STRING.sub(b" ", data))):
        raise Unreadable("damaged", detail="an entity refers to one that is not there")
    if not SHAPES.search(data):
        raise Unreadable("no_geometry")


def _entities(data: bytes) -> set[int]:
    """Numbers of the entities defined in the data section, after checking brackets, strings and doubles."""
    depth, in_data = 0, False
    numbers: set[int] = set()
    for token in TOKEN.finditer(data):
        text = token.group()
        if text in (b"(", b")"):
            depth += 1 if text == b"(" else -1
            if not 0 <= depth <= MAX_NESTING:
                raise Unreadable("damaged", detail="brackets do not pair or are nested too deep")
        elif text == b"DOCUMENT_FILE":
            raise Unreadable("external_reference", target="document file")
        elif len(text) > MAX_STRING:
            raise Unreadable("damaged", detail="a string of absurd length")
        elif token.group(1) and in_data and depth == 0:
            number = _identifier(token.group(1))
            if number in numbers:
                raise Unreadable("damaged", detail="two entities of one number")
            numbers.add(number)
        in_data = in_data or text.startswith(b"DATA")
    if depth:
        raise Unreadable("damaged", detail="brackets do not pair")
    limit_count(len(numbers), "entities", MAX_ENTITIES)
    return numbers


def _identifier(digits: bytes) -> int:
    if len(digits) > 18:
        raise Unreadable("damaged", detail="an entity number of absurd length")
    return int(digits)
