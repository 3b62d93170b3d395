"""The tech pack: what is known of a piece, line by line, and how well: measured, confirmed, proposed, still to do."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from flask_babel import gettext as _

from marketplace.designs.models import Asset, Design, Fact
from marketplace.designs.vocabulary import REASON_WORDS, fact_word, metal_word
from marketplace.studio.rows import fact_value, margin

Status = Literal["measured", "confirmed", "stated", "proposed", "todo"]
#: Groups of the tech pack and the facts in each, in the order a bench reads them.
GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("size", ("size_x", "size_y", "size_z", "volume", "area")),
    (
        "ring",
        (
            *("inner_diameter", "ring_size_us", "ring_size_uk", "ring_size_eu", "ring_size_iso", "ring_size_jp"),
            *("ring_size_hk", "band_width"),
            *(f"shank_{what}_{angle}" for what in ("width", "thickness") for angle in (0, 90, 180, 270)),
        ),
    ),
    ("walls", ("wall_min", "feature_min", "gap_min", "mass_max")),
    ("stones", ("stone_count", "stone_carat", "seat_count")),
    ("making", ("print_hours", "casting_days")),
    (
        "file",
        (
            *("unit", "watertight", "solids", "cavities", "shells", "pieces", "open_edges", "self_intersections"),
            "triangles",
        ),
    ),
)
#: From here on a measured value stands by itself; below, an assumption entered and a person should look.
SURE = 0.95
#: What a whole file's lengths are believed to while its unit is only assumed (ai_pipeline.cad.measure).
_ASSUMED = 0.8


@dataclass(frozen=True, slots=True)
class Line:
    """One line: `status` decides its color, `fact` is there to confirm, `edit`: it is filled in on the form."""

    name: str
    label: str
    value: str
    status: Status
    note: str = ""
    fact: Fact | None = None
    edit: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """A group of lines under one heading."""

    code: str
    lines: list[Line]


@dataclass(slots=True)
class TechPack:
    """Everything, with the counts that its head shows and the question about the unit, if there is one."""

    parts: list[Part]
    #: The file whose unit is only assumed, or does not fit: its report's `units` holds the proposals.
    asks_unit: Asset | None = None
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def proposed(self) -> list[str]:
        """Names of the facts that wait for a person's yes."""
        return [line.name for part in self.parts for line in part.lines if line.status == "proposed" and line.fact]


def current_cad(assets: Sequence[Asset], facts: Sequence[Fact]) -> Asset | None:
    """The CAD file the measured facts come from; without facts the newest one that was read."""
    ready = [a for a in assets if a.kind == "cad" and a.state == "ready"]
    named = {fact.asset_id for fact in facts if fact.source == "measured"}
    known = [a for a in ready if a.id in named] or ready
    return max(known, key=lambda a: (a.created_at, a.id)) if known else None


def tech_pack(design: Design, assets: Sequence[Asset], facts: Sequence[Fact]) -> TechPack:
    """The tech pack of a design from rows that were already read."""
    cad = current_cad(assets, facts)
    asks = cad if cad is not None and cad.unit is None and _doubtful(cad) else None
    rows = {fact.name: fact for fact in facts if not fact.name.startswith("weight_")}
    parts = [Part("piece", _stated(design))]
    listed = {name for _code, names in GROUPS for name in names}
    for code, names in GROUPS:
        others = [name for name in rows if name not in listed | {"axis"}] if code == "file" else []
        lines = [_line(rows[name], asks is not None) for name in (*names, *others) if name in rows]
        if lines:
            parts.append(Part(code, lines))
    pack = TechPack(parts, asks)
    for part in parts:
        for line in part.lines:
            kind = line.status if line.status in {"proposed", "todo"} else "measured"
            pack.counts[kind] = pack.counts.get(kind, 0) + 1
    return pack


def _doubtful(asset: Asset) -> bool:
    units = asset.report.get("units") or {}
    codes = {item.get("code") for item in asset.report.get("findings", [])}
    return units.get("source") == "assumed" or not units.get("plausible", True) or "units_implausible" in codes


def _stated(design: Design) -> list[Line]:
    """What only its designer can say; an empty one is to do."""
    sizes = [str(size) for size in design.details.get("ring_sizes", [])]
    given = [
        ("metals", _("Metals"), ", ".join(metal_word(metal) for metal in design.metals)),
        ("stones", _("Stones"), ", ".join(design.stones)),
    ]
    if design.category in {None, "ring"}:
        given.append(("ring_sizes", _("Sizes offered"), ", ".join(sizes)))
    return [Line(name, label, value, "stated" if value else "todo", edit=not value) for name, label, value in given]


def _line(fact: Fact, unit_open: bool) -> Line:
    label, value = fact_word(fact.name), fact_value(fact)
    if fact.value is None:
        reason = REASON_WORDS.get(fact.reason or "")
        return Line(fact.name, label, "–", "todo", str(reason) if reason else "", fact)
    status: Status
    if fact.confirmed_at is not None:
        status = "confirmed"
    elif fact.source == "human":
        status = "stated"
    elif fact.source == "ai" or _believed(fact, unit_open) < SURE:
        status = "proposed"
    else:
        status = "measured"
    return Line(fact.name, label, value, status, margin(fact), fact)


def _believed(fact: Fact, unit_open: bool) -> float:
    """How sure a value is but for the unit: that is asked once for the whole file, not on every line."""
    if not unit_open or fact.name == "unit":
        return 1.0 if fact.name == "unit" else fact.confidence
    return fact.confidence / _ASSUMED if fact.confidence <= _ASSUMED else fact.confidence


def part_words() -> dict[str, str]:
    """Headings of the parts."""
    return {
        "piece": _("The piece"),
        "size": _("Size"),
        "ring": _("Ring"),
        "walls": _("Walls and gaps"),
        "stones": _("Stones set"),
        "making": _("Making"),
        "file": _("The file"),
    }


def stone_lines(asset: Asset | None) -> list[dict[str, Any]]:
    """Stones of a file, alike ones counted together: {count, shape, length, width, depth, carat, species}."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for stone in (asset.report.get("stones") or []) if asset is not None else []:
        key = (stone["shape"], round(stone["length"], 1), round(stone["width"], 1), stone.get("species", ""))
        line = found.setdefault(key, {**stone, "count": 0, "carat": 0.0})
        line["count"] += 1
        line["carat"] += stone["carat"]
    return sorted(found.values(), key=lambda line: -line["length"])
