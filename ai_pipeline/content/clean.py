"""Text from people on its way into a prompt, and text from a model on its way out: visible characters only, bounded."""

import unicodedata
from dataclasses import dataclass

KEPT_CONTROLS = {"\n", "\t"}
# Joiners and selectors that shape emoji and scripts we do not offer are dropped like every other invisible character.
INVISIBLE = {"Cf", "Cc", "Co", "Cn", "Cs"}
VARIATION_SELECTORS = range(0xFE00, 0xFE10)
BLANK_LETTERS = {"\u115f", "\u1160", "\u3164", "\uffa0", "\u2800"}


@dataclass(frozen=True)
class Cleaned:
    """The text without invisible characters, how many were removed, and whether it was cut."""

    text: str
    removed: int
    cut: bool


def clean(text: str, limit: int) -> Cleaned:
    """Normalize to NFC, drop zero-width, tag, control and private characters, cut at `limit` characters."""
    normal = unicodedata.normalize("NFC", text)
    kept = "".join(character for character in normal if _visible(character))
    return Cleaned(kept[:limit].strip(), len(normal) - len(kept), len(kept) > limit)


def _visible(character: str) -> bool:
    if character in KEPT_CONTROLS:
        return True
    if ord(character) in VARIATION_SELECTORS or character in BLANK_LETTERS:
        return False
    return unicodedata.category(character) not in INVISIBLE
