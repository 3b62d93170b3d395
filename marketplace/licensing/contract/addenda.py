"""Amendments and terminations of a license: proposed by one side, signed by it first, then by the other."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.audit.operations import record
from marketplace.db.jobs import JobName, stage
from marketplace.db.locks import lock
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, Invalid, NotFound
from marketplace.licensing.contract.breach import uncured
from marketplace.licensing.contract.certificate import fresh_code
from marketplace.licensing.contract.events import note
from marketplace.licensing.contract.life import locked, tell, terminate
from marketplace.licensing.contract.papers import signatures_under
from marketplace.licensing.contract.signing import Given, add_signature, check_turn, whose_turn
from marketplace.licensing.grants import as_conflict, lock_rights, refuse_collision
from marketplace.licensing.models import Addendum, License, Signature
from marketplace.licensing.playbook.approvals import require_to_sign
from marketplace.licensing.rights import period
from marketplace.licensing.rules import ADDENDUM, ADDENDUM_OPEN, RUNNING, other, side_of
from marketplace.licensing.terms import Terms, changed_fields

_SYSTEM = frozenset({"system"})
#: Terms an amendment cannot touch: another kind, start or fee is another license.
FIXED = ("kind", "start", "fee", "valid_until")
_ENDS_ALREADY = "With this term the license would be over by now. To end it, propose a termination."
#: The longest sell-off that a termination can grant.
MAX_SELL_OFF = 24


def propose_amendment(
    session: Session, actor: Actor, license_id: str, terms: Terms, *, reason: str | None = None
) -> Addendum:
    """Offer other terms for a running license; the document is drawn up and its proposer asked to sign first.

    Raises Conflict when the license does not run, when an addendum is open already, `rights_conflict` when the new
    scope meets somebody else's; Invalid `no_change`, `ends_already` for a term that would be over, and for terms that
    an amendment cannot touch.
    """
    held, side = _running(session, actor, license_id)
    # After the license's own lock, as where pieces are ordered and where a license begins.
    lock_rights(session, held.design_id)
    changed = changed_fields(held.terms, terms.to_json())
    fixed = [name for name in changed if name in FIXED]
    if fixed:
        words = "An amendment cannot change this; negotiate a new license for it."
        raise Invalid("fixed_terms", words, fields=dict.fromkeys(fixed, words))
    if not changed:
        raise Invalid("no_change", "These are the terms of the license. Change something.")
    if _ends_already(held, terms):
        raise Invalid("ends_already", _ENDS_ALREADY, fields={"term_months": _ENDS_ALREADY})
    _refuse_collision(session, held, terms)
    return _propose(
        session,
        actor,
        held,
        side,
        Addendum(
            kind="amendment", terms=terms.to_json(), terms_hash=terms.hash(), reason=(reason or "").strip() or None
        ),
    )


def propose_termination(
    session: Session, actor: Actor, license_id: str, *, reason: str | None = None, sell_off_months: int = 0
) -> Addendum:
    """Offer to end a running license; it ends when both have signed.

    When this side's notice of a breach has run out uncured, its own signature is enough. Raises as
    `propose_amendment`; Invalid for a sell-off longer than two years.
    """
    held, side = _running(session, actor, license_id)
    if not 0 <= sell_off_months <= MAX_SELL_OFF:
        words = "Choose between 0 and 24 months."
        raise Invalid("invalid", words, fields={"sell_off_months": words})
    alone = uncured(held, side)
    return _propose(
        session,
        actor,
        held,
        side,
        Addendum(
            kind="termination",
            signers=1 if alone else 2,
            sell_off_months=sell_off_months,
            reason=(reason or "").strip() or None,
        ),
    )


def document_made(session: Session, actor: Actor, addendum_id: str, *, key: str, sha256: str) -> None:
    """Attach the document and ask its proposer to sign; nothing happens when it was closed or done before."""
    row, held = _locked(session, addendum_id)
    if row.state != "drafting":
        return
    ADDENDUM.advance(row, "document_made", _SYSTEM)
    row.document_key, row.document_sha256 = key, sha256
    note(session, actor, held, "addendum_drawn_up", addendum_id=row.id, sha256=sha256, clauses=row.clause_version)
    tell(session, held, row.by_side, "addendum_to_sign")


def sign(session: Session, actor: Actor, addendum_id: str, given: Given) -> Signature:
    """Sign for one's side, the proposer first. The last signature makes it take effect.

    Raises as contract.signing's `check_turn` and `add_signature`; Conflict when the license has ended meanwhile or
    the breach was cured, `terms_moved` when the terms are not those the amendment was made from, `ends_already`,
    `rights_conflict`; Forbidden `approval_needed` as playbook.approvals' `require_to_sign`.
    """
    row, held = _locked(session, addendum_id)
    side = side_of(held, actor)
    if side is None:
        raise NotFound
    if row.terms is not None:
        lock_rights(session, held.design_id)
    signed = {mark.side for mark in signatures_under(session, row)}
    if side not in signed:
        ADDENDUM.target(row.state, "sign", {side})
    check_turn(row.by_side, side, signed, row.state, row.signers)
    _still_possible(held, row)
    if row.terms is not None:
        require_to_sign(session, actor, held, row)
    made = add_signature(session, actor, held, given, document_sha256=row.document_sha256, addendum_id=row.id)
    ADDENDUM.advance(row, "sign", {side})
    record(session, actor, "license.addendum_signed", row.id, owner_org_id=_org(held, other(side)), side=side)
    if whose_turn(row.by_side, {*signed, side}, row.signers) is None:
        _take_effect(session, actor, held, row)
    else:
        tell(session, held, other(side), "addendum_to_sign")
    return made


def close(session: Session, actor: Actor, addendum_id: str) -> None:
    """Take back one's own proposal, or decline the other side's, before all have signed.

    Raises Conflict `needs_no_answer` for declining a termination that one signature makes: the answer to a notice of a
    breach is to cure it.
    """
    row, held = _locked(session, addendum_id)
    side = side_of(held, actor)
    if side is None:
        raise NotFound
    action, who = ("withdraw", "proposer") if side == row.by_side else ("decline", "answerer")
    if action == "decline" and row.signers == 1:
        ADDENDUM.target(row.state, action, {who})
        raise Conflict(
            "needs_no_answer",
            "This termination does not need your answer, because the time to cure the breach is over."
            " Write to the other side if the breach is cured.",
        )
    ADDENDUM.advance(row, action, {who})
    row.closed_at = clock.now()
    note(session, actor, held, f"addendum_{row.state}", addendum_id=row.id)
    record(session, actor, f"license.addendum_{row.state}", row.id, owner_org_id=_org(held, other(side)))
    tell(session, held, other(side), "addendum_closed")


def _propose(session: Session, actor: Actor, held: License, side: str, row: Addendum) -> Addendum:
    if session.scalar(select(Addendum.id).where(Addendum.license_id == held.id, Addendum.state.in_(ADDENDUM_OPEN))):
        raise Conflict("addendum_open", "There is a proposal to sign or to decline already.")
    last = session.scalar(select(func.max(Addendum.number)).where(Addendum.license_id == held.id))
    row.license_id, row.number = held.id, (last or 0) + 1
    row.by_side, row.by_user_id, row.base_terms_hash = side, actor.user_id or "", held.terms_hash
    row.state = ADDENDUM.initial
    session.add(row)
    session.flush()
    note(session, actor, held, f"{row.kind}_proposed", addendum_id=row.id)
    record(session, actor, f"license.{row.kind}_proposed", row.id, owner_org_id=_org(held, other(side)))
    _stage(session, held, row, signed=False)
    return row


def _take_effect(session: Session, actor: Actor, held: License, row: Addendum) -> None:
    row.signed_at = row.closed_at = clock.now()
    row.verify_code = fresh_code()
    ADDENDUM.advance(row, "fully_signed", _SYSTEM)
    note(session, actor, held, "addendum_done", addendum_id=row.id)
    _stage(session, held, row, signed=True)
    if row.terms is None:
        terminate(session, actor, held, row)
        return
    terms = Terms.model_validate(row.terms)
    _refuse_collision(session, held, terms)
    held.terms, held.terms_hash = row.terms, terms.hash()
    if held.active_from is not None:
        _begins, held.active_until = period(None, terms.term_months, held.active_from)
    with as_conflict():
        session.flush()
    for side in ("designer", "buyer"):
        tell(session, held, side, "addendum_done")


def _still_possible(held: License, row: Addendum) -> None:
    if held.state not in RUNNING:
        raise Conflict("license_not_active", "This license is not active.", extra={"state": held.state})
    if row.terms is not None and row.base_terms_hash != held.terms_hash:
        raise Conflict("terms_moved", "The terms have changed since this was proposed. Propose it anew.")
    if row.terms is not None and _ends_already(held, Terms.model_validate(row.terms)):
        raise Conflict("ends_already", _ENDS_ALREADY)
    if row.signers == 1 and not uncured(held, row.by_side):
        raise Conflict("breach_cured", "The breach has been cured; the license goes on.")


def _ends_already(held: License, terms: Terms) -> bool:
    """Whether the license would be over with these terms, without the words and the sell-off of a termination."""
    _begins, until = period(None, terms.term_months, held.active_from or clock.now())
    return until is not None and until <= clock.now()


def _refuse_collision(session: Session, held: License, terms: Terms) -> None:
    """Raise Conflict `rights_conflict` when the license's new scope meets another license."""
    now = held.active_from or clock.now()
    refuse_collision(session, held.design_id, terms, now, holder=held.buyer_org_id, negotiation_id=held.id)


def _running(session: Session, actor: Actor, license_id: str) -> tuple[License, str]:
    held, side = locked(session, actor, license_id)
    if held.state not in RUNNING:
        raise Conflict("license_not_active", "This license is not active.", extra={"state": held.state})
    return held, side


def _locked(session: Session, addendum_id: str) -> tuple[Addendum, License]:
    """Both rows, the license's first: whoever changes a license holds that one."""
    found = session.get(Addendum, addendum_id)
    if found is None:
        raise NotFound
    held = lock(session, License, found.license_id)
    return lock(session, Addendum, addendum_id), held


def _stage(session: Session, held: License, row: Addendum, *, signed: bool) -> None:
    args = {"license_id": held.id, "signed": signed, "addendum_id": row.id}
    name = f"{row.id}:{'signed' if signed else 'draft'}"
    stage(session, JobName.MAKE_LICENSE_DOCUMENT, name, args, subject=held.id, org_id=_org(held, row.by_side))


def _org(held: License, side: str) -> str:
    return held.designer_org_id if side == "designer" else held.buyer_org_id
