"""What a page shows of a file: its state in words, progress, picture."""

from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import ngettext

from marketplace.designs.models import Asset, Fact
from marketplace.designs.pictures import Picture, Sign
from marketplace.designs.uploads import can_retry
from marketplace.designs.vocabulary import KIND_WORDS, fact_word, look_options, metal_options, metal_word, reason_text
from marketplace.studio.choice_rows import Choices, choices_of
from marketplace.web.i18n import Formats

_SHOWN_WEIGHTS = ("weight_18k_yellow", "weight_sterling")
#: Facts a jeweler reads first, in this order; the rest follows folded away.
_FIRST = (
    "size_x",
    "size_y",
    "size_z",
    "inner_diameter",
    "ring_size_us",
    "ring_size_eu",
    "band_width",
    "volume",
    "area",
    "stone_count",
    "stone_carat",
    "watertight",
)
_THUMB = 320
#: Smaller ones would be shown as zero.
_LEAST_TOLERANCE = 0.001


@dataclass(frozen=True, slots=True)
class AssetRow:
    """One line of the file list; `look` is what the row's macro knows: processing, ready, failed or waiting."""

    asset: Asset
    look: str
    detail: str
    step: str
    percent: int | None
    src: str | None
    retry: bool
    choices: Choices | None
    #: (name, word) of the looks and alloys in which more pictures can be asked for; empty while they cannot.
    looks: tuple[tuple[str, str], ...] = ()
    alloys: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class FactRow:
    """One fact for a table."""

    fact: Fact
    label: str
    value: str
    note: str


def asset_row(asset: Asset, pictures: list[Picture], sign: Sign, before: int | None = None) -> AssetRow:
    """The row of a file; `before` counts the files the picture studio takes first, while it waits."""
    fmt = Formats()
    size = fmt.size(asset.size)
    own = [p for p in pictures if p.asset_id == asset.id]
    look, step, percent = "ready", "", None
    parts = [str(KIND_WORDS[asset.kind]), size]
    if asset.state == "awaiting_upload":
        look = "waiting"
        parts.append(_("Not finished. Choose the file again to go on where it stopped, or remove this line."))
    elif asset.state in {"uploaded", "processing"}:
        look, percent = "processing", asset.progress
        step = _("Waiting to be checked") if asset.state == "uploaded" else _("Checking and measuring")
    elif asset.state == "rejected":
        look = "failed"
        parts = [reason_text(asset.reason)]
    elif asset.render_state in {"queued", "running"}:
        look, percent = "processing", asset.render_progress
        step = _waiting(before) if asset.render_state == "queued" else _("Making pictures")
        parts.append(_("measured"))
    else:
        parts += _told(asset, fmt)
    pictured = asset.state == "ready" and asset.render_state in {"done", "failed"}
    return AssetRow(
        looks=tuple(look_options()) if pictured else (),
        alloys=tuple(metal_options()) if pictured else (),
        asset=asset,
        look=look,
        detail=" · ".join(part for part in parts if part),
        step=step,
        percent=percent,
        src=own[0].url(sign, _THUMB) if own else None,
        retry=can_retry(asset),
        choices=choices_of(asset),
    )


def _waiting(before: int | None) -> str:
    # The page itself does not count; the row does when it asks again, seconds later.
    if before is None:
        return _("Waiting for the picture studio")
    if before == 0:
        return _("Next in the picture studio")
    return ngettext(
        "Waiting for the picture studio: %(num)s file before it",
        "Waiting for the picture studio: %(num)s files before it",
        before,
    )


def _told(asset: Asset, fmt: Formats) -> list[str]:
    report = asset.report
    if asset.kind != "cad":
        if "width" in report:
            return [_("%(width)s × %(height)s pixels", width=report["width"], height=report["height"])]
        return []
    parts = [str(report.get("format", "")).upper()]
    weight = next((f["value"] for f in report.get("facts", []) if f["name"] == _SHOWN_WEIGHTS[0]), None)
    if weight is not None:
        parts.append(_("%(weight)s in 18k yellow gold", weight=fmt.g(weight)))
    if asset.render_state == "failed":
        parts.append(_("no pictures could be made of it"))
    return parts


def fact_value(fact: Fact) -> str:
    """A value with its unit in the reader's language."""
    value, fmt = fact.value, Formats()
    if value is None:
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int | float):
        number = fmt.number(value, 2) if fact.unit and isinstance(value, float) else fmt.number(round(value, 2))
        unit = {"mm2": "mm²", "mm3": "mm³"}.get(fact.unit, fact.unit)
        return f"{number}\u00a0{unit}" if unit else number
    return str(value)


def fact_rows(facts: list[Fact]) -> dict[str, list[FactRow]]:
    """Facts as the page groups them: `first`, `weights` (two alloys), `alloys` (all), `more`."""
    rows = {fact.name: FactRow(fact, fact_word(fact.name), fact_value(fact), _note(fact)) for fact in facts}
    weights = [row for name, row in rows.items() if name.startswith("weight_")]
    return {
        "first": [rows[name] for name in _FIRST if name in rows],
        "weights": [rows[name] for name in _SHOWN_WEIGHTS if name in rows],
        "alloys": sorted(weights, key=lambda row: row.label),
        "more": [row for name, row in rows.items() if name not in _FIRST and not name.startswith("weight_")],
    }


def _note(fact: Fact) -> str:
    return " · ".join(part for part in (margin(fact), _("confirmed") if fact.confirmed_at else "") if part)


def margin(fact: Fact) -> str:
    """How far off a number may be: plus or minus, or from-to for an estimate; empty when that is not worth saying."""
    if fact.source != "measured" or not isinstance(fact.value, int | float):
        return ""
    if fact.name == "print_hours" and (measured := fact.measured or {}).get("high") is not None:
        return f"{Formats().number(measured['low'], 1)}–{Formats().number(measured['high'], 1)}"
    if fact.tolerance and fact.tolerance >= _LEAST_TOLERANCE:
        return "± " + Formats().number(fact.tolerance, 3)
    return ""


def metals_line(metals: list[str]) -> str:
    """Metals of a design as one line."""
    return ", ".join(metal_word(metal) for metal in metals)
