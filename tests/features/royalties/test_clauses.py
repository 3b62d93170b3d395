"""What the agreement says about royalties is what the calendar does, and older agreements keep their words."""

from typing import Any

import pytest
from flask import Flask
from flask_babel import force_locale, gettext

from marketplace.licensing.contract.clauses import clauses
from marketplace.licensing.contract.clauses.clause import Clause
from marketplace.licensing.contract.clauses.set_2026_11_21 import DAYS, MONTHS
from marketplace.licensing.models import CLAUSES
from marketplace.royalties import calendar

TERMS: dict[str, Any] = {
    "kind": "non_exclusive",
    "territories": ["DE"],
    "term_months": 24,
    "fee": {"amount": 100_000, "currency": "USD"},
    "royalty_percent": "7.5",
    "royalty_base": "net_sales",
    "governing_language": "en",
}


def _statements(app: Flask, version: str, locale: str = "en", **more: Any) -> Clause | None:
    with app.test_request_context("/"), force_locale(locale):
        found = {clause.title: clause for clause in clauses(version, TERMS | more)}
        return found.get(gettext("Statements and audit"))


def test_the_newest_clauses_state_the_calendars_days() -> None:
    assert CLAUSES == "2026-11-21"
    assert DAYS == {
        "report": calendar.REPORT_DAYS,
        "pay": calendar.PAY_DAYS,
        "answer": calendar.QUERY_DAYS,
        "books": calendar.AUDIT_DAYS,
    }
    assert MONTHS == calendar.AUDIT_EVERY_MONTHS


@pytest.mark.parametrize("locale", ["en", "zh_Hans", "zh_Hant"])
def test_each_language_has_the_numbers_and_a_plain_column(app: Flask, locale: str) -> None:
    found = _statements(app, CLAUSES, locale)
    assert found is not None
    for text in (found.text, found.short or ""):
        assert all(str(number) in text for number in (30, 14, 12)), text
    assert locale == "en" or "days" not in found.text


def test_a_guarantee_is_accounted_for_by_year_or_term(app: Flask) -> None:
    promised: dict[str, Any] = {"minimum_guarantee": {"amount": 5_000, "currency": "USD"}}
    yearly = _statements(app, CLAUSES, **promised, guarantee_per="year")
    whole = _statements(app, CLAUSES, **promised)
    assert yearly is not None
    assert "each license year" in yearly.text
    assert whole is not None
    assert "last statement of the term" in whole.text


def test_an_older_agreement_keeps_its_words(app: Flask) -> None:
    older = _statements(app, "2026-11")
    assert older is not None
    assert older.text.startswith("Within thirty days after each quarter the buyer reports")
    assert older.short == "Report and pay every quarter; the designer may have it checked."
    assert _statements(app, CLAUSES, royalty_percent=None) is None
