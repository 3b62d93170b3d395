"""From a quarter's end to a statement that stands: once, in order, and never changed again."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel.actor import system
from marketplace.kernel.errors import Conflict, Invalid, NotFound
from marketplace.licensing.models import License
from marketplace.notifications.models import Notification
from marketplace.orders.models import Order
from marketplace.payments.claims import GiveBack
from marketplace.payments.models import Checkout
from marketplace.royalties import issuing, operations, reports
from marketplace.royalties.models import Inquiry, SalesLine, SalesReport, Statement, StatementLine
from marketplace.royalties.sales import Sale
from tests.features.royalties.account import BEGAN, NET_SALES, SYSTEM, Books, row

ADVANCE = {"advance": {"amount": 50_000, "currency": "USD"}}


def told(books: Books, org_id: str) -> list[str]:
    with unit_of_work(books.world.services.engine, SYSTEM) as session:
        query = select(Notification.kind).where(Notification.org_id == org_id).order_by(Notification.created_at)
        return [kind for kind in session.scalars(query) if kind.startswith(("report", "statement", "pay", "sales"))]


def test_a_quarter_that_ended_waits_for_its_report_and_is_then_issued_once(net: Books) -> None:
    net.at("2026-04-14")
    net.tick()
    assert net.statements() == []
    net.at("2026-04-15")
    net.tick()
    net.tick()
    [draft] = net.statements()
    assert (draft.state, draft.starts, draft.ends, draft.report_due) == (
        "draft",
        date(2026, 1, 15),
        date(2026, 4, 15),
        date(2026, 5, 15),
    )
    net.report(
        draft, row("9800.00", "20", discounts="400", taxes="1566.67"), row("120.50", territory="FR", returns="20")
    )
    net.issue()
    net.issue()
    [stands] = net.statements()
    assert (stands.state, stands.sequence, stands.due_on) == ("payable", 1, date(2026, 5, 15))
    assert [line.royalty for line in net.lines(stands)] == [58_750, 754]
    assert (stands.earned, stands.amount_due) == (59_504, 59_504)
    # All at one moment of the stopped clock, so they stand in no order.
    assert set(told(net, net.world.buyer.org.id)) == {"report_due", "statement_to_pay"}
    assert set(told(net, net.world.designer.org.id)) == {"sales_flagged", "statement_issued"}


def test_what_does_not_fit_the_license_or_the_pieces_is_taken_and_flagged(net: Books) -> None:
    order = net.world.paid(10)
    net.world.change(Order, order.id, state="delivered")
    net.at("2026-04-15")
    net.tick()
    rows = [
        row("100", "5", serials="1-5"),
        row("100", "5", territory="DE"),
        row("100", "1", channel="online", serials="3"),
        row("100", "95"),
    ]
    net.report(net.statements()[0], *rows)
    net.issue()
    found = [line.flags for line in net.lines(net.statements()[0])]
    assert found == [
        [],
        ["territory"],
        ["channel", "more_than_made", "serial_twice"],
        ["over_limit", "more_than_made"],
    ]
    assert sum(line.royalty for line in net.lines(net.statements()[0])) == 4 * 750


def test_rows_that_cannot_be_read_are_refused_by_row_and_column_and_nothing_is_filed(net: Books) -> None:
    net.at("2026-04-15")
    net.tick()
    [draft] = net.statements()
    bad = [row("12,50", "x", territory="Mars"), row("10"), row("-5", serials="9-3")]
    with pytest.raises(Invalid) as refused:
        net.report(draft, *bad)
    assert sorted(refused.value.fields) == ["0.gross", "0.quantity", "0.territory", "2.gross", "2.serials"]
    with pytest.raises(Invalid, match="nothing was sold"):
        net.report(draft)
    with pytest.raises(Invalid, match="Choose one"):
        net.report(draft, row("10"), nothing=True)
    with unit_of_work(net.world.services.engine, SYSTEM) as session:
        assert session.scalars(select(SalesLine)).all() == []


def test_a_report_is_filed_once_in_the_order_of_quarters_and_by_the_buyer_alone(net: Books) -> None:
    net.at("2026-07-20")
    net.tick()
    net.tick()
    first, second = net.statements()
    with pytest.raises(Conflict, match="quarter before"):
        net.report(second, row("10"))
    net.report(first, nothing=True)
    with pytest.raises(Conflict, match="has been filed"):
        net.report(first, row("10"))
    with unit_of_work(net.web, net.world.designer.actor) as session, pytest.raises(NotFound):
        reports.submit(session, net.world.designer.actor, second.id, [row("10")], nothing_sold=False)
    net.report(second, row("10"))
    net.issue()
    assert [(s.state, s.sequence) for s in net.statements()] == [("issued", 1), ("payable", 2)]


def test_a_draft_keeps_what_was_typed_and_the_designer_does_not_see_it(net: Books) -> None:
    net.at("2026-04-15")
    net.tick()
    [draft] = net.statements()
    typed = [row("not a number", note="=cmd()"), {"quantity": "", "territory": "GB", "channel": "retail"}]
    with unit_of_work(net.web, net.world.buyer.actor) as session:
        reports.save_draft(session, net.world.buyer.actor, draft.id, typed)
    with unit_of_work(net.web, net.world.buyer.actor) as session:
        assert session.scalars(select(SalesReport)).one().typed == typed[:1]
    with unit_of_work(net.web, net.world.designer.actor) as session:
        assert session.scalars(select(SalesReport)).all() == []


def test_a_correction_is_a_line_of_differences_in_the_next_statement(net: Books) -> None:
    net.at("2026-04-15")
    net.tick()
    net.report(net.statements()[0], row("1000", "10"))
    net.issue()
    with unit_of_work(net.web, net.world.buyer.actor) as session:
        line = session.scalars(select(SalesLine)).one()
        buyer = net.world.buyer.actor
        reports.correct(session, buyer, line.id, Sale(8, "GB", "retail", 100_000, returns=40_000), "two came back")
    before = net.statements()[0]
    net.at("2026-07-15")
    net.tick()
    net.report(net.statements()[1], row("200", "2"))
    net.issue()
    first, second = net.statements()
    assert (first.earned, first.amount_due, first.sequence) == (before.earned, 7_500, 1)
    assert [(line.reference, line.quantity, line.royalty) for line in net.lines(second)] == [
        ("correction", -2, -3_000),
        ("sale", 2, 1_500),
    ]
    assert (second.state, second.amount_due, second.credit_closing) == ("issued", 0, 1_500)
    net.at("2026-10-15")
    net.tick()
    net.report(net.statements()[2], row("400", "4"))
    net.issue()
    third = net.statements()[2]
    assert (third.earned, third.credit_used, third.amount_due, third.credit_closing) == (3_000, 1_500, 1_500, 0)


def test_an_advance_is_asked_for_at_once_and_set_off_after_it_was_paid(account: Callable[..., Books]) -> None:
    books = account(**NET_SALES, **ADVANCE)
    books.tick()
    books.tick()
    [advance] = books.statements()
    assert (advance.kind, advance.state, advance.amount_due, advance.sequence) == ("advance", "payable", 50_000, 1)
    books.at("2026-04-15")
    books.tick()
    quarter = books.statements()[1]
    books.paid(advance)
    books.report(quarter, row("4000", "40"))
    books.issue()
    quarter = books.statements()[1]
    assert (quarter.earned, quarter.advance_recouped, quarter.amount_due) == (30_000, 30_000, 0)
    books.at("2026-07-15")
    books.tick()
    books.report(books.statements()[2], row("4000", "40"))
    books.issue()
    last = books.statements()[2]
    assert (last.advance_opening, last.advance_recouped, last.amount_due) == (20_000, 20_000, 10_000)


def test_an_order_of_a_license_with_an_advance_pays_no_royalty_and_the_statement_reckons_it(
    account: Callable[..., Books],
) -> None:
    per_piece = {
        "royalty_percent": None,
        "royalty_base": "unit",
        "royalty_per_unit": {"amount": 4_000, "currency": "USD"},
    }
    books = account(**per_piece, **ADVANCE)
    order = books.world.paid(10)
    assert (order.royalty_amount, order.total_amount) == (0, 255_000)
    books.at("2026-04-15")
    books.tick()
    books.tick()
    quarter = books.statements()[1]
    assert (quarter.earned, quarter.paid_with_orders, quarter.amount_due) == (40_000, 0, 40_000)


def test_a_royalty_paid_with_the_order_is_shown_as_paid(account: Callable[..., Books]) -> None:
    books = account()
    order = books.world.paid(10)
    books.at("2026-01-20")
    books.world.paid(1)
    books.at("2026-04-15")
    books.tick()
    [quarter] = books.statements()
    assert order.royalty_amount == 18_750
    assert (quarter.state, quarter.earned, quarter.paid_with_orders, quarter.amount_due) == (
        "issued",
        20_625,
        20_625,
        0,
    )
    assert [(line.kind, line.base, line.paid) for line in books.lines(quarter)] == [
        ("order", 250_000, 18_750),
        ("order", 25_000, 1_875),
    ]


def test_late_money_of_an_order_that_never_began_takes_nothing_off_when_it_goes_back(
    account: Callable[..., Books],
) -> None:
    """Nothing of that order was counted: the next statement is neither below zero nor lower for it."""
    books = account()
    world = books.world
    world.paid(10)
    order = world.awarded(10)
    with unit_of_work(world.services.engine, SYSTEM) as session:
        late = Checkout(
            purpose="order", subject_id=order.id, payer_org_id=world.buyer.org.id, amount=1_000, currency="USD",
            description="late", fee_bps=0, fee_since=BEGAN.date(), state="paid", paid_at=BEGAN, success_path="/",
            cancel_path="/", splits=[],
        )  # fmt: skip
        session.add(late)
        session.flush()
        session.add(
            GiveBack(cause_id="rfn_late", checkout_id=late.id, payer_org_id=world.buyer.org.id, kind="royalty",
                     org_id=world.designer.org.id, net=1_000, fee=0, currency="USD")
        )  # fmt: skip
    books.at("2026-04-15")
    books.tick()
    [quarter] = books.statements()
    assert [(line.kind, line.paid) for line in books.lines(quarter)] == [("order", 18_750)]


GUARANTEE = {"minimum_guarantee": {"amount": 100_000, "currency": "USD"}}


def test_a_minimum_guarantee_is_tested_when_its_license_year_closes(account: Callable[..., Books]) -> None:
    books = account(**NET_SALES, **GUARANTEE, guarantee_per="year")
    for number, day in enumerate(("2026-04-15", "2026-07-15", "2026-10-15", "2027-01-15")):
        books.at(day)
        books.tick()
        sold = [row("1000", "9")] if number == 0 else []
        books.report(books.statements()[-1], *sold, nothing=not sold)
        books.issue()
    assert [s.shortfall for s in books.statements()] == [0, 0, 0, 92_500]
    assert (books.statements()[-1].guarantee, books.statements()[-1].amount_due) == (100_000, 92_500)


def test_a_minimum_guarantee_of_the_term_is_tested_at_its_end(account: Callable[..., Books]) -> None:
    books = account(**NET_SALES, **GUARANTEE, term_months=6, sell_off_months=3)
    books.world.change(License, books.world.license.id, active_until=BEGAN.replace(month=7))
    for number, day in enumerate(("2026-04-15", "2026-07-15", "2026-10-15", "2027-01-15")):
        books.at(day)
        books.tick()
        if number < 3:
            books.report(books.statements()[-1], row("400", "3"))
            books.issue()
    assert [s.shortfall for s in books.statements()] == [0, 94_000, 0]
    assert [s.amount_due for s in books.statements()] == [3_000, 97_000, 3_000]


def test_what_turns_up_after_the_last_quarter_is_an_adjustment(account: Callable[..., Books]) -> None:
    books = account(**NET_SALES, term_months=3)
    books.world.change(License, books.world.license.id, active_until=datetime(2026, 4, 15, tzinfo=UTC))
    books.at("2026-04-15")
    books.tick()
    books.report(books.statements()[0], row("1000", "10"))
    books.issue()
    buyer = books.world.buyer.actor
    with unit_of_work(books.web, buyer) as session:
        line = session.scalars(select(SalesLine)).one()
        reports.correct(session, buyer, line.id, Sale(10, "GB", "retail", 150_000), "a forgotten invoice")
    books.at("2026-05-01")
    books.tick()
    books.tick()
    _quarter, extra = books.statements()
    assert (extra.kind, extra.state, extra.amount_due, extra.sequence) == ("adjustment", "payable", 3_750, 2)


def test_reminders_and_the_mark_of_being_late_come_once(net: Books) -> None:
    net.at("2026-04-15")
    net.tick()
    for day in ("2026-05-01", "2026-05-02", "2026-05-15", "2026-05-22", "2026-05-23"):
        net.at(day)
        net.tick()
    buyer = net.world.buyer.org.id
    assert told(net, buyer) == ["report_due", "report_reminder", "report_reminder", "report_late"]
    assert told(net, net.world.designer.org.id) == ["report_missing"]
    net.report(net.statements()[0], row("1000", "10"))
    net.issue()
    for day in ("2026-06-08", "2026-06-22", "2026-06-23", "2026-06-29", "2026-06-30"):
        net.at(day)
        net.tick()
    assert told(net, buyer)[4:] == ["statement_to_pay", "pay_reminder", "pay_reminder", "pay_late"]
    assert net.statements()[0].state == "overdue"
    assert told(net, net.world.designer.org.id)[-1] == "statement_overdue"


def test_the_database_keeps_a_statement_that_stands_and_the_web_role_makes_none(net: Books) -> None:
    net.at("2026-04-15")
    net.tick()
    net.report(net.statements()[0], row("1000", "10"))
    net.issue()
    engine, actor = net.world.services.engine, net.world.buyer.actor
    for statement in (
        "update royalty_statements set amount_due = 1, earned = 1",
        "update royalty_statements set state = 'draft', sequence = null",
        "delete from royalty_statements",
        "update royalty_lines set royalty = 0",
        "delete from sales_lines",
    ):
        with pytest.raises(DBAPIError, match=r"never changed|denied"), unit_of_work(engine, SYSTEM) as session:
            session.execute(text(statement))
    stands = net.statements()[0]
    forged = Statement(
        license_id=stands.license_id, design_id="d", design_title="x", kind="quarter", currency="USD",
        designer_org_id=stands.designer_org_id, buyer_org_id=stands.buyer_org_id,
        starts=date(2030, 1, 1), ends=date(2030, 4, 1), reminded=[],
    )  # fmt: skip
    with pytest.raises(DBAPIError, match="row-level security"), unit_of_work(net.web, actor) as session:
        session.add(forged)
    stranger = net.world.make.person("buyer").actor
    with unit_of_work(net.web, stranger) as session:
        assert [session.scalars(select(m)).all() for m in (Statement, StatementLine, SalesLine, Inquiry)] == [[]] * 4


def test_paying_is_done_once_and_a_statement_of_nothing_cannot_be_paid(net: Books) -> None:
    net.at("2026-04-15")
    net.tick()
    net.report(net.statements()[0], nothing=True)
    net.issue()
    buyer = net.world.buyer.actor
    with unit_of_work(net.web, buyer) as session, pytest.raises(Conflict, match="nothing to pay"):
        operations.open_checkout(session, buyer, net.statements()[0].id)


def test_a_job_that_is_run_again_issues_nothing_twice(net: Books) -> None:
    net.at("2026-04-15")
    net.tick()
    net.report(net.statements()[0], row("1000", "10"))
    key = net.statements()[0].id
    with unit_of_work(net.world.services.engine, SYSTEM) as session:
        assert issuing.issue(session, system("one"), key)
    with unit_of_work(net.world.services.engine, SYSTEM) as session:
        assert not issuing.issue(session, system("two"), key)
    assert len(net.lines(net.statements()[0])) == 1
