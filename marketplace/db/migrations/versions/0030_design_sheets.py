"""Which term sheet the offers for a design start from."""

import sqlalchemy as sa
from alembic import op

from marketplace.config import WEB_ROLE
from marketplace.db.row_security import ORG, protect

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_OWN = f"org_id = {ORG}"
_BUYER = "current_setting('app.role', true) = 'buyer'"
_PUBLISHED = f"is_default and deleted_at is null and {_BUYER}"
# Where a buyer starts from is told to everybody who may buy: now also what one design has of its own.
_CHOSEN = (
    f"deleted_at is null and {_BUYER} and exists (select 1 from design_sheets d where d.sheet_id = term_sheets.id)"
)


def _readable(condition: str) -> None:
    op.execute("drop policy web_read on term_sheets")
    op.execute(f"create policy web_read on term_sheets for select to {WEB_ROLE} using ({condition})")


def upgrade() -> None:
    op.create_table(
        "design_sheets",
        sa.Column("design_id", sa.String(length=40), nullable=False),
        sa.Column("org_id", sa.String(length=40), nullable=False),
        sa.Column("sheet_id", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name=op.f("fk_design_sheets_org_id")),
        sa.ForeignKeyConstraint(["sheet_id"], ["term_sheets.id"], name=op.f("fk_design_sheets_sheet_id")),
        sa.PrimaryKeyConstraint("design_id", name=op.f("pk_design_sheets")),
    )
    op.create_index("ix_design_sheets_sheet", "design_sheets", ["sheet_id"])
    protect(op, "design_sheets", read=f"{_OWN} or {_BUYER}", write=_OWN)
    _readable(f"{_OWN} or ({_PUBLISHED}) or ({_CHOSEN})")


def downgrade() -> None:
    _readable(f"{_OWN} or ({_PUBLISHED})")
    op.drop_table("design_sheets")
