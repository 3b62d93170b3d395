"""STL, binary and ASCII. Binary must have exactly the length its count says; ASCII must follow the grammar."""

import re
from pathlib import Path

import numpy as np

from ai_pipeline.cad.shape import MAX_TRIANGLES, Body, Drawing, limit_count
from ai_pipeline.errors import Unreadable

RECORD = np.dtype([("normal", "<f4", 3), ("points", "<f4", (3, 3)), ("attribute", "<u2")])
HEADER = 84
MAX_ASCII_BYTES = 200 << 20
SOLID_LINE = re.compile(rb"^[ \t]*(end[ \t]*)?solid\b[ \t]*([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
# One facet is 21 words; these positions hold keywords, the others numbers.
KEYWORDS = {0: b"facet", 1: b"normal", 5: b"outer", 6: b"loop", 7: b"vertex", 11: b"vertex", 15: b"vertex",
            19: b"endloop", 20: b"endfacet"}  # fmt: skip
WORDS = 21


def read_stl(path: Path) -> Drawing:
    """Read either kind. Raises Unreadable: `damaged`, `no_geometry`, `too_many_items`."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(HEADER)
    if len(head) == HEADER:
        count = int.from_bytes(head[80:84], "little")
        if HEADER + count * RECORD.itemsize == size:
            return _binary(path, count)
    if head.lstrip()[:5].lower() == b"solid":
        return _ascii(path, size)
    if len(head) < HEADER:
        raise Unreadable("damaged", detail="shorter than an STL header")
    raise Unreadable("damaged", detail=f"it says {count} triangles, its length holds {(size - HEADER) / 50:g}")


def _binary(path: Path, count: int) -> Drawing:
    if count == 0:
        raise Unreadable("no_geometry")
    limit_count(count, "triangles", MAX_TRIANGLES)
    records = np.fromfile(path, RECORD, count=count, offset=HEADER)
    vertices = records["points"].reshape(-1, 3).astype(np.float64)
    return Drawing([Body(vertices, np.arange(len(vertices)).reshape(-1, 3))])


def _ascii(path: Path, size: int) -> Drawing:
    if size > MAX_ASCII_BYTES:
        raise Unreadable("file_too_large", size=size >> 20, limit=MAX_ASCII_BYTES >> 20)
    text = path.read_bytes()
    if b"\0" in text:
        raise Unreadable("damaged", detail="binary bytes in a text STL")
    bodies: list[Body] = []
    total, start, name, inside = 0, 0, "", False
    for line in SOLID_LINE.finditer(text):
        closing = line.group(1) is not None
        if closing != inside:
            raise Unreadable("damaged", detail="solid and endsolid do not pair")
        if closing:
            body = _facets(text[start : line.start()], name)
            total += len(body.faces)
            limit_count(total, "triangles", MAX_TRIANGLES)
            bodies.append(body)
        elif text[start : line.start()].strip():
            raise Unreadable("damaged", detail="text outside a solid")
        name = line.group(2).decode("utf-8", "replace").strip()[:100]
        start, inside = line.end(), not inside
    if inside or text[start:].strip():
        raise Unreadable("damaged", detail="no endsolid")
    return Drawing(bodies)


def _facets(block: bytes, name: str) -> Body:
    words = block.lower().split()
    if len(words) % WORDS:
        raise Unreadable("damaged", detail="a facet is not complete")
    for place, keyword in KEYWORDS.items():
        if set(words[place::WORDS]) - {keyword}:
            raise Unreadable("damaged", detail=f"a facet lacks the word {keyword.decode()}")
    columns = [words[place + axis :: WORDS] for place in (8, 12, 16) for axis in range(3)]
    try:
        numbers = np.array([np.array(column, dtype="S32").astype(np.float64) for column in columns])
    except ValueError:
        raise Unreadable("damaged", detail="a coordinate is not a number") from None
    vertices = numbers.T.reshape(-1, 3)
    return Body(vertices, np.arange(len(vertices)).reshape(-1, 3), name)
