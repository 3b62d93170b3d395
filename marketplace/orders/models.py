"""Tables of orders, requests for quotes, and quotes."""

from datetime import date
from typing import Any

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.accounts.models import Organization
from marketplace.db.base import Amount, Base, Created, Key, LongText, Moment
from marketplace.kernel.ids import new_id
from marketplace.kernel.money import Money


class Order(Created, Base):
    """Pieces a buyer orders under a license. `state` moves by orders.rules.ORDER.

    `lines` is [{quantity, metal, ring_size, engraving}]; `cad` pins what was licensed: [{asset_id, filename, sha256}];
    `spec` is what a workshop may know of the design: {category, facts, brief, metals}; `royalty` freezes the royalty
    terms of the license. Amounts are set by the award, in `currency`.
    """

    __tablename__ = "orders"
    __table_args__ = (
        CheckConstraint("quantity >= 1", name="quantity"),
        CheckConstraint(
            "state in ('placed','quoting','awarded','paid','in_production','shipped','delivered','canceled')",
            name="state",
        ),
        CheckConstraint(
            "production_amount >= 0 and royalty_amount >= 0 and total_amount = production_amount + royalty_amount",
            name="amounts",
        ),
        CheckConstraint(
            "state in ('placed','quoting','canceled') or (maker_org_id is not null and total_amount is not null)",
            name="awarded",
        ),
        *(
            Index(f"ix_orders_{party}", f"{party}_org_id", "created_at", "id")
            for party in ("buyer", "designer", "manager", "maker")
        ),
        Index("ix_orders_license", "license_id"),
        Index("ix_orders_design", "design_id"),
    )

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("ord"))
    license_id: Mapped[str] = mapped_column(ForeignKey("licenses.id"))
    design_id: Mapped[str] = mapped_column(ForeignKey("designs.id"))
    design_title: Mapped[str] = mapped_column(String(200))
    buyer_org_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    designer_org_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    manager_org_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    maker_org_id: Mapped[str | None] = mapped_column(ForeignKey("organizations.id"))
    placed_by: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(20), default="placed")
    quantity: Mapped[int]
    lines: Mapped[list[Any]]
    ship_to: Mapped[dict[str, Any]]
    cad: Mapped[list[Any]] = mapped_column(default=list)
    spec: Mapped[dict[str, Any]] = mapped_column(default=dict)
    royalty: Mapped[dict[str, Any]] = mapped_column(default=dict)
    currency: Mapped[str] = mapped_column(String(3))
    quote_id: Mapped[str | None] = mapped_column(String(40))
    checkout_id: Mapped[str | None] = mapped_column(String(40))
    production_amount: Mapped[Amount | None]
    royalty_amount: Mapped[Amount | None]
    total_amount: Mapped[Amount | None]
    nda_version: Mapped[int] = mapped_column(default=1)
    nda_clause: Mapped[LongText | None]
    cancel_reason: Mapped[LongText | None]
    quotes_asked_at: Mapped[Moment | None]
    awarded_at: Mapped[Moment | None]
    paid_at: Mapped[Moment | None]
    shipped_at: Mapped[Moment | None]
    delivered_at: Mapped[Moment | None]
    canceled_at: Mapped[Moment | None]

    # Loaded with the order where a page names them, see access.load_order; never one by one.
    buyer: Mapped[Organization] = relationship(foreign_keys=buyer_org_id, viewonly=True, lazy="raise")
    designer: Mapped[Organization] = relationship(foreign_keys=designer_org_id, viewonly=True, lazy="raise")
    manager: Mapped[Organization] = relationship(foreign_keys=manager_org_id, viewonly=True, lazy="raise")
    maker: Mapped[Organization | None] = relationship(foreign_keys=maker_org_id, viewonly=True, lazy="raise")

    @property
    def reference(self) -> str:
        """The short name people use for the order on paper and on the phone."""
        return self.id.removeprefix("ord_")[:8].upper()

    @property
    def production(self) -> Money | None:
        """Pieces and tooling, once awarded."""
        return None if self.production_amount is None else Money(self.production_amount, self.currency)

    @property
    def royalty_due(self) -> Money | None:
        """The royalty paid with the order, once awarded."""
        return None if self.royalty_amount is None else Money(self.royalty_amount, self.currency)

    @property
    def total(self) -> Money | None:
        """What the buyer pays, once awarded."""
        return None if self.total_amount is None else Money(self.total_amount, self.currency)


class Rfq(Created, Base):
    """The question to one workshop, with the specification it may see. `state` moves by orders.rules.RFQ.

    `spec` holds what is needed to quote without the CAD: {title, category, quantity, lines, currency, facts, cad}.
    """

    __tablename__ = "rfqs"
    __table_args__ = (
        UniqueConstraint("order_id", "maker_org_id"),
        CheckConstraint("state in ('open','quoted','won','lost','expired')", name="state"),
        Index("ix_rfqs_maker", "maker_org_id", "created_at", "id"),
    )

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("rfq"))
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"))
    design_id: Mapped[str] = mapped_column(String(40))
    designer_org_id: Mapped[str] = mapped_column(String(40))
    manager_org_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    maker_org_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    state: Mapped[str] = mapped_column(String(10), default="open")
    spec: Mapped[dict[str, Any]]
    quotes: Mapped[list["Quote"]] = relationship(back_populates="rfq", order_by="Quote.created_at")
    maker: Mapped[Organization] = relationship(foreign_keys=maker_org_id, viewonly=True, lazy="raise")

    @property
    def quote(self) -> "Quote | None":
        """The quote that counts: the last one that was not replaced."""
        return next((q for q in reversed(self.quotes) if q.state != "replaced"), None)


class Quote(Created, Base):
    """A workshop's price. `valid_until` is the last day, UTC. `state` moves by orders.rules.QUOTE."""

    __tablename__ = "quotes"
    __table_args__ = (
        CheckConstraint("unit_price > 0 and tooling >= 0", name="amounts"),
        CheckConstraint("lead_days between 1 and 730", name="lead_days"),
        CheckConstraint("state in ('open','replaced','won','lost','expired')", name="state"),
        Index("uq_quotes_current", "rfq_id", unique=True, postgresql_where=text("state <> 'replaced'")),
        Index("uq_quotes_won", "order_id", unique=True, postgresql_where=text("state = 'won'")),
        Index("ix_quotes_valid", "valid_until", postgresql_where=text("state = 'open'")),
    )

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("quo"))
    rfq_id: Mapped[str] = mapped_column(ForeignKey("rfqs.id"))
    # No foreign key: its check would lock the order after the request, the award locks them the other way round.
    order_id: Mapped[str] = mapped_column(String(40))
    manager_org_id: Mapped[str] = mapped_column(String(40))
    maker_org_id: Mapped[str] = mapped_column(String(40))
    user_id: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(10), default="open")
    unit_price: Mapped[Amount]
    tooling: Mapped[Amount]
    currency: Mapped[str] = mapped_column(String(3))
    lead_days: Mapped[int]
    valid_until: Mapped[date] = mapped_column(Date)
    note: Mapped[LongText | None]
    rfq: Mapped[Rfq] = relationship(back_populates="quotes")

    @property
    def unit(self) -> Money:
        """Price of one piece."""
        return Money(self.unit_price, self.currency)

    @property
    def tool(self) -> Money:
        """One-time cost."""
        return Money(self.tooling, self.currency)

    def production(self, quantity: int) -> Money:
        """Price of `quantity` pieces with tooling."""
        return self.unit * quantity + self.tool
