"""Tables of drafted words and of the calls that made them."""

from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Base, Created, Key, LongText, Moment
from marketplace.kernel.ids import new_id


class AiCall(Created, Base):
    """One call of a model: what was sent, what came back, tokens, cost in millionths of a US dollar."""

    __tablename__ = "ai_calls"
    __table_args__ = (
        CheckConstraint("state in ('reserved', 'done', 'failed')", name="state"),
        Index("ix_ai_calls_org", "org_id", "created_at"),
        Index("ix_ai_calls_job", "job_id"),
    )

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("aic"))
    org_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    user_id: Mapped[str | None] = mapped_column(String(40))
    subject: Mapped[str | None] = mapped_column(String(40))
    job_id: Mapped[str | None] = mapped_column(String(40))
    task: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(10), default="reserved")
    model: Mapped[str] = mapped_column(String(80), default="")
    model_version: Mapped[str] = mapped_column(String(80), default="")
    prompt_tokens: Mapped[int] = mapped_column(default=0)
    output_tokens: Mapped[int] = mapped_column(default=0)
    cost_micros: Mapped[int] = mapped_column(BigInteger, default=0)
    sandbox: Mapped[bool] = mapped_column(default=False)
    sent: Mapped[dict[str, Any]] = mapped_column(default=dict)
    reply: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    error: Mapped[LongText | None]
    finished_at: Mapped[Moment | None]


class ContentDraft(Created, Base):
    """Words for a design. `state` moves by studio.rules.DRAFT; `text` is a story or a lookbook (studio.rules).

    `findings` are the claim check's sentences with their verdict; `sources` the names of the facts that were used.
    """

    __tablename__ = "content_drafts"
    __table_args__ = (
        CheckConstraint("kind in ('story', 'lookbook')", name="kind"),
        CheckConstraint("state in ('draft', 'approved', 'superseded')", name="state"),
        Index("ix_content_drafts_design", "design_id", "created_at"),
        Index(
            "uq_content_drafts_current", "design_id", "kind", "state", unique=True,
            postgresql_where=text("state <> 'superseded'"),
        ),
    )  # fmt: skip

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("drf"))
    design_id: Mapped[str] = mapped_column(ForeignKey("designs.id", ondelete="CASCADE"))
    org_id: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(10))
    text: Mapped[dict[str, Any]]
    findings: Mapped[list[Any]] = mapped_column(default=list)
    sources: Mapped[list[str]] = mapped_column(default=list)
    state: Mapped[str] = mapped_column(String(12), default="draft")
    version: Mapped[int] = mapped_column(default=1)
    edited: Mapped[bool] = mapped_column(default=False)
    sandbox: Mapped[bool] = mapped_column(default=False)
    ai_call_id: Mapped[str | None] = mapped_column(ForeignKey("ai_calls.id"))
    approved_by: Mapped[str | None] = mapped_column(String(40))
    approved_by_name: Mapped[str | None] = mapped_column(String(200))
    approved_at: Mapped[Moment | None]


class PhotoEdit(Created, Base):
    """The steps one photo is edited with (gateways.photos). `state` moves by studio.rules.PHOTO_EDIT.

    `history` holds stacks of steps, `place` says which of them is the present one; the rest are there to go back and
    forth to. `report` tells of the draft that was made of it, `notes` what a proposal had to say. `published` is the
    stack that everybody sees the result of; None while they see the photo as it was uploaded.
    """

    __tablename__ = "photo_edits"
    __table_args__ = (
        CheckConstraint("state in ('plain', 'queued', 'ready', 'failed', 'published')", name="state"),
        Index("ix_photo_edits_design", "design_id"),
    )

    asset_id: Mapped[str] = mapped_column(ForeignKey("assets.id", ondelete="CASCADE"), primary_key=True)
    design_id: Mapped[str] = mapped_column(String(40))
    org_id: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(10), default="plain")
    version: Mapped[int] = mapped_column(default=0)
    history: Mapped[list[Any]] = mapped_column(default=lambda: [[]])
    place: Mapped[int] = mapped_column(default=0)
    report: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    notes: Mapped[list[Any]] = mapped_column(default=list)
    published: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    published_by: Mapped[str | None] = mapped_column(String(40))
    published_at: Mapped[Moment | None]

    @property
    def steps(self) -> list[dict[str, Any]]:
        """The present stack."""
        return list(self.history[self.place])
