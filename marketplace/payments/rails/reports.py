"""The bank's answers: ISO 20022 status reports (pain.002) and account reports (camt.053, camt.054), read without trust.

The reader takes no document type, so there is nothing to expand or fetch, and bounds size, depth and elements; it
needs a payment's own reference, and passes over everything else that a bank may write.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Literal
from xml.parsers import expat

from marketplace.kernel.errors import Invalid
from marketplace.kernel.money import exponent
from marketplace.payments.rails.rules import DUPLICATE_REASONS

#: Bytes, elements and depth of a report that is read; a day of 500 payments has some 400 kB.
MOST_BYTES = 5 << 20
_MOST_ELEMENTS = 200_000
_DEEPEST = 40
_NAMESPACE = re.compile(r"urn:iso:std:iso:20022:tech:xsd:(pain\.002|camt\.053|camt\.054)\.001\.\d{2}")
_AMOUNT = re.compile(r"\d{1,14}(?:\.\d{1,5})?")
#: Status of a payment in pain.002 (ExternalPaymentTransactionStatus1Code) that ends it; the rest is on the way still.
_ENDS: dict[str, Literal["execute", "return"]] = {
    "ACSC": "execute",
    "ACCC": "execute",
    "RJCT": "return",
    "CANC": "return",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the bank says of one payment. `whole` is set when it speaks of all payments of the file `reference`.

    `amount` is in minor units, None where the report names none. `outcome` None: it is on the way still.
    """

    reference: str
    outcome: Literal["execute", "return"] | None
    reason: str | None
    amount: int | None
    currency: str | None
    whole: bool = False


def read(data: bytes) -> tuple[str, list[Answer]]:
    """(pain.002, camt.053 or camt.054; the answers in the report's order). Raises Invalid `bad_report`."""
    if len(data) > MOST_BYTES:
        raise Invalid("bad_report", "The file is too large for a bank's report.")
    root, namespace = _parsed(data)
    found = _NAMESPACE.fullmatch(namespace)
    if found is None or root.tag != "Document":
        raise Invalid("bad_report", "This is no status or account report (pain.002, camt.053, camt.054).")
    kind = found.group(1)
    return kind, list(_statuses(root) if kind == "pain.002" else _entries(root))


def _parsed(data: bytes) -> tuple[ET.Element, str]:
    builder, namespace = ET.TreeBuilder(), ""
    seen = depth = 0
    parser = expat.ParserCreate(namespace_separator=" ")

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal seen, depth, namespace
        seen, depth = seen + 1, depth + 1
        if seen > _MOST_ELEMENTS or depth > _DEEPEST:
            raise Invalid("bad_report", "The file is too large for a bank's report.")
        space, _gap, local = name.rpartition(" ")
        namespace = namespace or space
        builder.start(local, attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(name.rpartition(" ")[2])

    def refuse(*_: object) -> None:
        raise Invalid("bad_report", "The file declares a document type, which no bank's report does.")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = builder.data, refuse
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise Invalid("bad_report", "The file is not XML, or it is not complete.") from error
    return builder.close(), namespace


def _statuses(root: ET.Element) -> Iterator[Answer]:
    """Answers of a pain.002: of the whole file, of its one block of payments, of each payment."""
    for report in root.iter("CstmrPmtStsRpt"):
        group = report.find("OrgnlGrpInfAndSts")
        of_all = _reason(group, None) if group is not None else None
        if group is not None and _text(group, "GrpSts") in _ENDS:
            yield _status(group, _text(group, "OrgnlMsgId"), "GrpSts", of_all, whole=True)
        for block in report.iter("OrgnlPmtInfAndSts"):
            of_block = _reason(block, of_all)
            if _text(block, "PmtInfSts") in _ENDS:
                yield _status(block, _text(block, "OrgnlPmtInfId"), "PmtInfSts", of_block, whole=True)
            for item in block.iter("TxInfAndSts"):
                reference = _text(item, "OrgnlEndToEndId") or _text(item, "OrgnlInstrId")
                yield _status(item, reference, "TxSts", _reason(item, of_block))


def _reason(found: ET.Element, above: str | None) -> str | None:
    """The reason given here, else the one given `above`; a duplicate's before every other, since it changes nothing."""
    told = [_text(item, "Cd") or _text(item, "Prtry") for item in found.findall("StsRsnInf/Rsn")]
    return next((code for code in told if code in DUPLICATE_REASONS), next(filter(None, told), above))


def _status(found: ET.Element, reference: str, name: str, reason: str | None, *, whole: bool = False) -> Answer:
    amount = found.find("OrgnlTxRef/Amt/InstdAmt")
    outcome = _ENDS.get(_text(found, name))
    return Answer(reference, outcome, reason if outcome == "return" else None, *_money(amount), whole=whole)


def _entries(root: ET.Element) -> Iterator[Answer]:
    """Answers of a camt.053 or camt.054: booked debits carry a payment out, credits that return one take it back."""
    for entry in root.iter("Ntry"):
        booked = (_text(entry, "Sts/Cd") or _text(entry, "Sts")) == "BOOK"
        reversed_ = _text(entry, "RvslInd") in {"true", "1"}
        details = entry.findall("NtryDtls/TxDtls") or [entry]
        for item in details:
            credit = (_text(item, "CdtDbtInd") or _text(entry, "CdtDbtInd")) == "CRDT"
            # A reversed debit takes back what somebody has paid us; only a credit brings a payment of ours back.
            back = credit and (item.find("RtrInf") is not None or reversed_)
            if credit and not back:
                continue  # somebody has paid us
            amount = item.find("Amt") if item.find("Amt") is not None else item.find("AmtDtls/TxAmt/Amt")
            if amount is None and len(details) == 1:
                amount = entry.find("Amt")
            reason = (_text(item, "RtrInf/Rsn/Cd") or None) if back else None
            outcome: Literal["execute", "return"] = "return" if back else "execute"
            reference = _text(item, "Refs/EndToEndId") or _text(item, "Refs/InstrId")
            yield Answer(reference, outcome if booked else None, reason, *_money(amount))


def _text(parent: ET.Element, path: str) -> str:
    return " ".join((parent.findtext(path) or "").split())[:80]


def _money(found: ET.Element | None) -> tuple[int | None, str | None]:
    """Minor units and currency of an amount element; (None, None) without one. Raises Invalid for what is none."""
    if found is None:
        return None, None
    text, currency = (found.text or "").strip(), found.get("Ccy", "")
    try:
        if not _AMOUNT.fullmatch(text) or not re.fullmatch(r"[A-Z]{3}", currency):
            raise InvalidOperation
        minor = Decimal(text).scaleb(exponent(currency))
        if minor != minor.to_integral_value():
            raise InvalidOperation
    except (InvalidOperation, Invalid) as error:
        raise Invalid("bad_report", "An amount in the file is none.") from error
    return int(minor), currency
