"""Everything the page of a design shows, from rows that were read once; the polled parts take the same."""

import json
from typing import Any

from marketplace.designs.vocabulary import (
    CHECK_WORDS,
    category_word,
    metal_word,
    shape_word,
    stone_options,
    stone_word,
    view_word,
)
from marketplace.kernel import clock
from marketplace.studio import checks, techpack
from marketplace.studio.queries import Workspace
from marketplace.studio.rows import asset_row
from marketplace.studio.versions import change_text, versions
from marketplace.studio.weights import weights
from marketplace.web.call import Call

#: Looks the view can put on the metal, by the words that a design's alloys hold.
LOOKS = ("yellow", "white", "rose", "platinum", "silver")
_HINTS = (("plat", "platinum"), ("silver", "silver"), ("sterling", "silver"), ("rose", "rose"), ("white", "white"))


def look_of(metals: list[str]) -> str:
    """The look of a design's first metal: its code or words tell."""
    for metal in metals:
        for hint, look in _HINTS:
            if hint in metal.casefold():
                return look
        return "yellow"
    return "yellow"


def context(call: Call, found: Workspace) -> dict[str, Any]:
    """Values for the page and for each of its polled parts."""
    sign = call.services.storage.image_url
    pictures = found.pictures
    current = techpack.current_cad(found.assets, found.facts)
    seen = checks.findings(found.assets, current)
    model = checks.model(current, found.derivatives, sign)
    likeness = checks.likeness(found.derivatives, {current.id} if current else ())
    poster = next((p for p in pictures if current and p.asset_id == current.id), pictures[0] if pictures else None)
    return {
        "design": found.design,
        "found": found,
        "rows": [asset_row(a, pictures, sign) for a in found.assets],
        "pictures": pictures,
        "poster": poster,
        "sign": sign,
        "facts": found.facts,
        "pack_asset": current,
        "pack": techpack.tech_pack(found.design, found.assets, found.facts),
        "part_words": techpack.part_words(),
        "stones": techpack.stone_lines(current),
        "weights": weights(found.facts),
        "versions": versions(found.assets, current),
        "change_text": change_text,
        "findings": seen,
        "verdicts": checks.verdicts(current),
        "model": model,
        "likeness": sign(likeness.storage_key) if likeness else None,
        "pins": json.dumps(checks.pins(seen), ensure_ascii=False),
        "bodies": json.dumps(checks.bodies(current, stone_word), ensure_ascii=False),
        "look": look_of(found.design.metals),
        "looks": LOOKS,
        "now": clock.now(),
        "stone_options": stone_options(),
        "stone_word": stone_word,
        "shape_word": shape_word,
        "check_words": CHECK_WORDS,
        "category_word": category_word,
        "metal_word": metal_word,
        "view_word": view_word,
    }
