"""What a payment is for is kept in parts, so that each reader gets it in its own language."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_TITLED = ("checkouts", "transfers", "refunds", "disputes")
_LICENSES = """
update checkouts c set about = jsonb_build_object('design', n.snapshot->>'title')
from licenses l join negotiations n on n.id = l.negotiation_id
where c.purpose = 'license' and l.id = c.subject_id and n.snapshot->>'title' is not null
"""
_ORDERS = """
update checkouts c set about = jsonb_build_object('design', o.design_title, 'quantity', o.quantity,
  'reference', substring(c.description from '\\(([^()]*)\\)$'))
from orders o where c.purpose = 'order' and o.id = c.subject_id and c.description ~ '\\([^()]+\\)$'
"""
_STATEMENTS = """
update checkouts c set about = jsonb_build_object('design', s.design_title,
  'number', 'R-' || upper(right(replace(s.license_id, 'lic_', ''), 8)) || '-' || lpad(s.sequence::text, 3, '0'))
from royalty_statements s where c.purpose = 'royalty' and s.id = c.subject_id and s.sequence is not null
"""


def upgrade() -> None:
    for table in _TITLED:
        kind = postgresql.JSONB(astext_type=sa.Text())
        op.add_column(table, sa.Column("about", kind, nullable=False, server_default=sa.text("'{}'")))
        op.alter_column(table, "about", server_default=None)
    for statement in (_LICENSES, _ORDERS, _STATEMENTS):
        op.execute(statement)
    for table in _TITLED[1:]:
        op.execute(f"update {table} t set about = c.about from checkouts c where c.id = t.checkout_id")


def downgrade() -> None:
    for table in _TITLED:
        op.drop_column(table, "about")
