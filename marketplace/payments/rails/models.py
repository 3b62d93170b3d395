"""Tables of the bank-file rail: where payees bank, the files made, and the shares in each."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Amount, Base, Created, Key, Moment
from marketplace.kernel.ids import new_id
from marketplace.kernel.money import Money


class PayeeBank(Created, Base):
    """A payee's bank account. The number is sealed (vault.py); `last4` is all that is shown. One is current, the ones
    before it stay for the record. Nothing is sent to it before `usable_at`.
    """

    __tablename__ = "payee_banks"
    __table_args__ = (
        Index("uq_payee_banks_current", "org_id", unique=True, postgresql_where=text("replaced_at is null")),
    )

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("bnk"))
    org_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    holder: Mapped[str] = mapped_column(String(70))
    country: Mapped[str] = mapped_column(String(2))
    bic: Mapped[str] = mapped_column(String(11))
    last4: Mapped[str] = mapped_column(String(4))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    usable_at: Mapped[Moment]
    entered_by: Mapped[str] = mapped_column(String(40))
    replaced_at: Mapped[Moment | None]

    def usable(self, now: datetime) -> bool:
        """Whether money may be sent to it."""
        return self.replaced_at is None and self.usable_at <= now


class BankFile(Created, Base):
    """One file for the bank, in one currency. `state` moves by rules.FILE; the file itself is sealed."""

    __tablename__ = "bank_files"
    __table_args__ = (
        CheckConstraint("state in ('making','made','taken','closed','canceled')", name="state"),
        Index("ix_bank_files_created", "created_at", "id"),
    )

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("bft"))
    currency: Mapped[str] = mapped_column(String(3))
    state: Mapped[str] = mapped_column(String(10), default="making")
    count: Mapped[int] = mapped_column(default=0)
    total: Mapped[Amount] = mapped_column(default=0)
    execute_on: Mapped[date] = mapped_column(Date)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    sha256: Mapped[str | None] = mapped_column(String(64))
    made_by: Mapped[str] = mapped_column(String(40))
    approved_by: Mapped[str | None] = mapped_column(String(40))
    taken_by: Mapped[str | None] = mapped_column(String(40))
    taken_at: Mapped[Moment | None]

    @property
    def money(self) -> Money:
        """The sum of what is in it."""
        return Money(self.total, self.currency)


class BankItem(Created, Base):
    """One share in one file; its id is the end-to-end reference that the bank carries. `state` moves by rules.ITEM.

    The index lets a share be in one file only that the bank may still carry out or has carried out.
    """

    __tablename__ = "bank_items"
    __table_args__ = (
        CheckConstraint("state in ('included','executed','returned','canceled')", name="state"),
        CheckConstraint("amount > 0", name="amount"),
        Index(
            "uq_bank_items_live",
            "transfer_id",
            unique=True,
            postgresql_where=text("state in ('included','executed')"),
        ),
        Index("ix_bank_items_file", "file_id"),
        Index("ix_bank_items_org", "org_id"),
    )

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("bit"))
    file_id: Mapped[str] = mapped_column(ForeignKey("bank_files.id"))
    transfer_id: Mapped[str] = mapped_column(ForeignKey("transfers.id"))
    bank_id: Mapped[str] = mapped_column(ForeignKey("payee_banks.id"))
    org_id: Mapped[str] = mapped_column(String(40))
    amount: Mapped[Amount]
    currency: Mapped[str] = mapped_column(String(3))
    state: Mapped[str] = mapped_column(String(10), default="included")
    reason: Mapped[str | None] = mapped_column(String(4))
    settled_at: Mapped[Moment | None]

    @property
    def money(self) -> Money:
        """What the payee gets."""
        return Money(self.amount, self.currency)


class BankAnswer(Created, Base):
    """A report of the bank that was taken over, by its hash; the file itself is not kept.

    `lines` are {reference, item, file, outcome, reason, amount, currency, result} in the report's order.
    """

    __tablename__ = "bank_answers"
    __table_args__ = (Index("ix_bank_answers_created", "created_at", "id"),)

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("ban"))
    kind: Mapped[str] = mapped_column(String(10))
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    taken_by: Mapped[str] = mapped_column(String(40))
    lines: Mapped[list[Any]]

    def count(self, result: str) -> int:
        """How many lines had this result."""
        return sum(1 for line in self.lines if line["result"] == result)
