"""Alembic's entry: runs migrations over the connection that `marketplace.db.migrate` provides."""

from alembic import context

from marketplace.db.base import Base

connection = context.config.attributes.get("connection")
if connection is None:
    raise RuntimeError("run migrations with `marketplace release`")
context.configure(connection=connection, target_metadata=Base.metadata, transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
