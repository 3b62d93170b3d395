"""Which countries each rail reaches, as data with a source."""

#: Countries between which Stripe Connect sends money to payees on its own. Source: docs.stripe.com/connect/
#: cross-border-payouts, section "Availability" (read 2026-11): platforms in the US, the UK, the EEA, Canada and
#: Switzerland reach accounts in any of these; elsewhere a platform reaches its own country only.
_EEA = "AT BE BG HR CY CZ DK EE FI FR DE GR HU IS IE IT LV LI LT LU MT NL NO PL PT RO SK SI ES SE"
CONNECT_REGION = frozenset({*_EEA.split(), "US", "GB", "CA", "CH"})

#: Countries that banks carry out no credit transfer to. Source: FATF, "High-Risk Jurisdictions subject to a Call for
#: Action" (the list of 2025-10: Korea DPR, Iran, Myanmar). A bank may refuse more; it then returns the money.
BANK_REFUSES = frozenset({"KP", "IR", "MM"})


def connect_reaches(platform: str, country: str) -> bool:
    """Whether the payment service pays from the platform's country to this one."""
    return platform == country or {platform, country} <= CONNECT_REGION


def bank_reaches(country: str) -> bool:
    """Whether a bank file may name a payee there."""
    return country not in BANK_REFUSES and country != "ZZ"
