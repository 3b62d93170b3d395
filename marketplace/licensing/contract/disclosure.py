"""What a signer is told about signing electronically; each signature names the version and hash of what was told."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

#: Raise it with every change of the texts; the hash tells languages apart.
VERSION = "2026-11"
LANGUAGES = ("en", "zh_Hans", "zh_Hant")


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One language's text; `sha256` (hex) is of its UTF-8 bytes."""

    language: str
    version: str
    text: str
    sha256: str

    @property
    def title(self) -> str:
        """The first line."""
        return self.text.split("\n", 1)[0]

    @property
    def paragraphs(self) -> list[str]:
        """What stands under the title."""
        return self.text.split("\n\n")[1:]


@lru_cache(maxsize=4)
def disclosure(locale: str) -> Disclosure:
    """The text for a reader of this locale; English where there is none in it."""
    language = locale if locale in LANGUAGES else LANGUAGES[0]
    source = files("marketplace.licensing.contract").joinpath("texts", f"esign.{language}.txt")
    text = source.read_text("utf-8").strip()
    return Disclosure(language, VERSION, text, hashlib.sha256(text.encode()).hexdigest())
