"""Versions of a piece: each CAD file that was read is one, and what changed from one to the next is measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from marketplace.designs.models import Asset
from marketplace.designs.vocabulary import fact_word, metal_word
from marketplace.web.i18n import Formats

_WEIGHT = "weight_18k_yellow"
#: What is compared, in this order, with the smallest change that is told (same unit as the fact).
_COMPARED: tuple[tuple[str, float], ...] = (
    (_WEIGHT, 0.005),
    ("wall_min", 0.005),
    ("gap_min", 0.005),
    ("feature_min", 0.005),
    ("inner_diameter", 0.01),
    ("ring_size_us", 0.2),
    ("size_x", 0.01),
    ("size_y", 0.01),
    ("size_z", 0.01),
    ("stone_count", 0.5),
    ("stone_carat", 0.005),
    ("self_intersections", 0.5),
    ("open_edges", 0.5),
)


@dataclass(frozen=True, slots=True)
class Change:
    """One measured difference; numbers are None where one of the files did not give them."""

    name: str
    before: float | str | None
    after: float | str | None
    unit: str

    @property
    def delta(self) -> float | None:
        """After less before, for numbers."""
        if isinstance(self.before, int | float) and isinstance(self.after, int | float):
            return float(self.after) - float(self.before)
        return None


@dataclass(frozen=True, slots=True)
class Version:
    """One CAD file as a version, `number` from 1; `changes` against the one before it."""

    number: int
    asset: Asset
    at: datetime
    current: bool
    changes: list[Change]
    solved: list[str]
    new: list[str]


def versions(assets: Sequence[Asset], current: Asset | None) -> list[Version]:
    """Every CAD file that was measured, newest first."""
    read = [a for a in assets if a.kind == "cad" and a.state == "ready" and a.report.get("facts")]
    read.sort(key=lambda a: (a.created_at, a.id))
    found = []
    for number, asset in enumerate(read, 1):
        before = read[number - 2].report if number > 1 else None
        solved, new = _findings(before, asset.report) if before else ([], [])
        changes = compare(before, asset.report) if before else []
        found.append(Version(number, asset, asset.created_at, asset is current, changes, solved, new))
    return found[::-1]


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """What two reports measured differently, most important first."""
    old, new = _values(before), _values(after)
    changes = []
    for name, least in _COMPARED:
        (was, unit), (now, unit_now) = old.get(name, (None, "")), new.get(name, (None, ""))
        if was is None and now is None:
            continue
        if isinstance(was, int | float) and isinstance(now, int | float) and abs(now - was) < least:
            continue
        if was != now:
            changes.append(Change(name, was, now, unit_now or unit))
    return changes


def change_text(change: Change) -> str:
    """A change in the reader's language: "+0.4 g in 18k yellow gold", "Thinnest wall 0.8 → 1.1 mm"."""
    fmt, delta = Formats(), change.delta
    if change.name == _WEIGHT and delta is not None:
        amount = ("+" if delta > 0 else "−") + fmt.g(abs(delta))
        return _("%(change)s in %(metal)s", change=amount, metal=metal_word("18k_yellow"))
    unit = f"\u00a0{change.unit}" if change.unit else ""
    before, after = (_shown(fmt, value) for value in (change.before, change.after))
    return f"{fact_word(change.name)} {before} → {after}{unit}"


def _shown(fmt: Formats, value: float | str | None) -> str:
    if value is None:
        return "–"
    return value if isinstance(value, str) else fmt.number(round(value, 2))


def _values(report: Mapping[str, Any]) -> dict[str, tuple[Any, str]]:
    return {fact["name"]: (fact.get("value"), fact.get("unit") or "") for fact in report.get("facts", [])}


def _findings(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Codes of findings (but notes) that went and that came."""
    old, new = ({f["code"] for f in r.get("findings", []) if f.get("severity") != "info"} for r in (before, after))
    return sorted(old - new), sorted(new - old)
