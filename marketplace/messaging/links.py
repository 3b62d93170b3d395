"""Links and other ways out in what people write: found in the text, shown with a page of warning before them."""

import ipaddress
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from markupsafe import Markup, escape

#: Where a link ends: white space, quotes, brackets of a sentence, and the punctuation of Chinese text.
_LINK = re.compile(
    r"(?:https?://|www\.)[^\s<>\"'`\u3000-\u303f\uff00-\uff0f\uff1a-\uff20\u201c\u201d]{3,2000}", re.IGNORECASE
)
_TRAILING = ".,;:!?)]}*_"
#: More links than this in one message stay plain text.
_MOST = 20
_ELSEWHERE = re.compile(
    r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+"  # an e-mail address
    r"|(?<!\d)\+\d[\d ().-]{7,18}\d"  # a telephone number with its country
    r"|\b(?:whats\s?app|wechat|weixin|telegram|viber|signal|skype|line\s?id|qq)\b|微信|加微|企鹅号|電報|电报",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a link leads. `host` is as the network knows it, `shown` as it was written; `doubts` are codes."""

    url: str
    host: str
    shown: str
    doubts: tuple[str, ...]


def find_links(text: str) -> list[tuple[int, int]]:
    """Start and end of each link in a text."""
    found = []
    for match in _LINK.finditer(text):
        end = match.end()
        while end > match.start() and text[end - 1] in _TRAILING:
            end -= 1
        found.append((match.start(), end))
    return found[:_MOST]


def linked(text: str, way_out: Callable[[str], str]) -> Markup:
    """The text as safe HTML, its links leading to `way_out(url)` instead of straight to where they point."""
    parts, done = [], 0
    for start, end in find_links(text):
        url = text[start:end]
        parts += [
            escape(text[done:start]),
            Markup('<a class="way-out" rel="nofollow noreferrer noopener" href="{}">{}</a>').format(way_out(url), url),
        ]
        done = end
    return Markup("").join([*parts, escape(text[done:])])


def names_another_way(text: str) -> bool:
    """Whether a message names an address, a number or a messenger by which the two could leave this place."""
    return _ELSEWHERE.search(text) is not None


def target_of(written: str) -> Target | None:
    """Where a written link leads and what speaks against it; None for what is no web address."""
    url = written if "://" in written else f"https://{written}"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme.lower() not in {"http", "https"} or not parts.hostname or not url.isprintable():
        return None
    shown = parts.hostname
    try:
        host = shown.encode("idna").decode("ascii") if not shown.isascii() else shown
    except UnicodeError:
        return None
    doubts = []
    if parts.scheme.lower() == "http":
        doubts.append("not_encrypted")
    if "@" in parts.netloc:
        doubts.append("name_before_host")
    if _is_number(host):
        doubts.append("number_for_host")
    if host != shown or "xn--" in host:
        doubts.append("foreign_letters" if _one_script(shown) else "mixed_letters")
    if port not in {None, 80, 443}:
        doubts.append("unusual_port")
    return Target(url=url, host=host, shown=shown, doubts=tuple(doubts))


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host.replace(".", "").isdigit() or host.startswith("0x")
    return True


def _one_script(host: str) -> bool:
    """Whether the letters of a name are of one script (its Unicode name's first word tells), digits aside."""
    scripts = {unicodedata.name(c, "?").split()[0] for c in host if c.isalpha()}
    return len(scripts) <= 1
