"""Copies of CAD files for one recipient each, their secrets, the index of originals, and traced files."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from marketplace.db.row_security import OPERATOR, ORG, USER, protect

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cad_copies",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("order_id", sa.String(length=40), nullable=False),
        sa.Column("design_id", sa.String(length=40), nullable=False),
        sa.Column("asset_id", sa.String(length=40), nullable=False),
        sa.Column("filename", sa.String(length=300), nullable=False),
        sa.Column("original_sha256", sa.String(length=64), nullable=False),
        sa.Column("maker_org_id", sa.String(length=40), nullable=False),
        sa.Column("designer_org_id", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("nda_id", sa.String(length=40), nullable=False),
        sa.Column("nda_version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("progress", sa.Integer(), nullable=False),
        sa.Column("storage_key", sa.String(length=200), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("level", sa.String(length=10), nullable=True),
        sa.Column("moved_um", sa.Float(), nullable=True),
        sa.Column("volume_change", sa.Float(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("keep_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state in ('preparing', 'ready', 'fetched', 'failed', 'void')", name=op.f("ck_cad_copies_state")
        ),
        sa.CheckConstraint("progress between 0 and 100", name=op.f("ck_cad_copies_progress")),
        sa.CheckConstraint(
            "state not in ('ready', 'fetched') or (sha256 is not null and level is not null)",
            name=op.f("ck_cad_copies_complete"),
        ),
        sa.ForeignKeyConstraint(["designer_org_id"], ["organizations.id"], name=op.f("fk_cad_copies_designer_org_id")),
        sa.ForeignKeyConstraint(["maker_org_id"], ["organizations.id"], name=op.f("fk_cad_copies_maker_org_id")),
        sa.ForeignKeyConstraint(["nda_id"], ["ndas.id"], name=op.f("fk_cad_copies_nda_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_cad_copies_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cad_copies")),
    )
    op.create_index("ix_cad_copies_order", "cad_copies", ["order_id", "created_at"])
    op.create_index("ix_cad_copies_asset", "cad_copies", ["asset_id"])
    op.create_index("ix_cad_copies_sha256", "cad_copies", ["sha256"])
    op.create_index(
        "uq_cad_copies_open",
        "cad_copies",
        ["order_id", "asset_id", "user_id"],
        unique=True,
        postgresql_where=sa.text("state in ('preparing', 'ready')"),
    )
    op.create_table(
        "cad_copy_keys",
        sa.Column("copy_id", sa.String(length=40), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("tag", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["copy_id"], ["cad_copies.id"], name=op.f("fk_cad_copy_keys_copy_id")),
        sa.PrimaryKeyConstraint("copy_id", name=op.f("pk_cad_copy_keys")),
        sa.UniqueConstraint("tag", name=op.f("uq_cad_copy_keys_tag")),
    )
    op.create_table(
        "cad_shapes",
        sa.Column("asset_id", sa.String(length=40), nullable=False),
        sa.Column("design_id", sa.String(length=40), nullable=False),
        sa.Column("filename", sa.String(length=300), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("scale", sa.Float(), nullable=False),
        sa.Column("shape", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("asset_id", name=op.f("pk_cad_shapes")),
    )
    op.create_index("ix_cad_shapes_sha256", "cad_shapes", ["sha256"])
    op.create_table(
        "cad_traces",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("filename", sa.String(length=300), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("storage_key", sa.String(length=200), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("progress", sa.Integer(), nullable=False),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state in ('queued', 'running', 'done', 'failed')", name=op.f("ck_cad_traces_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cad_traces")),
    )
    op.create_index("ix_cad_traces_created", "cad_traces", ["created_at", "id"])
    op.add_column("cad_links", sa.Column("copy_id", sa.String(length=40), nullable=True))
    op.create_foreign_key(op.f("fk_cad_links_copy_id"), "cad_links", "cad_copies", ["copy_id"], ["id"])
    protect(op, "cad_copies", read=f"{ORG} in (designer_org_id, maker_org_id)", write=f"maker_org_id = {ORG}")
    # No page needs a secret or the index of all originals; the worker role reads both.
    for table in ("cad_copy_keys", "cad_shapes"):
        protect(op, table, read="false")
    protect(op, "cad_traces", read=OPERATOR, write=f"{OPERATOR} and user_id = {USER}")


def downgrade() -> None:
    op.drop_constraint(op.f("fk_cad_links_copy_id"), "cad_links", type_="foreignkey")
    op.drop_column("cad_links", "copy_id")
    for table in ("cad_traces", "cad_shapes", "cad_copy_keys", "cad_copies"):
        op.drop_table(table)
