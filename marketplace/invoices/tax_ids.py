"""Tax numbers by their own check digits. No register is asked."""

from typing import Any

from stdnum.exceptions import ValidationError as BadNumber
from stdnum.util import get_cc_module

from marketplace.kernel.errors import Invalid

#: Countries whose business tax number has another name at python-stdnum than "vat".
_KINDS = {"AU": "abn", "NZ": "ird", "SG": "uen", "IN": "gstin", "JP": "cn", "CN": "uscc", "NO": "mva", "CH": "vat"}

BAD_NUMBER = "This is not a tax number of your country; check each character, or leave it empty if you have none."


def checked(country: str, typed: str) -> str:
    """The number in its compact form. Raises Invalid when its form or check digit is wrong, or none is known here."""
    if not typed.strip():
        return ""
    module: Any = get_cc_module(country.lower(), _KINDS.get(country, "vat"))
    if module is None:
        raise Invalid(
            "tax_id_unknown",
            "We do not know tax numbers of your country; leave this empty.",
            fields={"tax_id": "We do not know tax numbers of your country; leave this empty."},
        )
    try:
        return str(module.validate(typed.strip()))
    except BadNumber as error:
        raise Invalid("bad_tax_id", BAD_NUMBER, fields={"tax_id": BAD_NUMBER}) from error


def shown(country: str, number: str) -> str:
    """The number as it is written on an invoice: in the EU and the UK with the country in front (Greece: EL)."""
    prefix = "EL" if country == "GR" else country
    module: Any = get_cc_module(country.lower(), _KINDS.get(country, "vat"))
    if not number or module is None or _KINDS.get(country):
        return number
    return number if number.startswith(prefix) else f"{prefix}{number}"
