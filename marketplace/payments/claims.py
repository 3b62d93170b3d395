"""Tables of money that goes back: refunds, what each payee gives back, reversals of transfers, disputes."""

from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Amount, Base, Created, Key, LongText, Moment
from marketplace.kernel.ids import new_id
from marketplace.kernel.money import Money


class Refund(Created, Base):
    """Money asked back by a buyer, or given back. `state` moves by rules.REFUND; `orgs` are the payees it concerns.

    `origin` is `asked` for one of ours and `outside` for one made in the payment service's own dashboard.
    """

    __tablename__ = "refunds"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint(
            "state in ('asked', 'approved', 'refunding', 'done', 'failed', 'declined', 'withdrawn', 'undone')",
            name="state",
        ),
        CheckConstraint("origin in ('asked', 'outside')", name="origin"),
        Index("ix_refunds_checkout", "checkout_id", "created_at"),
        Index("ix_refunds_state", "state", "created_at"),
    )

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("rfn"))
    checkout_id: Mapped[str] = mapped_column(ForeignKey("checkouts.id"))
    purpose: Mapped[str] = mapped_column(String(10))
    subject_id: Mapped[str] = mapped_column(String(40))
    about: Mapped[dict[str, Any]] = mapped_column(default=dict)
    description: Mapped[str] = mapped_column(String(300))
    payer_org_id: Mapped[str] = mapped_column(String(40))
    orgs: Mapped[list[str]]
    amount: Mapped[Amount]
    currency: Mapped[str] = mapped_column(String(3))
    state: Mapped[str] = mapped_column(String(10), default="asked")
    origin: Mapped[str] = mapped_column(String(10), default="asked")
    reason: Mapped[str] = mapped_column(String(20))
    note: Mapped[LongText | None]
    asked_by_org_id: Mapped[str | None] = mapped_column(String(40))
    asked_by_user_id: Mapped[str | None] = mapped_column(String(40))
    decided_by_org_id: Mapped[str | None] = mapped_column(String(40))
    decided_by_user_id: Mapped[str | None] = mapped_column(String(40))
    decided_at: Mapped[Moment | None]
    answer: Mapped[LongText | None]
    stripe_refund_id: Mapped[str | None] = mapped_column(String(80), unique=True)
    failure: Mapped[str | None] = mapped_column(String(60))
    done_at: Mapped[Moment | None]

    @property
    def money(self) -> Money:
        """What the buyer gets back."""
        return Money(self.amount, self.currency)

    @property
    def by_hand(self) -> bool:
        """Whether an operator has paid it to the buyer, not the payment service."""
        return self.state == "done" and self.stripe_refund_id is None


class GiveBack(Created, Base):
    """What one payee gives back of its share for a refund or a lost dispute; gross = net + our fee, returned too.

    One that was undone stays, with the moment: statements that counted it name it.
    """

    __tablename__ = "give_backs"
    __table_args__ = (
        UniqueConstraint("cause_id", "org_id", "kind", name="uq_give_backs_cause_id"),
        CheckConstraint("net >= 0 and fee >= 0 and net + fee > 0", name="amounts"),
        Index("ix_give_backs_checkout", "checkout_id"),
        Index("ix_give_backs_org", "org_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    cause_id: Mapped[str] = mapped_column(String(40))
    checkout_id: Mapped[str] = mapped_column(ForeignKey("checkouts.id"))
    payer_org_id: Mapped[str] = mapped_column(String(40))
    org_id: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(20))
    net: Mapped[Amount]
    fee: Mapped[Amount]
    currency: Mapped[str] = mapped_column(String(3))
    undone_at: Mapped[Moment | None]

    @property
    def net_money(self) -> Money:
        """What the payee gives."""
        return Money(self.net, self.currency)

    @property
    def fee_money(self) -> Money:
        """What we give of our fee."""
        return Money(self.fee, self.currency)


class Reversal(Created, Base):
    """A sent share taken back, wholly or in part. `state` moves by rules.REVERSAL.

    `short`: the payee's account could not cover it; what is not `recovered` of it is a debt, kept back from what the
    payee is sent next. `cause_id` is a refund or a dispute, or the payment service's object for one made by hand.
    """

    __tablename__ = "reversals"
    __table_args__ = (
        UniqueConstraint("cause_id", "transfer_id", name="uq_reversals_cause_id"),
        CheckConstraint("amount > 0 and recovered between 0 and amount", name="amounts"),
        CheckConstraint("state in ('due', 'sending', 'done', 'short')", name="state"),
        Index("ix_reversals_org", "org_id", "state"),
        Index("ix_reversals_transfer", "transfer_id"),
    )

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("rev"))
    transfer_id: Mapped[str] = mapped_column(ForeignKey("transfers.id"))
    cause_id: Mapped[str] = mapped_column(String(80))
    org_id: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[str] = mapped_column(String(40))
    amount: Mapped[Amount]
    recovered: Mapped[Amount] = mapped_column(default=0)
    currency: Mapped[str] = mapped_column(String(3))
    state: Mapped[str] = mapped_column(String(10), default="due")
    stripe_reversal_id: Mapped[str | None] = mapped_column(String(80), unique=True)


class Dispute(Created, Base):
    """A payment that the buyer's bank has questioned. `status` is the payment service's word, mirrored as it comes.

    `settled` says how it was booked when it was over: won or lost; a lost one can still be reinstated.
    """

    __tablename__ = "disputes"
    __table_args__ = (
        CheckConstraint("settled in ('won', 'lost')", name="settled"),
        CheckConstraint("bundle_state in ('none', 'making', 'ready', 'failed', 'submitting', 'sent')", name="bundle"),
        Index("ix_disputes_checkout", "checkout_id"),
        Index("ix_disputes_open", "created_at"),
    )

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("dsp"))
    stripe_dispute_id: Mapped[str] = mapped_column(String(80), unique=True)
    checkout_id: Mapped[str] = mapped_column(ForeignKey("checkouts.id"))
    purpose: Mapped[str] = mapped_column(String(10))
    subject_id: Mapped[str] = mapped_column(String(40))
    about: Mapped[dict[str, Any]] = mapped_column(default=dict)
    description: Mapped[str] = mapped_column(String(300))
    payer_org_id: Mapped[str] = mapped_column(String(40))
    orgs: Mapped[list[str]]
    amount: Mapped[Amount]
    currency: Mapped[str] = mapped_column(String(3))
    reason: Mapped[str] = mapped_column(String(60))
    status: Mapped[str] = mapped_column(String(30))
    settled: Mapped[str | None] = mapped_column(String(10))
    withdrawn: Mapped[Amount] = mapped_column(default=0)
    evidence_due: Mapped[Moment | None]
    bundle_state: Mapped[str] = mapped_column(String(10), default="none")
    bundle: Mapped[list[Any]] = mapped_column(default=list)
    submitted_at: Mapped[Moment | None]
    #: Reminders that were sent (rules.EVIDENCE_REMINDERS), so that each is sent once.
    reminded: Mapped[list[str]] = mapped_column(default=list)
    opened_at: Mapped[Moment]
    closed_at: Mapped[Moment | None]

    @property
    def money(self) -> Money:
        """What is questioned."""
        return Money(self.amount, self.currency)

    @property
    def open(self) -> bool:
        """Whether it can still go either way."""
        return self.settled is None and self.status not in {"warning_closed", "prevented"}


class Alert(Created, Base):
    """Something about money that a person must look at. `key` names the finding, so that it is raised once."""

    __tablename__ = "money_alerts"
    __table_args__ = (Index("ix_money_alerts_open", "resolved_at", "created_at"),)

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("alr"))
    key: Mapped[str] = mapped_column(String(200), unique=True)
    kind: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[str | None] = mapped_column(String(80))
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    resolved_at: Mapped[Moment | None]
    resolved_by: Mapped[str | None] = mapped_column(String(40))


class Reconciliation(Base):
    """One comparison with the payment service's books: `differences` are [{kind, object, subject, ours, theirs}]."""

    __tablename__ = "reconciliations"
    __table_args__ = (Index("ix_reconciliations_at", "at"),)

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("rec"))
    at: Mapped[Moment]
    since: Mapped[Moment]
    compared: Mapped[int]
    differences: Mapped[list[Any]]
    anchor: Mapped[str] = mapped_column(String(90))
