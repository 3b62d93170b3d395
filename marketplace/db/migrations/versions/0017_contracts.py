"""The life of a license after the signature: breach, sell-off, end; addenda, a chained log, kept texts, proofs."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from marketplace.db import row_security
from marketplace.db.row_security import ORG

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_OLD_STATES = "'drafting','to_sign','to_pay','active','expired','ended'"
_STATES = "'drafting','to_sign','to_pay','active','breach','expired','sell_off','ended'"
_OLD_HOLDING = "'drafting', 'to_sign', 'to_pay', 'active'"
_HOLDING = f"{_OLD_HOLDING}, 'breach'"
_GRANTS = """
create or replace function design_grants(wanted text) returns table (
  kind text, territories jsonb, channels jsonb, categories jsonb, metals jsonb,
  start date, term_months integer, active_from timestamptz, active_until timestamptz, created_at timestamptz
) language sql stable security definer set search_path = public as $$
  select l.kind, l.terms->'territories', l.terms->'channels', l.terms->'categories', l.terms->'metals',
         (l.terms->>'start')::date, (l.terms->>'term_months')::integer, l.active_from, l.active_until, l.created_at
  from licenses l
  where l.design_id = wanted and l.state in ({states})
$$
"""
_NEW_COLUMNS: dict[str, tuple[sa.types.TypeEngine[Any], str | None]] = {
    "clause_version": (sa.String(length=20), "2026-10"),
    "verify_code": (sa.String(length=40), None),
    "sealed_at": (sa.DateTime(timezone=True), None),
    "cure_until": (sa.DateTime(timezone=True), None),
    "breach_by": (sa.String(length=10), None),
    "sell_off_until": (sa.DateTime(timezone=True), None),
    "ended_at": (sa.DateTime(timezone=True), None),
    "ended_why": (sa.String(length=12), None),
    "attested_at": (sa.DateTime(timezone=True), None),
}
_SIGNATURE_COLUMNS: dict[str, tuple[sa.types.TypeEngine[Any], str | None]] = {
    "addendum_id": (sa.String(length=40), None),
    "method": (sa.String(length=10), "typed"),
    "drawn": (sa.Text(), None),
    "disclosure_version": (sa.String(length=20), None),
    "disclosure_sha256": (sa.String(length=64), None),
    "proved_at": (sa.DateTime(timezone=True), None),
}


def _of_party(table: str) -> str:
    """Whether the actor is a party of the row's license."""
    return (
        f"exists (select 1 from licenses p where p.id = {table}.license_id"
        f" and {ORG} in (p.designer_org_id, p.buyer_org_id))"
    )


def upgrade() -> None:
    _licenses()
    _addenda()
    _signatures()
    _log()
    op.add_column("sessions", sa.Column("proved_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("update sessions set proved_at = created_at")
    op.alter_column("sessions", "proved_at", nullable=False)


def _add(table: str, columns: dict[str, tuple[sa.types.TypeEngine[Any], str | None]]) -> None:
    """Add columns; one with a default for the rows that are there allows no null."""
    for name, (kind, default) in columns.items():
        op.add_column(table, sa.Column(name, kind, nullable=default is None, server_default=default))


def _licenses() -> None:
    _add("licenses", _NEW_COLUMNS)
    # Only what nobody signed in time has ended so far.
    op.execute("update licenses set ended_why = 'not_signed' where state = 'ended'")
    op.alter_column("licenses", "clause_version", server_default=None)
    op.create_unique_constraint(op.f("uq_licenses_verify_code"), "licenses", ["verify_code"])
    op.drop_constraint(op.f("ck_licenses_state"), "licenses", type_="check")
    op.create_check_constraint(op.f("ck_licenses_state"), "licenses", f"state in ({_STATES})")
    op.create_check_constraint(op.f("ck_licenses_cure"), "licenses", "(state = 'breach') = (cure_until is not null)")
    op.create_check_constraint(op.f("ck_licenses_ended_why"), "licenses", "(state = 'ended') = (ended_why is not null)")
    op.execute(_GRANTS.format(states=_HOLDING))
    op.drop_index("ix_licenses_until", "licenses")
    op.create_index(
        "ix_licenses_until",
        "licenses",
        ["active_until"],
        postgresql_where=sa.text("state in ('active','breach')"),
    )


def _addenda() -> None:
    op.create_table(
        "addenda",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("license_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("by_side", sa.String(length=10), nullable=False),
        sa.Column("by_user_id", sa.String(length=40), nullable=False),
        sa.Column("signers", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("terms", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("terms_hash", sa.String(length=64), nullable=True),
        sa.Column("base_terms_hash", sa.String(length=64), nullable=False),
        sa.Column("sell_off_months", sa.Integer(), nullable=False),
        sa.Column("clause_version", sa.String(length=20), nullable=False),
        sa.Column("document_key", sa.String(length=200), nullable=True),
        sa.Column("document_sha256", sa.String(length=64), nullable=True),
        sa.Column("signed_document_key", sa.String(length=200), nullable=True),
        sa.Column("signed_document_sha256", sa.String(length=64), nullable=True),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("verify_code", sa.String(length=40), nullable=True),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind in ('amendment','termination')", name=op.f("ck_addenda_kind")),
        sa.CheckConstraint(
            "state in ('drafting','to_sign','done','declined','withdrawn','lapsed')", name=op.f("ck_addenda_state")
        ),
        sa.CheckConstraint("by_side in ('designer','buyer')", name=op.f("ck_addenda_side")),
        sa.CheckConstraint(
            "(kind = 'amendment') = (terms is not null and terms_hash is not null)", name=op.f("ck_addenda_terms")
        ),
        sa.CheckConstraint("signers in (1, 2)", name=op.f("ck_addenda_signers")),
        sa.ForeignKeyConstraint(["license_id"], ["licenses.id"], name=op.f("fk_addenda_license_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_addenda")),
        sa.UniqueConstraint("license_id", "number", name=op.f("uq_addenda_license_id_number")),
        sa.UniqueConstraint("verify_code", name=op.f("uq_addenda_verify_code")),
    )
    op.create_index(
        "uq_addenda_open",
        "addenda",
        ["license_id"],
        unique=True,
        postgresql_where=sa.text("state in ('drafting','to_sign')"),
    )
    row_security.protect(op, "addenda", read=_of_party("addenda"))


def _signatures() -> None:
    _add("signatures", _SIGNATURE_COLUMNS)
    op.alter_column("signatures", "method", server_default=None)
    op.create_foreign_key(op.f("fk_signatures_addendum_id"), "signatures", "addenda", ["addendum_id"], ["id"])
    op.create_check_constraint(op.f("ck_signatures_drawn"), "signatures", "(method = 'drawn') = (drawn is not null)")
    op.drop_constraint(op.f("uq_signatures_license_id_side"), "signatures", type_="unique")
    op.create_index(
        "uq_signatures_license_side",
        "signatures",
        ["license_id", "side"],
        unique=True,
        postgresql_where=sa.text("addendum_id is null"),
    )
    op.create_index("uq_signatures_addendum_side", "signatures", ["addendum_id", "side"], unique=True)


def _log() -> None:
    op.create_table(
        "license_events",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("license_id", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("side", sa.String(length=10), nullable=True),
        sa.Column("user_id", sa.String(length=40), nullable=True),
        sa.Column("addendum_id", sa.String(length=40), nullable=True),
        sa.Column("details", postgresql.JSONB(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint("seq >= 1", name=op.f("ck_license_events_seq")),
        sa.ForeignKeyConstraint(["license_id"], ["licenses.id"], name=op.f("fk_license_events_license_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_license_events")),
        sa.UniqueConstraint("license_id", "seq", name=op.f("uq_license_events_license_id_seq")),
        sa.UniqueConstraint("license_id", "key", name=op.f("uq_license_events_license_id_key")),
    )
    op.create_table(
        "agreement_texts",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("license_id", sa.String(length=40), nullable=False),
        sa.Column("clause_version", sa.String(length=20), nullable=False),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["license_id"], ["licenses.id"], name=op.f("fk_agreement_texts_license_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreement_texts")),
    )
    for table in ("license_events", "agreement_texts"):
        row_security.protect(op, table, read=_of_party(table))
        row_security.append_only(op, table)


def downgrade() -> None:
    op.drop_column("sessions", "proved_at")
    op.drop_table("agreement_texts")
    op.drop_table("license_events")
    op.drop_index("uq_signatures_license_side", "signatures")
    op.drop_index("uq_signatures_addendum_side", "signatures")
    op.execute("alter table signatures disable trigger append_only")
    op.execute("delete from signatures where addendum_id is not null")
    op.execute("alter table signatures enable trigger append_only")
    op.create_unique_constraint(op.f("uq_signatures_license_id_side"), "signatures", ["license_id", "side"])
    op.drop_constraint(op.f("ck_signatures_drawn"), "signatures", type_="check")
    for name in reversed(_SIGNATURE_COLUMNS):
        op.drop_column("signatures", name)
    op.drop_table("addenda")
    op.drop_constraint(op.f("ck_licenses_ended_why"), "licenses", type_="check")
    op.drop_constraint(op.f("ck_licenses_cure"), "licenses", type_="check")
    op.drop_constraint(op.f("ck_licenses_state"), "licenses", type_="check")
    op.execute(_GRANTS.format(states=_OLD_HOLDING))
    op.execute("update licenses set state = 'active' where state = 'breach'")
    op.execute("update licenses set state = 'expired' where state = 'sell_off'")
    op.create_check_constraint(op.f("ck_licenses_state"), "licenses", f"state in ({_OLD_STATES})")
    op.drop_index("ix_licenses_until", "licenses")
    op.create_index("ix_licenses_until", "licenses", ["active_until"], postgresql_where=sa.text("state = 'active'"))
    for name in reversed(_NEW_COLUMNS):
        op.drop_column("licenses", name)
