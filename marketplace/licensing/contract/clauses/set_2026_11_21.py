"""The clauses of 21 November 2026: those of the month, with the calendar by which royalties are accounted for.

The days are the calendar's of this date (royalties/calendar.py); they stay what they are here if those ever change.
"""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _

from marketplace.licensing.contract.clauses import set_2026_11
from marketplace.licensing.contract.clauses.clause import Clause, together

#: Days after a quarter by which sales are reported, after a statement by which it is paid, for the answer to a
#: question, for the books of an audit; and the months between two audits.
DAYS: Mapping[str, int] = {"report": 30, "pay": 30, "answer": 14, "books": 30}
MONTHS = 12


def clauses(terms: Mapping[str, Any]) -> list[Clause]:
    """Every clause that these terms call for, in order."""
    title = _("Statements and audit")
    return [_statements(terms) if clause.title == title else clause for clause in set_2026_11.clauses(terms)]


def _statements(terms: Mapping[str, Any]) -> Clause:
    text = together(
        _(
            "Quarters are counted from the day the license began; one is cut short where the term ends, and the months"
            " of selling off are quarters of their own."
        ),
        _(
            "Within %(report)s days after each quarter the buyer reports through the platform what was made and sold,"
            " with serial numbers, also when nothing was. The platform then issues a statement, and the buyer pays it"
            " within %(pay)s days after that day.",
            report=DAYS["report"],
            pay=DAYS["pay"],
        ),
        _guarantee(terms),
        _(
            "The designer may question a statement, and the buyer answers within %(answer)s days. What turns out to be"
            " missing is part of the next statement.",
            answer=DAYS["answer"],
        ),
        _(
            "The buyer keeps records for three years after each report. Once in %(months)s months the designer may ask"
            " for an audit by somebody bound to secrecy; the buyer hands in the books within %(books)s days. When more"
            " than five per cent is missing, the buyer pays for the audit as well.",
            months=MONTHS,
            books=DAYS["books"],
        ),
    )
    short = _(
        "Report %(report)s days after each quarter, pay %(pay)s days after the statement, answer questions within"
        " %(answer)s days; an audit once in %(months)s months.",
        **{name: DAYS[name] for name in ("report", "pay", "answer")},
        months=MONTHS,
    )
    return Clause(_("Statements and audit"), text, short)


def _guarantee(terms: Mapping[str, Any]) -> str:
    if not terms.get("minimum_guarantee"):
        return ""
    if terms.get("guarantee_per") == "year":
        return _("What is missing of the guaranteed royalties is part of the last statement of each license year.")
    return _("What is missing of the guaranteed royalties is part of the last statement of the term.")
