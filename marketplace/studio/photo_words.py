"""Words of the photo editor."""

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from marketplace.web.i18n import Formats

STEP_WORDS: dict[str, Any] = {
    "straighten": _l("Straighten"),
    "crop": _l("Crop to the grid"),
    "dust": _l("Dust"),
    "white_balance": _l("White balance"),
    "exposure": _l("Exposure"),
    "background": _l("Background"),
}

STEP_HINTS: dict[str, Any] = {
    "straighten": _l("Turns the picture; the corners that become empty are cut off."),
    "crop": _l("Cuts to one of the frames of the catalog."),
    "dust": _l("Takes specks off the ground. The piece itself is left alone."),
    "white_balance": _l("Takes the color of the lamp out. Watch the color of the metal."),
    "exposure": _l("Makes the picture lighter or darker; highlights are held back."),
    "background": _l("Puts the piece on an even ground; its own color stays."),
}

SHAPE_WORDS: dict[str, Any] = {"4:5": _l("Upright, 4:5"), "1:1": _l("Square, 1:1"), "3:2": _l("Wide, 3:2")}

GROUND_WORDS: dict[str, Any] = {
    "white": _l("White"),
    "cream": _l("Cream"),
    "gray": _l("Light gray"),
    "transparent": _l("Transparent"),
}


def step_text(step: dict[str, Any]) -> str:
    """What a step is set to, in a few words."""
    fmt, kind = Formats(), step["kind"]
    if kind == "straighten":
        return _("%(angle)s°", angle=fmt.number(step["angle"], 1))
    if kind == "crop":
        return _("%(shape)s, %(percent)s %%", shape=SHAPE_WORDS[step["shape"]], percent=round(step["size"] * 100))
    if kind == "dust":
        return _("strength %(number)s", number=step["strength"])
    if kind == "white_balance":
        return _(
            "warmth %(warmth)s, tint %(tint)s", warmth=fmt.number(step["warmth"], 0), tint=fmt.number(step["tint"], 0)
        )
    if kind == "exposure":
        return _("%(stops)s stops", stops=fmt.number(step["stops"], 2))
    return str(GROUND_WORDS[step["ground"]])


def edits_line(edits: dict[str, Any] | None) -> str:
    """What buyers are told of an edited photo; empty for one as it was uploaded."""
    if not edits or not edits.get("kinds"):
        return ""
    line = _("Edited photo: %(steps)s.", steps=", ".join(str(STEP_WORDS[k]) for k in edits["kinds"] if k in STEP_WORDS))
    if edits.get("moved") is not None:
        line += " " + _("The color of the piece moved by %(moved)s ΔE.", moved=Formats().number(edits["moved"], 1))
    return line
