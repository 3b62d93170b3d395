"""Of a webhook the envelope and a digest are kept; a share and a payout name the account that they went to or left."""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

_OBJECT = ("id", "object", "type", "status", "payment_status")
_EVENT = ("id", "object", "type", "created", "livemode", "api_version", "account", "context")


def upgrade() -> None:
    op.add_column("payment_events", sa.Column("sha256", sa.String(length=64)))
    op.add_column("transfers", sa.Column("destination", sa.String(length=80)))
    op.add_column("payouts", sa.Column("account", sa.String(length=80)))
    event = (
        f"{_only('body', _EVENT)} || jsonb_build_object('data', jsonb_build_object('object', {_part('data,object')}))"
    )
    op.execute(
        f"update payment_events set body = jsonb_strip_nulls({event})"
        f" || case when body ? 'related_object' then jsonb_build_object('related_object', {_part('related_object')})"
        " else '{}'::jsonb end"
    )


def downgrade() -> None:
    # What was not kept cannot come back; nothing reads it.
    op.drop_column("payouts", "account")
    op.drop_column("transfers", "destination")
    op.drop_column("payment_events", "sha256")


def _only(source: str, names: tuple[str, ...]) -> str:
    pairs = ", ".join(f"'{name}', {source} -> '{name}'" for name in names)
    return f"jsonb_strip_nulls(jsonb_build_object({pairs}))"


def _part(path: str) -> str:
    return _only(f"(body #> '{{{path}}}')", _OBJECT)
