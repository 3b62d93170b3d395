"""Reads `.env`: NAME=value lines, quotes, comments; nothing is expanded and nothing executed."""

import re
from pathlib import Path

from sandbox.local.terminal import Trouble

_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")
_ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\", "$": "$"}


def parse(text: str) -> dict[str, str]:
    """Settings by name; raises ValueError naming the line that is not one."""
    found: dict[str, str] = {}
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip().lstrip("\ufeff")
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if not match:
            raise ValueError(f"line {number} is not NAME=value: {line[:60]}")
        try:
            found[match[1]] = _value(match[2])
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from error
    return found


def load(file: Path) -> dict[str, str]:
    """The settings of a file, none when it does not exist; raises Trouble when it cannot be read."""
    try:
        return parse(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (ValueError, OSError) as error:
        raise Trouble(f"{file} cannot be read: {error}", "Correct the file; .env.example shows the form.") from error


def _value(text: str) -> str:
    quote = text[:1]
    if quote in {"'", '"'}:
        end = _closing(text, quote)
        rest = text[end + 1 :].strip()
        if rest and not rest.startswith("#"):
            raise ValueError("text after the closing quote")
        inner = text[1:end]
        return inner if quote == "'" else re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[0]), inner)
    return re.split(r"\s+#|^#", text, maxsplit=1)[0].strip()


def _closing(text: str, quote: str) -> int:
    at = 1
    while at < len(text):
        if text[at] == "\\" and quote == '"':
            at += 2
            continue
        if text[at] == quote:
            return at
        at += 1
    raise ValueError("a quote is not closed")
