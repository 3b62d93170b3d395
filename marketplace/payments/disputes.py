"""Disputes: the payment service's word is taken over whole, in any order and any number of times.

Each movement of money is booked by its own id: what a bank takes goes to `assets:disputed`, what it gives back comes
from there. While a dispute is open nothing of the payment is sent. A lost one is given back by the shares as a refund
is; one that is reinstated afterwards makes that undone.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.audit.operations import record
from marketplace.db.jobs import JobName, stage
from marketplace.db.locks import lock
from marketplace.gateways.payment_types import Dispute as Reported
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict
from marketplace.kernel.money import Money
from marketplace.notifications.operations import notify_org
from marketplace.payments import alerts, exchanging, giving_back, ledger, titles
from marketplace.payments.claims import Dispute
from marketplace.payments.models import Checkout, Transfer
from marketplace.payments.rules import EVIDENCE_REMINDERS, waits_for

#: The vendor's words for a dispute that is over.
_OVER = frozenset({"won", "lost", "warning_closed", "prevented"})


def checkout_of(session: Session, payment_intent: str) -> str | None:
    """The id of the checkout that a payment paid."""
    query = select(Checkout.id).where(Checkout.payment_intent == payment_intent, Checkout.state == "paid")
    return session.scalars(query).one_or_none()


def settled(session: Session, reported: Reported) -> str | None:
    """How a dispute was booked so far; None while it is open or not known."""
    return session.scalar(select(Dispute.settled).where(Dispute.stripe_dispute_id == reported.id))


def take_over(session: Session, actor: Actor, checkout_id: str, reported: Reported) -> Dispute:
    """Mirror a dispute, book its movements and its end, each once; the same report again changes nothing.

    Raises Conflict `share_moving` while a share is under way (try again).
    """
    checkout = lock(session, Checkout, checkout_id)
    row = _row(session, actor, checkout, reported)
    _book_movements(session, checkout, reported)
    if _older(row, reported):
        return row
    row.withdrawn = max(reported.withdrawn, 0)
    if reported.status == "won" and row.settled == "lost":
        giving_back.restore(session, checkout, row.id, kind="dispute_restored", source=ledger.DISPUTED)
        _return_loss(session, checkout, row)
        row.settled = "won"
    elif reported.status == "won" and row.settled is None:
        row.settled = "won"
    elif reported.status == "lost" and row.settled is None and reported.withdrawn > 0:
        _lose(session, checkout, row, reported.withdrawn)
    closed = reported.status in _OVER and row.closed_at is None
    before = row.status
    row.status, row.evidence_due = reported.status, reported.evidence_due
    if reported.evidence_submitted and row.submitted_at is None:
        row.submitted_at, row.bundle_state = clock.now(), "sent"
    if closed:
        row.closed_at = clock.now()
        _go_on(session, checkout, row)
    if before != row.status:
        record(session, actor, "dispute.status", row.id, owner_org_id=row.payer_org_id, before=before, now=row.status)
    if closed:
        _tell(session, row, "dispute_lost" if reported.status == "lost" else "dispute_over")
    session.flush()
    return row


def _older(row: Dispute, reported: Reported) -> bool:
    """Whether a report was read before the one that we have taken over: what is over stays so, what is won stays won.

    A question that the bank had closed can still become a dispute, which takes money.
    """
    if row.closed_at is None or reported.status == "won":
        return False
    if row.status == "won":
        return True
    return reported.status not in _OVER and not (row.status == "warning_closed" and reported.withdrawn > 0)


def open_ones(session: Session, checkout_id: str) -> Sequence[str]:
    """Ids of the disputes of a payment that can still go either way."""
    query = select(Dispute.id).where(Dispute.checkout_id == checkout_id, Dispute.closed_at.is_(None))
    return session.scalars(query).all()


def ask_to_submit(session: Session, actor: Actor, dispute: Dispute) -> Dispute:
    """Send the evidence, which can be done once. Raises Conflict when it is not ready, was sent, or it is too late."""
    row = lock(session, Dispute, dispute.id)
    if row.bundle_state != "ready" or row.closed_at is not None:
        raise Conflict("evidence_not_ready", "There is no evidence to send now.", extra={"state": row.bundle_state})
    row.bundle_state = "submitting"
    record(session, actor, "dispute.evidence_sent", row.id, owner_org_id=row.payer_org_id)
    # One job for each time it is asked: a refused answer may be sent again.
    key = f"{row.id}:{clock.now().isoformat()}"
    stage(session, JobName.SUBMIT_EVIDENCE, key, {"dispute_id": row.id}, subject=row.id)
    return row


def ask_to_assemble(session: Session, actor: Actor, dispute: Dispute) -> Dispute:
    """Have the files put together once more after that has failed. Raises Conflict otherwise."""
    row = lock(session, Dispute, dispute.id)
    if row.bundle_state != "failed" or row.closed_at is not None:
        raise Conflict("evidence_not_failed", "The files need not be put together again.")
    row.bundle_state = "none"
    record(session, actor, "dispute.evidence_again", row.id, owner_org_id=row.payer_org_id)
    key = f"{row.id}:{clock.now().isoformat()}"
    stage(session, JobName.ASSEMBLE_EVIDENCE, key, {"dispute_id": row.id}, subject=row.id)
    return row


def remind(session: Session, actor: Actor) -> int:
    """Remind payees and operators of disputes whose answer is due soon; how many reminders were sent.

    Each is sent once. When several days have passed since the last look only the latest is sent. The last one is an
    alert as well.
    """
    now = clock.now()
    query = select(Dispute.id).where(
        Dispute.closed_at.is_(None),
        Dispute.submitted_at.is_(None),
        Dispute.evidence_due > now,
        Dispute.evidence_due <= now + timedelta(days=max(EVIDENCE_REMINDERS)),
    )
    sent = 0
    for key in session.scalars(query.order_by(Dispute.id)).all():
        row = lock(session, Dispute, key)
        if row.evidence_due is None or row.submitted_at is not None or row.closed_at is not None:
            continue
        reached = [str(d) for d in EVIDENCE_REMINDERS if now >= row.evidence_due - timedelta(days=d)]
        if not set(reached) - set(row.reminded):
            continue
        row.reminded, sent = reached, sent + 1
        _tell(session, row, "evidence_reminder", until=row.evidence_due)
        if str(min(EVIDENCE_REMINDERS)) in reached:
            alerts.raise_alert(session, actor, "evidence_due", row.id, subject_id=row.id)
    return sent


def _row(session: Session, actor: Actor, checkout: Checkout, reported: Reported) -> Dispute:
    query = select(Dispute).where(Dispute.stripe_dispute_id == reported.id).with_for_update()
    found = session.scalars(query).one_or_none()
    if found is not None:
        return found
    row = Dispute(
        stripe_dispute_id=reported.id,
        checkout_id=checkout.id,
        purpose=checkout.purpose,
        subject_id=checkout.subject_id,
        about=checkout.about,
        description=checkout.description,
        payer_org_id=checkout.payer_org_id,
        orgs=sorted({share["org_id"] for share in checkout.splits}),
        amount=reported.amount,
        currency=reported.currency,
        reason=reported.reason[:60],
        status=reported.status,
        evidence_due=reported.evidence_due,
        opened_at=reported.created,
    )
    session.add(row)
    session.flush()
    record(session, actor, "dispute.opened", row.id, owner_org_id=row.payer_org_id, reason=row.reason)
    alerts.raise_alert(session, actor, "dispute", reported.id, subject_id=row.id)
    if reported.status not in _OVER:
        held = select(Transfer).where(
            Transfer.checkout_id == checkout.id,
            Transfer.state.in_(("held", "due")),
            # What came back by hand waits for a person, before the dispute and after it.
            Transfer.reason.is_distinct_from("reversed_outside"),
        )
        for share in session.scalars(held.order_by(Transfer.id).with_for_update()):
            share.reason = "disputed"
        _tell(session, row, "dispute_opened")
        stage(session, JobName.ASSEMBLE_EVIDENCE, row.id, {"dispute_id": row.id}, subject=row.id)
    return row


def _book_movements(session: Session, checkout: Checkout, reported: Reported) -> None:
    for movement in sorted(reported.movements, key=lambda m: (m.created, -abs(m.amount), m.id)):
        if movement.amount:
            amount = reported.agreed(movement)
            booked = ledger.post(
                session,
                key=f"dispute:{movement.id}",
                kind="dispute",
                subject_id=checkout.subject_id,
                memo=checkout.description,
                currency=reported.currency,
                lines=[ledger.Line(ledger.STRIPE, amount), ledger.Line(ledger.DISPUTED, -amount)],
                external_id=movement.id,
            )
            # What was booked before, in the currency in which it moved, has nothing to be linked with.
            if booked:
                exchanging.link(
                    session,
                    key=f"exchange:{movement.id}",
                    kind="dispute_exchange",
                    subject_id=checkout.subject_id,
                    memo=checkout.description,
                    external_id=movement.id,
                    agreed=Money(amount, reported.currency),
                    moved=Money(movement.amount, movement.currency),
                )
        if movement.fee:
            ledger.post(
                session,
                key=f"dispute_fee:{movement.id}",
                kind="dispute_fee",
                subject_id=checkout.subject_id,
                memo=checkout.description,
                currency=movement.currency,
                lines=[
                    ledger.Line(ledger.DISPUTE_FEES, movement.fee),
                    ledger.Line(ledger.STRIPE, -movement.fee),
                ],
                external_id=movement.id,
            )


def _lose(session: Session, checkout: Checkout, row: Dispute, withdrawn: int) -> None:
    available = giving_back.left(session, checkout)
    given = giving_back.preview(session, checkout, min(withdrawn, available))
    reversals = giving_back.take(session, checkout, row.id, given, kind="dispute_lost", to=ledger.DISPUTED)
    lost = withdrawn - min(withdrawn, available)
    if lost:
        ledger.post(
            session,
            key=f"dispute_loss:{row.id}",
            kind="loss",
            subject_id=checkout.subject_id,
            memo=checkout.description,
            currency=checkout.currency,
            lines=[ledger.Line(ledger.LOSSES, lost), ledger.Line(ledger.DISPUTED, -lost)],
        )
    row.settled = "lost"
    for reversal in reversals:
        if reversal.state == "due":
            stage(session, JobName.REVERSE_TRANSFER, reversal.id, {"reversal_id": reversal.id}, subject=reversal.id)


def _return_loss(session: Session, checkout: Checkout, row: Dispute) -> None:
    """What a lost dispute had cost us comes back with the rest."""
    balance = ledger.balance_of(session, f"dispute_loss:{row.id}", ledger.LOSSES)
    if balance:
        ledger.post(
            session,
            key=f"dispute_loss_back:{row.id}",
            kind="loss",
            subject_id=checkout.subject_id,
            memo=checkout.description,
            currency=checkout.currency,
            lines=[ledger.Line(ledger.LOSSES, -balance), ledger.Line(ledger.DISPUTED, balance)],
        )


def _go_on(session: Session, checkout: Checkout, row: Dispute) -> None:
    """Nothing stands in the way of the shares any more: what was due is sent."""
    if [one for one in open_ones(session, checkout.id) if one != row.id]:
        return
    waiting = select(Transfer).where(Transfer.checkout_id == checkout.id, Transfer.reason == "disputed")
    for share in session.scalars(waiting.order_by(Transfer.id).with_for_update()):
        share.reason = waits_for(share.purpose, share.kind, share.milestone) if share.state == "held" else None
        if share.state == "due":
            stage(session, JobName.SEND_TRANSFER, f"{share.id}:{row.id}", {"transfer_id": share.id})


def _tell(session: Session, row: Dispute, kind: str, **more: Any) -> None:
    splits = session.get_one(Checkout, row.checkout_id).splits
    for org_id in {*row.orgs, *alerts.operators(session)}:
        # Of a payment with several payees each may know only its own share.
        own = sum(s["gross"] for s in splits if s["org_id"] == org_id)
        amount = Money(own, row.currency) if org_id in row.orgs and len(row.orgs) > 1 else row.money
        notify_org(session, org_id, kind, path=f"/disputes/{row.id}", amount=amount, design=titles.param(row), **more)
