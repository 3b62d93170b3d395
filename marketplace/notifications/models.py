"""The tables of notifications and outgoing mail."""

from typing import Any

from sqlalchemy import CheckConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Base, Created, Key, LongText, Moment
from marketplace.kernel.ids import new_id


class Notification(Created, Base):
    """One event for one person; its words come from `kind` and `params` in the reader's language."""

    __tablename__ = "notifications"
    __table_args__ = (Index("ix_notifications_user", "user_id", "created_at", "id"),)

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("ntf"))
    user_id: Mapped[str] = mapped_column(String(40))
    org_id: Mapped[str | None] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(40))
    params: Mapped[dict[str, Any]] = mapped_column(default=dict)
    path: Mapped[str | None] = mapped_column(String(300))
    read_at: Mapped[Moment | None]


class Mail(Created, Base):
    """One outgoing message; rendered when it is sent, so that no secret link is kept longer than needed."""

    __tablename__ = "mails"

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("mail"))
    user_id: Mapped[str | None] = mapped_column(String(40))
    to: Mapped[str] = mapped_column(String(320))
    locale: Mapped[str] = mapped_column(String(10))
    template: Mapped[str] = mapped_column(String(60))
    params: Mapped[dict[str, Any]] = mapped_column(default=dict)
    sent_at: Mapped[Moment | None]
    refused: Mapped[LongText | None]


class MailSetting(Created, Base):
    """How a person wants to hear of negotiations by mail; no row means at once.

    `threads` is immediate, daily (one summary in the morning) or off.
    """

    __tablename__ = "mail_settings"
    __table_args__ = (CheckConstraint("threads in ('immediate','daily','off')", name="threads"),)

    user_id: Mapped[Key] = mapped_column(primary_key=True)
    threads: Mapped[str] = mapped_column(String(10), default="immediate")
