"""Statements as the API and the CSV show them."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from flask_babel import gettext as _

from marketplace.kernel.money import Money
from marketplace.royalties.forms import AccountOut, LineOut, MoneyOut, StatementOut
from marketplace.royalties.models import Statement, StatementLine
from marketplace.royalties.queries import Account
from marketplace.royalties.words import asked_again, line_word
from marketplace.web.i18n import Formats

_FMT = Formats()


def last_day(statement: Statement) -> date:
    """The last day that a statement is about."""
    return max(statement.starts, statement.ends - timedelta(days=1))


def statement_out(
    row: Statement, lines: Sequence[StatementLine] | None = None, *, given_back: int | None = None
) -> StatementOut:
    """A statement; with its lines and what went back of its payment when they are given."""

    def money(amount: int) -> MoneyOut:
        return MoneyOut(amount=amount, currency=row.currency)

    return StatementOut(
        id=row.id,
        number=row.number,
        kind=row.kind,
        license=row.license_id,
        design={"id": row.design_id, "title": row.design_title},
        first_day=row.starts,
        last_day=last_day(row),
        state=row.state,
        report_due=row.report_due,
        issued_at=row.issued_at.isoformat() if row.issued_at else None,
        due_on=row.due_on,
        paid_at=row.paid_at.isoformat() if row.paid_at else None,
        earned=money(row.earned),
        paid_with_orders=money(row.paid_with_orders),
        shortfall=money(row.shortfall),
        guarantee=None if row.guarantee is None else money(row.guarantee),
        credit_opening=money(row.credit_opening),
        credit_used=money(row.credit_used),
        credit_closing=money(row.credit_closing),
        advance_opening=money(row.advance_opening),
        advance_recouped=money(row.advance_recouped),
        amount_due=money(row.amount_due),
        given_back=None if given_back is None else money(given_back),
        lines=None if lines is None else [_line_out(line, row.currency) for line in lines],
    )


def account_out(row: Account) -> AccountOut:
    """The royalties of one license."""

    def money(amount: Money) -> MoneyOut:
        return MoneyOut(amount=amount.amount, currency=amount.currency)

    return AccountOut(
        license=row.license.id,
        design={"id": row.license.design_id, "title": row.title},
        earned=money(row.earned),
        due=money(row.due),
        paid=money(row.paid),
        next_statement=row.next_on,
    )


def csv_rows(statement: Statement, lines: Sequence[StatementLine]) -> Iterator[tuple[str | int, ...]]:
    """The statement as rows of a table: a head, its lines, and the sums that lead to the amount due."""
    plain = _FMT.plain_amount
    yield (
        _("Statement"), _("What"), _("Day"), _("Pieces"), _("Serials"), _("Country"), _("Channel"), _("Gross"),
        _("Base"), _("Royalty"), _("Paid with the order"), _("Currency"), _("Remarks"), _("Note"),
    )  # fmt: skip
    name, again = statement.number or "", asked_again(lines)
    for line in lines:
        yield (
            name,
            line_word(line),
            line.day.isoformat(),
            line.quantity,
            line.serials or "",
            line.territory or "",
            line.channel or "",
            "" if line.gross is None else plain(statement.money(line.gross)),
            plain(statement.money(line.base)),
            plain(statement.money(line.royalty)),
            plain(statement.money(line.paid)),
            statement.currency,
            " ".join(line.flags),
            line.note or "",
        )
    for label, amount in (
        (_("Royalties earned"), statement.earned),
        (_("Shortfall of the minimum guarantee"), statement.shortfall),
        (_("Paid with orders"), -statement.paid_with_orders - again),
        (_("Went back to the buyer, asked again"), again),
        (_("Credit used"), -statement.credit_used),
        (_("Set off against the advance"), -statement.advance_recouped),
        (_("Carried over as a credit"), statement.credit_closing - statement.credit_opening + statement.credit_used),
        (_("Amount due"), statement.amount_due),
    ):
        yield (name, label, *("",) * 7, plain(statement.money(amount)), "", statement.currency, "", "")


def _line_out(line: StatementLine, currency: str) -> LineOut:
    return LineOut(
        kind=line.kind,
        day=line.day,
        reference=line.reference,
        quantity=line.quantity,
        serials=line.serials,
        territory=line.territory,
        channel=line.channel,
        base=MoneyOut(amount=line.base, currency=currency),
        royalty=MoneyOut(amount=line.royalty, currency=currency),
        paid_with_order=MoneyOut(amount=line.paid, currency=currency),
        flags=line.flags,
        note=line.note,
    )
