"""The words of an HTML mail, without what it quotes."""

from collections.abc import Callable
from html.parser import HTMLParser

_BREAKS = frozenset(
    ["p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol", "section", "article", "hr"]
)
_HIDDEN = frozenset(["style", "script", "head", "title", "template", "object", "iframe", "blockquote"])
_VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"]
)
#: How Gmail, Yahoo, Outlook and Thunderbird mark the mail that is answered.
_QUOTES = (
    "gmail_quote",
    "gmail_extra",
    "yahoo_quoted",
    "appendonsend",
    "divrplyfwdmsg",
    "moz-cite-prefix",
    "mail-editor-reference-message-container",
)


class _Words(HTMLParser):
    def __init__(self, picture: Callable[[str], str] | None) -> None:
        super().__init__(convert_charrefs=True)
        self._picture = picture
        self.words: list[str] = []
        self._hidden: list[str] = []
        self.ended = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a line, or what is not shown."""
        named = " ".join((value or "") for name, value in attrs if name in {"class", "id"}).lower()
        if any(mark in named for mark in _QUOTES):
            # Outlook leaves what it quotes open to the end of the page.
            self.ended = self.ended or "appendonsend" in named or "divrplyfwdmsg" in named
            tag_hidden = True
        else:
            tag_hidden = tag in _HIDDEN
        if tag not in _VOID and (self._hidden or tag_hidden):
            self._hidden.append(tag)
        if tag in _BREAKS:
            self.words.append("\n")
        if tag == "img" and self._picture and not self._hidden and not self.ended:
            self.words.append(self._picture(dict(attrs).get("src") or ""))

    def handle_endtag(self, tag: str) -> None:
        """End what is not shown."""
        if tag in self._hidden:
            while self._hidden and self._hidden.pop() != tag:
                pass
        if tag in _BREAKS:
            self.words.append("\n")

    def handle_data(self, data: str) -> None:
        """Keep what is shown."""
        if not self._hidden and not self.ended:
            self.words.append(" ".join(data.split("\n")) if data.strip() else " ")


def plain_text(page: str, picture: Callable[[str], str] | None = None) -> str:
    """What a reader of the page sees, a line for each block; `picture` says what stands for one, by its address."""
    reader = _Words(picture)
    reader.feed(page)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.words).split("\n"))
    return "\n".join(lines)
