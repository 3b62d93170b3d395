"""The hash chain of the ledger: each booking's link covers its content and the link before.

The database makes the links: a deferred trigger that runs at commit, under a lock that is held until the commit is
written, so bookings wait for each other only while they become durable. This module reads the rows again and computes
every hash anew, with its own words for what a booking contains, so that a changed row, a changed trigger and a changed
link are all seen. A chain that somebody computed anew from a changed row on is seen by an anchor kept elsewhere.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

#: Links with what each one's hash covers, as PostgreSQL writes it; the trigger has the same words (migration 0015).
_LINKS = text("""
select l.seq, l.transaction_id, l.hash, jsonb_build_array(
  t.id, t.key, t.kind, t.subject_id, t.memo, t.external_id,
  to_char(t.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'),
  (select jsonb_agg(jsonb_build_array(
     e.id, e.account, e.org_id, e.amount, e.currency,
     to_char(e.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US')) order by e.id)
   from ledger_entries e where e.transaction_id = t.id)
)::text as content
from ledger_links l left join ledger_transactions t on t.id = l.transaction_id order by l.seq
""")
_UNLINKED = text(
    "select t.id from ledger_transactions t left join ledger_links l on l.transaction_id = t.id"
    " where l.seq is null order by t.created_at, t.id"
)
_STRAY = text(
    "select distinct e.transaction_id from ledger_entries e left join ledger_transactions t on t.id = e.transaction_id"
    " where t.id is null"
)
_HEAD = text("select seq, hash from ledger_links order by seq desc limit 1")


@dataclass(frozen=True, slots=True)
class Head:
    """The last link: its number and its hash in hex. `0` and `""` for an empty ledger."""

    seq: int
    hash: str


def head(session: Session) -> Head:
    """The chain's end, to be kept outside of the database."""
    found = session.execute(_HEAD).one_or_none()
    return Head(0, "") if found is None else Head(found.seq, bytes(found.hash).hex())


def problems(session: Session, anchor: Head | None = None) -> Iterator[str]:
    """Every place where the chain breaks, in words; with an `anchor` also a chain that was made anew."""
    before, expected, at_anchor = b"", 1, ""
    for row in session.execute(_LINKS.execution_options(yield_per=2_000)):
        if row.seq != expected:
            yield f"link {expected} of the chain is missing"
        if row.content is None or hashlib.sha256(before + row.content.encode()).digest() != bytes(row.hash):
            yield f"link {row.seq} of the chain does not fit booking {row.transaction_id}"
        before, expected = bytes(row.hash), row.seq + 1
        if anchor is not None and row.seq == anchor.seq:
            at_anchor = before.hex()
    if anchor is not None and anchor.seq and at_anchor != anchor.hash:
        yield f"link {anchor.seq} of the chain is not the one that was kept elsewhere"
    for transaction_id in session.scalars(_UNLINKED):
        yield f"booking {transaction_id} has no link in the chain"
    for transaction_id in session.scalars(_STRAY):
        yield f"entries of booking {transaction_id} have lost it"
