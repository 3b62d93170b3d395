"""Measured numbers against a rule pack, as the pipeline judges them; nothing here reads a file."""

from collections.abc import Iterable, Mapping
from typing import Any

from ai_pipeline.cad.report import Fact
from ai_pipeline.cad.rules import Rule
from ai_pipeline.cad.rules import judge as _judge


def judge(
    facts: Iterable[Mapping[str, Any]], rules: Iterable[Mapping[str, Any]]
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """(findings, the three verdicts) of facts {name, value} under rules as `ai_pipeline.cad.rules.Rule` takes them.

    Findings have {code, message, params, severity, measured, limit, unit, rule_source, verdict} and no place.
    """
    known = [
        Fact(name=str(fact["name"]), value=fact["value"], method="as told")
        for fact in facts
        if isinstance(fact.get("value"), int | float)
    ]
    findings, verdicts = _judge(known, [Rule(**rule) for rule in rules])
    return [finding.model_dump(exclude={"place"}) for finding in findings], {
        str(k): str(v) for k, v in verdicts.items()
    }
