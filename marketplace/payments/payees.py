"""A payee's account at the payment service: opened, mirrored, changed, lost. Bank details never come here."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace.audit.operations import record
from marketplace.db.jobs import JobName, stage
from marketplace.gateways.payment_types import Account
from marketplace.gateways.payment_types import Payout as ReportedPayout
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, NotFound
from marketplace.kernel.money import Money
from marketplace.notifications.operations import notify_org
from marketplace.payments import alerts
from marketplace.payments.models import PaymentAccount, Payout, Transfer

#: Reasons for which a share that is due waits for its payee's account.
_WAITS_FOR_ACCOUNT = ("onboarding", "account_restricted", "cooling", "four_eyes")


def account_for(session: Session, actor: Actor, org_id: str) -> PaymentAccount:
    """The payee's account row, made if it is not there."""
    session.execute(
        insert(PaymentAccount)
        .values(
            org_id=org_id,
            created_at=clock.now(),
            transfers_active=False,
            payouts_enabled=False,
            details_submitted=False,
            requirements=[],
        )
        .on_conflict_do_nothing()
    )
    record(session, actor, "payout.onboarding_started", org_id, owner_org_id=org_id)
    return session.get_one(PaymentAccount, org_id)


def link_account(session: Session, org_id: str, stripe_account_id: str) -> None:
    """Remember the account at the payment service; one that is known is never replaced here (see `replace`)."""
    row = session.get_one(PaymentAccount, org_id, with_for_update=True)
    if row.stripe_account_id is None:
        row.stripe_account_id = stripe_account_id


def replace(session: Session, actor: Actor, org_id: str) -> PaymentAccount:
    """Let go of an account that can receive nothing any more, so that another can be set up.

    The database holds everything back for three days from here, and a large share until an operator has agreed. The
    caller has had the password typed again. Raises Conflict `account_works` for an account that still works.
    """
    row = session.get(PaymentAccount, org_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound
    if row.ready or row.stripe_account_id is None:
        raise Conflict(
            "account_works", "This account works. Change your bank details on the payment service's own page."
        )
    before = row.stripe_account_id
    row.stripe_account_id, row.changed_by = None, actor.user_id
    row.transfers_active = row.payouts_enabled = row.details_submitted = False
    row.requirements, row.disabled_reason = [], None
    record(session, actor, "payout.account_replaced", org_id, owner_org_id=org_id, before=before)
    notify_org(session, org_id, "payout_account_changed", path="/payouts")
    alerts.tell(session, "account_changed")
    session.flush()
    return row


def approve_change(session: Session, actor: Actor, org_id: str) -> PaymentAccount:
    """An operator, who is not the one who changed it, agrees to a changed account; what waited for it is sent."""
    row = session.get(PaymentAccount, org_id, with_for_update=True, populate_existing=True)
    if row is None or row.hold_until is None or row.change_approved_by is not None:
        raise Conflict("nothing_to_approve", "There is no changed account to approve.")
    if row.changed_by == actor.user_id:
        raise Conflict("same_person", "Somebody else must approve what you have changed.")
    row.change_approved_by = actor.user_id
    record(session, actor, "payout.change_approved", org_id, owner_org_id=org_id)
    alerts.settle(session, actor, "four_eyes", f"{org_id}:{row.hold_until}")
    _send_waiting(session, org_id, f"approved:{row.stripe_account_id}")
    return row


def update_account(session: Session, actor: Actor, reported: Account, *, cause: str, asked_at: datetime) -> None:
    """Take over what the payment service says of a payee, and send what waited for it; `cause` names the event.

    An answer to a question that was asked (`asked_at`) before that of the answer we have is older news: left alone.
    """
    row = session.scalars(
        select(PaymentAccount).where(PaymentAccount.stripe_account_id == reported.id).with_for_update()
    ).one_or_none()
    if row is None or (row.checked_at is not None and row.checked_at > asked_at):
        return
    was_ready = row.ready
    row.transfers_active, row.payouts_enabled = reported.transfers_active, reported.payouts_enabled
    row.details_submitted, row.requirements = reported.details_submitted, list(reported.requirements_due)
    row.disabled_reason, row.checked_at = reported.disabled_reason, asked_at
    if reported.closed:
        row.disabled_reason = "account_closed"
    if row.ready and not was_ready:
        record(session, actor, "payout.onboarded", row.org_id, owner_org_id=row.org_id)
        _send_waiting(session, row.org_id, cause)
    if was_ready and not row.ready:
        _lost(session, actor, row, cause, row.disabled_reason or "restricted")


def lose_account(session: Session, actor: Actor, stripe_account_id: str, *, cause: str, code: str) -> None:
    """The payment service does not let us see or pay this account any more."""
    row = session.scalars(
        select(PaymentAccount).where(PaymentAccount.stripe_account_id == stripe_account_id).with_for_update()
    ).one_or_none()
    if row is None:
        return
    # Also of one that is known to be lost: the sweep looks at those first that it has not looked at for longest.
    row.checked_at = clock.now()
    if row.disabled_reason == code:
        return
    row.transfers_active = row.payouts_enabled = False
    row.disabled_reason = code[:120]
    _lost(session, actor, row, cause, code)


def note_payout(session: Session, actor: Actor, stripe_account_id: str, reported: ReportedPayout) -> None:
    """Mirror a payout to a payee's bank; a later report of the same payout wins. A failed one is told and alerted."""
    org_id = session.scalars(
        select(PaymentAccount.org_id).where(PaymentAccount.stripe_account_id == stripe_account_id)
    ).one_or_none()
    if org_id is None:
        return
    values = {
        "org_id": org_id,
        "account": stripe_account_id,
        "amount": reported.amount,
        "currency": reported.currency,
        "status": reported.status,
        "failure_code": reported.failure_code,
        "arrival_date": reported.arrival_date,
        "created_at": reported.created,
    }
    session.execute(
        insert(Payout).values(id=reported.id, **values).on_conflict_do_update(index_elements=["id"], set_=values)
    )
    code = reported.failure_code or "failed"
    if reported.status == "failed" and alerts.raise_alert(
        session,
        actor,
        "payout_failed",
        reported.id,
        subject_id=reported.id,
        org=org_id,
        code=code,
        amount=reported.amount,
        currency=reported.currency,
    ):
        notify_org(session, org_id, "payout_failed", path="/payouts", amount=Money(reported.amount, reported.currency))


def release_cooled(session: Session) -> int:
    """Send what waited for the days after a change to be over; returns how many shares."""
    query = (
        select(Transfer.id, PaymentAccount.hold_until)
        .join(PaymentAccount, PaymentAccount.org_id == Transfer.org_id)
        .where(Transfer.state == "due", Transfer.reason == "cooling", PaymentAccount.hold_until <= clock.now())
    )
    found = session.execute(query).all()
    for transfer_id, until in found:
        stage(session, JobName.SEND_TRANSFER, f"{transfer_id}:cooled:{until}", {"transfer_id": transfer_id})
    return len(found)


def _lost(session: Session, actor: Actor, row: PaymentAccount, cause: str, code: str) -> None:
    record(session, actor, "payout.account_lost", row.org_id, owner_org_id=row.org_id, outcome="failed", code=code)
    alerts.raise_alert(session, actor, "account_lost", f"{row.org_id}:{cause}", subject_id=row.org_id, code=code)
    notify_org(session, row.org_id, "payout_account_lost", path="/payouts")


def _send_waiting(session: Session, org_id: str, cause: str) -> None:
    waiting = select(Transfer.id).where(
        Transfer.org_id == org_id,
        Transfer.state == "due",
        Transfer.reason.is_(None) | Transfer.reason.in_(_WAITS_FOR_ACCOUNT),
    )
    for transfer_id in session.scalars(waiting):
        stage(session, JobName.SEND_TRANSFER, f"{transfer_id}:{cause}", {"transfer_id": transfer_id})
