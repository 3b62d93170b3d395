"""Term sheets that studios keep, prices of metal, approval limits and what they hold back."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from marketplace.db.row_security import ORG, protect

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_OWN = f"org_id = {ORG}"
# Where a buyer starts from is told to everybody who may buy.
_PUBLISHED = "is_default and deleted_at is null and current_setting('app.role', true) = 'buyer'"
# A price of metal is told to those who negotiate with the studio.
_NEGOTIATING = (
    f"exists (select 1 from negotiations n where n.designer_org_id = metal_prices.org_id and n.buyer_org_id = {ORG})"
)


def upgrade() -> None:
    op.create_table(
        "term_sheets",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("org_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("terms", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("char_length(name) between 1 and 80", name=op.f("ck_term_sheets_name")),
        sa.CheckConstraint("not is_default or deleted_at is null", name=op.f("ck_term_sheets_default")),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name=op.f("fk_term_sheets_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_term_sheets")),
    )
    op.create_index("ix_term_sheets_org", "term_sheets", ["org_id", "created_at", "id"])
    op.create_index(
        "uq_term_sheets_default", "term_sheets", ["org_id"], unique=True, postgresql_where=sa.text("is_default")
    )
    op.create_table(
        "metal_prices",
        sa.Column("org_id", sa.String(length=40), nullable=False),
        sa.Column("alloy", sa.String(length=40), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_metal_prices_amount")),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name=op.f("fk_metal_prices_org_id")),
        sa.PrimaryKeyConstraint("org_id", "alloy", "currency", name=op.f("pk_metal_prices")),
    )
    op.create_table(
        "approval_policies",
        sa.Column("org_id", sa.String(length=40), nullable=False),
        sa.Column("limits", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("approvers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name=op.f("fk_approval_policies_org_id")),
        sa.PrimaryKeyConstraint("org_id", name=op.f("pk_approval_policies")),
    )
    op.create_table(
        "approvals",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("org_id", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=40), nullable=False),
        sa.Column("design_id", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("negotiation_id", sa.String(length=40), nullable=True),
        sa.Column("action", sa.String(length=10), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("terms", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("terms_hash", sa.String(length=64), nullable=False),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("limit_amount", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("asked_by", sa.String(length=40), nullable=False),
        sa.Column("decided_by", sa.String(length=40), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state in ('pending','approved','refused','withdrawn','void')", name=op.f("ck_approvals_state")
        ),
        sa.CheckConstraint("action in ('accept','offer','reopen','open')", name=op.f("ck_approvals_action")),
        sa.CheckConstraint("(action = 'open') = (negotiation_id is null)", name=op.f("ck_approvals_subject")),
        sa.CheckConstraint("decided_by is null or decided_by <> asked_by", name=op.f("ck_approvals_four_eyes")),
        sa.CheckConstraint(
            "state not in ('approved','refused') or decided_by is not null", name=op.f("ck_approvals_decided")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name=op.f("fk_approvals_org_id")),
        sa.ForeignKeyConstraint(["negotiation_id"], ["negotiations.id"], name=op.f("fk_approvals_negotiation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approvals")),
    )
    op.create_index("ix_approvals_org", "approvals", ["org_id", "created_at", "id"])
    op.create_index(
        "uq_approvals_pending",
        "approvals",
        ["org_id", "subject"],
        unique=True,
        postgresql_where=sa.text("state = 'pending'"),
    )
    protect(op, "term_sheets", read=f"{_OWN} or ({_PUBLISHED})", write=_OWN)
    protect(op, "metal_prices", read=f"{_OWN} or {_NEGOTIATING}", write=_OWN)
    protect(op, "approval_policies", read=_OWN)
    protect(op, "approvals", read=_OWN)


def downgrade() -> None:
    for table in ("approvals", "approval_policies", "metal_prices", "term_sheets"):
        op.drop_table(table)
