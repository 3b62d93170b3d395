"""Translation without a translator: a table of whole sentences, and an honest label on everything else.

A sentence of the table is translated, its numbers and codes carried over as they are. Anything else stays
in its own words, with the glossary's terms put in, under the label `[sandbox zh]`.
"""

import re
from functools import cache
from typing import Any

from sandbox.gemini import phrases

LANGUAGES = ("en", "zh_Hans", "zh_Hant", "fr", "it")
_SLOT = r"(?P<{}>\S.{{0,60}}?)"
_NUMBER_SLOT = r"(?P<{}>[0-9][0-9.,'’ ]*[0-9]|[0-9])"
_SENTENCE = re.compile(r"(\S.*?(?:[.!?]+(?=\s|$)|[。！？]+|(?=\n)|$))(\s*)", re.DOTALL)


def translate(task: dict[str, Any]) -> dict[str, Any]:
    """`{"translation", "notes"}` for a task with text, source_language, target_language and glossary."""
    text = str(task.get("text") or "")
    target = code_of(str(task.get("target_language") or task.get("language") or "en"))
    source = code_of(str(task.get("source_language") or "")) if task.get("source_language") else ""
    if source == target:
        return {"translation": text, "notes": ["The text is already in this language."], "language": target}
    pieces, whole = [], True
    for sentence, space in _SENTENCE.findall(text):
        made = _phrase(sentence, source, target, task.get("glossary"))
        if made is None:
            whole = False
            pieces += [_with_terms(sentence, task.get("glossary"), target), space]
        elif target.startswith("zh"):
            pieces += [made, "\n" * space.count("\n")]
        else:
            pieces += [made, space or " "]
    joined = "".join(pieces).strip()
    if whole:
        return {"translation": joined, "notes": ["Sandbox: translated from a table of phrases."], "language": target}
    label = f"[sandbox {target.replace('_', '-')}] "
    note = "Sandbox: there is no translator here. Known phrases and glossary terms are translated, the rest is not."
    return {"translation": label + joined, "notes": [note], "language": target}


def code_of(tag: str) -> str:
    """One of LANGUAGES for a language tag; the tag itself when the table does not have it."""
    low = tag.lower().replace("_", "-")
    if low.startswith("zh"):
        return "zh_Hant" if any(part in low for part in ("hant", "tw", "hk", "mo")) else "zh_Hans"
    return low.partition("-")[0]


def _phrase(sentence: str, source: str, target: str, glossary: Any) -> str | None:
    for phrase, patterns in _table():
        if target not in phrase:
            continue
        for language, pattern in patterns.items():
            if language == target or (source and language != source):
                continue
            match = pattern.fullmatch(sentence)
            if match:
                slots = {name: _with_terms(words, glossary, target) for name, words in match.groupdict().items()}
                made = phrase[target].format(**slots)
                if sentence.endswith(("!", "！")):
                    made = made.removesuffix(".") + "!" if made.endswith(".") else made.replace("。", "！")
                return made
    return None


def _with_terms(sentence: str, glossary: Any, target: str) -> str:
    pairs = [
        (str(term.get("source", "")), str(term.get("target", "")))
        for term in (glossary if isinstance(glossary, list) else [])
        if isinstance(term, dict)
    ]
    for source, wanted in sorted(pairs, key=lambda pair: -len(pair[0])):
        if source and wanted and target:
            edge = r"(?<![A-Za-z])", r"(?![A-Za-z])"
            pattern = f"{edge[0]}{re.escape(source)}{edge[1]}" if source.isascii() else re.escape(source)
            sentence = re.sub(pattern, wanted.replace("\\", r"\\"), sentence, flags=re.IGNORECASE)
    return sentence


@cache
def _table() -> list[tuple[dict[str, str], dict[str, re.Pattern[str]]]]:
    return [(phrase, {lang: _pattern(text) for lang, text in phrase.items()}) for phrase in phrases.load()]


def _pattern(text: str) -> re.Pattern[str]:
    """`{n}` and `{m}` match numbers, other slots a few words; a question must end as one."""
    body = text.rstrip(".!?。！？ ")
    end = r"\s*[?？]" if text[-1] in "?？" else r"\s*[.!。！]?"
    out = ""
    for part in re.split(r"(\{\w+\})", body):
        name = part[1:-1]
        if part.startswith("{"):
            out += (_NUMBER_SLOT if name in {"n", "m"} else _SLOT).format(name)
        else:
            out += re.escape(part).replace("'", "['’]")
    return re.compile(out + end, re.IGNORECASE)
