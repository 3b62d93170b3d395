"""Tables of term sheets that studios keep, of prices of metal, of approval limits and what they held back."""

from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Amount, Base, Created, Key, LongText, Moment
from marketplace.kernel import clock
from marketplace.kernel.ids import new_id


class TermSheet(Created, Base):
    """A named set of terms a studio starts from. The published one (`is_default`) is where buyers of its designs start.

    `terms` is a stored sheet without what belongs to one offer; a deleted sheet can be brought back.
    """

    __tablename__ = "term_sheets"
    __table_args__ = (
        CheckConstraint("char_length(name) between 1 and 80", name="name"),
        CheckConstraint("not is_default or deleted_at is null", name="default"),
        Index("ix_term_sheets_org", "org_id", "created_at", "id"),
        Index("uq_term_sheets_default", "org_id", unique=True, postgresql_where=text("is_default")),
    )

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("tsh"))
    org_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    name: Mapped[str] = mapped_column(String(80))
    terms: Mapped[dict[str, Any]]
    is_default: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1)
    user_id: Mapped[str] = mapped_column(String(40))
    deleted_at: Mapped[Moment | None]
    updated_at: Mapped[Moment] = mapped_column(default=clock.now)


class DesignSheet(Base):
    """The sheet that offers for one design start from, in place of the studio's published one."""

    __tablename__ = "design_sheets"
    __table_args__ = (Index("ix_design_sheets_sheet", "sheet_id"),)

    design_id: Mapped[Key] = mapped_column(primary_key=True)
    org_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    sheet_id: Mapped[str] = mapped_column(ForeignKey("term_sheets.id"))
    user_id: Mapped[str] = mapped_column(String(40))
    set_at: Mapped[Moment] = mapped_column(default=clock.now)


class MetalPrice(Base):
    """What a studio reckons a gram of an alloy at, in minor units."""

    __tablename__ = "metal_prices"
    __table_args__ = (CheckConstraint("amount > 0", name="amount"),)

    org_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    alloy: Mapped[str] = mapped_column(String(40), primary_key=True)
    currency: Mapped[str] = mapped_column(String(3), primary_key=True)
    amount: Mapped[Amount]
    set_at: Mapped[Moment] = mapped_column(default=clock.now)


class ApprovalPolicy(Base):
    """Above which amounts a colleague must approve: `limits` is {currency: minor units}, none while it is empty.

    `approvers` are user ids of members who may approve besides the administrators.
    """

    __tablename__ = "approval_policies"

    org_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    limits: Mapped[dict[str, Any]] = mapped_column(default=dict)
    approvers: Mapped[list[str]] = mapped_column(default=list)
    updated_at: Mapped[Moment] = mapped_column(default=clock.now)
    updated_by: Mapped[str] = mapped_column(String(40))


class Approval(Created, Base):
    """A step held back until a colleague approves it. `state` moves by playbook.rules.APPROVAL.

    `action` is accept (of `version`), offer (a counter to `version`), reopen, or open (a first offer for the design);
    `subject` is the negotiation, or else the design. `terms` are the exact ones; a version that has moved on makes the
    row void, whatever its state says. An approval is good for one step: `done_at` is when that took effect.
    """

    __tablename__ = "approvals"
    __table_args__ = (
        CheckConstraint("state in ('pending','approved','refused','withdrawn','void')", name="state"),
        CheckConstraint("action in ('accept','offer','reopen','open')", name="action"),
        CheckConstraint("(action = 'open') = (negotiation_id is null)", name="subject"),
        CheckConstraint("decided_by is null or decided_by <> asked_by", name="four_eyes"),
        CheckConstraint("state not in ('approved','refused') or decided_by is not null", name="decided"),
        Index("ix_approvals_org", "org_id", "created_at", "id"),
        Index("uq_approvals_pending", "org_id", "subject", unique=True, postgresql_where=text("state = 'pending'")),
    )

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("apv"))
    org_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    subject: Mapped[str] = mapped_column(String(40))
    design_id: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(200))
    negotiation_id: Mapped[str | None] = mapped_column(ForeignKey("negotiations.id"))
    action: Mapped[str] = mapped_column(String(10))
    version: Mapped[int]
    terms: Mapped[dict[str, Any]] = mapped_column(JSONB)
    terms_hash: Mapped[str] = mapped_column(String(64))
    message: Mapped[LongText | None]
    amount: Mapped[Amount]
    limit_amount: Mapped[Amount | None]
    currency: Mapped[str] = mapped_column(String(3))
    state: Mapped[str] = mapped_column(String(10), default="pending")
    asked_by: Mapped[str] = mapped_column(String(40))
    decided_by: Mapped[str | None] = mapped_column(String(40))
    decided_at: Mapped[Moment | None]
    done_at: Mapped[Moment | None]
    reason: Mapped[LongText | None]
