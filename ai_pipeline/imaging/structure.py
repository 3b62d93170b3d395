"""Is a PNG or GIF whole? Decoders are content with files that lack their end or whose checksums are wrong."""

import struct
import zlib
from pathlib import Path

from ai_pipeline.errors import Unreadable

MAX_CHUNKS = 20_000
BLOCK, IMAGE, EXTENSION, TRAILER = 1 << 20, 0x2C, 0x21, 0x3B


def require_whole(path: Path, image_format: str) -> None:
    """Raise Unreadable `damaged` for a PNG or GIF that is cut off or, for PNG, fails a checksum. Other formats pass."""
    if image_format == "PNG":
        _png(path)
    elif image_format == "GIF":
        _gif(path.read_bytes())


def _png(path: Path) -> None:
    with path.open("rb") as file:
        file.seek(8)
        for _ in range(MAX_CHUNKS):
            head = file.read(8)
            if len(head) < 8:
                raise Unreadable("damaged", detail="its end is missing")
            length, kind = struct.unpack(">I4s", head)
            checksum = zlib.crc32(kind)
            while length:
                block = file.read(min(length, BLOCK))
                if not block:
                    raise Unreadable("damaged", detail="its end is missing")
                checksum = zlib.crc32(block, checksum)
                length -= len(block)
            if file.read(4) != checksum.to_bytes(4, "big"):
                raise Unreadable("damaged", detail="a checksum is wrong")
            if kind == b"IEND":
                return
    raise Unreadable("too_many_items", count=MAX_CHUNKS, items="chunks", limit=MAX_CHUNKS)


def _gif(data: bytes) -> None:
    """Walk the blocks of all frames to the trailer; what lies behind it is ignored."""
    try:
        place = 13 + _colors(data[10])
        while data[place] != TRAILER:
            if data[place] == IMAGE:
                place += 10 + _colors(data[place + 9]) + 1
            elif data[place] == EXTENSION:
                place += 2
            else:
                raise Unreadable("damaged", detail="an unknown block")
            while data[place]:
                place += data[place] + 1
            place += 1
    except IndexError:
        raise Unreadable("damaged", detail="its end is missing") from None


def _colors(flags: int) -> int:
    """Bytes of the color table that a flags byte announces."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0
