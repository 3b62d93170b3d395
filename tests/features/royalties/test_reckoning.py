"""The figures of a statement against a brute-force oracle; calendars against counting days."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from marketplace.royalties.calendar import Life, Span, due_reminders
from marketplace.royalties.reckoning import Entry, Guarantee, Opening, Rate, guaranteed, net_sales, settle
from marketplace.royalties.rules import INQUIRY, REPORT, STATEMENT
from tests.states.table import assert_table

amounts = st.integers(-300, 300)
entries = st.lists(st.builds(Entry, royalty=amounts, paid=st.integers(0, 200)), max_size=6)
openings = st.builds(Opening, advance=st.integers(0, 600), credit=st.integers(0, 600))
guarantees = st.none() | st.builds(Guarantee, amount=st.integers(0, 900), earned=st.integers(-300, 900))


def by_cents(rows: list[Entry], opening: Opening, guarantee: Guarantee | None) -> tuple[int, int, int, int]:
    """The oracle: cent by cent. (due, advance left, credit left, shortfall)."""
    earned = sum(e.royalty for e in rows)
    shortfall = 0
    while guarantee is not None and guarantee.earned + earned + shortfall < guarantee.amount:
        shortfall += 1
    owed = earned + shortfall - sum(e.paid for e in rows)
    advance, credit, due = opening.advance, opening.credit, 0
    for _cent in range(owed):
        if credit:
            credit -= 1
        elif advance:
            advance -= 1
        else:
            due += 1
    for _cent in range(-owed):
        credit += 1
    return due, advance, credit, shortfall


@given(entries, openings, guarantees)
def test_a_statement_comes_to_what_counting_cent_by_cent_gives(
    rows: list[Entry], opening: Opening, guarantee: Guarantee | None
) -> None:
    found = settle(rows, opening, guarantee)
    assert (found.due, found.advance_closing, found.credit_closing, found.shortfall) == by_cents(
        rows, opening, guarantee
    )


@given(st.lists(st.tuples(entries, st.integers(0, 3_000), guarantees), max_size=8))
def test_over_a_license_everything_paid_is_earned_guaranteed_or_carried(
    quarters: list[tuple[list[Entry], int, Guarantee | None]],
) -> None:
    advance = credit = paid = earned = guaranteed_ = 0
    for rows, fresh_advance, guarantee in quarters:
        paid += fresh_advance
        found = settle(rows, Opening(advance + fresh_advance, credit), guarantee)
        advance, credit = found.advance_closing, found.credit_closing
        paid += found.due + found.paid_with_orders
        earned, guaranteed_ = earned + found.earned, guaranteed_ + found.shortfall
        assert min(advance, credit, found.due, found.shortfall) >= 0
        assert paid == earned + guaranteed_ + advance + credit


@given(st.integers(0, 10_000), st.integers(-(10**9), 10**9))
def test_a_percentage_is_rounded_once_half_away_from_zero(basis_points: int, base: int) -> None:
    exact = Fraction(base) * basis_points / 10_000
    found = Rate(percent=Decimal(basis_points) / 100).of(base=base, quantity=3)
    assert abs(found - exact) <= Fraction(1, 2)
    if abs(found - exact) == Fraction(1, 2):
        assert abs(found) > abs(exact)


def test_a_royalty_per_piece_is_the_amount_times_the_pieces_and_nothing_is_nothing() -> None:
    assert Rate(per_unit=4_000).of(base=999_999, quantity=12) == 48_000
    assert Rate().of(base=999_999, quantity=12) == 0
    assert net_sales(gross=980_000, discounts=40_000, returns=0, taxes=156_667) == 783_333


@pytest.mark.parametrize(("months", "amount"), [(12, 100_001), (6, 50_001), (1, 8_333), (0, 0)])
def test_a_short_last_year_guarantees_its_months(months: int, amount: int) -> None:
    assert guaranteed(100_001, months) == amount


starts = st.dates(date(2024, 1, 1), date(2028, 12, 31))


@example(date(2028, 2, 29), 13, 0)
@given(starts, st.integers(1, 40), st.integers(0, 12))
def test_quarters_follow_each_other_without_gap_and_end_with_the_term_and_the_selling_off(
    began: date, months: int, sell_off: int
) -> None:
    until, sold_off = _months_later(began, months), _months_later(_months_later(began, months), sell_off)
    life = Life(began, until, sold_off)
    quarters, at = [], life.after(None)
    while at is not None:
        quarters.append(at)
        at = life.after(at.ends)
    assert quarters[0].starts == began
    assert quarters[-1].ends == sold_off
    assert all(one.ends == two.starts for one, two in pairwise(quarters))
    assert all((q.ends - q.starts).days <= 92 for q in quarters)
    assert [q.ends for q in quarters].count(until) == 1
    assert sum(life.closes_term(q) for q in quarters) == 1
    years = [year for q in quarters if (year := life.closing_year(q))]
    assert sum(length for _span, length in years) == months
    assert [span.starts for span, _m in years] == [_months_later(began, 12 * n) for n in range(len(years))]


def _months_later(day: date, months: int) -> date:
    """By counting: the same day of the month, or that month's last day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = (date(year + (month == 11), (month + 1) % 12 + 1, 1) - timedelta(days=1)).day
    return date(year, month + 1, min(day.day, last))


def test_a_license_without_an_end_gives_account_for_ever_and_closes_years() -> None:
    life = Life(date(2026, 8, 31), None, None)
    fourth = None
    ends = None
    for _ in range(4):
        fourth = life.after(ends)
        assert fourth is not None
        ends = fourth.ends
    assert fourth == Span(date(2027, 5, 31), date(2027, 8, 31))
    assert life.closing_year(fourth) == (Span(date(2026, 8, 31), date(2027, 8, 31)), 12)
    assert not life.closes_term(fourth)


def test_reminders_are_sent_once_and_only_the_latest_after_a_gap() -> None:
    deadline = date(2026, 5, 15)
    assert due_reminders(deadline, date(2026, 4, 30), [], "report") == (None, [])
    assert due_reminders(deadline, date(2026, 5, 1), [], "report") == ("report:-14", ["report:-14"])
    assert due_reminders(deadline, date(2026, 5, 2), ["report:-14"], "report") == (None, ["report:-14"])
    late = due_reminders(deadline, date(2026, 5, 22), ["report:-14"], "report")
    assert late == ("report:7", ["report:-14", "report:0", "report:7"])


def test_a_statement_moves_by_its_table() -> None:
    expected = {
        ("draft", "settle", "system"): "issued",
        ("draft", "issue", "system"): "payable",
        ("payable", "lapse", "system"): "overdue",
        **{(state, "pay", "system"): "paid" for state in ("payable", "overdue", "disputed")},
        **{(state, "query", "designer"): "disputed" for state in ("issued", "payable", "overdue")},
        ("disputed", "rest", "designer"): "issued",
        ("disputed", "rest", "buyer"): "issued",
        ("disputed", "resume", "designer"): "payable",
        ("disputed", "resume", "buyer"): "payable",
    }
    assert_table(STATEMENT, expected)


def test_reports_and_inquiries_move_by_their_tables() -> None:
    assert_table(REPORT, {("draft", "submit", "buyer"): "submitted"})
    assert_table(
        INQUIRY,
        {
            **{(state, "answer", "buyer"): "answered" for state in ("open", "answered")},
            **{(state, "close", "designer"): "closed" for state in ("open", "answered", "refused")},
            **{(state, "claim", "designer"): "claimed" for state in ("answered", "refused")},
            ("claimed", "agree", "buyer"): "closed",
            ("claimed", "refuse", "buyer"): "refused",
        },
    )
