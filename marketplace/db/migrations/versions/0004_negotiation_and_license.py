"""Messages, negotiations, licenses."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from marketplace.config import WEB_ROLE, WORKER_ROLE
from marketplace.db import row_security
from marketplace.db.row_security import ORG

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_PARTY = f"{ORG} in (designer_org_id, buyer_org_id)"

# What is taken of a design, for anybody who may negotiate over it: scopes and times, no party and no money. It runs as
# the owner of the tables, because row security hides other parties' licenses from the web role.
_GRANTS = """
create function design_grants(wanted text) returns table (
  kind text, territories jsonb, channels jsonb, categories jsonb, metals jsonb,
  start date, term_months integer, active_from timestamptz, active_until timestamptz, created_at timestamptz
) language sql stable security definer set search_path = public as $$
  select l.kind, l.terms->'territories', l.terms->'channels', l.terms->'categories', l.terms->'metals',
         (l.terms->>'start')::date, (l.terms->>'term_months')::integer, l.active_from, l.active_until, l.created_at
  from licenses l
  where l.design_id = wanted and l.state in ('drafting', 'to_sign', 'to_pay', 'active')
$$
"""


def _of_party(table: str, column: str, parent: str) -> str:
    """Whether the actor is a party of the row's negotiation or license."""
    return (
        f"exists (select 1 from {parent} p where p.id = {table}.{column}"
        f" and {ORG} in (p.designer_org_id, p.buyer_org_id))"
    )


def upgrade() -> None:
    op.create_table(
        "messages",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("negotiation_id", sa.String(length=40), nullable=False),
        sa.Column("org_id", sa.String(length=40), nullable=False),
        sa.Column("to_org_id", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("lang", sa.String(length=10), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("char_length(text) between 1 and 4000", name=op.f("ck_messages_length")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
    )
    op.create_index("ix_messages_thread", "messages", ["negotiation_id", "created_at", "id"], unique=False)
    op.create_table(
        "message_translations",
        sa.Column("message_id", sa.String(length=40), nullable=False),
        sa.Column("lang", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("model", sa.String(length=80), nullable=True),
        sa.Column("sandbox", sa.Boolean(), nullable=False),
        sa.Column("translated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(text is not null) = (state in ('ready','figures_unchecked'))", name=op.f("ck_message_translations_text")
        ),
        sa.CheckConstraint(
            "state in ('pending','ready','figures_unchecked','failed')", name=op.f("ck_message_translations_state")
        ),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_message_translations_message_id")),
        sa.PrimaryKeyConstraint("message_id", "lang", name=op.f("pk_message_translations")),
    )
    op.create_table(
        "negotiations",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("design_id", sa.String(length=40), nullable=False),
        sa.Column("designer_org_id", sa.String(length=40), nullable=False),
        sa.Column("buyer_org_id", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("turn", sa.String(length=10), nullable=False),
        sa.Column("current_version", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("snapshot", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("accepted_offer_id", sa.String(length=40), nullable=True),
        sa.Column("closed_reason", sa.Text(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by_org_id", sa.String(length=40), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state in ('open','accepted','declined','expired','withdrawn')", name=op.f("ck_negotiations_state")
        ),
        sa.CheckConstraint("turn in ('designer','buyer')", name=op.f("ck_negotiations_turn")),
        sa.CheckConstraint("current_version >= 1", name=op.f("ck_negotiations_version")),
        sa.CheckConstraint("designer_org_id <> buyer_org_id", name=op.f("ck_negotiations_two_sides")),
        sa.ForeignKeyConstraint(["buyer_org_id"], ["organizations.id"], name=op.f("fk_negotiations_buyer_org_id")),
        sa.ForeignKeyConstraint(
            ["designer_org_id"], ["organizations.id"], name=op.f("fk_negotiations_designer_org_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_negotiations")),
        sa.UniqueConstraint("accepted_offer_id", name=op.f("uq_negotiations_accepted_offer_id")),
    )
    op.create_index("ix_negotiations_buyer", "negotiations", ["buyer_org_id", "updated_at", "id"], unique=False)
    op.create_index("ix_negotiations_designer", "negotiations", ["designer_org_id", "updated_at", "id"], unique=False)
    op.create_index(
        "ix_negotiations_expiry",
        "negotiations",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "uq_negotiations_open",
        "negotiations",
        ["design_id", "buyer_org_id"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "negotiation_reads",
        sa.Column("negotiation_id", sa.String(length=40), nullable=False),
        sa.Column("org_id", sa.String(length=40), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["negotiation_id"], ["negotiations.id"], name=op.f("fk_negotiation_reads_negotiation_id")
        ),
        sa.PrimaryKeyConstraint("negotiation_id", "org_id", name=op.f("pk_negotiation_reads")),
    )
    op.create_table(
        "offers",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("negotiation_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("by_org_id", sa.String(length=40), nullable=False),
        sa.Column("by_user_id", sa.String(length=40), nullable=False),
        sa.Column("side", sa.String(length=10), nullable=False),
        sa.Column("terms", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("terms_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("version >= 1", name=op.f("ck_offers_version")),
        sa.ForeignKeyConstraint(["negotiation_id"], ["negotiations.id"], name=op.f("fk_offers_negotiation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offers")),
        sa.UniqueConstraint("negotiation_id", "version", name=op.f("uq_offers_negotiation_id_version")),
    )
    op.create_table(
        "licenses",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("negotiation_id", sa.String(length=40), nullable=False),
        sa.Column("offer_id", sa.String(length=40), nullable=False),
        sa.Column("design_id", sa.String(length=40), nullable=False),
        sa.Column("designer_org_id", sa.String(length=40), nullable=False),
        sa.Column("buyer_org_id", sa.String(length=40), nullable=False),
        sa.Column("terms", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("terms_hash", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("fee_amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("document_key", sa.String(length=200), nullable=True),
        sa.Column("document_sha256", sa.String(length=64), nullable=True),
        sa.Column("signed_document_key", sa.String(length=200), nullable=True),
        sa.Column("signed_document_sha256", sa.String(length=64), nullable=True),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("active_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("active_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind in ('exclusive','sole','non_exclusive','buyout')", name=op.f("ck_licenses_kind")),
        sa.CheckConstraint(
            "state in ('drafting','to_sign','to_pay','active','expired','ended')", name=op.f("ck_licenses_state")
        ),
        sa.CheckConstraint("fee_amount >= 0", name=op.f("ck_licenses_fee")),
        sa.ForeignKeyConstraint(["buyer_org_id"], ["organizations.id"], name=op.f("fk_licenses_buyer_org_id")),
        sa.ForeignKeyConstraint(["designer_org_id"], ["organizations.id"], name=op.f("fk_licenses_designer_org_id")),
        sa.ForeignKeyConstraint(["negotiation_id"], ["negotiations.id"], name=op.f("fk_licenses_negotiation_id")),
        sa.ForeignKeyConstraint(["offer_id"], ["offers.id"], name=op.f("fk_licenses_offer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_licenses")),
        sa.UniqueConstraint("negotiation_id", name=op.f("uq_licenses_negotiation_id")),
        sa.UniqueConstraint("offer_id", name=op.f("uq_licenses_offer_id")),
    )
    op.create_index("ix_licenses_buyer", "licenses", ["buyer_org_id", "created_at", "id"], unique=False)
    op.create_index("ix_licenses_design", "licenses", ["design_id"], unique=False)
    op.create_index("ix_licenses_designer", "licenses", ["designer_org_id", "created_at", "id"], unique=False)
    op.create_index(
        "ix_licenses_until", "licenses", ["active_until"], unique=False, postgresql_where=sa.text("state = 'active'")
    )
    op.create_table(
        "signatures",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("license_id", sa.String(length=40), nullable=False),
        sa.Column("side", sa.String(length=10), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("org_id", sa.String(length=40), nullable=False),
        sa.Column("typed_name", sa.String(length=200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ip", sa.String(length=45), nullable=True),
        sa.Column("user_agent", sa.String(length=300), nullable=True),
        sa.Column("document_sha256", sa.String(length=64), nullable=False),
        sa.CheckConstraint("side in ('designer','buyer')", name=op.f("ck_signatures_side")),
        sa.ForeignKeyConstraint(["license_id"], ["licenses.id"], name=op.f("fk_signatures_license_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signatures")),
        sa.UniqueConstraint("license_id", "side", name=op.f("uq_signatures_license_id_side")),
    )

    row_security.protect(op, "negotiations", read=_PARTY)
    row_security.protect(op, "licenses", read=_PARTY)
    row_security.protect(
        op,
        "offers",
        read=_of_party("offers", "negotiation_id", "negotiations"),
        write=f"by_org_id = {ORG} and {_of_party('offers', 'negotiation_id', 'negotiations')}",
    )
    row_security.protect(op, "negotiation_reads", read=f"org_id = {ORG}")
    row_security.protect(
        op,
        "signatures",
        read=_of_party("signatures", "license_id", "licenses"),
        write=f"org_id = {ORG} and {_of_party('signatures', 'license_id', 'licenses')}",
    )
    row_security.protect(op, "messages", read=f"{ORG} in (org_id, to_org_id)", write=f"org_id = {ORG}")
    row_security.protect(
        op,
        "message_translations",
        read="exists (select 1 from messages m where m.id = message_translations.message_id"
        f" and {ORG} in (m.org_id, m.to_org_id))",
    )
    for table in ("offers", "signatures", "messages"):
        row_security.append_only(op, table)
    op.execute(_GRANTS)
    op.execute("revoke all on function design_grants(text) from public")
    op.execute(f"grant execute on function design_grants(text) to {WEB_ROLE}, {WORKER_ROLE}")


def downgrade() -> None:
    op.execute("drop function design_grants(text)")
    op.drop_table("signatures")
    op.drop_table("licenses")
    op.drop_table("offers")
    op.drop_table("negotiation_reads")
    op.drop_table("negotiations")
    op.drop_table("message_translations")
    op.drop_table("messages")
