"""Row-level security: the second lock, under the code. Used by migrations and by `marketplace release`."""

from typing import Any

from psycopg import sql
from sqlalchemy import Connection, text

from marketplace.config import WEB_ROLE, WORKER_ROLE

ORG = "current_setting('app.org', true)"
USER = "current_setting('app.user', true)"
OPERATOR = "current_setting('app.role', true) = 'operator'"


def protect(op: Any, table: str, *, read: str, write: str | None = None) -> None:
    """Force row security on `table`: the web role sees rows where `read` holds and writes where `write` does.

    Both are SQL conditions over the row, usually comparing with ORG, USER or OPERATOR. The worker role, which
    takes no requests, sees all rows.
    """
    check = write or read
    op.execute(f"alter table {table} enable row level security")
    op.execute(f"alter table {table} force row level security")
    # Forced row security binds the owner too; without this, a migration by an owner who is no superuser sees nothing.
    op.execute(f"create policy owner on {table} to current_user using (true) with check (true)")
    op.execute(f"create policy worker on {table} to {WORKER_ROLE} using (true) with check (true)")
    op.execute(f"create policy web_read on {table} for select to {WEB_ROLE} using ({read})")
    op.execute(f"create policy web_insert on {table} for insert to {WEB_ROLE} with check ({check})")
    op.execute(f"create policy web_update on {table} for update to {WEB_ROLE} using ({check}) with check ({check})")
    op.execute(f"create policy web_delete on {table} for delete to {WEB_ROLE} using ({check})")


def append_only(op: Any, table: str) -> None:
    """Rows of `table` are never changed or removed, by anybody: a trigger; `grant_tables` takes the right as well."""
    op.execute(
        f"create trigger append_only before update or delete on {table} for each row execute function refuse_change()"
    )


REFUSE_CHANGE = """
create or replace function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% rows are never changed', tg_table_name using errcode = 'insufficient_privilege';
end $$
"""


def ensure_role(connection: Connection, role: str, password: str) -> None:
    """Create the login role if it is missing and set its password; it may do nothing but log in."""
    exists = connection.scalar(text("select 1 from pg_roles where rolname = :role"), {"role": role})
    verb = "alter" if exists else "create"
    driver = connection.connection.driver_connection
    if driver is None:
        raise RuntimeError("the database connection is closed")
    statement = sql.SQL(verb + " role {} login nosuperuser nobypassrls nocreatedb nocreaterole password {}")
    with driver.cursor() as cursor:
        cursor.execute(statement.format(sql.Identifier(role), sql.Literal(password)))


def grant_tables(connection: Connection) -> None:
    """Let the run-time roles use every table, and only read and add to the append-only ones. Safe to repeat."""
    roles = f"{WEB_ROLE}, {WORKER_ROLE}"
    connection.execute(text(f"grant usage on schema public to {roles}"))
    connection.execute(text(f"grant select, insert, update, delete on all tables in schema public to {roles}"))
    connection.execute(text(f"grant usage, select on all sequences in schema public to {roles}"))
    fixed = connection.scalars(
        text("select tgrelid::regclass::text from pg_trigger where tgname = 'append_only' and not tgisinternal")
    )
    for table in [*fixed]:
        connection.execute(text(f"revoke update, delete, truncate on {table} from {roles}"))
    connection.execute(text(f"revoke insert, update, delete on alembic_version from {roles}"))
