"""Royalties: statements with their lines, sales reports, questions and audits."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from marketplace.db.row_security import ORG, append_only, protect

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_PARTIES = f"{ORG} in (designer_org_id, buyer_org_id)"

#: What a statement says may never change once it stands.
_KEEP = """
create function keep_statement() returns trigger language plpgsql as $$
begin
  if old.state = 'draft' then
    return case tg_op when 'DELETE' then old else new end;
  end if;
  if tg_op = 'DELETE' or new.state = 'draft'
    or (new.license_id, new.kind, new.starts, new.ends, new.currency, new.sequence, new.designer_org_id,
        new.buyer_org_id, new.earned, new.paid_with_orders, new.shortfall, new.guarantee, new.guarantee_earned,
        new.credit_opening, new.credit_used, new.credit_closing, new.advance_opening, new.advance_recouped,
        new.amount_due, new.issued_at, new.due_on)
      is distinct from
       (old.license_id, old.kind, old.starts, old.ends, old.currency, old.sequence, old.designer_org_id,
        old.buyer_org_id, old.earned, old.paid_with_orders, old.shortfall, old.guarantee, old.guarantee_earned,
        old.credit_opening, old.credit_used, old.credit_closing, old.advance_opening, old.advance_recouped,
        old.amount_due, old.issued_at, old.due_on)
    or (old.document_sha256 is not null and new.document_sha256 is distinct from old.document_sha256)
    or (old.paid_at is not null and new.paid_at is distinct from old.paid_at)
  then
    raise exception 'a statement that was issued is never changed' using errcode = 'insufficient_privilege';
  end if;
  return new;
end $$
"""


def upgrade() -> None:
    op.create_table(
        "royalty_statements",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("license_id", sa.String(length=40), nullable=False),
        sa.Column("design_id", sa.String(length=40), nullable=False),
        sa.Column("design_title", sa.String(length=200), nullable=False),
        sa.Column("designer_org_id", sa.String(length=40), nullable=False),
        sa.Column("buyer_org_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("starts", sa.Date(), nullable=False),
        sa.Column("ends", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("report_due", sa.Date(), nullable=True),
        sa.Column("earned", sa.BigInteger(), nullable=False),
        sa.Column("paid_with_orders", sa.BigInteger(), nullable=False),
        sa.Column("shortfall", sa.BigInteger(), nullable=False),
        sa.Column("guarantee", sa.BigInteger(), nullable=True),
        sa.Column("guarantee_earned", sa.BigInteger(), nullable=True),
        sa.Column("credit_opening", sa.BigInteger(), nullable=False),
        sa.Column("credit_used", sa.BigInteger(), nullable=False),
        sa.Column("credit_closing", sa.BigInteger(), nullable=False),
        sa.Column("advance_opening", sa.BigInteger(), nullable=False),
        sa.Column("advance_recouped", sa.BigInteger(), nullable=False),
        sa.Column("amount_due", sa.BigInteger(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("document_key", sa.String(length=200), nullable=True),
        sa.Column("document_sha256", sa.String(length=64), nullable=True),
        sa.Column("reminded", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(state = 'draft') = (sequence is null)", name=op.f("ck_royalty_statements_numbered")),
        sa.CheckConstraint(
            "kind = 'advance' or earned + shortfall - paid_with_orders"
            " = amount_due + advance_recouped + credit_used - (credit_closing - credit_opening + credit_used)",
            name=op.f("ck_royalty_statements_adds_up"),
        ),
        sa.CheckConstraint("kind in ('advance','quarter','adjustment')", name=op.f("ck_royalty_statements_kind")),
        sa.CheckConstraint(
            "state in ('draft','issued','payable','overdue','disputed','paid')",
            name=op.f("ck_royalty_statements_state"),
        ),
        sa.CheckConstraint(
            "advance_recouped >= 0 and credit_used >= 0 and shortfall >= 0",
            name=op.f("ck_royalty_statements_not_negative"),
        ),
        sa.CheckConstraint(
            "amount_due >= 0 and advance_opening >= advance_recouped", name=op.f("ck_royalty_statements_amounts")
        ),
        sa.ForeignKeyConstraint(
            ["buyer_org_id"], ["organizations.id"], name=op.f("fk_royalty_statements_buyer_org_id")
        ),
        sa.ForeignKeyConstraint(
            ["designer_org_id"], ["organizations.id"], name=op.f("fk_royalty_statements_designer_org_id")
        ),
        sa.ForeignKeyConstraint(["license_id"], ["licenses.id"], name=op.f("fk_royalty_statements_license_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_royalty_statements")),
        sa.UniqueConstraint("license_id", "sequence", name=op.f("uq_royalty_statements_license_id_sequence")),
    )
    op.create_index(
        "ix_royalty_statements_buyer", "royalty_statements", ["buyer_org_id", "created_at", "id"], unique=False
    )
    op.create_index(
        "ix_royalty_statements_designer", "royalty_statements", ["designer_org_id", "created_at", "id"], unique=False
    )
    op.create_index(
        "ix_royalty_statements_waiting",
        "royalty_statements",
        ["state"],
        unique=False,
        postgresql_where=sa.text("state in ('draft','payable','overdue','disputed')"),
    )
    op.create_index(
        "uq_royalty_statements_span",
        "royalty_statements",
        ["license_id", "kind", "starts"],
        unique=True,
        postgresql_where=sa.text("kind <> 'adjustment'"),
    )
    op.create_table(
        "royalty_inquiries",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("statement_id", sa.String(length=40), nullable=False),
        sa.Column("license_id", sa.String(length=40), nullable=False),
        sa.Column("designer_org_id", sa.String(length=40), nullable=False),
        sa.Column("buyer_org_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("asked_by", sa.String(length=40), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("adjustment", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reminded", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind in ('query','audit')", name=op.f("ck_royalty_inquiries_kind")),
        sa.CheckConstraint(
            "state in ('open','answered','claimed','refused','closed')", name=op.f("ck_royalty_inquiries_state")
        ),
        sa.CheckConstraint("adjustment >= 0", name=op.f("ck_royalty_inquiries_adjustment")),
        sa.ForeignKeyConstraint(["license_id"], ["licenses.id"], name=op.f("fk_royalty_inquiries_license_id")),
        sa.ForeignKeyConstraint(
            ["statement_id"], ["royalty_statements.id"], name=op.f("fk_royalty_inquiries_statement_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_royalty_inquiries")),
    )
    op.create_index("ix_royalty_inquiries_license", "royalty_inquiries", ["license_id", "created_at"], unique=False)
    op.create_index(
        "ix_royalty_inquiries_open",
        "royalty_inquiries",
        ["due_on"],
        unique=False,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "uq_royalty_inquiries_live",
        "royalty_inquiries",
        ["statement_id", "kind"],
        unique=True,
        postgresql_where=sa.text("state <> 'closed'"),
    )
    op.create_table(
        "royalty_lines",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("statement_id", sa.String(length=40), nullable=False),
        sa.Column("license_id", sa.String(length=40), nullable=False),
        sa.Column("designer_org_id", sa.String(length=40), nullable=False),
        sa.Column("buyer_org_id", sa.String(length=40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("source_id", sa.String(length=80), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("reference", sa.String(length=60), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("serials", sa.Text(), nullable=True),
        sa.Column("territory", sa.String(length=2), nullable=True),
        sa.Column("channel", sa.String(length=20), nullable=True),
        sa.Column("gross", sa.BigInteger(), nullable=True),
        sa.Column("base", sa.BigInteger(), nullable=False),
        sa.Column("royalty", sa.BigInteger(), nullable=False),
        sa.Column("paid", sa.BigInteger(), nullable=False),
        sa.Column("flags", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind in ('order','refund','sale','audit')", name=op.f("ck_royalty_lines_kind")),
        sa.ForeignKeyConstraint(["license_id"], ["licenses.id"], name=op.f("fk_royalty_lines_license_id")),
        sa.ForeignKeyConstraint(
            ["statement_id"], ["royalty_statements.id"], name=op.f("fk_royalty_lines_statement_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_royalty_lines")),
        sa.UniqueConstraint("kind", "source_id", name=op.f("uq_royalty_lines_kind_source_id")),
        sa.UniqueConstraint("statement_id", "position", name=op.f("uq_royalty_lines_statement_id_position")),
    )
    op.create_index("ix_royalty_lines_license", "royalty_lines", ["license_id"], unique=False)
    op.create_table(
        "sales_reports",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("statement_id", sa.String(length=40), nullable=False),
        sa.Column("license_id", sa.String(length=40), nullable=False),
        sa.Column("designer_org_id", sa.String(length=40), nullable=False),
        sa.Column("buyer_org_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("typed", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("submitted_by", sa.String(length=40), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind in ('quarter','correction')", name=op.f("ck_sales_reports_kind")),
        sa.CheckConstraint("state in ('draft','submitted')", name=op.f("ck_sales_reports_state")),
        sa.ForeignKeyConstraint(["license_id"], ["licenses.id"], name=op.f("fk_sales_reports_license_id")),
        sa.ForeignKeyConstraint(
            ["statement_id"], ["royalty_statements.id"], name=op.f("fk_sales_reports_statement_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sales_reports")),
    )
    op.create_index("ix_sales_reports_license", "sales_reports", ["license_id"], unique=False)
    op.create_index(
        "uq_sales_reports_quarter",
        "sales_reports",
        ["statement_id"],
        unique=True,
        postgresql_where=sa.text("kind = 'quarter'"),
    )
    op.create_table(
        "royalty_inquiry_notes",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("inquiry_id", sa.String(length=40), nullable=False),
        sa.Column("designer_org_id", sa.String(length=40), nullable=False),
        sa.Column("buyer_org_id", sa.String(length=40), nullable=False),
        sa.Column("side", sa.String(length=10), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("action", sa.String(length=12), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("filename", sa.String(length=200), nullable=True),
        sa.Column("storage_key", sa.String(length=200), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("size", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["inquiry_id"], ["royalty_inquiries.id"], name=op.f("fk_royalty_inquiry_notes_inquiry_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_royalty_inquiry_notes")),
    )
    op.create_index(
        "ix_royalty_inquiry_notes_inquiry", "royalty_inquiry_notes", ["inquiry_id", "created_at", "id"], unique=False
    )
    op.create_table(
        "sales_lines",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("report_id", sa.String(length=40), nullable=False),
        sa.Column("statement_id", sa.String(length=40), nullable=False),
        sa.Column("license_id", sa.String(length=40), nullable=False),
        sa.Column("designer_org_id", sa.String(length=40), nullable=False),
        sa.Column("buyer_org_id", sa.String(length=40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("corrects", sa.String(length=40), nullable=True),
        sa.Column("sold_ends", sa.Date(), nullable=False),
        sa.Column("serial_from", sa.Integer(), nullable=True),
        sa.Column("serial_to", sa.Integer(), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("territory", sa.String(length=2), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("gross", sa.BigInteger(), nullable=False),
        sa.Column("discounts", sa.BigInteger(), nullable=False),
        sa.Column("returns", sa.BigInteger(), nullable=False),
        sa.Column("taxes", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("flags", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "corrects is not null or (quantity >= 0 and gross >= 0 and discounts >= 0 and returns >= 0 and taxes >= 0)",
            name=op.f("ck_sales_lines_not_negative"),
        ),
        sa.CheckConstraint("serial_to >= serial_from", name=op.f("ck_sales_lines_serials")),
        sa.ForeignKeyConstraint(["license_id"], ["licenses.id"], name=op.f("fk_sales_lines_license_id")),
        sa.ForeignKeyConstraint(["report_id"], ["sales_reports.id"], name=op.f("fk_sales_lines_report_id")),
        sa.ForeignKeyConstraint(["statement_id"], ["royalty_statements.id"], name=op.f("fk_sales_lines_statement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sales_lines")),
        sa.UniqueConstraint("report_id", "position", name=op.f("uq_sales_lines_report_id_position")),
    )
    op.create_index("ix_sales_lines_license", "sales_lines", ["license_id"], unique=False)
    op.execute(_KEEP)
    op.execute(
        "create trigger keep_statement before update or delete on royalty_statements"
        " for each row execute function keep_statement()"
    )
    for table in ("royalty_lines", "sales_lines", "royalty_inquiry_notes"):
        append_only(op, table)
    # Statements are made by jobs alone; a party may only move the state of its own.
    protect(op, "royalty_statements", read=_PARTIES)
    for verb in ("insert", "delete"):
        op.execute(f"drop policy web_{verb} on royalty_statements")
    protect(op, "royalty_lines", read=_PARTIES, write="false")
    protect(
        op,
        "sales_reports",
        read=f"buyer_org_id = {ORG} or (designer_org_id = {ORG} and state = 'submitted')",
        write=f"buyer_org_id = {ORG}",
    )
    protect(op, "sales_lines", read=_PARTIES, write=f"buyer_org_id = {ORG}")
    protect(op, "royalty_inquiries", read=_PARTIES)
    protect(
        op,
        "royalty_inquiry_notes",
        read=_PARTIES,
        write=f"(side = 'designer' and designer_org_id = {ORG}) or (side = 'buyer' and buyer_org_id = {ORG})",
    )


def downgrade() -> None:
    op.drop_index("ix_sales_lines_license", table_name="sales_lines")
    op.drop_table("sales_lines")
    op.drop_index("ix_royalty_inquiry_notes_inquiry", table_name="royalty_inquiry_notes")
    op.drop_table("royalty_inquiry_notes")
    op.drop_index("uq_sales_reports_quarter", table_name="sales_reports", postgresql_where=sa.text("kind = 'quarter'"))
    op.drop_index("ix_sales_reports_license", table_name="sales_reports")
    op.drop_table("sales_reports")
    op.drop_index("ix_royalty_lines_license", table_name="royalty_lines")
    op.drop_table("royalty_lines")
    op.drop_index(
        "uq_royalty_inquiries_live", table_name="royalty_inquiries", postgresql_where=sa.text("state <> 'closed'")
    )
    op.drop_index(
        "ix_royalty_inquiries_open", table_name="royalty_inquiries", postgresql_where=sa.text("state = 'open'")
    )
    op.drop_index("ix_royalty_inquiries_license", table_name="royalty_inquiries")
    op.drop_table("royalty_inquiries")
    op.drop_index(
        "uq_royalty_statements_span", table_name="royalty_statements", postgresql_where=sa.text("kind <> 'adjustment'")
    )
    op.drop_index(
        "ix_royalty_statements_waiting",
        table_name="royalty_statements",
        postgresql_where=sa.text("state in ('draft','payable','overdue','disputed')"),
    )
    op.drop_index("ix_royalty_statements_designer", table_name="royalty_statements")
    op.drop_index("ix_royalty_statements_buyer", table_name="royalty_statements")
    op.drop_table("royalty_statements")
    op.execute("drop function keep_statement()")
