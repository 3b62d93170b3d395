"""Designs, files, facts, drafted words, saved designs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from marketplace.db import row_security
from marketplace.db.row_security import OPERATOR, ORG, USER

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _shown(column: str) -> str:
    return f"exists (select 1 from designs d where d.id = {column} and d.state <> 'draft')"


def upgrade() -> None:
    op.create_table(
        "discarded_objects",
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_discarded_objects")),
    )
    op.create_table(
        "ai_calls",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("org_id", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=True),
        sa.Column("subject", sa.String(length=40), nullable=True),
        sa.Column("job_id", sa.String(length=40), nullable=True),
        sa.Column("task", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("model", sa.String(length=80), nullable=False),
        sa.Column("model_version", sa.String(length=80), nullable=False),
        sa.Column("prompt_tokens", sa.Integer(), nullable=False),
        sa.Column("output_tokens", sa.Integer(), nullable=False),
        sa.Column("cost_micros", sa.BigInteger(), nullable=False),
        sa.Column("sandbox", sa.Boolean(), nullable=False),
        sa.Column("sent", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reply", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state in ('reserved', 'done', 'failed')", name=op.f("ck_ai_calls_state")),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name=op.f("fk_ai_calls_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ai_calls")),
    )
    op.create_index("ix_ai_calls_job", "ai_calls", ["job_id"], unique=False)
    op.create_index("ix_ai_calls_org", "ai_calls", ["org_id", "created_at"], unique=False)
    op.create_table(
        "designs",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("org_id", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("category", sa.String(length=20), nullable=True),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("metadata", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("list_price_amount", sa.BigInteger(), nullable=True),
        sa.Column("list_price_currency", sa.String(length=3), nullable=True),
        sa.Column("no_cad_reason", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("listed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("purge_after", sa.DateTime(timezone=True), nullable=True),
        sa.Column("search", sa.Text(), nullable=False),
        sa.Column("cover", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("cad_pins", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("story", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("lookbook", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state in ('draft', 'listed', 'removed')", name=op.f("ck_designs_state")),
        sa.CheckConstraint(
            "(list_price_amount is null) = (list_price_currency is null)", name=op.f("ck_designs_list_price")
        ),
        sa.CheckConstraint(
            "list_price_amount is null or list_price_amount >= 0", name=op.f("ck_designs_list_price_amount")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name=op.f("fk_designs_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_designs")),
    )
    op.create_index(
        "ix_designs_category",
        "designs",
        ["category", "listed_at", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'listed'"),
    )
    op.create_index(
        "ix_designs_listed", "designs", ["listed_at", "id"], unique=False, postgresql_where=sa.text("state = 'listed'")
    )
    op.create_index(
        "ix_designs_metadata",
        "designs",
        ["metadata"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"metadata": "jsonb_path_ops"},
    )
    op.create_index("ix_designs_org", "designs", ["org_id", "created_at", "id"], unique=False)
    op.create_index(
        "ix_designs_search",
        "designs",
        [sa.literal_column("to_tsvector('simple', search)")],
        unique=False,
        postgresql_using="gin",
    )
    op.create_table(
        "assets",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("design_id", sa.String(length=40), nullable=True),
        sa.Column("order_id", sa.String(length=40), nullable=True),
        sa.Column("org_id", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=True),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("filename", sa.String(length=255), nullable=False),
        sa.Column("content_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("upload_key", sa.String(length=200), nullable=True),
        sa.Column("storage_key", sa.String(length=200), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("progress", sa.Integer(), nullable=False),
        sa.Column("reason", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("report", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("unit", sa.String(length=4), nullable=True),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("render_state", sa.String(length=10), nullable=True),
        sa.Column("render_progress", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind in ('photo', 'cad', 'reference', 'evidence')", name=op.f("ck_assets_kind")),
        sa.CheckConstraint(
            "state in ('awaiting_upload', 'uploaded', 'processing', 'ready', 'rejected')", name=op.f("ck_assets_state")
        ),
        sa.CheckConstraint("(design_id is null) or (order_id is null)", name=op.f("ck_assets_owner")),
        sa.CheckConstraint("progress between 0 and 100", name=op.f("ck_assets_progress")),
        sa.CheckConstraint("size > 0", name=op.f("ck_assets_size")),
        sa.ForeignKeyConstraint(["design_id"], ["designs.id"], name=op.f("fk_assets_design_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name=op.f("fk_assets_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assets")),
    )
    op.create_index("ix_assets_design", "assets", ["design_id", "position", "id"], unique=False)
    op.create_index(
        "ix_assets_order", "assets", ["order_id"], unique=False, postgresql_where=sa.text("order_id is not null")
    )
    op.create_index("ix_assets_org_sha256", "assets", ["org_id", "sha256"], unique=False)
    op.create_index(
        "ix_assets_waiting",
        "assets",
        ["created_at"],
        unique=False,
        postgresql_where=sa.text("state = 'awaiting_upload'"),
    )
    op.create_index(
        "uq_assets_design_sha256",
        "assets",
        ["design_id", "kind", "sha256"],
        unique=True,
        postgresql_where=sa.text("removed_at is null and state <> 'rejected' and design_id is not null"),
    )
    op.create_table(
        "content_drafts",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("design_id", sa.String(length=40), nullable=False),
        sa.Column("org_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("text", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("findings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("sources", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("edited", sa.Boolean(), nullable=False),
        sa.Column("sandbox", sa.Boolean(), nullable=False),
        sa.Column("ai_call_id", sa.String(length=40), nullable=True),
        sa.Column("approved_by", sa.String(length=40), nullable=True),
        sa.Column("approved_by_name", sa.String(length=200), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind in ('story', 'lookbook')", name=op.f("ck_content_drafts_kind")),
        sa.CheckConstraint("state in ('draft', 'approved', 'superseded')", name=op.f("ck_content_drafts_state")),
        sa.ForeignKeyConstraint(["ai_call_id"], ["ai_calls.id"], name=op.f("fk_content_drafts_ai_call_id")),
        sa.ForeignKeyConstraint(
            ["design_id"], ["designs.id"], name=op.f("fk_content_drafts_design_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_content_drafts")),
    )
    op.create_index("ix_content_drafts_design", "content_drafts", ["design_id", "created_at"], unique=False)
    op.create_index(
        "uq_content_drafts_current",
        "content_drafts",
        ["design_id", "kind", "state"],
        unique=True,
        postgresql_where=sa.text("state <> 'superseded'"),
    )
    op.create_table(
        "saved_designs",
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("design_id", sa.String(length=40), nullable=False),
        sa.Column("org_id", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["design_id"], ["designs.id"], name=op.f("fk_saved_designs_design_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_saved_designs_user_id")),
        sa.PrimaryKeyConstraint("user_id", "design_id", name=op.f("pk_saved_designs")),
    )
    op.create_index("ix_saved_designs_org", "saved_designs", ["org_id", "created_at", "design_id"], unique=False)
    op.create_table(
        "derivatives",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("asset_id", sa.String(length=40), nullable=False),
        sa.Column("design_id", sa.String(length=40), nullable=True),
        sa.Column("order_id", sa.String(length=40), nullable=True),
        sa.Column("org_id", sa.String(length=40), nullable=False),
        sa.Column("role", sa.String(length=60), nullable=False),
        sa.Column("view", sa.String(length=30), nullable=False),
        sa.Column("storage_key", sa.String(length=200), nullable=False),
        sa.Column("content_type", sa.String(length=100), nullable=False),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("placeholder", sa.Text(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["asset_id"], ["assets.id"], name=op.f("fk_derivatives_asset_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_derivatives")),
        sa.UniqueConstraint("asset_id", "role", name=op.f("uq_derivatives_asset_id_role")),
    )
    op.create_index("ix_derivatives_design", "derivatives", ["design_id", "position"], unique=False)
    op.create_index(
        "ix_derivatives_order",
        "derivatives",
        ["order_id"],
        unique=False,
        postgresql_where=sa.text("order_id is not null"),
    )
    op.create_table(
        "facts",
        sa.Column("design_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("asset_id", sa.String(length=40), nullable=True),
        sa.Column("value", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("unit", sa.String(length=10), nullable=False),
        sa.Column("source", sa.String(length=10), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("tolerance", sa.Double(), nullable=True),
        sa.Column("reason", sa.String(length=60), nullable=True),
        sa.Column("measured", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("confirmed_by", sa.String(length=40), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("source in ('measured', 'ai', 'human')", name=op.f("ck_facts_source")),
        sa.ForeignKeyConstraint(["asset_id"], ["assets.id"], name=op.f("fk_facts_asset_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["design_id"], ["designs.id"], name=op.f("fk_facts_design_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("design_id", "name", name=op.f("pk_facts")),
    )
    # A design that was ever listed stays readable: licenses, orders and mails name it. Its words are not secret then.
    row_security.protect(
        op, "designs", read=f"org_id = {ORG} or state <> 'draft' or {OPERATOR}", write=f"org_id = {ORG}"
    )
    # CAD rows are their owner's alone. 0005 may replace policy web_read on assets to let the awarded, NDA-signed
    # maker see the CAD of its order and an order's parties see evidence; derivatives of evidence follow by themselves.
    row_security.protect(
        op,
        "assets",
        read=f"org_id = {ORG} or (kind = 'photo' and state = 'ready' and {_shown('assets.design_id')})",
        write=f"org_id = {ORG}",
    )
    row_security.protect(
        op,
        "derivatives",
        read=f"org_id = {ORG} or {_shown('derivatives.design_id')} or exists (select 1 from assets a"
        " where a.id = derivatives.asset_id and a.kind = 'evidence')",
        write=f"org_id = {ORG}",
    )
    own = f"exists (select 1 from designs d where d.id = facts.design_id and d.org_id = {ORG})"
    row_security.protect(op, "facts", read=f"{own} or {_shown('facts.design_id')}", write=own)
    row_security.protect(op, "content_drafts", read=f"org_id = {ORG}")
    row_security.protect(op, "ai_calls", read=f"org_id = {ORG} or {OPERATOR}", write=f"org_id = {ORG}")
    row_security.protect(op, "saved_designs", read=f"org_id = {ORG}", write=f"org_id = {ORG} and user_id = {USER}")
    # The web role only ever adds to this list.
    row_security.protect(op, "discarded_objects", read="false", write="true")


def downgrade() -> None:
    op.drop_table("facts")
    op.drop_index("ix_derivatives_order", table_name="derivatives", postgresql_where=sa.text("order_id is not null"))
    op.drop_index("ix_derivatives_design", table_name="derivatives")
    op.drop_table("derivatives")
    op.drop_index("ix_saved_designs_org", table_name="saved_designs")
    op.drop_table("saved_designs")
    op.drop_index(
        "uq_content_drafts_current", table_name="content_drafts", postgresql_where=sa.text("state <> 'superseded'")
    )
    op.drop_index("ix_content_drafts_design", table_name="content_drafts")
    op.drop_table("content_drafts")
    op.drop_index(
        "uq_assets_design_sha256",
        table_name="assets",
        postgresql_where=sa.text("removed_at is null and state <> 'rejected' and design_id is not null"),
    )
    op.drop_index("ix_assets_waiting", table_name="assets", postgresql_where=sa.text("state = 'awaiting_upload'"))
    op.drop_index("ix_assets_org_sha256", table_name="assets")
    op.drop_index("ix_assets_order", table_name="assets", postgresql_where=sa.text("order_id is not null"))
    op.drop_index("ix_assets_design", table_name="assets")
    op.drop_table("assets")
    op.drop_index("ix_designs_search", table_name="designs", postgresql_using="gin")
    op.drop_index("ix_designs_org", table_name="designs")
    op.drop_index(
        "ix_designs_metadata",
        table_name="designs",
        postgresql_using="gin",
        postgresql_ops={"metadata": "jsonb_path_ops"},
    )
    op.drop_index("ix_designs_listed", table_name="designs", postgresql_where=sa.text("state = 'listed'"))
    op.drop_index("ix_designs_category", table_name="designs", postgresql_where=sa.text("state = 'listed'"))
    op.drop_table("designs")
    op.drop_index("ix_ai_calls_org", table_name="ai_calls")
    op.drop_index("ix_ai_calls_job", table_name="ai_calls")
    op.drop_table("ai_calls")
    op.drop_table("discarded_objects")
