"""Approving and refusing what was held back. An approval takes effect at once, or not at all."""

from sqlalchemy.orm import Session

from marketplace.audit.operations import record
from marketplace.db.locks import lock
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, Forbidden, Invalid
from marketplace.licensing import negotiating
from marketplace.licensing.grants import lock_rights
from marketplace.licensing.models import Negotiation
from marketplace.licensing.playbook.approvals import approvers, policy_of
from marketplace.licensing.playbook.models import Approval
from marketplace.licensing.playbook.rules import APPROVAL
from marketplace.licensing.rules import state_now
from marketplace.licensing.seats import tick
from marketplace.licensing.terms import Terms
from marketplace.notifications.operations import notify_org


def is_void(approval: Approval, negotiation: Negotiation | None) -> bool:
    """Whether the question has become pointless: the version it is about is no longer on the table."""
    if negotiation is None:
        return False
    moved = negotiation.current_version != approval.version
    standing = state_now(negotiation, clock.now()) == "open"
    return moved or standing == (approval.action == "reopen")


def approve(session: Session, actor: Actor, approval: Approval) -> str:
    """Approve and do what was held back, as the actor; returns the id of the negotiation.

    Raises Forbidden `own_request` for the person who asked, `not_an_approver`; Conflict `approval_void` when the
    version has moved on, and whatever the step itself raises.
    """
    negotiation = _locked_to_act(session, actor, approval)
    row = _decidable(session, actor, approval)
    if is_void(row, negotiation):
        raise Conflict("approval_void", "The offer has moved on since you were asked. There is nothing to approve.")
    APPROVAL.advance(row, "approve", {"approver"})
    row.decided_by, row.decided_at = actor.user_id, clock.now()
    session.flush()
    record(session, actor, "approval.approved", row.id, owner_org_id=row.org_id, negotiation=row.negotiation_id)
    subject = _carry_out(session, actor, row)
    row.done_at = clock.now()
    notify_org(
        session,
        row.org_id,
        "approval_given",
        path=f"/negotiations/{subject}",
        design=row.title,
        colleague=actor.name,
    )
    return subject


def refuse(session: Session, actor: Actor, approval: Approval, reason: str) -> None:
    """Refuse with a reason, which the organization alone reads. Raises as `approve`; Invalid without a reason."""
    if not reason.strip():
        text = "Say why, so that your colleague knows what to change."
        raise Invalid("reason_missing", text, fields={"reason": text})
    negotiation = _locked(session, approval)
    row = _decidable(session, actor, approval)
    APPROVAL.advance(row, "refuse", {"approver"})
    row.decided_by, row.decided_at, row.reason = actor.user_id, clock.now(), reason.strip()
    _considered_no_more(negotiation)
    record(session, actor, "approval.refused", row.id, owner_org_id=row.org_id, negotiation=row.negotiation_id)
    path = f"/negotiations/{row.negotiation_id}" if row.negotiation_id else f"/approvals#{row.id}"
    notify_org(
        session, row.org_id, "approval_refused", path=path, design=row.title, colleague=actor.name, reason=row.reason
    )


def withdraw(session: Session, actor: Actor, approval: Approval) -> None:
    """Take one's own question back. Raises Forbidden for somebody else's."""
    negotiation = _locked(session, approval)
    row = lock(session, Approval, approval.id)
    APPROVAL.advance(row, "withdraw", {"asker"} if row.asked_by == actor.user_id else {"colleague"})
    row.decided_at = clock.now()
    _considered_no_more(negotiation)
    record(session, actor, "approval.withdrawn", row.id, owner_org_id=row.org_id, negotiation=row.negotiation_id)


def may_decide(session: Session, actor: Actor, approval: Approval) -> bool:
    """Whether the actor is one of the four eyes that decide."""
    who = approvers(session, approval.org_id, policy_of(session, actor))
    return actor.user_id in who and actor.user_id != approval.asked_by


def _locked(session: Session, approval: Approval) -> Negotiation | None:
    """The negotiation it is about; its lock comes before the approval's, as where one is asked for."""
    return lock(session, Negotiation, approval.negotiation_id) if approval.negotiation_id else None


def _locked_to_act(session: Session, actor: Actor, approval: Approval) -> Negotiation | None:
    """The same with the locks that the step itself takes before the negotiation's, in their order."""
    if approval.negotiation_id is None:
        return None
    if approval.action == "accept":
        lock_rights(session, approval.design_id)
    elif approval.action == "reopen":
        negotiating.prepare_reopening(session, actor, approval.negotiation_id)
    return _locked(session, approval)


def _considered_no_more(negotiation: Negotiation | None) -> None:
    if negotiation is not None and negotiation.considered_version is not None:
        negotiation.considered_version = None
        tick(negotiation)


def _decidable(session: Session, actor: Actor, approval: Approval) -> Approval:
    row = lock(session, Approval, approval.id)
    if row.asked_by == actor.user_id:
        raise Forbidden("own_request", "You asked for this yourself; a colleague has to decide.")
    if not may_decide(session, actor, row):
        raise Forbidden("not_an_approver", "Only administrators and the approvers they named decide.")
    return row


def _carry_out(session: Session, actor: Actor, row: Approval) -> str:
    terms = Terms.model_validate(row.terms)
    if row.negotiation_id is None:
        return negotiating.open_negotiation(session, actor, row.design_id, terms, row.message).id
    if row.action == "accept":
        negotiating.accept(session, actor, row.negotiation_id, version=row.version, terms_hash=row.terms_hash)
    else:
        negotiating.make_offer(
            session,
            actor,
            row.negotiation_id,
            base_version=row.version,
            terms=terms,
            message=row.message,
            reopening=row.action == "reopen",
        )
    return row.negotiation_id
