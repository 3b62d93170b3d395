"""The table of data requests."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Base, Created, Key, LongText, Moment
from marketplace.kernel.ids import new_id


class PrivacyRequest(Created, Base):
    """What a person asked about their own data. `state` moves by privacy.rules.REQUEST."""

    __tablename__ = "privacy_requests"
    __table_args__ = (
        CheckConstraint("kind in ('access', 'erase', 'correct', 'restrict')", name="kind"),
        CheckConstraint("state in ('received', 'done', 'failed')", name="state"),
        Index("ix_privacy_requests_user", "user_id", "created_at", "id"),
    )

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("prv"))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    kind: Mapped[str] = mapped_column(String(10))
    note: Mapped[LongText] = mapped_column(default="")
    state: Mapped[str] = mapped_column(String(10), default="received")
    due_at: Mapped[Moment]
    done_at: Mapped[Moment | None]
    storage_key: Mapped[str | None] = mapped_column(String(200))
