"""Writing messages and their translations. The caller has made sure that the actor may write in the thread."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace.audit.operations import record
from marketplace.db.jobs import JobName, stage
from marketplace.db.locks import lock_name
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Forbidden, Invalid, NotFound
from marketplace.messaging.languages import TARGETS, detect
from marketplace.messaging.models import Message, MessageTranslation
from marketplace.messaging.rules import MAX_MARKS, MAX_RAW, MAX_TEXT, TRANSLATION

_TOO_LONG = "A message has at most 4,000 characters."
#: A run of combining marks longer than any script needs; what goes beyond would only cover the lines above and below.
_MARK = r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
_PILED = re.compile(f"({_MARK}{{{MAX_MARKS}}}){_MARK}+")
_LOCALES = text("select distinct u.locale from memberships m join users u on u.id = m.user_id where m.org_id = :org")


def post_message(
    session: Session,
    actor: Actor,
    negotiation_id: str,
    *,
    to_org_id: str,
    body: str,
    at: datetime,
    about: tuple[str, int] | None = None,
    files: Sequence[Mapping[str, Any]] = (),
    client_key: str | None = None,
    by_mail: bool = False,
) -> Message:
    """Add a message to the thread and stage its translation into the languages the other side reads.

    `at` is the thread's own time, taken under its lock; `about` is the term and the version it is about; `files` are
    verified ones. Raises Invalid for a text over 4,000 characters, or an empty one without files.
    """
    if actor.org_id is None or actor.user_id is None:
        raise Forbidden("forbidden", "Your role does not allow this.")
    cleaned = "" if files and not body.strip() else clean(body)
    row = Message(
        negotiation_id=negotiation_id,
        org_id=actor.org_id,
        to_org_id=to_org_id,
        user_id=actor.user_id,
        text=cleaned,
        lang=detect(cleaned, actor.locale),
        term=about[0] if about else None,
        version=about[1] if about else None,
        files=[dict(item) for item in files],
        client_key=client_key,
        by_mail=by_mail,
        created_at=at,
    )
    session.add(row)
    session.flush()
    for locale in session.scalars(_LOCALES, {"org": to_org_id}):
        if cleaned and locale in TARGETS and locale != row.lang:
            _stage_translation(session, row, locale)
    record(session, actor, "message.posted", row.id, owner_org_id=to_org_id, negotiation=negotiation_id, lang=row.lang)
    return row


def clean(body: str) -> str:
    """The text as it is kept: NFC, without NUL and the controls that are not line breaks or tabs, and with no more
    marks on one letter than MAX_MARKS. Raises Invalid.
    """
    if len(body) > MAX_RAW:
        raise Invalid("invalid", _TOO_LONG, fields={"text": _TOO_LONG})
    composed = unicodedata.normalize("NFC", body.replace("\r\n", "\n").strip())
    kept = "".join(c for c in composed if c in "\n\t" or unicodedata.category(c) != "Cc")
    kept = _PILED.sub(r"\1", kept)
    if not kept.strip():
        raise Invalid("invalid", "Please write something first.", fields={"text": "Please write something first."})
    if len(kept) > MAX_TEXT:
        raise Invalid("invalid", _TOO_LONG, fields={"text": _TOO_LONG})
    return kept


def ask_for_translation(session: Session, actor: Actor, message_id: str, lang: str) -> MessageTranslation:
    """The translation of a message into `lang`, staged when there is none or it failed. Raises NotFound."""
    message = session.get(Message, message_id)
    if message is None or actor.org_id not in {message.org_id, message.to_org_id}:
        raise NotFound
    if lang not in TARGETS or lang == message.lang:
        raise Invalid("invalid", "The message is in this language already.")
    lock_name(session, f"translation {message_id} {lang}")
    query = select(MessageTranslation).where(
        MessageTranslation.message_id == message_id, MessageTranslation.lang == lang
    )
    found = session.scalars(query).one_or_none()
    if found is None:
        _stage_translation(session, message, lang)
        return session.scalars(query).one()
    if found.state == "failed":
        TRANSLATION.advance(found, "ask_again", {"reader"})
        args = {"message_id": message_id, "lang": lang}
        key = f"{message_id}:{lang}:{clock.now().timestamp():.0f}"
        stage(session, JobName.TRANSLATE_MESSAGE, key, args, subject=message_id, org_id=actor.org_id)
    return found


def pending_translation(session: Session, message_id: str, lang: str) -> Message | None:
    """The message when its translation is still to be made, else None."""
    row = session.get(MessageTranslation, (message_id, lang))
    return session.get_one(Message, message_id) if row is not None and row.state == "pending" else None


def keep_translation(
    session: Session, message_id: str, lang: str, *, body: str, figures_checked: bool, model: str, sandbox: bool
) -> None:
    """Store a translation, once. `figures_checked` tells whether its numbers were found to be the original's."""
    row = session.get_one(MessageTranslation, (message_id, lang), with_for_update=True)
    if row.state != "pending":
        return
    TRANSLATION.advance(row, "translated" if figures_checked else "translated_unchecked", {"system"})
    row.text, row.model, row.sandbox, row.translated_at = body[: MAX_TEXT * 3], model[:80], sandbox, clock.now()


def give_up(session: Session, message_id: str, lang: str) -> None:
    """Say that a translation could not be made; the original stays readable."""
    row = session.get_one(MessageTranslation, (message_id, lang), with_for_update=True)
    if row.state == "pending":
        TRANSLATION.advance(row, "give_up", {"system"})
        row.translated_at = clock.now()


def _stage_translation(session: Session, message: Message, lang: str) -> None:
    session.execute(
        insert(MessageTranslation)
        .values(message_id=message.id, lang=lang, state=TRANSLATION.initial, sandbox=False, created_at=clock.now())
        .on_conflict_do_nothing()
    )
    args = {"message_id": message.id, "lang": lang}
    stage(
        session, JobName.TRANSLATE_MESSAGE, f"{message.id}:{lang}", args, subject=message.id, org_id=message.to_org_id
    )
