"""The designer asks: a question about one statement, or the audit the agreement allows. Nothing here commits.

Either way the two sides answer each other until the designer closes it, or names a difference that the buyer agrees to;
that difference is a line of the next statement. What they do not agree on stays open for them: no figure that stands is
ever changed.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.audit.operations import record
from marketplace.db.locks import lock
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, Invalid, NotFound
from marketplace.kernel.money import MAX_AMOUNT
from marketplace.licensing.models import License
from marketplace.licensing.rights import add_months
from marketplace.notifications.operations import notify_org
from marketplace.royalties.calendar import AUDIT_DAYS, AUDIT_EVERY_MONTHS, QUERY_DAYS
from marketplace.royalties.models import Inquiry, InquiryNote, Statement
from marketplace.royalties.rules import INQUIRY, STANDING, STATEMENT

MAX_TEXT = 4000


@dataclass(frozen=True, slots=True)
class Evidence:
    """A file that was put into the store under its hash."""

    filename: str
    storage_key: str
    sha256: str
    size: int


def ask(session: Session, actor: Actor, statement_id: str, text: str) -> Inquiry:
    """Ask about a statement. Raises Conflict `already_asked`, or when it is not issued or was paid."""
    return _open(session, actor, statement_id, "query", text)


def ask_for_audit(session: Session, actor: Actor, statement_id: str, text: str) -> Inquiry:
    """Ask for the books behind a statement; the buyer has AUDIT_DAYS days.

    Raises Conflict `audit_too_soon` with `next` when the license was audited within AUDIT_EVERY_MONTHS months.
    """
    return _open(session, actor, statement_id, "audit", text)


def answer(session: Session, actor: Actor, inquiry_id: str, text: str, evidence: Evidence | None = None) -> Inquiry:
    """The buyer answers, with a file if there is one. Raises Conflict when it is not the buyer's turn."""
    row, side = _locked(session, actor, inquiry_id)
    INQUIRY.advance(row, "answer", {side})
    _note(session, actor, row, "buyer", "answer", text, evidence)
    _tell(session, row, "designer", "inquiry_answered")
    record(session, actor, "inquiry.answered", row.id, owner_org_id=row.designer_org_id, kind=row.kind)
    return row


def close(session: Session, actor: Actor, inquiry_id: str, text: str) -> Inquiry:
    """The designer is satisfied. A statement that was disputed stands as before."""
    row, side = _locked(session, actor, inquiry_id)
    INQUIRY.advance(row, "close", {side})
    row.adjustment, row.closed_at = 0, clock.now()
    _note(session, actor, row, "designer", "close", text)
    _settle_dispute(session, row, "designer")
    _tell(session, row, "buyer", "inquiry_closed")
    record(session, actor, "inquiry.closed", row.id, owner_org_id=row.buyer_org_id, kind=row.kind)
    return row


def claim(session: Session, actor: Actor, inquiry_id: str, amount: int, text: str) -> Inquiry:
    """The designer names what was too little, in minor units of the license's currency. Raises Invalid."""
    row, side = _locked(session, actor, inquiry_id)
    if not 0 < amount <= MAX_AMOUNT:
        words = "Write the difference as an amount above zero."
        raise Invalid("bad_amount", words, fields={"amount": words})
    INQUIRY.advance(row, "claim", {side})
    row.adjustment = amount
    _note(session, actor, row, "designer", "claim", text)
    _tell(session, row, "buyer", "inquiry_claimed")
    record(session, actor, "inquiry.claimed", row.id, owner_org_id=row.buyer_org_id, amount=amount)
    return row


def agree(session: Session, actor: Actor, inquiry_id: str, text: str) -> Inquiry:
    """The buyer agrees to the difference: it becomes a line of the next statement."""
    row, side = _locked(session, actor, inquiry_id)
    INQUIRY.advance(row, "agree", {side})
    row.closed_at = clock.now()
    _note(session, actor, row, "buyer", "agree", text)
    _settle_dispute(session, row, "buyer")
    _tell(session, row, "designer", "inquiry_agreed")
    record(session, actor, "inquiry.agreed", row.id, owner_org_id=row.designer_org_id, amount=row.adjustment)
    return row


def refuse(session: Session, actor: Actor, inquiry_id: str, text: str) -> Inquiry:
    """The buyer does not agree and says why; the designer may close it or name another difference."""
    row, side = _locked(session, actor, inquiry_id)
    INQUIRY.advance(row, "refuse", {side})
    _note(session, actor, row, "buyer", "refuse", text)
    _tell(session, row, "designer", "inquiry_refused")
    record(session, actor, "inquiry.refused", row.id, owner_org_id=row.designer_org_id, amount=row.adjustment)
    return row


def next_audit(session: Session, license_id: str) -> datetime | None:
    """From when the license may be audited again; None when it may be now."""
    query = select(Inquiry.created_at).where(Inquiry.license_id == license_id, Inquiry.kind == "audit")
    last = session.scalars(query.order_by(Inquiry.created_at.desc()).limit(1)).one_or_none()
    again = None if last is None else add_months(last.astimezone(UTC), AUDIT_EVERY_MONTHS)
    return again if again is not None and again > clock.now() else None


def _open(session: Session, actor: Actor, statement_id: str, kind: str, text: str) -> Inquiry:
    seen = session.get(Statement, statement_id)
    if seen is None or seen.designer_org_id != actor.org_id or actor.user_id is None:
        raise NotFound
    lock(session, License, seen.license_id)
    statement = lock(session, Statement, statement_id)
    if statement.state not in STANDING:
        raise Conflict("not_issued", "There is no statement yet to ask about.", extra={"state": statement.state})
    live = select(Inquiry.id).where(
        Inquiry.statement_id == statement_id, Inquiry.kind == kind, Inquiry.state != "closed"
    )
    if session.scalars(live).one_or_none() is not None:
        raise Conflict("already_asked", "You have asked already; the buyer's answer comes here.")
    if kind == "audit":
        again = next_audit(session, statement.license_id)
        if again is not None:
            raise Conflict(
                "audit_too_soon",
                "The books can be audited once a year; the next time from %(day)s.",
                params={"day": again.date().isoformat()},
                extra={"next": again.date().isoformat()},
            )
    elif statement.state == "paid":
        raise Conflict("already_paid", "This statement has been paid. Ask for an audit if you doubt its figures.")
    else:
        STATEMENT.advance(statement, "query", {"designer"})
    days = AUDIT_DAYS if kind == "audit" else QUERY_DAYS
    row = Inquiry(
        statement_id=statement.id,
        license_id=statement.license_id,
        designer_org_id=statement.designer_org_id,
        buyer_org_id=statement.buyer_org_id,
        kind=kind,
        state=INQUIRY.initial,
        asked_by=actor.user_id,
        due_on=(clock.now().astimezone(UTC) + timedelta(days=days)).date(),
        currency=statement.currency,
        reminded=[],
    )
    session.add(row)
    session.flush()
    _note(session, actor, row, "designer", "ask", text)
    notify_org(
        session,
        row.buyer_org_id,
        "audit_asked" if kind == "audit" else "statement_queried",
        path=f"/royalties/{statement.id}",
        design=statement.design_title,
        day=row.due_on,
    )
    record(session, actor, f"{kind}.asked", row.id, owner_org_id=row.buyer_org_id, statement=statement.id)
    return row


def _locked(session: Session, actor: Actor, inquiry_id: str) -> tuple[Inquiry, str]:
    """The inquiry, locked after its license, and the actor's side. Raises NotFound."""
    seen = session.get(Inquiry, inquiry_id)
    if seen is None or actor.org_id not in {seen.designer_org_id, seen.buyer_org_id}:
        raise NotFound
    lock(session, License, seen.license_id)
    return lock(session, Inquiry, inquiry_id), "designer" if seen.designer_org_id == actor.org_id else "buyer"


def _note(
    session: Session,
    actor: Actor,
    row: Inquiry,
    side: str,
    action: str,
    text: str,
    evidence: Evidence | None = None,
) -> None:
    if not text.strip() or len(text) > MAX_TEXT:
        words = "Say it in a few words; at most 4,000 characters."
        raise Invalid("bad_text", words, fields={"text": words})
    session.add(
        InquiryNote(
            inquiry_id=row.id,
            designer_org_id=row.designer_org_id,
            buyer_org_id=row.buyer_org_id,
            side=side,
            user_id=actor.user_id or "",
            action=action,
            text=text.strip(),
            filename=evidence.filename[:200] if evidence else None,
            storage_key=evidence.storage_key if evidence else None,
            sha256=evidence.sha256 if evidence else None,
            size=evidence.size if evidence else None,
        )
    )


def _settle_dispute(session: Session, row: Inquiry, side: str) -> None:
    if row.kind != "query":
        return
    statement = lock(session, Statement, row.statement_id)
    if statement.state == "disputed":
        STATEMENT.advance(statement, "resume" if statement.amount_due else "rest", {side})


def _tell(session: Session, row: Inquiry, side: str, kind: str) -> None:
    statement = session.get_one(Statement, row.statement_id)
    org_id = row.designer_org_id if side == "designer" else row.buyer_org_id
    notify_org(session, org_id, kind, path=f"/royalties/{row.statement_id}", design=statement.design_title)
