"""Tables of designs, their files, what is made of the files, and facts."""

from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Amount, Base, Created, Key, LongText, Moment
from marketplace.kernel.ids import new_id
from marketplace.kernel.money import Money

#: JSON whose None is NULL, not the JSON word null.
_JSON = JSONB(none_as_null=True)

# `metadata` is taken by SQLAlchemy on mapped classes, so the column of that name is mapped as `details`.


class Design(Created, Base):
    """One piece of jewelry of a studio. `state` moves by designs.rules.DESIGN.

    `cover` ({key, width, height, placeholder}) and `cad_pins` ([{asset_id, sha256, filename, size}]) are kept beside
    the row so that cards need no other table and a buyer's snapshot needs no right to the CAD rows. `story` and
    `lookbook` are the approved words, with who approved them and when; drafts are the studio's.
    """

    __tablename__ = "designs"
    __table_args__ = (
        CheckConstraint("state in ('draft', 'listed', 'removed')", name="state"),
        CheckConstraint("list_price_amount is null or list_price_amount >= 0", name="list_price_amount"),
        CheckConstraint("(list_price_amount is null) = (list_price_currency is null)", name="list_price"),
        Index("ix_designs_org", "org_id", "created_at", "id"),
        Index("ix_designs_listed", "listed_at", "id", postgresql_where=text("state = 'listed'")),
        Index("ix_designs_category", "category", "listed_at", "id", postgresql_where=text("state = 'listed'")),
        Index("ix_designs_search", func.to_tsvector(text("'simple'"), text("search")), postgresql_using="gin"),
        Index("ix_designs_metadata", "metadata", postgresql_using="gin", postgresql_ops={"metadata": "jsonb_path_ops"}),
    )

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("dsn"))
    org_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    title: Mapped[str] = mapped_column(String(200))
    category: Mapped[str | None] = mapped_column(String(20))
    description: Mapped[LongText] = mapped_column(default="")
    details: Mapped[dict[str, Any]] = mapped_column("metadata", _JSON, default=dict)
    list_price_amount: Mapped[Amount | None]
    list_price_currency: Mapped[str | None] = mapped_column(String(3))
    no_cad_reason: Mapped[LongText | None]
    state: Mapped[str] = mapped_column(String(10), default="draft")
    version: Mapped[int] = mapped_column(default=1)
    listed_at: Mapped[Moment | None]
    purge_after: Mapped[Moment | None]
    search: Mapped[LongText] = mapped_column(default="")
    cover: Mapped[dict[str, Any] | None] = mapped_column(_JSON)
    cad_pins: Mapped[list[Any]] = mapped_column(default=list)
    story: Mapped[dict[str, Any] | None] = mapped_column(_JSON)
    lookbook: Mapped[dict[str, Any] | None] = mapped_column(_JSON)

    @property
    def list_price(self) -> Money | None:
        """The indicative license fee."""
        if self.list_price_amount is None or self.list_price_currency is None:
            return None
        return Money(self.list_price_amount, self.list_price_currency)

    @property
    def metals(self) -> list[str]:
        """Alloy codes or words, most important first."""
        return list(self.details.get("metals", []))

    @property
    def stones(self) -> list[str]:
        """Stone names, lower case."""
        return list(self.details.get("stones", []))


class Asset(Created, Base):
    """One uploaded file. `state` moves by designs.rules.ASSET.

    The browser writes to `upload_key`, whole or in the parts of `upload_id`; after the bytes were verified they are
    kept under `storage_key`, which no upload form ever named. `reason` is {code, message, params} of a refusal,
    `report` what reading it told.
    """

    __tablename__ = "assets"
    __table_args__ = (
        CheckConstraint("kind in ('photo', 'cad', 'reference', 'evidence', 'attachment')", name="kind"),
        CheckConstraint("state in ('awaiting_upload', 'uploaded', 'processing', 'ready', 'rejected')", name="state"),
        CheckConstraint("size > 0", name="size"),
        CheckConstraint("progress between 0 and 100", name="progress"),
        CheckConstraint("num_nonnulls(design_id, order_id, negotiation_id) <= 1", name="owner"),
        Index("ix_assets_design", "design_id", "position", "id"),
        Index("ix_assets_order", "order_id", postgresql_where=text("order_id is not null")),
        Index("ix_assets_negotiation", "negotiation_id", postgresql_where=text("negotiation_id is not null")),
        Index("ix_assets_org_sha256", "org_id", "sha256"),
        Index("ix_assets_waiting", "created_at", postgresql_where=text("state = 'awaiting_upload'")),
        Index(
            "uq_assets_design_sha256",
            "design_id",
            "kind",
            "sha256",
            unique=True,
            postgresql_where=text("removed_at is null and state <> 'rejected' and design_id is not null"),
        ),
    )

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("ast"))
    design_id: Mapped[str | None] = mapped_column(ForeignKey("designs.id"))
    order_id: Mapped[str | None] = mapped_column(String(40))
    negotiation_id: Mapped[str | None] = mapped_column(String(40))
    org_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    user_id: Mapped[str | None] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(10))
    filename: Mapped[str] = mapped_column(String(255))
    content_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    upload_key: Mapped[str | None] = mapped_column(String(200))
    #: It came with a mail and follows that mail's words by itself; no composer shows it.
    by_mail: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    #: The store's name for an upload in parts that was begun and not yet completed.
    upload_id: Mapped[str | None] = mapped_column(String(1024))
    storage_key: Mapped[str | None] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(20), default="awaiting_upload")
    progress: Mapped[int] = mapped_column(default=0)
    reason: Mapped[dict[str, Any] | None] = mapped_column(_JSON)
    report: Mapped[dict[str, Any]] = mapped_column(default=dict)
    unit: Mapped[str | None] = mapped_column(String(4))
    choices: Mapped[dict[str, Any]] = mapped_column(default=dict)
    round: Mapped[int] = mapped_column(default=0)
    render_state: Mapped[str | None] = mapped_column(String(10))
    render_progress: Mapped[int] = mapped_column(default=0)
    position: Mapped[int] = mapped_column(default=0)
    removed_at: Mapped[Moment | None]


class Derivative(Created, Base):
    """One file made from an asset: a picture at one width, or the coarse 3D preview.

    `role` is unique within the asset (`photo_640_webp`, `render_hero_640_webp`, `preview_glb`); `view` groups the
    widths of one picture (`photo`, `hero`, `front`, ..., `glb`; of an edited photo also `draft`, `before`, `original`).
    `edits` are the kinds of steps an edited photo was made with, and how far its color moved. `design_id` and
    `order_id` repeat the asset's, so that a listed design's pictures can be read without a right to the CAD they were
    made from.
    """

    __tablename__ = "derivatives"
    __table_args__ = (
        UniqueConstraint("asset_id", "role"),
        Index("ix_derivatives_design", "design_id", "position"),
        Index("ix_derivatives_order", "order_id", postgresql_where=text("order_id is not null")),
    )

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("drv"))
    asset_id: Mapped[str] = mapped_column(ForeignKey("assets.id", ondelete="CASCADE"))
    design_id: Mapped[str | None] = mapped_column(String(40))
    order_id: Mapped[str | None] = mapped_column(String(40))
    org_id: Mapped[str] = mapped_column(String(40))
    role: Mapped[str] = mapped_column(String(60))
    view: Mapped[str] = mapped_column(String(30))
    storage_key: Mapped[str] = mapped_column(String(200))
    content_type: Mapped[str] = mapped_column(String(100))
    width: Mapped[int | None]
    height: Mapped[int | None]
    size: Mapped[int] = mapped_column(BigInteger)
    placeholder: Mapped[LongText | None]
    position: Mapped[int] = mapped_column(default=0)
    hidden: Mapped[bool] = mapped_column(default=False)
    edits: Mapped[dict[str, Any] | None] = mapped_column(_JSON)


class MarkedCover(Created, Base):
    """A cover of a design that is not listed (any more), marked for the one organization that may still see it."""

    __tablename__ = "marked_covers"

    design_id: Mapped[str] = mapped_column(ForeignKey("designs.id", ondelete="CASCADE"), primary_key=True)
    viewer_org_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    org_id: Mapped[str] = mapped_column(String(40))
    source_key: Mapped[str] = mapped_column(String(200))
    storage_key: Mapped[str] = mapped_column(String(200))


class Fact(Created, Base):
    """One thing known about a design. A person's value stands before the measured one, which stays in `measured`."""

    __tablename__ = "facts"
    __table_args__ = (CheckConstraint("source in ('measured', 'ai', 'human')", name="source"),)

    design_id: Mapped[str] = mapped_column(ForeignKey("designs.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    asset_id: Mapped[str | None] = mapped_column(ForeignKey("assets.id", ondelete="SET NULL"))
    value: Mapped[Any | None] = mapped_column(_JSON)
    unit: Mapped[str] = mapped_column(String(10), default="")
    source: Mapped[str] = mapped_column(String(10))
    method: Mapped[LongText] = mapped_column(default="")
    confidence: Mapped[float] = mapped_column(default=1.0)
    tolerance: Mapped[float | None]
    reason: Mapped[str | None] = mapped_column(String(60))
    measured: Mapped[Any | None] = mapped_column(_JSON)
    confirmed_by: Mapped[str | None] = mapped_column(String(40))
    confirmed_at: Mapped[Moment | None]


class DiscardedObject(Created, Base):
    """A stored object (or, ending in `/`, a folder of them) to delete once `due_at` has passed.

    Written before a job stores anything and taken back with its results, so that what a killed job left is found.
    """

    __tablename__ = "discarded_objects"

    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    due_at: Mapped[Moment]
