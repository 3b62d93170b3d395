"""What a designer must have agreed to before a brief can stand in the terms."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from marketplace.audit.operations import record
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Invalid
from marketplace.licensing.brief.deltas import Delta
from marketplace.licensing.models import Negotiation, Offer
from marketplace.licensing.terms import Terms
from marketplace.licensing.vocabulary import metal_alloys

#: From the least to the most that a license lets change.
LEVELS = ("none", "resize", "adapt")
#: What a change of each kind takes. Another metal is a matter of the licensed metals, an engraving of the order.
_TAKES = {"metal": "none", "engraving": "none", "ring_size": "resize", "stones": "adapt", "edit": "adapt"}


def needed(brief: Sequence[Delta]) -> str:
    """The least of LEVELS that allows all of `brief`."""
    return max((needed_for(delta.kind) for delta in brief), key=LEVELS.index, default="none")


def needed_for(kind: str) -> str:
    """What a change of one kind takes."""
    return _TAKES[kind]


def require_consent(terms: Terms) -> None:
    """Raise Invalid `derivatives_needed` (with what to raise them to) or `metal_not_licensed` for a brief that the
    other terms do not allow.
    """
    wanted = needed(terms.brief)
    if LEVELS.index(wanted) > LEVELS.index(terms.derivatives):
        text = (
            "The brief asks for changes that these terms do not allow. Allow resizing."
            if wanted == "resize"
            else "The brief asks for changes that these terms do not allow. Allow adaptations."
        )
        raise Invalid("derivatives_needed", text, fields={"brief": text}, extra={"raise": {"derivatives": wanted}})
    metal = next((delta.to for delta in terms.brief if delta.kind == "metal"), None)
    if metal and terms.metals and metal not in metal_alloys(terms.metals):
        text = "The brief asks for a metal that these terms do not license. License it too."
        raise Invalid("metal_not_licensed", text, fields={"brief": text})


def record_consent(session: Session, actor: Actor, negotiation: Negotiation, offer: Offer, terms: Terms) -> None:
    """Note that the designer agreed to the changes of an accepted version: by accepting it, or by having offered it."""
    if not terms.brief and terms.derivatives == "none":
        return
    offered = offer.side == "designer"
    record(
        session,
        actor,
        "brief.consented",
        negotiation.id,
        owner_org_id=negotiation.designer_org_id,
        version=offer.version,
        terms_hash=offer.terms_hash,
        derivatives=terms.derivatives,
        changes=len(terms.brief),
        consented_by="offer" if offered else "acceptance",
        user=offer.by_user_id if offered else actor.user_id,
    )
