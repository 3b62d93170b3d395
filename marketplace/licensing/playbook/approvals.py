"""Holding back what is above a limit until a colleague approves. `require` is asked wherever a version comes about."""

from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Membership
from marketplace.audit.operations import record
from marketplace.db.locks import lock_name
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, Forbidden
from marketplace.licensing.models import Addendum, License, Negotiation, Offer
from marketplace.licensing.playbook.models import Approval, ApprovalPolicy
from marketplace.licensing.playbook.rules import APPROVAL, Excess, commitment, excess
from marketplace.licensing.seats import tick
from marketplace.licensing.terms import Terms
from marketplace.notifications.operations import notify_org

Action = Literal["accept", "offer", "reopen", "open"]


def require(session: Session, actor: Actor, negotiation: Negotiation, offer: Offer) -> None:
    """Before `offer` is accepted: raise Forbidden `approval_needed` when it is above the buyer's limit and no colleague
    has approved this very version.
    """
    if actor.org_id == negotiation.buyer_org_id:
        terms = Terms.model_validate(offer.terms)
        _require(session, actor, terms, "accept", negotiation.id, negotiation.design_id, offer.version)


def require_to_offer(
    session: Session,
    actor: Actor,
    terms: Terms,
    *,
    design_id: str,
    negotiation: Negotiation | None = None,
    reopening: bool = False,
) -> None:
    """Before a buyer's offer is sent, which the designer could accept at once: raise as `require`."""
    if negotiation is None:
        _require(session, actor, terms, "open", None, design_id, 0)
    elif actor.org_id == negotiation.buyer_org_id:
        action: Action = "reopen" if reopening else "offer"
        _require(session, actor, terms, action, negotiation.id, design_id, negotiation.current_version)


def require_to_sign(session: Session, actor: Actor, held: License, amendment: Addendum) -> None:
    """Before an amendment is signed for the buyer: raise Forbidden `approval_needed` when it needs another signer."""
    found = needs_other_signer(session, actor, held, amendment)
    if found is not None:
        raise Forbidden(
            "approval_needed",
            "This amendment raises what your organization owes above its limit. One of you proposes it, and a colleague"
            " who may approve signs it.",
            extra=_amounts(found),
        )


def needs_other_signer(session: Session, actor: Actor, held: License, amendment: Addendum) -> Excess | None:
    """What makes an amendment too much for the actor to sign, if anything does; for the buyer's side only.

    It commits the buyer to more than before and to more than the limit. Then it takes two: one member who proposes it,
    and another, who may approve, to sign it. What the designer proposed is declined and proposed by the buyer.
    """
    if actor.org_id != held.buyer_org_id or amendment.terms is None:
        return None
    before, after = Terms.model_validate(held.terms), Terms.model_validate(amendment.terms)
    if commitment(after).amount <= commitment(before).amount:
        return None
    policy = policy_of(session, actor)
    found = excess(after, policy.limits)
    if found is None or actor.org_id is None:
        return None
    proposed_by_colleague = amendment.by_side == "buyer" and amendment.by_user_id != actor.user_id
    return None if proposed_by_colleague and actor.user_id in approvers(session, actor.org_id, policy) else found


def ask(
    session: Session,
    actor: Actor,
    terms: Terms,
    *,
    action: Action,
    design_id: str,
    title: str,
    negotiation: Negotiation | None = None,
    message: str | None = None,
) -> Approval:
    """Hold `action` with exactly `terms` until a colleague decides, and tell the colleagues.

    The negotiation is locked by the caller; its other side sees that the offer is being considered, and no more. Raises
    Conflict `approval_not_needed` below the limit, `approval_pending` when this has been asked already; an older
    question about the same negotiation is void from now on.
    """
    if actor.org_id is None or actor.user_id is None:
        raise Forbidden("forbidden", "Your role does not allow this.")
    found = excess(terms, policy_of(session, actor).limits)
    if found is None:
        raise Conflict("approval_not_needed", "This is within your limit; no approval is needed.")
    subject = negotiation.id if negotiation else design_id
    lock_name(session, f"approval {actor.org_id} {subject}")
    version = negotiation.current_version if negotiation else 0
    open_ones = select(Approval).where(
        Approval.org_id == actor.org_id, Approval.subject == subject, Approval.state == "pending"
    )
    for row in session.scalars(open_ones.with_for_update()):
        if (row.action, row.version, row.terms_hash) == (action, version, terms.hash()):
            raise Conflict("approval_pending", "Your colleagues have been asked already.", extra={"approval": row.id})
        APPROVAL.advance(row, "outrun", {"system"})
    session.flush()
    made = Approval(
        org_id=actor.org_id,
        subject=subject,
        design_id=design_id,
        title=title[:200],
        negotiation_id=negotiation.id if negotiation else None,
        action=action,
        version=version,
        terms=terms.to_json(),
        terms_hash=terms.hash(),
        message=message or None,
        amount=found.amount.amount,
        limit_amount=found.limit.amount if found.limit else None,
        currency=found.amount.currency,
        state=APPROVAL.initial,
        asked_by=actor.user_id,
    )
    session.add(made)
    session.flush()
    if negotiation is not None and action != "reopen":
        negotiation.considered_version = version
        tick(negotiation)
    record(
        session,
        actor,
        "approval.asked",
        made.id,
        owner_org_id=actor.org_id,
        negotiation=made.negotiation_id,
        step=action,
        version=version,
        terms_hash=made.terms_hash,
    )
    notify_org(
        session, actor.org_id, "approval_asked", path=f"/approvals#{made.id}", design=made.title, colleague=actor.name
    )
    return made


def needed(session: Session, actor: Actor, terms: Terms) -> Excess | None:
    """What makes the terms too much for the actor alone, if anything does; for buyers only."""
    if actor.org_kind != "buyer":
        return None
    return excess(terms, policy_of(session, actor).limits)


def policy_of(session: Session, actor: Actor) -> ApprovalPolicy:
    """The limits of the actor's organization; a fresh, empty one (not stored) while nobody has set any."""
    found = session.get(ApprovalPolicy, actor.org_id)
    return found or ApprovalPolicy(org_id=actor.org_id or "", limits={}, approvers=[], updated_by="")


def approvers(session: Session, org_id: str, policy: ApprovalPolicy) -> set[str]:
    """User ids of who may approve: the administrators, and the members that were named."""
    rows = session.execute(select(Membership.user_id, Membership.is_admin).where(Membership.org_id == org_id))
    return {row.user_id for row in rows if row.is_admin or row.user_id in policy.approvers}


def _require(
    session: Session,
    actor: Actor,
    terms: Terms,
    action: Action,
    negotiation_id: str | None,
    design_id: str,
    version: int,
) -> None:
    found = excess(terms, policy_of(session, actor).limits)
    if found is None:
        return
    approved = session.scalars(
        select(Approval.id).where(
            Approval.org_id == actor.org_id,
            Approval.subject == (negotiation_id or design_id),
            Approval.action == action,
            Approval.version == version,
            Approval.terms_hash == terms.hash(),
            Approval.state == "approved",
            Approval.done_at.is_(None),
        )
    ).first()
    if approved is None:
        raise Forbidden(
            "approval_needed",
            "This is above the limit of your organization. A colleague has to approve it first.",
            extra=_amounts(found),
        )


def _amounts(found: Excess) -> dict[str, Any]:
    return {
        "amount": {"amount": found.amount.amount, "currency": found.amount.currency},
        "limit": {"amount": found.limit.amount, "currency": found.limit.currency} if found.limit else None,
    }
