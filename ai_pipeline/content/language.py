"""Which language a message is in, by its script and its commonest words."""

# ruff: noqa: E501, SIM905 - tables of words

import re

SIMPLIFIED = set(
    "们这么说国价单样后发钻个为时会来对开关过还经动现产进认识请谢问题间长门见车马鸟鱼龙银铂颗层级货设计师亲边达"
)
TRADITIONAL = set(
    "們這麼說國價單樣後發鑽個為時會來對開關過還經動現產進認識請謝問題間長門見車馬鳥魚龍銀鉑顆層級貨設計師親邊達"
)
WORDS: dict[str, set[str]] = {
    "en": set("the and is are of to in for with you we not it this that can please have at on be by from your i if".split()),
    "fr": set("le la les et est des un une pour nous vous de du avec que pas dans sur au aux ne qui votre plus trop ce en à".split()),
    "it": set("il lo la gli le e è di del della per che non con un una si in al vi mi sono anche ma da dei questo".split()),
    "de": set("der die das und ist nicht ein eine für mit wir sie zu auf aber bitte um den dem im von sind am uns".split()),
}  # fmt: skip


def detect_language(text: str) -> str | None:
    """A tag (zh_Hans, zh_Hant, ja, ko, ru, ar, en, fr, it, de), or None when nothing tells."""
    counts = {name: len(re.findall(pattern, text)) for name, pattern in SCRIPTS.items()}
    latin = counts.pop("latin")
    if counts["kana"] and counts["kana"] * 8 >= counts["han"]:
        return "ja"
    if counts["han"] and counts["han"] * 3 >= latin:
        simplified = sum(character in SIMPLIFIED - TRADITIONAL for character in text)
        traditional = sum(character in TRADITIONAL - SIMPLIFIED for character in text)
        return "zh_Hant" if traditional > simplified else "zh_Hans"
    for script, tag in (("hangul", "ko"), ("cyrillic", "ru"), ("arabic", "ar")):
        if counts[script] > latin:
            return tag
    words = re.findall(r"[^\W\d_]+", text.lower())
    scores = {tag: sum(word in known for word in words) for tag, known in WORDS.items()}
    best = max(scores, key=lambda tag: scores[tag])
    return best if scores[best] else None


SCRIPTS = {
    "latin": r"[A-Za-zÀ-ÿ]",
    "han": r"[\u3400-\u4dbf\u4e00-\u9fff]",
    "kana": r"[\u3040-\u30ff]",
    "hangul": r"[\uac00-\ud7af]",
    "cyrillic": r"[\u0400-\u04ff]",
    "arabic": r"[\u0600-\u06ff]",
}
