"""Tables of what is taken of a design: grants, holds, serials. The database keeps the first one by itself."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    column,
    func,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import INT4MULTIRANGE, INT8RANGE, JSONB, TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Base, Created, Key, Moment
from marketplace.kernel.ids import new_id

_SETS: list[tuple[Any, str]] = [
    (column(name), "&&") for name in ("territory_set", "channel_set", "category_set", "metal_set", "period")
]
_EXCLUDING = "('exclusive','sole','buyout')"


class Grant(Base):
    """What one license, or one held offer, takes of a design. Follows `licenses` and `rights_holds` by trigger.

    The sets are numbers of codes as multiranges ({(,)} is everything); `lane` is everything for a kind that shuts
    others out and one number of its own for a kind that does not, so that two lanes meet exactly where one excludes.
    No code writes here: the roles of the product may only read.
    """

    __tablename__ = "rights_grants"
    __table_args__ = (
        CheckConstraint("not isempty(period)", name="period"),
        ExcludeConstraint(
            (column("design_id"), "="),
            *_SETS,
            (column("lane"), "&&"),
            using="gist",
            where=text("kind <> 'first_refusal'"),
            name="ex_rights_grants_others",
        ),
        ExcludeConstraint(
            (column("design_id"), "="),
            (column("holder_org_id"), "<>"),
            *_SETS,
            using="gist",
            where=text(f"kind = 'first_refusal' or kind in {_EXCLUDING}"),
            name="ex_rights_grants_first",
        ),
        Index("ix_rights_grants_design", "design_id"),
    )

    source_id: Mapped[Key] = mapped_column(primary_key=True)
    negotiation_id: Mapped[str] = mapped_column(String(40))
    design_id: Mapped[str] = mapped_column(String(40))
    designer_org_id: Mapped[str] = mapped_column(String(40))
    holder_org_id: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(16))
    terms: Mapped[dict[str, Any]]
    period: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    territory_set: Mapped[Any] = mapped_column(INT4MULTIRANGE)
    channel_set: Mapped[Any] = mapped_column(INT4MULTIRANGE)
    category_set: Mapped[Any] = mapped_column(INT4MULTIRANGE)
    metal_set: Mapped[Any] = mapped_column(INT4MULTIRANGE)
    lane: Mapped[Range[int]] = mapped_column(INT8RANGE)
    held_until: Mapped[Moment | None]


class Hold(Created, Base):
    """The designer keeps the scope of an offer free for its buyer until `held_until`; gone when it ends."""

    __tablename__ = "rights_holds"
    __table_args__ = (
        CheckConstraint("held_until > created_at", name="time"),
        Index("ix_rights_holds_design", "design_id"),
        Index("ix_rights_holds_until", "held_until"),
    )

    negotiation_id: Mapped[str] = mapped_column(ForeignKey("negotiations.id"), primary_key=True)
    version: Mapped[int]
    design_id: Mapped[str] = mapped_column(String(40))
    designer_org_id: Mapped[str] = mapped_column(String(40))
    buyer_org_id: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(16))
    terms: Mapped[dict[str, Any]] = mapped_column(JSONB)
    held_until: Mapped[Moment]


class Serial(Created, Base):
    """Numbers of pieces of a design, `first` to `last`; `released_at` once they are not going to be made."""

    __tablename__ = "serials"
    __table_args__ = (
        CheckConstraint("first >= 1 and last >= first", name="numbers"),
        ExcludeConstraint(
            (column("design_id"), "="),
            (func.int8range(column("first"), column("last"), literal_column("'[]'")), "&&"),
            using="gist",
            where=text("released_at is null"),
            name="ex_serials_numbers",
        ),
        Index("ix_serials_license", "license_id"),
        Index("ix_serials_order", "order_id"),
    )

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("srl"))
    license_id: Mapped[str] = mapped_column(ForeignKey("licenses.id"))
    design_id: Mapped[str] = mapped_column(String(40))
    designer_org_id: Mapped[str] = mapped_column(String(40))
    buyer_org_id: Mapped[str] = mapped_column(String(40))
    # No foreign key: orders are above licensing, and the row only says where the pieces are made.
    order_id: Mapped[str | None] = mapped_column(String(40))
    first: Mapped[int] = mapped_column(BigInteger)
    last: Mapped[int] = mapped_column(BigInteger)
    released_at: Mapped[Moment | None]

    @property
    def count(self) -> int:
        """How many pieces the row stands for."""
        return self.last - self.first + 1
