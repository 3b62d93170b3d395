"""The PDF task of the child: verify a document and write a copy that does nothing but show its pages.

What acts is taken out of every object: scripts, actions on opening, launching and submitting, links, embedded files,
media, forms of other programs; and what tells of its maker: document information and metadata.
"""

import hashlib
from pathlib import Path

import pikepdf
from pydantic import BaseModel

from ai_pipeline.errors import Unreadable
from ai_pipeline.imaging.report import Reading

MAX_PAGES = 500
MAX_OBJECTS = 200_000
#: Keys (ISO 32000-2) that make a document act or carry other files, wherever they stand.
_ACTING = ("/OpenAction", "/AA", "/JS", "/JavaScript", "/EmbeddedFiles", "/EF", "/AF", "/XFA", "/RichMediaContent",
           "/Collection", "/PieceInfo", "/Metadata", "/Perms", "/LastModified")  # fmt: skip
#: Notes on a page that play, attach or run something.
_ACTING_NOTES = frozenset(["/FileAttachment", "/Sound", "/Movie", "/Screen", "/RichMedia", "/3D", "/Widget", "/Link"])


class PaperReport(BaseModel):
    """A verified document; `name` is the clean copy in the task's output folder."""

    pages: int
    name: str
    bytes: int
    sha256: str
    reading: Reading | None = None


def inspect(path: str, filename: str, declared_type: str, out_dir: str) -> PaperReport:
    """Read the PDF at `path` and write its clean copy into `out_dir`. Raises Unreadable."""
    with Path(path).open("rb") as stream:
        begins = stream.read(8)
    if not begins.startswith(b"%PDF-"):
        raise Unreadable("unsupported_paper")
    if declared_type not in {"application/pdf", "application/octet-stream"}:
        raise Unreadable("content_mismatch", claimed=declared_type, found="PDF")
    try:
        with pikepdf.open(path) as document:
            pages = len(document.pages)
            if pages == 0:
                raise Unreadable("damaged", detail="no pages")
            if pages > MAX_PAGES:
                raise Unreadable("too_many_items", count=pages, items="pages", limit=MAX_PAGES)
            if len(document.objects) > MAX_OBJECTS:
                raise Unreadable("too_many_items", count=len(document.objects), items="objects", limit=MAX_OBJECTS)
            _disarm(document)
            target = Path(out_dir) / "clean.pdf"
            document.save(target, preserve_pdfa=False, encryption=False)
    except pikepdf.PasswordError:
        raise Unreadable("locked_paper") from None
    except pikepdf.PdfError:
        raise Unreadable("damaged", detail="not a whole PDF") from None
    data = target.read_bytes()
    return PaperReport(pages=pages, name=target.name, bytes=len(data), sha256=hashlib.sha256(data).hexdigest())


def _disarm(document: pikepdf.Pdf) -> None:
    if "/Info" in document.trailer:
        del document.trailer["/Info"]
    for page in document.pages:
        notes = page.obj.get("/Annots")
        if notes is not None:
            kept = [note for note in notes if str(note.get("/Subtype", "")) not in _ACTING_NOTES]
            page.obj["/Annots"] = pikepdf.Array(kept)
    if "/AcroForm" in document.Root:
        del document.Root["/AcroForm"]
    for thing in document.objects:
        _strip(thing, 0)


def _strip(thing: object, depth: int) -> None:
    """Take what acts out of an object and of what stands directly in it."""
    if depth > 20:
        raise Unreadable("damaged", detail="nested too deeply")
    if isinstance(thing, pikepdf.Dictionary | pikepdf.Stream):
        for key in _ACTING:
            if key in thing:
                del thing[key]
        for key in ("/A", "/Next"):
            if key in thing and isinstance(thing[key], pikepdf.Dictionary) and "/S" in thing[key]:
                del thing[key]
        for key in list(thing.keys()):
            value = thing[key]
            if isinstance(value, pikepdf.Dictionary | pikepdf.Array) and not value.is_indirect:
                _strip(value, depth + 1)
    elif isinstance(thing, pikepdf.Array):
        for value in thing:
            if isinstance(value, pikepdf.Dictionary | pikepdf.Array) and not value.is_indirect:
                _strip(value, depth + 1)
