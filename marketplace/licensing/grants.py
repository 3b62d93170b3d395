"""What of a design is taken: the scopes of all licenses and holds that stand, whoever the parties are.

Read through the database function `design_grants`, which tells scopes and no party: row security hides the rows
of other organizations from the web role, and nobody may learn who they are. That two grants never collide is the
database's own rule (the exclusion constraints of `rights_grants`); what is here tells people in time and in words.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import delete, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace.db.locks import lock_name
from marketplace.kernel.errors import Conflict
from marketplace.licensing.grant_models import Hold
from marketplace.licensing.models import License
from marketplace.licensing.rights import (
    AXES,
    FIRST_REFUSAL,
    FOREVER,
    Scope,
    common_territories,
    first_collision,
    period,
    proposed,
    stored_bits,
)
from marketplace.licensing.terms import Terms

_GRANTS = text(
    "select kind, territories, channels, categories, metals, begins, until, held_until, own"
    " from design_grants(:design, :holder, cast(:scope as jsonb))"
)
_UNITS = text("select numbered, edition from design_units(:design)")
_CONSTRAINTS = ("ex_rights_grants_others", "ex_rights_grants_first")
_TAKEN = (
    "These rights are already licensed to somebody else, in whole or in part."
    " Agree on another territory, channel or time."
)
_ASKED_FIRST = (
    "Somebody else has the right to be asked before an exclusive is granted here."
    " Agree on another scope, or on a license that is not exclusive."
)
_HELD = "These rights are being held for another offer for some days. Agree on another scope, or wait until then."


def lock_rights(session: Session, design_id: str) -> None:
    """Let nobody else grant rights of this design until the transaction ends.

    Take it before the lock of a negotiation; a license or an order may be locked before it.
    """
    lock_name(session, f"rights {design_id}")


class _Sets(dict[str | None, int]):
    """The sets of one axis by the list as the database tells it, each read once."""

    def __init__(self, axis: str) -> None:
        super().__init__()
        self._axis = axis

    def __missing__(self, stored: str | None) -> int:
        found = self[stored] = stored_bits(self._axis, stored)
        return found


def granted(
    session: Session,
    design_id: str,
    *,
    holder: str = "",
    now: datetime,
    besides: str | None = None,
    place: Mapping[str, Sequence[str]] | None = None,
) -> list[Scope]:
    """Everything that stands of a design at `now` or will. `holder` is the organization that grants are to be for.

    `besides` leaves out one license or one negotiation's hold: what it takes is not in its own way. With `place` (the
    lists of a term sheet, by axis) only what has something in common with it, at whatever time.
    """
    found = []
    all_lands, all_ways, all_classes, all_metals = (_Sets(axis) for axis in AXES)
    scope = json.dumps({axis: list(named) for axis, named in (place or {}).items()})
    rows = session.execute(_GRANTS, {"design": design_id, "holder": holder, "scope": scope})
    for kind, lands, ways, classes, metals, begins, until, held, own in rows:
        if (held is not None and held <= now) or (besides is not None and own == besides):
            continue
        if until is not None and until <= now:
            continue
        found.append(
            Scope(
                kind,
                all_lands[lands],
                all_ways[ways],
                all_classes[classes],
                all_metals[metals],
                begins,
                until or FOREVER,
                own is not None,
                held,
            )
        )
    return found


def axes_of(terms: Terms) -> dict[str, Sequence[str]]:
    """Where terms are to hold, as `granted` takes it."""
    return {axis: getattr(terms, axis) for axis in AXES}


def refuse_collision(
    session: Session, design_id: str, terms: Terms, now: datetime, *, holder: str = "", negotiation_id: str = ""
) -> None:
    """Raise Conflict `rights_conflict` when `terms` cannot stand beside what is granted; hold `lock_rights` before.

    `holder` is the buyer's organization, `negotiation_id` the negotiation whose own hold is not in the way. Raises
    Conflict `edition_too_small` for a limited edition of fewer pieces than there are already.
    """
    session.execute(delete(Hold).where(Hold.design_id == design_id, Hold.held_until <= now))
    wanted = proposed(terms, now)
    own, place = negotiation_id or None, axes_of(terms)
    found = first_collision(wanted, granted(session, design_id, holder=holder, now=now, besides=own, place=place))
    if found is not None:
        raise conflict(wanted, found)
    if terms.kind == "limited_edition" and terms.max_units is not None:
        numbered = session.execute(_UNITS, {"design": design_id}).one().numbered
        if numbered > terms.max_units:
            raise Conflict(
                "edition_too_small",
                "%(count)s pieces of this design exist or are ordered already; the edition must be larger.",
                params={"count": numbered},
                extra={"numbered": numbered},
            )


def settled_period(session: Session, held: License, now: datetime) -> tuple[datetime, datetime | None]:
    """From when until when a license runs that becomes active `now`.

    It may begin later than it was reckoned with when it was agreed on, and so end later; where others were granted
    that time meanwhile, it ends when theirs begins. Takes the design's lock. Raises Conflict `rights_conflict` when
    nothing is left.
    """
    lock_rights(session, held.design_id)
    terms = Terms.model_validate(held.terms)
    begins, until = period(terms.start, terms.term_months, now)
    wanted = proposed(terms, now)
    others = granted(session, held.design_id, holder=held.buyer_org_id, now=now, besides=held.id, place=axes_of(terms))
    in_the_way = [other for other in others if wanted.collides(other)]
    if in_the_way:
        first = min(in_the_way, key=lambda other: other.begins)
        if first.begins <= begins:
            raise conflict(wanted, first)
        until = first.begins
    return begins, until


def conflict(wanted: Scope, found: Scope) -> Conflict:
    """The refusal of `wanted` because of `found`, naming where and until when, never who."""
    asked_first = FIRST_REFUSAL in {wanted.kind, found.kind}
    return Conflict(
        "rights_conflict",
        _HELD if found.held_until else _ASKED_FIRST if asked_first else _TAKEN,
        extra={
            "overlap": {
                "territories": common_territories(wanted, found),
                "until": None if found.until == FOREVER else found.until.isoformat(),
                "kind": found.kind,
                "held_until": found.held_until.isoformat() if found.held_until else None,
            }
        },
    )


@contextmanager
def as_conflict() -> Iterator[None]:
    """Around a flush that grants rights: what the database itself refuses is a `rights_conflict` too."""
    try:
        yield
    except IntegrityError as error:
        if getattr(getattr(error.orig, "diag", None), "constraint_name", None) in _CONSTRAINTS:
            raise Conflict("rights_conflict", _TAKEN, extra={"overlap": None}) from error
        raise
