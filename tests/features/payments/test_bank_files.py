"""Payees that the payment service does not reach: their bank account, the file, what the bank says of it."""

import json
import threading
import xml.etree.ElementTree as ET
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace.accounts.models import LoginSession, Organization
from marketplace.config import Settings
from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel import clock
from marketplace.kernel.actor import system
from marketplace.kernel.errors import Conflict, Forbidden
from marketplace.payments import ledger, payees
from marketplace.payments import operations as payments
from marketplace.payments.models import Checkout, PaymentAccount, Transfer
from marketplace.payments.rails import operations, queries, routing, vault
from marketplace.payments.rails.account_numbers import Account
from marketplace.payments.rails.models import BankFile, BankItem, PayeeBank
from marketplace.payments.rails.pain import NAMESPACE
from marketplace.payments.rails.rules import COOLING, FILE, ITEM
from marketplace.services import Services
from tests.kit.people import PASSWORD, Make, Person
from tests.states.table import assert_table

SYSTEM = system("test")
HK = {"holder": "Linh Arbor", "number": "004-123-456789", "bic": "HSBCHKHHHKH"}
OURS = Account("Touchstone", "GB", "BUKBGB22", "GB33BUKB20201555555555", "")


@pytest.fixture
def payee(make: Make, services: Services) -> Person:
    """A designer in Hong Kong."""
    person = make.person("designer", name="Linh")
    with unit_of_work(services.engine, SYSTEM) as session:
        session.get_one(Organization, person.org.id).country = "HK"
    return person


@pytest.fixture
def banked(payee: Person) -> Person:
    """The same, with a bank account."""
    answer = payee.browser.post("/payouts/bank", HK)
    assert answer.status_code == 303, answer.text
    return payee


def due(services: Services, person: Person, amount: int, subject: str = "ord_1", currency: str = "USD") -> str:
    """A share that is to be sent, with its payment booked."""
    with unit_of_work(services.engine, SYSTEM) as session:
        share: dict[str, Any] = {"org_id": person.org.id, "kind": "royalty", "gross": amount, "fee": 0, "net": amount}
        checkout = Checkout(
            purpose="order",
            subject_id=subject,
            payer_org_id="org_payer",
            amount=amount,
            currency=currency,
            description="Six rings",
            splits=[share],
            state="paid",
            success_path="/",
            cancel_path="/",
            fee_bps=0,
            fee_since=date(2026, 1, 1),
        )
        session.add(checkout)
        session.flush()
        lines = [ledger.Line(ledger.STRIPE, amount), ledger.Line(ledger.held(person.org.id), -amount, person.org.id)]
        ledger.post(
            session,
            key=f"paid:{checkout.id}",
            kind="payment",
            subject_id=subject,
            memo="",
            currency=currency,
            lines=lines,
        )
        row = Transfer(
            org_id=person.org.id,
            checkout_id=checkout.id,
            payer_org_id="org_payer",
            milestone="whole",
            purpose="order",
            subject_id=subject,
            description="Sechs Ringe für Zoë — 六枚戒指",
            kind="royalty",
            gross=amount,
            fee=0,
            amount=amount,
            currency=currency,
            fee_bps=0,
            fee_since=date(2026, 1, 1),
            state="due",
        )
        session.add(row)
        session.flush()
        return row.id


def made(services: Services, operator: Person, run_jobs: Any, currency: str = "USD") -> BankFile:
    """A file of what waits."""
    answer = operator.browser.post("/desk/bank-files", {"currency": currency})
    assert answer.status_code == 303, answer.text
    run_jobs()
    with unit_of_work(services.engine, SYSTEM) as session:
        return session.scalars(select(BankFile).order_by(BankFile.created_at.desc())).first()  # type: ignore[return-value]


def items(services: Services, file: BankFile) -> list[BankItem]:
    with unit_of_work(services.engine, SYSTEM) as session:
        return list(session.scalars(select(BankItem).where(BankItem.file_id == file.id).order_by(BankItem.amount)))


def share_of(services: Services, share_id: str) -> Transfer:
    with unit_of_work(services.engine, SYSTEM) as session:
        return session.get_one(Transfer, share_id)


def sums(session: Session) -> dict[str, int]:
    return {b.account: b.amount for b in ledger.balances(session)}


def test_a_share_goes_by_file_and_is_booked_when_the_bank_has_carried_it_out(
    services: Services, banked: Person, make: Make, run_jobs: Any, session: Session
) -> None:
    share = due(services, banked, 12_345)
    operator = make.person("operator")
    assert "USD" in operator.browser.get("/desk/bank-files").text
    file = made(services, operator, run_jobs)
    assert (file.state, file.count, file.total) == ("made", 1, 12_345)
    assert share_of(services, share).state == "sending"
    answer = operator.browser.post(f"/desk/bank-files/{file.id}/take")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith("attachment")
    root = ET.fromstring(answer.data)  # noqa: S314 (our own file)
    names = {"p": NAMESPACE}
    assert root.findtext(".//p:CdtrAcct/p:Id/p:Othr/p:Id", None, names) == "004123456789"
    assert root.findtext(".//p:CdtrAgt/p:FinInstnId/p:BICFI", None, names) == "HSBCHKHHHKH"
    assert root.findtext(".//p:InstdAmt", None, names) == "123.45"
    again = operator.browser.post(f"/desk/bank-files/{file.id}/take")
    assert again.status_code == 409
    [item] = items(services, file)
    assert ledger.held(banked.org.id) in sums(session)
    answer = operator.browser.post(f"/desk/bank-files/{file.id}/mark", {"items": item.id, "outcome": "execute"})
    assert answer.status_code == 303
    run_jobs()
    run_jobs()
    session.rollback()
    found = sums(session)
    assert (found[ledger.held(banked.org.id)], found[ledger.BANK], found[ledger.STRIPE]) == (0, -12_345, 12_345)
    assert share_of(services, share).state == "sent"
    assert items(services, file)[0].state == "executed"
    assert session.get_one(BankFile, file.id).state == "closed"
    assert ledger.problems(session) == []


def test_a_returned_payment_is_owed_again_and_leaves_with_the_next_file(
    services: Services, banked: Person, make: Make, run_jobs: Any, session: Session, mails: Any
) -> None:
    """PAY-22 for banks: carried out, days later returned, paid by another file."""
    share, operator = due(services, banked, 5_000), make.person("operator")
    ways = (("execute", "AC04"), ("return", "AC04"), ("execute", ""))
    for turn, (outcome, reason) in enumerate(ways):
        if turn != 1:
            file = made(services, operator, run_jobs)
            operator.browser.post(f"/desk/bank-files/{file.id}/take")
        [item] = items(services, file)
        mark = {"items": item.id, "outcome": outcome, "reason": reason}
        operator.browser.post(f"/desk/bank-files/{file.id}/mark", mark)
        run_jobs()
        session.rollback()
        assert sums(session)[ledger.held(banked.org.id)] == (-5_000 if outcome == "return" else 0)
        assert ledger.problems(session) == []
    assert sums(session)[ledger.BANK] == -5_000
    first = share_of(services, share)
    assert (first.state, first.amount) == ("sent", 0)
    again = session.scalars(select(Transfer).where(Transfer.id != share)).one()
    assert (again.state, again.amount, again.stripe_transfer_id) == ("sent", 5_000, item.id)
    assert [m for m in mails(banked.user.email) if "bank sent a payment back" in m["subject"].lower()]


def test_a_payment_returned_before_it_was_carried_out_waits_again(
    services: Services, banked: Person, make: Make, run_jobs: Any
) -> None:
    share, operator = due(services, banked, 5_000), make.person("operator")
    file = made(services, operator, run_jobs)
    operator.browser.post(f"/desk/bank-files/{file.id}/take")
    [item] = items(services, file)
    operator.browser.post(f"/desk/bank-files/{file.id}/mark", {"items": item.id, "outcome": "return", "reason": "AC01"})
    run_jobs()
    row = share_of(services, share)
    assert (row.state, row.reason) == ("due", "bank_returned")
    assert made(services, operator, run_jobs).count == 1


def test_a_file_that_is_given_up_frees_its_shares(
    services: Services, banked: Person, make: Make, run_jobs: Any
) -> None:
    share, operator = due(services, banked, 5_000), make.person("operator")
    file = made(services, operator, run_jobs)
    assert operator.browser.post(f"/desk/bank-files/{file.id}/cancel").status_code == 303
    run_jobs()
    assert share_of(services, share).state == "due"
    assert operator.browser.post(f"/desk/bank-files/{file.id}/take").status_code == 409
    second = made(services, operator, run_jobs)
    assert (second.count, second.id != file.id) == (1, True)


def test_one_share_is_never_in_two_files_and_never_sent_both_ways(
    services: Services, banked: Person, make: Make, session: Session
) -> None:
    """PAY-17 for files: eight files at once, and the payment service's own job among them."""
    ids = [due(services, banked, 1_000 + n, f"ord_{n}") for n in range(3)]
    with unit_of_work(services.engine, SYSTEM) as work:
        files = [BankFile(currency="USD", made_by="usr_1", execute_on=date(2026, 12, 1)) for _ in range(8)]
        work.add_all(files)
    barrier = threading.Barrier(8)
    begun: list[Any] = []

    def fill(n: int) -> None:
        barrier.wait()
        with unit_of_work(services.engine, SYSTEM) as work:
            operations.fill_file(work, SYSTEM, files[n].id, services.settings)
        with unit_of_work(services.engine, SYSTEM) as work:
            begun.append(payments.begin_transfer(work, SYSTEM, ids[n % 3]))

    threads = [threading.Thread(target=fill, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert begun == [None] * 8
    assert session.scalar(text("select count(*) from bank_items")) == 3
    assert sorted(session.scalars(select(BankFile.state))) == ["canceled"] * 7 + ["made"]
    held = session.scalars(select(BankItem)).first()
    fields = ("file_id", "transfer_id", "bank_id", "org_id", "amount", "currency")
    second = BankItem(**{name: getattr(held, name) for name in fields})
    with pytest.raises(IntegrityError), unit_of_work(services.engine, SYSTEM) as work:
        work.add(second)


def test_above_the_limit_a_second_operator_must_approve(
    services: Services, banked: Person, make: Make, run_jobs: Any
) -> None:
    """PAY-18: four eyes."""
    due(services, banked, 1_000_000)
    first, second = make.person("operator"), make.person("operator")
    file = made(services, first, run_jobs)
    assert first.browser.post(f"/desk/bank-files/{file.id}/take").status_code == 409
    assert first.browser.post(f"/desk/bank-files/{file.id}/approve").status_code == 403
    assert second.browser.post(f"/desk/bank-files/{file.id}/approve").status_code == 303
    assert first.browser.post(f"/desk/bank-files/{file.id}/take").status_code == 200


def test_a_changed_account_rests_for_three_days_and_everybody_is_told(
    services: Services, banked: Person, make: Make, run_jobs: Any, mails: Any, session: Session
) -> None:
    """PAY-18: step-up, cooling, notice."""
    colleague = make.person("designer", org=banked.org)
    with unit_of_work(services.engine, SYSTEM) as work:
        work.execute(update(LoginSession).values(proved_at=clock.now() - timedelta(hours=1)))
    other = {**HK, "number": "004-999-888777"}
    asked = banked.browser.post("/payouts/bank", other)
    assert asked.status_code == 403
    assert "004-999-888777" in asked.text
    assert banked.browser.post("/payouts/bank", {**other, "password": "wrong"}).status_code == 422
    assert banked.browser.post("/payouts/bank", {**other, "password": PASSWORD}).status_code == 303
    run_jobs()
    for person in (banked, colleague):
        assert [m for m in mails(person.user.email) if "bank account was changed" in m["subject"].lower()]
    due(services, banked, 700)
    assert queries.waiting(session) == []
    way = routing.way(session, banked.org.id)
    assert way is not None
    assert (way.ready, way.waits) == (False, "bank_cooling")
    with clock.frozen(clock.now() + COOLING + timedelta(seconds=1)):
        assert len(queries.waiting(session)) == 1


def test_the_number_is_sealed_and_only_its_end_is_shown(services: Services, banked: Person, session: Session) -> None:
    row = session.scalars(select(PayeeBank)).one()
    assert b"123456789" not in row.sealed
    page = banked.browser.get("/payouts/bank").text
    assert "6789" in page
    assert "004123456789" not in page
    opened = json.loads(vault.unseal(services.settings.secret_key, banked.org.id, row.sealed))
    assert opened["number"] == "004123456789"
    for key, owner, data in (
        ("x" * 40, banked.org.id, row.sealed),
        (services.settings.secret_key, "org_other", row.sealed),
        (services.settings.secret_key, banked.org.id, row.sealed[:-1] + bytes([row.sealed[-1] ^ 1])),
        (services.settings.secret_key, banked.org.id, b""),
    ):
        with pytest.raises(vault.Unreadable):
            vault.unseal(key, owner, data)


def test_an_account_where_the_payment_service_pays_is_not_taken(make: Make) -> None:
    british = make.person("designer")
    answer = british.browser.post("/payouts/bank", {**HK, "bic": "BUKBGB22", "number": OURS.iban})
    assert answer.status_code == 409
    assert "Set up payouts" in british.browser.get("/payouts").text


def test_the_payment_service_comes_first_when_both_are_ready(services: Services, banked: Person) -> None:
    with unit_of_work(services.engine, SYSTEM) as work:
        account = payees.account_for(work, SYSTEM, banked.org.id)
        account.stripe_account_id, account.transfers_active, account.payouts_enabled = "acct_1", True, True
    due(services, banked, 700)
    with unit_of_work(services.engine, SYSTEM) as work:
        way = routing.way(work, banked.org.id)
        assert way is not None
        assert way.rail == "stripe"
        assert queries.waiting(work) == []
        work.get_one(PaymentAccount, banked.org.id).payouts_enabled = False
    with unit_of_work(services.engine, SYSTEM) as work:
        assert len(queries.waiting(work)) == 1


def test_pages_name_the_rail_and_why(banked: Person, payee: Person) -> None:
    page = banked.browser.get("/payouts").text
    assert "You are paid by bank transfer" in page
    assert "does not pay from here to Hong Kong" in page


def test_who_may_do_what_with_a_file(services: Services, banked: Person, make: Make, run_jobs: Any) -> None:
    """A file is made of something, approved by another, taken by somebody who has typed the password."""
    operator = make.person("operator")
    assert operator.browser.post("/desk/bank-files", {"currency": "USD"}).status_code == 409
    due(services, banked, 100)
    file = made(services, operator, run_jobs)
    with unit_of_work(services.engine, SYSTEM) as work, pytest.raises(Conflict):
        operations.mark(work, operator.actor, file.id, [], "execute", None)
    with unit_of_work(services.engine, SYSTEM) as work, pytest.raises(Forbidden):
        operations.approve(work, operator.actor, file.id)
    with unit_of_work(services.engine, SYSTEM) as work:
        work.execute(update(LoginSession).values(proved_at=clock.now() - timedelta(hours=1)))
    assert operator.browser.post(f"/desk/bank-files/{file.id}/take").status_code == 403
    assert operator.browser.post(f"/desk/bank-files/{file.id}/take", {"password": PASSWORD}).status_code == 200


def test_without_our_own_account_no_file_is_made(services: Services, banked: Person) -> None:
    assert operations.debtor(services.settings) == OURS
    bare = Settings.from_env({**_env(services.settings), "BANK_ACCOUNT": ""})
    assert operations.debtor(bare) is None


def _env(settings: Settings) -> dict[str, str]:
    return {name.upper(): str(getattr(settings, name)) for name in Settings.__dataclass_fields__}


def test_states_of_files_and_payments() -> None:
    assert_table(
        FILE,
        {
            ("making", "make", "system"): "made",
            ("making", "cancel", "operator"): "canceled",
            ("making", "cancel", "system"): "canceled",
            ("made", "take", "operator"): "taken",
            ("made", "cancel", "operator"): "canceled",
            ("taken", "close", "system"): "closed",
        },
    )
    assert_table(
        ITEM,
        {
            ("included", "execute", "operator"): "executed",
            ("included", "return", "operator"): "returned",
            ("included", "cancel", "operator"): "canceled",
            ("executed", "return", "operator"): "returned",
        },
    )


def test_from_how_much_a_second_person_looks_at_a_file_depends_on_its_currency() -> None:
    for currency, below in (("USD", 999_999), ("JPY", 9_999), ("KWD", 9_999_999)):
        assert not operations.needs_approval(BankFile(currency=currency, total=below)), currency
        assert operations.needs_approval(BankFile(currency=currency, total=below + 1)), currency
