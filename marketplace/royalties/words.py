"""Words of royalties in the reader's language: states, kinds, flags, and the figures of a statement line by line."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from flask_babel import format_date
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from marketplace.kernel.money import Money
from marketplace.royalties.models import Statement, StatementLine
from marketplace.royalties.rules import Scheme
from marketplace.web.i18n import Formats

_FMT = Formats()

#: State of a statement -> (word, tone of its badge).
STATES: dict[str, tuple[Any, str]] = {
    "draft": (_l("Report due"), "warn"),
    "issued": (_l("Issued, nothing to pay"), "ok"),
    "payable": (_l("To be paid"), "warn"),
    "overdue": (_l("Overdue"), "bad"),
    "disputed": (_l("In question"), "warn"),
    "paid": (_l("Paid"), "ok"),
}

KINDS: dict[str, Any] = {
    "advance": _l("Advance"),
    "quarter": _l("Quarter"),
    "adjustment": _l("Adjustment"),
}

#: Kind of a line, or the reference of a sale -> word.
LINES: dict[str, Any] = {
    "order": _l("Order"),
    "refund": _l("Refund of an order"),
    "refund:undone": _l("Refund of an order, undone"),
    "returned": _l("Payment that went back, statement"),
    "returned:undone": _l("Payment that is back after all, statement"),
    "advance": _l("Advance that went back, statement"),
    "advance:undone": _l("Advance that is back after all, statement"),
    "sale": _l("Reported sale"),
    "correction": _l("Correction"),
    "audit": _l("Audit"),
    "query": _l("Agreed difference"),
}

#: Kinds of lines about payments of earlier statements: what is not paid any more is asked again.
ASKED_AGAIN = frozenset({"returned", "advance"})

#: What does not fit the license -> sentence.
FLAGS: dict[str, Any] = {
    "territory": _l("Country not licensed"),
    "channel": _l("Channel not licensed"),
    "over_limit": _l("More pieces than the license allows"),
    "more_than_made": _l("More pieces than were made"),
    "serial_unknown": _l("No piece has this serial"),
    "serial_twice": _l("Serial reported before"),
}

#: What happened in an inquiry, by its note's action.
ACTIONS: dict[str, Any] = {
    "ask": _l("asked"),
    "answer": _l("answered"),
    "close": _l("closed it"),
    "claim": _l("named a difference"),
    "agree": _l("agreed"),
    "refuse": _l("did not agree"),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of how a statement adds up; `note` says why. A negative amount is taken off."""

    label: str
    amount: Money
    note: str = ""


def day(value: date) -> str:
    """A day in the reader's language."""
    return str(format_date(datetime.combine(value, time.min, UTC), "medium"))


def span(statement: Statement) -> str:
    """What a statement is about: its quarter with its last day, or the word of its kind."""
    if statement.kind == "advance":
        return _("Advance on royalties")
    if statement.kind == "adjustment":
        return _("Adjustment of %(day)s", day=day(statement.ends))
    last = date.fromordinal(statement.ends.toordinal() - 1)
    return _("%(first)s – %(last)s", first=day(statement.starts), last=day(last))


def line_word(line: StatementLine) -> str:
    """What a line is about."""
    numbered = line.kind in {"order", "refund", *ASKED_AGAIN}
    undone = ":undone" if line.source_id.endswith(":undone") else ""
    known = LINES.get(f"{line.kind}{undone}" if numbered else line.reference, line.kind)
    if numbered:
        return _("%(what)s %(number)s", what=known, number=line.reference)
    return str(known)


def rate_words(terms: Scheme, currency: str) -> str:
    """The agreed royalty in words."""
    if terms.rate.per_unit is not None:
        return _("%(amount)s for each piece", amount=_FMT.money(Money(terms.rate.per_unit, currency)))
    if terms.rate.percent is None:
        return _("No royalty")
    percent = _FMT.percent(int(terms.rate.percent * 100))
    if terms.base == "wholesale":
        return _("%(percent)s of the wholesale price", percent=percent)
    return _("%(percent)s of net sales", percent=percent)


def asked_again(lines: Sequence[StatementLine]) -> int:
    """Minor units that a statement asks again because they went back; below zero when they are back after all."""
    return -sum(line.paid for line in lines if line.kind in ASKED_AGAIN)


def figures(statement: Statement, lines: Sequence[StatementLine]) -> list[Figure]:
    """How the amount due comes about, in the order of reckoning; lines of zero that say nothing are left out."""
    if statement.kind == "advance":
        note = _("Set off against the royalties that are earned after it is paid.")
        return [Figure(_("Advance on royalties"), statement.due_money, note)]
    m = statement.money
    rows = [Figure(_("Royalties earned"), m(statement.earned))]
    if statement.guarantee is not None and statement.guarantee_earned is not None:
        rows.append(
            Figure(
                _("Shortfall of the minimum guarantee"),
                m(statement.shortfall),
                _(
                    "The guarantee is %(amount)s; %(earned)s was earned in its time.",
                    amount=_FMT.money(m(statement.guarantee)),
                    earned=_FMT.money(m(statement.guarantee_earned + statement.earned)),
                ),
            )
        )
    again = asked_again(lines)
    if with_orders := statement.paid_with_orders + again:
        rows.append(Figure(_("Paid with orders"), m(-with_orders), _("Paid when the order was paid.")))
    if again:
        note = _("Of an earlier statement; the lines below say which.")
        rows.append(Figure(_("Went back to the buyer, asked again"), m(again), note))
    if statement.credit_opening or statement.credit_used:
        note = _("%(amount)s was carried over.", amount=_FMT.money(m(statement.credit_opening)))
        rows.append(Figure(_("Credit used"), m(-statement.credit_used), note))
    if statement.advance_opening:
        note = _(
            "Of the advance %(before)s was left before and %(after)s is left now.",
            before=_FMT.money(m(statement.advance_opening)),
            after=_FMT.money(m(statement.advance_closing)),
        )
        rows.append(Figure(_("Set off against the advance"), m(-statement.advance_recouped), note))
    gained = statement.credit_closing - statement.credit_opening + statement.credit_used
    if gained:
        note = _("Returns were more than sales; the rest lowers the next statement.")
        rows.append(Figure(_("Carried over as a credit"), m(gained), note))
    return rows
