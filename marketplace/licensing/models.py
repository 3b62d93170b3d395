"""Tables of negotiations and licenses."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Amount, Base, Created, Key, LongText, Moment
from marketplace.kernel import clock
from marketplace.kernel.ids import new_id


class Negotiation(Created, Base):
    """Two sides and one design. `state` moves by rules.NEGOTIATION; `turn` names who may answer the last offer."""

    __tablename__ = "negotiations"
    __table_args__ = (
        CheckConstraint("state in ('open','accepted','declined','expired','withdrawn')", name="state"),
        CheckConstraint("turn in ('designer','buyer')", name="turn"),
        CheckConstraint("current_version >= 1", name="version"),
        CheckConstraint("designer_org_id <> buyer_org_id", name="two_sides"),
        Index(
            "uq_negotiations_open", "design_id", "buyer_org_id", unique=True, postgresql_where=text("state = 'open'")
        ),
        Index("ix_negotiations_designer", "designer_org_id", "updated_at", "id"),
        Index("ix_negotiations_buyer", "buyer_org_id", "updated_at", "id"),
        Index("ix_negotiations_expiry", "expires_at", postgresql_where=text("state = 'open'")),
    )

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("neg"))
    design_id: Mapped[str] = mapped_column(String(40))
    designer_org_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    buyer_org_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    state: Mapped[str] = mapped_column(String(12), default="open")
    turn: Mapped[str] = mapped_column(String(10))
    current_version: Mapped[int] = mapped_column(default=1)
    expires_at: Mapped[Moment]
    snapshot: Mapped[dict[str, Any]]
    accepted_offer_id: Mapped[str | None] = mapped_column(String(40), unique=True)
    closed_code: Mapped[str | None] = mapped_column(String(20))
    closed_reason: Mapped[LongText | None]
    closed_at: Mapped[Moment | None]
    closed_by_org_id: Mapped[str | None] = mapped_column(String(40))
    updated_at: Mapped[Moment] = mapped_column(default=clock.now)


class Offer(Created, Base):
    """One version of the terms; never changed. What was said with it is a message of the thread."""

    __tablename__ = "offers"
    __table_args__ = (
        UniqueConstraint("negotiation_id", "version"),
        CheckConstraint("version >= 1", name="version"),
    )

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("off"))
    negotiation_id: Mapped[str] = mapped_column(ForeignKey("negotiations.id"))
    version: Mapped[int]
    by_org_id: Mapped[str] = mapped_column(String(40))
    by_user_id: Mapped[str] = mapped_column(String(40))
    side: Mapped[str] = mapped_column(String(10))
    terms: Mapped[dict[str, Any]]
    terms_hash: Mapped[str] = mapped_column(String(64))


class ReadMark(Base):
    """Up to when an organization has read a negotiation."""

    __tablename__ = "negotiation_reads"

    negotiation_id: Mapped[str] = mapped_column(ForeignKey("negotiations.id"), primary_key=True)
    org_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    read_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class License(Created, Base):
    """What two sides agreed on, from the accepted offer on. `state` moves by rules.LICENSE."""

    __tablename__ = "licenses"
    __table_args__ = (
        CheckConstraint("state in ('drafting','to_sign','to_pay','active','expired','ended')", name="state"),
        CheckConstraint("kind in ('exclusive','sole','non_exclusive','buyout')", name="kind"),
        CheckConstraint("fee_amount >= 0", name="fee"),
        Index("ix_licenses_design", "design_id"),
        Index("ix_licenses_designer", "designer_org_id", "created_at", "id"),
        Index("ix_licenses_buyer", "buyer_org_id", "created_at", "id"),
        Index("ix_licenses_until", "active_until", postgresql_where=text("state = 'active'")),
    )

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("lic"))
    negotiation_id: Mapped[str] = mapped_column(ForeignKey("negotiations.id"), unique=True)
    offer_id: Mapped[str] = mapped_column(ForeignKey("offers.id"), unique=True)
    design_id: Mapped[str] = mapped_column(String(40))
    designer_org_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    buyer_org_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    terms: Mapped[dict[str, Any]]
    terms_hash: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(16))
    fee_amount: Mapped[Amount]
    currency: Mapped[str] = mapped_column(String(3))
    state: Mapped[str] = mapped_column(String(12), default="drafting")
    document_key: Mapped[str | None] = mapped_column(String(200))
    document_sha256: Mapped[str | None] = mapped_column(String(64))
    signed_document_key: Mapped[str | None] = mapped_column(String(200))
    signed_document_sha256: Mapped[str | None] = mapped_column(String(64))
    signed_at: Mapped[Moment | None]
    active_from: Mapped[Moment | None]
    active_until: Mapped[Moment | None]


class Signature(Base):
    """One side's signature under one exact document; never changed."""

    __tablename__ = "signatures"
    __table_args__ = (
        UniqueConstraint("license_id", "side"),
        CheckConstraint("side in ('designer','buyer')", name="side"),
    )

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("sig"))
    license_id: Mapped[str] = mapped_column(ForeignKey("licenses.id"))
    side: Mapped[str] = mapped_column(String(10))
    user_id: Mapped[str] = mapped_column(String(40))
    org_id: Mapped[str] = mapped_column(String(40))
    typed_name: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
    ip: Mapped[str | None] = mapped_column(String(45))
    user_agent: Mapped[str | None] = mapped_column(String(300))
    document_sha256: Mapped[str] = mapped_column(String(64))
