"""Negotiations: comments on terms, files, what both sides have marked, read and handed over; look-alike names."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from marketplace.accounts.lookalikes import skeleton
from marketplace.config import WEB_ROLE
from marketplace.db import row_security
from marketplace.db.row_security import ORG

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_OUR_PARTY = (
    "exists (select 1 from negotiations p where p.id = {table}.negotiation_id"
    f" and {ORG} in (p.designer_org_id, p.buyer_org_id))"
)
_KINDS = (
    "kind in ('agreed','disagreed','resolved','unresolved','handed_over','accepted','declined','withdrawn','expired',"
    "'reopened')"
)
_ASSET_KINDS = "kind in ('photo', 'cad', 'reference', 'evidence'{more})"


def upgrade() -> None:
    op.add_column("users", sa.Column("time_zone", sa.String(length=40), nullable=True))
    op.add_column("organizations", sa.Column("skeleton", sa.String(length=400), nullable=True))
    op.create_index("ix_organizations_skeleton", "organizations", ["skeleton"], unique=False)
    _fill_skeletons()

    op.add_column("negotiations", sa.Column("closed_code", sa.String(length=20), nullable=True))
    op.create_table(
        "negotiation_events",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("negotiation_id", sa.String(length=40), nullable=False),
        sa.Column("org_id", sa.String(length=40), nullable=True),
        sa.Column("user_id", sa.String(length=40), nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("private", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("term", sa.String(length=40), nullable=True),
        sa.Column("message_id", sa.String(length=40), nullable=True),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(_KINDS, name=op.f("ck_negotiation_events_kind")),
        sa.ForeignKeyConstraint(
            ["negotiation_id"], ["negotiations.id"], name=op.f("fk_negotiation_events_negotiation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_negotiation_events")),
    )
    op.create_index(
        "ix_negotiation_events_thread", "negotiation_events", ["negotiation_id", "created_at"], unique=False
    )
    op.create_table(
        "negotiation_assignees",
        sa.Column("negotiation_id", sa.String(length=40), nullable=False),
        sa.Column("org_id", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["negotiation_id"], ["negotiations.id"], name=op.f("fk_negotiation_assignees_negotiation_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_negotiation_assignees_user_id")),
        sa.PrimaryKeyConstraint("negotiation_id", "org_id", name=op.f("pk_negotiation_assignees")),
    )
    # Every end that was written before is an event, too.
    op.execute(
        "insert into negotiation_events (id, negotiation_id, org_id, kind, private, version, details, created_at)"
        " select 'nev_' || substr(md5(n.id), 1, 26), n.id, n.closed_by_org_id, n.state, false, n.current_version, '{}',"
        " n.closed_at from negotiations n where n.closed_at is not null and n.state <> 'open'"
    )
    party = _OUR_PARTY.format(table="negotiation_events")
    row_security.protect(
        op,
        "negotiation_events",
        read=f"(not private or org_id = {ORG}) and {party}",
        write=f"org_id = {ORG} and {party}",
    )
    row_security.append_only(op, "negotiation_events")
    party = _OUR_PARTY.format(table="negotiation_assignees")
    row_security.protect(op, "negotiation_assignees", read=f"org_id = {ORG} and {party}")
    # How far the other side has read is no secret between the two.
    op.execute("drop policy web_read on negotiation_reads")
    party = _OUR_PARTY.format(table="negotiation_reads")
    op.execute(f"create policy web_read on negotiation_reads for select to {WEB_ROLE} using ({party})")

    op.add_column("messages", sa.Column("term", sa.String(length=40), nullable=True))
    op.add_column("messages", sa.Column("version", sa.Integer(), nullable=True))
    op.add_column(
        "messages",
        sa.Column("files", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
    )
    op.alter_column("messages", "files", server_default=None)
    op.add_column("messages", sa.Column("client_key", sa.String(length=40), nullable=True))
    op.drop_constraint(op.f("ck_messages_length"), "messages", type_="check")
    op.create_check_constraint(
        op.f("ck_messages_length"), "messages", "char_length(text) <= 4000 and (text <> '' or files <> '[]'::jsonb)"
    )
    op.create_check_constraint(op.f("ck_messages_about"), "messages", "(term is null) = (version is null)")
    op.create_index(
        "uq_messages_client_key",
        "messages",
        ["negotiation_id", "user_id", "client_key"],
        unique=True,
        postgresql_where=sa.text("client_key is not null"),
    )

    op.add_column("assets", sa.Column("negotiation_id", sa.String(length=40), nullable=True))
    op.drop_constraint(op.f("ck_assets_kind"), "assets", type_="check")
    op.create_check_constraint(op.f("ck_assets_kind"), "assets", _ASSET_KINDS.format(more=", 'attachment'"))
    op.drop_constraint(op.f("ck_assets_owner"), "assets", type_="check")
    op.create_check_constraint(
        op.f("ck_assets_owner"), "assets", "num_nonnulls(design_id, order_id, negotiation_id) <= 1"
    )
    op.create_index(
        "ix_assets_negotiation",
        "assets",
        ["negotiation_id"],
        unique=False,
        postgresql_where=sa.text("negotiation_id is not null"),
    )


def _fill_skeletons() -> None:
    connection = op.get_bind()
    for row in connection.execute(sa.text("select id, name from organizations")).all():
        connection.execute(
            sa.text("update organizations set skeleton = :skeleton where id = :id"),
            {"id": row.id, "skeleton": skeleton(row.name)},
        )


def downgrade() -> None:
    op.drop_index("ix_assets_negotiation", table_name="assets")
    op.execute("delete from assets where kind = 'attachment'")
    op.drop_constraint(op.f("ck_assets_owner"), "assets", type_="check")
    op.create_check_constraint(op.f("ck_assets_owner"), "assets", "(design_id is null) or (order_id is null)")
    op.drop_constraint(op.f("ck_assets_kind"), "assets", type_="check")
    op.create_check_constraint(op.f("ck_assets_kind"), "assets", _ASSET_KINDS.format(more=""))
    op.drop_column("assets", "negotiation_id")

    op.drop_index("uq_messages_client_key", table_name="messages")
    op.drop_constraint(op.f("ck_messages_about"), "messages", type_="check")
    op.drop_constraint(op.f("ck_messages_length"), "messages", type_="check")
    # A message of files alone has no words; the old table wants some.
    op.execute("alter table messages disable trigger append_only")
    op.execute("update messages set text = '-' where text = ''")
    op.execute("alter table messages enable trigger append_only")
    op.create_check_constraint(op.f("ck_messages_length"), "messages", "char_length(text) between 1 and 4000")
    for column in ("client_key", "files", "version", "term"):
        op.drop_column("messages", column)

    op.execute("drop policy web_read on negotiation_reads")
    op.execute(f"create policy web_read on negotiation_reads for select to {WEB_ROLE} using (org_id = {ORG})")
    op.drop_table("negotiation_assignees")
    op.drop_table("negotiation_events")
    op.drop_column("negotiations", "closed_code")
    op.drop_index("ix_organizations_skeleton", table_name="organizations")
    op.drop_column("organizations", "skeleton")
    op.drop_column("users", "time_zone")
