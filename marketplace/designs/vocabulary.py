"""Words for the codes of designs: categories, metals, facts, checklist lines, reasons; in the reader's language."""

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from marketplace.gateways.content import ALLOY_LABELS, LOOKS, finish_of

CATEGORY_WORDS: dict[str, Any] = {
    "ring": _l("Ring"),
    "earrings": _l("Earrings"),
    "pendant": _l("Pendant"),
    "necklace": _l("Necklace"),
    "bracelet": _l("Bracelet"),
    "bangle": _l("Bangle"),
    "brooch": _l("Brooch"),
    "cufflinks": _l("Cufflinks"),
    "other": _l("Other"),
}

KIND_WORDS: dict[str, Any] = {
    "photo": _l("Photo"),
    "cad": _l("CAD"),
    "reference": _l("Reference"),
    "evidence": _l("Evidence"),
}

_VIEW_WORDS: dict[str, Any] = {
    "photo": _l("photo"),
    "hero": _l("three-quarter view"),
    "three_quarter": _l("three-quarter view from the left"),
    "detail": _l("close view"),
    "front": _l("front view"),
    "side": _l("side view"),
    "top": _l("top view"),
    "back": _l("back view"),
    "scale": _l("beside a coin of 20 mm"),
    "heat": _l("wall thickness in color"),
    "exploded": _l("stones lifted out of their settings"),
    "turntable": _l("turntable"),
}

#: The scenes the picture studio knows, as they are offered.
LOOK_WORDS: dict[str, Any] = {
    "ivory": _l("ivory studio"),
    "white": _l("pure white"),
    "noir": _l("dark studio"),
    "stone": _l("sunlit limestone"),
}

#: Checklist lines: (what must be so, how to get there).
CHECK_WORDS: dict[str, tuple[Any, Any]] = {
    "title": (_l("A title"), _l("Give the piece a name.")),
    "category": (_l("A category"), _l("Choose what kind of piece it is.")),
    "description": (
        _l("A description or an approved story"),
        _l("Write at least 40 characters, or create a story and approve it."),
    ),
    "picture": (_l("At least one picture"), _l("Upload a photo, or a CAD file that we make pictures of.")),
    "cad": (_l("A CAD file, or the reason there is none"), _l("Upload CAD, or say why this piece is listed without.")),
    "price": (_l("An indicative license fee"), _l("Buyers see it as a starting point.")),
    "files_finished": (_l("All files are checked"), _l("Wait until every file has been checked.")),
    "no_rejected_file": (_l("No refused file is left"), _l("Remove or replace the refused files.")),
    "payouts": (_l("Payouts are set up"), _l("You can list without, but we cannot pay you before.")),
}

_FACT_WORDS: dict[str, Any] = {
    "volume": _l("Metal volume"),
    "area": _l("Surface area"),
    "size_x": _l("Size along x"),
    "size_y": _l("Size along y"),
    "size_z": _l("Size along z"),
    "watertight": _l("Watertight"),
    "open_edges": _l("Open edges"),
    "triangles": _l("Triangles"),
    "shells": _l("Closed bodies"),
    "solids": _l("Solids"),
    "cavities": _l("Cavities"),
    "unit": _l("Unit of the file"),
    "stone_count": _l("Stones"),
    "stone_carat": _l("Total stone weight"),
    "inner_diameter": _l("Inner diameter"),
    "band_width": _l("Band width"),
    "ring_size_us": _l("Ring size (US)"),
    "ring_size_eu": _l("Ring size (EU)"),
    "ring_size_iso": _l("Ring size (ISO)"),
    "ring_size_uk": _l("Ring size (UK)"),
    "ring_size_jp": _l("Ring size (Japan)"),
    "ring_size_hk": _l("Ring size (Hong Kong)"),
    "min_wall": _l("Thinnest wall"),
    "wall_min": _l("Thinnest wall"),
    "gap_min": _l("Narrowest gap"),
    "feature_min": _l("Finest wire"),
    "shank_width_0": _l("Shank width, top"),
    "shank_width_90": _l("Shank width, right"),
    "shank_width_180": _l("Shank width, bottom"),
    "shank_width_270": _l("Shank width, left"),
    "shank_thickness_0": _l("Shank thickness, top"),
    "shank_thickness_90": _l("Shank thickness, right"),
    "shank_thickness_180": _l("Shank thickness, bottom"),
    "shank_thickness_270": _l("Shank thickness, left"),
    "self_intersections": _l("Faces that cross"),
    "seat_count": _l("Seats"),
    "print_hours": _l("Print time"),
    "mass_max": _l("Thickest place"),
    "pieces": _l("Loose parts"),
    "duplicate_shells": _l("Doubled surfaces"),
    "nested_shells": _l("Surfaces inside others"),
    "axis": _l("Finger axis"),
}

#: Why a measured value is missing.
REASON_WORDS: dict[str, Any] = {
    "open_mesh": _l("The surface is open"),
    "units_unconfirmed": _l("The unit of the file is not confirmed"),
    "no_volume": _l("The surfaces enclose no volume"),
    "only_stones": _l("No metal was found"),
    "overlap_unresolved": _l("Overlapping solids could not be united"),
}


_STONE_WORDS: dict[str, Any] = {
    "diamond": _l("Diamond"),
    "moissanite": _l("Moissanite"),
    "cubic_zirconia": _l("Cubic zirconia"),
    "sapphire": _l("Sapphire"),
    "ruby": _l("Ruby"),
    "emerald": _l("Emerald"),
    "aquamarine": _l("Aquamarine"),
    "morganite": _l("Morganite"),
    "amethyst": _l("Amethyst"),
    "citrine": _l("Citrine"),
    "quartz": _l("Quartz"),
    "spinel": _l("Spinel"),
    "garnet": _l("Garnet"),
    "tourmaline": _l("Tourmaline"),
    "topaz": _l("Topaz"),
    "peridot": _l("Peridot"),
    "tanzanite": _l("Tanzanite"),
    "opal": _l("Opal"),
    "pearl": _l("Pearl"),
    "jade": _l("Jade"),
    "turquoise": _l("Turquoise"),
    "lapis": _l("Lapis lazuli"),
    "onyx": _l("Onyx"),
    "malachite": _l("Malachite"),
}
#: Outlines of stones.
SHAPE_WORDS: dict[str, Any] = {
    "round": _l("Round"),
    "square": _l("Square"),
    "oval": _l("Oval"),
    "fancy": _l("Fancy cut"),
}


def stone_word(species: str) -> str:
    """The name of a stone; "Stone" when the file does not say which, other names stand for themselves."""
    return str(_STONE_WORDS.get(species, species.replace("_", " ").capitalize())) if species else _("Stone")


def stone_options() -> list[tuple[str, str]]:
    """(code, word) of every stone we know a density of."""
    return [(code, str(word)) for code, word in _STONE_WORDS.items()]


def shape_word(shape: str) -> str:
    """The name of a stone's outline; unknown ones stand for themselves."""
    return str(SHAPE_WORDS.get(shape, shape))


def category_word(code: str | None) -> str:
    """The name of a category; an em dash when none is chosen."""
    return str(CATEGORY_WORDS.get(code or "", "—"))


def category_options() -> list[tuple[str, str]]:
    """(code, word) of every category, for a select."""
    return [(code, str(word)) for code, word in CATEGORY_WORDS.items()]


def metal_name(code: str) -> str:
    """The English name of an alloy code, for models and search; any other text stands for itself."""
    return ALLOY_LABELS.get(code, code)


def metal_word(code: str) -> str:
    """The name of an alloy code; any other text is a metal somebody typed and stands for itself."""
    label = ALLOY_LABELS.get(code)
    return _(label) if label else code


def metal_options() -> list[tuple[str, str]]:
    """(code, word) of every alloy we know a density of."""
    return [(code, _(label)) for code, label in ALLOY_LABELS.items()]


def view_word(view: str) -> str:
    """The name of a picture's view, `hero` or with look and finish `hero.noir.18k_rose`; unknown ones as they are."""
    name, _dot, more = view.partition(".")
    word = str(_VIEW_WORDS.get(name, name))
    look, _dot, finish = more.partition(".")
    if not more:
        return word
    return _("%(view)s, %(look)s, %(metal)s", view=word, look=look_word(look), metal=finish_word(finish))


def look_word(look: str) -> str:
    """The name of a scene; unknown ones stand for themselves."""
    return str(LOOK_WORDS.get(look, look))


def look_options() -> list[tuple[str, str]]:
    """(name, word) of every scene pictures can be asked for."""
    return [(name, look_word(name)) for name in LOOKS]


def finish_word(finish: str) -> str:
    """The name of what an alloy looks like: that of the first alloy with this finish."""
    return next((metal_word(code) for code in ALLOY_LABELS if finish_of(code) == finish), finish)


def fact_word(name: str) -> str:
    """The label of a fact; `weight_<alloy>` names the alloy, unknown names are shown as they are."""
    if name.startswith("weight_"):
        return _("Weight in %(metal)s", metal=metal_word(name.removeprefix("weight_")))
    found = _FACT_WORDS.get(name)
    return str(found) if found else name.replace("_", " ").capitalize()


def reason_text(reason: dict[str, Any] | None) -> str:
    """A stored {code, message, params} in the reader's language; empty for None."""
    if not reason:
        return ""
    text = _(reason["message"])
    try:
        return text % reason.get("params", {}) if reason.get("params") else text
    except (KeyError, ValueError, TypeError):
        return text
