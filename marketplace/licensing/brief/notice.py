"""What the other side is told of an offer that has a brief: its effect on weight and metal price."""

from typing import Any

from sqlalchemy.orm import Session

from marketplace.licensing.brief.page import weighed_by
from marketplace.licensing.brief.words import said
from marketplace.licensing.models import Negotiation
from marketplace.licensing.terms import Terms

#: Kinds of notifications that have a sentence with a brief.
_KINDS = frozenset({"negotiation_opened", "offer_received"})


def with_brief(session: Session, negotiation: Negotiation, terms: Terms, kind: str) -> tuple[str, dict[str, Any]]:
    """(kind of notification, its further params): `kind` itself without a brief, else `<kind>_brief`."""
    if not terms.brief or kind not in _KINDS:
        return kind, {}
    return f"{kind}_brief", {"brief": said(weighed_by(session, negotiation, terms.to_json()))}
