"""What an image file is and how large, read from its first bytes before any decoder sees it.

Sources: JPEG ITU T.81 B.2, PNG 3rd edition, RFC 9649 (WebP), GIF89a, TIFF 6.0, ISO/IEC 14496-12 and 23008-12 (HEIF,
AVIF).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from ai_pipeline.errors import Unreadable

HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"}
AVIF_BRANDS = {b"avif", b"avis"}
JPEG_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
MAX_SEGMENTS = 5000


@dataclass(frozen=True)
class Header:
    """Format as one of JPEG, PNG, WEBP, GIF, TIFF, HEIF, AVIF; size in pixels as stored, before orientation."""

    format: str
    width: int
    height: int


def sniff(head: bytes) -> str | None:
    """The format that the first bytes name, or None when it is not on the allow-list."""
    if head[:3] == b"\xff\xd8\xff":
        return "JPEG"
    if head[:8] == b"\x89PNG\r\n\x1a\n":
        return "PNG"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return "GIF"
    if head[:4] in (b"II*\0", b"MM\0*"):
        return "TIFF"
    if head[4:8] == b"ftyp":
        size = int.from_bytes(head[:4], "big")
        brands = {head[8:12]} | {head[i : i + 4] for i in range(16, min(size, 256, len(head)), 4)}
        if brands & AVIF_BRANDS:
            return "AVIF"
        if brands & HEIC_BRANDS or head[8:12] in (b"mif1", b"msf1"):
            return "HEIF"
    return None


def read_header(file: BinaryIO) -> Header:
    """Format and stored size of an image. Raises Unreadable:
    `unsupported_photo`, or `damaged` when the header is cut or lies.
    """
    head = file.read(256)
    found = sniff(head)
    if found is None:
        raise Unreadable("unsupported_photo")
    file.seek(0)
    try:
        width, height = SIZES[found](file)
    except (struct.error, IndexError, ValueError):
        raise _damaged("the header is cut off") from None
    if width < 1 or height < 1:
        raise _damaged(f"its size reads {width} x {height} pixels")
    return Header(found, width, height)


def _damaged(detail: str) -> Unreadable:
    return Unreadable("damaged", detail=detail)


def _jpeg(file: BinaryIO) -> tuple[int, int]:
    file.seek(2)
    for _ in range(MAX_SEGMENTS):
        byte = file.read(1)
        if byte != b"\xff":
            if not byte:
                break
            continue
        while (marker := file.read(1)) == b"\xff":
            pass
        kind = marker[0]
        if kind in JPEG_FRAMES:
            _, height, width = struct.unpack(">xxBHH", file.read(7))
            return width, height
        if kind in (0xD9, 0xDA):
            break
        if kind == 0x01 or 0xD0 <= kind <= 0xD8 or kind == 0:
            continue
        (length,) = struct.unpack(">H", file.read(2))
        file.seek(max(0, length - 2), 1)
    raise _damaged("no frame header")


def _png(file: BinaryIO) -> tuple[int, int]:
    file.seek(8)
    length, kind, width, height = struct.unpack(">I4sII", file.read(16))
    if length != 13 or kind != b"IHDR":
        raise _damaged("the first chunk is not IHDR")
    return width, height


def _webp(file: BinaryIO) -> tuple[int, int]:
    """The largest of canvas, first frame and bitstream: a decoder allocates the canvas before it looks further."""
    file.seek(12)
    kind, _ = struct.unpack("<4sI", file.read(8))
    data = file.read(10)
    if kind == b"VP8 ":
        if data[3:6] != b"\x9d\x01\x2a":
            raise _damaged("no VP8 frame")
        width, height = struct.unpack("<HH", data[6:10])
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        if data[0] != 0x2F:
            raise _damaged("no VP8L frame")
        (packed,) = struct.unpack("<I", data[1:5])
        return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    if kind == b"VP8X":
        if len(data) < 10:
            raise _damaged("the header is cut off")
        return int.from_bytes(data[4:7], "little") + 1, int.from_bytes(data[7:10], "little") + 1
    raise _damaged("unknown WebP chunk")


def _gif(file: BinaryIO) -> tuple[int, int]:
    file.seek(6)
    width, height = struct.unpack("<HH", file.read(4))
    return width, height


def _tiff(file: BinaryIO) -> tuple[int, int]:
    order = "<" if file.read(2) == b"II" else ">"
    (offset,) = struct.unpack(order + "4xI", b"\0\0" + file.read(6))
    file.seek(offset)
    (count,) = struct.unpack(order + "H", file.read(2))
    sizes: dict[int, int] = {}
    for _ in range(min(count, 512)):
        tag, kind, number, value = struct.unpack(order + "HHI4s", file.read(12))
        if tag in (256, 257) and number == 1 and kind in (3, 4):
            sizes[tag] = struct.unpack(order + ("H" if kind == 3 else "I"), value[: 2 if kind == 3 else 4])[0]
    return sizes.get(256, 0), sizes.get(257, 0)


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    for _ in range(1000):
        if start + 8 > end:
            return
        file.seek(start)
        size, kind = struct.unpack(">I4s", file.read(8))
        body = start + 8
        if size == 1:
            (size,) = struct.unpack(">Q", file.read(8))
            body += 8
        stop = end if size == 0 else start + size
        if stop > end or stop < body:
            raise _damaged("a box runs past the end of the file")
        yield kind, body, stop
        start = stop


def _iso_media(file: BinaryIO) -> tuple[int, int]:
    """The largest `ispe` (image spatial extent) in meta/iprp/ipco: tiles are smaller than the picture they make."""
    end = file.seek(0, 2)
    best = (0, 0)
    for kind, body, stop in _boxes(file, 0, end):
        if kind != b"meta":
            continue
        for inner, inner_body, inner_stop in _boxes(file, body + 4, stop):
            if inner != b"iprp":
                continue
            for prop, prop_body, prop_stop in _boxes(file, inner_body, inner_stop):
                if prop != b"ipco":
                    continue
                for leaf, leaf_body, _ in _boxes(file, prop_body, prop_stop):
                    if leaf == b"ispe":
                        file.seek(leaf_body + 4)
                        width, height = struct.unpack(">II", file.read(8))
                        best = max(best, (width, height), key=lambda size: size[0] * size[1])
    return best


SIZES = {"JPEG": _jpeg, "PNG": _png, "WEBP": _webp, "GIF": _gif, "TIFF": _tiff, "HEIF": _iso_media, "AVIF": _iso_media}
