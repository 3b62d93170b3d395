"""What the bench knows: measured numbers against a rule pack, ring sizes, weights of stones. Nothing reads a file."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ai_pipeline.cad.gravity import SPECIFIC_GRAVITY
from ai_pipeline.cad.report import Fact
from ai_pipeline.cad.rules import Rule
from ai_pipeline.cad.rules import judge as _judge
from ai_pipeline.cad.sizes import diameter_of

#: Ring sizes people name, with the inner diameters (mm) between which jewelry is made for fingers.
SIZE_SYSTEMS = ("US", "EU", "UK", "JP", "HK")
SMALLEST_BORE, LARGEST_BORE = 10.0, 28.0
_SIZE = re.compile(r"(US|EU|UK|JP|HK)\s*(\d{1,2}(?:\.\d{1,2})?|[A-Z](?:\+\d)?½?)")
_FRACTIONS = {"1/4": "¼", "1/2": "½", "3/4": "¾"}
_DECIMALS = {"¼": ".25", "½": ".5", "¾": ".75"}


@dataclass(frozen=True, slots=True)
class RingSize:
    """A ring size as it is written ("US 6.5") and its inner diameter in mm."""

    name: str
    diameter: float


def ring_size(text: str) -> RingSize:
    """What somebody typed ("us 6 1/2", "EU54", "UK N½"), in one way of writing. Raises ValueError with what to type."""
    typed = " ".join(text.upper().split())
    for fraction, sign in _FRACTIONS.items():
        typed = typed.replace(fraction, sign).replace(f" {sign}", sign)
    system = typed[:2]
    if system != "UK":
        for sign, decimals in _DECIMALS.items():
            typed = typed.replace(sign, decimals)
    found = _SIZE.fullmatch(typed)
    try:
        if found is None:
            raise ValueError(text)
        size = found[2] if system == "UK" else f"{float(found[2]):g}"
        diameter = diameter_of(system.lower(), size)
    except ValueError:
        raise ValueError("Write a ring size with its system, for example US 6.5, EU 54 or UK N.") from None
    if not SMALLEST_BORE <= diameter <= LARGEST_BORE:
        raise ValueError("No finger has this ring size; check the system.")
    return RingSize(f"{system} {size}", diameter)


def gravity(species: str) -> float | None:
    """Specific gravity of a kind of stone, g/cm3; None for one the table does not know."""
    return SPECIFIC_GRAVITY.get(species)


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
