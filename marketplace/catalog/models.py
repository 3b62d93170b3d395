"""The table of saved designs."""

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Base, Created


class SavedDesign(Created, Base):
    """A listed design that a person keeps an eye on; colleagues of the same organization see it too."""

    __tablename__ = "saved_designs"
    __table_args__ = (Index("ix_saved_designs_org", "org_id", "created_at", "design_id"),)

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), primary_key=True)
    design_id: Mapped[str] = mapped_column(ForeignKey("designs.id"), primary_key=True)
    org_id: Mapped[str] = mapped_column(String(40))
