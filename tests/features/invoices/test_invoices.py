"""Invoices: one for each payment and fee, gapless numbers, the right tax, corrections by credit note."""

import csv
import io
import threading
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from marketplace.db.unit_of_work import unit_of_work
from marketplace.invoices import document, operations, queries, tax_ids
from marketplace.invoices.models import Invoice, InvoiceSeries
from marketplace.invoices.operations import Credited
from marketplace.invoices.rules import Party, Tax, tax_in, tax_of
from marketplace.invoices.words import reference_of
from marketplace.kernel import clock
from marketplace.kernel.actor import system
from marketplace.kernel.errors import Invalid
from marketplace.payments.models import Checkout
from marketplace.services import Services
from tests.kit.people import Make, Person

SYSTEM = system("test")
DAY = date(2026, 11, 21)


def party(country: str, tax_id: str = "") -> Party:
    return Party("org_x", "Name", "Street", country, tax_id)


@pytest.fixture
def operator(make: Make) -> Person:
    return make.person("operator")


@pytest.fixture
def designer(make: Make) -> Person:
    return make.person("designer")


@pytest.fixture
def buyer(make: Make) -> Person:
    return make.person("buyer", locale="zh_Hans")


def paid(services: Services, buyer: Person, designer: Person, *, gross: int = 10_001, n: int = 1) -> list[str]:
    """Checkouts as they stand after a payment was booked."""
    made = []
    with unit_of_work(services.engine, SYSTEM) as session:
        for count in range(n):
            row = Checkout(
                purpose="license",
                subject_id=f"lic_{count}_{gross}",
                payer_org_id=buyer.org.id,
                amount=gross,
                currency="USD",
                description="=License for Onda",
                splits=[
                    {"org_id": designer.org.id, "kind": "license_fee", "gross": gross, "fee": 1000, "net": gross - 1000}
                ],
                state="paid",
                fee_bps=1000,
                fee_since=clock.now().date(),
                success_path="/",
                cancel_path="/",
                paid_at=clock.now(),
            )
            session.add(row)
            session.flush()
            made.append(row.id)
    return made


def issue(services: Services, checkout_id: str) -> None:
    with unit_of_work(services.engine, SYSTEM) as session:
        operations.issue_for_checkout(session, SYSTEM, checkout_id)


def credit(services: Services, checkout_id: str, cause: str, parts: Sequence[Credited]) -> None:
    with unit_of_work(services.engine, SYSTEM) as session:
        operations.credit(session, SYSTEM, checkout_id, cause=cause, parts=parts)


def rows(session: Session) -> list[Invoice]:
    return list(session.scalars(select(Invoice).order_by(Invoice.issuer_org_id, Invoice.created_at, Invoice.number)))


def test_payment_is_invoiced_to_the_buyer_and_our_fee_to_the_payee_once(
    services: Services, operator: Person, buyer: Person, designer: Person, session: Session
) -> None:
    [checkout] = paid(services, buyer, designer)
    issue(services, checkout)
    issue(services, checkout)
    found = {row.charge: row for row in rows(session)}
    assert set(found) == {"license_fee", "platform_fee"}
    fee, platform = found["license_fee"], found["platform_fee"]
    assert (fee.issuer_org_id, fee.recipient_org_id, fee.gross) == (designer.org.id, buyer.org.id, 10_001)
    assert (platform.issuer_org_id, platform.recipient_org_id, platform.gross) == (
        operator.org.id,
        designer.org.id,
        1000,
    )
    assert queries.problems(session) == []


def test_pdf_is_made_in_the_recipients_language_and_only_the_parties_get_it(
    services: Services, operator: Person, buyer: Person, designer: Person, make: Make, run_jobs: Callable[[], None]
) -> None:
    [checkout] = paid(services, buyer, designer)
    issue(services, checkout)
    run_jobs()
    [item] = buyer.api.get("/invoices").json["items"]
    page = buyer.browser.get(f"/invoices/{item['id']}").get_data(as_text=True)
    assert item["number"] in page
    answer = buyer.browser.get(f"/invoices/{item['id']}/document")
    assert answer.status_code == 303
    key = answer.headers["Location"].partition("?")[0].rpartition("/invoices/")[2]
    assert services.storage.read(f"invoices/{key}", 10_000_000)[:5] == b"%PDF-"
    stranger = make.person("buyer")
    assert stranger.browser.get(f"/invoices/{item['id']}").status_code == 404
    assert stranger.api.get("/invoices").json["items"] == []
    assert operator.api.get(f"/invoices/{item['id']}").status_code == 404


def test_an_invoice_refers_to_what_was_paid_by_its_number_and_leads_there(
    services: Services, operator: Person, buyer: Person, designer: Person, session: Session
) -> None:
    """On the page, in the PDF and over the API; never by the id of a row."""
    [checkout] = paid(services, buyer, designer)
    with unit_of_work(services.engine, SYSTEM) as work:
        row = work.get_one(Checkout, checkout)
        row.purpose, row.subject_id = "order", "ord_abcdefgh12345678"
        row.about = {"design": "Onda", "quantity": 3, "reference": "K7-0001"}
    issue(services, checkout)
    [item] = buyer.api.get("/invoices").json["items"]
    assert (item["subject"], item["reference"]) == ("ord_abcdefgh12345678", "K7-0001")
    page = buyer.browser.get(f"/invoices/{item['id']}").get_data(as_text=True)
    assert '<a href="/orders/ord_abcdefgh12345678" translate="no">K7-0001</a>' in page
    made = next(row for row in rows(session) if row.id == item["id"])
    with buyer.browser.client.application.test_request_context("/"):
        facts = document.values(made, "en", "Touchstone")["facts"]
    assert facts[-1][1] == "K7-0001"
    assert reference_of({"about": {}, "subject": "lic_abcdefgh12345678"}) == "12345678"


def test_pay_26_numbers_are_gapless_and_unique_when_many_issue_at_once_and_some_die(
    services: Services, operator: Person, buyer: Person, designer: Person, session: Session
) -> None:
    checkouts = paid(services, buyer, designer, n=24)
    failures: list[BaseException] = []

    class Killed(Exception):
        pass

    def die(checkout: str) -> None:
        with unit_of_work(services.engine, SYSTEM) as doomed:
            operations.issue_for_checkout(doomed, SYSTEM, checkout)
            raise Killed

    def work(mine: Sequence[str]) -> None:
        try:
            for place, checkout in enumerate(mine):
                if place % 3 == 0:  # dies after numbering, before the commit
                    with pytest.raises(Killed):
                        die(checkout)
                issue(services, checkout)
        except BaseException as error:
            failures.append(error)

    # Every checkout is issued by two threads, in opposite orders.
    threads = [threading.Thread(target=work, args=(part,)) for part in (checkouts, checkouts[::-1]) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    for issuer in (designer.org.id, operator.org.id):
        numbers = sorted(row.number for row in rows(session) if row.issuer_org_id == issuer)
        assert [int(number[-5:]) for number in numbers] == list(range(1, 25))
    assert queries.problems(session) == []


def test_a_gap_in_the_numbers_is_seen(
    services: Services, operator: Person, buyer: Person, designer: Person, session: Session
) -> None:
    [checkout] = paid(services, buyer, designer)
    issue(services, checkout)
    with unit_of_work(services.engine, SYSTEM) as work:
        series = work.scalars(select(InvoiceSeries).where(InvoiceSeries.issuer_org_id == designer.org.id)).one()
        series.last += 1
    assert any(designer.org.id in problem for problem in queries.problems(session))


def test_issued_invoices_cannot_be_changed_or_removed(
    services: Services, operator: Person, buyer: Person, designer: Person
) -> None:
    [checkout] = paid(services, buyer, designer)
    issue(services, checkout)
    for statement in ("update invoices set gross = gross + 1, net = net + 1", "delete from invoices"):
        with pytest.raises(DBAPIError), services.engine.begin() as connection:
            connection.execute(text(statement))


def test_refund_is_credited_once_per_cause_and_never_beyond_the_invoice(
    services: Services, operator: Person, buyer: Person, designer: Person, session: Session
) -> None:
    [checkout] = paid(services, buyer, designer)
    part = Credited(designer.org.id, "license_fee", 4000, 400)
    credit(services, checkout, "refund:1", [part])
    credit(services, checkout, "refund:1", [part])
    notes = [row for row in rows(session) if row.kind == "credit_note"]
    assert sorted(row.gross for row in notes) == [400, 4000]
    assert all("-CN-" in row.number and row.content["credits"] for row in notes)
    with pytest.raises(Invalid, match="More would be credited"):
        credit(services, checkout, "refund:2", [Credited(designer.org.id, "license_fee", 6002, 600)])
    assert queries.problems(session) == []
    page = buyer.api.get("/invoices?side=received").json["items"]
    assert {(i["kind"], i["gross"]["amount"]) for i in page} == {("invoice", 10_001), ("credit_note", 4000)}


def test_payment_before_the_operator_signed_up_gets_its_fee_invoice_later(
    services: Services, buyer: Person, designer: Person, make: Make, session: Session
) -> None:
    [checkout] = paid(services, buyer, designer)
    issue(services, checkout)
    assert [row.charge for row in rows(session)] == ["license_fee"]
    make.person("operator")
    issue(services, checkout)
    session.expire_all()
    assert sorted(row.charge for row in rows(session)) == ["license_fee", "platform_fee"]


def test_the_sweep_makes_the_fee_invoices_of_payments_from_before_the_operator_signed_up(
    services: Services, buyer: Person, designer: Person, make: Make, session: Session
) -> None:
    [checkout] = paid(services, buyer, designer)
    issue(services, checkout)
    assert queries.uninvoiced(session) == []
    make.person("operator")
    session.expire_all()
    assert queries.uninvoiced(session) == [checkout]
    issue(services, checkout)
    session.expire_all()
    assert queries.uninvoiced(session) == []


def test_credit_notes_in_steps_leave_no_tax_over(
    services: Services, operator: Person, buyer: Person, designer: Person, session: Session
) -> None:
    """10,001 at 20 % hold 1,667 of tax; so do all its notes together, also after one was undone."""
    saved = designer.browser.post("/invoices/details", {"legal_name": "Iris Ltd", "tax_id": "GB 980 7806 84"})
    assert saved.status_code == 303
    [checkout] = paid(services, buyer, designer)
    steps = [3, 3, 3, 8, 4984]
    for number, gross in enumerate([*steps, 10_001 - sum(steps)]):
        credit(services, checkout, f"refund:{number}", [Credited(designer.org.id, "license_fee", gross, 0)])
    with unit_of_work(services.engine, SYSTEM) as work:
        operations.restore(work, SYSTEM, checkout, cause="refund:1")
    credit(services, checkout, "refund:last", [Credited(designer.org.id, "license_fee", 3, 0)])
    mine = [row for row in rows(session) if row.charge == "license_fee"]
    first = next(row for row in mine if row.kind == "invoice" and row.restores_id is None)
    undone = sum(row.tax for row in mine if row.restores_id is not None)
    assert first.tax == 1667
    assert sum(row.tax for row in mine if row.kind == "credit_note") - undone == first.tax


def test_csv_of_a_year_is_exact_and_runs_no_formula(
    services: Services, operator: Person, buyer: Person, designer: Person
) -> None:
    [checkout] = paid(services, buyer, designer)
    issue(services, checkout)
    answer = buyer.browser.get(f"/invoices/export?year={clock.now().year}")
    [line] = csv.DictReader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff")))
    assert (line["gross"], line["currency"], line["tax"]) == ("100.01", "USD", "0.00")
    assert line["description"] == "'=License for Onda"


def test_tax_number_is_checked_and_stands_on_later_invoices_only(
    services: Services, operator: Person, buyer: Person, designer: Person, session: Session
) -> None:
    first, second = paid(services, buyer, designer, n=2)
    issue(services, first)
    shown = designer.browser.post("/invoices/details", {"legal_name": "Iris Ltd", "tax_id": "GB 980 7806 85"})
    page = shown.get_data(as_text=True)
    assert shown.status_code == 422
    assert "Iris Ltd" in page
    assert "GB 980 7806 85" in page
    right = {"legal_name": "Iris Ltd", "tax_id": "GB 980 7806 84", "address": "1 Hatton Garden\nLondon EC1N 8AA"}
    saved = designer.browser.post("/invoices/details", right)
    assert saved.status_code == 303
    issue(services, second)
    one, two = [row for row in rows(session) if row.charge == "license_fee"]
    assert (one.treatment, one.tax) == ("not_registered", 0)
    assert (two.treatment, two.tax_rate_bps, two.net, two.tax) == ("domestic", 2000, 8334, 1667)
    assert two.content["seller"]["tax_id"] == "980780684"
    assert one.content["seller"]["address"] == designer.org.address
    assert two.content["seller"]["address"].splitlines() == ["1 Hatton Garden", "London EC1N 8AA"]


@pytest.mark.parametrize(
    ("seller", "buyer", "charge", "expected"),
    [
        (party("DE"), party("FR"), "license_fee", Tax("not_registered", 0)),
        (party("US", "1"), party("FR"), "license_fee", Tax("no_tax", 0)),
        (party("HK"), party("GB"), "license_fee", Tax("no_tax", 0)),
        (party("DE", "1"), party("DE"), "license_fee", Tax("domestic", 1900)),
        (party("DE", "1"), party("FR", "2"), "license_fee", Tax("reverse_charge_eu", 0)),
        (party("DE", "1"), party("FR"), "license_fee", Tax("domestic", 1900)),
        (party("DE", "1"), party("FR", "2"), "production", Tax("intra_community", 0)),
        (party("DE", "1"), party("HK"), "production", Tax("export", 0)),
        (party("GB", "1"), party("DE", "2"), "royalty", Tax("reverse_charge", 0)),
        (party("GB", "1"), party("HK"), "royalty", Tax("outside_scope", 0)),
        (party("FI", "1"), party("FI"), "platform_fee", Tax("domestic", 2550)),
    ],
)
def test_tax_follows_who_sells_what_to_whom(seller: Party, buyer: Party, charge: str, expected: Tax) -> None:
    assert tax_of(seller, buyer, charge, DAY) == expected


def test_rate_is_the_one_of_the_day() -> None:
    rates = [tax_of(party("EE", "1"), party("EE"), "royalty", date(y, 7, 1)).rate_bps for y in (2023, 2024, 2025)]
    assert rates == [2000, 2200, 2400]


def test_tax_inside_an_amount_is_rounded_half_up_and_never_loses_a_cent() -> None:
    for gross in range(1, 3000):
        for rate in (0, 500, 810, 1900, 2000, 2550, 2700):
            tax = tax_in(gross, rate)
            exact = gross * rate / (10_000 + rate)
            assert abs(tax - exact) <= 0.5 + 1e-9
            assert 0 <= tax <= gross


@pytest.mark.parametrize(
    ("country", "typed", "shown"),
    [
        ("DE", "DE 136,695 976", "DE136695976"),
        ("GR", "EL 094259216", "EL094259216"),
        ("FR", "Fr 40 303 265 045", "FR40303265045"),
        ("CN", "91110000600037341L", "91110000600037341L"),
    ],
)
def test_tax_numbers_are_kept_compact_and_shown_as_written(country: str, typed: str, shown: str) -> None:
    assert tax_ids.shown(country, tax_ids.checked(country, typed)) == shown


@pytest.mark.parametrize(("country", "typed"), [("DE", "136695977"), ("US", "12"), ("IT", "abc"), ("FR", "١٢")])
def test_wrong_tax_numbers_are_refused(country: str, typed: str) -> None:
    with pytest.raises(Invalid) as refused:
        tax_ids.checked(country, typed)
    assert "tax_id" in refused.value.fields


def test_checkout_asks_for_its_invoices(
    services: Services, operator: Person, buyer: Person, designer: Person, run_jobs: Any, session: Session
) -> None:
    [checkout] = paid(services, buyer, designer)
    for _ in range(2):
        with unit_of_work(services.engine, SYSTEM) as work:
            operations.ask_invoices(work, checkout)
    run_jobs()
    assert len(rows(session)) == 2
