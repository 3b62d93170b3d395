"""How a refund ends that the payment service could not make: paid to the buyer by hand, or called off.

An operator says which and why; a job does it, because what was taken from the shares may have to go back to them.
"""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.audit.operations import record
from marketplace.db.jobs import JobName, stage
from marketplace.db.locks import lock
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, Invalid
from marketplace.kernel.money import Money
from marketplace.notifications.operations import notify_org
from marketplace.payments import alerts, giving_back, ledger, refunds, titles
from marketplace.payments.claims import GiveBack, Refund, Reversal
from marketplace.payments.models import Checkout
from marketplace.payments.rules import REFUND, TOO_LATE

#: How it ends: the buyer got the money another way, or does not get it.
WAYS = ("paid", "off")
_SYSTEM = frozenset({"system"})


def ask(session: Session, actor: Actor, refund_id: str, *, how: str, answer: str) -> Refund:
    """Have a failed refund ended; `answer` tells the buyer how it was paid or why it is not.

    Raises Invalid `action_unknown` or `answer_missing`, Conflict `not_failed`, or `must_go_back` for money that came
    when nothing could begin any more: that is the buyer's.
    """
    if how not in WAYS:
        raise Invalid("action_unknown", "Choose what to do.")
    if not answer.strip():
        text = "Say how it was paid, or why it is not paid back."
        raise Invalid("answer_missing", "Say how it was paid, or why it is not paid back.", fields={"answer": text})
    row = lock(session, Refund, refund_id)
    if row.state != "failed":
        raise Conflict("not_failed", "This refund has not failed, or is being tried again.")
    if how == "off" and row.reason == TOO_LATE:
        raise Conflict(
            "must_go_back", "This payment came too late for anything to begin. It must go back to the buyer."
        )
    row.answer = answer.strip()
    record(session, actor, "refund.end_asked", row.id, owner_org_id=row.payer_org_id, how=how)
    key = f"{row.id}:{clock.now().isoformat()}"
    stage(session, JobName.END_REFUND, key, {"refund_id": row.id, "how": how}, subject=row.id)
    return row


def failed(session: Session, refund_id: str) -> tuple[Refund, Checkout] | None:
    """The refund and its payment, locked; None when it is not failed any more."""
    row = lock(session, Refund, refund_id)
    return (row, lock(session, Checkout, row.checkout_id)) if row.state == "failed" else None


def prepare(session: Session, refund_id: str, how: str) -> list[str]:
    """Before it is paid by hand, what each gives is taken from the shares if it was not; ids of the reversals to make.

    Raises what refunds.give raises.
    """
    found = failed(session, refund_id)
    if found is None:
        return []
    if how == "paid":
        refunds.give(session, *found)
    query = select(Reversal.id).where(Reversal.cause_id == refund_id, Reversal.state.in_(("due", "sending")))
    return list(session.scalars(query.order_by(Reversal.id)))


def pay_by_hand(session: Session, actor: Actor, refund_id: str) -> Refund | None:
    """Book that the buyer was paid from our bank account, and tell the buyer; None when it is not failed any more."""
    found = failed(session, refund_id)
    if found is None:
        return None
    row, _checkout = found
    REFUND.advance(row, "pay_by_hand", _SYSTEM)
    # What the payment service still tells of the one that came back changes nothing here.
    row.stripe_refund_id, row.failure, row.done_at = None, None, clock.now()
    ledger.post(
        session,
        key=f"refund_by_hand:{row.id}",
        kind="refund",
        subject_id=row.subject_id,
        memo=row.description,
        currency=row.currency,
        lines=[ledger.Line(ledger.REFUNDS, row.amount), ledger.Line(ledger.BANK, -row.amount)],
    )
    record(session, actor, "refund.paid_by_hand", row.id, owner_org_id=row.payer_org_id, amount=row.amount)
    notify_org(session, row.payer_org_id, "refund_by_hand", path=f"/refunds/{row.id}", **_said(row))
    return row


def call_off(session: Session, actor: Actor, refund_id: str) -> Refund | None:
    """What the payees gave is theirs again, and both sides are told; None when it is not failed any more.

    Raises Conflict `share_moving` while a share is being taken back.
    """
    found = failed(session, refund_id)
    if found is None:
        return None
    row, checkout = found
    given = session.scalars(select(GiveBack).where(GiveBack.cause_id == row.id).order_by(GiveBack.id)).all()
    parts = [(part.org_id, part.net) for part in given if part.net]
    if given:
        giving_back.restore(session, checkout, row.id, kind="refund_called_off", source=ledger.REFUNDS)
        _return_loss(session, row)
    REFUND.advance(row, "undo", _SYSTEM)
    record(session, actor, "refund.called_off", row.id, owner_org_id=row.payer_org_id, amount=row.amount)
    notify_org(session, row.payer_org_id, "refund_called_off", path=f"/refunds/{row.id}", **_said(row))
    for org_id, net in parts:
        said = _said(row) | {"amount": Money(net, row.currency)}
        notify_org(session, org_id, "share_restored", path=f"/refunds/{row.id}", **said)
    return row


def stays_failed(session: Session, actor: Actor, refund_id: str, code: str) -> None:
    """It cannot end like this now, as while the buyer's bank questions the payment: an operator is told."""
    row = lock(session, Refund, refund_id)
    if row.state == "failed":
        row.failure = code[:60]
        key = f"{row.id}:{code}:{clock.now().isoformat()}"
        alerts.raise_alert(session, actor, "refund_failed", key, subject_id=row.id, code=code)


def _return_loss(session: Session, row: Refund) -> None:
    lost = ledger.balance_of(session, f"refund_loss:{row.id}", ledger.LOSSES)
    if lost:
        ledger.post(
            session,
            key=f"refund_loss_back:{row.id}",
            kind="loss",
            subject_id=row.subject_id,
            memo=row.description,
            currency=row.currency,
            lines=[ledger.Line(ledger.LOSSES, -lost), ledger.Line(ledger.REFUNDS, lost)],
        )


def _said(row: Refund) -> dict[str, Any]:
    return {"amount": row.money, "design": titles.param(row), "answer": row.answer or ""}
