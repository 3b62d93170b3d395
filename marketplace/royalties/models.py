"""Tables of royalties. Amounts are minor units of the license's currency; days are UTC days, spans are half open."""

from datetime import date
from typing import Any

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Amount, Base, Created, Key, LongText, Moment
from marketplace.kernel.ids import new_id
from marketplace.kernel.money import Money


class Statement(Created, Base):
    """What a license comes to over a quarter, or an advance, or what was found later. `state` moves by rules.STATEMENT.

    Once it has left `draft` its figures stand: the database refuses to change them. `sequence` numbers the statements
    of a license without a gap, in the order they were issued. `reminded` are the reminders that were sent.
    """

    __tablename__ = "royalty_statements"
    __table_args__ = (
        UniqueConstraint("license_id", "sequence"),
        CheckConstraint("kind in ('advance','quarter','adjustment')", name="kind"),
        CheckConstraint("state in ('draft','issued','payable','overdue','disputed','paid')", name="state"),
        CheckConstraint("(state = 'draft') = (sequence is null)", name="numbered"),
        CheckConstraint("amount_due >= 0 and advance_opening >= advance_recouped", name="amounts"),
        CheckConstraint("advance_recouped >= 0 and credit_used >= 0 and shortfall >= 0", name="not_negative"),
        CheckConstraint(
            "kind = 'advance' or earned + shortfall - paid_with_orders"
            " = amount_due + advance_recouped + credit_used - (credit_closing - credit_opening + credit_used)",
            name="adds_up",
        ),
        Index(
            "uq_royalty_statements_span",
            "license_id",
            "kind",
            "starts",
            unique=True,
            postgresql_where=text("kind <> 'adjustment'"),
        ),
        Index("ix_royalty_statements_designer", "designer_org_id", "created_at", "id"),
        Index("ix_royalty_statements_buyer", "buyer_org_id", "created_at", "id"),
        Index(
            "ix_royalty_statements_waiting",
            "state",
            postgresql_where=text("state in ('draft','payable','overdue','disputed')"),
        ),
    )

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("sta"))
    license_id: Mapped[str] = mapped_column(ForeignKey("licenses.id"))
    design_id: Mapped[str] = mapped_column(String(40))
    design_title: Mapped[str] = mapped_column(String(200))
    designer_org_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    buyer_org_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    kind: Mapped[str] = mapped_column(String(12))
    starts: Mapped[date] = mapped_column(Date)
    ends: Mapped[date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(String(12), default="draft")
    sequence: Mapped[int | None]
    currency: Mapped[str] = mapped_column(String(3))
    report_due: Mapped[date | None] = mapped_column(Date)
    earned: Mapped[Amount] = mapped_column(default=0)
    paid_with_orders: Mapped[Amount] = mapped_column(default=0)
    shortfall: Mapped[Amount] = mapped_column(default=0)
    guarantee: Mapped[Amount | None]
    guarantee_earned: Mapped[Amount | None]
    credit_opening: Mapped[Amount] = mapped_column(default=0)
    credit_used: Mapped[Amount] = mapped_column(default=0)
    credit_closing: Mapped[Amount] = mapped_column(default=0)
    advance_opening: Mapped[Amount] = mapped_column(default=0)
    advance_recouped: Mapped[Amount] = mapped_column(default=0)
    amount_due: Mapped[Amount] = mapped_column(default=0)
    issued_at: Mapped[Moment | None]
    due_on: Mapped[date | None] = mapped_column(Date)
    paid_at: Mapped[Moment | None]
    document_key: Mapped[str | None] = mapped_column(String(200))
    document_sha256: Mapped[str | None] = mapped_column(String(64))
    reminded: Mapped[list[str]] = mapped_column(default=list)

    @property
    def number(self) -> str | None:
        """What the statement is called on paper, once it is issued."""
        return None if self.sequence is None else f"{self.license_reference}-{self.sequence:03}"

    @property
    def license_reference(self) -> str:
        """The short name of the license."""
        return "R-" + self.license_id.removeprefix("lic_")[-8:].upper()

    def money(self, amount: int) -> Money:
        """An amount of this statement."""
        return Money(amount, self.currency)

    @property
    def due_money(self) -> Money:
        """What the buyer pays."""
        return self.money(self.amount_due)

    @property
    def advance_closing(self) -> int:
        """What is left of the advance after this statement."""
        return self.advance_opening - self.advance_recouped


class StatementLine(Created, Base):
    """One line of an issued statement; never changed. `source_id` names what it counts, and nothing is counted twice.

    `kind` order, refund (of an order), sale, audit, returned (what paid an earlier statement went back to the buyer
    and is asked again) or advance (what was paid of it went back). `base` is what the rate was taken of, `paid` what
    was paid with an order, below zero where it is asked again. `serials` are the pieces behind it ("12-40, 55"),
    `flags` what does not fit the license.
    """

    __tablename__ = "royalty_lines"
    __table_args__ = (
        UniqueConstraint("kind", "source_id"),
        UniqueConstraint("statement_id", "position"),
        CheckConstraint("kind in ('order','refund','sale','audit','returned','advance')", name="kind"),
        Index("ix_royalty_lines_license", "license_id"),
    )

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("rln"))
    statement_id: Mapped[str] = mapped_column(ForeignKey("royalty_statements.id"))
    license_id: Mapped[str] = mapped_column(ForeignKey("licenses.id"))
    designer_org_id: Mapped[str] = mapped_column(String(40))
    buyer_org_id: Mapped[str] = mapped_column(String(40))
    position: Mapped[int]
    kind: Mapped[str] = mapped_column(String(10))
    source_id: Mapped[str] = mapped_column(String(80))
    day: Mapped[date] = mapped_column(Date)
    reference: Mapped[str] = mapped_column(String(60))
    quantity: Mapped[int]
    serials: Mapped[LongText | None]
    territory: Mapped[str | None] = mapped_column(String(2))
    channel: Mapped[str | None] = mapped_column(String(20))
    gross: Mapped[Amount | None]
    base: Mapped[Amount]
    royalty: Mapped[Amount]
    paid: Mapped[Amount] = mapped_column(default=0)
    flags: Mapped[list[str]] = mapped_column(default=list)
    note: Mapped[LongText | None]


class SalesReport(Created, Base):
    """What a buyer says of a quarter's sales. `state` moves by rules.REPORT; a draft is seen by the buyer alone.

    `typed` are the rows as they were typed, good or not, so that nothing is lost; on submission they become lines.
    A report of `kind` correction amends lines of quarters whose statement was issued.
    """

    __tablename__ = "sales_reports"
    __table_args__ = (
        CheckConstraint("kind in ('quarter','correction')", name="kind"),
        CheckConstraint("state in ('draft','submitted')", name="state"),
        Index("uq_sales_reports_quarter", "statement_id", unique=True, postgresql_where=text("kind = 'quarter'")),
        Index("ix_sales_reports_license", "license_id"),
    )

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("rep"))
    statement_id: Mapped[str] = mapped_column(ForeignKey("royalty_statements.id"))
    license_id: Mapped[str] = mapped_column(ForeignKey("licenses.id"))
    designer_org_id: Mapped[str] = mapped_column(String(40))
    buyer_org_id: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(12), default="quarter")
    state: Mapped[str] = mapped_column(String(12), default="draft")
    typed: Mapped[list[Any]] = mapped_column(default=list)
    submitted_at: Mapped[Moment | None]
    submitted_by: Mapped[str | None] = mapped_column(String(40))


class SalesLine(Created, Base):
    """One reported sale, or a correction of one (`corrects`), whose figures are differences; never changed.

    `sold_ends` is the end of the quarter it belongs to.
    """

    __tablename__ = "sales_lines"
    __table_args__ = (
        UniqueConstraint("report_id", "position"),
        CheckConstraint("serial_to >= serial_from", name="serials"),
        CheckConstraint(
            "corrects is not null or (quantity >= 0 and gross >= 0 and discounts >= 0 and returns >= 0 and taxes >= 0)",
            name="not_negative",
        ),
        Index("ix_sales_lines_license", "license_id"),
    )

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("sal"))
    report_id: Mapped[str] = mapped_column(ForeignKey("sales_reports.id"))
    statement_id: Mapped[str] = mapped_column(ForeignKey("royalty_statements.id"))
    license_id: Mapped[str] = mapped_column(ForeignKey("licenses.id"))
    designer_org_id: Mapped[str] = mapped_column(String(40))
    buyer_org_id: Mapped[str] = mapped_column(String(40))
    position: Mapped[int]
    corrects: Mapped[str | None] = mapped_column(String(40))
    sold_ends: Mapped[date] = mapped_column(Date)
    serial_from: Mapped[int | None]
    serial_to: Mapped[int | None]
    quantity: Mapped[int]
    territory: Mapped[str] = mapped_column(String(2))
    channel: Mapped[str] = mapped_column(String(20))
    gross: Mapped[Amount]
    discounts: Mapped[Amount]
    returns: Mapped[Amount]
    taxes: Mapped[Amount]
    currency: Mapped[str] = mapped_column(String(3))
    flags: Mapped[list[str]] = mapped_column(default=list)
    note: Mapped[LongText | None]


class Inquiry(Created, Base):
    """The designer's question about a statement, or an audit of it. `state` moves by rules.INQUIRY.

    `adjustment` is what the designer finds was too little (minor units); agreed on, it is a line of the next statement.
    """

    __tablename__ = "royalty_inquiries"
    __table_args__ = (
        CheckConstraint("kind in ('query','audit')", name="kind"),
        CheckConstraint("state in ('open','answered','claimed','refused','closed')", name="state"),
        CheckConstraint("adjustment >= 0", name="adjustment"),
        Index("ix_royalty_inquiries_license", "license_id", "created_at"),
        Index("ix_royalty_inquiries_open", "due_on", postgresql_where=text("state = 'open'")),
        Index(
            "uq_royalty_inquiries_live",
            "statement_id",
            "kind",
            unique=True,
            postgresql_where=text("state <> 'closed'"),
        ),
    )

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("inq"))
    statement_id: Mapped[str] = mapped_column(ForeignKey("royalty_statements.id"))
    license_id: Mapped[str] = mapped_column(ForeignKey("licenses.id"))
    designer_org_id: Mapped[str] = mapped_column(String(40))
    buyer_org_id: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(12), default="open")
    asked_by: Mapped[str] = mapped_column(String(40))
    due_on: Mapped[date] = mapped_column(Date)
    adjustment: Mapped[Amount] = mapped_column(default=0)
    currency: Mapped[str] = mapped_column(String(3))
    closed_at: Mapped[Moment | None]
    reminded: Mapped[list[str]] = mapped_column(default=list)


class InquiryNote(Created, Base):
    """What a side said or handed in; never changed. A file stands in the store under `storage_key`."""

    __tablename__ = "royalty_inquiry_notes"
    __table_args__ = (Index("ix_royalty_inquiry_notes_inquiry", "inquiry_id", "created_at", "id"),)

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("inn"))
    inquiry_id: Mapped[str] = mapped_column(ForeignKey("royalty_inquiries.id"))
    designer_org_id: Mapped[str] = mapped_column(String(40))
    buyer_org_id: Mapped[str] = mapped_column(String(40))
    side: Mapped[str] = mapped_column(String(10))
    user_id: Mapped[str] = mapped_column(String(40))
    action: Mapped[str] = mapped_column(String(12))
    text: Mapped[LongText]
    filename: Mapped[str | None] = mapped_column(String(200))
    storage_key: Mapped[str | None] = mapped_column(String(200))
    sha256: Mapped[str | None] = mapped_column(String(64))
    size: Mapped[int | None]
