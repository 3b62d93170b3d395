"""Tables of negotiations and licenses."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Amount, Base, Created, Key, LongText, Moment
from marketplace.kernel import clock
from marketplace.kernel.ids import new_id

#: The set of clauses that agreements are made from today.
CLAUSES = "2026-11-21"


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
    # The version that the buyer's colleagues are asked about (playbook.approvals); says nothing once another stands.
    considered_version: Mapped[int | None]
    # Since when the designer knows the buyer's name, by the agreement; identity.unlock sets it.
    buyer_named_at: Mapped[Moment | None]


class Offer(Created, Base):
    """One version of the terms; never changed. What was said with it is a message of the thread.

    `exchange` are the reference rates that stood when it was made, from its currency to that of each side's country.
    """

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
    exchange: Mapped[list[Any]] = mapped_column(default=list, server_default=text("'[]'"))


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
        CheckConstraint(
            "state in ('drafting','to_sign','to_pay','active','breach','expired','sell_off','ended')", name="state"
        ),
        CheckConstraint(
            "kind in ('exclusive','sole','non_exclusive','first_refusal','limited_edition','buyout')", name="kind"
        ),
        CheckConstraint("fee_amount >= 0", name="fee"),
        Index("ix_licenses_design", "design_id"),
        Index("ix_licenses_designer", "designer_org_id", "created_at", "id"),
        Index("ix_licenses_buyer", "buyer_org_id", "created_at", "id"),
        Index("ix_licenses_document_sha256", "document_sha256"),
        Index("ix_licenses_signed_document_sha256", "signed_document_sha256"),
        CheckConstraint("(state = 'breach') = (cure_until is not null)", name="cure"),
        CheckConstraint("(state = 'ended') = (ended_why is not null)", name="ended_why"),
        Index("ix_licenses_until", "active_until", postgresql_where=text("state in ('active','breach')")),
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
    #: The set of clauses the agreement was made from (contract/clauses).
    clause_version: Mapped[str] = mapped_column(String(20), default=CLAUSES)
    #: What the public page finds the signed agreement by; printed on its certificate.
    verify_code: Mapped[str | None] = mapped_column(String(40), unique=True)
    sealed_at: Mapped[Moment | None]
    #: Until when the breach can be cured, and the side that gave notice of it.
    cure_until: Mapped[Moment | None]
    breach_by: Mapped[str | None] = mapped_column(String(10))
    sell_off_until: Mapped[Moment | None]
    ended_at: Mapped[Moment | None]
    #: not_signed, not_paid, term, mutual or breach.
    ended_why: Mapped[str | None] = mapped_column(String(12))
    #: When the buyer said that files, molds and masters are destroyed.
    attested_at: Mapped[Moment | None]


class Signature(Base):
    """One side's signature under one exact document, the agreement's or (with `addendum_id`) an addendum's; fixed."""

    __tablename__ = "signatures"
    __table_args__ = (
        Index(
            "uq_signatures_license_side",
            "license_id",
            "side",
            unique=True,
            postgresql_where=text("addendum_id is null"),
        ),
        Index("uq_signatures_addendum_side", "addendum_id", "side", unique=True),
        CheckConstraint("side in ('designer','buyer')", name="side"),
        CheckConstraint("(method = 'drawn') = (drawn is not null)", name="drawn"),
    )

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("sig"))
    license_id: Mapped[str] = mapped_column(ForeignKey("licenses.id"))
    addendum_id: Mapped[str | None] = mapped_column(ForeignKey("addenda.id"))
    side: Mapped[str] = mapped_column(String(10))
    user_id: Mapped[str] = mapped_column(String(40))
    org_id: Mapped[str] = mapped_column(String(40))
    typed_name: Mapped[str] = mapped_column(String(200))
    method: Mapped[str] = mapped_column(String(10), default="typed")
    #: The drawn signature: path data of an SVG (contract/drawn.py).
    drawn: Mapped[LongText | None]
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
    ip: Mapped[str | None] = mapped_column(String(45))
    user_agent: Mapped[str | None] = mapped_column(String(300))
    document_sha256: Mapped[str] = mapped_column(String(64))
    #: What the signer was told about signing electronically; null on signatures from before it was said.
    disclosure_version: Mapped[str | None] = mapped_column(String(20))
    disclosure_sha256: Mapped[str | None] = mapped_column(String(64))
    #: When the signer last proved to be the account's owner.
    proved_at: Mapped[Moment | None]


class Addendum(Created, Base):
    """An amendment (new terms) or a termination of a license. `state` moves by rules.ADDENDUM.

    `by_side` proposes it and signs first. A termination for breach needs no second signature (`signers` is 1).
    """

    __tablename__ = "addenda"
    __table_args__ = (
        UniqueConstraint("license_id", "number"),
        CheckConstraint("kind in ('amendment','termination')", name="kind"),
        CheckConstraint("state in ('drafting','to_sign','done','declined','withdrawn','lapsed')", name="state"),
        CheckConstraint("by_side in ('designer','buyer')", name="side"),
        CheckConstraint("(kind = 'amendment') = (terms is not null and terms_hash is not null)", name="terms"),
        CheckConstraint("signers in (1, 2)", name="signers"),
        Index("ix_addenda_document_sha256", "document_sha256"),
        Index("ix_addenda_signed_document_sha256", "signed_document_sha256"),
        Index("uq_addenda_open", "license_id", unique=True, postgresql_where=text("state in ('drafting','to_sign')")),
    )

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("add"))
    license_id: Mapped[str] = mapped_column(ForeignKey("licenses.id"))
    number: Mapped[int]
    kind: Mapped[str] = mapped_column(String(12))
    state: Mapped[str] = mapped_column(String(12), default="drafting")
    by_side: Mapped[str] = mapped_column(String(10))
    by_user_id: Mapped[str] = mapped_column(String(40))
    signers: Mapped[int] = mapped_column(default=2)
    reason: Mapped[LongText | None]
    #: The terms that apply once it is signed, and the hash of those it was made from.
    terms: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    terms_hash: Mapped[str | None] = mapped_column(String(64))
    base_terms_hash: Mapped[str] = mapped_column(String(64))
    #: Months in which a terminated license's stock may still be sold.
    sell_off_months: Mapped[int] = mapped_column(default=0)
    clause_version: Mapped[str] = mapped_column(String(20), default=CLAUSES)
    document_key: Mapped[str | None] = mapped_column(String(200))
    document_sha256: Mapped[str | None] = mapped_column(String(64))
    signed_document_key: Mapped[str | None] = mapped_column(String(200))
    signed_document_sha256: Mapped[str | None] = mapped_column(String(64))
    signed_at: Mapped[Moment | None]
    verify_code: Mapped[str | None] = mapped_column(String(40), unique=True)
    sealed_at: Mapped[Moment | None]
    closed_at: Mapped[Moment | None]


class LicenseEvent(Base):
    """One thing that happened to a license; never changed. Each carries the hash of the one before it."""

    __tablename__ = "license_events"
    __table_args__ = (
        UniqueConstraint("license_id", "seq"),
        UniqueConstraint("license_id", "key"),
        CheckConstraint("seq >= 1", name="seq"),
    )

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("lev"))
    license_id: Mapped[str] = mapped_column(ForeignKey("licenses.id"))
    seq: Mapped[int]
    kind: Mapped[str] = mapped_column(String(30))
    #: Names an event that happens at most once to a license, such as a notice.
    key: Mapped[str | None] = mapped_column(String(80))
    at: Mapped[Moment]
    side: Mapped[str | None] = mapped_column(String(10))
    user_id: Mapped[str | None] = mapped_column(String(40))
    addendum_id: Mapped[str | None] = mapped_column(String(40))
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class AgreementText(Created, Base):
    """Everything a document says, as it was drawn up; never changed. The signed document is made from it again.

    `id` is the license's or the addendum's.
    """

    __tablename__ = "agreement_texts"

    id: Mapped[Key] = mapped_column(primary_key=True)
    license_id: Mapped[str] = mapped_column(ForeignKey("licenses.id"))
    clause_version: Mapped[str] = mapped_column(String(20))
    content: Mapped[dict[str, Any]]
