"""Pictures of a design: photos and renders in one order, each in several widths."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.designs.models import Derivative, Design

#: Signs a picture's key into an address: `storage.image_url`.
Sign = Callable[[str], str]
#: The width a card shows, pixels.
CARD_WIDTH = 640
WEB_TYPE = "image/webp"
#: Types a page offers a browser, smallest files first; the last is what every one reads.
WEB_TYPES = ("image/avif", WEB_TYPE)
#: Views that only the editor of a photo shows: an edit that was not published, what it is compared with, and the photo
#: as it was uploaded.
EDITOR_VIEWS = frozenset({"draft", "before", "original"})
_PICTURE_TYPES = frozenset({*WEB_TYPES, "image/jpeg"})
#: The order that `group` takes derivatives in.
ORDER = (Derivative.position, Derivative.asset_id, Derivative.view, Derivative.width)


@dataclass(slots=True)
class Picture:
    """One picture: `origin` is photo or render; `formats` maps types to widths in pixels to derivatives."""

    asset_id: str
    view: str
    position: int
    hidden: bool
    placeholder: str | None
    edits: dict[str, Any] | None = None
    formats: dict[str, dict[int, Derivative]] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The name forms use: asset and view."""
        return f"{self.asset_id}.{self.view}"

    @property
    def origin(self) -> str:
        """`photo` or `render`."""
        return "photo" if self.view == "photo" or self.view in EDITOR_VIEWS else "render"

    @property
    def widths(self) -> dict[int, Derivative]:
        """The WebP sizes (or, without any, those of another type), smallest first."""
        return self.formats.get(WEB_TYPE) or next(iter(self.formats.values()))

    def best(self, width: int, content_type: str = WEB_TYPE) -> Derivative:
        """The smallest that is at least `width` wide, else the largest."""
        sizes = self.formats.get(content_type) or self.widths
        fitting = [w for w in sizes if w >= width]
        return sizes[min(fitting) if fitting else max(sizes)]

    def url(self, sign: Sign, width: int = CARD_WIDTH) -> str:
        """The signed address of the best width."""
        return sign(self.best(width).storage_key)

    def sources(self, sign: Sign) -> list[dict[str, str]]:
        """For the `source` elements of a `picture`: type and srcset, the most compact type first."""
        return [
            {"type": kind, "srcset": ", ".join(f"{sign(d.storage_key)} {w}w" for w, d in self.formats[kind].items())}
            for kind in WEB_TYPES
            if kind in self.formats
        ]

    def fallback(self, sign: Sign, width: int) -> str:
        """The signed address of a JPEG, for a browser that reads nothing newer."""
        return sign(self.best(width, "image/jpeg").storage_key)


def group(derivatives: Sequence[Derivative], *, editor: bool = False) -> list[Picture]:
    """Derivatives (in the order of ORDER) as pictures; what is no picture, such as a 3D preview, is left out.

    So are the views of the editor, unless it is the `editor` that asks.
    """
    found: dict[tuple[str, str], Picture] = {}
    for row in derivatives:
        if row.width is None or row.content_type not in _PICTURE_TYPES:
            continue
        if row.view in EDITOR_VIEWS and not editor:
            continue
        key = (row.asset_id, row.view)
        if key not in found:
            found[key] = Picture(row.asset_id, row.view, row.position, row.hidden, row.placeholder, row.edits)
        found[key].formats.setdefault(row.content_type, {})[row.width] = row
    return list(found.values())


def derivatives_of(session: Session, design_id: str) -> Sequence[Derivative]:
    """Everything made from the files of a design, in picture order."""
    query = select(Derivative).where(Derivative.design_id == design_id).order_by(*ORDER).limit(3000)
    return session.scalars(query).all()


def gallery(session: Session, design_id: str) -> list[Picture]:
    """The pictures to show, in order; hidden ones are left out. One statement."""
    return [p for p in group(derivatives_of(session, design_id)) if not p.hidden]


def refresh_cover(session: Session, design: Design) -> None:
    """Note the first picture on the design itself, for cards; the caller holds the design's lock."""
    session.flush()
    pictures = gallery(session, design.id)
    if not pictures:
        design.cover = None
        return
    best = pictures[0].best(CARD_WIDTH)
    design.cover = {
        "key": best.storage_key,
        "width": best.width,
        "height": best.height,
        "placeholder": pictures[0].placeholder,
    }
