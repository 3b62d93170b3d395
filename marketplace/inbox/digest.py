"""The morning summary: what needs the reader, what runs out, what is unread; one mail a person and day."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from marketplace.accounts.models import Membership, Organization, User
from marketplace.accounts.queries import member_actor
from marketplace.inbox.models import Digest, InboxThread
from marketplace.inbox.queries import SOON, left_to_colleagues, to_approve
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.licensing.models import Negotiation
from marketplace.licensing.queries import buyer_alias
from marketplace.notifications.models import MailSetting
from marketplace.notifications.operations import send_mail
from marketplace.web.i18n import Formats

#: When the morning begins.
MORNING = time(8)
#: Threads named in one group; the rest is a number.
NAMED = 10
#: People a run of the job looks after; the next run takes the others.
BATCH = 500
_FMT = Formats()


@dataclass(frozen=True, slots=True)
class Line:
    """A thread in a summary, as ids and plain values: words are made when the mail is sent, in its language."""

    negotiation: str
    title: str
    #: The other side's name; empty for a buyer who is not named yet, then `other_org` and `design` make the alias.
    name: str
    other_org: str
    design: str
    expires_at: str
    unread: int


def local_day(zone: str | None, moment: datetime) -> tuple[date, bool]:
    """The person's date at `moment`, and whether the morning has begun; UTC for an unknown zone."""
    known = zone if zone and zone in available_timezones() else "UTC"
    there = moment.astimezone(ZoneInfo(known))
    return there.date(), there.time() >= MORNING


def due(session: Session, moment: datetime) -> list[str]:
    """People whose summary of today was not made yet, at most BATCH."""
    latest = select(Digest.day).where(Digest.user_id == User.id).order_by(Digest.day.desc()).limit(1).scalar_subquery()
    rows: Any = session.execute(
        select(User.id, User.time_zone, latest)
        .join(MailSetting, MailSetting.user_id == User.id)
        .where(MailSetting.threads == "daily", User.suspended_at.is_(None), User.email_confirmed_at.is_not(None))
        .order_by(User.id)
    )
    found = []
    for user_id, zone, last in rows:
        day, morning = local_day(zone, moment)
        if morning and (last is None or last < day):
            found.append(user_id)
    return found[:BATCH]


def make(session: Session, user_id: str, moment: datetime) -> str | None:
    """Stage the person's summary of today, once; returns the mail's id, or None when there is nothing to tell or it was
    made before.
    """
    user = session.get_one(User, user_id)
    day, _morning = local_day(user.time_zone, moment)
    mine = session.execute(
        insert(Digest)
        .values(user_id=user_id, day=day, created_at=clock.now())
        .on_conflict_do_nothing()
        .returning(Digest.user_id)
    ).first()
    parts = _parts(session, user_id, moment) if mine else []
    if not parts:
        return None
    mail_id = send_mail(session, to=user.email, locale=user.locale, template="digest", user_id=user_id, parts=parts)
    session.get_one(Digest, (user_id, day)).mail_id = mail_id
    return mail_id


def _parts(session: Session, user_id: str, moment: datetime) -> list[dict[str, Any]]:
    """By organization of the person: its groups of threads that are not empty."""
    members = session.execute(
        select(Organization.id, Organization.name)
        .join(Membership, Membership.org_id == Organization.id)
        .where(
            Membership.user_id == user_id,
            Organization.state == "approved",
            Membership.role.in_(("designer", "buyer")),
        )
        .order_by(Organization.name)
    ).all()
    found = []
    for org_id, name in members:
        reader = member_actor(session, user_id, org_id)
        groups = _groups(session, reader, moment) if reader else []
        if groups:
            found.append({"org": name, "groups": groups})
    return found


def _groups(session: Session, reader: Actor, moment: datetime) -> list[dict[str, Any]]:
    """What waits for a colleague's decision is not the reader's turn; what waits for the reader's own is."""
    live, key_of = InboxThread.expires_at > moment, InboxThread.negotiation_id
    mine: list[ColumnElement[bool]] = [InboxThread.phase == "mine", live]
    if reader.org_kind == "buyer":
        mine += [key_of.not_in(left_to_colleagues(reader)), key_of.not_in(to_approve(reader))]
    wanted: dict[str, list[ColumnElement[bool]]] = {
        "to_approve": [key_of.in_(to_approve(reader))],
        "needs_me": mine,
        "expiring": [InboxThread.phase == "theirs", live, InboxThread.expires_at <= moment + SOON],
        "unread": [InboxThread.phase != "mine", InboxThread.unread > 0],
    }
    found = []
    for key, where in wanted.items():
        if key == "to_approve" and reader.org_kind != "buyer":
            continue
        rows = session.execute(
            select(InboxThread, Negotiation.snapshot["title"].astext, Negotiation.buyer_named_at, Organization.name)
            .join(Negotiation, Negotiation.id == InboxThread.negotiation_id)
            .join(Organization, Organization.id == InboxThread.other_org_id)
            .where(InboxThread.org_id == reader.org_id, *where)
            .order_by(InboxThread.expires_at if key != "unread" else InboxThread.moved_at.desc())
            .limit(100)
        ).all()
        lines = [_line(*row) for row in rows]
        if lines:
            found.append({"key": key, "rows": [asdict(line) for line in lines[:NAMED]], "more": len(lines[NAMED:])})
    return found


def _line(thread: InboxThread, title: str | None, named_at: datetime | None, other: str) -> Line:
    hidden = thread.side == "designer" and named_at is None
    return Line(
        negotiation=thread.negotiation_id,
        title=title or "",
        name="" if hidden else other,
        other_org=thread.other_org_id if hidden else "",
        design=thread.design_id if hidden else "",
        expires_at=thread.expires_at.isoformat(),
        unread=thread.unread,
    )


def in_words(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What the mail's templates show, in the current language."""
    titles = {
        "to_approve": _("To approve"),
        "needs_me": _("Your turn"),
        "expiring": _("Expiring soon"),
        "unread": _("Unread"),
    }
    counted = dict.fromkeys(titles, 0)
    shown = []
    for part in parts:
        groups = []
        for group in part["groups"]:
            counted[group["key"]] += len(group["rows"]) + group["more"]
            rows = [_row_in_words(group["key"], row) for row in group["rows"]]
            groups.append({"title": titles[group["key"]], "rows": rows, "more": group["more"]})
        shown.append({"org": part["org"], "groups": groups})
    headline = _(", ").join(f"{titles[key]} {number}" for key, number in counted.items() if number)
    return {"parts": shown, "headline": headline}


def _row_in_words(key: str, row: dict[str, Any]) -> dict[str, str]:
    until = _FMT.datetime(datetime.fromisoformat(row["expires_at"]))
    text = _("The offer stands until %(day)s.", day=until)
    if key == "unread":
        text = ngettext("%(num)s new", "%(num)s new", row["unread"])
    name = row["name"] or buyer_alias(row["other_org"], row["design"])
    return {"title": row["title"], "name": name, "text": text, "path": f"/negotiations/{row['negotiation']}"}
