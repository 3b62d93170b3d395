"""Check that a text claims only what facts support: every number, and every word that law or trade restricts.

Works on any text - a model's draft or a designer's edit - without calling a model.
"""

import re
from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel

from ai_pipeline.content.figures import Figure, figures
from ai_pipeline.content.restricted import RESTRICTED
from ai_pipeline.content.subject import KnownFact
from ai_pipeline.errors import N_

UNITS: dict[str, frozenset[str]] = {
    "mm": frozenset({"mm"}), "mm2": frozenset({"mm2"}), "mm²": frozenset({"mm2"}), "mm3": frozenset({"mm3"}),
    "mm³": frozenset({"mm3"}), "g": frozenset({"g"}), "ct": frozenset({"ct"}), "cm": frozenset({"cm"}),
    "%": frozenset({"%"}), "k": frozenset({"karat"}),
}  # fmt: skip
# A length may be told in millimeters or centimeters.
CONVERSIONS = {("mm", "cm"): 0.1, ("cm", "mm"): 10.0, ("g", "kg"): 0.001}
WORDS = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11,
    "twelve": 12, "两": 2, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10,
    "十一": 11, "十二": 12,
}  # fmt: skip
COUNTED = (
    r"(?:[a-z-]+ ){0,2}?(?:stones?|gems?|diamonds?|sapphires?|rubies|ruby|emeralds?|pearls?|prongs?|claws?|carats?"
    r"|grams?|millimet(?:er|re)s?)\b"
)
WORDED = re.compile(
    rf"\b({'|'.join(name for name in WORDS if name.isascii())}) {COUNTED}"
    rf"|(十一|十二|[两二三四五六七八九十])(?=[颗粒枚克])",
    re.IGNORECASE,
)
MARKUP = re.compile(r"<[a-zA-Z/!][^>]*>|https?://|www\.|\]\(|data:[a-z]+/", re.IGNORECASE)

MESSAGES = {
    "unbacked_number": N_("“%(text)s” rests on no fact of this piece. Remove it or add the fact."),
    "unknown_fact": N_("“%(text)s” names a fact that this piece does not have."),
    "restricted_word": N_("“%(text)s”: %(reason)s"),
    "markup": N_("The text holds markup or a link (“%(text)s”). Plain words only."),
}


class ClaimFinding(BaseModel):
    """One problem. `block` must be edited away before approval; `review` is for a person to decide.

    `message` is English with %(name)s places filled from `params`.
    """

    code: Literal["unbacked_number", "unknown_fact", "restricted_word", "markup"]
    severity: Literal["block", "review"]
    text: str
    message: str
    params: dict[str, str]


def check_claims(
    text: str, facts: Iterable[KnownFact], *, language: str = "en", known_text: str = ""
) -> list[ClaimFinding]:
    """Findings in `text`. `known_text` is what else may be repeated: title, category, designer's name.

    A number is backed when a fact of an agreeing unit rounds to it at the digits shown, or when a fact's words or
    `known_text` hold the same number.
    """
    known = [fact for fact in facts if fact.value is not None and fact.value is not False]
    words = _fact_words(known) + " " + known_text
    quoted = figures(words.replace("_", " "))
    found = [
        _finding("unbacked_number", "block", figure.text)
        for figure in _figures(text, language)
        if not _backed(figure, known, quoted)
    ]
    for rule in RESTRICTED:
        match = next((m for m in rule.pattern.finditer(text) if not rule.allowed_near(text, m)), None)
        if match and not (rule.backed_by and rule.backed_by.search(words)):
            found.append(_finding("restricted_word", rule.severity, match.group(), reason=rule.reason))
    found += [_finding("markup", "block", match.group()[:60]) for match in list(MARKUP.finditer(text))[:3]]
    return list({(item.code, item.text): item for item in found}.values())


def unknown_fact(text: str) -> ClaimFinding:
    """The finding for a claim that names a fact nobody measured or stated."""
    return _finding("unknown_fact", "review", text[:200])


def _finding(
    code: Literal["unbacked_number", "unknown_fact", "restricted_word", "markup"],
    severity: Literal["block", "review"],
    text: str,
    **params: str,
) -> ClaimFinding:
    return ClaimFinding(
        code=code, severity=severity, text=text, message=MESSAGES[code], params={"text": text, **params}
    )


def _figures(text: str, language: str) -> list[Figure]:
    worded = [
        Figure(float(WORDS[(match.group(1) or match.group(2)).lower()]), 0, _unit_of_word(match.group()), match.group())
        for match in WORDED.finditer(text)
    ]
    return figures(text, language) + worded


def _unit_of_word(words: str) -> frozenset[str]:
    for ending, unit in (("carat", "ct"), ("gram", "g"), ("millimet", "mm")):
        if ending in words.lower():
            return frozenset({unit})
    return frozenset()


def _fact_words(facts: list[KnownFact]) -> str:
    """Names and worded values of the facts; underscores as spaces so that "weight_18k_yellow" holds "18k"."""
    parts = []
    for fact in facts:
        parts.append(fact.name.replace("_", " "))
        if isinstance(fact.value, str):
            parts.append(fact.value)
    return " ; ".join(parts)


def _backed(figure: Figure, facts: list[KnownFact], quoted: list[Figure]) -> bool:
    for fact in facts:
        if isinstance(fact.value, bool) or not isinstance(fact.value, int | float):
            continue
        unit = UNITS.get(fact.unit, frozenset({fact.unit}) if fact.unit else frozenset())
        for value, meaning in _tellings(float(fact.value), unit):
            # A bare number is a count or a size: it has no room for rounding.
            room = 0.5 * 10.0**-figure.decimals if figure.unit else 0.0
            if _agree(figure, meaning) and abs(value - figure.value) <= room + 1e-9:
                return True
    return any(abs(other.value - figure.value) < 1e-9 and _agree(figure, other.unit) for other in quoted)


def _tellings(value: float, unit: frozenset[str]) -> list[tuple[float, frozenset[str]]]:
    others = [(value * factor, frozenset({there})) for (here, there), factor in CONVERSIONS.items() if here in unit]
    return [(value, unit), *others]


def _agree(figure: Figure, unit: frozenset[str]) -> bool:
    return bool(figure.unit & unit) if figure.unit else not unit
