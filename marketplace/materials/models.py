"""The tables of alloys, of casting rules, and of the numbers an organization put in their place."""

from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Numeric, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Base, Created, Key, LongText
from marketplace.kernel.ids import new_id


class Alloy(Base):
    """Density in g/cm3 with the range that published sources give; fineness in parts per thousand."""

    __tablename__ = "alloys"
    __table_args__ = (
        CheckConstraint("family in ('gold', 'silver', 'platinum', 'palladium', 'base')", name="family"),
        CheckConstraint("low <= density and density <= high and low > 0", name="range"),
    )

    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    label: Mapped[str] = mapped_column(String(80))
    family: Mapped[str] = mapped_column(String(10))
    fineness: Mapped[int]
    density: Mapped[Decimal] = mapped_column(Numeric(6, 3))
    low: Mapped[Decimal] = mapped_column(Numeric(6, 3))
    high: Mapped[Decimal] = mapped_column(Numeric(6, 3))
    source: Mapped[LongText]
    read_on: Mapped[str] = mapped_column(String(10))
    position: Mapped[int]


class CastingRule(Base):
    """One limit of the rule pack for a process and a family of alloys; "any" fits all.

    `measure` is what `ai_pipeline.cad.rules` compares with the limit, `verdict` which question it answers.
    """

    __tablename__ = "casting_rules"
    __table_args__ = (
        CheckConstraint("process in ('any', 'printed', 'molded')", name="process"),
        CheckConstraint("family in ('any', 'gold', 'silver', 'platinum', 'palladium', 'base')", name="family"),
        CheckConstraint("severity in ('info', 'warning', 'blocker')", name="severity"),
        CheckConstraint("verdict in ('printable', 'castable', 'wearable')", name="verdict"),
    )

    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    process: Mapped[str] = mapped_column(String(10))
    family: Mapped[str] = mapped_column(String(10))
    measure: Mapped[str] = mapped_column(String(20))
    limit_value: Mapped[Decimal] = mapped_column(Numeric(8, 3))
    unit: Mapped[str] = mapped_column(String(4))
    severity: Mapped[str] = mapped_column(String(10))
    verdict: Mapped[str] = mapped_column(String(10))
    source: Mapped[LongText]
    read_on: Mapped[str] = mapped_column(String(10))
    position: Mapped[int]


class MaterialOverride(Created, Base):
    """An organization's own number for an alloy or a rule. `value` empty means the table's number counts again;
    `previous` is what stood there before, so that the last change can be undone.
    """

    __tablename__ = "material_overrides"
    __table_args__ = (
        CheckConstraint("kind in ('alloy', 'rule')", name="kind"),
        UniqueConstraint("org_id", "kind", "code", name="uq_material_overrides_org"),
    )

    id: Mapped[Key] = mapped_column(primary_key=True, default=lambda: new_id("mat"))
    org_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    kind: Mapped[str] = mapped_column(String(10))
    code: Mapped[str] = mapped_column(String(40))
    value: Mapped[Decimal | None] = mapped_column(Numeric(8, 3))
    previous: Mapped[Decimal | None] = mapped_column(Numeric(8, 3))
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id"))
