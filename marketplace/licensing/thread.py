"""One negotiation as its page shows it: everything in one line of time, the meter, and who may act."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from marketplace.exchange.rules import Fixed
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.money import Money
from marketplace.licensing.entries import Entry, Reader, WayOut, event_entry, message_entry, named_entry, offer_entries
from marketplace.licensing.meter import Meter, measure
from marketplace.licensing.models import Negotiation, Offer
from marketplace.licensing.queries import buyer_alias, counterpart, offers
from marketplace.licensing.room import Room, look_around, make_tag
from marketplace.licensing.rules import NEGOTIATION, REOPEN_WITHIN, considered, side_of, state_now
from marketplace.licensing.term_words import LABELS, headline, rows, value_of
from marketplace.licensing.vocabulary import GOVERNING
from marketplace.messaging.languages import html_lang
from marketplace.messaging.queries import ThreadMessage, changed_since, thread
from marketplace.web.i18n import Formats, locale_code

_FMT = Formats()


@dataclass(frozen=True, slots=True)
class ThreadPage:
    """Everything the page of a negotiation shows."""

    negotiation: Negotiation
    room: Room
    side: str
    counterpart: str
    state: str
    mine: bool
    considered: bool
    turn: str
    entries: list[Entry]
    earlier: str | None
    last: Offer
    headline: str
    until: datetime
    may_write: bool
    may_reopen: bool
    meter: Meter
    comments: Mapping[str, int]
    seen: str
    seen_until: datetime

    @property
    def alias(self) -> str:
        """What the designer calls the buyer."""
        return buyer_alias(self.negotiation.buyer_org_id, self.negotiation.design_id)

    @property
    def elsewhere(self) -> list[tuple[Money, Fixed]]:
        """The fee on the table in the currency of the reader's country, at the rate that stood when it was offered."""
        fee = Money(**self.last.terms["fee"])
        rates = [Fixed.from_json(kept) for kept in self.last.exchange if kept["side"] == self.side]
        return [(rate.convert(fee), rate) for rate in rates if fee.amount]

    @property
    def title(self) -> str:
        """The design's title when the negotiation began."""
        return str(self.negotiation.snapshot.get("title", ""))

    @property
    def tag(self) -> str:
        """What polling compares (room.tag_of)."""
        return make_tag(self.negotiation, self.state, self.room.translated_at, self.room.reads)

    @property
    def listing_changed(self) -> bool:
        """Whether the design's page says something else than when the negotiation began."""
        return self.room.listing_version not in {None, self.negotiation.snapshot.get("version")}

    def said(self, term: str, side: str) -> str:
        """What a side last said about a term, in words; "" when it said nothing."""
        position = self.meter.of(term)
        if position is None or not (position.designer_said if side == "designer" else position.buyer_said):
            return ""
        return value_of(term, position.designer if side == "designer" else position.buyer)


def read_thread(
    session: Session,
    actor: Actor,
    negotiation: Negotiation,
    way_out: WayOut,
    *,
    before: tuple[datetime, str] | None = None,
) -> ThreadPage:
    """The whole page, in three statements.

    Nothing later than the negotiation as it was loaded is in it, so that the next poll finds all that is missing.
    """
    room = look_around(session, actor, negotiation, locale_code())
    found, earlier = thread(session, negotiation.id, locale_code(), before=before)
    versions = _until(offers(session, negotiation.id), negotiation)
    oldest = (found[0].message.created_at, found[0].message.id) if earlier else None
    reader = _reader(actor, negotiation, room, way_out)
    entries = _entries(reader, negotiation, _until_now(found, negotiation), versions, None)
    if before:
        entries = [entry for entry in entries if entry.at < before[0]]
    if oldest:
        # What is on the table stays in sight however much was said about it.
        entries = [e for e in entries if e.at >= oldest[0] or (not before and e.kind == "offer" and not e.past)]
    return _page(reader, negotiation, entries, versions, oldest)


def read_news(session: Session, actor: Actor, negotiation: Negotiation, way_out: WayOut, since: datetime) -> ThreadPage:
    """The same page, with only the entries that are new or newly translated after `since`."""
    room = look_around(session, actor, negotiation, locale_code())
    stirred = [event for event in room.events if event.at > since]
    settled = [event.message_id for event in stirred if event.message_id]
    found = changed_since(session, negotiation.id, locale_code(), since, also=settled)
    found = _until_now(found, negotiation)
    versions = _until(offers(session, negotiation.id), negotiation)
    reader = _reader(actor, negotiation, room, way_out)
    again = bool(stirred) or versions[-1].created_at > since or any(item.message.term for item in found)
    news = []
    for entry in _entries(reader, negotiation, found, versions, since):
        if entry.kind == "message" or entry.at > since:
            news.append(entry)
        elif again and entry.kind == "offer" and entry.version >= negotiation.current_version - 1:
            # The card on the table, and the one it replaced, show what is agreed, asked and past.
            news.append(replace(entry, fresh=False))
    return _page(reader, negotiation, news, versions, None)


def both_languages(terms: Mapping[str, Any], reading: str, theirs: str) -> list[dict[str, Any]]:
    """The binding terms in two languages, the governing one first: code, name, rows, and whether it governs.

    The second is the reader's, or where the reader's governs the other side's; English stands in for a language in
    which no agreement can be.
    """
    governing = str(terms.get("governing_language") or "en")
    others = [code for code in (reading, theirs, "en", "zh_Hans") if code in GOVERNING and code != governing]
    columns = []
    for code in (governing, others[0]):
        with force_locale(code):
            told = rows(terms, binding=True)
        columns.append({"code": html_lang(code), "name": GOVERNING[code], "governs": code == governing, "rows": told})
    return columns


def what_changed(extra: Mapping[str, Any]) -> list[dict[str, str]]:
    """The changes that a refusal of a stale page tells, in words: label, was, now."""
    return [
        {
            "label": str(LABELS.get(change["term"], change["term"])),
            "was": value_of(change["term"], change["was"]),
            "now": value_of(change["term"], change["now"]),
        }
        for change in extra.get("changes", [])
    ]


def _reader(actor: Actor, negotiation: Negotiation, room: Room, way_out: WayOut) -> Reader:
    side = side_of(negotiation, actor) or ""
    return Reader(actor, side, room, counterpart(negotiation, actor, room), way_out)


def _until(versions: Sequence[Offer], negotiation: Negotiation) -> list[Offer]:
    return [offer for offer in versions if offer.version <= negotiation.current_version]


def _until_now(found: Sequence[ThreadMessage], negotiation: Negotiation) -> list[ThreadMessage]:
    return [item for item in found if item.message.created_at <= negotiation.updated_at]


def _entries(
    reader: Reader,
    negotiation: Negotiation,
    found: Sequence[ThreadMessage],
    versions: Sequence[Offer],
    since: datetime | None,
) -> list[Entry]:
    resolved = reader.room.resolved
    made = [message_entry(reader, item, since, resolved) for item in found]
    made += offer_entries(reader, negotiation, versions)
    for event in reader.room.events:
        # What only one's own side sees does not move the thread, so it may be later than all that does.
        if (event.private or event.at <= negotiation.updated_at) and (entry := event_entry(reader, event)):
            made.append(entry)
    if negotiation.buyer_named_at is not None:
        made.append(named_entry(reader, negotiation.id, negotiation.buyer_named_at))
    return sorted(made, key=lambda entry: (entry.at, entry.kind != "offer"))


def _page(
    reader: Reader,
    negotiation: Negotiation,
    entries: list[Entry],
    versions: list[Offer],
    earlier: tuple[datetime, str] | None,
) -> ThreadPage:
    now = clock.now()
    room, side = reader.room, reader.side
    state = state_now(negotiation, now)
    mine = state == "open" and negotiation.turn == side
    ended = negotiation.closed_at or negotiation.expires_at
    return ThreadPage(
        negotiation=negotiation,
        room=room,
        side=side,
        counterpart=reader.name,
        state=state,
        mine=mine,
        considered=considered(negotiation, now),
        turn=_turn(reader, negotiation, state, mine),
        entries=entries,
        earlier=f"{earlier[0].isoformat()}~{earlier[1]}" if earlier else None,
        last=versions[-1],
        headline=headline(versions[-1].terms),
        until=negotiation.expires_at,
        may_write=NEGOTIATION.can(state, "message", {side}),
        may_reopen=NEGOTIATION.can(state, "reopen", {side}) and ended > now - REOPEN_WITHIN,
        meter=measure(versions, room.marks, accepted=state == "accepted"),
        comments=room.open_comments,
        seen=_seen(reader),
        seen_until=negotiation.updated_at,
    )


def _seen(reader: Reader) -> str:
    """Whether the other side has seen what ours said last; "" when ours said nothing yet."""
    last, read = reader.room.own_last_at, reader.room.their_read_at
    if last is None:
        return ""
    if read is None:
        return _("%(name)s has not opened this yet.", name=reader.name)
    moment = _FMT.datetime_in(read, reader.room.own_zone)
    if read >= last:
        return _("Seen by %(name)s, %(moment)s.", name=reader.name, moment=moment)
    return _("%(name)s was last here %(moment)s.", name=reader.name, moment=moment)


def _turn(reader: Reader, negotiation: Negotiation, state: str, mine: bool) -> str:
    """Who may act, in a sentence; never empty."""
    name, by_us = reader.name, negotiation.closed_by_org_id == reader.actor.org_id
    day = _FMT.datetime_in(negotiation.expires_at, reader.room.own_zone)
    left = _FMT.relative(negotiation.expires_at)
    if considered(negotiation, clock.now()):
        if mine:
            return _("Your colleagues are asked. The offer stands until %(day)s (%(left)s).", day=day, left=left)
        return _(
            "%(name)s is considering your offer. It stands until %(day)s (%(left)s).", name=name, day=day, left=left
        )
    if state == "open" and mine:
        return _("It is your turn. The offer stands until %(day)s.", day=day)
    if state == "open":
        return _("Waiting for %(name)s, until %(day)s.", name=name, day=day)
    if state == "accepted":
        return _("The terms are agreed. The license comes next.")
    if state == "declined":
        return _("You declined.") if by_us else _("%(name)s declined.", name=name)
    if state == "withdrawn":
        return _("You withdrew your offer.") if by_us else _("%(name)s withdrew the offer.", name=name)
    return _("The offer expired on %(day)s. Either side can take the negotiation up again.", day=day)
