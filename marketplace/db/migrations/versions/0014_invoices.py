"""Invoices, credit notes, their numbers and documents, and how organizations stand on them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from marketplace.db.row_security import ORG, append_only, protect

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tax_profiles",
        sa.Column("org_id", sa.String(length=40), nullable=False),
        sa.Column("legal_name", sa.String(length=200), nullable=False),
        sa.Column("tax_id", sa.String(length=30), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name=op.f("fk_tax_profiles_org_id")),
        sa.PrimaryKeyConstraint("org_id", name=op.f("pk_tax_profiles")),
    )
    op.create_table(
        "invoice_series",
        sa.Column("issuer_org_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["issuer_org_id"], ["organizations.id"], name=op.f("fk_invoice_series_issuer_org_id")),
        sa.PrimaryKeyConstraint("issuer_org_id", "kind", "year", name=op.f("pk_invoice_series")),
    )
    op.create_table(
        "invoices",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("issuer_org_id", sa.String(length=40), nullable=False),
        sa.Column("recipient_org_id", sa.String(length=40), nullable=False),
        sa.Column("checkout_id", sa.String(length=40), nullable=False),
        sa.Column("cause", sa.String(length=80), nullable=False),
        sa.Column("credits_id", sa.String(length=40), nullable=True),
        sa.Column("charge", sa.String(length=20), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("tax", sa.BigInteger(), nullable=False),
        sa.Column("gross", sa.BigInteger(), nullable=False),
        sa.Column("tax_rate_bps", sa.Integer(), nullable=False),
        sa.Column("treatment", sa.String(length=20), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind in ('invoice','credit_note')", name=op.f("ck_invoices_kind")),
        sa.CheckConstraint("(kind = 'credit_note') = (credits_id is not null)", name=op.f("ck_invoices_credits")),
        sa.CheckConstraint("gross > 0 and tax >= 0 and net + tax = gross", name=op.f("ck_invoices_amounts")),
        sa.ForeignKeyConstraint(["checkout_id"], ["checkouts.id"], name=op.f("fk_invoices_checkout_id")),
        sa.ForeignKeyConstraint(["credits_id"], ["invoices.id"], name=op.f("fk_invoices_credits_id")),
        sa.ForeignKeyConstraint(["issuer_org_id"], ["organizations.id"], name=op.f("fk_invoices_issuer_org_id")),
        sa.ForeignKeyConstraint(["recipient_org_id"], ["organizations.id"], name=op.f("fk_invoices_recipient_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoices")),
        sa.UniqueConstraint("issuer_org_id", "number", name=op.f("uq_invoices_issuer_org_id_number")),
        sa.UniqueConstraint("cause", "issuer_org_id", "recipient_org_id", "charge", name=op.f("uq_invoices_cause")),
    )
    op.create_index("ix_invoices_issuer", "invoices", ["issuer_org_id", "created_at", "id"])
    op.create_index("ix_invoices_recipient", "invoices", ["recipient_org_id", "created_at", "id"])
    op.create_index("ix_invoices_checkout", "invoices", ["checkout_id"])
    op.create_table(
        "invoice_documents",
        sa.Column("invoice_id", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoices.id"], name=op.f("fk_invoice_documents_invoice_id")),
        sa.PrimaryKeyConstraint("invoice_id", name=op.f("pk_invoice_documents")),
    )
    protect(op, "tax_profiles", read=f"org_id = {ORG}")
    protect(op, "invoice_series", read="false")
    protect(op, "invoices", read=f"{ORG} in (issuer_org_id, recipient_org_id)", write="false")
    protect(
        op,
        "invoice_documents",
        read="exists (select 1 from invoices i where i.id = invoice_documents.invoice_id)",
        write="false",
    )
    append_only(op, "invoices")


def downgrade() -> None:
    for table in ("invoice_documents", "invoices", "invoice_series", "tax_profiles"):
        op.drop_table(table)
