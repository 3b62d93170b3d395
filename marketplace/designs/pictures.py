"""Pictures of a design: photos and renders in one order, each in several widths."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.designs.models import Derivative, Design

#: Signs a picture's key into an address: `storage.image_url`.
Sign = Callable[[str], str]
#: The width a card shows, pixels.
CARD_WIDTH = 640
WEB_TYPE = "image/webp"
_ORDER = (Derivative.position, Derivative.asset_id, Derivative.view, Derivative.width)


@dataclass(slots=True)
class Picture:
    """One picture: `origin` is photo or render; `widths` maps pixels to the derivative, smallest first."""

    asset_id: str
    view: str
    position: int
    hidden: bool
    placeholder: str | None
    widths: dict[int, Derivative] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The name forms use: asset and view."""
        return f"{self.asset_id}.{self.view}"

    @property
    def origin(self) -> str:
        """`photo` or `render`."""
        return "photo" if self.view == "photo" else "render"

    def best(self, width: int) -> Derivative:
        """The smallest that is at least `width` wide, else the largest."""
        fitting = [w for w in self.widths if w >= width]
        return self.widths[min(fitting) if fitting else max(self.widths)]

    def url(self, sign: Sign, width: int = CARD_WIDTH) -> str:
        """The signed address of the best width."""
        return sign(self.best(width).storage_key)

    def srcset(self, sign: Sign) -> str:
        """All widths for an `img`."""
        return ", ".join(f"{sign(d.storage_key)} {w}w" for w, d in self.widths.items())


def group(derivatives: Sequence[Derivative]) -> list[Picture]:
    """Derivatives (in _ORDER) as pictures; previews and the JPEG copies that models read are left out."""
    found: dict[tuple[str, str], Picture] = {}
    for row in derivatives:
        if row.width is None or row.content_type != WEB_TYPE:
            continue
        key = (row.asset_id, row.view)
        if key not in found:
            found[key] = Picture(row.asset_id, row.view, row.position, row.hidden, row.placeholder)
        found[key].widths[row.width] = row
    return list(found.values())


def derivatives_of(session: Session, design_id: str) -> Sequence[Derivative]:
    """Everything made from the files of a design, in picture order."""
    query = select(Derivative).where(Derivative.design_id == design_id).order_by(*_ORDER).limit(1000)
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
