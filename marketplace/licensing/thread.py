"""One negotiation as its page shows it: messages and offers in one line of time, and who may act."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.licensing.models import Negotiation, Offer
from marketplace.licensing.queries import Around, around, buyer_alias, counterpart, offers
from marketplace.licensing.rules import NEGOTIATION, side_of, state_now
from marketplace.licensing.term_words import Row, headline, rows
from marketplace.messaging.languages import NAMES, html_lang
from marketplace.messaging.queries import ThreadMessage, changed_since, thread
from marketplace.web.i18n import Formats, locale_code

_FMT = Formats()


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the thread: `kind` is message, offer or system."""

    kind: str
    id: str
    at: datetime
    who: str
    mine: bool
    new: bool = False
    text: str = ""
    lang: str = ""
    original: str | None = None
    original_lang: str = ""
    original_name: str = ""
    aside: str = ""
    warning: str = ""
    version: int = 0
    terms: list[Row] = field(default_factory=list)
    past: bool = False
    fresh: bool = True


@dataclass(frozen=True, slots=True)
class ThreadPage:
    """Everything the page of a negotiation shows."""

    negotiation: Negotiation
    around: Around
    side: str
    counterpart: str
    state: str
    mine: bool
    turn: str
    entries: list[Entry]
    earlier: str | None
    last: Offer
    headline: str
    until: datetime
    may_write: bool

    @property
    def alias(self) -> str:
        """What the designer calls the buyer."""
        return buyer_alias(self.negotiation.buyer_org_id, self.negotiation.design_id)

    @property
    def title(self) -> str:
        """The design's title when the negotiation began."""
        return str(self.negotiation.snapshot.get("title", ""))


def read_thread(
    session: Session, actor: Actor, negotiation: Negotiation, *, before: tuple[datetime, str] | None = None
) -> ThreadPage:
    """The whole page, in three statements."""
    this = around(session, actor, [negotiation.id])[negotiation.id]
    found, earlier = thread(session, negotiation.id, locale_code(), before=before)
    versions = offers(session, negotiation.id)
    oldest = (found[0].message.created_at, found[0].message.id) if earlier else None
    entries = _entries(actor, negotiation, this, found, versions)
    if oldest:
        entries = [entry for entry in entries if entry.at >= oldest[0]]
    return _page(actor, negotiation, this, entries, versions[-1], oldest)


def read_news(session: Session, actor: Actor, negotiation: Negotiation, since: datetime) -> ThreadPage:
    """The same page, with only the entries that are new or newly translated after `since`."""
    this = around(session, actor, [negotiation.id])[negotiation.id]
    found = changed_since(session, negotiation.id, locale_code(), since)
    versions = offers(session, negotiation.id)
    entries = _entries(actor, negotiation, this, found, versions, since)
    news = [entry for entry in entries if entry.kind == "message" or entry.at > since]
    return _page(actor, negotiation, this, news, versions[-1], None)


def _page(
    actor: Actor,
    negotiation: Negotiation,
    this: Around,
    entries: list[Entry],
    last: Offer,
    earlier: tuple[datetime, str] | None,
) -> ThreadPage:
    now = clock.now()
    side = side_of(negotiation, actor) or ""
    state = state_now(negotiation, now)
    name = counterpart(negotiation, actor, this)
    mine = state == "open" and negotiation.turn == side
    return ThreadPage(
        negotiation=negotiation,
        around=this,
        side=side,
        counterpart=name,
        state=state,
        mine=mine,
        turn=_turn(negotiation, state, mine, name, negotiation.closed_by_org_id == actor.org_id),
        entries=entries,
        earlier=f"{earlier[0].isoformat()}~{earlier[1]}" if earlier else None,
        last=last,
        headline=headline(last.terms),
        until=negotiation.expires_at,
        may_write=NEGOTIATION.can(state, "message", {side}),
    )


def _turn(negotiation: Negotiation, state: str, mine: bool, name: str, by_us: bool) -> str:
    """Who may act, in a sentence; never empty."""
    day = _FMT.datetime(negotiation.expires_at)
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
    return _("The offer expired on %(day)s. The buyer can open a new negotiation.", day=day)


def _entries(
    actor: Actor,
    negotiation: Negotiation,
    this: Around,
    found: list[ThreadMessage],
    versions: list[Offer],
    since: datetime | None = None,
) -> list[Entry]:
    name = counterpart(negotiation, actor, this)
    read = this.read_at
    made: list[Entry] = []
    for item in found:
        mine = item.message.org_id == actor.org_id
        new = not mine and (read is None or item.message.created_at > read)
        own = item.message.user_id == actor.user_id
        made.append(_message(item, _("You") if mine else name, mine, new, since, own=own))
    before: dict[str, Any] | None = None
    for offer in versions:
        mine = offer.by_org_id == actor.org_id
        made.append(
            Entry(
                kind="offer",
                id=offer.id,
                at=offer.created_at,
                who=_("You") if mine else name,
                mine=mine,
                new=not mine and (read is None or offer.created_at > read),
                version=offer.version,
                terms=rows(offer.terms, before),
                past=offer.version < negotiation.current_version,
            )
        )
        before = offer.terms
    if this.named_at is not None:
        text = _("The designer now sees your name, because you placed an order.")
        if side_of(negotiation, actor) == "designer":
            text = _("The buyer placed an order. You now see who it is: %(name)s.", name=name)
        key = f"{negotiation.id}-named"
        made.append(Entry(kind="system", id=key, at=this.named_at, who="", mine=False, text=text))
    if negotiation.closed_at is not None:
        state = negotiation.state
        text = _turn(negotiation, state, False, name, negotiation.closed_by_org_id == actor.org_id)
        made.append(
            Entry(kind="system", id=f"{negotiation.id}-end", at=negotiation.closed_at, who="", mine=False, text=text)
        )
    return sorted(made, key=lambda entry: (entry.at, entry.kind != "offer"))


def _message(item: ThreadMessage, who: str, mine: bool, new: bool, since: datetime | None, *, own: bool) -> Entry:
    """One message as the reader sees it; who wrote it reads the words as written."""
    message, done = item.message, item.translation
    common: dict[str, Any] = {
        "kind": "message",
        "id": message.id,
        "at": message.created_at,
        "who": who,
        "mine": mine,
        "new": new,
        "fresh": since is None or message.created_at > since,
    }
    by_mail = _("by mail") if message.by_mail else ""
    unchecked = done is not None and done.state == "figures_unchecked"
    warning = ""
    if unchecked and not own:
        warning = _("The figures could not be checked in the translation, so you read the original.")
    if not own and done is not None and done.text is not None and done.text != message.text:
        language = str(NAMES[message.lang]) if message.lang in NAMES else message.lang
        if done.sandbox:
            language = _("%(language)s, by the sandbox model", language=language)
        return Entry(
            **common,
            text=done.text,
            lang=html_lang(done.lang),
            original=message.text,
            original_lang=html_lang(message.lang),
            original_name=language,
            warning=_("The figures could not be checked. Read the original.") if unchecked else "",
            aside=by_mail,
        )
    aside = by_mail
    if done is not None and done.state == "pending":
        aside = _("Translation on its way")
    elif done is not None and done.state == "failed":
        aside = _("Could not be translated")
    return Entry(**common, text=message.text, lang=html_lang(message.lang), aside=aside, warning=warning)
