"""Tables of signed NDAs, of CAD copies and links, and of traced files."""

from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Base, Created, Key, LongText, Moment
from marketplace.kernel.ids import new_id


class Nda(Created, Base):
    """A workshop's signature under one exact text of an order's NDA. Only `revoked_*` ever change."""

    __tablename__ = "ndas"
    __table_args__ = (
        UniqueConstraint("order_id", "maker_org_id", "version"),
        CheckConstraint("version >= 1", name="version"),
        Index("ix_ndas_order", "order_id", "created_at"),
    )

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("nda"))
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"))
    maker_org_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    designer_org_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    version: Mapped[int]
    language: Mapped[str] = mapped_column(String(10))
    text: Mapped[LongText]
    sha256: Mapped[str] = mapped_column(String(64))
    typed_name: Mapped[str] = mapped_column(String(200))
    user_id: Mapped[str] = mapped_column(String(40))
    ip: Mapped[str | None] = mapped_column(String(45))
    user_agent: Mapped[str | None] = mapped_column(String(300))
    revoked_at: Mapped[Moment | None]
    revoked_by: Mapped[str | None] = mapped_column(String(40))


class CadCopy(Created, Base):
    """A copy of a CAD file, marked for one person, one signature and one download.

    `state`: preparing, ready, fetched, failed, or void when the signature it was made under no longer counts. `sha256`
    is the copy's own, `original_sha256` that of the licensed file. `level` tells what carries the mark: geometry, order
    (of facets), structure (STEP, 3DM) or none. The secret is in CadCopyKey.
    """

    __tablename__ = "cad_copies"
    __table_args__ = (
        CheckConstraint("state in ('preparing', 'ready', 'fetched', 'failed', 'void')", name="state"),
        CheckConstraint("progress between 0 and 100", name="progress"),
        CheckConstraint(
            "state not in ('ready', 'fetched') or (sha256 is not null and level is not null)", name="complete"
        ),
        Index("ix_cad_copies_order", "order_id", "created_at"),
        Index("ix_cad_copies_asset", "asset_id"),
        Index("ix_cad_copies_sha256", "sha256"),
        Index(
            "uq_cad_copies_open",
            "order_id",
            "asset_id",
            "user_id",
            unique=True,
            postgresql_where=text("state in ('preparing', 'ready')"),
        ),
    )

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("cpy"))
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"))
    design_id: Mapped[str] = mapped_column(String(40))
    asset_id: Mapped[str] = mapped_column(String(40))
    filename: Mapped[str] = mapped_column(String(300))
    original_sha256: Mapped[str] = mapped_column(String(64))
    maker_org_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    designer_org_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    user_id: Mapped[str] = mapped_column(String(40))
    nda_id: Mapped[str] = mapped_column(ForeignKey("ndas.id"))
    nda_version: Mapped[int]
    state: Mapped[str] = mapped_column(String(10), default="preparing")
    progress: Mapped[int] = mapped_column(default=0)
    storage_key: Mapped[str | None] = mapped_column(String(200))
    size: Mapped[int | None] = mapped_column(BigInteger)
    sha256: Mapped[str | None] = mapped_column(String(64))
    level: Mapped[str | None] = mapped_column(String(10))
    moved_um: Mapped[float | None]
    volume_change: Mapped[float | None]
    made_at: Mapped[Moment | None]
    keep_until: Mapped[Moment | None]
    fetched_at: Mapped[Moment | None]


class CadCopyKey(Created, Base):
    """The 128-bit secret of a copy and the tag that stands in a STEP or 3DM file. Pages cannot read this table."""

    __tablename__ = "cad_copy_keys"

    copy_id: Mapped[str] = mapped_column(ForeignKey("cad_copies.id"), primary_key=True)
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    tag: Mapped[str] = mapped_column(String(32), unique=True)


class CadShape(Created, Base):
    """What finds a licensed file among all when a suspect is traced (ai_pipeline Shape), and where its bytes are.

    `scale` is mm per unit of the file as it was when its first copy was made. Pages cannot read this table.
    """

    __tablename__ = "cad_shapes"
    __table_args__ = (Index("ix_cad_shapes_sha256", "sha256"),)

    asset_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    design_id: Mapped[str] = mapped_column(String(40))
    filename: Mapped[str] = mapped_column(String(300))
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    scale: Mapped[float]
    shape: Mapped[dict[str, Any]]


class CadTrace(Created, Base):
    """A suspect file an operator had traced: `state` queued, running, done or failed; `result` is tracing.Finding."""

    __tablename__ = "cad_traces"
    __table_args__ = (
        CheckConstraint("state in ('queued', 'running', 'done', 'failed')", name="state"),
        Index("ix_cad_traces_created", "created_at", "id"),
    )

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("trc"))
    user_id: Mapped[str] = mapped_column(String(40))
    filename: Mapped[str] = mapped_column(String(300))
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    storage_key: Mapped[str | None] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(10), default="queued")
    progress: Mapped[int] = mapped_column(default=0)
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    finished_at: Mapped[Moment | None]


class CadLink(Created, Base):
    """A link for one person, one file and one use. `used_at` is set once, when the file is handed over."""

    __tablename__ = "cad_links"
    __table_args__ = (
        Index("ix_cad_links_order", "order_id", "created_at"),
        Index("ix_cad_links_design", "design_id", "created_at", "id"),
    )

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("cad"))
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"))
    design_id: Mapped[str] = mapped_column(String(40))
    asset_id: Mapped[str] = mapped_column(String(40))
    filename: Mapped[str] = mapped_column(String(300))
    sha256: Mapped[str] = mapped_column(String(64))
    maker_org_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    designer_org_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    user_id: Mapped[str] = mapped_column(String(40))
    nda_id: Mapped[str] = mapped_column(ForeignKey("ndas.id"))
    nda_version: Mapped[int]
    copy_id: Mapped[str | None] = mapped_column(ForeignKey("cad_copies.id"))
    jti: Mapped[str] = mapped_column(String(64), unique=True)
    expires_at: Mapped[Moment]
    used_at: Mapped[Moment | None]
    used_ip: Mapped[str | None] = mapped_column(String(45))
