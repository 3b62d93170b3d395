"""Rhino 3DM: the chain of chunks is walked to its end mark, then layers, blocks and geometry are read.

Source: openNURBS `opennurbs_3dm.h` and `ON_BinaryArchive`: a 32-byte start section, then chunks of a 4-byte code and a
length of 4 bytes (version 4 and before) or 8 bytes (from version 50 on); the end-of-file chunk holds the length of the
file.
"""

import struct
from pathlib import Path

import rhino3dm

from ai_pipeline.cad.formats.rhino_scene import Scene
from ai_pipeline.cad.shape import Drawing, limit_count
from ai_pipeline.errors import Unreadable

MAGIC = b"3D Geometry File Format "
START = 32
END_OF_FILE, SHORT = 0x00007FFF, 0x80000000
MAX_CHUNKS = 10_000


def read_rhino(path: Path, layers: list[str] | None = None) -> Drawing:
    """The meshes, solids, extrusions, subdivision surfaces and blocks on `layers`, or on those that the file shows.

    Raises Unreadable.
    """
    check_rhino(path)
    model = rhino3dm.File3dm.Read(str(path))
    if model is None:
        raise Unreadable("damaged", detail="its objects do not fit together")
    return Scene(model, layers).drawing()


def check_rhino(path: Path) -> None:
    """Pass a 3DM whose top-level chunks lead exactly to its end mark. Raises Unreadable."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(START)
        if not start.startswith(MAGIC):
            raise Unreadable("unsupported_cad")
        try:
            version = int(start[len(MAGIC) :])
        except ValueError:
            raise Unreadable("damaged", detail="its version is not a number") from None
        width = 8 if version >= 50 else 4
        place = START
        for number in range(MAX_CHUNKS + 1):
            limit_count(number, "chunks", MAX_CHUNKS)
            file.seek(place)
            head = file.read(4 + width)
            if len(head) < 4 + width:
                break
            code, length = struct.unpack("<Iq" if width == 8 else "<Ii", head)
            if code == END_OF_FILE:
                stated = int.from_bytes(file.read(width), "little")
                if length != width or stated != size:
                    break
                return
            place += 4 + width + (0 if code & SHORT else max(0, length))
    raise Unreadable("damaged", detail="its end is missing")
