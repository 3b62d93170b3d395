"""The file for the bank: ISO 20022 customer credit transfer initiation, pain.001.001.09.

Order and lengths are those of the schema; the amounts are written with the currency's own number of decimals.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from marketplace.kernel.money import Money, exponent
from marketplace.payments.rails.account_numbers import Account, latin

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
_UNPRINTABLE = re.compile(r"[^A-Za-z0-9/\-?:().,'+ ]")


@dataclass(frozen=True, slots=True)
class Credit:
    """One payment: `reference` comes back on the payee's statement and on the bank's report."""

    reference: str
    amount: Money
    to: Account
    text: str


def write(message_id: str, made_at: datetime, execute_on: date, debtor: Account, credits: Sequence[Credit]) -> bytes:
    """The file as UTF-8 bytes. Raises ValueError without payments or with more than one currency."""
    if len({c.amount.currency for c in credits}) != 1:
        raise ValueError("a file has payments of one currency")
    root = ET.Element("Document", {"xmlns": NAMESPACE})
    body = ET.SubElement(root, "CstmrCdtTrfInitn")
    head = ET.SubElement(body, "GrpHdr")
    _texts(head, MsgId=_id(message_id), CreDtTm=made_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    _sums(head, credits)
    _texts(ET.SubElement(head, "InitgPty"), Nm=debtor.holder[:140])
    part = ET.SubElement(body, "PmtInf")
    _texts(part, PmtInfId=_id(message_id), PmtMtd="TRF", BtchBookg="false")
    _sums(part, credits)
    _texts(ET.SubElement(part, "ReqdExctnDt"), Dt=execute_on.isoformat())
    _party(part, "Dbtr", debtor)
    _account(part, "DbtrAcct", debtor)
    _agent(part, "DbtrAgt", debtor)
    # Each side bears its own bank's charges: the payee is told the amount that leaves us.
    _texts(part, ChrgBr="SHAR")
    for credit in credits:
        _credit(part, credit)
    ET.indent(root)
    made: bytes = ET.tostring(root, encoding="UTF-8", xml_declaration=True)
    return made + b"\n"


def decimal(money: Money) -> str:
    """An amount as the schema writes it: a point, and as many decimals as the currency has."""
    return f"{Decimal(money.amount).scaleb(-exponent(money.currency)):f}"


def printable(text: str, most: int) -> str:
    """`text` in the characters that banks carry, a dot for each other one."""
    return _UNPRINTABLE.sub(".", latin(text))[:most].strip()


def _credit(part: ET.Element, credit: Credit) -> None:
    item = ET.SubElement(part, "CdtTrfTxInf")
    _texts(ET.SubElement(item, "PmtId"), InstrId=_id(credit.reference), EndToEndId=_id(credit.reference))
    amount = ET.SubElement(ET.SubElement(item, "Amt"), "InstdAmt", {"Ccy": credit.amount.currency})
    amount.text = decimal(credit.amount)
    _agent(item, "CdtrAgt", credit.to)
    _party(item, "Cdtr", credit.to)
    _account(item, "CdtrAcct", credit.to)
    _texts(ET.SubElement(item, "RmtInf"), Ustrd=printable(credit.text, 140) or _id(credit.reference))


def _sums(parent: ET.Element, credits: Sequence[Credit]) -> None:
    currency = credits[0].amount.currency
    total = Money(sum(c.amount.amount for c in credits), currency)
    _texts(parent, NbOfTxs=str(len(credits)), CtrlSum=decimal(total))


def _party(parent: ET.Element, name: str, account: Account) -> None:
    party = ET.SubElement(parent, name)
    _texts(party, Nm=account.holder[:140])
    _texts(ET.SubElement(party, "PstlAdr"), Ctry=account.country)


def _account(parent: ET.Element, name: str, account: Account) -> None:
    number = ET.SubElement(ET.SubElement(parent, name), "Id")
    if account.iban:
        _texts(number, IBAN=account.iban)
    else:
        _texts(ET.SubElement(number, "Othr"), Id=account.number)


def _agent(parent: ET.Element, name: str, account: Account) -> None:
    _texts(ET.SubElement(ET.SubElement(parent, name), "FinInstnId"), BICFI=account.bic)


def _texts(parent: ET.Element, **texts: str) -> None:
    for name, text in texts.items():
        ET.SubElement(parent, name).text = text


def _id(text: str) -> str:
    """An identifier of at most 35 characters of the banks' set; ours have an underscore, which is not in it."""
    return text.replace("_", "-")[:35]
