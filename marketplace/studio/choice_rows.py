"""What a page asks about a CAD file: its unit, its layers and what each body is, with a picture of every unit."""

from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from marketplace.designs.choices import UNITS
from marketplace.designs.models import Asset
from marketplace.web.i18n import Formats

_UNIT_WORDS: dict[str, Any] = {
    "mm": _l("millimeters"),
    "cm": _l("centimeters"),
    "in": _l("inches"),
    "m": _l("meters"),
}
_ROLE_WORDS: dict[str, Any] = {
    "metal": _l("metal"),
    "stone": _l("stone"),
    "ignore": _l("not part of the piece"),
}
#: The pictures: a frame in units of drawing, the coin beside the piece (one euro, 23.25 mm across), and the air around.
FRAME_WIDTH, FRAME_HEIGHT, COIN_MM, AIR = 160.0, 84.0, 23.25, 8.0
#: The least that can still be seen, in units of the drawing.
_SPECK = 1.2
#: Bodies a form lists one by one; a pave ring has more, and they are told apart by the measurement.
_MOST_BODIES = 40
#: Sizes from here on are shown without decimals, mm.
_COARSE = 100


@dataclass(frozen=True, slots=True)
class UnitPicture:
    """The piece beside a coin at one scale, in units of the drawing; `hole` is the radius of its bore, 0 for none."""

    coin: float
    coin_x: float
    width: float
    height: float
    x: float
    y: float
    hole: float


@dataclass(frozen=True, slots=True)
class UnitOption:
    """One unit to choose: its word, what the piece would measure, and the picture."""

    unit: str
    word: str
    detail: str
    checked: bool
    likely: bool
    picture: UnitPicture


@dataclass(frozen=True, slots=True)
class BodyOption:
    """One body: what it is called, what it was found to be, and what a person said it is."""

    index: str
    label: str
    found: str
    role: str


@dataclass(frozen=True, slots=True)
class Choices:
    """The whole form. `open` when the answer decides whether there are numbers at all."""

    asset: Asset
    title: str
    question: str
    open: bool
    units: list[UnitOption]
    layers: list[dict[str, Any]]
    bodies: list[BodyOption]


def choices_of(asset: Asset) -> Choices | None:
    """What there is to decide about a file; None for photos, files still being read, and files that leave no choice."""
    report = asset.report
    if asset.kind != "cad" or asset.state != "ready":
        return None
    units = report.get("units") or {}
    layers = report.get("layers", [])
    bodies = _bodies(asset) if len(report.get("bodies", [])) <= _MOST_BODIES else []
    if not units and not layers:
        return None
    doubtful = bool(units) and not units["plausible"]
    assumed = bool(units) and units["source"] == "assumed"
    nothing = report.get("status") == "stored"
    if doubtful:
        title = _("Which unit was it drawn in?")
    elif assumed:
        title = _("The file states no unit. Is this the right size?")
    elif nothing:
        title = _("Which layers belong to the piece?")
    else:
        title = _("Unit, layers and parts")
    return Choices(
        asset=asset,
        title=title,
        question=_question(units) if doubtful else "",
        open=doubtful or nothing,
        units=_options(units),
        layers=[{**layer, "label": layer["name"].removesuffix(" [hidden]") or _("No layer")} for layer in layers]
        if len(layers) > 1 or nothing
        else [],
        bodies=bodies,
    )


def _question(units: dict[str, Any]) -> str:
    """The size it would have as it was read, and the unit that would make it a piece of jewelry."""
    read = next(item for item in units["proposals"] if item["unit"] == units["unit"])
    best = units["proposals"][0]
    size = _mm(read["longest_mm"])
    if not best["likely"] or best is read:
        return _("As it was read, it is %(size)s across. No unit makes it a piece of jewelry.", size=size)
    other = str(_UNIT_WORDS[best["unit"]])
    if best["ring_size_us"] is not None:
        return _("As it was read, this ring is %(size)s across. Did you mean %(unit)s?", size=size, unit=other)
    return _("As it was read, this piece is %(size)s across. Did you mean %(unit)s?", size=size, unit=other)


def _options(units: dict[str, Any]) -> list[UnitOption]:
    found = []
    proposals = [item for item in units.get("proposals", []) if item["unit"] in UNITS]
    usual = proposals[0]["unit"] if proposals and not units["plausible"] else units.get("unit")
    for item in proposals:
        fmt = Formats()
        parts = [_("%(size)s across", size=_mm(item["longest_mm"]))]
        if item["inner_diameter"]:
            parts.append(_("%(size)s inside", size=_mm(item["inner_diameter"])))
        if item["ring_size_us"] is not None:
            parts.append(_("US size %(size)s", size=fmt.number(item["ring_size_us"])))
        if item["grams_18k"] and item["likely"]:
            parts.append(_("about %(weight)s in 18k gold", weight=fmt.g(item["grams_18k"])))
        found.append(
            UnitOption(
                unit=item["unit"],
                word=str(_UNIT_WORDS[item["unit"]]),
                detail=" · ".join(parts),
                checked=item["unit"] == usual,
                likely=item["likely"],
                picture=_picture(item),
            )
        )
    return found


def _picture(item: dict[str, Any]) -> UnitPicture:
    """Coin and piece at one scale that lets both fit, standing on one line."""
    wide, high = max(item["longest_mm"], 1e-6), max(item["width_mm"], 1e-6)
    scale = min((FRAME_WIDTH - 3 * AIR) / (wide + COIN_MM), (FRAME_HEIGHT - 2 * AIR) / max(high, COIN_MM))
    coin = max(COIN_MM * scale / 2, _SPECK / 2)
    width, height = max(wide * scale, _SPECK), max(high * scale, _SPECK)
    hole = (item["inner_diameter"] or 0.0) * scale / 2
    return UnitPicture(
        coin=round(coin, 2),
        coin_x=round(AIR + coin, 2),
        width=round(width, 2),
        height=round(height, 2),
        x=round(2 * AIR + 2 * coin, 2),
        y=round(FRAME_HEIGHT - AIR - height, 2),
        hole=round(min(hole, min(width, height) / 2 - _SPECK / 4), 2) if hole > _SPECK else 0.0,
    )


def _bodies(asset: Asset) -> list[BodyOption]:
    roles = asset.choices.get("roles", {})
    found = []
    for body in asset.report.get("bodies", []):
        if body.get("hidden"):
            continue
        index = str(body["index"])
        size = " × ".join(_plain(body["box"][axis + 3] - body["box"][axis]) for axis in range(3))
        label = body.get("name") or _("Body %(number)s", number=body["index"] + 1)
        found.append(
            BodyOption(
                index=index,
                label=f"{label} · {size}\u00a0mm",
                found=str(_ROLE_WORDS[body.get("kind", "metal")]),
                role=roles.get(index, ""),
            )
        )
    return found


def _mm(value: float) -> str:
    return Formats().mm(value, 0 if value >= _COARSE else 1 if value >= 1 else 2)


def _plain(value: float) -> str:
    return Formats().number(value, 1)
