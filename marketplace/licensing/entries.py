"""The lines of a thread as one side reads them: messages with their translation, versions, what happened."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from marketplace.kernel.actor import Actor
from marketplace.licensing.models import Negotiation, Offer
from marketplace.licensing.room import Event, Room
from marketplace.licensing.term_words import LABELS, Row, headline, rows
from marketplace.licensing.terms import changed_fields
from marketplace.messaging.languages import NAMES, html_lang
from marketplace.messaging.links import linked, names_another_way
from marketplace.messaging.queries import ThreadMessage
from marketplace.web.i18n import Formats

_FMT = Formats()

#: Code of rules.DECLINE_REASONS -> words.
DECLINED_FOR: dict[str, Any] = {
    "fee": _l("The fee"),
    "royalty": _l("The royalty"),
    "scope": _l("Territory, channels or kind of license"),
    "duration": _l("The term"),
    "timing": _l("Not at this time"),
    "capacity": _l("No capacity"),
    "other": _l("Another reason"),
}
#: Kinds of events that are lines of the thread; the others show on what they are about.
_TOLD = frozenset(
    {"agreed", "disagreed", "handed_over", "accepted", "declined", "withdrawn", "expired", "reopened"}
    | {"held", "released", "first_asked", "first_answered"}
)
#: Those after which the rights of the offer read differently.
_OF_RIGHTS = frozenset({"held", "released", "first_asked", "first_answered"})
#: What whoever was asked first answered -> the line about it.
_FIRST_ANSWERED: dict[str, Any] = {
    "taken_up": _l("Whoever was asked first wants these rights. The first refusal stands against this offer."),
    "let_go": _l("Whoever was asked first lets these rights go. They are free once both have signed that."),
    "silent": _l("Whoever was asked first has not answered in time. The first refusal still stands."),
    "withdrawn": _l("Nobody is asked first any more: the question was taken back."),
    "ended": _l("The first refusal has ended. It stands against this offer no more."),
}

#: An address of ours that warns before leaving, by the address outside.
WayOut = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the thread: `kind` is message, offer or system. Texts of messages are safe HTML."""

    kind: str
    id: str
    at: datetime
    who: str
    mine: bool
    new: bool = False
    text: Markup | str = ""
    lang: str = ""
    original: Markup | None = None
    original_lang: str = ""
    original_name: str = ""
    aside: str = ""
    warning: str = ""
    version: int = 0
    terms: list[Row] = field(default_factory=list)
    headline: str = ""
    past: bool = False
    fresh: bool = True
    private: bool = False
    icon: str = "info"
    #: It changes what stands about the rights of the offer.
    rights: bool = False
    #: A comment's term in words, the version it is about, and whether it is settled.
    about: str = ""
    term: str = ""
    resolved: bool = False
    files: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: names as that side may know them."""

    actor: Actor
    side: str
    room: Room
    name: str
    way_out: WayOut

    def who(self, org_id: str, user_id: str | None) -> str:
        """Who wrote something: you, a colleague by name, or the other side."""
        if org_id != self.actor.org_id:
            return self.name
        if user_id == self.actor.user_id:
            return _("You")
        return self.room.colleagues.get(user_id or "", self.actor.org_name)


def message_entry(reader: Reader, item: ThreadMessage, since: datetime | None, resolved: set[str]) -> Entry:
    """One message as the reader sees it; who wrote it reads the words as written."""
    message, done = item.message, item.translation
    mine = message.org_id == reader.actor.org_id
    own = message.user_id == reader.actor.user_id
    read = reader.room.read_at
    common: dict[str, Any] = {
        "kind": "message",
        "id": message.id,
        "at": message.created_at,
        "who": reader.who(message.org_id, message.user_id),
        "mine": mine,
        "new": not mine and (read is None or message.created_at > read),
        "fresh": since is None or message.created_at > since,
        "about": str(LABELS.get(message.term, message.term)) if message.term else "",
        "term": message.term or "",
        "version": message.version or 0,
        "resolved": message.id in resolved,
        "files": message.files,
    }
    by_mail = _("by mail") if message.by_mail else ""
    unchecked = done is not None and done.state == "figures_unchecked"
    elsewhere = not mine and names_another_way(message.text)
    away = _("This names a way to talk elsewhere. What is agreed elsewhere is neither recorded nor protected here.")
    if not own and done is not None and done.text is not None and done.text != message.text:
        language = str(NAMES[message.lang]) if message.lang in NAMES else message.lang
        if done.sandbox:
            language = _("%(language)s, by the sandbox model", language=language)
        warnings = [_("The figures could not be checked. Read the original.")] if unchecked else []
        return Entry(
            **common,
            text=linked(done.text, reader.way_out),
            lang=html_lang(done.lang),
            original=linked(message.text, reader.way_out),
            original_lang=html_lang(message.lang),
            original_name=language,
            warning=" ".join([*warnings, *([away] if elsewhere else [])]),
            aside=by_mail,
        )
    aside, warnings = by_mail, [away] if elsewhere else []
    if unchecked and not own:
        warnings.insert(0, _("The figures could not be checked in the translation, so you read the original."))
    if done is not None and done.state == "pending":
        aside = _("Translation on its way")
    elif done is not None and done.state == "failed":
        aside = _("Could not be translated")
    text = linked(message.text, reader.way_out)
    return Entry(**common, text=text, lang=html_lang(message.lang), aside=aside, warning=" ".join(warnings))


def offer_entries(reader: Reader, negotiation: Negotiation, versions: Sequence[Offer]) -> list[Entry]:
    """Every version; the one on the table with all its terms, a past one with what it changed."""
    made: list[Entry] = []
    before: dict[str, Any] | None = None
    read = reader.room.read_at
    for offer in versions:
        mine = offer.by_org_id == reader.actor.org_id
        past = offer.version < negotiation.current_version
        only = changed_fields(before, offer.terms) if past else None
        made.append(
            Entry(
                kind="offer",
                id=offer.id,
                at=offer.created_at,
                who=reader.who(offer.by_org_id, offer.by_user_id),
                mine=mine,
                new=not mine and (read is None or offer.created_at > read),
                version=offer.version,
                terms=rows(offer.terms, before, only=only),
                headline=headline(offer.terms) if past else "",
                past=past,
            )
        )
        before = offer.terms
    return made


def event_entry(reader: Reader, event: Event) -> Entry | None:
    """One line for what happened; None for what shows elsewhere."""
    if event.kind not in _TOLD:
        return None
    ours = event.side == reader.side
    return Entry(
        kind="system",
        id=event.id,
        at=event.at,
        who="",
        mine=ours,
        text=(_told_of_rights if event.kind in _OF_RIGHTS else told)(reader, event, ours=ours),
        private=event.private,
        rights=event.kind in _OF_RIGHTS,
        icon={
            "agreed": "check",
            "handed_over": "users",
            "accepted": "handshake",
            "declined": "circle-x",
            "expired": "timer",
            "reopened": "refresh-cw",
            "held": "lock",
            "released": "lock-open",
            "first_asked": "hourglass",
            "first_answered": "info",
        }.get(event.kind, "undo-2"),
    )


def named_entry(reader: Reader, negotiation_id: str, at: datetime) -> Entry:
    """The line that the designer learned who the buyer is; both sides see it."""
    text = _("The designer now sees your name, because the agreement names both parties.")
    if reader.side == "designer":
        text = _("The agreement names both parties. You now see who the buyer is: %(name)s.", name=reader.name)
    return Entry(kind="system", id=f"{negotiation_id}-named", at=at, who="", mine=False, text=text, icon="user-check")


def told(reader: Reader, event: Event, *, ours: bool) -> str:
    """An event in a sentence; of the rights `_told_of_rights` tells."""
    name, term = reader.name, str(LABELS.get(event.term, event.term)) if event.term else ""
    reason = DECLINED_FOR.get(str(event.details.get("code")))
    match event.kind:
        case "agreed" if ours:
            return _("You agree to “%(term)s” of version %(version)s.", term=term, version=event.version)
        case "agreed":
            return _(
                "%(name)s agrees to “%(term)s” of version %(version)s.", name=name, term=term, version=event.version
            )
        case "disagreed" if ours:
            return _("You took your agreement to “%(term)s” back.", term=term)
        case "disagreed":
            return _("%(name)s took the agreement to “%(term)s” back.", name=name, term=term)
        case "handed_over":
            taker = reader.room.colleagues.get(str(event.details.get("to")), _("A former colleague"))
            return _("%(name)s takes care of this now. Only your side sees this line.", name=taker)
        case "accepted":
            return _("The terms are agreed. The license comes next.")
        case "declined" if ours:
            return _("You declined: %(reason)s.", reason=reason) if reason else _("You declined.")
        case "declined":
            if reason:
                return _("%(name)s declined: %(reason)s.", name=name, reason=reason)
            return _("%(name)s declined.", name=name)
        case "withdrawn" if ours:
            return _("You withdrew your offer.")
        case "withdrawn":
            return _("%(name)s withdrew the offer.", name=name)
        case "reopened" if ours:
            return _("You took the negotiation up again.")
        case "reopened":
            return _("%(name)s took the negotiation up again.", name=name)
        case _:
            return _("The offer expired.")


def _told_of_rights(reader: Reader, event: Event, *, ours: bool) -> str:
    """What happened to the rights of the offer, in a sentence; moments in the reader's own time."""
    if event.kind == "released":
        return _("These rights are no longer held.")
    if event.kind == "first_answered":
        return str(_FIRST_ANSWERED[str(event.details.get("state"))])
    until = _FMT.datetime_in(datetime.fromisoformat(str(event.details["until"])), reader.room.own_zone)
    if event.kind == "first_asked":
        return _("Whoever has a first refusal here is asked. The answer is due by %(until)s.", until=until)
    if ours:
        return _("You hold these rights for the buyer until %(until)s.", until=until)
    return _("%(name)s holds these rights for you until %(until)s.", name=reader.name, until=until)
