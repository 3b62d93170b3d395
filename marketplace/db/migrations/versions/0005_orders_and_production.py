"""Orders, quotes, NDAs, CAD links, production."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from marketplace.config import WEB_ROLE
from marketplace.db.row_security import ORG, append_only, protect

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_PARTIES = f"{ORG} in (buyer_org_id, designer_org_id, manager_org_id, maker_org_id)"


def _of_order(table: str, columns: str) -> str:
    """Whether the actor's organization is one of these parties of the row's order."""
    named = ", ".join(f"o.{column}" for column in columns.split())
    return f"exists (select 1 from orders o where o.id = {table}.order_id and {ORG} in ({named}))"


_EVERYBODY = "buyer_org_id designer_org_id manager_org_id maker_org_id"


def upgrade() -> None:
    op.create_table(
        "orders",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("license_id", sa.String(length=40), nullable=False),
        sa.Column("design_id", sa.String(length=40), nullable=False),
        sa.Column("design_title", sa.String(length=200), nullable=False),
        sa.Column("buyer_org_id", sa.String(length=40), nullable=False),
        sa.Column("designer_org_id", sa.String(length=40), nullable=False),
        sa.Column("manager_org_id", sa.String(length=40), nullable=False),
        sa.Column("maker_org_id", sa.String(length=40), nullable=True),
        sa.Column("placed_by", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("lines", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("ship_to", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("cad", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("spec", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("royalty", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("quote_id", sa.String(length=40), nullable=True),
        sa.Column("checkout_id", sa.String(length=40), nullable=True),
        sa.Column("production_amount", sa.BigInteger(), nullable=True),
        sa.Column("royalty_amount", sa.BigInteger(), nullable=True),
        sa.Column("total_amount", sa.BigInteger(), nullable=True),
        sa.Column("nda_version", sa.Integer(), nullable=False),
        sa.Column("nda_clause", sa.Text(), nullable=True),
        sa.Column("cancel_reason", sa.Text(), nullable=True),
        sa.Column("quotes_asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("awarded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("shipped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("canceled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state in ('placed','quoting','awarded','paid','in_production','shipped','delivered','canceled')",
            name=op.f("ck_orders_state"),
        ),
        sa.CheckConstraint(
            "state in ('placed','quoting','canceled') or (maker_org_id is not null and total_amount is not null)",
            name=op.f("ck_orders_awarded"),
        ),
        sa.CheckConstraint(
            "production_amount >= 0 and royalty_amount >= 0 and total_amount = production_amount + royalty_amount",
            name=op.f("ck_orders_amounts"),
        ),
        sa.CheckConstraint("quantity >= 1", name=op.f("ck_orders_quantity")),
        sa.ForeignKeyConstraint(["buyer_org_id"], ["organizations.id"], name=op.f("fk_orders_buyer_org_id")),
        sa.ForeignKeyConstraint(["design_id"], ["designs.id"], name=op.f("fk_orders_design_id")),
        sa.ForeignKeyConstraint(["designer_org_id"], ["organizations.id"], name=op.f("fk_orders_designer_org_id")),
        sa.ForeignKeyConstraint(["license_id"], ["licenses.id"], name=op.f("fk_orders_license_id")),
        sa.ForeignKeyConstraint(["maker_org_id"], ["organizations.id"], name=op.f("fk_orders_maker_org_id")),
        sa.ForeignKeyConstraint(["manager_org_id"], ["organizations.id"], name=op.f("fk_orders_manager_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
    )
    op.create_index("ix_orders_buyer", "orders", ["buyer_org_id", "created_at", "id"], unique=False)
    op.create_index("ix_orders_design", "orders", ["design_id"], unique=False)
    op.create_index("ix_orders_designer", "orders", ["designer_org_id", "created_at", "id"], unique=False)
    op.create_index("ix_orders_license", "orders", ["license_id"], unique=False)
    op.create_index("ix_orders_maker", "orders", ["maker_org_id", "created_at", "id"], unique=False)
    op.create_index("ix_orders_manager", "orders", ["manager_org_id", "created_at", "id"], unique=False)
    op.create_table(
        "ndas",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("order_id", sa.String(length=40), nullable=False),
        sa.Column("maker_org_id", sa.String(length=40), nullable=False),
        sa.Column("designer_org_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=10), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("typed_name", sa.String(length=200), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("ip", sa.String(length=45), nullable=True),
        sa.Column("user_agent", sa.String(length=300), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_by", sa.String(length=40), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("version >= 1", name=op.f("ck_ndas_version")),
        sa.ForeignKeyConstraint(["designer_org_id"], ["organizations.id"], name=op.f("fk_ndas_designer_org_id")),
        sa.ForeignKeyConstraint(["maker_org_id"], ["organizations.id"], name=op.f("fk_ndas_maker_org_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_ndas_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ndas")),
        sa.UniqueConstraint("order_id", "maker_org_id", "version", name=op.f("uq_ndas_order_id_maker_org_id_version")),
    )
    op.create_index("ix_ndas_order", "ndas", ["order_id", "created_at"], unique=False)
    op.create_table(
        "rfqs",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("order_id", sa.String(length=40), nullable=False),
        sa.Column("design_id", sa.String(length=40), nullable=False),
        sa.Column("designer_org_id", sa.String(length=40), nullable=False),
        sa.Column("manager_org_id", sa.String(length=40), nullable=False),
        sa.Column("maker_org_id", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("spec", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state in ('open','quoted','won','lost','expired')", name=op.f("ck_rfqs_state")),
        sa.ForeignKeyConstraint(["maker_org_id"], ["organizations.id"], name=op.f("fk_rfqs_maker_org_id")),
        sa.ForeignKeyConstraint(["manager_org_id"], ["organizations.id"], name=op.f("fk_rfqs_manager_org_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_rfqs_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rfqs")),
        sa.UniqueConstraint("order_id", "maker_org_id", name=op.f("uq_rfqs_order_id_maker_org_id")),
    )
    op.create_index("ix_rfqs_maker", "rfqs", ["maker_org_id", "created_at", "id"], unique=False)
    op.create_table(
        "shipments",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("order_id", sa.String(length=40), nullable=False),
        sa.Column("maker_org_id", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("carrier", sa.String(length=80), nullable=False),
        sa.Column("tracking", sa.String(length=120), nullable=False),
        sa.Column("declared_amount", sa.BigInteger(), nullable=True),
        sa.Column("declared_currency", sa.String(length=3), nullable=True),
        sa.Column("shipped_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("declared_amount >= 0", name=op.f("ck_shipments_declared")),
        sa.ForeignKeyConstraint(["maker_org_id"], ["organizations.id"], name=op.f("fk_shipments_maker_org_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_shipments_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipments")),
        sa.UniqueConstraint("order_id", name=op.f("uq_shipments_order_id")),
    )
    op.create_table(
        "stage_events",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("order_id", sa.String(length=40), nullable=False),
        sa.Column("maker_org_id", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["maker_org_id"], ["organizations.id"], name=op.f("fk_stage_events_maker_org_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_stage_events_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stage_events")),
    )
    op.create_index("ix_stage_events_order", "stage_events", ["order_id", "created_at", "id"], unique=False)
    op.create_table(
        "cad_links",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("order_id", sa.String(length=40), nullable=False),
        sa.Column("design_id", sa.String(length=40), nullable=False),
        sa.Column("asset_id", sa.String(length=40), nullable=False),
        sa.Column("filename", sa.String(length=300), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("maker_org_id", sa.String(length=40), nullable=False),
        sa.Column("designer_org_id", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("nda_id", sa.String(length=40), nullable=False),
        sa.Column("nda_version", sa.Integer(), nullable=False),
        sa.Column("jti", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_ip", sa.String(length=45), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["designer_org_id"], ["organizations.id"], name=op.f("fk_cad_links_designer_org_id")),
        sa.ForeignKeyConstraint(["maker_org_id"], ["organizations.id"], name=op.f("fk_cad_links_maker_org_id")),
        sa.ForeignKeyConstraint(["nda_id"], ["ndas.id"], name=op.f("fk_cad_links_nda_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_cad_links_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cad_links")),
        sa.UniqueConstraint("jti", name=op.f("uq_cad_links_jti")),
    )
    op.create_index("ix_cad_links_design", "cad_links", ["design_id", "created_at", "id"], unique=False)
    op.create_index("ix_cad_links_order", "cad_links", ["order_id", "created_at"], unique=False)
    op.create_table(
        "quotes",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("rfq_id", sa.String(length=40), nullable=False),
        sa.Column("order_id", sa.String(length=40), nullable=False),
        sa.Column("manager_org_id", sa.String(length=40), nullable=False),
        sa.Column("maker_org_id", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("unit_price", sa.BigInteger(), nullable=False),
        sa.Column("tooling", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("lead_days", sa.Integer(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state in ('open','replaced','won','lost','expired')", name=op.f("ck_quotes_state")),
        sa.CheckConstraint("lead_days between 1 and 730", name=op.f("ck_quotes_lead_days")),
        sa.CheckConstraint("unit_price > 0 and tooling >= 0", name=op.f("ck_quotes_amounts")),
        sa.ForeignKeyConstraint(["rfq_id"], ["rfqs.id"], name=op.f("fk_quotes_rfq_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quotes")),
    )
    op.create_index(
        "ix_quotes_valid", "quotes", ["valid_until"], unique=False, postgresql_where=sa.text("state = 'open'")
    )
    op.create_index(
        "uq_quotes_current", "quotes", ["rfq_id"], unique=True, postgresql_where=sa.text("state <> 'replaced'")
    )
    op.create_index("uq_quotes_won", "quotes", ["order_id"], unique=True, postgresql_where=sa.text("state = 'won'"))
    protect(op, "orders", read=_PARTIES)
    protect(op, "rfqs", read=f"{ORG} in (manager_org_id, maker_org_id)")
    protect(op, "quotes", read=f"{ORG} in (manager_org_id, maker_org_id)")
    protect(
        op,
        "ndas",
        read=f"{ORG} in (designer_org_id, maker_org_id) or {_of_order('ndas', 'manager_org_id')}",
        write=f"{ORG} in (designer_org_id, maker_org_id)",
    )
    protect(
        op,
        "cad_links",
        read=f"{ORG} in (designer_org_id, maker_org_id)",
        write=f"maker_org_id = {ORG}",
    )
    for table in ("stage_events", "shipments"):
        protect(op, table, read=_of_order(table, _EVERYBODY), write=f"maker_org_id = {ORG}")
    append_only(op, "stage_events")
    append_only(op, "shipments")
    # The awarded workshop may read the row of a CAD file that its order pins, while it works with it. That the NDA is
    # signed and in force is part of the condition, so that a revocation shuts the row as well.
    op.execute(
        f"create policy maker_reads_cad on assets for select to {WEB_ROLE} using (kind = 'cad' and state = 'ready'"
        " and exists (select 1 from orders o join ndas n on n.order_id = o.id and n.maker_org_id = o.maker_org_id"
        " and n.version = o.nda_version and n.revoked_at is null"
        f" where o.design_id = assets.design_id and o.maker_org_id = {ORG} and o.state in ('paid', 'in_production')"
        " and o.cad @> jsonb_build_array(jsonb_build_object('asset_id', assets.id))))"
    )
    op.execute(
        f"create policy parties_read_evidence on assets for select to {WEB_ROLE} using (kind = 'evidence'"
        f" and {_of_order('assets', _EVERYBODY)})"
    )


def downgrade() -> None:
    op.execute("drop policy parties_read_evidence on assets")
    op.execute("drop policy maker_reads_cad on assets")
    for table in ("stage_events", "shipments", "ndas"):
        op.execute(f"drop policy web_read on {table}")
    op.drop_index("uq_quotes_won", table_name="quotes", postgresql_where=sa.text("state = 'won'"))
    op.drop_index("uq_quotes_current", table_name="quotes", postgresql_where=sa.text("state <> 'replaced'"))
    op.drop_index("ix_quotes_valid", table_name="quotes", postgresql_where=sa.text("state = 'open'"))
    op.drop_table("quotes")
    op.drop_index("ix_cad_links_order", table_name="cad_links")
    op.drop_index("ix_cad_links_design", table_name="cad_links")
    op.drop_table("cad_links")
    op.drop_index("ix_stage_events_order", table_name="stage_events")
    op.drop_table("stage_events")
    op.drop_table("shipments")
    op.drop_index("ix_rfqs_maker", table_name="rfqs")
    op.drop_table("rfqs")
    op.drop_index("ix_ndas_order", table_name="ndas")
    op.drop_table("ndas")
    op.drop_index("ix_orders_manager", table_name="orders")
    op.drop_index("ix_orders_maker", table_name="orders")
    op.drop_index("ix_orders_license", table_name="orders")
    op.drop_index("ix_orders_designer", table_name="orders")
    op.drop_index("ix_orders_design", table_name="orders")
    op.drop_index("ix_orders_buyer", table_name="orders")
    op.drop_table("orders")
