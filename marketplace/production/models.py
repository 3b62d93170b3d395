"""Tables of production stages and shipments."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Amount, Base, Created, Key, LongText, Moment
from marketplace.kernel.ids import new_id
from marketplace.kernel.money import Money


class StageEvent(Created, Base):
    """One finished stage of an order, with what shows it; never changed. `evidence` is a list of asset ids."""

    __tablename__ = "stage_events"
    __table_args__ = (Index("ix_stage_events_order", "order_id", "created_at", "id"),)

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("stg"))
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"))
    maker_org_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    user_id: Mapped[str] = mapped_column(String(40))
    stage: Mapped[str] = mapped_column(String(20))
    note: Mapped[LongText | None]
    evidence: Mapped[list[str]] = mapped_column(default=list)


class Shipment(Created, Base):
    """How the pieces travel; one for an order. The declared value is what the cover must reach."""

    __tablename__ = "shipments"
    __table_args__ = (CheckConstraint("declared_amount >= 0", name="declared"),)

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("shp"))
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"), unique=True)
    maker_org_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    user_id: Mapped[str] = mapped_column(String(40))
    carrier: Mapped[str] = mapped_column(String(80))
    tracking: Mapped[str] = mapped_column(String(120))
    declared_amount: Mapped[Amount | None]
    declared_currency: Mapped[str | None] = mapped_column(String(3))
    shipped_at: Mapped[Moment]

    @property
    def declared(self) -> Money | None:
        """The declared value."""
        if self.declared_amount is None or self.declared_currency is None:
            return None
        return Money(self.declared_amount, self.declared_currency)
