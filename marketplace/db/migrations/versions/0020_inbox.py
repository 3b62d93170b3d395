"""The inbox: each side's list of threads and its search, mail settings, answers by mail, when a buyer was named."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from marketplace.config import WEB_ROLE, WORKER_ROLE
from marketplace.db import row_security
from marketplace.db.row_security import ORG, USER

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

# Words of a text as they are found: compatible forms made one, small letters, no punctuation, and each Han character a
# word of its own, because no spaces separate Chinese words. A search looks for them side by side, in their order.
_SPACED = r"""
create function thread_spaced(body text) returns text language sql immutable parallel safe as $$
  select regexp_replace(
    regexp_replace(lower(normalize(body, nfkc)),
      '[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf\u2000-\u206f\u3000-\u303f]+', ' ', 'g'),
    '([\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])', ' \1 ', 'g')
$$
"""
_WORDS = """
create function thread_words(body text) returns tsvector language sql immutable parallel safe as $$
  select to_tsvector('simple', thread_spaced(body))
$$
"""
# Every word must be there; the last one may be the beginning of a word, because people search while they type. What
# stood together without a space (18k金, 6.8) must stand together.
_QUERY = """
create function thread_query(wanted text) returns tsquery language sql immutable parallel safe as $$
  select coalesce(
    string_agg('(' || q || case when n = total then ':*' else '' end || ')', ' & ' order by n), '')::tsquery
  from (
    select phraseto_tsquery('simple', thread_spaced(word))::text as q,
           row_number() over (order by place) as n, count(*) over () as total
    from regexp_split_to_table(wanted, '[[:space:]]+') with ordinality as parts(word, place)
    where phraseto_tsquery('simple', thread_spaced(word))::text <> ''
  ) found
$$
"""
# Row security would keep a search from its index, because `@@` is not leakproof. This runs as the owner of the tables
# and finds threads of the actor's own organization only: its id is one of the words that must be there.
_MATCHING = """
create function threads_matching(wanted text) returns setof text
language sql stable security definer set search_path = public rows 100 as $$
  select distinct t.negotiation_id from thread_texts t
  where numnode(thread_query(wanted)) > 0 and current_setting('app.org', true) <> ''
    and t.words @@ (thread_query(wanted) && quote_literal(current_setting('app.org', true))::tsquery)
$$
"""
# Called by the statement that finds out who asks, before row security knows it. It tells a number, at most 100.
_UNREAD = """
create function unread_threads(org text) returns bigint
language sql stable security definer set search_path = public as $$
  select count(*) from (select 1 from inbox_threads t where t.org_id = org and t.unread > 0 limit 100) held
$$
"""
# All of these run when the transaction ends, after every lock of the product's own, and lock the two rows of a thread
# in the order of the organizations: so they never wait in a circle.
_FOLLOW_NEGOTIATION = """
create function inbox_follow_negotiation() returns trigger
language plpgsql security definer set search_path = public as $$
begin
  insert into inbox_threads as t
    (org_id, negotiation_id, side, other_org_id, design_id, phase, state, expires_at, moved_at, unread)
  select s.org_id, new.id, s.side, s.other_org_id, new.design_id,
    case when new.state in ('accepted', 'declined', 'expired', 'withdrawn') then 'closed'
         when new.turn = s.side then 'mine' else 'theirs' end,
    new.state, new.expires_at, new.updated_at, 0
  from (values (new.designer_org_id, 'designer', new.buyer_org_id), (new.buyer_org_id, 'buyer', new.designer_org_id))
    as s(org_id, side, other_org_id)
  order by s.org_id
  on conflict (org_id, negotiation_id) do update set phase = excluded.phase, state = excluded.state,
    expires_at = excluded.expires_at, moved_at = greatest(t.moved_at, excluded.moved_at);
  if tg_op = 'INSERT' or new.buyer_named_at is distinct from old.buyer_named_at then
    perform inbox_index_head(new.id);
  end if;
  return null;
end $$
"""
# What stands at the head of a thread, for each side: the title and the other's name, as far as that side knows it. The
# code is licensing.rules.alias_code.
_INDEX_HEAD = """
create function inbox_index_head(wanted text) returns void
language sql security definer set search_path = public as $$
  insert into thread_texts (id, negotiation_id, words)
  select n.id || ':designer', n.id,
    thread_words(concat_ws(' ', n.snapshot->>'title', 'Buyer 买家 買家',
      left(encode(sha256(convert_to(n.buyer_org_id || ':' || n.design_id, 'UTF8')), 'hex'), 4),
      case when n.buyer_named_at is not null then b.name end)) || array_to_tsvector(array[n.designer_org_id::text])
  from negotiations n join organizations b on b.id = n.buyer_org_id where n.id = wanted
  union all
  select n.id || ':buyer', n.id,
    thread_words(concat_ws(' ', n.snapshot->>'title', d.name)) || array_to_tsvector(array[n.buyer_org_id::text])
  from negotiations n join organizations d on d.id = n.designer_org_id where n.id = wanted
  on conflict (id) do update set words = excluded.words
$$
"""
_FOLLOW_MESSAGE = """
create function inbox_follow_message() returns trigger
language plpgsql security definer set search_path = public as $$
begin
  perform 1 from inbox_threads t where t.negotiation_id = new.negotiation_id order by t.org_id for update;
  update inbox_threads t set unread = t.unread + case when t.org_id = new.to_org_id then 1 else 0 end,
    moved_at = greatest(t.moved_at, new.created_at) where t.negotiation_id = new.negotiation_id;
  return null;
end $$
"""
_FOLLOW_OFFER = """
create function inbox_follow_offer() returns trigger
language plpgsql security definer set search_path = public as $$
begin
  perform 1 from inbox_threads t where t.negotiation_id = new.negotiation_id order by t.org_id for update;
  update inbox_threads t set unread = t.unread + 1
    where t.negotiation_id = new.negotiation_id and t.org_id <> new.by_org_id;
  return null;
end $$
"""
# The count is taken after the rows are locked, in a statement of its own that sees what was committed until then.
_FOLLOW_READ = """
create function inbox_follow_read() returns trigger
language plpgsql security definer set search_path = public as $$
begin
  perform 1 from inbox_threads t where t.negotiation_id = new.negotiation_id order by t.org_id for update;
  update inbox_threads t set unread = inbox_count_unread(new.negotiation_id, new.org_id, new.read_at)
    where t.negotiation_id = new.negotiation_id and t.org_id = new.org_id;
  return null;
end $$
"""
_COUNT_UNREAD = """
create function inbox_count_unread(thread text, org text, since timestamptz) returns integer
language sql stable as $$
  select (select count(*) from messages m where m.negotiation_id = thread and m.to_org_id = org
            and m.created_at > coalesce(since, '-infinity'))::integer
       + (select count(*) from offers o where o.negotiation_id = thread and o.by_org_id <> org
            and o.created_at > coalesce(since, '-infinity'))::integer
$$
"""
_FOLLOW_LICENSE = """
create function inbox_follow_license() returns trigger
language plpgsql security definer set search_path = public as $$
begin
  perform 1 from inbox_threads t where t.negotiation_id = new.negotiation_id order by t.org_id for update;
  update inbox_threads t set license_id = new.id, license_state = new.state
    where t.negotiation_id = new.negotiation_id;
  return null;
end $$
"""
_INDEX_MESSAGE = """
create function inbox_index_message() returns trigger
language plpgsql security definer set search_path = public as $$
begin
  insert into thread_texts (id, negotiation_id, words) values (new.id, new.negotiation_id,
    thread_words(new.text) || array_to_tsvector(array[new.org_id::text, new.to_org_id::text]))
  on conflict (id) do nothing;
  return null;
end $$
"""
_INDEX_TRANSLATION = """
create function inbox_index_translation() returns trigger
language plpgsql security definer set search_path = public as $$
begin
  insert into thread_texts (id, negotiation_id, words)
  select new.message_id || ':' || new.lang, m.negotiation_id,
    thread_words(new.text) || array_to_tsvector(array[m.org_id::text, m.to_org_id::text])
  from messages m where m.id = new.message_id and new.text is not null
  on conflict (id) do update set words = excluded.words;
  return null;
end $$
"""
_FUNCTIONS = {
    "thread_spaced(text)": _SPACED,
    "thread_words(text)": _WORDS,
    "thread_query(text)": _QUERY,
    "threads_matching(text)": _MATCHING,
    "unread_threads(text)": _UNREAD,
    "inbox_index_head(text)": _INDEX_HEAD,
    "inbox_count_unread(text, text, timestamptz)": _COUNT_UNREAD,
    "inbox_follow_negotiation()": _FOLLOW_NEGOTIATION,
    "inbox_follow_message()": _FOLLOW_MESSAGE,
    "inbox_follow_offer()": _FOLLOW_OFFER,
    "inbox_follow_read()": _FOLLOW_READ,
    "inbox_follow_license()": _FOLLOW_LICENSE,
    "inbox_index_message()": _INDEX_MESSAGE,
    "inbox_index_translation()": _INDEX_TRANSLATION,
}
#: What the run-time roles call themselves; the rest is called by triggers.
_CALLED = ("threads_matching(text)", "unread_threads(text)")
#: table, event, function, whether it waits for the end of the transaction.
_TRIGGERS = (
    ("negotiations", "insert or update", "inbox_follow_negotiation", True),
    ("messages", "insert", "inbox_follow_message", True),
    ("offers", "insert", "inbox_follow_offer", True),
    ("negotiation_reads", "insert or update", "inbox_follow_read", True),
    ("licenses", "insert or update of state", "inbox_follow_license", True),
    ("messages", "insert", "inbox_index_message", False),
    ("message_translations", "insert or update", "inbox_index_translation", False),
)
# What was there before: the same as the triggers would have made of it.
_FILL = (
    """
    insert into inbox_threads (org_id, negotiation_id, side, other_org_id, design_id, phase, state, expires_at,
      moved_at, unread, license_id, license_state)
    select s.org_id, n.id, s.side, s.other_org_id, n.design_id,
      case when n.state <> 'open' then 'closed' when n.turn = s.side then 'mine' else 'theirs' end,
      n.state, n.expires_at, n.updated_at,
      inbox_count_unread(n.id, s.org_id, (select r.read_at from negotiation_reads r
        where r.negotiation_id = n.id and r.org_id = s.org_id)), l.id, l.state
    from negotiations n left join licenses l on l.negotiation_id = n.id,
      lateral (values (n.designer_org_id, 'designer', n.buyer_org_id), (n.buyer_org_id, 'buyer', n.designer_org_id))
        as s(org_id, side, other_org_id)
    """,
    "select inbox_index_head(n.id) from negotiations n",
    """
    insert into thread_texts (id, negotiation_id, words)
    select m.id, m.negotiation_id, thread_words(m.text) || array_to_tsvector(array[m.org_id::text, m.to_org_id::text])
    from messages m
    """,
    """
    insert into thread_texts (id, negotiation_id, words)
    select t.message_id || ':' || t.lang, m.negotiation_id,
      thread_words(t.text) || array_to_tsvector(array[m.org_id::text, m.to_org_id::text])
    from message_translations t join messages m on m.id = t.message_id where t.text is not null
    """,
)


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.add_column("negotiations", sa.Column("buyer_named_at", moment, nullable=True))
    op.add_column("messages", sa.Column("by_mail", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.execute(
        "update negotiations n set buyer_named_at = o.at from (select l.negotiation_id as id, min(x.created_at) as at"
        " from orders x join licenses l on l.id = x.license_id group by 1) o where o.id = n.id"
    )
    op.create_table(
        "inbox_threads",
        sa.Column("org_id", sa.String(length=40), nullable=False),
        sa.Column("negotiation_id", sa.String(length=40), nullable=False),
        sa.Column("side", sa.String(length=10), nullable=False),
        sa.Column("other_org_id", sa.String(length=40), nullable=False),
        sa.Column("design_id", sa.String(length=40), nullable=False),
        sa.Column("phase", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("expires_at", moment, nullable=False),
        sa.Column("moved_at", moment, nullable=False),
        sa.Column("unread", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("license_id", sa.String(length=40), nullable=True),
        sa.Column("license_state", sa.String(length=12), nullable=True),
        sa.CheckConstraint("side in ('designer','buyer')", name=op.f("ck_inbox_threads_side")),
        sa.CheckConstraint("phase in ('mine','theirs','closed')", name=op.f("ck_inbox_threads_phase")),
        sa.CheckConstraint("unread >= 0", name=op.f("ck_inbox_threads_unread")),
        sa.ForeignKeyConstraint(["negotiation_id"], ["negotiations.id"], name=op.f("fk_inbox_threads_negotiation_id")),
        sa.PrimaryKeyConstraint("org_id", "negotiation_id", name=op.f("pk_inbox_threads")),
    )
    op.create_index("ix_inbox_threads_moved", "inbox_threads", ["org_id", "moved_at", "negotiation_id"])
    op.create_index("ix_inbox_threads_phase", "inbox_threads", ["org_id", "phase", "moved_at", "negotiation_id"])
    op.create_index("ix_inbox_threads_negotiation", "inbox_threads", ["negotiation_id"])
    op.create_index(
        "ix_inbox_threads_expiring",
        "inbox_threads",
        ["org_id", "expires_at"],
        postgresql_where=sa.text("phase in ('mine', 'theirs')"),
    )
    op.create_index(
        "ix_inbox_threads_unread",
        "inbox_threads",
        ["org_id", "moved_at", "negotiation_id"],
        postgresql_where=sa.text("unread > 0"),
    )
    op.create_table(
        "thread_texts",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("negotiation_id", sa.String(length=40), nullable=False),
        sa.Column("words", postgresql.TSVECTOR(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_thread_texts")),
    )
    op.create_index("ix_thread_texts_words", "thread_texts", ["words"], postgresql_using="gin")
    op.create_table(
        "mail_settings",
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("threads", sa.String(length=10), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.CheckConstraint("threads in ('immediate','daily','off')", name=op.f("ck_mail_settings_threads")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_mail_settings")),
    )
    op.create_table(
        "digests",
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("mail_id", sa.String(length=40), nullable=True),
        sa.Column("created_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "day", name=op.f("pk_digests")),
    )
    op.create_table(
        "reply_addresses",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("org_id", sa.String(length=40), nullable=False),
        sa.Column("negotiation_id", sa.String(length=40), nullable=False),
        sa.Column("expires_at", moment, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reply_addresses")),
        sa.UniqueConstraint(
            "user_id", "org_id", "negotiation_id", name=op.f("uq_reply_addresses_user_id_org_id_negotiation_id")
        ),
    )
    op.create_table(
        "inbound_mails",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("address_id", sa.String(length=40), nullable=False),
        sa.Column("delivery", sa.String(length=80), nullable=False),
        sa.Column("message_key", sa.String(length=64), nullable=True),
        sa.Column("sender", sa.String(length=320), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("message_id", sa.String(length=40), nullable=True),
        sa.Column("done_at", moment, nullable=True),
        sa.Column("created_at", moment, nullable=False),
        sa.CheckConstraint("state in ('received','posted','ignored','refused')", name=op.f("ck_inbound_mails_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound_mails")),
        sa.UniqueConstraint("delivery", name=op.f("uq_inbound_mails_delivery")),
        sa.UniqueConstraint("address_id", "message_key", name=op.f("uq_inbound_mails_address_id_message_key")),
    )
    op.create_index("ix_inbound_mails_address", "inbound_mails", ["address_id", "created_at"])

    op.create_index("ix_negotiation_assignees_user", "negotiation_assignees", ["user_id"])

    row_security.protect(op, "inbox_threads", read=f"org_id = {ORG}", write="false")
    row_security.protect(op, "thread_texts", read="false")
    row_security.protect(op, "reply_addresses", read=f"user_id = {USER}", write="false")
    row_security.protect(op, "digests", read=f"user_id = {USER}", write="false")
    # The provider's delivery comes without a person: it may put a row in, and see none.
    row_security.protect(op, "inbound_mails", read="false", write="true")
    plain = op.get_bind().exec_driver_sql  # a colon in these is a colon
    for body in _FUNCTIONS.values():
        plain(body)
    for name in _FUNCTIONS:
        op.execute(f"revoke all on function {name} from public")
    for name in _CALLED:
        op.execute(f"grant execute on function {name} to {WEB_ROLE}, {WORKER_ROLE}")
    for table, event, function, late in _TRIGGERS:
        kind, when = ("constraint trigger", "deferrable initially deferred") if late else ("trigger", "")
        op.execute(
            f"create {kind} {function} after {event} on {table} {when} for each row execute function {function}()"
        )
    for statement in _FILL:
        plain(statement)


def downgrade() -> None:
    for table, _event, function, _late in _TRIGGERS:
        op.execute(f"drop trigger {function} on {table}")
    for name in reversed(_FUNCTIONS):
        op.execute(f"drop function {name}")
    for table in ("inbound_mails", "reply_addresses", "digests", "mail_settings", "thread_texts", "inbox_threads"):
        op.drop_table(table)
    op.drop_index("ix_negotiation_assignees_user", table_name="negotiation_assignees")
    op.drop_column("messages", "by_mail")
    op.drop_column("negotiations", "buyer_named_at")
