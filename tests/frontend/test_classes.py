"""A class that no style sheet knows is a page that looks unfinished."""

import re

from frontend.build import ROOT, SOURCES

_ATTRIBUTE = re.compile(r"\bclass=\"((?:[^\"{]|\{\{.*?\}\}|\{%.*?%\})*)\"", re.DOTALL)
_MARKUP = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)


def _styled() -> set[str]:
    css = "".join(path.read_text(encoding="utf-8") for path in (SOURCES / "css").rglob("*.css"))
    return set(re.findall(r"\.([a-z][a-z0-9-]*)", re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)))


def _named_by_scripts() -> set[str]:
    scripts = "".join(path.read_text(encoding="utf-8") for path in (SOURCES / "js").glob("*.js"))
    return set(re.findall(r"\.([a-z][a-z0-9-]*)", scripts))


def test_every_class_in_a_template_is_styled_or_read_by_a_script() -> None:
    known = _styled() | _named_by_scripts()
    unknown = []
    for path in sorted((ROOT / "templates").rglob("*.html")):
        parts = path.relative_to(ROOT / "templates").parts
        if parts[0] in {"email"}:
            continue
        for value in _ATTRIBUTE.findall(path.read_text(encoding="utf-8")):
            words = [word for word in _MARKUP.sub(" \0", value).split() if "\0" not in word and word[-1] != "-"]
            unknown += [("/".join(parts), word) for word in words if word not in known]
    assert not unknown
