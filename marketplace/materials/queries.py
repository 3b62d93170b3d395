"""Alloys and rules as one organization uses them, and the form in which a measurement takes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.designs.models import Asset, Design
from marketplace.gateways.casting import judge
from marketplace.materials.models import Alloy, CastingRule, MaterialOverride
from marketplace.materials.rules import family_of

PROCESS = "printed"
Kind = Literal["alloy", "rule"]


@dataclass(frozen=True)
class Entry:
    """One number of a table: the published one (`standard`), the house's own (None without), and what an undo brings
    back. `can_undo` is False until the house has changed something.
    """

    kind: Kind
    code: str
    row: Alloy | CastingRule
    standard: Decimal
    unit: str
    own: Decimal | None = None
    previous: Decimal | None = None
    can_undo: bool = False

    @property
    def id(self) -> str:
        """How routes name it."""
        return f"{self.kind}:{self.code}"

    @property
    def value(self) -> Decimal:
        """The number that counts."""
        return self.standard if self.own is None else self.own


def entries(session: Session, org_id: str | None) -> tuple[list[Entry], list[Entry]]:
    """(alloys, rules) in the order of their tables, with the organization's own numbers."""
    own = _overrides(session, org_id)
    alloys = session.scalars(select(Alloy).order_by(Alloy.position)).all()
    rules = session.scalars(select(CastingRule).order_by(CastingRule.position)).all()
    return [_alloy(row, own) for row in alloys], [_rule(row, own) for row in rules]


def entry(session: Session, org_id: str | None, entry_id: str) -> Entry | None:
    """One of them by its id."""
    kind, _colon, code = entry_id.partition(":")
    if kind not in ("alloy", "rule"):
        return None
    own = _overrides(session, org_id)
    if kind == "alloy":
        alloy = session.get(Alloy, code)
        return None if alloy is None else _alloy(alloy, own)
    rule = session.get(CastingRule, code)
    return None if rule is None else _rule(rule, own)


def for_measuring(session: Session, asset_id: str) -> dict[str, Any]:
    """The `alloys` and `rules` that a file of this asset is weighed and judged by: those of its owner."""
    asset = session.get(Asset, asset_id)
    if asset is None:
        return {}
    design = session.get(Design, asset.design_id) if asset.design_id else None
    metals = design.metals if design else []
    alloys, rules = entries(session, asset.org_id)
    return {
        "alloys": [_density(item) for item in alloys],
        "rules": pack(rules, family_of(metals[0]) if metals else "any"),
    }


def by_rules_of(
    session: Session, org_id: str, facts: Sequence[dict[str, Any]], metal: str
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """(findings, verdicts) of told facts under an organization's own limits; one statement."""
    own = (MaterialOverride.org_id == org_id) & (MaterialOverride.kind == "rule")
    query = (
        select(CastingRule, MaterialOverride)
        .outerjoin(MaterialOverride, own & (MaterialOverride.code == CastingRule.code))
        .order_by(CastingRule.position)
    )
    rows: list[tuple[CastingRule, MaterialOverride | None]] = [(row, found) for row, found in session.execute(query)]
    overrides = {("rule", found.code): found for _row, found in rows if found is not None}
    rules = [_rule(row, overrides) for row, _found in rows]
    return judge(facts, pack(rules, family_of(metal) if metal else "any"))


def pack(rules: Sequence[Entry], family: str, process: str = PROCESS) -> list[dict[str, Any]]:
    """The rules for a process and a family of alloys, as `ai_pipeline.cad.rules.Rule` takes them."""
    found = []
    for item in rules:
        row = item.row
        if not isinstance(row, CastingRule) or row.process not in ("any", process) or row.family not in ("any", family):
            continue
        found.append(
            {
                "code": row.code,
                "measure": row.measure,
                "limit": float(item.value),
                "unit": row.unit,
                "severity": row.severity,
                "verdict": row.verdict,
                "source": row.source if item.own is None else "own limit",
                "date": row.read_on if item.own is None else "",
            }
        )
    return found


def _density(item: Entry) -> dict[str, Any]:
    row = item.row
    assert isinstance(row, Alloy)
    own = item.own is not None
    return {
        "code": row.code,
        "density": float(item.value),
        # A house that knows its alloy knows it without a range.
        "low": float(item.value if own else row.low),
        "high": float(item.value if own else row.high),
        "source": "own density" if own else row.source,
        "date": "" if own else row.read_on,
    }


def _overrides(session: Session, org_id: str | None) -> dict[tuple[str, str], MaterialOverride]:
    rows = session.scalars(select(MaterialOverride).where(MaterialOverride.org_id == org_id))
    return {(row.kind, row.code): row for row in rows}


def _alloy(row: Alloy, own: dict[tuple[str, str], MaterialOverride]) -> Entry:
    return _entry("alloy", row.code, row, row.density, "g/cm³", own)


def _rule(row: CastingRule, own: dict[tuple[str, str], MaterialOverride]) -> Entry:
    return _entry("rule", row.code, row, row.limit_value, row.unit, own)


def _entry(
    kind: Kind,
    code: str,
    row: Alloy | CastingRule,
    standard: Decimal,
    unit: str,
    own: dict[tuple[str, str], MaterialOverride],
) -> Entry:
    found = own.get((kind, code))
    if found is None:
        return Entry(kind, code, row, standard, unit)
    return Entry(kind, code, row, standard, unit, found.value, found.previous, found.value != found.previous)
