"""Terms of the trade that a translation must not vary: English, Simplified and Traditional Chinese."""

_TERMS = (
    ("karat", "K金成色", "K金成色"),
    ("carat", "克拉", "克拉"),
    ("pavé", "密镶", "密鑲"),
    ("prong setting", "爪镶", "爪鑲"),
    ("bezel setting", "包镶", "包鑲"),
    ("channel setting", "槽镶", "槽鑲"),
    ("shank", "戒臂", "戒臂"),
    ("wall thickness", "壁厚", "壁厚"),
    ("lost-wax casting", "失蜡铸造", "失蠟鑄造"),
    ("sprue", "浇口", "澆口"),
    ("plating", "电镀", "電鍍"),
    ("rhodium", "铑", "銠"),
    ("hallmark", "印记", "印記"),
    ("sterling silver", "925银", "925銀"),
    ("exclusive license", "独家授权", "獨家授權"),
    ("sole license", "排他授权", "排他授權"),
    ("non-exclusive license", "非独家授权", "非獨家授權"),
    ("royalty", "版税", "權利金"),
    ("sell-off period", "清货期", "清貨期"),
    ("minimum guarantee", "最低保证金", "最低保證金"),
)
_COLUMN = {"en": 0, "zh_Hans": 1, "zh_Hant": 2}


def pairs(source: str, target: str) -> list[tuple[str, str]]:
    """(source term, target term) for two of the languages; empty for others."""
    if source not in _COLUMN or target not in _COLUMN:
        return []
    return [(term[_COLUMN[source]], term[_COLUMN[target]]) for term in _TERMS]
