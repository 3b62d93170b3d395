"""Answers by mail: the addresses, taking a mail in, and posting what it says."""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from ai_pipeline.letters.report import Letter
from marketplace.accounts.models import User
from marketplace.accounts.queries import member_actor
from marketplace.audit.operations import record
from marketplace.config import Settings
from marketplace.db.jobs import JobName, stage
from marketplace.db.locks import lock_name
from marketplace.gateways.inbound_mail import Delivery
from marketplace.gateways.storage import Storage
from marketplace.gateways.tokens import Purpose, Tokens
from marketplace.inbox.mail_files import Arrived, announce
from marketplace.inbox.models import InboundMail, ReplyAddress
from marketplace.inbox.rules import ADDRESS_LIFE, INBOUND, MOST_AN_HOUR, vouched
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from marketplace.kernel.ids import new_id
from marketplace.licensing.access import load_negotiation
from marketplace.licensing.conversing import say
from marketplace.licensing.rules import NEGOTIATION
from marketplace.notifications.operations import send_mail
from marketplace.policy.decide import relations_of, require
from marketplace.policy.permissions import Permission

_SYSTEM = frozenset({"system"})


def address_for(
    session: Session, tokens: Tokens, settings: Settings, *, user_id: str, org_id: str, negotiation_id: str
) -> str | None:
    """The address that posts this person's answers into the thread, good for ADDRESS_LIFE from now; None when no mail
    is taken in.
    """
    if not settings.inbound_mail_domain:
        return None
    until = clock.now() + ADDRESS_LIFE
    row = {"user_id": user_id, "org_id": org_id, "negotiation_id": negotiation_id}
    key = session.scalars(
        insert(ReplyAddress)
        .values(id=new_id("rpl"), expires_at=until, created_at=clock.now(), **row)
        .on_conflict_do_update(index_elements=list(row), set_={"expires_at": until})
        .returning(ReplyAddress.id)
    ).one()
    return f"{key}.{tokens.seal(Purpose.REPLY, key)}@{settings.inbound_mail_domain}"


def address_id(tokens: Tokens, settings: Settings, recipient: str) -> str | None:
    """The id in an address that we made; None for every other one."""
    local, _at, domain = recipient.lower().rpartition("@")
    key, _dot, seal = local.partition(".")
    if not settings.inbound_mail_domain or domain != settings.inbound_mail_domain:
        return None
    return key if len(key) <= 40 and tokens.sealed(Purpose.REPLY, key, seal) else None


def take(session: Session, delivery: Delivery, key: str) -> None:
    """Keep a delivery for an address and stage its reading; the same delivery again changes nothing."""
    inbound_id = new_id("inm")
    values = {"id": inbound_id, "address_id": key, "delivery": delivery.token, "sender": delivery.sender}
    # No `returning`: the web role may put a mail in, and see none.
    done: Any = session.execute(
        insert(InboundMail)
        .values(raw=delivery.raw, state=INBOUND.initial, created_at=clock.now(), **values)
        .on_conflict_do_nothing()
    )
    if done.rowcount:
        stage(session, JobName.READ_INBOUND_MAIL, inbound_id, {"inbound_id": inbound_id}, subject=inbound_id)


def settle(
    session: Session,
    actor: Actor,
    storage: Storage,
    inbound_id: str,
    letter: Letter | None,
    files: Sequence[Arrived] = (),
) -> None:
    """Post what the mail says, or refuse it with an answer to the person's own address, or pass it over in silence.

    `letter` is None when the mail could not be read; `files` came with it and are announced (mail_files). Harmless when
    repeated.
    """
    row = session.get_one(InboundMail, inbound_id, with_for_update=True)
    if row.state != INBOUND.initial:
        return
    lock_name(session, f"reply address {row.address_id}")
    address = session.get(ReplyAddress, row.address_id)
    person = session.get(User, address.user_id) if address else None
    silent = _passed_over(session, row, letter) or ("unknown" if address is None or person is None else "")
    if silent or address is None or person is None:
        _close(session, actor, row, "ignore", silent)
        return
    reason = _objection(row, address, person, letter)
    if not reason and letter is not None:
        writer = member_actor(session, address.user_id, address.org_id, request_id=actor.request_id)
        reason = "member" if writer is None else _post(session, writer, row, address, letter)
        if not reason and writer is not None and files:
            row.files = announce(session, writer, storage, address.negotiation_id, files)
    if reason == "sender":
        row.message_key = None  # what others send must not stand in the way of the person's own mail
    _close(session, actor, row, "refuse" if reason else "post", reason)
    if reason:
        _answer(session, row, address, person, reason)


def _passed_over(session: Session, row: InboundMail, letter: Letter | None) -> str:
    """Why nobody gets an answer: machines, loops, and what was there before."""
    if letter is not None and letter.automatic:
        return letter.automatic
    if not row.sender or row.sender.partition("@")[0] in {"mailer-daemon", "postmaster"}:
        return "bounce"
    since = clock.now() - timedelta(hours=1)
    recent = select(func.count()).where(InboundMail.address_id == row.address_id, InboundMail.created_at >= since)
    if (session.scalar(recent) or 0) > MOST_AN_HOUR:
        return "too many"
    named = (letter.message_id if letter else "") or hashlib.sha256(row.raw or b"").hexdigest()
    key = hashlib.sha256(named.encode("utf-8", "replace")).hexdigest()
    before = select(InboundMail.id).where(InboundMail.address_id == row.address_id, InboundMail.message_key == key)
    if session.scalars(before).one_or_none() is not None:
        return "duplicate"
    row.message_key = key
    return ""


def _objection(row: InboundMail, address: ReplyAddress, person: User, letter: Letter | None) -> str:
    """Why it is not taken from this sender or at this time; a key of REFUSALS."""
    if letter is None:
        return "unreadable"
    sender = letter.senders[0] if len(letter.senders) == 1 else ""
    sure = vouched(sender, row.sender, spf=letter.spf, dkim=letter.dkim, signed_by=letter.signed_by)
    if sender not in {person.email_key, person.email.lower()} or not sure:
        return "sender"
    if address.expires_at <= clock.now():
        return "expired"
    if letter.too_long:
        return "too_long"
    return "" if letter.text or letter.files else "empty"


def _post(session: Session, writer: Actor, row: InboundMail, address: ReplyAddress, letter: Letter) -> str:
    """Say it in the thread; returns why that is not possible, or nothing."""
    try:
        negotiation = load_negotiation(session, writer, address.negotiation_id)
        require(writer, Permission.MESSAGE_SEND, negotiation)
        NEGOTIATION.target(negotiation.state, "message", relations_of(negotiation, writer))
        if not letter.text:
            return ""  # its files are all it says
        with session.begin_nested():
            said = say(session, writer, negotiation.id, letter.text, client_key=row.id, by_mail=True)
    except (NotFound, Forbidden):
        return "member"
    except Conflict:
        return "closed"
    except Invalid:
        return "empty"
    row.message_id = said.id
    return ""


def _close(session: Session, actor: Actor, row: InboundMail, action: str, reason: str) -> None:
    before = INBOUND.advance(row, action, _SYSTEM)
    # What brought files is kept until they are in the object store (mail_files.arrived).
    row.raw = row.raw if row.files else None
    row.reason, row.done_at = reason or None, clock.now()
    record(session, actor, f"mail.{row.state}", row.id, before=before, address=row.address_id, reason=reason)


def _answer(session: Session, row: InboundMail, address: ReplyAddress, person: User, reason: str) -> None:
    """Tell the person, at the account's address and never at the mail's own; mail from others is told once a day."""
    if reason == "sender" and _told_today(session, row, address):
        return
    path = f"/negotiations/{address.negotiation_id}" if reason != "member" else None
    send_mail(
        session,
        to=person.email,
        locale=person.locale,
        template="reply_refused",
        user_id=person.id,
        reason=reason,
        posted=False,
        path=path,
    )


def _told_today(session: Session, row: InboundMail, address: ReplyAddress) -> bool:
    today = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    same = select(func.count()).where(
        InboundMail.address_id == address.id,
        InboundMail.id != row.id,
        InboundMail.reason == "sender",
        InboundMail.done_at >= today,
    )
    return bool(session.scalar(same))
