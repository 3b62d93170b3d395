"""Translate a message and make sure that its figures and fixed strings came through; if not, the original is shown."""

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ai_pipeline.content.calls import Call
from ai_pipeline.content.clean import clean
from ai_pipeline.content.figures import Figure, figures
from ai_pipeline.content.language import detect_language
from ai_pipeline.content.prompts import instruction
from ai_pipeline.gemini import GeminiClient

PROMPT = "translate.v1"
MAX_TEXT = 6000
MAX_TERMS = 60
# References, file names and addresses: capitals or dots with digits, tied together. Whatever a caller keeps comes on
# top.
CODE = re.compile(
    r"https?://\S+|[\w.+-]+@[\w-]+\.[\w.]+|\b[A-Za-z]+[-_]\d[\w()-]*(?:\.\w{2,4})?|\b\w+[_(]\w*[\w()]*\.\w{2,4}\b"
)


class TranslateReply(BaseModel):
    """What the model answers."""

    model_config = ConfigDict(extra="ignore")

    translation: str = Field(max_length=4 * MAX_TEXT)
    notes: list[str] = Field(default_factory=list, max_length=20)


class Translation(BaseModel):
    """A checked translation. `text` is what to show: the original unless `status` is "translated".

    `problems` name figures, units or fixed strings that did not survive ("figure_lost: 6.8 g").
    """

    status: Literal["translated", "same_language", "figures_unchecked"]
    text: str
    original: str
    source_language: str | None
    target_language: str
    notes: list[str] = []
    problems: list[str] = []
    call: Call | None = None


def translate(
    client: GeminiClient,
    text: str,
    target: str,
    *,
    source: str | None = None,
    glossary: list[tuple[str, str]] | None = None,
    keep: list[str] | None = None,
) -> Translation:
    """Translate `text` into `target` (en, zh_Hans, zh_Hant, fr, it); `source` is detected when not given.

    `glossary` holds (source term, target term); `keep` holds strings that must survive as they are. Raises the errors
    of
    `GeminiClient.generate`. No call is made for a text that already is in the target language.
    """
    body = clean(text, MAX_TEXT)
    source = source or detect_language(body.text)
    if not body.text or source == target:
        return Translation(
            status="same_language", text=text, original=text, source_language=source, target_language=target
        )
    terms = [pair for pair in glossary or [] if pair[0].casefold() in body.text.casefold()][:MAX_TERMS]
    fixed = kept_strings(body.text, keep or [])
    request = {
        "text": body.text,
        "source_language": source or "",
        "target_language": target,
        "glossary": [{"source": one, "target": other} for one, other in terms],
        "keep": fixed,
    }
    reply = client.generate("translate", instruction(PROMPT), request, [], TranslateReply)
    translated = clean(reply.parsed.translation, 4 * MAX_TEXT).text
    problems = check_translation(body.text, translated, source, target, fixed)
    if body.cut:
        problems.append("cut_off: the text is too long to be translated whole")
    return Translation(
        status="figures_unchecked" if problems else "translated",
        text=text if problems else translated,
        original=text,
        source_language=source,
        target_language=target,
        notes=[clean(note, 300).text for note in reply.parsed.notes],
        problems=problems,
        call=Call.of(reply, PROMPT),
    )


def kept_strings(text: str, keep: list[str]) -> list[str]:
    """The strings of `text` that a translation must repeat:
    those asked for, and every reference, file name and address.
    """
    found = [string for string in keep if string and string in text] + CODE.findall(text)
    return list(dict.fromkeys(found))


def check_translation(original: str, translated: str, source: str | None, target: str, keep: list[str]) -> list[str]:
    """What did not survive: kept strings, numbers, and the units of numbers. Empty when all did."""
    problems = ["nothing: the translation is empty"] if original.strip() and not translated.strip() else []
    problems += [f"string_lost: {string}" for string in keep if string not in translated]
    there = figures(translated, target)
    for figure in figures(original, source):
        match = _best(figure, there)
        if match is None:
            problems.append(f"figure_lost: {figure.text}")
            continue
        there.remove(match)
        if figure.unit != match.unit and not figure.unit & match.unit:
            problems.append(f"unit_changed: {figure.text} -> {match.text}")
    problems += [f"figure_added: {figure.text}" for figure in there]
    return problems


def _best(figure: Figure, others: list[Figure]) -> Figure | None:
    """A figure of the same value, one with an agreeing unit first."""
    same = [other for other in others if abs(other.value - figure.value) < 1e-9]
    agreeing = [other for other in same if other.unit & figure.unit or other.unit == figure.unit]
    return next(iter(agreeing or same), None)
