"""Tables of messages. A message belongs to a thread of two organizations and is never changed."""

from datetime import datetime

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Base, Created, Key, LongText
from marketplace.kernel.ids import new_id


class Message(Created, Base):
    """What one side wrote. `to_org_id` is the other side: only these two organizations see the row."""

    __tablename__ = "messages"
    __table_args__ = (
        CheckConstraint("char_length(text) between 1 and 4000", name="length"),
        Index("ix_messages_thread", "negotiation_id", "created_at", "id"),
    )

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("msg"))
    negotiation_id: Mapped[str] = mapped_column(String(40))
    org_id: Mapped[str] = mapped_column(String(40))
    to_org_id: Mapped[str] = mapped_column(String(40))
    user_id: Mapped[str] = mapped_column(String(40))
    text: Mapped[LongText]
    lang: Mapped[str] = mapped_column(String(10))


class MessageTranslation(Created, Base):
    """A message in another language. `state` moves by rules.TRANSLATION."""

    __tablename__ = "message_translations"
    __table_args__ = (
        CheckConstraint("state in ('pending','ready','figures_unchecked','failed')", name="state"),
        CheckConstraint("(text is not null) = (state in ('ready','figures_unchecked'))", name="text"),
    )

    message_id: Mapped[str] = mapped_column(ForeignKey("messages.id"), primary_key=True)
    lang: Mapped[str] = mapped_column(String(10), primary_key=True)
    state: Mapped[str] = mapped_column(String(20), default="pending")
    text: Mapped[LongText | None]
    model: Mapped[str | None] = mapped_column(String(80))
    sandbox: Mapped[bool] = mapped_column(default=False)
    translated_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
