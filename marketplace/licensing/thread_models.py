"""Tables of what happens in a negotiation beside its offers and messages."""

from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Base, Created, Key, Moment
from marketplace.kernel.ids import new_id

#: What an event can be. The end of a negotiation and its reopening are events, so that a second end hides no first.
EVENT_KINDS = (
    "agreed",
    "disagreed",
    "resolved",
    "unresolved",
    "handed_over",
    "accepted",
    "declined",
    "withdrawn",
    "expired",
    "reopened",
    "held",
    "released",
    "first_asked",
    "first_answered",
)


class NegotiationEvent(Created, Base):
    """One thing that happened; never changed. A `private` one is seen by the organization that did it alone."""

    __tablename__ = "negotiation_events"
    __table_args__ = (
        CheckConstraint("kind in ('" + "','".join(EVENT_KINDS) + "')", name="kind"),
        Index("ix_negotiation_events_thread", "negotiation_id", "created_at"),
    )

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("nev"))
    negotiation_id: Mapped[str] = mapped_column(ForeignKey("negotiations.id"))
    org_id: Mapped[str | None] = mapped_column(String(40))
    user_id: Mapped[str | None] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(20))
    private: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int | None]
    term: Mapped[str | None] = mapped_column(String(40))
    message_id: Mapped[str | None] = mapped_column(String(40))
    details: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)


class Assignee(Base):
    """Who of an organization takes care of a negotiation; known to that organization alone."""

    __tablename__ = "negotiation_assignees"
    __table_args__ = (Index("ix_negotiation_assignees_user", "user_id"),)

    negotiation_id: Mapped[str] = mapped_column(ForeignKey("negotiations.id"), primary_key=True)
    org_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    at: Mapped[Moment]
