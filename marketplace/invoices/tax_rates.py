"""Standard rates of VAT and GST by country, as dated data.

Sources, read on 2026-11-21: EU member states - European Commission, "VAT rules and rates", standard rates; United
Kingdom - gov.uk "VAT rates"; Switzerland - Swiss Federal Tax Administration; Norway - Skatteetaten; Australia - ATO;
New Zealand - IRD; Singapore - IRAS; India - CBIC (services); Japan - NTA; mainland China - STA (services). Countries
that levy no such tax at federal level, or none that a platform invoice shows, are absent: no rate, no tax.
"""

from datetime import date

#: Member states of the European Union (ISO 3166); Greece registers for VAT under EL.
EU = frozenset(
    (
        *("AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE"),
        *("IT", "LV", "LT", "LU", "MT", "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE"),
    )
)

_ALWAYS = date(2015, 1, 1)

#: country -> (valid from, rate in basis points), newest first.
STANDARD: dict[str, tuple[tuple[date, int], ...]] = {
    "AT": ((_ALWAYS, 2000),),
    "AU": ((_ALWAYS, 1000),),
    "BE": ((_ALWAYS, 2100),),
    "BG": ((_ALWAYS, 2000),),
    "CH": ((date(2024, 1, 1), 810), (_ALWAYS, 770)),
    "CN": ((_ALWAYS, 600),),
    "CY": ((_ALWAYS, 1900),),
    "CZ": ((_ALWAYS, 2100),),
    "DE": ((_ALWAYS, 1900),),
    "DK": ((_ALWAYS, 2500),),
    "EE": ((date(2025, 7, 1), 2400), (date(2024, 1, 1), 2200), (_ALWAYS, 2000)),
    "ES": ((_ALWAYS, 2100),),
    "FI": ((date(2024, 9, 1), 2550), (_ALWAYS, 2400)),
    "FR": ((_ALWAYS, 2000),),
    "GB": ((_ALWAYS, 2000),),
    "GR": ((_ALWAYS, 2400),),
    "HR": ((_ALWAYS, 2500),),
    "HU": ((_ALWAYS, 2700),),
    "IE": ((_ALWAYS, 2300),),
    "IN": ((_ALWAYS, 1800),),
    "IT": ((_ALWAYS, 2200),),
    "JP": ((_ALWAYS, 1000),),
    "LT": ((_ALWAYS, 2100),),
    "LU": ((date(2024, 1, 1), 1700), (date(2023, 1, 1), 1600), (_ALWAYS, 1700)),
    "LV": ((_ALWAYS, 2100),),
    "MT": ((_ALWAYS, 1800),),
    "NL": ((_ALWAYS, 2100),),
    "NO": ((_ALWAYS, 2500),),
    "NZ": ((_ALWAYS, 1500),),
    "PL": ((_ALWAYS, 2300),),
    "PT": ((_ALWAYS, 2300),),
    "RO": ((date(2025, 8, 1), 2100), (_ALWAYS, 1900)),
    "SE": ((_ALWAYS, 2500),),
    "SG": ((date(2024, 1, 1), 900), (date(2023, 1, 1), 800), (_ALWAYS, 700)),
    "SI": ((_ALWAYS, 2200),),
    "SK": ((date(2025, 1, 1), 2300), (_ALWAYS, 2000)),
}


def standard_rate(country: str, on: date) -> int:
    """The standard rate in basis points of a country on a day; 0 where no such tax is known here."""
    return next((rate for since, rate in STANDARD.get(country, ()) if since <= on), 0)
