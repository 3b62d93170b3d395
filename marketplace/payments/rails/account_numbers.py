"""Bank accounts by their own check digits: IBAN, BIC, and the numbers of countries without IBAN. No bank is asked."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from stdnum import bic as bics
from stdnum import iban as ibans
from stdnum import numdb
from stdnum.exceptions import ValidationError as BadNumber

from marketplace.kernel.errors import Invalid

#: What banks print and carry: the Latin character set of the SWIFT networks, without the characters that end a field.
_PRINTABLE = re.compile(r"[A-Za-z0-9/\-?:().,'+ ]{1,70}")
_PLAIN_NUMBER = re.compile(r"[A-Z0-9]{4,34}")


@dataclass(frozen=True, slots=True)
class Account:
    """An account as a bank file names it; `iban` is empty in countries without."""

    holder: str
    country: str
    bic: str
    iban: str
    number: str

    @property
    def last4(self) -> str:
        """All that is shown of it."""
        return (self.iban or self.number)[-4:]


def has_iban(country: str) -> bool:
    """Whether accounts of this country are named by IBAN."""
    registry: Any = numdb.get("iban")
    return bool(registry.info(country)[0][1])


def checked(country: str, *, holder: str, number: str, bic: str) -> Account:
    """The account in its compact form. Raises Invalid with a reason for each field that is wrong.

    The account must be in the payee's own country: money to a third country is what thieves ask for.
    """
    errors: dict[str, str] = {}
    found = {"holder": "", "number": "", "bic": ""}
    iban = has_iban(country)
    for field, read, typed in (
        ("holder", _holder, holder),
        ("number", _iban if iban else _plain, number),
        ("bic", _bic, bic),
    ):
        try:
            found[field] = read(typed, country)
        except ValueError as error:
            errors[field] = str(error)
    if errors:
        raise Invalid("bad_account", "This bank account cannot be used as it is written.", fields=errors)
    number = found["number"]
    return Account(found["holder"], country, found["bic"], number if iban else "", "" if iban else number)


def latin(text: str) -> str:
    """`text` with accents taken off and letters that banks do not carry written in two, as passports do."""
    for letter, pair in _PAIRS.items():
        text = text.replace(letter, pair)
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join(plain.replace("’", "'").replace("–", "-").replace("&", "+").split())


#: Letters that lose their sense without their mark; ICAO Doc 9303 part 3, section 6.
_PAIRS = {"ß": "ss", "æ": "ae", "Æ": "AE", "ø": "oe", "Ø": "OE", "œ": "oe", "Œ": "OE", "þ": "th", "Þ": "TH", "ð": "d",
          "Ð": "D", "ł": "l", "Ł": "L", "ı": "i", "đ": "d", "Đ": "D"}  # fmt: skip


def _holder(typed: str, country: str) -> str:
    name = latin(typed)
    if not _PRINTABLE.fullmatch(name):
        raise ValueError("Write the name in Latin letters, as your bank does.")
    return name


def _bic(typed: str, country: str) -> str:
    try:
        code = str(bics.validate(typed))
    except BadNumber as error:
        raise ValueError("A BIC has 8 or 11 letters and digits; your bank tells it.") from error
    if code[4:6] != country:
        raise ValueError("This bank is in another country than your business.")
    return code


def _iban(typed: str, country: str) -> str:
    try:
        number = str(ibans.validate(typed))
    except BadNumber as error:
        raise ValueError("This is not a valid IBAN; check each character.") from error
    if number[:2] != country:
        raise ValueError("This account is in another country than your business.")
    return number


def _plain(typed: str, country: str) -> str:
    number = re.sub(r"[\s\-.]", "", typed).upper()
    if not _PLAIN_NUMBER.fullmatch(number) or not number.isascii():
        raise ValueError("An account number has 4 to 34 letters and digits.")
    return number
