"""Words that law or trade restricts in descriptions of jewelry, and what must stand behind them.

Sources: 16 CFR 23 (FTC Guides for the Jewelry Industry): gold 23.3, vermeil 23.4, sterling 23.5, handmade 23.2, diamonds 23.12 ff.;
RJC Code of Practices, provenance claims (COP 12).
"""

# ruff: noqa: E501 - tables of words

import re
from dataclasses import dataclass
from typing import Literal

from ai_pipeline.errors import N_


@dataclass(frozen=True)
class Rule:
    """`pattern` is allowed where `beside` matches within `reach` characters before it, or where a fact's words match `backed_by`."""

    pattern: re.Pattern[str]
    severity: Literal["block", "review"]
    reason: str
    backed_by: re.Pattern[str] | None = None
    beside: re.Pattern[str] | None = None
    reach: int = 32

    def allowed_near(self, text: str, match: re.Match[str]) -> bool:
        """True when the words before the match qualify it."""
        return bool(self.beside and self.beside.search(text[max(0, match.start() - self.reach) : match.end()]))


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_FINENESS = _words(r"(\b\d{1,2} ?-?(k|kt|karats?|carats?|ct)\b|\b(375|417|585|750|916|999)\b|\d{1,2} ?K)[^.;。]{0,24}$")
_PLATED = _words(r"(plat(ed|ing)|plaqué|placcat|镀|鍍)")

RESTRICTED: tuple[Rule, ...] = (
    Rule(
        _words(r"\bsolid gold\b|\b(?<!-)gold\b(?! ?-?(plated|plating|tone|colou?red|smith))|(?<![Kk镀鍍])黄金|(?<![Kk镀鍍])黃金"),
        "review",
        N_("gold stands alone only for 24 karat; put the karat directly before it."),
        beside=_FINENESS,
    ),
    Rule(
        _words(r"\bgold[- ](plated|plating|tone)\b|镀金|鍍金"),
        "block",
        N_("plating is a claim of its own and needs a fact that says so."),
        backed_by=_PLATED,
    ),
    Rule(
        _words(r"\bvermeil\b"),
        "block",
        N_("vermeil is sterling silver under at least 2.5 micrometers of 10 karat gold; a fact must say so."),
        backed_by=_words("vermeil"),
    ),
    Rule(
        _words(r"\b(sterling|silver|argento|argent)\b(?! ?-?(tone|colou?red))|纯银|純銀|925银|925銀"),
        "review",
        N_("silver means at least 925 parts in a thousand; a fact must name the metal."),
        backed_by=_words(r"sterling|925|silver"),
    ),
    Rule(
        _words(r"\b(hand-?made|hand-?crafted|hand-?wrought|hand-?forged|fait main|fatto a mano)\b|(纯)?手工(打造|制作|製作)?"),
        "block",
        N_("a piece cast from CAD is not handmade."),
    ),
    Rule(
        _words(r"\bdiamonds?\b|\bdiamants?\b|\bdiamant[ei]\b|钻石|鑽石|(?<![仿锆])钻(?!头)"),
        "block",
        N_("a stone is a diamond only if a fact says so, and laboratory-grown must be said just as clearly."),
        backed_by=_words(r"\bdiamonds?\b|钻石|鑽石"),
    ),
    Rule(
        _words(r"\b(sapphires?|rub(y|ies)|emeralds?|pearls?|topaz|opals?|spinels?)\b|蓝宝石|红宝石|祖母绿|珍珠"),
        "block",
        N_("a stone has a species only if a fact says so."),
        backed_by=_words(r"sapphire|rub(y|ies)|emerald|pearl|topaz|opal|spinel|蓝宝石|红宝石|祖母绿|珍珠"),
    ),
    Rule(
        _words(r"\b(natural|untreated|unheated|flawless|genuine|real|precious)\b(?= (stones?|gems?|diamonds?|pearls?|sapph\w+|rub\w+|emer\w+))|天然"),
        "block",
        N_("natural, untreated and flawless are claims that need a fact or a certificate."),
        backed_by=_words(r"natural|untreated|unheated|flawless|天然"),
    ),
    Rule(
        _words(
            r"\b(conflict[- ]free|recycled|fair[- ]?mined|fair[- ]?trade|ethical(ly)?|sustainabl[ey]|eco-friendly|responsibly"
            r"|carbon[- ]neutral)\b|无冲突|再生|可持续|环保"
        ),
        "block",
        N_("this is a claim of provenance and needs a documented system behind it."),
        backed_by=_words(r"conflict|recycled|fair|ethical|sustainab|certificate|无冲突|再生|可持续"),
    ),
    Rule(
        _words(r"\b(certified|GIA|IGI|hallmarked|nickel[- ]free|hypoallergenic)\b|证书|無鎳|无镍"),
        "block",
        N_("certificates, hallmarks and tests are claimed only when a fact names them."),
        backed_by=_words(r"certif|\bGIA\b|\bIGI\b|hallmark|nickel|证书"),
    ),
    Rule(
        _words(r"\b(invest(ment)?|guaranteed?|the (finest|best|most beautiful)|unique in the world|one of a kind)\b|投资|最好|独一无二"),
        "review",
        N_("a promise or a superlative that nobody can show."),
    ),
)  # fmt: skip
