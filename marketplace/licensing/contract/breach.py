"""A breach: the notice of it, the time to cure it, the word that it is cured, and what the clock makes of it.

Once the time is over the side that gave notice may end the license by its signature alone (contract/addenda.py), or
say that the breach is cured. When it does neither, its notice lapses: nobody holds an old one over the other.
"""

from datetime import datetime

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from marketplace.audit.operations import record
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Invalid
from marketplace.licensing.contract.events import note
from marketplace.licensing.contract.life import audited, let_lapse, locked, tell
from marketplace.licensing.models import Addendum, License, LicenseEvent
from marketplace.licensing.rules import ADDENDUM_OPEN, CURE_WITHIN, END_WITHIN, LICENSE, other

_SYSTEM = frozenset({"system"})


def give_notice(session: Session, actor: Actor, license_id: str, reason: str) -> None:
    """Tell the other side that it breaks the agreement; the time to cure it begins. Raises Conflict unless active."""
    held, side = locked(session, actor, license_id)
    if not reason.strip():
        words = "Say what is wrong and what would put it right."
        raise Invalid("invalid", words, fields={"reason": words})
    LICENSE.advance(held, "give_notice", {side})
    held.breach_by, held.cure_until = side, clock.now() + CURE_WITHIN
    note(session, actor, held, "breach", reason=reason.strip(), cure_until=held.cure_until.isoformat())
    audited(session, actor, held, "license.breach_noticed", side)
    tell(session, held, other(side), "license_breach", until=held.cure_until)


def confirm_cured(session: Session, actor: Actor, license_id: str) -> None:
    """The side that gave notice says that the breach is cured; the license goes on. Raises Forbidden for the other.

    A termination for this breach that is not signed lapses with it.
    """
    held, side = locked(session, actor, license_id)
    LICENSE.advance(held, "cure", {side, "notifier"} if held.breach_by == side else {side})
    held.breach_by = held.cure_until = None
    note(session, actor, held, "cured")
    audited(session, actor, held, "license.breach_cured", side)
    tell(session, held, other(side), "license_cured")
    alone = select(Addendum).where(
        Addendum.license_id == held.id, Addendum.state.in_(ADDENDUM_OPEN), Addendum.signers == 1
    )
    for row in session.scalars(alone.with_for_update()):
        let_lapse(session, actor, held, row)


def uncured(held: License, side: str) -> bool:
    """Whether this side's notice of a breach has run out uncured, so that its signature alone ends the license."""
    return (
        held.state == "breach"
        and held.breach_by == side
        and held.cure_until is not None
        and held.cure_until <= clock.now()
    )


def notice_lapses(cure_until: datetime) -> datetime:
    """When a notice lapses unless the side that gave it ends the license."""
    return cure_until + END_WITHIN


def say_time_is_over(session: Session, actor: Actor, *, limit: int = 200) -> int:
    """Tell both sides once that the time to cure a breach is over, and what follows; returns how many were told."""
    key = func.concat("cure_over_", func.to_char(func.timezone("UTC", License.cure_until), "YYYYMMDDHH24MISS"))
    known = exists().where(LicenseEvent.license_id == License.id, LicenseEvent.key == key)
    query = (
        select(License, key)
        .where(License.state == "breach", License.cure_until <= clock.now(), ~known)
        .order_by(License.id)
        .limit(limit)
        .with_for_update(of=License, skip_locked=True)
    )
    found = session.execute(query).all()
    for held, name in found:
        if held.cure_until is None or held.breach_by is None:
            continue
        note(session, actor, held, "cure_over", key=name)
        lapses = notice_lapses(held.cure_until)
        tell(session, held, held.breach_by, "breach_uncured", lapses=lapses)
        tell(session, held, other(held.breach_by), "breach_not_cured", lapses=lapses)
    return len(found)


def lapse_notices(session: Session, actor: Actor, *, limit: int = 200) -> int:
    """Let the license go on where nobody ended it in time after a notice; both are told. Returns how many.

    A termination that is being signed keeps the notice until it is signed or lapses itself.
    """
    ending = exists().where(
        Addendum.license_id == License.id, Addendum.state.in_(ADDENDUM_OPEN), Addendum.kind == "termination"
    )
    query = (
        select(License)
        .where(License.state == "breach", License.cure_until <= clock.now() - END_WITHIN, ~ending)
        .order_by(License.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    found = list(session.scalars(query))
    for held in found:
        LICENSE.advance(held, "let_go_on", _SYSTEM)
        held.breach_by = held.cure_until = None
        note(session, actor, held, "notice_lapsed")
        record(session, actor, "license.breach_notice_lapsed", held.id, owner_org_id=held.designer_org_id)
        for side in ("designer", "buyer"):
            tell(session, held, side, "breach_lapsed")
    return len(found)
