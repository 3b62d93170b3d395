"""Which language a message is in: the script decides, then common words. Codes are those of our locales and ISO 639."""

import re

from flask_babel import lazy_gettext as _l

#: Languages we name to readers, each by its word in the reader's language.
NAMES = {
    "en": _l("English"),
    "zh_Hans": _l("Simplified Chinese"),
    "zh_Hant": _l("Traditional Chinese"),
    "fr": _l("French"),
    "it": _l("Italian"),
    "de": _l("German"),
    "es": _l("Spanish"),
    "ja": _l("Japanese"),
    "ko": _l("Korean"),
}

#: Locales a reader can have; messages are translated into these.
TARGETS = ("en", "zh_Hans", "zh_Hant")

# Characters common in business Chinese that are written in one of the two systems only.
_HANS = frozenset(
    "们这为个来时说对么开关发现图设计货单价钱银钻戒艺术质样请问谢产铂间许购买卖网络费让将经过应该还没国际报税运输订"
)
_HANT = frozenset(
    "們這為個來時說對麼開關發現圖設計貨單價錢銀鑽戒藝術質樣請問謝產鉑間許購買賣網絡費讓將經過應該還沒國際報稅運輸訂"
)
_ONLY_HANS, _ONLY_HANT = _HANS - _HANT, _HANT - _HANS

_WORDS = {
    "en": "the and is are we you your our for with this that have would can please of to in not will be it on from",
    "fr": "le la les des est et vous nous pour avec une un dans que qui pas sur votre merci bonjour je sont au",
    "it": "il lo la gli che per con una un di del della sono non vi ci grazie buongiorno siamo possiamo nel anche",
    "de": "der die das und ist wir sie für mit ein eine nicht auf den dem zu von ich bitte sind können auch",
    "es": "el la los las que por para con una un es y no se su del gracias hola nosotros podemos son al",
}
_COMMON = {code: frozenset(words.split()) for code, words in _WORDS.items()}


def detect(text: str, default: str) -> str:
    """The language of a text, `default` when nothing in it tells (a number, a code, one rare word)."""
    han = sum("\u4e00" <= c <= "\u9fff" for c in text)
    if any("\u3040" <= c <= "\u30ff" for c in text):
        return "ja"
    if any("\uac00" <= c <= "\ud7a3" for c in text):
        return "ko"
    words = re.findall(r"[^\W\d_]+", text.casefold())
    latin = [w for w in words if w.isascii() or "\u00c0" <= max(w) <= "\u024f"]
    if han and han >= len(latin):
        return _chinese(text, default)
    scores = {code: sum(w in common for w in latin) for code, common in _COMMON.items()}
    best = max(scores, key=lambda code: (scores[code], code == default, code == "en"))
    if scores[best]:
        return best
    if han:
        return _chinese(text, default)
    return "en" if default not in TARGETS or (default != "en" and len(latin) >= 3) else default


def _chinese(text: str, default: str) -> str:
    hans = sum(c in _ONLY_HANS for c in text)
    hant = sum(c in _ONLY_HANT for c in text)
    if hans == hant:
        return default if default in {"zh_Hans", "zh_Hant"} else "zh_Hans"
    return "zh_Hans" if hans > hant else "zh_Hant"


def html_lang(code: str) -> str:
    """The BCP 47 tag of a code, for `lang` attributes."""
    return code.replace("_", "-")
