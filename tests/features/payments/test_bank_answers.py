"""The bank's reports: read without trust, matched by reference, taken over once, and what does not fit is named."""

import io
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from marketplace.db.locks import lock
from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel import clock
from marketplace.kernel.errors import Invalid
from marketplace.payments import ledger
from marketplace.payments.claims import Dispute
from marketplace.payments.models import Transfer
from marketplace.payments.rails import answers, operations, queries, reports
from marketplace.payments.rails.models import BankAnswer, BankFile, BankItem
from marketplace.payments.rails.reports import Answer
from marketplace.services import Services
from tests.features.payments.test_bank_files import HK, SYSTEM, banked, due, items, made, payee, share_of
from tests.kit.people import PASSWORD, Make, Person

__all__ = ["banked", "payee"]
XML = '<?xml version="1.0" encoding="UTF-8"?>'
Jobs = Callable[..., dict[str, str]]


def pain002(*payments: tuple[str, str, str], group: str = "", message: str = "m", why: str = "AC01") -> bytes:
    """A status report of (reference, status, reason) for each payment."""
    told = "".join(
        f"<TxInfAndSts><OrgnlEndToEndId>{name}</OrgnlEndToEndId><TxSts>{status}</TxSts>"
        + (f"<StsRsnInf><Rsn><Cd>{reason}</Cd></Rsn></StsRsnInf>" if reason else "")
        + "</TxInfAndSts>"
        for name, status, reason in payments
    )
    whole = f"<GrpSts>{group}</GrpSts><StsRsnInf><Rsn><Cd>{why}</Cd></Rsn></StsRsnInf>" if group else ""
    return (
        f'{XML}<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt>'
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>{message}</OrgnlMsgId>{whole}</OrgnlGrpInfAndSts>"
        f"<OrgnlPmtInfAndSts>{told}</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>"
    ).encode()


def camt(*entries: tuple[str, str, str, str], kind: str = "camt.054", currency: str = "USD") -> bytes:
    """An account report of (reference, amount, DBIT or CRDT, reason of a return)."""
    head = {"camt.054": ("BkToCstmrDbtCdtNtfctn", "Ntfctn"), "camt.053": ("BkToCstmrStmt", "Stmt")}[kind]
    told = "".join(
        f'<Ntry><Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><NtryDtls>'
        f"<TxDtls><Refs><EndToEndId>{name}</EndToEndId></Refs>"
        + (f"<RtrInf><Rsn><Cd>{reason}</Cd></Rsn></RtrInf>" if reason else "")
        + "</TxDtls></NtryDtls></Ntry>"
        for name, amount, side, reason in entries
    )
    space = f"urn:iso:std:iso:20022:tech:xsd:{kind}.001.08"
    return f'{XML}<Document xmlns="{space}"><{head[0]}><{head[1]}>{told}</{head[1]}></{head[0]}></Document>'.encode()


def at_bank(services: Services, operator: Person, run_jobs: Jobs) -> BankFile:
    file = made(services, operator, run_jobs)
    assert operator.browser.post(f"/desk/bank-files/{file.id}/take").status_code == 200
    return file


def send(operator: Person, data: bytes) -> Any:
    return operator.browser.post("/desk/bank-files/answers", {"file": (io.BytesIO(data), "report.xml")})


def results(services: Services) -> list[str]:
    """Results of the latest report, line by line."""
    with Session(services.engine) as session:
        row = session.scalars(select(BankAnswer).order_by(BankAnswer.created_at.desc())).first()
        return [line["result"] for line in row.lines] if row else []


def carried(item: BankItem) -> str:
    """The reference as the bank carries it."""
    return item.id.replace("_", "-")


def test_a_report_confirms_and_fails_each_payment_once(
    services: Services, banked: Person, make: Make, run_jobs: Jobs, session: Session
) -> None:
    """PAY-22: one carried out, one refused, one on its way, one of nobody; the same file again changes nothing."""
    shares = [due(services, banked, amount, f"ord_{amount}") for amount in (1_000, 2_000, 3_000)]
    operator = make.person("operator")
    file = at_bank(services, operator, run_jobs)
    one, two, three = items(services, file)
    report = pain002(
        (carried(one), "ACSC", ""),
        (carried(two), "RJCT", "AC04"),
        (carried(three), "ACSP", ""),
        ("bit-none", "ACSC", ""),
    )
    answer = send(operator, report)
    assert answer.status_code == 303
    assert results(services) == ["done", "done", "pending", "unknown"]
    run_jobs()
    assert [share_of(services, share).state for share in shares] == ["sent", "due", "sending"]
    assert [item.state for item in items(services, file)] == ["executed", "returned", "included"]
    assert items(services, file)[1].reason == "AC04"
    page = operator.browser.get(answer.headers["Location"]).text
    assert "bit-none" in page
    assert "Not one of our payments" in page
    assert "$20.00" in page
    again = send(operator, report)
    assert again.headers["Location"].split("?")[0] == answer.headers["Location"].split("?")[0]
    run_jobs()
    with Session(services.engine) as fresh:
        assert len(fresh.scalars(select(BankAnswer)).all()) == 1
        assert ledger.problems(fresh) == []
    # The last comes by the statement of the account, which also repeats what is known.
    send(operator, camt((carried(one), "10.00", "DBIT", ""), (carried(three), "30.00", "DBIT", ""), kind="camt.053"))
    assert results(services) == ["known", "done"]
    run_jobs()
    assert share_of(services, shares[2]).state == "sent"
    with Session(services.engine) as fresh:
        assert fresh.get_one(BankFile, file.id).state == "closed"


def test_money_that_came_back_is_owed_again(services: Services, banked: Person, make: Make, run_jobs: Jobs) -> None:
    due(services, banked, 5_000)
    operator = make.person("operator")
    file = at_bank(services, operator, run_jobs)
    name = carried(items(services, file)[0])
    send(operator, camt((name, "50.00", "DBIT", "")))
    run_jobs()
    send(operator, camt((name, "50.00", "CRDT", "RC01"), ("a customer", "999.00", "CRDT", "")))
    assert results(services) == ["done"]
    run_jobs()
    assert (items(services, file)[0].state, items(services, file)[0].reason) == ("returned", "RC01")
    send(operator, pain002((name, "ACSC", "")))
    assert results(services) == ["contrary"]
    with unit_of_work(services.engine, SYSTEM) as session:
        assert ledger.problems(session) == []
        held = {b.account: b.amount for b in ledger.balances(session)}[ledger.held(banked.org.id)]
    assert held == -5_000


def test_what_does_not_fit_is_named_and_nothing_is_changed(
    services: Services, banked: Person, make: Make, run_jobs: Jobs
) -> None:
    due(services, banked, 5_000)
    operator = make.person("operator")
    file = made(services, operator, run_jobs)
    name = carried(items(services, file)[0])
    send(operator, pain002((name, "ACSC", "")))
    assert results(services) == ["not_at_bank"]
    operator.browser.post(f"/desk/bank-files/{file.id}/take")
    for amount, currency in (("50.01", "USD"), ("50.00", "EUR"), ("5000", "USD")):
        send(operator, camt((name, amount, "DBIT", ""), currency=currency))
        assert results(services) == ["amount"]
    assert items(services, file)[0].state == "included"
    # The bank refuses the whole file.
    send(operator, pain002(group="RJCT", message=carried_file(file)))
    assert results(services) == ["done"]
    assert items(services, file)[0].state == "returned"


def carried_file(file: BankFile) -> str:
    return file.id.replace("_", "-")


@pytest.mark.parametrize("why", ["AM05", "DU01"])
def test_a_second_copy_that_the_bank_refuses_makes_nothing_due_again(
    services: Services, banked: Person, make: Make, run_jobs: Jobs, why: str
) -> None:
    """PAY-22: the bank has the file and carries it out once, so nothing may be in the next file."""
    shares = [due(services, banked, amount, f"ord_{amount}") for amount in (1_000, 2_000)]
    operator = make.person("operator")
    file = at_bank(services, operator, run_jobs)
    one, two = items(services, file)
    send(operator, pain002((carried(one), "ACSC", "")))
    # The payments of the second copy give no reason of their own, or only by their message's.
    copy = pain002(
        (carried(one), "RJCT", ""), (carried(two), "RJCT", ""), group="RJCT", message=carried_file(file), why=why
    )
    send(operator, copy)
    assert results(services) == ["contrary"] * 4
    # What was carried out is not refused any more, whatever the reason; only the account tells that it came back.
    send(operator, pain002((carried(one), "RJCT", "AC04")))
    assert results(services) == ["contrary"]
    run_jobs()
    assert [item.state for item in items(services, file)] == ["executed", "included"]
    assert [share_of(services, share).state for share in shares] == ["sent", "sending"]
    with Session(services.engine) as session:
        assert queries.sums_waiting(session) == []
    send(operator, pain002(group="RJCT", message=carried_file(file)))
    assert sorted(results(services)) == ["contrary", "done"]


def test_files_are_locked_before_their_payments(services: Services, banked: Person, make: Make, run_jobs: Jobs) -> None:
    """Two orders would let a report, a person's word and the job that settles end each other."""
    due(services, banked, 5_000)
    operator = make.person("operator")
    file = at_bank(services, operator, run_jobs)
    item = items(services, file)[0]

    def settle() -> None:
        with unit_of_work(services.engine, SYSTEM) as work:
            operations.settle_item(work, SYSTEM, item.id)

    def take() -> None:
        with unit_of_work(services.engine, operator.actor) as work:
            answers.take(work, operator.actor, pain002((carried(item), "ACSC", "")))

    threads = [threading.Thread(target=settle), threading.Thread(target=take)]
    with unit_of_work(services.engine, SYSTEM) as work:
        lock(work, BankFile, file.id)
        for thread in threads:
            thread.start()
        _until_waiting(services, len(threads))
        # Both stand behind the file; neither holds the payment.
        work.execute(select(BankItem).where(BankItem.id == item.id).with_for_update(nowait=True))
    for thread in threads:
        thread.join()
    assert items(services, file)[0].state == "executed"


def _until_waiting(services: Services, count: int) -> None:
    """Until so many transactions wait for a lock."""
    query = text(
        "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    )
    for _ in range(500):
        with Session(services.engine) as session:
            if session.scalar(query) == count:
                return
        time.sleep(0.01)
    raise AssertionError("nobody waits")


@pytest.mark.parametrize("status", ["warning_closed", "prevented"])
def test_an_inquiry_that_is_over_stops_no_bank_file(services: Services, banked: Person, status: str) -> None:
    share = share_of(services, due(services, banked, 5_000))
    with unit_of_work(services.engine, SYSTEM) as session:
        session.add(_inquiry(share, status))
    with unit_of_work(services.engine, SYSTEM) as session:
        assert queries.sums_waiting(session) == []
        session.scalars(select(Dispute)).one().closed_at = clock.now()
        session.flush()
        assert [(count, money.amount) for count, money in queries.sums_waiting(session)] == [(1, 5_000)]


def _inquiry(share: Transfer, status: str) -> Dispute:
    """A dispute of the share's payment that moved no money."""
    return Dispute(
        stripe_dispute_id="du_1",
        checkout_id=share.checkout_id,
        purpose=share.purpose,
        subject_id=share.subject_id,
        description=share.description,
        payer_org_id=share.payer_org_id,
        orgs=[share.org_id],
        amount=share.amount,
        currency=share.currency,
        reason="general",
        status=status,
        opened_at=clock.now(),
    )


BOMB = '<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
HOSTILE = {
    "no XML": b"PK\x03\x04 not XML",
    "not complete": pain002(("x", "ACSC", ""))[:-20],
    "another message": b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"/>',
    "no namespace": b"<Document/>",
    "entities": pain002(("&b;", "ACSC", "")).replace(XML.encode(), (XML + BOMB).encode()),
    "outside entity": b'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><Document>&x;</Document>',
    "outside type": b'<!DOCTYPE d SYSTEM "http://127.0.0.1/x.dtd"><Document/>',
    "sixteen bits": ('<?xml version="1.0" encoding="UTF-16"?>' + BOMB + "<d>&b;</d>").encode("utf-16"),
    "unknown encoding": b'<?xml version="1.0" encoding="x-none"?><Document/>',
    "deep": b"<a>" * 1_000 + b"</a>" * 1_000,
    "many": b"<d>" + b"<a/>" * 200_001 + b"</d>",
    "large": b" " * (reports.MOST_BYTES + 1),
    "empty": b"",
    "amount": camt(("x", "1e3", "DBIT", "")),
    "negative": camt(("x", "-1.00", "DBIT", "")),
    "decimals": camt(("x", "1.005", "DBIT", "")),
    "currency": camt(("x", "1.00", "DBIT", ""), currency="US$"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_that_is_no_report_is_refused(name: str) -> None:
    """PAY-25 for amounts; no document type, no entity, no size without bound."""
    with pytest.raises(Invalid) as refused:
        reports.read(HOSTILE[name])
    assert refused.value.code == "bad_report"


def test_the_operator_is_told_why_a_file_is_refused(services: Services, make: Make) -> None:
    operator = make.person("operator", locale="zh_Hans")
    answer = send(operator, HOSTILE["entities"])
    assert answer.status_code == 422
    assert "该文件声明了文档类型" in answer.text
    assert operator.browser.post("/desk/bank-files/answers", {}).status_code == 422
    assert results(services) == []
    assert send(make.person("designer"), pain002(("x", "ACSC", ""))).status_code == 403


def test_reports_are_read_as_banks_write_them() -> None:
    kind, found = reports.read(camt(("bit-1", "12.50", "CRDT", "AC04"), ("bit-2", "7.00", "DBIT", "")))
    assert kind == "camt.054"
    assert found == [
        Answer("bit-1", "return", "AC04", 1_250, "USD"),
        Answer("bit-2", "execute", None, 700, "USD"),
    ]
    booked = camt(("bit-2", "7.00", "DBIT", "")).replace(b"<Cd>BOOK</Cd>", b"<Cd>PDNG</Cd>")
    assert reports.read(booked)[1][0].outcome is None
    yen = reports.read(camt(("bit-2", "700", "DBIT", ""), currency="JPY"))[1][0]
    assert (yen.amount, yen.currency) == (700, "JPY")


@pytest.mark.parametrize(("side", "outcome"), [("CRDT", "return"), ("DBIT", "execute")])
@pytest.mark.parametrize("yes", ["true", "1"])
def test_only_a_credit_brings_a_payment_back(side: str, outcome: str, yes: str) -> None:
    """A reversed debit takes back what somebody paid us."""
    mark = f"</CdtDbtInd><RvslInd>{yes}</RvslInd>".encode()
    report = camt(("bit-1", "12.50", side, "")).replace(b"</CdtDbtInd>", mark)
    assert reports.read(report)[1] == [Answer("bit-1", outcome, None, 1_250, "USD")]  # type: ignore[arg-type]


def test_a_payee_reads_and_changes_its_bank_account_over_the_api(payee: Person) -> None:
    empty = dict.fromkeys(("holder", "bic", "last4", "usable_at"))
    assert payee.api.get("/payouts/bank").json == {"rail": "bank", "country": "HK", "number_is": "plain", **empty}
    answer = payee.api.request("PUT", "/payouts/bank", {**HK, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    assert (answer.json["last4"], answer.json["bic"]) == ("6789", "HSBCHKHHHKH")
    assert "004123456" not in payee.api.get("/payouts/bank").text
    wrong = payee.api.request("PUT", "/payouts/bank", {**HK, "bic": "HSBC", "password": PASSWORD})
    assert wrong.status_code == 422
    refused = payee.api.request("PUT", "/payouts/bank", {**HK, "number": "004-123-456780", "password": "not mine"})
    assert "bad_password" in refused.text
