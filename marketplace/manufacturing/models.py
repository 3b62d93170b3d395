"""Tables of signed NDAs and of CAD links."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
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
    jti: Mapped[str] = mapped_column(String(64), unique=True)
    expires_at: Mapped[Moment]
    used_at: Mapped[Moment | None]
    used_ip: Mapped[str | None] = mapped_column(String(45))
