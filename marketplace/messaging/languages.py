"""Which language a message is in. Codes are those of our locales, else ISO 639."""

import re

from flask_babel import lazy_gettext as _l

from marketplace.gateways.content import detect_language

#: Languages we name to readers, each by its word in the reader's language.
NAMES = {
    "en": _l("English"),
    "zh_Hans": _l("Simplified Chinese"),
    "zh_Hant": _l("Traditional Chinese"),
    "fr": _l("French"),
    "it": _l("Italian"),
    "de": _l("German"),
    "ja": _l("Japanese"),
    "ko": _l("Korean"),
    "ru": _l("Russian"),
    "ar": _l("Arabic"),
}

#: Locales a reader can have; messages are translated into these.
TARGETS = ("en", "zh_Hans", "zh_Hant")


def detect(text: str, default: str) -> str:
    """The language of a text, `default` when nothing in it tells (a number, a reference, one word)."""
    if len(re.findall(r"[^\W\d_]+", text)) < 2 and text.isascii():
        return default
    return detect_language(text) or default


def html_lang(code: str) -> str:
    """The BCP 47 tag of a code, for `lang` attributes."""
    return code.replace("_", "-")
