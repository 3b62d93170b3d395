"""The tech pack as a document and as JSON: the same lines the page shows."""

from typing import Any

from flask_babel import gettext as _

from marketplace.designs.queries import fact_json
from marketplace.designs.vocabulary import category_word, metal_word, shape_word, stone_word
from marketplace.kernel import clock
from marketplace.studio import checks, techpack
from marketplace.studio.queries import Workspace
from marketplace.studio.versions import change_text, versions
from marketplace.studio.weights import FINISHING, weights
from marketplace.web.i18n import Formats, html_lang

TEMPLATE = "techpack"
#: Pixels of the picture in the document, and the largest file taken for it.
PICTURE_WIDTH, PICTURE_BYTES = 640, 600_000


def picture_key(found: Workspace) -> str | None:
    """The JPEG that stands on the first page: of the current CAD if there is one, else the first picture."""
    current = techpack.current_cad(found.assets, found.facts)
    pictures = found.pictures
    chosen = next((p for p in pictures if current and p.asset_id == current.id), pictures[0] if pictures else None)
    if chosen is None or "image/jpeg" not in chosen.formats:
        return None
    return chosen.best(PICTURE_WIDTH, "image/jpeg").storage_key


def document(found: Workspace, brand: str) -> dict[str, Any]:
    """The input of `documents/techpack.typ` in the reader's language; `picture` is put in by the caller."""
    design, fmt = found.design, Formats()
    current = techpack.current_cad(found.assets, found.facts)
    pack = techpack.tech_pack(design, found.assets, found.facts)
    words = techpack.part_words()
    states = {
        "measured": _("measured"),
        "confirmed": _("confirmed"),
        "stated": _("stated"),
        "proposed": _("proposed"),
        "todo": "",
    }
    lead = [category_word(design.category), *(metal_word(metal) for metal in design.metals[:3])]
    parts = [
        {
            "title": words[part.code],
            "lines": [
                {"label": x.label, "value": x.value or "–", "note": x.note, "status": x.status, "word": word}
                for x, word in ((line, states[line.status]) for line in part.lines)
            ]
            + (_stones(current, fmt) if part.code == "stones" else []),
        }
        for part in pack.parts
    ]
    loud = [f for f in checks.findings(found.assets, current) if f.severity != "info"]
    return {
        "brand": brand,
        "lang": html_lang()[:2],
        "title": design.title,
        "lead": " · ".join(word for word in lead if word),
        "footer": f"{design.id} · {fmt.date(clock.now())}" + (f" · {current.filename}" if current else ""),
        "picture": None,
        "verdicts": [{key: v[key] for key in ("title", "word", "level")} for v in checks.verdicts(current)],
        "parts": parts,
        "weights": [
            [w.word, fmt.g(w.grams), f"± {fmt.g(w.band)}" if w.band else "–", _range(fmt, w.finished)]
            for w in weights(found.facts)
        ],
        "findings": [{"text": f.text, "severity": f.severity, "figures": f.figures} for f in loud],
        "words": {
            "tech_pack": _("Tech pack"),
            "weights": _("Weight in every alloy"),
            "weight_heads": [_("Alloy"), _("As modeled"), _("Density scatter"), _("After finishing")],
            "weight_note": _(
                "As modeled, without sprue. Finishing takes 5 to 12 percent: a trade default, not that of your caster."
            ),
            "findings": _("Findings"),
            "reading": _(
                "Measured: by this house from the CAD file. Confirmed and stated: by the studio. "
                "Proposed: measured under an assumption nobody has confirmed yet."
            ),
        },
    }


def _stones(current: Any, fmt: Formats) -> list[dict[str, str]]:
    lines = []
    for stone in techpack.stone_lines(current)[:12]:
        name = f"{stone['count']} × {shape_word(stone['shape'])}"
        name += f", {stone_word(stone['species'])}" if stone.get("species") else ""
        value = f"{fmt.number(stone['length'], 2)} × {fmt.number(stone['width'], 2)} mm, {fmt.ct(stone['carat'])}"
        lines.append({"label": name, "value": value, "note": "", "status": "measured", "word": ""})
    return lines


def _range(fmt: Formats, pair: tuple[float, float]) -> str:
    return f"{fmt.number(pair[0], 2)}–{fmt.g(pair[1])}"


def as_json(found: Workspace) -> dict[str, Any]:
    """The tech pack for programs: facts with method, tolerance and who confirmed them; weights; findings; versions."""
    design = found.design
    current = techpack.current_cad(found.assets, found.facts)
    pack = techpack.tech_pack(design, found.assets, found.facts)
    states = {line.name: line.status for part in pack.parts for line in part.lines}
    return {
        "design": design.id,
        "version": design.version,
        "title": design.title,
        "category": design.category,
        "metals": design.metals,
        "stones_stated": design.stones,
        "ring_sizes_offered": design.details.get("ring_sizes", []),
        "made_at": clock.now().isoformat(),
        "file": {"asset": current.id, "filename": current.filename, "sha256": current.sha256} if current else None,
        "verdicts": (current.report.get("verdicts") or {}) if current else {},
        "facts": [{**fact_json(fact), "status": states.get(fact.name, "measured")} for fact in found.facts],
        "stones": techpack.stone_lines(current),
        "weights": [
            {
                "alloy": w.code,
                "grams": round(w.grams, 4),
                "plus_minus": w.band,
                "finished": [round(g, 3) for g in w.finished],
            }
            for w in weights(found.facts)
        ],
        "finishing_loss": list(FINISHING),
        "findings": [item for a in found.assets if a is current for item in a.report.get("findings", [])],
        "versions": [
            {
                "number": v.number,
                "asset": v.asset.id,
                "filename": v.asset.filename,
                "at": v.at.isoformat(),
                "current": v.current,
                "changes": [
                    {"name": c.name, "before": c.before, "after": c.after, "unit": c.unit, "text": change_text(c)}
                    for c in v.changes
                ],
            }
            for v in versions(found.assets, current)
        ],
    }
