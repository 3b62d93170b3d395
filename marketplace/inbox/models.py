"""Tables of the inbox. The database fills the first two by trigger, so that no code has to remember them."""

from datetime import date
from typing import Any

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Base, Created, Key, LongText, Moment
from marketplace.kernel.ids import new_id


class InboxThread(Base):
    """A negotiation as one side's inbox shows it; follows negotiations, offers, messages, read marks and licenses.

    `phase` says whose turn it is: mine, theirs, or closed. `unread` counts what the other side wrote or offered since
    the organization last read. Only the database's triggers write here.
    """

    __tablename__ = "inbox_threads"
    __table_args__ = (
        CheckConstraint("side in ('designer','buyer')", name="side"),
        CheckConstraint("phase in ('mine','theirs','closed')", name="phase"),
        CheckConstraint("unread >= 0", name="unread"),
        Index("ix_inbox_threads_moved", "org_id", "moved_at", "negotiation_id"),
        Index("ix_inbox_threads_phase", "org_id", "phase", "moved_at", "negotiation_id"),
        Index(
            "ix_inbox_threads_expiring", "org_id", "expires_at", postgresql_where=text("phase in ('mine', 'theirs')")
        ),
        Index("ix_inbox_threads_unread", "org_id", "moved_at", "negotiation_id", postgresql_where=text("unread > 0")),
        Index("ix_inbox_threads_negotiation", "negotiation_id"),
    )

    org_id: Mapped[Key] = mapped_column(primary_key=True)
    negotiation_id: Mapped[str] = mapped_column(ForeignKey("negotiations.id"), primary_key=True)
    side: Mapped[str] = mapped_column(String(10))
    other_org_id: Mapped[str] = mapped_column(String(40))
    design_id: Mapped[str] = mapped_column(String(40))
    phase: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(12))
    expires_at: Mapped[Moment]
    moved_at: Mapped[Moment]
    unread: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    license_id: Mapped[str | None] = mapped_column(String(40))
    license_state: Mapped[str | None] = mapped_column(String(12))


class ThreadText(Base):
    """The words of a message, a translation or a thread's head, found only through `threads_matching`.

    `words` holds besides the words the ids of the organizations that may find them, so that one index answers both.
    """

    __tablename__ = "thread_texts"
    __table_args__ = (Index("ix_thread_texts_words", "words", postgresql_using="gin"),)

    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    negotiation_id: Mapped[str] = mapped_column(String(40))
    words: Mapped[Any] = mapped_column(TSVECTOR)


class ReplyAddress(Created, Base):
    """An address that posts what one person mails to it into one negotiation, until `expires_at`."""

    __tablename__ = "reply_addresses"
    __table_args__ = (UniqueConstraint("user_id", "org_id", "negotiation_id"),)

    id: Mapped[Key] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(String(40))
    org_id: Mapped[str] = mapped_column(String(40))
    negotiation_id: Mapped[str] = mapped_column(String(40))
    expires_at: Mapped[Moment]


class InboundMail(Created, Base):
    """A mail that came to a reply address. `raw` is forgotten once it was dealt with; `state` moves by rules.INBOUND.

    `delivery` is the provider's own id of the delivery, `message_key` a hash of the mail's Message-ID: either twice
    has no second effect.
    """

    __tablename__ = "inbound_mails"
    __table_args__ = (
        UniqueConstraint("delivery"),
        UniqueConstraint("address_id", "message_key"),
        CheckConstraint("state in ('received','posted','ignored','refused')", name="state"),
        Index("ix_inbound_mails_address", "address_id", "created_at"),
    )

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("inm"))
    address_id: Mapped[str] = mapped_column(String(40))
    delivery: Mapped[str] = mapped_column(String(80))
    message_key: Mapped[str | None] = mapped_column(String(64))
    sender: Mapped[str] = mapped_column(String(320))
    raw: Mapped[bytes | None] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(String(10), default="received")
    reason: Mapped[LongText | None]
    message_id: Mapped[str | None] = mapped_column(String(40))
    #: Files that came along and are on their way into the thread (mail_files.Coming); null once they are there.
    files: Mapped[list[Any] | None]
    done_at: Mapped[Moment | None]


class Digest(Created, Base):
    """That a person's summary of one local day was made; the key refuses a second one."""

    __tablename__ = "digests"

    user_id: Mapped[Key] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    mail_id: Mapped[str | None] = mapped_column(String(40))
