"""The agreed customization brief on an order: for its parties, for workshops that quote, and as a bench sheet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from marketplace.kernel import clock
from marketplace.licensing.brief.diff import read_brief
from marketplace.licensing.brief.effects import weigh
from marketplace.licensing.brief.page import Line, lines_of, summary
from marketplace.orders.models import Order
from marketplace.orders.words import fact_rows, line_words
from marketplace.web.i18n import Formats, html_lang

TEMPLATE = "techpack"
#: How sure a line is, in the marks of the document.
_MARKS = {"measured": "measured", "stated": "stated", "estimated": "proposed", "unknown": "todo"}


@dataclass(frozen=True, slots=True)
class OrderBrief:
    """What was agreed to change, and the piece before and after; no price, which is the license's affair."""

    lines: list[Line]
    summary: list[tuple[str, str, str]]


def brief_of(spec: Mapping[str, Any]) -> OrderBrief | None:
    """The brief of an order's or a request's specification; None when the pieces are made as designed."""
    brief = read_brief(spec.get("brief"))
    if not brief:
        return None
    weighed = weigh(spec.get("facts") or [], brief, metals=spec.get("metals") or [])
    return OrderBrief(lines_of(weighed), summary(weighed, priced=False))


def document(order: Order, brand: str) -> dict[str, Any]:
    """The input of `documents/techpack.typ` for a workshop: pieces, brief and figures, without the CAD."""
    fmt = Formats()
    brief = brief_of(order.spec)
    parts = [_part(_("Pieces"), [_line("", line_words(line)) for line in order.lines])]
    if brief is not None:
        changes = [
            _line(line.label, line.text, line.effect, _MARKS[line.basis], line.basis_word) for line in brief.lines
        ]
        parts += [
            _part(_("Customization brief"), changes),
            _part(_("With the brief"), [_line(label, value, note) for label, value, note in brief.summary]),
        ]
    figures = [_line(row["label"], row["value"]) for row in fact_rows(order.spec.get("facts") or [])]
    parts.append(_part(_("Figures of the design"), figures))
    return {
        "brand": brand,
        "lang": html_lang()[:2],
        "title": order.design_title,
        "lead": _("%(quantity)s pieces", quantity=order.quantity),
        "footer": f"{order.reference} · {fmt.date(clock.now())}",
        "picture": None,
        "verdicts": [],
        "parts": parts,
        "weights": [],
        "findings": [],
        "words": {
            "tech_pack": _("Tech pack"),
            "weights": "",
            "weight_heads": [],
            "weight_note": "",
            "findings": "",
            "reading": _(
                "Measured: from the CAD file the license names. Estimated: from the measured bore and shank; measure"
                " the changed CAD before casting."
            ),
        },
    }


def _part(title: str, lines: Sequence[dict[str, str]]) -> dict[str, Any]:
    return {"title": title, "lines": list(lines)}


def _line(label: str, value: str, note: str = "", status: str = "stated", word: str = "") -> dict[str, str]:
    return {"label": label, "value": value, "note": note, "status": status, "word": word}
