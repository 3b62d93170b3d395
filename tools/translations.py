"""`python -m tools.translations`: extract visible text into translations/ and tell what is not translated."""

import ast
import os
import re
import sys
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_keywords, parse_mapping_cfg
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
LOCALES = ("en", "zh_Hans", "zh_Hant")
KEYWORDS = {**DEFAULT_KEYWORDS, **parse_keywords(["N_", "_l", "lazy_gettext"])}
#: Where a literal message is an argument of an exception: which one, counted from 0.
ERRORS = {
    **dict.fromkeys(
        (
            *("Invalid", "Conflict", "Forbidden", "StepUpRequired", "NotFound"),
            *("Unauthenticated", "Unavailable", "BadToken", "ExpiredToken"),
        ),
        1,
    ),
    **dict.fromkeys(
        ("PaymentDeclined", "PaymentRejected", "PaymentUnavailable", "PaymentNotFound", "InsufficientFunds"), 1
    ),
    "PayeeBlocked": 1,
    "DomainError": 1,
    "Retry": 0,
}
_SOURCES = ("marketplace", "ai_pipeline", "workers")
#: What a form's validator says is a sentence; what only a programmer reads is not.
_SENTENCE = re.compile(r"[A-Z].*\.", re.DOTALL)
_PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%%")
_HEADER = "# Visible text; `python -m tools.translations` keeps it in step with the sources."


def extract() -> Catalog:
    """Every message of the sources, without line numbers (they change with every edit)."""
    with (ROOT / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    for pattern, method in methods:
        if method == "jinja2":  # a template that cannot be parsed must not pass for one without text
            options[pattern] |= {"extensions": "jinja2.ext.do", "silent": "false"}
    catalog = Catalog()
    for found in extract_from_dir(ROOT, methods, options, KEYWORDS, directory_filter=_searched):
        catalog.add(found[2])
    for source in _SOURCES:
        for path in sorted((ROOT / source).rglob("*.py")):
            for text in error_texts(ast.parse(path.read_text())):
                catalog.add(text)
    return catalog


def _searched(folder: str | os.PathLike[str]) -> bool:
    # Babel would pass over templates/_layout and templates/_parts.
    name = Path(folder).name
    return not name.startswith(".") and name not in {"__pycache__", "node_modules", "build", "built", "tests"}


def error_texts(tree: ast.Module) -> Iterator[str]:
    """The literal messages of the errors that a module raises, and those of their `fields`."""
    texts: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            texts.setdefault(node.targets[0].id, []).append(node.value)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func).rpartition(".")[2]
        position = ERRORS.get(called)
        if position is not None and len(node.args) > position:
            yield from _literals(node.args[position], texts)
        if position is not None:
            for keyword in node.keywords:
                if keyword.arg == "fields" and isinstance(keyword.value, ast.Dict):
                    for value in keyword.value.values:
                        yield from _literals(value, texts)
        if called == "ValueError" and node.args:
            yield from (text for text in _literals(node.args[0], {}) if _SENTENCE.fullmatch(text))


def _literals(node: ast.expr, texts: dict[str, list[ast.expr]]) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _literals(node.body, texts)
        yield from _literals(node.orelse, texts)
    elif isinstance(node, ast.Name):
        for value in texts.get(node.id, []):
            yield from _literals(value, {})


def path_of(locale: str) -> Path:
    """The catalog file of a locale."""
    return ROOT / "translations" / locale / "LC_MESSAGES" / "messages.po"


def load(locale: str) -> Catalog:
    """The committed catalog of a locale; an empty one when there is none yet."""
    path = path_of(locale)
    if not path.exists():
        return Catalog(locale=locale)
    with path.open("rb") as file:
        return read_po(file, locale=locale)


def save(locale: str, catalog: Catalog) -> None:
    """Write a catalog in a stable form."""
    catalog.header_comment, catalog.fuzzy = _HEADER, False
    path = path_of(locale)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalog, sort_output=True, ignore_obsolete=True, width=120, omit_header=False)


def placeholders(text: str) -> set[str]:
    """The placeholders of a message."""
    return set(_PLACEHOLDER.findall(text))


def ids_of(message: Message) -> tuple[str, ...]:
    """The English of a message: one, or singular and plural."""
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


def words(message: Message) -> tuple[str, ...]:
    """The translations of a message: one, or one for each plural form."""
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ())


def problems(locale: str, messages: list[Message], catalog: Catalog) -> list[str]:
    """What is untranslated or has broken placeholders in a locale; empty when it is complete."""
    found = []
    for message in messages:
        known = catalog.get(message.id)
        ids = ids_of(message)
        strings = words(known) if known is not None else ()
        if known is None or known.fuzzy or not strings or not all(strings):
            found.append(f"{locale}: not translated: {ids[0]!r}")
        elif any(placeholders(s) - placeholders(ids[-1]) for s in strings) or placeholders(ids[-1]) - placeholders(
            strings[-1]
        ):
            found.append(f"{locale}: placeholders differ: {ids[0]!r}")
    return found


def main() -> int:
    """Update every catalog; 1 when something is not translated."""
    template = extract()
    messages = [m for m in template if m.id]
    wrong: list[str] = []
    for locale in LOCALES:
        catalog = load(locale)
        catalog.update(deepcopy(template), no_fuzzy_matching=True, update_creation_date=False)
        if locale == "en":  # the sources are English
            for message in messages:
                catalog[message.id].string = message.id
        save(locale, catalog)
        wrong += problems(locale, messages, catalog)
    print("\n".join(wrong[:40]) or f"{len(messages)} messages, complete in {', '.join(LOCALES)}")
    if len(wrong) > 40:
        print(f"... and {len(wrong) - 40} more")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
