"""Input and output of royalty pages and calls."""

from datetime import date
from typing import Any, Literal

from flask import request
from pydantic import Field

from marketplace.kernel.errors import Invalid
from marketplace.kernel.money import MAX_AMOUNT, Money
from marketplace.royalties.sales import COLUMNS, MAX_NOTE, MAX_QUANTITY, MAX_ROWS
from marketplace.web.forms import Body, Form
from marketplace.web.i18n import Formats

_FMT = Formats()
_AMOUNTS = ("gross", "discounts", "returns", "taxes")


class Filter(Form):
    """Which statements to list."""

    show: Literal["all", "report", "open", "paid"] = "all"
    cursor: str = ""
    limit: int = Field(default=24, ge=1, le=100)


class ReportForm(Form):
    """What to do with the rows of a report; they come as repeated fields. `use_draft`: the rows that are kept."""

    do: Literal["save", "submit"] = "save"
    nothing_sold: bool = False
    use_draft: bool = False


class CorrectForm(Form):
    """New figures of a reported line."""

    line: str = Field(min_length=1, max_length=40)
    quantity: int = Field(ge=0, le=MAX_QUANTITY)
    gross: str = Field(min_length=1, max_length=40)
    discounts: str = Field(default="0", max_length=40)
    returns: str = Field(default="0", max_length=40)
    taxes: str = Field(default="0", max_length=40)
    reason: str = Field(min_length=1, max_length=MAX_NOTE)


class AskForm(Form):
    """A question about a statement, or the request of an audit."""

    kind: Literal["query", "audit"]
    text: str = Field(min_length=1, max_length=4000)


class ReplyForm(Form):
    """The next step of a question or audit; `amount` only for a difference."""

    do: Literal["answer", "close", "claim", "agree", "refuse"]
    text: str = Field(min_length=1, max_length=4000)
    amount: str = Field(default="", max_length=40)


class MoneyIn(Body):
    """Minor units and ISO 4217 code."""

    amount: int = Field(ge=0, le=MAX_AMOUNT, strict=True)
    currency: str = Field(pattern="^[A-Z]{3}$")


class SaleIn(Body):
    """One sale; all amounts in the license's currency. `taxes`: taxes and shipping that `gross` holds."""

    quantity: int | None = Field(default=None, ge=0, le=MAX_QUANTITY, strict=True)
    serial_from: int | None = Field(default=None, ge=1, le=999_999_999, strict=True)
    serial_to: int | None = Field(default=None, ge=1, le=999_999_999, strict=True)
    territory: str = Field(max_length=2)
    channel: str = Field(max_length=20)
    gross: MoneyIn
    discounts: MoneyIn | None = None
    returns: MoneyIn | None = None
    taxes: MoneyIn | None = None
    note: str | None = Field(default=None, max_length=MAX_NOTE)


class SalesIn(Body):
    """A quarter's report; without `statement` it is for the earliest quarter that waits for one."""

    statement: str | None = Field(default=None, max_length=40)
    nothing_sold: bool = False
    lines: list[SaleIn] = Field(default=[], max_length=MAX_ROWS)


class AuditIn(Body):
    """Why the designer wants to see the books."""

    text: str = Field(min_length=1, max_length=4000)


class UrlOut(Body):
    """A page to open in a browser."""

    url: str


class MoneyOut(Body):
    """Minor units and ISO 4217 code."""

    amount: int
    currency: str


class LineOut(Body):
    """One line: what it counts, the pieces behind it, its base and royalty; `flags` name what does not fit."""

    kind: str
    day: date
    reference: str
    quantity: int
    serials: str | None
    territory: str | None
    channel: str | None
    base: MoneyOut
    royalty: MoneyOut
    paid_with_order: MoneyOut
    flags: list[str]
    note: str | None


class StatementOut(Body):
    """A statement. `to` is its last day; every amount is there from `issued_at` on; `lines`, and what of its payment
    went back to the buyer, only on the statement itself. `paid_with_orders` is less by what is asked again.
    """

    id: str
    number: str | None
    kind: str
    license: str
    design: dict[str, str]
    first_day: date
    last_day: date
    state: str
    report_due: date | None
    issued_at: str | None
    due_on: date | None
    paid_at: str | None
    earned: MoneyOut
    paid_with_orders: MoneyOut
    shortfall: MoneyOut
    guarantee: MoneyOut | None
    credit_opening: MoneyOut
    credit_used: MoneyOut
    credit_closing: MoneyOut
    advance_opening: MoneyOut
    advance_recouped: MoneyOut
    amount_due: MoneyOut
    given_back: MoneyOut | None = None
    lines: list[LineOut] | None = None


class StatementsOut(Body):
    """A page of statements."""

    items: list[StatementOut]
    next_cursor: str | None


class AccountOut(Body):
    """The royalties of one license."""

    license: str
    design: dict[str, str]
    earned: MoneyOut
    due: MoneyOut
    paid: MoneyOut
    next_statement: date | None


class RoyaltiesOut(Body):
    """By license, with the reports and payments that wait for the caller's organization."""

    licenses: list[AccountOut]
    waiting: list[StatementOut]


class InquiryOut(Body):
    """An audit or question: its state and until when the buyer answers."""

    id: str
    statement: str
    kind: str
    state: str
    due_on: date


def typed_rows() -> list[dict[str, str]]:
    """The rows of the submitted form, as many as its longest column, in the order they were typed."""
    columns: dict[str, list[str]] = {name: request.form.getlist(name) for name in COLUMNS}
    count = min(max((len(values) for values in columns.values()), default=0), MAX_ROWS)
    return [
        {name: values[index] if index < len(values) else "" for name, values in columns.items()}
        for index in range(count)
    ]


def rows_of(lines: list[SaleIn], currency: str) -> list[dict[str, str]]:
    """The lines of a call as rows of text, as a person would type them. Raises Invalid for another currency."""
    found = []
    for index, line in enumerate(lines):
        row: dict[str, Any] = {
            "serials": "" if line.serial_from is None else f"{line.serial_from}-{line.serial_to or line.serial_from}",
            "quantity": "" if line.quantity is None else str(line.quantity),
            "territory": line.territory,
            "channel": line.channel,
            "note": line.note or "",
        }
        for name in _AMOUNTS:
            money: MoneyIn | None = getattr(line, name)
            if money is not None and money.currency != currency:
                words = "Report in the currency of the license."
                raise Invalid(
                    "currency_mismatch",
                    "Report in the currency of the license.",
                    fields={f"/lines/{index}/{name}": words},
                )
            row[name] = "" if money is None else _FMT.plain_amount(Money(money.amount, currency))
        found.append(row)
    return found
