"""Making statements: quarters that ended, advances, adjustments; figures, numbers, deadlines. Only jobs come here.

Every step locks the license first and looks at what is there, so a tick that runs twice, or a job that was killed and
runs again, makes nothing twice.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session

from marketplace.audit.operations import record
from marketplace.db.locks import lock
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.licensing.models import License, Negotiation
from marketplace.notifications.operations import notify_org
from marketplace.orders.models import Order
from marketplace.royalties import counted, returns
from marketplace.royalties import lines as counting
from marketplace.royalties.calendar import PAY_DAYS, Life, Span, life, report_due
from marketplace.royalties.models import Inquiry, SalesLine, SalesReport, Statement, StatementLine
from marketplace.royalties.reckoning import Entry, Guarantee, Opening, guaranteed, settle
from marketplace.royalties.reports import stage_issue
from marketplace.royalties.rules import STANDING, STATEMENT, Scheme, scheme

BATCH = 100
#: Why a license can end before its term.
_EARLY = ("mutual", "breach")
#: What can turn up after the last quarter: the tables, and which of their rows count.
_LATER: tuple[tuple[Any, tuple[Any, ...]], ...] = (
    (Order, (Order.paid_at.is_not(None),)),
    (SalesLine, (SalesLine.corrects.is_not(None),)),
    (Inquiry, (Inquiry.state == "closed", Inquiry.adjustment > 0)),
)


def open_due(session: Session, actor: Actor, *, after: str = "", limit: int = BATCH) -> tuple[int, str | None]:
    """Open what the calendar asks for in the next `limit` licenses by id; (how many, where to go on or None).

    An advance is issued as soon as the license is in force. The statement of a quarter is opened when the quarter is
    over; it waits for the buyer's report where there is one to give, else it is made at once. What was found after the
    last quarter becomes an adjustment.
    """
    found: Sequence[str] = session.scalars(
        _candidates().where(License.id > after).order_by(License.id).limit(limit)
    ).all()
    opened = sum(1 for key in found if _open_one(session, actor, lock(session, License, key)))
    return opened, found[-1] if len(found) == limit else None


def issue(session: Session, actor: Actor, statement_id: str) -> bool:
    """Reckon a draft, number it and let it stand; False when it stands already or must wait for an earlier one."""
    seen = session.get_one(Statement, statement_id)
    held = lock(session, License, seen.license_id)
    statement = lock(session, Statement, statement_id)
    if statement.state != "draft" or not _ready(session, statement):
        return False
    terms = scheme(held.terms)
    found = counting.uncounted(session, held, terms, statement.ends)
    _stand(session, actor, held, statement, found, _guarantee(session, held, terms, statement))
    following = _next_draft(session, statement)
    if following is not None and _ready(session, following):
        stage_issue(session, following)
    return True


def life_of(held: License) -> Life:
    """When a license that has been in force gives account; an early end cuts it."""
    if held.active_from is None:
        raise ValueError("the license was never in force")
    ended = held.ended_at if held.ended_why in _EARLY else None
    return life(
        held.active_from,
        held.active_until,
        held.terms.get("sell_off_months"),
        winds_up=held.sell_off_until,
        ended=ended,
    )


def _candidates() -> Select[Any]:
    """Ids of licenses for which something may have to be opened; `_wanted` decides under the license's lock.

    A quarter has at least 89 days unless the end of the term or of the selling off cuts it.
    """
    today = _today()
    midnight = datetime.combine(today, time.min, UTC)
    mine = Statement.license_id == License.id
    ended = select(func.max(Statement.ends)).where(mine, Statement.kind == "quarter").scalar_subquery()
    asked = select(Statement.id).where(mine, Statement.kind == "advance").exists()
    since = func.coalesce(ended, func.date(License.active_from))
    months = func.coalesce(License.terms["sell_off_months"].as_integer(), 0)
    sold_off = func.coalesce(
        func.date(License.ended_at),
        func.date(License.sell_off_until),
        func.date(License.active_until + func.make_interval(0, months)),
    )
    accounts = or_(
        License.terms["royalty_base"].as_string().is_not(None),
        License.terms["minimum_guarantee"].as_string().is_not(None),
    )
    counted = select(StatementLine.id).where(StatementLine.license_id == License.id)
    found_later = or_(
        *(
            select(model.id)
            .where(model.license_id == License.id, *more, ~counted.where(StatementLine.source_id == model.id).exists())
            .exists()
            for model, more in _LATER
        )
    )
    return select(License.id).where(
        License.active_from < midnight + timedelta(days=1),
        or_(
            and_(License.terms["advance"]["amount"].as_integer() > 0, ~asked),
            and_(
                accounts,
                or_(
                    since <= today - timedelta(days=89),
                    and_(License.active_until < midnight + timedelta(days=1), since < func.date(License.active_until)),
                    and_(sold_off <= today, since < sold_off),
                    and_(sold_off <= today, or_(found_later, returns.waiting())),
                ),
            ),
        ),
    )


def _wanted(session: Session, held: License) -> tuple[str, Span] | None:
    """The statement that a license lacks now: its kind and span."""
    terms, today = scheme(held.terms), _today()
    times = life_of(held)
    kinds = select(Statement.kind).where(Statement.license_id == held.id, Statement.kind == "advance")
    if terms.advance and session.scalars(kinds.limit(1)).one_or_none() is None:
        return "advance", Span(times.began, times.began)
    if not terms.accounts:
        return None
    ended = select(func.max(Statement.ends)).where(Statement.license_id == held.id, Statement.kind == "quarter")
    previous: date | None = session.scalars(ended).one()
    quarter = times.after(previous)
    if quarter is not None:
        return ("quarter", quarter) if quarter.ends <= today else None
    drafts = select(Statement.id).where(Statement.license_id == held.id, Statement.state == "draft")
    if session.scalars(drafts.limit(1)).one_or_none() is None and counting.uncounted(session, held, terms, today):
        return "adjustment", Span(previous or times.began, today)
    return None


def _open_one(session: Session, actor: Actor, held: License) -> bool:
    wanted = _wanted(session, held)
    if wanted is None:
        return False
    kind, span = wanted
    terms = scheme(held.terms)
    statement = Statement(
        license_id=held.id,
        design_id=held.design_id,
        design_title=_title(session, held),
        designer_org_id=held.designer_org_id,
        buyer_org_id=held.buyer_org_id,
        kind=kind,
        starts=span.starts,
        ends=span.ends,
        state=STATEMENT.initial,
        currency=held.currency,
        report_due=report_due(span) if kind == "quarter" and terms.reported else None,
        reminded=[],
    )
    session.add(statement)
    session.flush()
    record(session, actor, "statement.opened", statement.id, owner_org_id=held.designer_org_id, license=held.id)
    if statement.report_due is not None:
        path = f"/royalties/{statement.id}/report"
        day = statement.report_due
        notify_org(session, held.buyer_org_id, "report_due", path=path, design=statement.design_title, day=day)
    else:
        stage_issue(session, statement)
    return True


def _ready(session: Session, statement: Statement) -> bool:
    """Whether a draft can be reckoned: its report is in, and every earlier quarter stands."""
    if statement.report_due is not None:
        query = select(SalesReport.state).where(SalesReport.statement_id == statement.id, SalesReport.kind == "quarter")
        if session.scalars(query).one_or_none() != "submitted":
            return False
    earlier = select(Statement.id).where(
        Statement.license_id == statement.license_id,
        Statement.state == "draft",
        Statement.kind == "quarter",
        Statement.starts < statement.starts,
    )
    return statement.kind == "advance" or session.scalars(earlier.limit(1)).one_or_none() is None


def _next_draft(session: Session, statement: Statement) -> Statement | None:
    query = select(Statement).where(
        Statement.license_id == statement.license_id,
        Statement.kind == "quarter",
        Statement.state == "draft",
        Statement.starts >= statement.ends,
    )
    return session.scalars(query.order_by(Statement.starts).limit(1)).one_or_none()


def _guarantee(session: Session, held: License, terms: Scheme, statement: Statement) -> Guarantee | None:
    """The minimum that is tested with this statement, if a license year or the term closes with it."""
    if terms.guarantee == 0 or statement.kind != "quarter":
        return None
    times, quarter = life_of(held), Span(statement.starts, statement.ends)
    if terms.guarantee_yearly:
        closing = times.closing_year(quarter)
        if closing is None:
            return None
        year, months = closing
        return Guarantee(guaranteed(terms.guarantee, months), _earned_since(session, held, year.starts))
    return Guarantee(terms.guarantee, _earned_since(session, held, times.began)) if times.closes_term(quarter) else None


def _earned_since(session: Session, held: License, day: date) -> int:
    query = select(func.coalesce(func.sum(Statement.earned), 0)).where(
        Statement.license_id == held.id,
        Statement.state.in_(STANDING),
        Statement.kind == "quarter",
        Statement.starts >= day,
    )
    return int(session.scalars(query).one())


def opening(session: Session, license_id: str) -> Opening:
    """What the statements of a license so far leave: the advance that was paid and not recouped, and the credit.

    An advance counts from its payment on: what was not paid, or went back, cannot be set off.
    """
    paid = func.sum(Statement.amount_due).filter(Statement.kind == "advance", Statement.state == "paid")
    recouped = func.sum(Statement.advance_recouped)
    credit = func.sum(Statement.credit_closing - Statement.credit_opening)
    row = session.execute(
        select(func.coalesce(paid, 0), func.coalesce(recouped, 0), func.coalesce(credit, 0)).where(
            Statement.license_id == license_id, Statement.state.in_(STANDING)
        )
    ).one()
    return Opening(advance=int(row[0]) - int(row[1]) + returns.counted(session, license_id), credit=int(row[2]))


def _stand(
    session: Session,
    actor: Actor,
    held: License,
    statement: Statement,
    found: Sequence[counted.Counted],
    guarantee: Guarantee | None,
) -> None:
    now = clock.now()
    if statement.kind == "advance":
        statement.amount_due = scheme(held.terms).advance
    else:
        before = opening(session, held.id)
        found, advance = returns.reduce_advance(found, before.advance)
        entries = [Entry(line.royalty, line.paid) for line in found]
        figures = settle(entries, replace(before, advance=advance), guarantee)
        statement.earned, statement.paid_with_orders = figures.earned, figures.paid_with_orders
        statement.shortfall = figures.shortfall
        statement.guarantee = None if guarantee is None else guarantee.amount
        statement.guarantee_earned = None if guarantee is None else guarantee.earned
        statement.credit_opening, statement.credit_used = figures.credit_opening, figures.credit_used
        statement.credit_closing = figures.credit_closing
        statement.advance_opening, statement.advance_recouped = figures.advance_opening, figures.advance_recouped
        statement.amount_due = figures.due
        for position, line in enumerate(found):
            session.add(_line(statement, position, line))
    last = select(func.max(Statement.sequence)).where(Statement.license_id == held.id)
    statement.sequence = (session.scalars(last).one() or 0) + 1
    statement.issued_at = now
    if statement.amount_due:
        statement.due_on = now.astimezone(UTC).date() + timedelta(days=PAY_DAYS)
    STATEMENT.advance(statement, "issue" if statement.amount_due else "settle", {"system"})
    session.flush()
    record(
        session,
        actor,
        "statement.issued",
        statement.id,
        owner_org_id=statement.designer_org_id,
        number=statement.number,
        due=statement.amount_due,
        currency=statement.currency,
    )
    _tell(session, statement, bool(found))


def _tell(session: Session, statement: Statement, has_lines: bool) -> None:
    """Tell both sides; a quarter in which nothing happened is not worth a mail."""
    path, design = f"/royalties/{statement.id}", statement.design_title
    if statement.amount_due and statement.due_on is not None:
        amount, day = statement.due_money, statement.due_on
        notify_org(
            session, statement.buyer_org_id, "statement_to_pay", path=path, design=design, amount=amount, day=day
        )
    if statement.kind != "advance":
        earned = statement.money(statement.earned)
        quiet = not has_lines and not statement.amount_due
        notify_org(
            session,
            statement.designer_org_id,
            "statement_issued",
            path=path,
            mail=not quiet,
            design=design,
            amount=earned,
        )


def _line(statement: Statement, position: int, line: counted.Counted) -> StatementLine:
    return StatementLine(
        statement_id=statement.id,
        license_id=statement.license_id,
        designer_org_id=statement.designer_org_id,
        buyer_org_id=statement.buyer_org_id,
        position=position,
        kind=line.kind,
        source_id=line.source_id,
        day=line.day,
        reference=line.reference,
        quantity=line.quantity,
        serials=line.serials,
        territory=line.territory,
        channel=line.channel,
        gross=line.gross,
        base=line.base,
        royalty=line.royalty,
        paid=line.paid,
        flags=list(line.flags),
        note=line.note,
    )


def _title(session: Session, held: License) -> str:
    return str(session.get_one(Negotiation, held.negotiation_id).snapshot.get("title") or "")[:200]


def _today() -> date:
    return clock.now().astimezone(UTC).date()
