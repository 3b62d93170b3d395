"""Named groups of countries. Terms always hold the countries themselves: what a treaty's members are may change."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from marketplace.licensing.vocabulary import COUNTRIES, WORLD, country_names

_EU = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
_LATIN = (
    "AI AG AR AW BB BL BO BQ BR BS BV BZ CL CO CR CU CW DM DO EC FK GD GF GP GS GT GY HN HT JM KN KY LC MF MQ MS MX"
    " NI PA PE PR PY SR SV SX TC TT UY VC VE VG VI"
)

#: From this share of all countries on, terms are told as the world without the others.
_MOST = 0.6


@dataclass(frozen=True, slots=True)
class Region:
    """A group of countries: its name, its ISO 3166-1 codes, and who says that they belong to it."""

    name: Any
    members: frozenset[str]
    source: str


def _region(name: Any, members: str, source: str) -> Region:
    return Region(name, frozenset(members.split()), source)


#: Code -> region. The larger ones stand first; where two would do, terms are told by the first.
REGIONS: dict[str, Region] = {
    "LATIN_AMERICA": _region(_l("Latin America and the Caribbean"), _LATIN, "UN M49, group 419"),
    "EEA": _region(_l("European Economic Area"), f"{_EU} IS LI NO", "EEA Agreement, members since 2020-02-01"),
    "EU": _region(_l("European Union"), _EU, "Treaty on European Union, members since 2020-02-01"),
    "ASEAN": _region(_l("ASEAN"), "BN ID KH LA MM MY PH SG TH TL VN", "ASEAN, members since 2025-10-26"),
    "GCC": _region(_l("Gulf states (GCC)"), "AE BH KW OM QA SA", "Charter of the Gulf Cooperation Council, 1981"),
    "NORDICS": _region(_l("Nordic countries"), "AX DK FI FO GL IS NO SE", "Nordic Council, with its autonomous areas"),
    "GREATER_CHINA": _region(_l("Greater China"), "CN HK MO TW", "usual in the trade: CN, HK, MO, TW"),
    "NORTH_AMERICA": _region(_l("North America"), "CA MX US", "USMCA, parties since 2020-07-01"),
    "DACH": _region(_l("Germany, Austria, Switzerland"), "AT CH DE", "usual in the trade: AT, CH, DE"),
    "BENELUX": _region(_l("Benelux"), "BE LU NL", "Benelux Union, 2008 treaty"),
    "UK_IRELAND": _region(_l("UK and Ireland"), "GB IE", "usual in the trade: GB, IE"),
    "ANZ": _region(_l("Australia and New Zealand"), "AU NZ", "usual in the trade: AU, NZ"),
}


def expanded(codes: Iterable[str]) -> list[str]:
    """The codes with each region replaced by its countries; other codes stay as they are, known or not."""
    found: set[str] = set()
    for code in codes:
        region = REGIONS.get(_code_of(code))
        found |= region.members if region else {code}
    return sorted(found)


def split(territories: Iterable[str]) -> tuple[list[str], list[str]]:
    """(regions, countries) that together are exactly `territories`, with as few names as a greedy choice finds."""
    left = set(territories)
    regions = []
    for code, region in REGIONS.items():
        if region.members <= left:
            regions.append(code)
            left -= region.members
    return regions, sorted(left)


def territory_words(territories: Iterable[str], locale: str, *, full: bool = False) -> str:
    """Territories as one phrase: regions by name, most of the world as the world without the rest.

    `full` names the countries of each region too, as an agreement does. Call it inside an application context.
    """
    chosen = set(territories)
    if WORLD in chosen or chosen >= COUNTRIES:
        return _("The whole world")
    if len(chosen) > _MOST * len(COUNTRIES):
        return _("The whole world except %(places)s", places=territory_words(COUNTRIES - chosen, locale, full=full))
    names = country_names(locale)
    regions, countries = split(chosen)
    parts = [_region_words(code, names, full=full) for code in regions]
    return _(", ").join([*parts, *(names.get(code, code) for code in countries)])


def _region_words(code: str, names: dict[str, str], *, full: bool) -> str:
    region = REGIONS[code]
    count = len(region.members)
    inner = ngettext("%(num)s country", "%(num)s countries", count)
    if full:
        inner = _(", ").join(names.get(member, member) for member in sorted(region.members))
    return _("%(region)s (%(countries)s)", region=region.name, countries=inner)


@lru_cache(maxsize=1)
def _spellings() -> dict[str, str]:
    """Ways to write a region: its code, and its English name."""
    with_names = {"EUROPEAN_UNION": "EU", "EUROPEAN_ECONOMIC_AREA": "EEA", "GULF_STATES": "GCC", "NORDIC": "NORDICS"}
    return {code: code for code in REGIONS} | with_names


def _code_of(typed: str) -> str:
    return _spellings().get("_".join(typed.strip().upper().replace("-", " ").replace("_", " ").split()), "")
