"""The exact text of an order's NDA in one language, and its hash. Pure but for reading our own text files."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from marketplace.orders.models import Order

#: Languages there is a text in; the first one governs.
LANGUAGES = ("en", "zh_Hans")
GOVERNING = LANGUAGES[0]
_CLAUSE = {"en": "10. Further terms of the Designer", "zh_Hans": "10. 设计师的补充条款"}


@dataclass(frozen=True, slots=True)
class NdaText:
    """A text, the language it is in, and the SHA-256 (hex) of its UTF-8 bytes."""

    language: str
    version: int
    text: str
    sha256: str

    @property
    def paragraphs(self) -> list[tuple[str, list[str]]]:
        """The text as (heading, lines) blocks for a page; the first block is the title."""
        blocks = [block.split("\n") for block in self.text.strip().split("\n\n")]
        return [(block[0], block[1:]) for block in blocks]


def compose(order: Order, *, designer: str, maker: str, language: str) -> NdaText:
    """The current version for this order. `designer` and `maker` are the organizations' names.

    Everything in it comes from the order, so the same order gives the same bytes until a version is issued.
    """
    clause = f"\n{_CLAUSE[language]}\n{_one_line(order.nda_clause)}\n" if order.nda_clause else ""
    named = "\n".join(f"{_one_line(item['filename'])}  SHA-256 {item['sha256']}" for item in order.cad)
    text = (
        _template(language)
        .format(
            reference=order.reference,
            order_id=order.id,
            version=order.nda_version,
            designer=_one_line(designer),
            maker=_one_line(maker),
            title=_one_line(order.design_title),
            quantity=order.quantity,
            clause=clause,
            files=named or "–",
        )
        .strip()
    )
    return NdaText(language, order.nda_version, text, hashlib.sha256(text.encode()).hexdigest())


def language_for(locale: str) -> str:
    """The text a reader of this locale gets: Chinese for both scripts, else the governing one."""
    return "zh_Hans" if locale.startswith("zh") else GOVERNING


def _one_line(value: str) -> str:
    return " ".join(value.split())


@lru_cache(maxsize=4)
def _template(language: str) -> str:
    return files("marketplace.manufacturing").joinpath("texts", f"nda.{language}.txt").read_text("utf-8")
