"""Tables of messages. A message belongs to a thread of two organizations and is never changed."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, String, false
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Base, Created, Key, LongText
from marketplace.kernel.ids import new_id


class Message(Created, Base):
    """What one side wrote. `to_org_id` is the other side: only these two organizations see the row.

    A comment is a message about one `term` of one `version`. `files` are the verified files sent with it, each
    {asset, name, type, size, key, preview?, width?, height?, placeholder?, pages?}: the row is the right to read them.
    `client_key` is the sender's own name for the message, so that a repeated try is not a second message.
    """

    __tablename__ = "messages"
    __table_args__ = (
        CheckConstraint("char_length(text) <= 4000 and (text <> '' or files <> '[]'::jsonb)", name="length"),
        CheckConstraint("(term is null) = (version is null)", name="about"),
        Index("ix_messages_thread", "negotiation_id", "created_at", "id"),
        Index(
            "uq_messages_client_key",
            "negotiation_id",
            "user_id",
            "client_key",
            unique=True,
            postgresql_where=sql("client_key is not null"),
        ),
    )

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("msg"))
    negotiation_id: Mapped[str] = mapped_column(String(40))
    org_id: Mapped[str] = mapped_column(String(40))
    to_org_id: Mapped[str] = mapped_column(String(40))
    user_id: Mapped[str] = mapped_column(String(40))
    text: Mapped[LongText]
    lang: Mapped[str] = mapped_column(String(10))
    term: Mapped[str | None] = mapped_column(String(40))
    version: Mapped[int | None]
    files: Mapped[list[Any]] = mapped_column(default=list)
    client_key: Mapped[str | None] = mapped_column(String(40))
    by_mail: Mapped[bool] = mapped_column(default=False, server_default=false())


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
