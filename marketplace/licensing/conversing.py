"""What is said and done in a thread beside offers: messages, comments on terms, marks, reading, handing over."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace.accounts.queries import colleague
from marketplace.audit.operations import record
from marketplace.db.locks import lock
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Forbidden, Invalid, NotFound
from marketplace.licensing.attachments import files_of
from marketplace.licensing.models import Negotiation, ReadMark
from marketplace.licensing.rules import NEGOTIATION, other, side_of
from marketplace.licensing.seats import locked, next_moment, note, org_of, tell, tick, tick_by_id
from marketplace.licensing.terms import Terms
from marketplace.licensing.thread_models import Assignee, NegotiationEvent
from marketplace.messaging.models import Message
from marketplace.messaging.operations import post_message
from marketplace.notifications.operations import notify_person


def say(
    session: Session,
    actor: Actor,
    negotiation_id: str,
    text: str,
    *,
    about: tuple[str, int] | None = None,
    files: Sequence[str] = (),
    client_key: str | None = None,
    by_mail: bool = False,
) -> Message:
    """Write to the other side; `about` makes it a comment on a term of a version, `files` are ids of uploaded ones.

    A second call with the same `client_key` returns the first one's message. Raises Conflict once the negotiation
    ended without an agreement, Invalid for a term, version or file that is not there.
    """
    negotiation, side = _joined(session, actor, negotiation_id)
    NEGOTIATION.target(negotiation.state, "message", {side})
    if about is not None:
        _check_about(negotiation, about)
    # The row's lock, in one statement: it puts messages in order, and never undoes what happens to the offer meanwhile.
    at = tick_by_id(session, negotiation_id)
    if client_key is not None and (said := _said_before(session, actor, negotiation_id, client_key)):
        return said
    chosen = files_of(session, actor, negotiation_id, files)
    counterpart = org_of(negotiation, other(side))
    said = post_message(
        session,
        actor,
        negotiation_id,
        to_org_id=counterpart,
        body=text,
        at=at,
        about=about,
        files=chosen,
        client_key=client_key,
        by_mail=by_mail,
    )
    tell(session, negotiation, other(side), "comment_received" if about else "message_received", message=said.id)
    return said


def resolve(session: Session, actor: Actor, negotiation_id: str, message_id: str, *, resolved: bool = True) -> None:
    """Mark a comment as settled, or open it again; either side may. Saying what is so already changes nothing."""
    negotiation, side = _joined(session, actor, negotiation_id)
    NEGOTIATION.target(negotiation.state, "message", {side})
    comment = session.get(Message, message_id)
    if comment is None or comment.negotiation_id != negotiation_id or comment.term is None:
        raise NotFound
    at = tick_by_id(session, negotiation_id)
    last = session.scalars(
        select(NegotiationEvent.kind)
        .where(NegotiationEvent.negotiation_id == negotiation_id, NegotiationEvent.message_id == message_id)
        .order_by(NegotiationEvent.created_at.desc())
        .limit(1)
    ).one_or_none()
    if (last == "resolved") == resolved:
        return
    kind = "resolved" if resolved else "unresolved"
    note(session, actor, negotiation, kind, at, version=comment.version, term=comment.term, message_id=message_id)
    counterpart = org_of(negotiation, other(side))
    record(session, actor, f"negotiation.comment_{kind}", negotiation_id, owner_org_id=counterpart, message=message_id)


def agree(session: Session, actor: Actor, negotiation_id: str, *, version: int, term: str, agreed: bool = True) -> None:
    """Mark one term of the version on the table as agreed, or take the mark back. It binds nobody.

    Saying what is so already changes nothing. Raises as `seats.locked`, Invalid for an unknown term.
    """
    negotiation = locked(session, actor, negotiation_id, "agree", version)
    _check_about(negotiation, (term, version))
    kind = "agreed" if agreed else "disagreed"
    if _marked(session, actor, negotiation_id, term, version) == kind:
        return
    note(session, actor, negotiation, kind, tick(negotiation), version=version, term=term)
    counterpart = org_of(negotiation, other(negotiation.turn))
    record(session, actor, f"negotiation.term_{kind}", negotiation_id, owner_org_id=counterpart, term=term)


def hand_over(session: Session, actor: Actor, negotiation_id: str, user_id: str) -> None:
    """Make a colleague of one's own organization take care of the negotiation, and tell that colleague.

    The other side learns nothing of it. Raises Invalid for somebody who is no colleague.
    """
    negotiation = lock(session, Negotiation, negotiation_id)
    if side_of(negotiation, actor) is None or actor.org_id is None:
        raise NotFound
    taker = colleague(session, actor.org_id, user_id)
    if taker is None:
        words = "Choose a colleague of your organization."
        raise Invalid("invalid", words, fields={"user": words})
    # The thread does not move: nothing the other side sees may tell of it.
    at = next_moment(negotiation)
    row = {"user_id": taker.id, "at": at}
    done = session.execute(
        insert(Assignee)
        .values(negotiation_id=negotiation_id, org_id=actor.org_id, **row)
        .on_conflict_do_update(
            index_elements=["negotiation_id", "org_id"], set_=row, where=Assignee.user_id != taker.id
        )
        .returning(Assignee.user_id)
    ).first()
    if done is None:
        return
    note(session, actor, negotiation, "handed_over", at, private=True, details={"to": taker.id})
    record(session, actor, "negotiation.handed_over", negotiation_id, owner_org_id=actor.org_id, to=taker.id)
    if taker.id != actor.user_id:
        notify_person(
            session,
            taker,
            actor.org_id,
            "negotiation_handed_over",
            path=f"/negotiations/{negotiation_id}",
            design=str(negotiation.snapshot.get("title", "")),
            by=actor.name,
        )


def mark_read(session: Session, actor: Actor, negotiation_id: str, until: datetime | None = None) -> None:
    """Remember that the actor's organization has seen everything up to `until` (default: now); never goes back.

    When nothing came after `until` it has seen everything, and the moment kept is now. A moment before the negotiation
    began is its beginning.
    """
    # Shared with other readers; a message that is being written holds the row, so none slips in unseen before `now`.
    moments = select(Negotiation.created_at, Negotiation.updated_at).where(Negotiation.id == negotiation_id)
    began_at, moved_at = session.execute(moments.with_for_update(read=True)).one()
    now = clock.now()
    read_at = now if until is None or until >= moved_at else max(until, began_at)
    statement = insert(ReadMark).values(negotiation_id=negotiation_id, org_id=actor.org_id, read_at=read_at)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["negotiation_id", "org_id"],
            set_={"read_at": func.greatest(ReadMark.read_at, statement.excluded.read_at)},
        )
    )


def _joined(session: Session, actor: Actor, negotiation_id: str) -> tuple[Negotiation, str]:
    """The negotiation, not locked, and the actor's side. Raises NotFound."""
    negotiation = session.get(Negotiation, negotiation_id)
    if negotiation is None or (side := side_of(negotiation, actor)) is None:
        raise NotFound
    if actor.user_id is None:
        raise Forbidden("forbidden", "Your role does not allow this.")
    return negotiation, side


def _marked(session: Session, actor: Actor, negotiation_id: str, term: str, version: int) -> str | None:
    """The actor's side's last mark on a term of a version."""
    query = select(NegotiationEvent.kind).where(
        NegotiationEvent.negotiation_id == negotiation_id,
        NegotiationEvent.org_id == actor.org_id,
        NegotiationEvent.kind.in_(("agreed", "disagreed")),
        NegotiationEvent.term == term,
        NegotiationEvent.version == version,
    )
    return session.scalars(query.order_by(NegotiationEvent.created_at.desc()).limit(1)).one_or_none()


def _check_about(negotiation: Negotiation, about: tuple[str, int]) -> None:
    term, version = about
    if term not in Terms.model_fields or not 1 <= version <= negotiation.current_version:
        words = "This term or version is not there."
        raise Invalid("invalid", words, fields={"term": words})


def _said_before(session: Session, actor: Actor, negotiation_id: str, client_key: str) -> Message | None:
    query = select(Message).where(
        Message.negotiation_id == negotiation_id,
        Message.user_id == actor.user_id,
        Message.client_key == client_key,
    )
    return session.scalars(query).one_or_none()
