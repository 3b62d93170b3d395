"""Tables of payments; card and bank data stay with the payment service."""

from datetime import date
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Amount, Base, Created, Key, LongText, Moment
from marketplace.kernel.ids import new_id
from marketplace.kernel.money import Money


class PaymentAccount(Created, Base):
    """A payee's account at the payment service."""

    __tablename__ = "payment_accounts"

    org_id: Mapped[Key] = mapped_column(primary_key=True)
    stripe_account_id: Mapped[str | None] = mapped_column(String(80), unique=True)
    transfers_active: Mapped[bool] = mapped_column(default=False)
    payouts_enabled: Mapped[bool] = mapped_column(default=False)
    details_submitted: Mapped[bool] = mapped_column(default=False)
    requirements: Mapped[list[str]] = mapped_column(default=list)
    disabled_reason: Mapped[str | None] = mapped_column(String(120))
    checked_at: Mapped[Moment | None]
    #: Set by the database when the account behind it changes: nothing is sent until then.
    hold_until: Mapped[Moment | None]
    #: Who changed it; somebody else must approve above a limit.
    changed_by: Mapped[str | None] = mapped_column(String(40))
    change_approved_by: Mapped[str | None] = mapped_column(String(40))

    @property
    def ready(self) -> bool:
        """Whether money can be sent to this account and on to its bank."""
        return self.transfers_active and self.payouts_enabled


class Checkout(Created, Base):
    """One payment asked of a buyer. `splits` says who gets what: org_id, kind, gross, fee, net (minor units).

    `about` is what its title is made of (titles.py), `description` the title in English, `locale` the payer's language.
    """

    __tablename__ = "checkouts"
    __table_args__ = (
        Index(
            "uq_checkouts_live",
            "purpose",
            "subject_id",
            unique=True,
            postgresql_where=text("state in ('open','paid') and not replaced"),
        ),
        Index("ix_checkouts_open", "created_at", postgresql_where=text("state = 'open'")),
    )

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("chk"))
    purpose: Mapped[str] = mapped_column(String(10))
    subject_id: Mapped[str] = mapped_column(String(40))
    payer_org_id: Mapped[str] = mapped_column(String(40))
    amount: Mapped[Amount]
    currency: Mapped[str] = mapped_column(String(3))
    about: Mapped[dict[str, Any]] = mapped_column(default=dict)
    description: Mapped[str] = mapped_column(String(300))
    splits: Mapped[list[Any]]
    state: Mapped[str] = mapped_column(String(10), default="open")
    success_path: Mapped[str] = mapped_column(String(300))
    cancel_path: Mapped[str] = mapped_column(String(300))
    #: Another was opened in its place: money that still arrives for it goes back.
    replaced: Mapped[bool] = mapped_column(default=False)
    fee_bps: Mapped[int]
    fee_since: Mapped[date] = mapped_column(Date)
    customer_email: Mapped[str | None] = mapped_column(String(320))
    #: The language of the payment page: of who opened it, for everybody who comes to it.
    locale: Mapped[str] = mapped_column(String(10), default="en")
    stripe_session_id: Mapped[str | None] = mapped_column(String(120), unique=True)
    url: Mapped[LongText | None]
    payment_intent: Mapped[str | None] = mapped_column(String(80))
    charge_id: Mapped[str | None] = mapped_column(String(80))
    paid_with: Mapped[str | None] = mapped_column(String(80))
    paid_at: Mapped[Moment | None]
    #: When the sweep has last asked about it: a bank payment stays open for days and must not keep others from it.
    checked_at: Mapped[Moment | None]

    @property
    def total(self) -> Money:
        """What the buyer pays."""
        return Money(self.amount, self.currency)


class PaymentEvent(Created, Base):
    """A webhook; the primary key decides which copy acts.

    `body` is its envelope with the id, kind and state of its object, `sha256` the digest of the bytes that came
    (docs/adr/0022): nothing of the person who paid.
    """

    __tablename__ = "payment_events"

    id: Mapped[str] = mapped_column(String(120), primary_key=True)
    type: Mapped[str] = mapped_column(String(120))
    account: Mapped[str | None] = mapped_column(String(80))
    object_type: Mapped[str | None] = mapped_column(String(60))
    object_id: Mapped[str | None] = mapped_column(String(120))
    body: Mapped[dict[str, Any]]
    sha256: Mapped[str | None] = mapped_column(String(64))
    handled_at: Mapped[Moment | None]
    outcome: Mapped[str | None] = mapped_column(String(40))


class Transfer(Created, Base):
    """A part of a payee's share of a payment, from held to sent; `milestone` says which, see rules.PLANS.

    Of `amount`, `back` went back to the buyer (before it was sent, or by a reversal after) and `withheld` paid a debt.
    """

    __tablename__ = "transfers"
    __table_args__ = (
        UniqueConstraint("checkout_id", "kind", "org_id", "milestone", name="uq_transfers_checkout_id_kind_org_id"),
        Index("ix_transfers_org", "org_id", "created_at", "id"),
        Index("ix_transfers_checkout", "checkout_id"),
    )

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("trf"))
    org_id: Mapped[str] = mapped_column(String(40))
    checkout_id: Mapped[str] = mapped_column(ForeignKey("checkouts.id"))
    payer_org_id: Mapped[str] = mapped_column(String(40))
    purpose: Mapped[str] = mapped_column(String(10))
    subject_id: Mapped[str] = mapped_column(String(40))
    about: Mapped[dict[str, Any]] = mapped_column(default=dict)
    description: Mapped[str] = mapped_column(String(300))
    kind: Mapped[str] = mapped_column(String(20))
    milestone: Mapped[str] = mapped_column(String(10))
    gross: Mapped[Amount]
    fee: Mapped[Amount]
    amount: Mapped[Amount]
    back: Mapped[Amount] = mapped_column(default=0)
    withheld: Mapped[Amount] = mapped_column(default=0)
    attempt: Mapped[int] = mapped_column(default=0)
    currency: Mapped[str] = mapped_column(String(3))
    fee_bps: Mapped[int]
    fee_since: Mapped[date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str | None] = mapped_column(String(60))
    stripe_transfer_id: Mapped[str | None] = mapped_column(String(80), unique=True)
    #: The account at the payment service that it was sent to; the payee's may have become another one since.
    destination: Mapped[str | None] = mapped_column(String(80))
    #: When its condition was met. One that goes back to the buyer keeps it, for when that is undone.
    released_at: Mapped[Moment | None]
    expected_at: Mapped[Moment | None]
    sent_at: Mapped[Moment | None]

    @property
    def payable(self) -> int:
        """What is sent, or is to be: the share less what went back before and what paid a debt."""
        return self.amount - self.back - self.withheld

    @property
    def net_money(self) -> Money:
        """The share after our fee."""
        return Money(self.amount, self.currency)

    @property
    def back_money(self) -> Money:
        """What went back to the buyer."""
        return Money(self.back, self.currency)

    @property
    def withheld_money(self) -> Money:
        """What paid a debt."""
        return Money(self.withheld, self.currency)

    @property
    def left_money(self) -> Money:
        """What the payee keeps of it in the end."""
        return Money(self.payable, self.currency)

    @property
    def gross_money(self) -> Money:
        """The share before our fee."""
        return Money(self.gross, self.currency)

    @property
    def fee_money(self) -> Money:
        """Our fee."""
        return Money(self.fee, self.currency)


class Payout(Base):
    """Money on its way from a payee's account to its bank, as the payment service reports it."""

    __tablename__ = "payouts"
    __table_args__ = (Index("ix_payouts_org", "org_id", "created_at"),)

    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    org_id: Mapped[str] = mapped_column(String(40))
    #: The payee's account that it left.
    account: Mapped[str | None] = mapped_column(String(80))
    amount: Mapped[Amount]
    currency: Mapped[str] = mapped_column(String(3))
    status: Mapped[str] = mapped_column(String(20))
    failure_code: Mapped[str | None] = mapped_column(String(60))
    arrival_date: Mapped[Moment]
    created_at: Mapped[Moment]

    @property
    def money(self) -> Money:
        """The amount."""
        return Money(self.amount, self.currency)


class LedgerTransaction(Created, Base):
    """A balanced booking. `key` names the effect, so that it is booked once; `external_id` is the payment service's
    object behind it.
    """

    __tablename__ = "ledger_transactions"

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("ltx"))
    key: Mapped[str] = mapped_column(String(120), unique=True)
    kind: Mapped[str] = mapped_column(String(30))
    subject_id: Mapped[str | None] = mapped_column(String(40), index=True)
    memo: Mapped[str] = mapped_column(String(300))
    external_id: Mapped[str | None] = mapped_column(String(80), index=True)


class LedgerEntry(Created, Base):
    """One line of a booking: positive is debit, negative is credit, in minor units."""

    __tablename__ = "ledger_entries"
    __table_args__ = (Index("ix_ledger_entries_org", "org_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    transaction_id: Mapped[str] = mapped_column(ForeignKey("ledger_transactions.id"), index=True)
    account: Mapped[str] = mapped_column(String(80))
    org_id: Mapped[str | None] = mapped_column(String(40))
    amount: Mapped[Amount]
    currency: Mapped[str] = mapped_column(String(3))


class LedgerAccount(Base):
    """A line of the chart of accounts; entries on other accounts are refused by the database."""

    __tablename__ = "ledger_accounts"
    __table_args__ = (
        CheckConstraint("kind in ('asset', 'liability', 'income', 'expense', 'equity')", name="kind"),
        CheckConstraint("side in (-1, 0, 1)", name="side"),
    )

    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    side: Mapped[int]
    per_org: Mapped[bool]


class LedgerLink(Base):
    """A booking's place in the hash chain; made by the database at commit, see `chain`."""

    __tablename__ = "ledger_links"

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    transaction_id: Mapped[str] = mapped_column(ForeignKey("ledger_transactions.id"), unique=True)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class FeeRate(Created, Base):
    """The platform's fee on payments of one purpose from a day (UTC) on; rows are added, never changed."""

    __tablename__ = "fee_rates"
    __table_args__ = (
        UniqueConstraint("purpose", "valid_from", name="uq_fee_rates_purpose_valid_from"),
        CheckConstraint("bps between 0 and 10000", name="bps"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    purpose: Mapped[str] = mapped_column(String(10))
    bps: Mapped[int]
    valid_from: Mapped[date] = mapped_column(Date)
    note: Mapped[str] = mapped_column(String(200))
