"""`python -m tools.translations`: extract visible text into translations/, keep what is translated, tell what is not."""

import re
import subprocess
import sys
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
LOCALES = ("en", "zh_Hans", "zh_Hant")
#: Where a literal message stands as the second argument: error code first, words second.
ERRORS = ("Invalid", "Conflict", "Forbidden", "NotFound", "Unauthenticated", "Unavailable", "BadToken", "ExpiredToken")
KEYWORDS = ["N_", "_l", "lazy_gettext", "ngettext:1,2", "Retry:1", "DomainError:2", *(f"{name}:2" for name in ERRORS)]
_PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%%")


def extract(target: Path) -> Catalog:
    """Every message of the sources, without line numbers (they change with every edit)."""
    pybabel = [sys.executable, "-m", "babel.messages.frontend"]
    keywords = [part for word in KEYWORDS for part in ("-k", word)]
    subprocess.run(
        [*pybabel, "-q", "extract", "-F", "babel.cfg", *keywords, "--no-location", "--sort-output", "-o", target, "."],
        cwd=ROOT,
        check=True,
    )
    return extracted(target)


def extracted(path: Path) -> Catalog:
    """The catalog of an extraction."""
    with path.open("rb") as file:
        return read_po(file)


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
    path = path_of(locale)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalog, sort_output=True, ignore_obsolete=True, width=120, omit_header=False)


def placeholders(text: str) -> set[str]:
    """The placeholders of a message."""
    return set(_PLACEHOLDER.findall(text))


def problems(locale: str, messages: list[Message], catalog: Catalog) -> list[str]:
    """What is untranslated or has broken placeholders in a locale; empty when it is complete."""
    found = []
    for message in messages:
        known = catalog.get(message.id)
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        words = known.string if known is not None else ""
        strings = words if isinstance(words, tuple) else (words,)
        if known is None or known.fuzzy or not all(strings):
            found.append(f"{locale}: not translated: {ids[0]!r}")
        elif any(placeholders(s) - placeholders(ids[-1]) for s in strings) or placeholders(ids[-1]) - placeholders(
            strings[-1]
        ):
            found.append(f"{locale}: placeholders differ: {ids[0]!r}")
    return found


def main() -> int:
    """Update every catalog; 1 when something is not translated."""
    template_path = ROOT / "build" / "messages.pot"
    template_path.parent.mkdir(exist_ok=True)
    template = extract(template_path)
    messages = [m for m in template if m.id]
    wrong: list[str] = []
    for locale in LOCALES:
        catalog = load(locale)
        catalog.update(extracted(template_path), no_fuzzy_matching=True)  # a fresh copy: update() keeps its objects
        if locale == "en":  # the sources are English; only plurals need a catalog
            for message in messages:
                if isinstance(message.id, tuple):
                    catalog[message.id].string = message.id
                else:
                    catalog[message.id].string = message.id
        save(locale, catalog)
        wrong += problems(locale, messages, catalog)
    print("\n".join(wrong[:40]) or f"{len(messages)} messages, complete in {', '.join(LOCALES)}")
    if len(wrong) > 40:
        print(f"... and {len(wrong) - 40} more")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
