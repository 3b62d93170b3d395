"""What a mail about a negotiation carries: the words that were written, where to answer, how to end such mails."""

import re
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace.accounts.models import User
from marketplace.config import Settings
from marketplace.gateways.tokens import Purpose, Tokens
from marketplace.inbox.replies import address_for
from marketplace.kernel import clock
from marketplace.messaging.models import Message, MessageTranslation
from marketplace.notifications.kinds import ABOUT_THREADS
from marketplace.notifications.models import Mail, MailSetting

#: How long the link that ends mails works.
TOKEN_LIFE_S = 400 * 24 * 3600
#: Characters of a message that stand in its mail.
EXCERPT = 1_000
_THREAD = re.compile(r"/negotiations/(neg_[a-z0-9]{1,36})")
_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Additions:
    """What is added to a mail when it is sent. `wanted` is False when the person does not want it (now)."""

    wanted: bool = True
    reply_to: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)


def setting_of(session: Session, user_id: str) -> tuple[str, str | None]:
    """How often mails about negotiations come, and the person's time zone if it is known."""
    row = session.execute(
        select(MailSetting.threads, User.time_zone)
        .select_from(User)
        .outerjoin(MailSetting, MailSetting.user_id == User.id)
        .where(User.id == user_id)
    ).one_or_none()
    return (row.threads or "immediate", row.time_zone) if row else ("off", None)


def choose(session: Session, user_id: str, threads: str) -> None:
    """Keep how often a person wants mails about negotiations."""
    session.execute(
        insert(MailSetting)
        .values(user_id=user_id, threads=threads, created_at=clock.now())
        .on_conflict_do_update(index_elements=["user_id"], set_={"threads": threads})
    )


def additions(session: Session, tokens: Tokens, settings: Settings, mail: Mail) -> Additions:
    """For a mail about a thread to a person: asked at the moment of sending, so that a choice counts at once."""
    kind = str(mail.params.get("kind", ""))
    digest = mail.template == "digest"
    if mail.user_id is None or not (kind in ABOUT_THREADS or digest):
        return Additions()
    threads, _zone = setting_of(session, mail.user_id)
    if threads != ("daily" if digest else "immediate"):
        return Additions(wanted=False)
    link = f"{settings.base_url}/mail/unsubscribe?token={tokens.sign(Purpose.UNSUBSCRIBE, {'user': mail.user_id})}"
    headers = {"List-Unsubscribe": f"<{link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    params: dict[str, Any] = {"unsubscribe": link}
    if digest:
        return Additions(headers=headers, params=params)
    reply_to = _reply_to(session, tokens, settings, mail)
    params |= {"answerable": reply_to is not None, "quote": _quote(session, mail)}
    return Additions(reply_to=reply_to, headers=headers, params=params)


def _reply_to(session: Session, tokens: Tokens, settings: Settings, mail: Mail) -> str | None:
    found = _THREAD.fullmatch(str(mail.params.get("path") or ""))
    org_id = mail.params.get("org_id")
    if found is None or not org_id or mail.user_id is None:
        return None
    return address_for(session, tokens, settings, user_id=mail.user_id, org_id=str(org_id), negotiation_id=found[1])


def _quote(session: Session, mail: Mail) -> str:
    """The message that the mail is about, in the reader's language when it is there. Links stay in the thread, where a
    reader is warned of them.
    """
    if not (message_id := mail.params.get("message")):
        return ""
    row = session.execute(
        select(Message.text, MessageTranslation.text)
        .outerjoin(
            MessageTranslation,
            and_(MessageTranslation.message_id == Message.id, MessageTranslation.lang == mail.locale),
        )
        .where(Message.id == message_id, Message.to_org_id == mail.params.get("org_id"))
    ).one_or_none()
    if row is None:
        return ""
    words = _LINK.sub("[…]", row[1] or row[0])
    return words if len(words) <= EXCERPT else words[:EXCERPT].rstrip() + " …"
