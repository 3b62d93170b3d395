"""What the page of one negotiation needs beside its messages and versions, in one statement."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.money import Money
from marketplace.licensing.models import Negotiation
from marketplace.licensing.rules import other, side_of, state_now

_ROOM = text(
    """
select
  (select o.name from organizations o where o.id = n.designer_org_id) as designer_name,
  (select o.name from organizations o where o.id = n.buyer_org_id) as buyer_name,
  (select jsonb_object_agg(r.org_id, r.read_at) from negotiation_reads r where r.negotiation_id = n.id) as reads,
  l.id as license_id,
  l.state as license_state,
  d.version as listing_version,
  d.state as listing_state,
  (select a.user_id from negotiation_assignees a where a.negotiation_id = n.id and a.org_id = :org) as assignee,
  (select jsonb_agg(jsonb_build_array(u.id, u.name) order by m.created_at, m.id)
     from memberships m join users u on u.id = m.user_id
     where m.org_id = :org and u.suspended_at is null) as colleagues,
  (select u.time_zone from users u where u.id = :user) as own_zone,
  (select jsonb_build_array(u.time_zone, u.locale)
     from memberships m join users u on u.id = m.user_id
     where m.org_id = :other and u.suspended_at is null
     order by u.time_zone is null, m.created_at, m.id limit 1) as their_seat,
  (select max(t.translated_at) from messages m join message_translations t on t.message_id = m.id
     where m.negotiation_id = n.id and t.lang = :lang) as translated_at,
  (select jsonb_agg(to_jsonb(e) order by e.created_at, e.id)
     from negotiation_events e where e.negotiation_id = n.id) as events,
  (select jsonb_agg(jsonb_build_array(m.id, m.term))
     from messages m where m.negotiation_id = n.id and m.term is not null) as comments,
  greatest(
    (select max(m.created_at) from messages m where m.negotiation_id = n.id and m.org_id = :org),
    (select max(v.created_at) from offers v where v.negotiation_id = n.id and v.by_org_id = :org)
  ) as own_last_at,
  (select jsonb_agg(jsonb_build_array(a.id, a.filename, a.state) order by a.created_at, a.id)
     from assets a
     where a.negotiation_id = n.id and a.user_id = :user and a.removed_at is null and not a.by_mail
       and a.state in ('uploaded', 'processing', 'ready')) as unsent,
  (select jsonb_object_agg(p.alloy, p.amount) from metal_prices p
     where p.org_id = n.designer_org_id
       and p.currency = (select v.terms -> 'fee' ->> 'currency' from offers v
                         where v.negotiation_id = n.id and v.version = :version)) as prices,
  (select x.storage_key from derivatives x
     where x.design_id = n.design_id and x.role = 'preview_glb' and not x.hidden
     order by x.created_at desc limit 1) as likeness,
  (select jsonb_agg(jsonb_build_array(a.id, u.name, a.amount, a.currency, a.action) order by a.created_at desc)
     from approvals a left join users u on u.id = a.asked_by
     where a.org_id = :org and a.negotiation_id = n.id and a.state = 'pending' and a.version = :version) as waiting
from negotiations n
left join licenses l on l.negotiation_id = n.id
left join designs d on d.id = n.design_id
where n.id = :id
"""
)
_TAG = text(
    """
select
  (select max(t.translated_at) from messages m join message_translations t on t.message_id = m.id
     where m.negotiation_id = :id and t.lang = :lang) as translated_at,
  (select jsonb_object_agg(r.org_id, r.read_at) from negotiation_reads r where r.negotiation_id = :id) as reads
"""
)


@dataclass(frozen=True, slots=True)
class Event:
    """A thing that happened; `side` is whose doing it was, "" for nobody's."""

    id: str
    kind: str
    side: str
    user_id: str | None
    at: datetime
    version: int | None
    term: str | None
    message_id: str | None
    private: bool
    details: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A step of the actor's side that waits for a colleague's approval: its id, who asked, and for how much."""

    id: str
    asker: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Room:
    """A negotiation's surroundings, as the actor's side may know them."""

    designer_name: str
    buyer_name: str
    named_at: datetime | None
    license_id: str | None
    license_state: str | None
    listing_version: int | None
    listing_state: str | None
    read_at: datetime | None
    their_read_at: datetime | None
    own_zone: str | None
    their_zone: str | None
    their_locale: str
    assignee: str | None
    colleagues: dict[str, str]
    events: list[Event]
    comments: list[tuple[str, str]]
    own_last_at: datetime | None
    unsent: list[tuple[str, str, str]]
    translated_at: datetime | None
    reads: tuple[str, ...]
    #: The designer's prices of a gram by alloy, minor units, in the currency of the version on the table.
    prices: dict[str, int]
    #: The key of the coarse public likeness.
    likeness: str | None
    waiting: list[Waiting]

    @property
    def resolved(self) -> set[str]:
        """Ids of the comments that are settled."""
        found: set[str] = set()
        for event in self.events:
            if event.message_id and event.kind == "resolved":
                found.add(event.message_id)
            elif event.message_id and event.kind == "unresolved":
                found.discard(event.message_id)
        return found

    @property
    def open_comments(self) -> dict[str, int]:
        """How many comments on each term are not settled."""
        resolved, found = self.resolved, dict[str, int]()
        for key, term in self.comments:
            if key not in resolved:
                found[term] = found.get(term, 0) + 1
        return found

    def first_refusal(self, version: int) -> str | None:
        """What became of the question to whoever must be asked before this version; None when nobody was asked."""
        about = [event for event in self.events if event.version == version]
        kinds = {"first_asked", "first_answered"}
        last = next((event for event in reversed(about) if event.kind in kinds), None)
        return None if last is None else str(last.details.get("state", "asked"))

    @property
    def marks(self) -> list[Event]:
        """What was marked as agreed, or no longer."""
        return [event for event in self.events if event.kind in {"agreed", "disagreed"}]


def look_around(session: Session, actor: Actor, negotiation: Negotiation, lang: str = "en") -> Room:
    """The surroundings of a negotiation the actor is a party of; `lang` is the one messages are read in."""
    side = side_of(negotiation, actor) or ""
    orgs = {negotiation.designer_org_id: "designer", negotiation.buyer_org_id: "buyer"}
    theirs = next(org for org, seat in orgs.items() if seat == other(side))
    asked: dict[str, Any] = {
        "id": negotiation.id,
        "org": actor.org_id,
        "user": actor.user_id,
        "other": theirs,
        "lang": lang,
    }
    asked["version"] = negotiation.current_version
    open_now = state_now(negotiation, clock.now()) == "open"
    row = session.execute(_ROOM, asked).one()
    reads = row.reads or {}
    their_zone, their_locale = row.their_seat or (None, "en")
    return Room(
        designer_name=row.designer_name,
        buyer_name=row.buyer_name,
        named_at=negotiation.buyer_named_at,
        license_id=row.license_id,
        license_state=row.license_state,
        listing_version=row.listing_version,
        listing_state=row.listing_state,
        read_at=_moment(reads.get(actor.org_id)),
        their_read_at=_moment(reads.get(theirs)),
        own_zone=row.own_zone,
        their_zone=their_zone,
        their_locale=their_locale,
        assignee=row.assignee,
        colleagues=dict(row.colleagues or []),
        events=[
            Event(
                id=e["id"],
                kind=e["kind"],
                side=orgs.get(e["org_id"], ""),
                user_id=e["user_id"],
                at=datetime.fromisoformat(e["created_at"]),
                version=e["version"],
                term=e["term"],
                message_id=e["message_id"],
                private=e["private"],
                details=e["details"],
            )
            for e in row.events or []
        ],
        comments=[(key, term) for key, term in row.comments or []],
        own_last_at=row.own_last_at,
        unsent=[(key, name, state) for key, name, state in row.unsent or []],
        translated_at=row.translated_at,
        reads=tuple(sorted(map(str, reads.values()))),
        prices=row.prices or {},
        likeness=row.likeness,
        # What was asked of an offer that stands, or of one that has ended, is void once that is no longer so.
        waiting=[
            Waiting(key, name or "–", Money(amount, currency))
            for key, name, amount, currency, action in row.waiting or []
            if open_now == (action != "reopen")
        ],
    )


def tag_of(session: Session, negotiation: Negotiation, state: str, lang: str) -> str:
    """A word that changes whenever the page of this negotiation would: what polling compares, in one statement."""
    row = session.execute(_TAG, {"id": negotiation.id, "lang": lang}).one()
    return make_tag(negotiation, state, row.translated_at, tuple(sorted(map(str, (row.reads or {}).values()))))


def make_tag(negotiation: Negotiation, state: str, translated_at: datetime | None, reads: tuple[str, ...]) -> str:
    """The same from what is known already."""
    parts = (negotiation.updated_at.isoformat(), state, str(translated_at), *reads)
    return hashlib.blake2b("|".join(parts).encode(), digest_size=12).hexdigest()


def _moment(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None
