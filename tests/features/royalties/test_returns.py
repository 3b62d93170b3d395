"""What went back of a statement's payment: asked again once, taken off the advance, and undone when it is back."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.db.unit_of_work import unit_of_work
from marketplace.notifications.models import Notification
from marketplace.payments.claims import GiveBack
from marketplace.payments.models import Checkout
from marketplace.royalties.models import Statement
from tests.features.royalties.account import NET_SALES, SYSTEM, Books, row
from tests.features.royalties.test_paying import pay, payable, wrong
from tests.kit.instance import Instance


class Bank:
    """The buyer's bank: what it does is told to us, and every job runs."""

    def __init__(self, books: Books, control: Any, deliver: Any, run_jobs: Any) -> None:
        self.books, self.control, self.deliver, self.run_jobs = books, control, deliver, run_jobs
        self.dispute = ""

    def settle(self) -> None:
        for _round in range(2):
            self.deliver()
            self.run_jobs()

    def pays(self, statement_id: str) -> None:
        pay(self.books, statement_id, self.control)
        self.books.move(datetime.now(UTC))
        self.settle()

    def takes_back(self, statement_id: str) -> None:
        with unit_of_work(self.books.world.services.engine, SYSTEM) as session:
            query = select(Checkout.payment_intent).where(Checkout.subject_id == statement_id)
            intent = session.scalars(query).one()
        self.dispute = self.control("POST", "/disputes", payment_intent=intent)["id"]
        self.settle()
        self.ends("lose")

    def ends(self, how: str) -> None:
        self.control("POST", f"/disputes/{self.dispute}/{how}")
        self.settle()

    def next_quarter(self) -> Statement:
        """The statement of the next quarter, in which nothing was sold."""
        self.books.tick()
        self.books.report(self.books.statements()[-1], nothing=True)
        self.books.issue()
        return self.books.statements()[-1]


def told(books: Books, kind: str) -> list[str]:
    with Session(books.world.services.engine) as session:
        return sorted(session.scalars(select(Notification.org_id).where(Notification.kind == kind)))


def test_pay_16_a_quarter_that_was_charged_back_is_asked_again_and_undone_when_the_bank_pays_after_all(
    net: Books, sandbox_control: Any, deliver_events: Any, run_jobs: Any, db: Instance
) -> None:
    bank = Bank(net, sandbox_control, deliver_events, run_jobs)
    first = payable(net)
    bank.pays(first)
    bank.takes_back(first)
    assert told(net, "statement_returned") == sorted([net.world.designer.org.id, net.world.buyer.org.id])
    page = net.world.buyer.browser.get(f"/royalties/{first}").get_data(as_text=True)
    assert "$75.00 of this payment went back to the buyer" in page
    assert net.world.designer.api.get(f"/statements/{first}").json["given_back"]["amount"] == 7_500
    second = bank.next_quarter()
    assert (second.earned, second.paid_with_orders, second.amount_due, second.state) == (0, -7_500, 7_500, "payable")
    assert [(line.kind, line.royalty, line.paid) for line in net.lines(second)] == [("returned", 0, -7_500)]
    assert wrong(net) == []
    shown = net.world.designer.browser.get(f"/royalties/{second.id}").get_data(as_text=True)
    assert "Went back to the buyer, asked again" in shown
    assert "asked again: $75.00" in shown
    assert "Paid with orders" not in shown
    bank.ends("reinstate")
    third = bank.next_quarter()
    assert (third.amount_due, third.credit_closing) == (0, 7_500)
    assert [(line.kind, line.paid) for line in net.lines(third)] == [("returned", 7_500)]
    assert "went back to the buyer" not in net.world.buyer.browser.get(f"/royalties/{first}").get_data(as_text=True)
    assert wrong(net) == []
    with unit_of_work(net.world.services.engine, SYSTEM) as session:
        session.scalars(select(GiveBack)).one().undone_at = None
    assert [line for line in wrong(net) if "counts something that is not there" in line]


def test_an_advance_that_was_charged_back_is_set_off_no_more_and_what_was_is_asked_again(
    account: Callable[..., Books], sandbox_control: Any, deliver_events: Any, run_jobs: Any
) -> None:
    books = account(**NET_SALES, advance={"amount": 50_000, "currency": "USD"})
    bank = Bank(books, sandbox_control, deliver_events, run_jobs)
    books.tick()
    advance = books.statements()[0].id
    bank.pays(advance)
    books.tick()
    books.report(books.statements()[-1], row("4000", "10"))
    books.issue()
    assert books.statements()[-1].advance_recouped == 30_000
    bank.takes_back(advance)
    assert len(told(books, "advance_returned")) == 2
    second = bank.next_quarter()
    assert (second.advance_opening, second.amount_due) == (0, 30_000)
    assert [(line.kind, line.base, line.paid) for line in books.lines(second)] == [("advance", -50_000, -30_000)]
    assert wrong(books) == []
    bank.ends("reinstate")
    third = bank.next_quarter()
    assert (third.advance_opening, third.amount_due, third.credit_closing) == (20_000, 0, 30_000)
    assert wrong(books) == []


def test_what_goes_back_after_the_last_quarter_is_an_adjustment(
    account: Callable[..., Books], sandbox_control: Any, deliver_events: Any, run_jobs: Any
) -> None:
    books = account(**NET_SALES, term_months=3)
    books.world.change(
        type(books.world.license), books.world.license.id, active_until=datetime(2026, 4, 15, tzinfo=UTC)
    )
    bank = Bank(books, sandbox_control, deliver_events, run_jobs)
    first = payable(books)
    bank.pays(first)
    bank.takes_back(first)
    books.tick()
    books.tick()
    assert [(s.kind, s.amount_due) for s in books.statements()] == [("quarter", 7_500), ("adjustment", 7_500)]
    assert wrong(books) == []
