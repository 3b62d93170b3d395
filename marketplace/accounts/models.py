"""Tables of people and organizations."""

from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.db.base import Base, Created, Key, LongText, Moment
from marketplace.kernel import clock
from marketplace.kernel.ids import new_id


class User(Created, Base):
    """A person. `email` is kept as typed; `email_key` is its case-folded form and unique.

    `time_zone` is an IANA name, as the person's browser or the person told it.
    """

    __tablename__ = "users"
    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("usr"))
    name: Mapped[str] = mapped_column(String(200))
    email: Mapped[str] = mapped_column(String(320))
    email_key: Mapped[str] = mapped_column(String(320), unique=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    locale: Mapped[str] = mapped_column(String(10), default="en")
    time_zone: Mapped[str | None] = mapped_column(String(40))
    email_confirmed_at: Mapped[Moment | None]
    adult_declared_at: Mapped[Moment | None]
    terms_version: Mapped[str | None] = mapped_column(String(20))
    terms_accepted_at: Mapped[Moment | None]
    suspended_at: Mapped[Moment | None]
    memberships: Mapped[list["Membership"]] = relationship(back_populates="user")


class Organization(Created, Base):
    """A studio, shop, workshop, production house, or the operator. `state` moves by accounts.rules.VETTING.

    `skeleton` is the name as it looks (accounts.lookalikes): two names that look alike have one.
    """

    __tablename__ = "organizations"
    __table_args__ = (Index("ix_organizations_skeleton", "skeleton"),)

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("org"))
    name: Mapped[str] = mapped_column(String(200))
    skeleton: Mapped[str | None] = mapped_column(String(400))
    kind: Mapped[str] = mapped_column(String(20))
    address: Mapped[LongText]
    country: Mapped[str] = mapped_column(String(2))
    state: Mapped[str] = mapped_column(String(20))
    reviewed_at: Mapped[Moment | None]
    review_reason: Mapped[LongText | None]
    reviewed_by: Mapped[str | None] = mapped_column(String(40))
    profile: Mapped[dict[str, Any]] = mapped_column(default=dict)
    memberships: Mapped[list["Membership"]] = relationship(back_populates="organization")


class Membership(Created, Base):
    """A person's role in an organization."""

    __tablename__ = "memberships"
    __table_args__ = (UniqueConstraint("org_id", "user_id"), Index("ix_memberships_user", "user_id"))

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("mem"))
    org_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    role: Mapped[str] = mapped_column(String(20))
    is_admin: Mapped[bool] = mapped_column(default=False)
    user: Mapped[User] = relationship(back_populates="memberships")
    organization: Mapped[Organization] = relationship(back_populates="memberships")


class LoginSession(Created, Base):
    """A signed-in browser. The cookie's value is random; only its hash is here."""

    __tablename__ = "sessions"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), index=True)
    org_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    expires_at: Mapped[Moment]
    ip: Mapped[str | None] = mapped_column(String(45))
    user_agent: Mapped[str | None] = mapped_column(String(300))
    #: When the password was last typed in this session (accounts/step_up.py).
    proved_at: Mapped[Moment] = mapped_column(default=clock.now)


class ApiToken(Created, Base):
    """A bearer token of the API, hashed."""

    __tablename__ = "api_tokens"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), index=True)
    scopes: Mapped[list[str]]
    expires_at: Mapped[Moment]


class Invitation(Created, Base):
    """An open place in an organization, for one address."""

    __tablename__ = "invitations"
    __table_args__ = (Index("ix_invitations_org", "org_id"),)

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("inv"))
    org_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    email: Mapped[str] = mapped_column(String(320))
    role: Mapped[str] = mapped_column(String(20))
    invited_by: Mapped[str] = mapped_column(ForeignKey("users.id"))
    accepted_at: Mapped[Moment | None]
    withdrawn_at: Mapped[Moment | None]


class UsedToken(Created, Base):
    """A one-time link that has been used, by the id inside it."""

    __tablename__ = "used_tokens"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(20))
