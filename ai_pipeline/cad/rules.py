"""Castability: what was measured against the limits of a rule pack. The limits come from outside, with their source.

A rule names what it measures, a limit, and which of three questions it answers: can it be printed, cast, worn.
"""

# ruff: noqa: E501 - a sentence stays in one piece for its translators

from collections.abc import Iterable, Mapping
from typing import Any, Literal, get_args

from pydantic import BaseModel

from ai_pipeline.cad.report import Fact, Finding, Level, Place, Region, Verdict
from ai_pipeline.errors import N_

Measure = Literal[
    "wall_min", "hollow_wall_min", "feature_min", "gap_min", "shank_thickness", "mass_max", "cavities", "pieces"
]

# A wire of 0.8 mm tessellated to 0.7995 is a wire of 0.8 mm.
SLACK = 0.015
SENTENCES: dict[Measure, str] = {
    "wall_min": N_("The wall is %(measured)s mm thick here; %(limit)s mm is the least."),
    "hollow_wall_min": N_("The shell around a cavity is %(measured)s mm thick here; %(limit)s mm is the least."),
    "feature_min": N_("A wire, prong or post is %(measured)s mm thick here; %(limit)s mm is the least."),
    "gap_min": N_("A gap is %(measured)s mm wide here; %(limit)s mm is the least, or it fills up."),
    "shank_thickness": N_("The shank is %(measured)s mm thick here; %(limit)s mm is the least, because polishing takes some."),
    "mass_max": N_("The metal is %(measured)s mm thick here; above %(limit)s mm check for porosity, or hollow it out."),
    "cavities": N_("%(measured)s closed cavities: add drain holes, or resin and investment stay inside."),
    "pieces": N_("The metal falls into %(measured)s separate pieces; check that they are meant to be assembled."),
}  # fmt: skip
HIGHEST: tuple[Measure, ...] = ("mass_max", "cavities", "pieces")
SEVERITY_LEVEL: dict[str, Level] = {"blocker": "fail", "warning": "review", "info": "pass"}
WORSE: tuple[Level, ...] = ("pass", "unknown", "review", "fail")


class Rule(BaseModel):
    """One limit: what is measured may not lie below it (or above it, for the measures in HIGHEST)."""

    code: str
    measure: Measure
    limit: float
    unit: str = "mm"
    severity: Literal["info", "warning", "blocker"] = "warning"
    verdict: Verdict
    source: str
    date: str = ""


def judge(
    facts: Iterable[Fact], rules: Iterable[Rule], thin: Mapping[str, list[Region]] | None = None
) -> tuple[list[Finding], dict[Verdict, Level]]:
    """(findings, the three verdicts). `thin` holds the regions below the limit of a wall rule, by its code.

    A number that is not known decides nothing: its verdict stays "unknown", and so does a question without a rule;
    whether a sound solid can be printed needs none.
    """
    known = {fact.name: fact for fact in facts}
    volume = known.get("volume")
    if volume is None or volume.value is None:
        broken = volume is not None and volume.reason in ("open_mesh", "self_intersecting", "overlap_unresolved")
        return [], {name: "fail" if broken and name == "printable" else "unknown" for name in get_args(Verdict)}
    findings: list[Finding] = []
    levels: dict[Verdict, list[Level]] = {name: ["pass"] for name in get_args(Verdict)}
    asked: set[Verdict] = set()
    for rule in rules:
        asked.add(rule.verdict)
        for fact in _facts(rule, known):
            if fact.value is None:
                levels[rule.verdict].append("pass" if fact.reason == "none_found" else "unknown")
                continue
            value = float(fact.value)
            if not _broken(rule, value):
                continue
            levels[rule.verdict].append(SEVERITY_LEVEL[rule.severity])
            regions = (thin or {}).get(rule.code) or []
            spots: list[tuple[float, Place | None]] = [(region.value, region.place) for region in regions]
            spots = spots or [(value, fact.place)]
            findings += [_finding(rule, *spot) for spot in spots]
    for name in set(levels) - asked - {"printable"}:
        levels[name].append("unknown")
    return findings, {name: max(found, key=WORSE.index) for name, found in levels.items()}


def _facts(rule: Rule, known: Mapping[str, Fact]) -> list[Fact]:
    """The facts a rule is about; none when it does not apply to this piece."""
    cavities = known.get("cavities")
    if rule.measure == "shank_thickness":
        # The head (0) is another thing; of the rest the thinnest.
        shank = [known[name] for name in (f"shank_thickness_{angle}" for angle in (90, 180, 270)) if name in known]
        values = [fact for fact in shank if fact.value is not None]
        return [min(values, key=lambda fact: float(fact.value or 0))] if values else shank[:1]
    if rule.measure == "hollow_wall_min":
        return [known["wall_min"]] if cavities and cavities.value and "wall_min" in known else []
    return [known[rule.measure]] if rule.measure in known else []


def _broken(rule: Rule, value: float) -> bool:
    if rule.measure in HIGHEST:
        return value > rule.limit * (1.0 + SLACK)
    return value * (1.0 + SLACK) < rule.limit


def _finding(rule: Rule, value: float, place: Place | None) -> Finding:
    shown: dict[str, Any] = {"measured": round(value, 2) if rule.unit == "mm" else int(value), "limit": rule.limit}
    return Finding(
        code=f"rule_{rule.measure}",
        message=SENTENCES[rule.measure],
        params=shown,
        severity=rule.severity,
        place=place,
        measured=round(value, 4),
        limit=rule.limit,
        unit=rule.unit,
        rule=rule.code,
        rule_source=f"{rule.source} ({rule.date})" if rule.date else rule.source,
        verdict=rule.verdict,
    )
