"""House rules of style sheets, scripts and templates that a reader would otherwise have to watch for."""

import re
from collections.abc import Iterator
from pathlib import Path

from frontend.build import ROOT, SOURCES
from frontend.icons import icon_names

TEMPLATES = ROOT / "templates"
#: A mail program posts to these too (RFC 8058): the signed token in the address is what they are let in by.
_POSTED_BY_MAIL = frozenset({"templates/inbox/unsubscribe.html"})
_PHYSICAL = re.compile(r"(?<![\w-])(?:margin|padding|border|inset)?-?(?:left|right)\s*:|text-align:\s*(?:left|right)")
_COLOR = re.compile(r"#[0-9a-fA-F]{3,8}\b|\b(?:rgb|hsl|oklch|oklab|lab|lch)a?\(")


def _pages() -> Iterator[tuple[Path, str]]:
    for path in sorted(TEMPLATES.rglob("*.html")):
        if "email" not in path.relative_to(TEMPLATES).parts:
            yield path.relative_to(ROOT), path.read_text(encoding="utf-8")


def _styles() -> Iterator[tuple[str, str]]:
    for path in sorted((SOURCES / "css").rglob("*.css")):
        yield path.name, re.sub(r"/\*.*?\*/|url\([^)]*\)", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)


def test_colors_stand_in_the_tokens_alone() -> None:
    assert not [(name, _COLOR.findall(css)) for name, css in _styles() if name != "tokens.css" and _COLOR.search(css)]


def test_styles_know_no_left_and_right() -> None:
    assert not [(name, _PHYSICAL.findall(css)) for name, css in _styles() if _PHYSICAL.search(css)]


def test_styles_have_no_gradient() -> None:
    assert not [name for name, css in _styles() if "gradient(" in css]


def test_pages_have_no_inline_style_or_handler() -> None:
    inline = re.compile(r"\sstyle\s*=|\son[a-z]+\s*=\s*[\"']|javascript:|hx-on|<style")
    assert not [(path, inline.findall(text)) for path, text in _pages() if inline.search(text)]


def test_every_script_tag_carries_the_nonce() -> None:
    tags = [(path, tag) for path, text in _pages() for tag in re.findall(r"<script[^>]*>", text)]
    assert tags
    assert not [(path, tag) for path, tag in tags if 'nonce="{{ csp_nonce() }}"' not in tag]


def test_every_form_that_posts_carries_the_csrf_token() -> None:
    forms = [
        (path, form)
        for path, text in _pages()
        for form in re.findall(r"<form\b(?:(?!</form>).)*", text, flags=re.DOTALL)
        if 'method="post"' in form
    ]
    assert forms
    bare = [(path.as_posix(), form[:120]) for path, form in forms if "csrf" not in form]
    assert not [(path, form) for path, form in bare if path not in _POSTED_BY_MAIL]


def test_every_icon_that_is_drawn_is_in_the_sprite() -> None:
    known = set(icon_names((SOURCES / "icons.txt").read_text(encoding="utf-8")))
    drawn = re.compile(r"(?:\bicon\(|icon_name=)\s*\"([a-z0-9-]+)\"")
    unknown = [(path, name) for path, text in _pages() for name in drawn.findall(text) if name not in known]
    assert not unknown


def test_templates_stay_short() -> None:
    assert not [(path, text.count("\n")) for path, text in _pages() if text.count("\n") > 220]


def test_no_page_and_no_script_fetches_from_elsewhere() -> None:
    scripts = [(path.name, path.read_text(encoding="utf-8")) for path in (SOURCES / "js").glob("*.js")]
    foreign = re.compile(r"https?://(?!www\.w3\.org/2000/svg)")
    assert not [name for name, text in scripts if foreign.search(text)]
    assert not [path for path, text in _pages() if re.search(r"(?:src|href)=\"(?:https?:)?//", text)]
