"""Reading a thread: each message with its translation for the reader, in one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, func, or_, select, tuple_
from sqlalchemy.orm import Session

from marketplace.messaging.models import Message, MessageTranslation

#: Messages shown at once; earlier ones come by cursor.
PAGE = 60
#: A page that slept through more than this is opened anew by its reader.
_MOST_NEWS = 500
#: No transaction that keeps a translation takes longer than this from reading the clock to its commit.
_OVERLAP = timedelta(seconds=10)


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


def changed_since(
    session: Session, negotiation_id: str, lang: str, since: datetime, *, also: Sequence[str] = ()
) -> list[ThreadMessage]:
    """Messages written or translated after `since`, and those named by `also`, oldest first.

    A translation keeps the time at which its transaction began to write, so those of the moments before `since` are
    told again: what comes twice replaces itself, what never comes would be missed.
    """
    moved = [Message.created_at > since, MessageTranslation.translated_at > since - _OVERLAP]
    if also:
        moved.append(Message.id.in_(also))
    query = _base(negotiation_id, lang).where(or_(*moved))
    rows = session.execute(query.order_by(Message.created_at, Message.id).limit(_MOST_NEWS)).all()
    return [ThreadMessage(row[0], row[1]) for row in rows]


def says(session: Session, negotiation_id: str, words: str) -> bool:
    """Whether a message of the thread, or a translation of one, holds these very words."""
    holds = or_(func.strpos(Message.text, words) > 0, func.strpos(MessageTranslation.text, words) > 0)
    query = (
        select(Message.id)
        .outerjoin(MessageTranslation, MessageTranslation.message_id == Message.id)
        .where(Message.negotiation_id == negotiation_id, holds)
        .limit(1)
    )
    return session.scalars(query).first() is not None


def _base(negotiation_id: str, lang: str):  # type: ignore[no-untyped-def]
    return (
        select(Message, MessageTranslation)
        .outerjoin(
            MessageTranslation,
            and_(MessageTranslation.message_id == Message.id, MessageTranslation.lang == lang),
        )
        .where(Message.negotiation_id == negotiation_id)
    )
