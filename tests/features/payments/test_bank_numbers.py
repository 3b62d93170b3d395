"""Account numbers, the reach of each rail, and the schema of the bank file; pure."""

import xml.etree.ElementTree as ET
from datetime import date
from decimal import Decimal

import pytest

from marketplace.kernel import clock
from marketplace.kernel.errors import Invalid
from marketplace.kernel.money import Money
from marketplace.payments.rails.account_numbers import Account, checked, has_iban, latin
from marketplace.payments.rails.pain import NAMESPACE, Credit, decimal, printable, write
from marketplace.payments.rails.reach import bank_reaches, connect_reaches

HK = {"holder": "Linh Arbor", "number": "004-123-456789", "bic": "HSBCHKHHHKH"}
OURS = Account("Touchstone", "GB", "BUKBGB22", "GB33BUKB20201555555555", "")


@pytest.mark.parametrize(
    ("country", "given", "wrong"),
    [
        ("HK", {**HK, "bic": "HSBCGB2L"}, {"bic"}),
        ("HK", {**HK, "bic": "nonsense!"}, {"bic"}),
        ("HK", {**HK, "number": "12"}, {"number"}),
        ("HK", {**HK, "number": "１２３４５６"}, {"number"}),
        ("HK", {**HK, "holder": "陳靈"}, {"holder"}),
        ("TR", {"holder": "A", "number": OURS.iban, "bic": "AKBKTRIS"}, {"number"}),
        ("TR", {"holder": "A", "number": "TR330006100519786457841327", "bic": "AKBKTRIS"}, {"number"}),
        ("TR", {"holder": "", "number": "", "bic": ""}, {"holder", "number", "bic"}),
    ],
)
def test_what_is_no_account_is_refused_by_field(country: str, given: dict[str, str], wrong: set[str]) -> None:
    with pytest.raises(Invalid) as refused:
        checked(country, **given)
    assert set(refused.value.fields) == wrong


def test_accounts_are_read_as_people_write_them() -> None:
    found = checked("TR", holder="  Şükrü Çağlar ", number="tr33 0006 1005 1978 6457 8413 26", bic="akbktris")
    assert found == Account("Sukru Caglar", "TR", "AKBKTRIS", "TR330006100519786457841326", "")
    assert found.last4 == "1326"
    assert [has_iban(c) for c in ("TR", "AE", "HK", "CN", "IN", "TH")] == [True, True, False, False, False, False]
    assert latin("Jørgen Straße & Łukasz O’Neil") == "Joergen Strasse + Lukasz O'Neil"
    assert printable("六枚 <b>rings</b>; Zoë", 20) == ".. .b.rings./b.. Zoe"[:20]


def test_reach_is_what_the_source_says() -> None:
    assert connect_reaches("GB", "US")
    assert connect_reaches("US", "IS")
    assert connect_reaches("HK", "HK")
    assert not connect_reaches("GB", "CN")
    assert not connect_reaches("HK", "US")
    assert [bank_reaches(c) for c in ("CN", "IN", "HK", "IR", "KP", "ZZ")] == [True, True, True, False, False, False]


_ORDER = {
    "GrpHdr": ["MsgId", "CreDtTm", "NbOfTxs", "CtrlSum", "InitgPty"],
    "PmtInf": ["PmtInfId", "PmtMtd", "BtchBookg", "NbOfTxs", "CtrlSum", "ReqdExctnDt", "Dbtr", "DbtrAcct", "DbtrAgt",
               "ChrgBr"],
    "CdtTrfTxInf": ["PmtId", "Amt", "CdtrAgt", "Cdtr", "CdtrAcct", "RmtInf"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("currency", "amounts"), [("USD", [1, 12_345, 99_999_999]), ("JPY", [1, 500]), ("KWD", [1, 1234])]
)
def test_the_file_keeps_to_the_schema(currency: str, amounts: list[int]) -> None:
    """Order, counts, control sums, lengths, character set, decimals: what pain.001.001.09 says, by hand."""
    to = checked("HK", **HK)
    credits = [Credit(f"bit_{n:025d}", Money(a, currency), to, "Ringe 戒指 " * 30) for n, a in enumerate(amounts)]
    data = write("bft_" + "0" * 25, clock.now(), date(2026, 11, 23), OURS, credits)
    root = ET.fromstring(data)  # noqa: S314 (made above)
    assert root.tag == f"{{{NAMESPACE}}}Document"
    body = root[0]
    for name, order in _ORDER.items():
        for element in body.iter(f"{{{NAMESPACE}}}{name}"):
            tags = [child.tag.removeprefix(f"{{{NAMESPACE}}}") for child in element]
            assert [t for t in tags if t != "CdtTrfTxInf"] == order
            assert tags == sorted(tags, key=[*order, "CdtTrfTxInf"].index)
    found = [e.text or "" for e in body.iter(f"{{{NAMESPACE}}}InstdAmt")]
    total = sum(Decimal(a) for a in found)
    assert {e.text for e in body.iter(f"{{{NAMESPACE}}}NbOfTxs")} == {str(len(amounts))}
    assert {Decimal(e.text or "") for e in body.iter(f"{{{NAMESPACE}}}CtrlSum")} == {total}
    assert {len(a.partition(".")[2]) for a in found} == {{"USD": 2, "JPY": 0, "KWD": 3}[currency]}
    for name, most in (("MsgId", 35), ("EndToEndId", 35), ("Nm", 140), ("Ustrd", 140)):
        assert all(0 < len(e.text or "") <= most for e in body.iter(f"{{{NAMESPACE}}}{name}"))
    allowed = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/-?:().,'+ \n")
    assert {c for e in body.iter() for c in (e.text or "")} <= allowed
    assert decimal(Money(amounts[0], currency)) == found[0]
    with pytest.raises(ValueError, match="one currency"):
        write("x", clock.now(), date(2026, 11, 23), OURS, [*credits, Credit("y", Money(1, "EUR"), to, "")])
