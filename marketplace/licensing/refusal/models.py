"""The table of what holders of first refusals were asked."""

from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Base, Created, Key, Moment
from marketplace.kernel.ids import new_id


class FirstAsk(Created, Base):
    """Terms for somebody else, put to the holder of a first refusal. `state` moves by rules.FIRST_ASK.

    `buyer_org_id` is the holder, `license_id` its first refusal. `negotiation_id` and `version` say which offer it came
    from; the holder never learns them, nor who made it. `addendum_id` is the ending that letting go has begun.
    `told` is what the offer's thread last said of it: a state, or ended when the first refusal itself is over.
    """

    __tablename__ = "first_asks"
    __table_args__ = (
        CheckConstraint("state in ('open','taken_up','let_go','silent','withdrawn')", name="state"),
        CheckConstraint("(state in ('taken_up','let_go')) = (answered_at is not null)", name="answered"),
        CheckConstraint("addendum_id is null or state = 'let_go'", name="addendum"),
        Index(
            "uq_first_asks_offer",
            "license_id",
            "negotiation_id",
            "version",
            unique=True,
            postgresql_where=text("state <> 'withdrawn'"),
        ),
        Index("ix_first_asks_negotiation", "negotiation_id"),
        Index("ix_first_asks_due", "answer_by", postgresql_where=text("state = 'open'")),
    )

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("fra"))
    license_id: Mapped[str] = mapped_column(ForeignKey("licenses.id"))
    negotiation_id: Mapped[str] = mapped_column(ForeignKey("negotiations.id"))
    version: Mapped[int]
    design_id: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(200))
    designer_org_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    buyer_org_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    terms: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[str] = mapped_column(String(10), default="open")
    answer_by: Mapped[Moment]
    asked_by: Mapped[str] = mapped_column(String(40))
    answered_by: Mapped[str | None] = mapped_column(String(40))
    answered_at: Mapped[Moment | None]
    addendum_id: Mapped[str | None] = mapped_column(ForeignKey("addenda.id"))
    told: Mapped[str | None] = mapped_column(String(10))
