"""Numbers with their units in running text, in the languages of the product, so that two texts can be compared.

"6,8 g", "6.8克" and "6.8 grams" are the same figure; "3萬5千元" is 35000 of some yuan or dollar. A unit is a set of
what it may mean, because "18 carati" is a fineness or a weight and "元" is one of several currencies: two units agree
when they share one.
"""

import re
import unicodedata
from dataclasses import dataclass

DECIMAL_COMMA = {"fr", "it", "de", "es", "pt", "nl", "ru"}
CARATS, YUAN = frozenset({"ct", "karat"}), frozenset({"CNY", "TWD", "HKD", "USD"})

# (pattern after the number, meanings); the first that matches wins, so longer ones stand first.
UNITS: list[tuple[str, frozenset[str]]] = [
    (r"mm2|mm²|square millimet(?:er|re)s?|平方毫米", frozenset({"mm2"})),
    (r"mm3|mm³|cubic millimet(?:er|re)s?|立方毫米", frozenset({"mm3"})),
    (r"mm|millim[eè]t(?:er|re)s?|millimetr[io]|millimeter|毫米|公釐|公厘", frozenset({"mm"})),
    (r"cm|centim[eè]t(?:er|re)s?|centimetr[io]|厘米|公分", frozenset({"cm"})),
    (r"克拉|卡拉", frozenset({"ct"})),
    (r"cts?|points?(?= diamond)", frozenset({"ct"})),
    (r"carats?|carati|carato|karaat|karat(?=en)|karats", CARATS),
    (r"kt|k|karat|开", frozenset({"karat"})),
    (r"kg|kilos?|千克|公斤", frozenset({"kg"})),
    (r"gr?|gram(?:me)?s?|gramm[io]?|公克|克", frozenset({"g"})),
    (r"%|percent|per cent|per cento|pour cent|prozent", frozenset({"%"})),
    (r"€|eur|euros?|欧元|歐元", frozenset({"EUR"})),
    (r"us\$|usd|美元|美金", frozenset({"USD"})),
    (r"hk\$|hkd|港元|港币|港幣", frozenset({"HKD"})),
    (r"nt\$|twd|新臺幣|新台币|台币", frozenset({"TWD"})),
    (r"rmb|cny|人民币|人民幣|yuan|renminbi|块|塊", frozenset({"CNY"})),
    (r"£|gbp|pounds?|英镑|英鎊", frozenset({"GBP"})),
    (r"chf|francs?", frozenset({"CHF"})),
    (r"\$|dollars?", frozenset({"USD", "HKD", "TWD"})),
    (r"¥|元|圓", YUAN),
]
# A unit in letters ends where its word ends; Chinese ones and signs need nothing after them.
ENDING = r"(?:(?<![A-Za-z])|(?<=[A-Za-z])(?![A-Za-z0-9]))"
AFTER = [(re.compile(rf"[ \u00a0\u202f]?(?:{pattern}){ENDING}", re.I), meaning) for pattern, meaning in UNITS]
PREFIX = [
    (re.compile(rf"(?:{pattern})[ \u00a0\u202f]?$", re.I), meaning)
    for pattern, meaning in UNITS
    if meaning & {"EUR", "USD", "HKD", "TWD", "CNY", "GBP", "CHF"}
]
# A number may not begin inside a code ("ON-0417", "v2") and its groups of three may be set apart by , . ' or a space.
NUMBER = re.compile(
    r"(?<![A-Za-z0-9_#])(?<![A-Za-z][-.])(?<!\d[.,])(\d{1,3}(?:[ \u00a0\u202f'’]\d{3})+(?!\d)|\d+(?:[.,]\d+)*)"
)
MYRIAD = re.compile(r"(\d+(?:\.\d+)?)[万萬](?:(\d)[千])?")
POINT_STONE = re.compile(r"(\d+)分(?=钻|鑽|的钻|的鑽)")
MONTHS = {
    name: number
    for names in (
        "january february march april may june july august september october november december",
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
        "januar februar märz april mai juni juli august september oktober november dezember",
    )
    for number, name in enumerate(names.split(), 1)
}
MONTH_NAMES = "|".join(sorted(MONTHS, key=len, reverse=True))
DATED = re.compile(rf"(\d{{1,2}})\.? (?:de |di |of )?({MONTH_NAMES})\b|\b({MONTH_NAMES}) (\d{{1,2}})\b", re.I)
TIMES = re.compile(r"\s*[x×*]\s*")


@dataclass(frozen=True)
class Figure:
    """A number as written: value, digits after the decimal sign, what its unit may mean (empty:
    none), and its words.
    """

    value: float
    decimals: int
    unit: frozenset[str]
    text: str


def figures(text: str, language: str | None = None) -> list[Figure]:
    """Every figure of a text, in order. `language` decides what a comma means; without it, the digits after it do."""
    plain = _plain(text)
    found: list[Figure] = []
    ends: list[int] = []
    for match in NUMBER.finditer(plain):
        unit, end = _unit_after(plain, match.end())
        if not unit and plain[end : end + 1].isascii() and plain[end : end + 1].isalpha():
            continue  # a code such as 3D
        before = _unit_before(plain, match.start())
        unit = (unit & before or before) if before else unit
        value, decimals = _value(match.group(1), language)
        found.append(Figure(value, decimals, unit, plain[match.start() : end].strip()))
        ends.append(match.end())
        starts = match.start()
        # "20 x 4 mm": the unit of the last goes for all.
        for earlier in range(len(found) - 2, -1, -1):
            if found[earlier].unit or not unit or not TIMES.fullmatch(plain, ends[earlier], starts):
                break
            found[earlier] = Figure(found[earlier].value, found[earlier].decimals, unit, found[earlier].text)
            starts = ends[earlier] - len(found[earlier].text)
    return found


def _plain(text: str) -> str:
    """Compatibility forms resolved, Chinese myriads and points multiplied out, months beside a day as numbers."""
    text = re.sub(r"(?<=[A-Za-z])½", "", text)
    text = re.sub(r"(?<=\d)½", ".5", text).replace("½", "0.5")
    text = unicodedata.normalize("NFKC", text)
    text = MYRIAD.sub(lambda m: f"{float(m.group(1)) * 10_000 + float(m.group(2) or 0) * 1000:.0f}", text)
    text = POINT_STONE.sub(lambda m: f"{int(m.group(1)) / 100:g}克拉", text)
    return DATED.sub(lambda m: f"{m.group(1) or m.group(4)} / {MONTHS[(m.group(2) or m.group(3)).lower()]} ", text)


def _unit_after(text: str, place: int) -> tuple[frozenset[str], int]:
    for pattern, meaning in AFTER:
        match = pattern.match(text, place)
        if match:
            return meaning, match.end()
    return frozenset(), place


def _unit_before(text: str, place: int) -> frozenset[str]:
    head = text[max(0, place - 12) : place]
    for pattern, meaning in PREFIX:
        match = pattern.search(head)
        if match and not (match.group()[0].isalpha() and head[: match.start()][-1:].isalpha() and head.isascii()):
            return meaning
    return frozenset()


def _value(digits: str, language: str | None) -> tuple[float, int]:
    digits = re.sub(r"[ \u00a0\u202f'’]", "", digits)
    signs = [sign for sign in digits if sign in ".,"]
    if not signs:
        return float(digits), 0
    last = signs[-1]
    tail = digits.rpartition(last)[2]
    if len(set(signs)) == 2:
        decimal = last
    elif len(signs) > 1:
        decimal = ""
    elif len(tail) == 3 and digits.partition(last)[0].lstrip("0"):
        comma = (language or "").partition("_")[0].partition("-")[0] in DECIMAL_COMMA
        decimal = last if (last == ",") == comma else ""
    else:
        decimal = last
    if not decimal:
        return float(re.sub(r"[.,]", "", digits)), 0
    whole, _, fraction = digits.rpartition(decimal)
    return float(f"{re.sub(r'[.,]', '', whole) or '0'}.{fraction}"), len(fraction)
