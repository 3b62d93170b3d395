"""Reading the inbox: a page of threads in one statement, the counts beside the filters in another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, String, and_, any_, func, literal, or_, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session, aliased
from sqlalchemy.sql.elements import ColumnElement

from marketplace.accounts.models import Organization
from marketplace.designs.pictures import Sign
from marketplace.designs.queries import DesignCard, cards
from marketplace.inbox.models import InboxThread
from marketplace.inbox.vocabulary import FILTERS
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.licensing.models import Negotiation, Offer
from marketplace.licensing.playbook.models import Approval, ApprovalPolicy
from marketplace.licensing.queries import buyer_alias
from marketplace.licensing.term_words import headline
from marketplace.licensing.thread_models import Assignee
from marketplace.messaging.languages import html_lang
from marketplace.messaging.models import Message, MessageTranslation
from marketplace.web.i18n import locale_code
from marketplace.web.paging import MAX_LIMIT, Page, make_cursor, read_position

#: What runs out within this time is "expiring soon".
SOON = timedelta(days=3)
#: Counts stop here; the page says "99+".
COUNT_CAP = 100
#: The filters that tell how many threads are behind them.
_COUNTED = ("needs_me", "waiting", "expiring", "unread", "assigned")
#: Characters of a search that are looked at.
MAX_SEARCH = 200
#: Characters of the last message that a row shows.
SNIPPET = 140


@dataclass(frozen=True, slots=True)
class Asked:
    """What the reader wants to see. `show` is one of FILTERS; `q` searches titles, names and messages."""

    show: str = "all"
    q: str = ""
    cursor: str | None = None
    limit: int = 24

    @classmethod
    def of(cls, values: Mapping[str, str]) -> "Asked":
        """From the address; what is not known falls back to everything."""
        show, limit = values.get("show", "all"), values.get("limit", "24")
        return cls(
            show=show if show in FILTERS else "all",
            q=values.get("q", "").replace("\x00", "").strip()[:MAX_SEARCH],
            cursor=values.get("cursor"),
            limit=max(1, min(int(limit), MAX_LIMIT)) if limit.isascii() and limit.isdigit() else 24,
        )


@dataclass(frozen=True, slots=True)
class InboxRow:
    """One thread as the actor's side sees it. `phase` is mine, theirs or closed, an offer that ran out counted in."""

    id: str
    design_id: str
    title: str
    counterpart: str
    phase: str
    state: str
    license_state: str | None
    expires_at: datetime
    moved_at: datetime
    unread: int
    headline: str
    snippet: str
    snippet_lang: str
    snippet_mine: bool
    soon: bool
    #: The buyer's colleagues are asked about the offer on the table; `to_approve` when this reader is one of them.
    considered: bool
    to_approve: bool


@dataclass(frozen=True, slots=True)
class Counts:
    """Threads behind the filters, each at most COUNT_CAP."""

    needs_me: int
    waiting: int
    expiring: int
    unread: int
    assigned: int
    #: Steps of colleagues that wait for this reader's approval, first offers (which have no thread yet) counted in.
    to_approve: int = 0


def threads(session: Session, actor: Actor, asked: Asked) -> Page[InboxRow]:
    """A page of the actor's threads, the last moved first, in one statement. Raises Invalid for a bad cursor."""
    t = _picked(actor, asked).subquery("t")
    last = (
        select(Message.text, Message.lang, Message.org_id, MessageTranslation.text.label("translated"))
        .outerjoin(
            MessageTranslation,
            and_(MessageTranslation.message_id == Message.id, MessageTranslation.lang == locale_code()),
        )
        .where(Message.negotiation_id == t.c.negotiation_id)
        .order_by(Message.created_at.desc(), Message.id.desc())
        .limit(1)
        .lateral("last")
    )
    other = aliased(Organization)
    query = (
        select(
            t,
            other.name.label("other_name"),
            Negotiation.snapshot["title"].astext.label("title"),
            Negotiation.buyer_named_at,
            Negotiation.considered_version,
            Negotiation.current_version,
            (t.c.negotiation_id.in_(to_approve(actor)) if actor.org_kind == "buyer" else literal(False)).label(
                "to_approve"
            ),
            Offer.terms,
            last.c.text,
            last.c.lang,
            last.c.org_id.label("by_org_id"),
            last.c.translated,
        )
        .join(Negotiation, Negotiation.id == t.c.negotiation_id)
        .join(other, other.id == t.c.other_org_id)
        .join(Offer, and_(Offer.negotiation_id == Negotiation.id, Offer.version == Negotiation.current_version))
        .outerjoin(last, literal(True))
        .order_by(t.c.moved_at.desc(), t.c.negotiation_id.desc())
    )
    found = session.execute(query).all()
    return Page([_row(row, actor) for row in found[: asked.limit]], _next(found, asked))


def pictures(session: Session, rows: Sequence[InboxRow], sign: Sign) -> dict[str, DesignCard]:
    """The covers of the threads' designs by design, in one statement."""
    return cards(session, [row.design_id for row in rows], sign)


def negotiations(session: Session, actor: Actor, asked: Asked) -> Page[Negotiation]:
    """The same page as `threads`, as negotiations; for the API."""
    t = _picked(actor, asked).subquery("t")
    found = session.execute(
        select(Negotiation, t.c.moved_at, t.c.negotiation_id)
        .join(t, t.c.negotiation_id == Negotiation.id)
        .order_by(t.c.moved_at.desc(), t.c.negotiation_id.desc())
    ).all()
    return Page([row[0] for row in found[: asked.limit]], _next(found, asked))


def counts(session: Session, actor: Actor) -> Counts:
    """The counts beside the filters, each from an index and none above COUNT_CAP, in one statement."""

    def capped(show: str) -> Any:
        some = select(literal(1)).where(*_shown(actor, show)).limit(COUNT_CAP).subquery()
        return select(func.count()).select_from(some).scalar_subquery().label(show)

    row = session.execute(select(*(capped(show) for show in _COUNTED), _asked_of(actor).label("to_approve"))).one()
    return Counts(**row._mapping)


def _picked(actor: Actor, asked: Asked) -> Select[Any]:
    """One more row than is wanted, so that the page knows whether there is another."""
    keys = (InboxThread.moved_at, InboxThread.negotiation_id)
    query = select(*InboxThread.__table__.columns).where(*_shown(actor, asked.show))
    if asked.q:
        # As an array the hits are found first; else the planner may walk all threads and look each one up.
        hits = func.array(select(func.threads_matching(asked.q)).scalar_subquery(), type_=ARRAY(String))
        query = query.where(InboxThread.negotiation_id == any_(hits))
    if asked.cursor:
        query = query.where(tuple_(*keys) < tuple_(*(literal(v) for v in read_position(asked.cursor, keys))))
    return query.order_by(*(key.desc() for key in keys)).limit(asked.limit + 1)


def _shown(actor: Actor, show: str) -> list[ColumnElement[bool]]:
    """The threads behind a filter. An offer that ran out is closed before the periodic job has written it down."""
    now = clock.now()
    live = InboxThread.expires_at > now
    where: list[ColumnElement[bool]] = [InboxThread.org_id == actor.org_id]
    if show == "needs_me":
        where += [InboxThread.phase == "mine", live]
        if actor.org_kind == "buyer":
            where.append(InboxThread.negotiation_id.not_in(left_to_colleagues(actor)))
    elif show == "waiting" and actor.org_kind == "buyer":
        theirs = or_(InboxThread.phase == "theirs", InboxThread.negotiation_id.in_(left_to_colleagues(actor)))
        where += [InboxThread.phase.in_(("mine", "theirs")), theirs, live]
    elif show == "waiting":
        where += [InboxThread.phase == "theirs", live]
    elif show == "expiring":
        where += [InboxThread.phase.in_(("mine", "theirs")), live, InboxThread.expires_at <= now + SOON]
    elif show == "unread":
        where.append(InboxThread.unread > 0)
    elif show == "assigned":
        mine = select(Assignee.negotiation_id).where(Assignee.user_id == actor.user_id, Assignee.org_id == actor.org_id)
        where.append(InboxThread.negotiation_id.in_(mine))
    elif show == "closed":
        where.append(or_(InboxThread.phase == "closed", ~live))
    return where


def to_approve(actor: Actor) -> Select[Any]:
    """Ids of the negotiations in which a colleague's step waits for the actor's approval."""
    return _pending(actor).where(_may_decide(actor))


def left_to_colleagues(actor: Actor) -> Select[Any]:
    """Ids of the negotiations in which it is not for the actor to approve what waits: its own step, or others'."""
    return _pending(actor).where(~_may_decide(actor))


def _pending(actor: Actor) -> Select[Any]:
    return (
        select(Approval.negotiation_id)
        .join(Negotiation, Negotiation.id == Approval.negotiation_id)
        .where(
            Approval.org_id == actor.org_id,
            Approval.state == "pending",
            Approval.version == Negotiation.considered_version,
            _still_asked(),
        )
    )


def _still_asked() -> ColumnElement[bool]:
    """As playbook.deciding.is_void says of rows of approvals and their negotiations, the other way round."""
    standing = and_(Negotiation.state == "open", Negotiation.expires_at > clock.now())
    return and_(Approval.version == Negotiation.current_version, standing == (Approval.action != "reopen"))


def _may_decide(actor: Actor) -> ColumnElement[bool]:
    """As playbook.deciding.may_decide, over rows of approvals."""
    named = select(ApprovalPolicy.org_id).where(
        ApprovalPolicy.org_id == Approval.org_id, ApprovalPolicy.approvers.contains([actor.user_id])
    )
    return and_(Approval.asked_by != actor.user_id, or_(literal(actor.is_admin), named.exists()))


def _asked_of(actor: Actor) -> Any:
    """How many steps of colleagues wait for the actor's approval, at most COUNT_CAP."""
    if actor.org_kind != "buyer":
        return literal(0)
    some = (
        select(literal(1))
        .select_from(Approval)
        .outerjoin(Negotiation, Negotiation.id == Approval.negotiation_id)
        .where(
            Approval.org_id == actor.org_id,
            Approval.state == "pending",
            or_(Approval.negotiation_id.is_(None), _still_asked()),
            _may_decide(actor),
        )
        .limit(COUNT_CAP)
        .subquery()
    )
    return select(func.count()).select_from(some).scalar_subquery()


def _next(found: Sequence[Row[Any]], asked: Asked) -> str | None:
    if len(found) <= asked.limit:
        return None
    last = found[asked.limit - 1]
    return make_cursor([last.moved_at, last.negotiation_id])


def _row(row: Row[Any], actor: Actor) -> InboxRow:
    now = clock.now()
    lapsed = row.phase != "closed" and row.expires_at <= now
    name = row.other_name
    if row.side == "designer" and row.buyer_named_at is None:
        name = buyer_alias(row.other_org_id, row.design_id)
    said = row.translated or row.text or ""
    lang = locale_code() if row.translated else row.lang or ""
    return InboxRow(
        id=row.negotiation_id,
        design_id=row.design_id,
        title=row.title or "",
        counterpart=name,
        phase="closed" if lapsed else row.phase,
        state="expired" if lapsed else row.state,
        license_state=row.license_state,
        expires_at=row.expires_at,
        moved_at=row.moved_at,
        unread=row.unread,
        headline=headline(row.terms),
        snippet=" ".join(said.split())[:SNIPPET],
        snippet_lang=html_lang(lang),
        snippet_mine=row.by_org_id == actor.org_id,
        soon=row.phase != "closed" and not lapsed and row.expires_at <= now + SOON,
        considered=row.phase != "closed" and not lapsed and row.considered_version == row.current_version,
        to_approve=row.to_approve and not lapsed,
    )
