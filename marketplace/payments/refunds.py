"""Refunds: asked, decided, taken from the shares, paid back. Nothing here talks to the payment service.

A buyer asks. A license fee or a royalty is decided by its one payee, an order by an operator, because one payee must
not give for the other (rules.DECIDERS); an operator may decide about any, and give money back without being asked.
"""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Organization
from marketplace.audit.operations import record
from marketplace.db.jobs import JobName, stage
from marketplace.db.locks import lock, lock_name
from marketplace.gateways.payment_types import Moved
from marketplace.gateways.payment_types import Refund as ReportedRefund
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, Invalid
from marketplace.kernel.money import Money
from marketplace.notifications.operations import notify_org
from marketplace.payments import alerts, exchanging, giving_back, ledger, titles
from marketplace.payments.claims import Dispute, GiveBack, Refund, Reversal
from marketplace.payments.models import Checkout
from marketplace.payments.rules import DECIDERS, REFUND, REFUND_REASONS, TOO_LATE

#: A payment has one refund under way at a time.
UNDER_WAY = ("asked", "approved", "refunding")
_SYSTEM = frozenset({"system"})


def ask(
    session: Session, actor: Actor, checkout: Checkout, *, amount: int, reason: str, note: str | None = None
) -> Refund:
    """Ask for `amount` minor units back; by an operator it is decided at once.

    Raises Invalid `bad_amount`, `too_much` or `reason_unknown`, Conflict `not_paid`, `disputed` or `refund_asked`.
    """
    lock_name(session, f"refund:{checkout.id}")
    _check(session, checkout, amount, reason)
    row = _row(checkout, amount=amount, reason=reason)
    row.note, row.asked_by_org_id, row.asked_by_user_id = note or None, actor.org_id, actor.user_id
    session.add(row)
    session.flush()
    record(session, actor, "refund.asked", row.id, owner_org_id=row.payer_org_id, amount=amount, reason=reason)
    if actor.role == "operator":
        return decide(session, actor, row.id, approve=True)
    for org_id in _deciders(session, row):
        notify_org(session, org_id, "refund_asked", path=f"/refunds/{row.id}", **_said(row))
    return row


def return_late(session: Session, actor: Actor, checkout: Checkout) -> Refund:
    """All of a payment goes back by itself: it came when what it was for could not begin any more. Both sides learn."""
    row = _row(checkout, amount=checkout.amount, reason=TOO_LATE)
    session.add(row)
    session.flush()
    record(session, actor, "refund.asked", row.id, owner_org_id=row.payer_org_id, amount=row.amount, reason=row.reason)
    for org_id in _told(row):
        notify_org(session, org_id, "payment_too_late", path=f"/refunds/{row.id}", **_said(row))
    REFUND.advance(row, "approve", _SYSTEM)
    row.decided_at = clock.now()
    record(session, actor, "refund.approved", row.id, owner_org_id=row.payer_org_id)
    _stage(session, row)
    return row


def decide(session: Session, actor: Actor, refund_id: str, *, approve: bool, answer: str | None = None) -> Refund:
    """Approve or decline. Raises Forbidden for those who do not decide, Conflict when it was decided or withdrawn."""
    row = lock(session, Refund, refund_id)
    action = "approve" if approve else "decline"
    before = REFUND.advance(row, action, roles(row, actor))
    row.decided_by_org_id, row.decided_by_user_id = actor.org_id, actor.user_id
    row.decided_at, row.answer, row.failure = clock.now(), answer or None, None
    record(session, actor, f"refund.{action}d", row.id, owner_org_id=row.payer_org_id, before=before)
    if approve:
        _stage(session, row)
    for org_id in _told(row) - {actor.org_id}:
        kind = "refund_approved" if approve else "refund_declined"
        notify_org(session, org_id, kind, path=f"/refunds/{row.id}", **_said(row))
    return row


def withdraw(session: Session, actor: Actor, refund_id: str) -> Refund:
    """Take a request back that nobody has decided yet."""
    row = lock(session, Refund, refund_id)
    REFUND.advance(row, "withdraw", roles(row, actor))
    record(session, actor, "refund.withdrawn", row.id, owner_org_id=row.payer_org_id)
    return row


def roles(row: Refund, actor: Actor) -> frozenset[str]:
    """What the actor is to a refund, as REFUND names it."""
    found = set()
    if actor.kind == "system":
        found.add("system")
    if actor.role == "operator":
        found.add("operator")
    if actor.org_id is not None and actor.org_id == row.asked_by_org_id:
        found.add("asker")
    if DECIDERS[row.purpose] == "payee" and actor.org_id in row.orgs and actor.org_id != row.asked_by_org_id:
        found.add("decider")
    return frozenset(found)


def begin(session: Session, actor: Actor, refund_id: str) -> tuple[Refund, Checkout, list[Reversal]] | None:
    """Phase one: what each gives is taken from the shares and booked, once; None when there is nothing to do.

    Raises Conflict `share_moving`, `share_in_file` (try again), `disputed` or Invalid `too_much` (it cannot be made).
    """
    row = lock(session, Refund, refund_id)
    if row.state not in {"approved", "refunding"}:
        return None
    checkout = lock(session, Checkout, row.checkout_id)
    give(session, row, checkout)
    REFUND.advance(row, "begin", _SYSTEM)
    record(session, actor, "refund.begun", row.id, owner_org_id=row.payer_org_id)
    query = select(Reversal).where(Reversal.cause_id == row.id).order_by(Reversal.id)
    return row, checkout, list(session.scalars(query))


def give(session: Session, row: Refund, checkout: Checkout) -> None:
    """Take from the shares what each gives, once; both are locked. Raises what `begin` raises."""
    taken = select(GiveBack.id).where(GiveBack.cause_id == row.id).limit(1)
    if session.scalars(taken).first() is not None:
        return
    check_free(session, checkout)
    given = giving_back.preview(session, checkout, row.amount)
    giving_back.take(session, checkout, row.id, given, kind="refund_approved", to=ledger.REFUNDS)
    for part in given:
        if part.net:
            said = _said(row) | {"amount": Money(part.net, row.currency)}
            notify_org(session, part.org_id, "refund_taken", path=f"/refunds/{row.id}", **said)


def confirm(session: Session, actor: Actor, refund_id: str, reported: ReportedRefund) -> Refund | None:
    """Phase three: book that the money is on its way to the buyer, once; None when that was done before.

    One that is not what we asked for is not booked: an operator is told.
    """
    row = lock(session, Refund, refund_id)
    _link_late(session, row, reported)
    if row.state not in {"refunding", "failed"} or reported.status in {"failed", "canceled"}:
        return None
    if row.state == "failed" and row.stripe_refund_id == reported.id:
        # What was read before it failed comes late: a refund that has failed stays so, another try is another one.
        return None
    if (reported.amount, reported.currency) != (row.amount, row.currency):
        alerts.raise_alert(session, actor, "refund_differs", row.id, subject_id=row.id, theirs=reported.amount)
        return None
    REFUND.advance(row, "confirm", _SYSTEM)
    row.stripe_refund_id, row.done_at, row.failure = reported.id, clock.now(), None
    ledger.post(
        session,
        key=f"refund:{reported.id}",
        kind="refund",
        subject_id=row.subject_id,
        memo=row.description,
        currency=row.currency,
        lines=[ledger.Line(ledger.REFUNDS, row.amount), ledger.Line(ledger.STRIPE, -row.amount)],
        external_id=reported.id,
    )
    _link(session, row, reported, -row.amount, reported.moved, "exchange")
    record(session, actor, "refund.made", row.id, owner_org_id=row.payer_org_id, stripe=reported.id)
    notify_org(session, row.payer_org_id, "refund_made", path=f"/refunds/{row.id}", **_said(row))
    return row


def reject(session: Session, actor: Actor, refund_id: str, code: str, *, made: str | None = None) -> None:
    """The payment service will not make it: the shares are owed back to the buyer, a person must look.

    `made` is the payment service's refund that has failed, if one was made.
    """
    row = lock(session, Refund, refund_id)
    if row.state in {"approved", "refunding"}:
        REFUND.advance(row, "reject", _SYSTEM)
        row.failure, row.stripe_refund_id = code[:60], made or row.stripe_refund_id
        alerts.raise_alert(session, actor, "refund_failed", f"{row.id}:{code}", subject_id=row.id, code=code)


def bounced(session: Session, actor: Actor, refund_id: str, reported: ReportedRefund) -> bool:
    """The buyer's bank has sent a refund back: it stands on our balance again and is owed still. True when booked."""
    row = lock(session, Refund, refund_id)
    _link_late(session, row, reported)
    if row.state != "done" or row.stripe_refund_id != reported.id:
        return False
    REFUND.advance(row, "reject", _SYSTEM)
    row.failure = (reported.failure_reason or "returned")[:60]
    ledger.post(
        session,
        key=f"refund_failed:{reported.id}",
        kind="refund",
        subject_id=row.subject_id,
        memo=row.description,
        currency=row.currency,
        lines=[ledger.Line(ledger.STRIPE, row.amount), ledger.Line(ledger.REFUNDS, -row.amount)],
        external_id=reported.id,
    )
    _link(session, row, reported, row.amount, reported.returned, "exchange_back")
    alerts.raise_alert(session, actor, "refund_returned", reported.id, subject_id=row.id, code=row.failure)
    notify_org(session, row.payer_org_id, "refund_failed", path=f"/refunds/{row.id}", **_said(row))
    return True


def _link(session: Session, row: Refund, reported: ReportedRefund, amount: int, moved: Moved | None, key: str) -> None:
    """The exchange, where it left or reached our balance in another currency, at the rate of that moment."""
    if moved is not None:
        exchanging.link(
            session,
            key=f"{key}:{reported.id}",
            kind="refund_exchange",
            subject_id=row.subject_id,
            memo=row.description,
            external_id=reported.id,
            agreed=Money(amount, row.currency),
            moved=Money(moved.amount, moved.currency),
        )


def _link_late(session: Session, row: Refund, reported: ReportedRefund) -> None:
    """The exchange of what was booked before the payment service knew how it moves; each once."""
    if ledger.balance_of(session, f"refund:{reported.id}", ledger.REFUNDS):
        _link(session, row, reported, -row.amount, reported.moved, "exchange")
    if ledger.balance_of(session, f"refund_failed:{reported.id}", ledger.REFUNDS):
        _link(session, row, reported, row.amount, reported.returned, "exchange_back")


def known(session: Session, reported: ReportedRefund) -> str | None:
    """The id of our refund that the payment service reports: by what we wrote on it, or by its id."""
    mine = Refund.id == reported.metadata.get("refund", "")
    query = select(Refund.id).where(mine | (Refund.stripe_refund_id == reported.id)).limit(1)
    return session.scalars(query).one_or_none()


def adopt(session: Session, actor: Actor, checkout_id: str, reported: ReportedRefund) -> str | None:
    """Take over a refund made in the payment service's own dashboard: the shares give as for any other.

    Returns its id, None when it is known. What the shares cannot give any more is our loss.
    """
    checkout = lock(session, Checkout, checkout_id)
    known = select(Refund.id).where(Refund.stripe_refund_id == reported.id)
    if session.scalars(known).first() is not None or reported.status in {"failed", "canceled"}:
        return None
    row = _row(checkout, amount=reported.amount, reason="other", origin="outside", state="refunding")
    row.currency, row.stripe_refund_id, row.decided_at = reported.currency, reported.id, clock.now()
    session.add(row)
    session.flush()
    available = giving_back.left(session, checkout)
    given = giving_back.preview(session, checkout, min(row.amount, available))
    giving_back.take(session, checkout, row.id, given, kind="refund_approved", to=ledger.REFUNDS)
    if row.amount > available:
        lost = row.amount - available
        ledger.post(
            session,
            key=f"refund_loss:{row.id}",
            kind="loss",
            subject_id=row.subject_id,
            memo=row.description,
            currency=row.currency,
            lines=[ledger.Line(ledger.LOSSES, lost), ledger.Line(ledger.REFUNDS, -lost)],
        )
    alerts.raise_alert(session, actor, "refund_outside", reported.id, subject_id=row.id)
    confirm(session, actor, row.id, reported)
    return row.id


def _stage(session: Session, row: Refund) -> None:
    """Have it made; decided again after it had failed, it is made again."""
    at = clock.now().isoformat()
    stage(session, JobName.MAKE_REFUND, f"{row.id}:{at}", {"refund_id": row.id}, subject=row.id)


def _row(checkout: Checkout, *, amount: int, reason: str, **more: Any) -> Refund:
    return Refund(
        checkout_id=checkout.id,
        purpose=checkout.purpose,
        subject_id=checkout.subject_id,
        about=checkout.about,
        description=checkout.description,
        payer_org_id=checkout.payer_org_id,
        orgs=sorted({share["org_id"] for share in checkout.splits}),
        amount=amount,
        currency=checkout.currency,
        reason=reason,
        **{"state": REFUND.initial, **more},
    )


def check_free(session: Session, checkout: Checkout) -> None:
    """Raise Conflict while the buyer's bank questions the payment: the same money cannot go back twice."""
    open_one = select(Dispute.id).where(Dispute.checkout_id == checkout.id, Dispute.closed_at.is_(None)).limit(1)
    if session.scalars(open_one).first() is not None:
        raise Conflict("disputed", "The bank is already asked to take this payment back. Wait until that is decided.")


def _check(session: Session, checkout: Checkout, amount: int, reason: str) -> None:
    if checkout.state != "paid":
        raise Conflict("not_paid", "There is no payment to give back.")
    if reason not in REFUND_REASONS:
        raise Invalid("reason_unknown", "Choose a reason.", fields={"reason": "Choose one of the offered values."})
    if amount < 1:
        raise Invalid("bad_amount", "There is nothing to give back.", fields={"amount": "Write an amount above zero."})
    check_free(session, checkout)
    waiting = select(Refund.id).where(Refund.checkout_id == checkout.id, Refund.state.in_(UNDER_WAY))
    if session.scalars(waiting).first() is not None:
        raise Conflict(
            "refund_asked", "There is a request for this payment already. Wait for the answer or withdraw it."
        )
    giving_back.preview(session, checkout, amount)


def _deciders(session: Session, row: Refund) -> list[str]:
    operators = list(session.scalars(select(Organization.id).where(Organization.kind == "operator")))
    return [*row.orgs, *operators] if DECIDERS[row.purpose] == "payee" else operators


def _told(row: Refund) -> set[str]:
    """Who is told the whole amount: the buyer, and a payee that is the only one. Of several payees each may know only
    its own share, which it is told when that is taken.
    """
    return {row.payer_org_id, *(row.orgs if len(row.orgs) == 1 else ())}


def _said(row: Refund) -> dict[str, Any]:
    return {"amount": row.money, "design": titles.param(row)}
