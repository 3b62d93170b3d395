"""Decide from name, declared type, size and first bytes which CAD format a file is - before any of it is parsed."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ai_pipeline.errors import Unreadable

MAX_BYTES = 250 << 20


@dataclass(frozen=True)
class Kind:
    """A CAD format and the media types a browser may declare for it."""

    name: str
    media_types: frozenset[str]


UNDECLARED = {"", "application/octet-stream", "binary/octet-stream", "text/plain", "model/mesh"}
STL = Kind("STL", frozenset({"model/stl", "application/sla", "application/vnd.ms-pki.stl", "model/x.stl-binary",
                                   "model/x.stl-ascii", "application/x-navistyle"}))  # fmt: skip
OBJ = Kind("OBJ", frozenset({"model/obj", "application/x-tgif", "application/object"}))
PLY = Kind("PLY", frozenset({"model/ply", "application/ply", "application/x-ply"}))
GLB = Kind("GLB", frozenset({"model/gltf-binary", "model/gltf.binary"}))
THREEMF = Kind("3MF", frozenset({"model/3mf", "application/vnd.ms-package.3dmanufacturing-3dmodel+xml",
                                        "application/vnd.ms-3mfdocument", "application/zip"}))  # fmt: skip
STEP = Kind("STEP", frozenset({"model/step", "application/step", "application/p21", "application/x-step"}))
RHINO = Kind("3DM", frozenset({"model/vnd.3dm", "application/x-3dm", "model/x-3dm", "application/3dm", "model/3dm"}))
EXTENSIONS = {"stl": STL, "obj": OBJ, "ply": PLY, "glb": GLB, "3mf": THREEMF, "step": STEP, "stp": STEP, "p21": STEP,
              "3dm": RHINO}  # fmt: skip
MAGIC: list[tuple[bytes, Kind | None, str]] = [
    (b"glTF", GLB, "GLB"),
    (b"PK\x03\x04", THREEMF, "ZIP"),
    (b"PK\x05\x06", THREEMF, "ZIP"),
    (b"3D Geometry File Format ", RHINO, "3DM"),
    (b"ISO-10303-21", STEP, "STEP"),
    (b"ply\n", PLY, "PLY"),
    (b"ply\r", PLY, "PLY"),
    (b"\x89PNG", None, "PNG"),
    (b"\xff\xd8\xff", None, "JPEG"),
    (b"%PDF", None, "PDF"),
    (b"GIF8", None, "GIF"),
    (b"<!DOC", None, "HTML"),
    (b"<html", None, "HTML"),
    (b"<?xml", None, "XML"),
    (b"MZ", None, "EXE"),
    (b"\x7fELF", None, "ELF"),
]


def identify(path: Path, filename: str, declared_type: str) -> Kind:
    """The format that name, declared type and first bytes agree on.

    STL and OBJ have no magic of their own: for them the bytes may only not be something else, their readers do the
    rest.
    Raises Unreadable: `empty_file`, `file_too_large`, `unsupported_cad`, `content_mismatch`.
    """
    size = path.stat().st_size
    if size == 0:
        raise Unreadable("empty_file")
    if size > MAX_BYTES:
        raise Unreadable("file_too_large", size=size >> 20, limit=MAX_BYTES >> 20)
    extension = PurePosixPath(filename.replace("\\", "/")).suffix.lstrip(".").lower()
    kind = EXTENSIONS.get(extension)
    if kind is None:
        raise Unreadable("unsupported_cad")
    with path.open("rb") as file:
        head = file.read(256)
    for magic, owner, label in MAGIC:
        # A binary STL may begin with anything; its exact length is checked by its reader.
        if head.lstrip().startswith(magic) and owner is not kind and kind is not STL:
            raise Unreadable("content_mismatch", claimed=f".{extension}", found=label)
    if kind not in (STL, OBJ) and not any(
        head.lstrip().startswith(magic) for magic, owner, _ in MAGIC if owner is kind
    ):
        raise Unreadable("content_mismatch", claimed=f".{extension}", found="something else")
    media = declared_type.partition(";")[0].strip().lower()
    if media not in UNDECLARED and media not in kind.media_types:
        raise Unreadable("content_mismatch", claimed=media[:40], found=kind.name)
    return kind
