"""Tables of invoices: what was issued never changes; a correction is a credit note."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Amount, Base, Created, Key, LongText
from marketplace.kernel import clock
from marketplace.kernel.ids import new_id
from marketplace.kernel.money import Money


class TaxProfile(Created, Base):
    """How an organization stands on invoices. `tax_id` is compact (no spaces), empty when not registered.

    An empty `address` means the one it signed up with.
    """

    __tablename__ = "tax_profiles"

    org_id: Mapped[Key] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    legal_name: Mapped[str] = mapped_column(String(200))
    tax_id: Mapped[str] = mapped_column(String(30), default="")
    address: Mapped[LongText] = mapped_column(default="")
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now, onupdate=clock.now)


class InvoiceSeries(Base):
    """The last number given in one issuer's series of one year. The row lock makes numbers gapless."""

    __tablename__ = "invoice_series"

    issuer_org_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(12), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]


class Invoice(Created, Base):
    """An invoice or credit note; never changed. Amounts are positive minor units and net + tax = gross.

    `charge` is license_fee, royalty, production, or platform_fee. `cause` names what made it (a checkout or a refund),
    so that it is issued once. A credit note `credits` an invoice, an invoice that undoes a credit note `restores` it.
    `content` keeps both parties, the line and the tax words' codes as they were that day.
    """

    __tablename__ = "invoices"
    __table_args__ = (
        UniqueConstraint("issuer_org_id", "number"),
        UniqueConstraint("cause", "issuer_org_id", "recipient_org_id", "charge", name="uq_invoices_cause"),
        CheckConstraint("kind in ('invoice','credit_note')", name="kind"),
        CheckConstraint("(kind = 'credit_note') = (credits_id is not null)", name="credits"),
        CheckConstraint("restores_id is null or kind = 'invoice'", name="restores"),
        CheckConstraint("gross > 0 and tax >= 0 and net + tax = gross", name="amounts"),
        Index("ix_invoices_issuer", "issuer_org_id", "created_at", "id"),
        Index("ix_invoices_recipient", "recipient_org_id", "created_at", "id"),
        Index("ix_invoices_checkout", "checkout_id"),
        Index("uq_invoices_restores", "restores_id", unique=True, postgresql_where=text("restores_id is not null")),
    )

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("inv"))
    kind: Mapped[str] = mapped_column(String(12))
    number: Mapped[str] = mapped_column(String(40))
    issuer_org_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    recipient_org_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    checkout_id: Mapped[str] = mapped_column(ForeignKey("checkouts.id"))
    cause: Mapped[str] = mapped_column(String(80))
    credits_id: Mapped[str | None] = mapped_column(ForeignKey("invoices.id"))
    restores_id: Mapped[str | None] = mapped_column(ForeignKey("invoices.id"))
    charge: Mapped[str] = mapped_column(String(20))
    currency: Mapped[str] = mapped_column(String(3))
    net: Mapped[Amount]
    tax: Mapped[Amount]
    gross: Mapped[Amount]
    tax_rate_bps: Mapped[int]
    treatment: Mapped[str] = mapped_column(String(20))
    content: Mapped[dict[str, Any]]

    @property
    def net_money(self) -> Money:
        """Without tax."""
        return Money(self.net, self.currency)

    @property
    def tax_money(self) -> Money:
        """The tax in it."""
        return Money(self.tax, self.currency)

    @property
    def gross_money(self) -> Money:
        """What was paid."""
        return Money(self.gross, self.currency)


class InvoiceDocument(Created, Base):
    """The PDF of an invoice."""

    __tablename__ = "invoice_documents"

    invoice_id: Mapped[Key] = mapped_column(ForeignKey("invoices.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64))
