"""What a page or a call of the API does with a step that is above the limit: asks the colleagues instead."""

from sqlalchemy.orm import Session

from marketplace.designs import queries as designs
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict
from marketplace.licensing.models import Negotiation
from marketplace.licensing.negotiating import check_terms, prepare_reopening
from marketplace.licensing.playbook import approvals
from marketplace.licensing.playbook.models import Approval
from marketplace.licensing.rules import state_now
from marketplace.licensing.seats import current_offer, locked
from marketplace.licensing.terms import Terms


def hold_accept(
    session: Session, actor: Actor, negotiation: Negotiation, version: int, terms_hash: str | None
) -> Approval | None:
    """Ask for the acceptance of one exact version; None when the actor may accept it alone.

    Raises as negotiating.accept when it is not the actor's turn or the page is stale, and as approvals.ask.
    """
    offer = current_offer(session, negotiation)
    terms = Terms.model_validate(offer.terms)
    if approvals.needed(session, actor, terms) is None:
        return None
    row = locked(session, actor, negotiation.id, "accept", version)
    if terms_hash is not None and terms_hash != offer.terms_hash:
        raise Conflict("terms_mismatch", "The terms you saw are not the terms on the table. Read them again.")
    return approvals.ask(
        session, actor, terms, action="accept", design_id=row.design_id, title=_title(row), negotiation=row
    )


def hold_offer(
    session: Session, actor: Actor, negotiation: Negotiation, version: int, terms: Terms, message: str | None
) -> Approval | None:
    """Ask for a counter offer, or for taking an ended negotiation up again; None when no colleague is needed."""
    if approvals.needed(session, actor, terms) is None:
        return None
    reopening = state_now(negotiation, clock.now()) != "open"
    if reopening:
        prepare_reopening(session, actor, negotiation.id)
    row = locked(session, actor, negotiation.id, "reopen" if reopening else "counter", version)
    check_terms(terms)
    return approvals.ask(
        session,
        actor,
        terms,
        action="reopen" if reopening else "offer",
        design_id=row.design_id,
        title=_title(row),
        negotiation=row,
        message=message,
    )


def hold_opening(session: Session, actor: Actor, design_id: str, terms: Terms, message: str | None) -> Approval | None:
    """Ask for a first offer; None when no colleague is needed. Raises NotFound for a design that is not listed."""
    if approvals.needed(session, actor, terms) is None:
        return None
    design = designs.listed_design(session, design_id)
    check_terms(terms)
    return approvals.ask(session, actor, terms, action="open", design_id=design_id, title=design.title, message=message)


def _title(negotiation: Negotiation) -> str:
    return str(negotiation.snapshot.get("title", ""))
