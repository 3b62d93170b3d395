"""Sentences about facts, in English and Chinese. Each sentence speaks of exactly one fact and adds nothing."""

import re
from collections.abc import Callable
from typing import Any

#: (pattern on the fact's name, English, Chinese). `{v}` is the value with its unit, `{what}` what the name says of it.
_SENTENCES: tuple[tuple[str, str, str], ...] = (
    (r"ring_?size", "It is drawn in {system}ring size {v}.", "{system}指圈号为{v}。"),
    (r"^size_[xyz]$", "Along {axis} it measures {v}.", "沿{axis}轴长{v}。"),
    (r"(stone|diamond|gem).*(count|number)|(count|number).*stone", "It carries {v} stones.", "共镶{v}颗宝石。"),
    (r"carat|(stone|diamond).*weight|_ct$", "Its stones weigh {v} in all.", "宝石总重{v}。"),
    (r"inner_diameter", "Its inner diameter is {v}.", "内径为{v}。"),
    (r"(^|_)(mass|weight|grams?)", "{In what}it weighs {v}.", "{In what}重{v}。"),
    (r"volume", "Its volume is {v}.", "体积为{v}。"),
    (r"area|surface_mm", "Its surface measures {v}.", "表面积为{v}。"),
    (r"wall|thickness", "The {what} is {v}.", "{what}为{v}。"),
    (r"bbox|bounding|dimension|size_mm|extent", "It measures {v} overall.", "整体尺寸为{v}。"),
    (r"width|height|depth|length|diameter", "The {what} is {v}.", "{what}为{v}。"),
    (r"watertight|closed|printable|castable", "{Closed}", "{Closed}"),
    (r"metal|alloy|material", "It is made in {v}.", "材质为{v}。"),
    (r"stone|gem|setting", "Its {what} is {v}.", "{what}：{v}。"),
    (r"finish|surface", "The finish is {v}.", "表面处理为{v}。"),
    (r"technique|process|method", "It is made by {v}.", "工艺为{v}。"),
    (r"inspiration|idea|motif|theme", "The idea behind it: {v}.", "设计灵感：{v}。"),
    (r"collection|series", "It belongs to the collection {v}.", "属于{v}系列。"),
    (r"year|designed", "The {what} is {v}.", "{what}：{v}。"),
)
_ZH = {
    "wall": "壁厚", "minimum wall": "最小壁厚", "min wall": "最小壁厚", "thickness": "厚度", "wall thickness": "壁厚",
    "width": "宽度", "height": "高度", "depth": "深度", "length": "长度", "diameter": "直径",
    "inner diameter": "内径", "outer diameter": "外径", "band width": "戒圈宽度", "stone": "宝石",
    "setting": "镶嵌方式",
    "18k yellow gold": "18K黄金", "18k white gold": "18K白金", "18k rose gold": "18K玫瑰金", "sterling silver": "925银",
    "sterling": "925银", "silver": "银", "platinum": "铂金", "gold": "黄金", "18k gold": "18K金",
    "950 platinum": "950铂金",
    "polished": "抛光", "satin": "缎面", "brushed": "拉丝", "hammered": "锤纹", "lost-wax casting": "失蜡铸造",
    "diamond": "钻石", "sapphire": "蓝宝石", "ruby": "红宝石", "emerald": "祖母绿", "pearl": "珍珠",
    "ring": "戒指", "pendant": "吊坠", "earrings": "耳环", "earring": "耳环", "bangle": "手镯", "bracelet": "手链",
    "necklace": "项链", "brooch": "胸针", "cuff": "手镯", "year": "年份",
}  # fmt: skip
#: Alloy codes as weights are named by them, with their names.
_ALLOYS = {
    "24k_yellow": ("24k yellow gold", "24K黄金"), "22k_yellow": ("22k yellow gold", "22K黄金"),
    "18k_yellow": ("18k yellow gold", "18K黄金"), "18k_white_pd": ("18k white gold", "18K白金"),
    "18k_white_ni": ("18k white gold", "18K白金"), "18k_rose": ("18k rose gold", "18K玫瑰金"),
    "14k_yellow": ("14k yellow gold", "14K黄金"), "14k_white_pd": ("14k white gold", "14K白金"),
    "14k_white_ni": ("14k white gold", "14K白金"), "14k_rose": ("14k rose gold", "14K玫瑰金"),
    "10k_yellow": ("10k yellow gold", "10K黄金"), "9k_yellow": ("9k yellow gold", "9K黄金"),
    "sterling": ("sterling silver", "925银"), "platinum_950_ru": ("platinum 950", "950铂金"),
    "platinum_950_co": ("platinum 950", "950铂金"), "palladium_950": ("palladium 950", "950钯金"),
}  # fmt: skip
#: What a file's technical facts are good for in a story: nothing.
_UNTOLD = frozenset({"unit", "triangles", "shells", "solids", "cavities", "open_edges"})
#: Of many weights and ring sizes a story tells these, unless a fact of the designer's names the metal.
_TOLD_ALLOYS = ("18k_yellow", "sterling", "platinum_950_ru")
_TOLD_SIZES = ("us", "eu")
#: What interests a reader first; everything unnamed follows.
_ORDER = (
    "inspiration",
    "metal",
    "ring_size",
    "weight",
    "band_width",
    "inner_diameter",
    "stone",
    "min_wall",
    "size",
    "volume",
)
_LABELS = {
    "stone_count": ("stones", "宝石"), "stone_carat": ("stones", "宝石"), "watertight": ("one solid", "封闭实体"),
    "size_x": ("size", "尺寸"), "size_y": ("size", "尺寸"), "size_z": ("size", "尺寸"),
    "ring_size_us": ("US ring size", "美国指圈号"), "ring_size_eu": ("EU ring size", "欧洲指圈号"),
}  # fmt: skip
_UNITS_EN = {"mm2": "mm²", "mm3": "mm³", "cm3": "cm³"}
_UNITS_ZH = {
    "g": "克",
    "mm": "毫米",
    "ct": "克拉",
    "mm3": "立方毫米",
    "mm³": "立方毫米",
    "mm2": "平方毫米",
    "mm²": "平方毫米",
}


def sentence(fact: dict[str, Any], chinese: bool) -> str:
    """One true sentence, or an empty text for a fact that says nothing (no value, or false)."""
    name, shown = str(fact.get("name", "")), value_text(fact, chinese)
    if not name or not shown:
        return ""
    for pattern, english, zh in _SENTENCES:
        if re.search(pattern, name.lower()):
            return _fill(zh if chinese else english, pattern, name, shown, fact, chinese)
    label = label_of(name, chinese)
    return f"{label}：{shown}。" if chinese else f"{label[:1].upper()}{label[1:]}: {shown}."


def worth_telling(facts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The facts a story is made of: a few weights and sizes instead of all, nothing about triangles, no zeros."""
    metals = " ".join(str(f.get("value")) for f in facts if re.search("metal|alloy", str(f.get("name"))))
    named = {code for code, names in _ALLOYS.items() if code in metals or names[0].lower() in metals.lower()}
    told = named or set(_TOLD_ALLOYS)
    kept = []
    for fact in facts:
        name = str(fact.get("name", ""))
        alloy, size = name.removeprefix("weight_"), name.removeprefix("ring_size_")
        if name in _UNTOLD or fact.get("value") in (0, "0"):
            continue
        if alloy != name and alloy in _ALLOYS and alloy not in told:
            continue
        if size != name and len(size) <= 3 and size not in _TOLD_SIZES:
            continue
        kept.append(fact)
    return sorted(kept, key=_rank)


def _rank(fact: dict[str, Any]) -> int:
    name = str(fact.get("name", ""))
    return next((n for n, start in enumerate(_ORDER) if name.startswith(start)), len(_ORDER))


def value_text(fact: dict[str, Any], chinese: bool) -> str:
    """The value as people write it, with its unit."""
    value, unit = fact.get("value"), str(fact.get("unit") or "").strip()
    if value is None or value == "" or value is False:
        return ""
    if value is True:
        return "是" if chinese else "yes"
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        numbers = all(isinstance(v, int | float) for v in value)
        text = " × ".join(map(_plain, value)) if numbers else _join([_word(str(v), chinese) for v in value], chinese)
    else:
        text = _word(_plain(value), chinese)
    if not unit:
        return text
    return f"{text}{_UNITS_ZH.get(unit, unit)}" if chinese else f"{text} {_UNITS_EN.get(unit, unit)}"


def label_of(name: str, chinese: bool) -> str:
    """`min_wall_mm` as `minimum wall`, or its Chinese."""
    words = re.sub(r"_(mm3?|mm2|g|ct|count)$", "", name.lower())
    words = re.sub(r"[_.:/-]+", " ", words).strip()
    words = re.sub(r"\bmin\b", "minimum", re.sub(r"\bmax\b", "largest", words))
    if name in _LABELS:
        return _LABELS[name][chinese]
    known = _ALLOYS.get(name.lower().removeprefix("weight_"))
    if known:
        return f"{known[1]}重量" if chinese else f"weight in {known[0]}"
    words = re.sub(r"^(mass|weight) (?:in )?(?=\S)", "weight in ", words)
    return _word(words, chinese)


def _fill(template: str, pattern: str, name: str, shown: str, fact: dict[str, Any], chinese: bool) -> str:
    what = label_of(name, chinese)
    parts: dict[str, Callable[[], str]] = {
        "{v}": lambda: shown,
        "{what}": lambda: what,
        "{In what}": lambda: _in(name, chinese),
        "{Closed}": lambda: _closed(name, fact, chinese),
        "{axis}": lambda: name[-1],
        "{system}": lambda: _system(name, chinese),
    }
    for mark, made in parts.items():
        if mark in template:
            template = template.replace(mark, made())
    return template[:1].upper() + template[1:]


def _system(name: str, chinese: bool) -> str:
    """`US ` for `ring_size_us`; nothing when the name has no system."""
    tail = name.lower().rpartition("_")[2]
    if tail == "size" or len(tail) > 3:
        return ""
    return {"us": "美国", "eu": "欧洲"}.get(tail, tail.upper()) if chinese else f"{tail.upper()} "


def _in(name: str, chinese: bool) -> str:
    """The metal that a weight's name speaks of: `weight_18k_yellow_gold` gives `In 18k yellow gold `."""
    known = _ALLOYS.get(name.lower().removeprefix("weight_"))
    if known:
        return f"以{known[1]}制作" if chinese else f"In {known[0]} "
    words = re.sub(r"(^|[_.:])(mass|weight|grams?|g|estimated|in)(?=$|[_.:])", " ", name.lower())
    words = " ".join(re.sub(r"[_.:/-]+", " ", words).split())
    if not words:
        return ""
    return f"以{_word(words, True)}制作" if chinese else f"In {words} "


def _closed(name: str, fact: dict[str, Any], chinese: bool) -> str:
    if fact.get("value") is not True:
        label = label_of(name, chinese)
        return f"{label}：{value_text(fact, chinese)}。" if chinese else f"{label}: {value_text(fact, chinese)}."
    return "模型为封闭实体。" if chinese else "Its model is one closed solid."


def _word(text: str, chinese: bool) -> str:
    if not chinese:
        return text
    low = text.lower().replace("minimum ", "min ") if text.lower() not in _ZH else text.lower()
    return _ZH.get(text.lower(), _ZH.get(low, text))


def _plain(value: Any) -> str:
    return str(value).removesuffix(".0") if isinstance(value, float) else str(value)


def _join(words: list[str], chinese: bool) -> str:
    if chinese or len(words) < 2:
        return "、".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
