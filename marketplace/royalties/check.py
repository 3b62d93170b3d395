"""Whether statements, what they count and the books say the same, to the cent. Needs a role that sees all.

R1: a statement is the sum of its lines, and leads from what the statements before it left to what it leaves.
R2: a statement is paid exactly when a payment of exactly its amount is booked; what of that went back is a line of a
    later statement; a royalty it shows as paid with an order is booked with that order's payment for the designer.
R3: a reported sale or an agreed difference is counted once, and at the latest by the statement of its own quarter.
"""

from collections.abc import Iterator

from sqlalchemy import text
from sqlalchemy.orm import Session

_SUMS = text("""
select s.id, s.earned, s.paid_with_orders, coalesce(sum(l.royalty), 0) as royalty,
  coalesce(sum(l.paid), 0) as paid
from (select * from royalty_statements where state <> 'draft' and kind <> 'advance') s
left join royalty_lines l on l.statement_id = s.id
group by s.id, s.earned, s.paid_with_orders
having s.earned <> coalesce(sum(l.royalty), 0) or s.paid_with_orders <> coalesce(sum(l.paid), 0)
order by s.id
""")
_CHAIN = text("""
select id, credit_opening, advance_opening, left_credit, left_advance from (
  select s.id, kind, credit_opening, advance_opening,
    coalesce(sum(credit_closing - credit_opening) over before, 0) as left_credit,
    coalesce((select sum(a.amount_due) from royalty_statements a where a.license_id = s.license_id
      and a.kind = 'advance' and a.paid_at <= s.issued_at), 0)
      - coalesce(sum(advance_recouped) over before, 0)
      + coalesce((select sum(l.base - l.paid) from royalty_lines l join royalty_statements w on w.id = l.statement_id
        where l.license_id = s.license_id and l.kind = 'advance' and w.sequence <= s.sequence), 0) as left_advance
  from royalty_statements s where state <> 'draft'
  window before as (partition by license_id order by sequence rows between unbounded preceding and 1 preceding)
) s
where kind <> 'advance' and (credit_opening <> left_credit or advance_opening <> left_advance)
order by id
""")
_GAPS = text("""
select license_id from royalty_statements where state <> 'draft'
group by license_id having max(sequence) <> count(*) order by license_id
""")
_PAID = text("""
select s.id, s.state, s.amount_due, s.currency, coalesce(b.amount, 0) as booked from royalty_statements s
left join (
  select t.subject_id, e.currency, sum(e.amount) as amount from ledger_transactions t
  join checkouts c on t.key = 'paid:' || c.id and c.purpose = 'royalty'
  join ledger_entries e on e.transaction_id = t.id and e.account = 'assets:stripe'
  where not exists (select 1 from refunds r where r.checkout_id = c.id and r.reason = 'too_late')
  group by t.subject_id, e.currency
) b on b.subject_id = s.id and b.currency = s.currency
where coalesce(b.amount, 0) <> case when s.state = 'paid' then s.amount_due else 0 end
order by s.id
""")
_WITH_ORDERS = text("""
select l.id, l.paid, coalesce(b.gross, 0) as booked from royalty_lines l
left join (
  select c.subject_id, p.split ->> 'org_id' as org_id, sum((p.split ->> 'gross')::bigint) as gross from checkouts c
  cross join jsonb_array_elements(c.splits) as p(split)
  join ledger_transactions t on t.key = 'paid:' || c.id
  join ledger_entries e on e.transaction_id = t.id and e.org_id = p.split ->> 'org_id'
    and e.amount = -(p.split ->> 'net')::bigint
  where c.purpose = 'order' and p.split ->> 'kind' = 'royalty'
  group by c.subject_id, p.split ->> 'org_id'
) b on b.subject_id = l.source_id and b.org_id = l.designer_org_id
where l.kind = 'order' and l.paid <> coalesce(b.gross, 0)
order by l.id
""")
_UNCOUNTED = text("""
select l.id from sales_lines l join sales_reports r on r.id = l.report_id
join royalty_statements s on s.id = l.statement_id
where r.kind = 'quarter' and r.state = 'submitted' and s.state <> 'draft'
  and not exists (select 1 from royalty_lines c where c.kind = 'sale' and c.source_id = l.id)
order by l.id
""")
_NOT_ASKED = text("""
select g.id, s.id as statement from give_backs g join checkouts c on c.id = g.checkout_id and c.purpose = 'royalty'
join royalty_statements s on s.id = c.subject_id
where g.undone_at is null
  and not exists (select 1 from refunds r where r.id = g.cause_id and r.reason = 'too_late')
  and not exists (select 1 from royalty_lines l where l.kind in ('returned', 'advance') and l.source_id = g.id::text)
  and exists (select 1 from royalty_statements w where w.license_id = s.license_id and w.kind <> 'advance'
      and w.state <> 'draft' and w.created_at > g.created_at)
order by g.id
""")
_UNKNOWN = text("""
select c.id from royalty_lines c where
  (c.kind = 'sale' and not exists (select 1 from sales_lines l where l.id = c.source_id
      and l.license_id = c.license_id))
  or (c.kind = 'order' and not exists (select 1 from orders o where o.id = c.source_id and o.license_id = c.license_id))
  or (c.kind in ('refund', 'returned', 'advance') and not exists (select 1 from give_backs g
      cross join lateral (values (g.id::text, -1), (g.id || ':' || 'undone', 1)) as v(source, sign)
      where v.source = c.source_id and v.sign * (g.net + g.fee) = c.base
        and (v.sign < 0 or g.undone_at is not null)
        and c.royalty = case c.kind when 'refund' then c.base else 0 end and (c.kind = 'advance' or c.paid = c.base)))
  or (c.kind = 'audit' and not exists (select 1 from royalty_inquiries i where i.id = c.source_id
      and i.license_id = c.license_id and i.state = 'closed' and i.adjustment = c.royalty))
order by c.id
""")


def problems(session: Session) -> Iterator[str]:
    """What does not hold, in words."""
    for row in session.execute(_SUMS):
        off = int(row.earned - row.royalty), int(row.paid_with_orders - row.paid)
        yield f"statement {row.id} is off its lines by {off[0]} earned and {off[1]} paid"
    for row in session.execute(_CHAIN):
        yield (
            f"statement {row.id} opens with credit {row.credit_opening} and advance {row.advance_opening},"
            f" but {row.left_credit} and {row.left_advance} were left"
        )
    for license_id in session.scalars(_GAPS):
        yield f"the statements of {license_id} are not numbered without a gap"
    for row in session.execute(_PAID):
        yield f"statement {row.id} ({row.state}) is of {row.amount_due} {row.currency}, booked are {int(row.booked)}"
    for row in session.execute(_WITH_ORDERS):
        yield f"line {row.id} shows {row.paid} as paid with the order, booked are {int(row.booked)}"
    for line_id in session.scalars(_UNCOUNTED):
        yield f"reported sale {line_id} is in no statement"
    for row in session.execute(_NOT_ASKED):
        yield f"what went back of statement {row.statement} (give-back {row.id}) is in no statement after it"
    for line_id in session.scalars(_UNKNOWN):
        yield f"line {line_id} counts something that is not there"
