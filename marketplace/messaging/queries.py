"""Reading a thread: each message with its translation for the reader, in one statement."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, or_, select, tuple_
from sqlalchemy.orm import Session

from marketplace.messaging.models import Message, MessageTranslation

#: Messages shown at once; earlier ones come by cursor.
PAGE = 60


@dataclass(frozen=True, slots=True)
class ThreadMessage:
    """A message, and its translation into the reader's language when one was asked for."""

    message: Message
    translation: MessageTranslation | None

    @property
    def moved_at(self) -> datetime:
        """When the reader last got to see something new of it."""
        done = self.translation.translated_at if self.translation else None
        return max(self.message.created_at, done) if done else self.message.created_at


def thread(
    session: Session, negotiation_id: str, lang: str, *, before: tuple[datetime, str] | None = None, limit: int = PAGE
) -> tuple[list[ThreadMessage], bool]:
    """The last messages before `before` (time, id), oldest first, and whether there are earlier ones."""
    query = _base(negotiation_id, lang)
    if before:
        query = query.where(tuple_(Message.created_at, Message.id) < before)
    rows = session.execute(query.order_by(Message.created_at.desc(), Message.id.desc()).limit(limit + 1)).all()
    found = [ThreadMessage(row[0], row[1]) for row in rows[:limit]]
    return found[::-1], len(rows) > limit


def changed_since(session: Session, negotiation_id: str, lang: str, since: datetime) -> list[ThreadMessage]:
    """Messages written or translated after `since`, oldest first."""
    query = _base(negotiation_id, lang).where(or_(Message.created_at > since, MessageTranslation.translated_at > since))
    rows = session.execute(query.order_by(Message.created_at, Message.id).limit(PAGE)).all()
    return [ThreadMessage(row[0], row[1]) for row in rows]


def _base(negotiation_id: str, lang: str):  # type: ignore[no-untyped-def]
    return (
        select(Message, MessageTranslation)
        .outerjoin(
            MessageTranslation,
            and_(MessageTranslation.message_id == Message.id, MessageTranslation.lang == lang),
        )
        .where(Message.negotiation_id == negotiation_id)
    )
