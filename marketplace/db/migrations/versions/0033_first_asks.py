"""What holders of first refusals were asked."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from marketplace.db.row_security import ORG, protect

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "first_asks",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("license_id", sa.String(length=40), nullable=False),
        sa.Column("negotiation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("design_id", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("designer_org_id", sa.String(length=40), nullable=False),
        sa.Column("buyer_org_id", sa.String(length=40), nullable=False),
        sa.Column("terms", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("answer_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.String(length=40), nullable=False),
        sa.Column("answered_by", sa.String(length=40), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("addendum_id", sa.String(length=40), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state in ('open','taken_up','let_go','silent','withdrawn')", name=op.f("ck_first_asks_state")
        ),
        sa.CheckConstraint(
            "(state in ('taken_up','let_go')) = (answered_at is not null)", name=op.f("ck_first_asks_answered")
        ),
        sa.CheckConstraint("addendum_id is null or state = 'let_go'", name=op.f("ck_first_asks_addendum")),
        sa.ForeignKeyConstraint(["license_id"], ["licenses.id"], name=op.f("fk_first_asks_license_id")),
        sa.ForeignKeyConstraint(["negotiation_id"], ["negotiations.id"], name=op.f("fk_first_asks_negotiation_id")),
        sa.ForeignKeyConstraint(["designer_org_id"], ["organizations.id"], name=op.f("fk_first_asks_designer_org_id")),
        sa.ForeignKeyConstraint(["buyer_org_id"], ["organizations.id"], name=op.f("fk_first_asks_buyer_org_id")),
        sa.ForeignKeyConstraint(["addendum_id"], ["addenda.id"], name=op.f("fk_first_asks_addendum_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_first_asks")),
    )
    op.create_index(
        "uq_first_asks_offer",
        "first_asks",
        ["license_id", "negotiation_id", "version"],
        unique=True,
        postgresql_where=sa.text("state <> 'withdrawn'"),
    )
    op.create_index("ix_first_asks_negotiation", "first_asks", ["negotiation_id"])
    op.create_index("ix_first_asks_due", "first_asks", ["answer_by"], postgresql_where=sa.text("state = 'open'"))
    protect(op, "first_asks", read=f"designer_org_id = {ORG} or buyer_org_id = {ORG}")


def downgrade() -> None:
    op.drop_table("first_asks")
