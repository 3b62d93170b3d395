"""Rights that cannot collide, holds, serials, and two more kinds of licenses. The database itself decides."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from marketplace.config import WEB_ROLE, WORKER_ROLE
from marketplace.db import row_security
from marketplace.db.row_security import ORG

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_KINDS = "kind in ('exclusive','sole','non_exclusive','first_refusal','limited_edition','buyout')"
_FORMER_KINDS = "kind in ('exclusive','sole','non_exclusive','buyout')"
_EXCLUDING = "('exclusive','sole','buyout')"
_SETS = ", ".join(f"{name} with &&" for name in ("territory_set", "channel_set", "category_set", "metal_set", "period"))

# The numbers of the codes of each axis. A code that is added to the vocabulary needs a migration that adds it here;
# until then the database refuses it, so that a scope is never less than what was agreed.
_CODES = {
    "channels": ["retail", "online", "wholesale", "bridal"],
    "categories": ["ring", "earrings", "pendant", "necklace", "bracelet", "bangle", "brooch", "cufflinks", "other"],
    "metals": [
        "24k_yellow",
        "22k_yellow",
        "18k_yellow",
        "18k_white_pd",
        "18k_white_ni",
        "18k_rose",
        "14k_yellow",
        "14k_white_pd",
        "14k_white_ni",
        "14k_rose",
        "10k_yellow",
        "9k_yellow",
        "sterling",
        "platinum_950_ru",
        "platinum_950_co",
        "palladium_950",
    ],
}
_FAMILIES = {"gold": (1, 12), "silver": (13, 13), "platinum": (14, 15), "palladium": (16, 16)}


def _numbers() -> str:
    """Rows (axis, code, first, last) of every code."""
    rows = [(axis, code, n, n) for axis, codes in _CODES.items() for n, code in enumerate(codes, start=1)]
    rows += [("metals", family, first, last) for family, (first, last) in _FAMILIES.items()]
    return ", ".join(f"('{axis}', '{code}', {first}, {last})" for axis, code, first, last in rows)


# A list of codes as a set of numbers; no list, an empty one, or WORLD is everything. Countries are numbered by their
# two letters, so that a code ISO adds needs nothing here.
_SET = f"""
create function rights_set(axis text, codes jsonb) returns int4multirange language plpgsql immutable
set search_path = public, pg_temp as $$
declare found int4multirange; unknown text;
begin
  if jsonb_typeof(codes) is distinct from 'array' or jsonb_array_length(codes) = 0
     or jsonb_exists(codes, 'WORLD') then
    return '{{(,)}}';
  end if;
  if axis = 'territories' then
    select min(code) into unknown from jsonb_array_elements_text(codes) code where code !~ '^[A-Z][A-Z]$';
    select range_agg(int4range(256 * ascii(code) + ascii(substr(code, 2)), 256 * ascii(code) + ascii(substr(code, 2)),
                               '[]'))
      into found from jsonb_array_elements_text(codes) code;
  else
    select range_agg(int4range(known.first, known.last, '[]')), min(asked.code) filter (where known.code is null)
      into found, unknown
      from jsonb_array_elements_text(codes) asked(code)
      left join (values {_numbers()}) known(axis, code, first, last)
        on known.axis = rights_set.axis and known.code = asked.code;
  end if;
  if unknown is not null then
    raise exception 'no number for % of %', unknown, axis using errcode = 'check_violation';
  end if;
  return found;
end $$
"""

# From when until when: a license in force as it says, one that is not yet as if it began when it was agreed on.
_PERIOD = """
create function rights_period(terms jsonb, agreed timestamptz, active_from timestamptz, active_until timestamptz)
returns tstzrange language plpgsql immutable set search_path = public, pg_temp as $$
declare begins timestamptz; until timestamptz;
begin
  if active_from is not null then
    -- A license that was ended on the day it began takes nothing more; an empty range would be refused.
    return tstzrange(active_from, case when active_until is not null
                                       then greatest(active_until, active_from + interval '1 microsecond') end);
  end if;
  begins := greatest(agreed, (terms->>'start')::date::timestamp at time zone 'UTC');
  if terms->>'term_months' is not null then
    until := (begins at time zone 'UTC' + make_interval(months => (terms->>'term_months')::integer))
             at time zone 'UTC';
  end if;
  return tstzrange(begins, until);
end $$
"""

# The one writer of rights_grants. The lock is the one marketplace/licensing/grants.py takes; with it two inserts that
# collide wait for each other and the second is refused, where they would else end in a deadlock.
_WRITE = f"""
create function write_grant(source text, negotiation text, design text, designer text, holder text, wanted text,
                            scope jsonb, during tstzrange, held timestamptz) returns void language plpgsql
set search_path = public, pg_temp as $$
declare number bigint := nextval('rights_lanes');
begin
  perform pg_advisory_xact_lock(hashtextextended('rights ' || design, 0));
  delete from rights_holds where design_id = design and held_until <= now();
  delete from rights_grants where source_id = source;
  insert into rights_grants (source_id, negotiation_id, design_id, designer_org_id, holder_org_id, kind, terms, period,
                             territory_set, channel_set, category_set, metal_set, lane, held_until)
  values (source, negotiation, design, designer, holder, wanted, scope, during,
          rights_set('territories', scope->'territories'), rights_set('channels', scope->'channels'),
          rights_set('categories', scope->'categories'), rights_set('metals', scope->'metals'),
          case when wanted in {_EXCLUDING} then int8range(null, null) else int8range(number, number, '[]') end, held);
end $$
"""

_FOLLOW_LICENSE = """
create function follow_license() returns trigger language plpgsql security definer
set search_path = public, pg_temp as $$
declare holding constant text[] := array['drafting', 'to_sign', 'to_pay', 'active', 'breach'];
begin
  if tg_op = 'DELETE' then
    delete from rights_grants where source_id = old.id;
  elsif not new.state = any(holding) then
    delete from rights_grants where source_id = new.id;
  elsif tg_op = 'INSERT' or not old.state = any(holding)
        or (old.terms, old.kind, old.design_id, old.buyer_org_id, old.active_from, old.active_until)
           is distinct from (new.terms, new.kind, new.design_id, new.buyer_org_id, new.active_from, new.active_until)
  then
    delete from rights_holds where negotiation_id = new.negotiation_id;
    perform write_grant(new.id, new.negotiation_id, new.design_id, new.designer_org_id, new.buyer_org_id, new.kind,
                        jsonb_build_object('territories', new.terms->'territories', 'channels', new.terms->'channels',
                                           'categories', new.terms->'categories', 'metals', new.terms->'metals'),
                        rights_period(new.terms, new.created_at, new.active_from, new.active_until), null);
  end if;
  return null;
end $$
"""

_FOLLOW_HOLD = """
create function follow_hold() returns trigger language plpgsql security definer
set search_path = public, pg_temp as $$
begin
  if tg_op = 'DELETE' then
    delete from rights_grants where source_id = old.negotiation_id;
    return null;
  end if;
  perform write_grant(new.negotiation_id, new.negotiation_id, new.design_id, new.designer_org_id, new.buyer_org_id,
                      new.kind,
                      jsonb_build_object('territories', new.terms->'territories', 'channels', new.terms->'channels',
                                         'categories', new.terms->'categories', 'metals', new.terms->'metals'),
                      rights_period(new.terms, new.created_at, null, null), new.held_until);
  return null;
end $$
"""

_FOLLOW_NEGOTIATION = """
create function follow_negotiation() returns trigger language plpgsql security definer
set search_path = public, pg_temp as $$
begin
  if new.state <> 'open' then
    delete from rights_holds where negotiation_id = new.id;
  end if;
  return null;
end $$
"""

# What is taken of a design, for anybody who may negotiate over it: scopes and times, no party and no money. It runs as
# the owner of the tables, because row security hides other parties' rows. `own` tells a party which rows are of the
# organization it asks about: its own, or, for the designer, the one it negotiates with. Jobs may ask about any.
_GRANTS = f"""
create function design_grants(wanted text, asker text) returns table (
  kind text, territories text, channels text, categories text, metals text,
  begins timestamptz, until timestamptz, held_until timestamptz, own text
) language sql stable security definer set search_path = public, pg_temp as $$
  select g.kind, g.terms->>'territories', g.terms->>'channels', g.terms->>'categories', g.terms->>'metals',
         lower(g.period), upper(g.period), g.held_until,
         case when g.holder_org_id = asker
               and (session_user = '{WORKER_ROLE}' or {ORG} in (asker, g.designer_org_id)) then g.source_id end
  from rights_grants g
  where g.design_id = wanted
$$
"""

_FORMER_GRANTS = """
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

# Whether a design is shut for a territory ('WORLD': for any): by a standing license or hold that excludes others.
_RESERVED = f"""
create function design_reserved(wanted text, territory text) returns boolean language sql stable security definer
set search_path = public, pg_temp as $$
  select exists (
    select 1 from rights_grants g
    where g.design_id = wanted and g.kind in {_EXCLUDING} and (upper_inf(g.period) or upper(g.period) > now())
      and (g.held_until is null or g.held_until > now())
      and (territory = 'WORLD' or g.territory_set && rights_set('territories', jsonb_build_array(territory)))
  )
$$
"""

# Pieces of a design that have a number, and how large the smallest edition of it is: counts of all licensees, no
# party. An edition that was once sold as one stays one when its license ends.
_UNITS = """
create function design_units(wanted text) returns table (numbered bigint, edition bigint)
language sql stable security definer set search_path = public, pg_temp as $$
  select (select coalesce(sum(s.last - s.first + 1), 0)::bigint from serials s
          where s.design_id = wanted and s.released_at is null),
         (select min((l.terms->>'max_units')::bigint) from licenses l
          where l.design_id = wanted and l.kind = 'limited_edition'
            and (l.active_from is not null or l.state in ('drafting', 'to_sign', 'to_pay', 'active', 'breach')))
$$
"""

# The lowest numbers nobody has, as ranges; under the design's lock.
_FREE = """
create function free_serials(wanted text, quantity bigint) returns table (first bigint, last bigint)
language sql stable security definer set search_path = public, pg_temp as $$
  with taken as (
    select range_agg(int8range(s.first, s.last, '[]')) numbers from serials s
    where s.design_id = wanted and s.released_at is null
  ), gaps as (
    select lower(gap) low, coalesce(upper(gap), lower(gap) + quantity) high
    from taken, unnest(int8multirange(int8range(1, null)) - coalesce(numbers, '{}')) gap
  ), counted as (
    select low, high, coalesce(sum(high - low) over (order by low rows between unbounded preceding and 1 preceding),
                               0) before
    from gaps
  )
  select low, (least(high, low + quantity - before) - 1)::bigint from counted where before < quantity order by low
$$
"""

_CHECK_SERIALS = """
create function check_serials() returns trigger language plpgsql security definer
set search_path = public, pg_temp as $$
declare own bigint; most bigint; numbered bigint; edition bigint;
begin
  if new.released_at is not null then
    return null;
  end if;
  perform pg_advisory_xact_lock(hashtextextended('rights ' || new.design_id, 0));
  select (l.terms->>'max_units')::bigint into most from licenses l where l.id = new.license_id;
  select coalesce(sum(s.last - s.first + 1), 0) into own from serials s
    where s.license_id = new.license_id and s.released_at is null;
  if own > most then
    raise exception 'the license allows % pieces', most
      using errcode = 'check_violation', constraint = 'serials_of_license';
  end if;
  select u.numbered, u.edition into numbered, edition from design_units(new.design_id) u;
  if numbered > edition then
    raise exception 'the edition is of % pieces', edition
      using errcode = 'check_violation', constraint = 'serials_of_edition';
  end if;
  return null;
end $$
"""

_FOLLOW_ORDER = """
create function follow_order() returns trigger language plpgsql security definer
set search_path = public, pg_temp as $$
begin
  if new.state = 'canceled' then
    update serials set released_at = now() where order_id = new.id and released_at is null;
  end if;
  return null;
end $$
"""

# Orders that were placed before pieces had numbers: one after the other, as they came.
_NUMBER_ORDERS = """
insert into serials (id, license_id, design_id, designer_org_id, buyer_org_id, order_id, first, last, created_at)
select 'srl_' || substr(o.id, 5), o.license_id, o.design_id, o.designer_org_id, o.buyer_org_id, o.id,
       sum(o.quantity) over w - o.quantity + 1, sum(o.quantity) over w, o.created_at
from orders o where o.state <> 'canceled' and o.quantity > 0
window w as (partition by o.design_id order by o.created_at, o.id)
"""

_PARTY_OF_HOLD = f"{ORG} in (designer_org_id, buyer_org_id)"


def upgrade() -> None:
    # Trusted since PostgreSQL 13: the owner of the database may create it.
    op.execute("create extension if not exists btree_gist")
    op.drop_constraint(op.f("ck_licenses_kind"), "licenses")
    op.create_check_constraint(op.f("ck_licenses_kind"), "licenses", _KINDS)
    _tables()
    row_security.protect(op, "rights_grants", read=f"{ORG} in (designer_org_id, holder_org_id)", write="false")
    op.execute("drop policy worker on rights_grants")
    op.execute(f"create policy worker on rights_grants for select to {WORKER_ROLE} using (true)")
    row_security.protect(
        op,
        "rights_holds",
        read=_PARTY_OF_HOLD,
        write=f"designer_org_id = {ORG} and exists (select 1 from negotiations n where n.id = negotiation_id"
        " and n.design_id = rights_holds.design_id and n.designer_org_id = rights_holds.designer_org_id"
        " and n.buyer_org_id = rights_holds.buyer_org_id and n.state = 'open')",
    )
    op.execute(f"create policy buyer_delete on rights_holds for delete to {WEB_ROLE} using (buyer_org_id = {ORG})")
    row_security.protect(
        op,
        "serials",
        read=f"{ORG} in (designer_org_id, buyer_org_id)",
        write=f"buyer_org_id = {ORG} and exists (select 1 from licenses l where l.id = license_id"
        " and l.design_id = serials.design_id and l.designer_org_id = serials.designer_org_id"
        " and l.buyer_org_id = serials.buyer_org_id)",
    )
    op.execute("create sequence rights_lanes")
    op.execute("drop function design_grants(text)")
    for statement in (_SET, _PERIOD, _WRITE, _FOLLOW_LICENSE, _FOLLOW_HOLD, _FOLLOW_NEGOTIATION, _GRANTS, _RESERVED):
        op.execute(statement)
    for statement in (_UNITS, _FREE, _CHECK_SERIALS, _FOLLOW_ORDER):
        op.execute(statement)
    for name in (
        "design_grants(text, text)",
        "design_reserved(text, text)",
        "design_units(text)",
        "free_serials(text, bigint)",
    ):
        op.execute(f"revoke all on function {name} from public")
        op.execute(f"grant execute on function {name} to {WEB_ROLE}, {WORKER_ROLE}")
    _triggers()
    _write_standing()
    op.execute(_NUMBER_ORDERS)


def _write_standing() -> None:
    """What is granted already, by the function that the triggers use."""
    op.execute(
        "select write_grant(l.id, l.negotiation_id, l.design_id, l.designer_org_id, l.buyer_org_id, l.kind,"
        " jsonb_build_object('territories', l.terms->'territories', 'channels', l.terms->'channels',"
        " 'categories', l.terms->'categories', 'metals', l.terms->'metals'),"
        " rights_period(l.terms, l.created_at, l.active_from, l.active_until), null)"
        " from licenses l where l.state in ('drafting', 'to_sign', 'to_pay', 'active', 'breach')"
        " order by l.created_at, l.id"
    )


def _triggers() -> None:
    op.execute(
        "create trigger rights after insert or update or delete on licenses"
        " for each row execute function follow_license()"
    )
    op.execute(
        "create trigger rights after insert or update or delete on rights_holds"
        " for each row execute function follow_hold()"
    )
    op.execute(
        "create trigger rights after update of state on negotiations for each row execute function follow_negotiation()"
    )
    op.execute("create trigger units after insert or update on serials for each row execute function check_serials()")
    op.execute("create trigger units after update of state on orders for each row execute function follow_order()")


def _tables() -> None:
    text40, moment = sa.String(length=40), sa.DateTime(timezone=True)
    op.create_table(
        "rights_grants",
        sa.Column("source_id", text40, nullable=False),
        sa.Column("negotiation_id", text40, nullable=False),
        sa.Column("design_id", text40, nullable=False),
        sa.Column("designer_org_id", text40, nullable=False),
        sa.Column("holder_org_id", text40, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("terms", postgresql.JSONB(), nullable=False),
        sa.Column("period", postgresql.TSTZRANGE(), nullable=False),
        *(
            sa.Column(name, postgresql.INT4MULTIRANGE(), nullable=False)
            for name in ("territory_set", "channel_set", "category_set", "metal_set")
        ),
        sa.Column("lane", postgresql.INT8RANGE(), nullable=False),
        sa.Column("held_until", moment, nullable=True),
        sa.CheckConstraint("not isempty(period)", name=op.f("ck_rights_grants_period")),
        sa.PrimaryKeyConstraint("source_id", name=op.f("pk_rights_grants")),
    )
    op.execute(
        f"alter table rights_grants add constraint ex_rights_grants_others exclude using gist (design_id with =,"
        f" {_SETS}, lane with &&) where (kind <> 'first_refusal')"
    )
    op.execute(
        f"alter table rights_grants add constraint ex_rights_grants_first exclude using gist (design_id with =,"
        f" holder_org_id with <>, {_SETS}) where (kind = 'first_refusal' or kind in {_EXCLUDING})"
    )
    op.create_index("ix_rights_grants_design", "rights_grants", ["design_id"])
    op.create_index(
        "ix_rights_grants_excluding", "rights_grants", ["design_id"], postgresql_where=sa.text(f"kind in {_EXCLUDING}")
    )
    op.create_table(
        "rights_holds",
        sa.Column("negotiation_id", text40, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("design_id", text40, nullable=False),
        sa.Column("designer_org_id", text40, nullable=False),
        sa.Column("buyer_org_id", text40, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("terms", postgresql.JSONB(), nullable=False),
        sa.Column("held_until", moment, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.CheckConstraint("held_until > created_at", name=op.f("ck_rights_holds_time")),
        sa.ForeignKeyConstraint(["negotiation_id"], ["negotiations.id"], name=op.f("fk_rights_holds_negotiation_id")),
        sa.PrimaryKeyConstraint("negotiation_id", name=op.f("pk_rights_holds")),
    )
    op.create_index("ix_rights_holds_design", "rights_holds", ["design_id"])
    op.create_index("ix_rights_holds_until", "rights_holds", ["held_until"])
    op.create_table(
        "serials",
        sa.Column("id", text40, nullable=False),
        sa.Column("license_id", text40, nullable=False),
        sa.Column("design_id", text40, nullable=False),
        sa.Column("designer_org_id", text40, nullable=False),
        sa.Column("buyer_org_id", text40, nullable=False),
        sa.Column("order_id", text40, nullable=True),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("released_at", moment, nullable=True),
        sa.Column("created_at", moment, nullable=False),
        sa.CheckConstraint("first >= 1 and last >= first", name=op.f("ck_serials_numbers")),
        sa.ForeignKeyConstraint(["license_id"], ["licenses.id"], name=op.f("fk_serials_license_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_serials")),
    )
    op.execute(
        "alter table serials add constraint ex_serials_numbers exclude using gist (design_id with =,"
        " int8range(first, last, '[]') with &&) where (released_at is null)"
    )
    op.create_index("ix_serials_license", "serials", ["license_id"])
    op.create_index("ix_serials_order", "serials", ["order_id"])


def downgrade() -> None:
    for table, trigger in (("orders", "units"), ("negotiations", "rights"), ("licenses", "rights")):
        op.execute(f"drop trigger {trigger} on {table}")
    for table in ("serials", "rights_holds", "rights_grants"):
        op.drop_table(table)
    for name in (
        "follow_order()",
        "check_serials()",
        "free_serials(text, bigint)",
        "design_units(text)",
        "design_reserved(text, text)",
        "design_grants(text, text)",
        "follow_negotiation()",
        "follow_hold()",
        "follow_license()",
        "write_grant(text, text, text, text, text, text, jsonb, tstzrange, timestamptz)",
        "rights_period(jsonb, timestamptz, timestamptz, timestamptz)",
        "rights_set(text, jsonb)",
    ):
        op.execute(f"drop function {name}")
    op.execute("drop sequence rights_lanes")
    op.execute(_FORMER_GRANTS)
    op.execute("revoke all on function design_grants(text) from public")
    op.execute(f"grant execute on function design_grants(text) to {WEB_ROLE}, {WORKER_ROLE}")
    # What has no name in the former vocabulary is the kind it is closest to.
    op.execute("update licenses set kind = 'non_exclusive' where kind in ('first_refusal', 'limited_edition')")
    op.drop_constraint(op.f("ck_licenses_kind"), "licenses")
    op.create_check_constraint(op.f("ck_licenses_kind"), "licenses", _FORMER_KINDS)
    op.execute("drop extension if exists btree_gist")
