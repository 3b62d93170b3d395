"""Reading royalties: what was earned, is due and was paid, by license; one statement with everything behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.money import Money
from marketplace.licensing.models import License
from marketplace.licensing.queries import around, counterpart, titles
from marketplace.royalties.issuing import life_of
from marketplace.royalties.models import Inquiry, InquiryNote, SalesLine, SalesReport, Statement, StatementLine
from marketplace.royalties.reports import as_they_are
from marketplace.royalties.rules import OPEN, scheme
from marketplace.royalties.sales import Sale
from marketplace.web.paging import Page, page


@dataclass(frozen=True, slots=True)
class Account:
    """One license with royalties: sums over its statements, what is left of the advance, when the next one comes."""

    license: License
    title: str
    counterpart: str
    earned: Money
    due: Money
    paid: Money
    next_on: date | None


@dataclass(slots=True)
class Sums:
    """Per currency, as lists of Money for pages."""

    earned: list[Money] = field(default_factory=list)
    due: list[Money] = field(default_factory=list)
    paid: list[Money] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question or audit with what was said."""

    inquiry: Inquiry
    notes: Sequence[InquiryNote]


def statements(
    session: Session,
    actor: Actor,
    *,
    license_id: str | None = None,
    show: str = "all",
    cursor: str | None = None,
    limit: int = 24,
) -> Page[Statement]:
    """Statements of the actor's organization, newest first; `show` all, report (due), open (to be paid) or paid."""
    query = select(Statement).where(_ours(actor))
    if license_id is not None:
        query = query.where(Statement.license_id == license_id)
    wanted = {"report": ("draft",), "open": OPEN, "paid": ("paid",)}.get(show)
    if wanted is not None:
        query = query.where(Statement.state.in_(wanted))
    return page(session, query, (Statement.created_at, Statement.id), cursor=cursor, limit=limit)


def to_do(session: Session, actor: Actor, limit: int = 50) -> Sequence[Statement]:
    """What the buyer has to report or to pay, the most urgent first."""
    soonest = func.coalesce(Statement.due_on, Statement.report_due)
    query = (
        select(Statement)
        .where(
            Statement.buyer_org_id == actor.org_id,
            or_(Statement.state.in_(OPEN), Statement.report_due.is_not(None) & (Statement.state == "draft")),
            or_(Statement.amount_due > 0, Statement.state == "draft"),
        )
        .order_by(soonest, Statement.id)
        .limit(limit)
    )
    return session.scalars(query).all()


def accounts(session: Session, actor: Actor, *, license_id: str | None = None, limit: int = 100) -> list[Account]:
    """Licenses with royalties that have been in force, with their sums; in four statements."""
    which = [] if license_id is None else [License.id == license_id]
    licenses = session.scalars(
        select(License)
        .where(
            *which,
            or_(License.designer_org_id == actor.org_id, License.buyer_org_id == actor.org_id),
            License.active_from.is_not(None),
            or_(
                License.terms["royalty_base"].as_string().is_not(None),
                License.terms["minimum_guarantee"].as_string().is_not(None),
                License.terms["advance"].as_string().is_not(None),
            ),
        )
        .order_by(License.created_at.desc(), License.id)
        .limit(limit)
    ).all()
    ids = [held.id for held in licenses]
    paid = func.sum(Statement.amount_due).filter(Statement.state == "paid")
    due = func.sum(Statement.amount_due).filter(Statement.state.in_(OPEN))
    ended = func.max(Statement.ends).filter(Statement.kind == "quarter")
    rows = session.execute(
        select(
            Statement.license_id,
            func.sum(Statement.earned),
            func.coalesce(due, 0),
            func.coalesce(paid, 0) + func.sum(Statement.paid_with_orders),
            ended,
            func.max(Statement.design_title),
        )
        .where(Statement.license_id.in_(ids))
        .group_by(Statement.license_id)
    )
    sums = {row[0]: row for row in rows}
    more = around(session, actor, [held.negotiation_id for held in licenses])
    missing = [held.negotiation_id for held in licenses if held.id not in sums]
    named = titles(session, missing) if missing else {}
    found = []
    for held in licenses:
        row = sums.get(held.id)
        earned, open_, settled = (int(row[1]), int(row[2]), int(row[3])) if row else (0, 0, 0)
        found.append(
            Account(
                license=held,
                title=str(row[5]) if row else named.get(held.negotiation_id, ""),
                counterpart=counterpart(held, actor, more[held.negotiation_id]),
                earned=Money(earned, held.currency),
                due=Money(open_, held.currency),
                paid=Money(settled, held.currency),
                next_on=_next_on(held, row[4] if row else None),
            )
        )
    return found


def sums(found: Sequence[Account]) -> Sums:
    """The accounts added up, per currency."""
    totals: dict[str, list[int]] = {}
    for account in found:
        row = totals.setdefault(account.license.currency, [0, 0, 0])
        for index, money in enumerate((account.earned, account.due, account.paid)):
            row[index] += money.amount
    made = Sums()
    for currency, (earned, due, paid) in sorted(totals.items()):
        made.earned.append(Money(earned, currency))
        made.due.append(Money(due, currency))
        made.paid.append(Money(paid, currency))
    return made


def lines_of(session: Session, statement_id: str) -> Sequence[StatementLine]:
    """The lines of a statement in their order."""
    query = select(StatementLine).where(StatementLine.statement_id == statement_id)
    return session.scalars(query.order_by(StatementLine.position)).all()


def inquiries_of(session: Session, statement_id: str) -> list[Asked]:
    """Questions and audits of a statement, oldest first, with what was said; in two statements."""
    query = select(Inquiry).where(Inquiry.statement_id == statement_id).order_by(Inquiry.created_at, Inquiry.id)
    found = session.scalars(query).all()
    if not found:
        return []
    notes: dict[str, list[InquiryNote]] = {}
    said = select(InquiryNote).where(InquiryNote.inquiry_id.in_([row.id for row in found]))
    for note in session.scalars(said.order_by(InquiryNote.created_at, InquiryNote.id)):
        notes.setdefault(note.inquiry_id, []).append(note)
    return [Asked(row, notes.get(row.id, [])) for row in found]


def report_of(session: Session, statement_id: str) -> SalesReport | None:
    """The quarter's report, if the reader may see it."""
    query = select(SalesReport).where(SalesReport.statement_id == statement_id, SalesReport.kind == "quarter")
    return session.scalars(query).one_or_none()


def waiting_report(session: Session, license_id: str) -> str | None:
    """The earliest statement of a license that waits for a report."""
    query = select(Statement.id).where(
        Statement.license_id == license_id, Statement.state == "draft", Statement.report_due.is_not(None)
    )
    filed = select(SalesReport.statement_id).where(
        SalesReport.license_id == license_id, SalesReport.kind == "quarter", SalesReport.state == "submitted"
    )
    return session.scalars(query.where(Statement.id.not_in(filed)).order_by(Statement.starts).limit(1)).one_or_none()


def note(session: Session, inquiry_id: str, note_id: str) -> InquiryNote | None:
    """One word of an inquiry."""
    query = select(InquiryNote).where(InquiryNote.id == note_id, InquiryNote.inquiry_id == inquiry_id)
    return session.scalars(query).one_or_none()


def amendable(session: Session, statement_id: str) -> dict[str, Sale]:
    """The lines a report of this quarter gave, by id, as they are with their corrections; in two statements."""
    return as_they_are(session, reported(session, statement_id))


def reported(session: Session, statement_id: str) -> Sequence[SalesLine]:
    """The lines a report of this quarter gave, without corrections."""
    query = select(SalesLine).where(SalesLine.statement_id == statement_id, SalesLine.corrects.is_(None))
    return session.scalars(query.order_by(SalesLine.position)).all()


def side_names(session: Session, actor: Actor, rows: Sequence[Statement]) -> Mapping[str, str]:
    """The other side's name by statement, as far as the actor may know it; in two statements."""
    ids = {row.license_id for row in rows}
    licenses = {held.id: held for held in session.scalars(select(License).where(License.id.in_(ids)))} if ids else {}
    more = around(session, actor, [held.negotiation_id for held in licenses.values()])
    named = {key: counterpart(held, actor, more[held.negotiation_id]) for key, held in licenses.items()}
    return {row.id: named[row.license_id] for row in rows}


def _next_on(held: License, ended: date | None) -> date | None:
    """When the next quarter is over and its statement can come; None when there will be none."""
    if not scheme(held.terms).accounts:
        return None
    quarter = life_of(held).after(ended)
    return None if quarter is None else max(quarter.ends, clock.now().astimezone(UTC).date())


def _ours(actor: Actor) -> ColumnElement[bool]:
    return or_(Statement.designer_org_id == actor.org_id, Statement.buyer_org_id == actor.org_id)
