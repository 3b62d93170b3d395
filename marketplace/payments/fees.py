"""The platform's fee: a schedule by purpose and day. A rate in force is never changed, a later one takes over."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.audit.operations import record
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, Invalid
from marketplace.payments.models import FeeRate

PURPOSES = ("license", "order", "royalty")


def rate(session: Session, purpose: str, at: datetime) -> FeeRate:
    """The rate in force at a moment. Raises Conflict `no_fee_rate` before the schedule begins."""
    query = (
        select(FeeRate)
        .where(FeeRate.purpose == purpose, FeeRate.valid_from <= at.astimezone(UTC).date())
        .order_by(FeeRate.valid_from.desc())
        .limit(1)
    )
    found = session.scalars(query).one_or_none()
    if found is None:
        raise Conflict("no_fee_rate", "No fee is set for this kind of payment yet.")
    return found


def schedule(session: Session) -> Sequence[FeeRate]:
    """The whole schedule, by purpose, newest first."""
    return session.scalars(select(FeeRate).order_by(FeeRate.purpose, FeeRate.valid_from.desc())).all()


def announce(session: Session, actor: Actor, *, purpose: str, bps: int, valid_from: date, note: str) -> FeeRate:
    """Add a rate from a day on. Raises Invalid for an unknown purpose, a rate outside 0-10,000 or a day before
    tomorrow (what was agreed under a rate keeps it), Conflict `rate_there` when the day has a rate already.
    """
    if purpose not in PURPOSES or not 0 <= bps <= 10_000:
        raise Invalid("fee_invalid", "Choose what the fee is for and a rate from 0 to 100 percent.")
    if valid_from < clock.now().date() + timedelta(days=1):
        raise Invalid("fee_backdated", "A new fee begins tomorrow at the earliest.")
    there = select(FeeRate.id).where(FeeRate.purpose == purpose, FeeRate.valid_from == valid_from)
    if session.scalars(there).first() is not None:
        raise Conflict("rate_there", "There is a rate for this day already.")
    row = FeeRate(purpose=purpose, bps=bps, valid_from=valid_from, note=note[:200])
    session.add(row)
    session.flush()
    record(session, actor, "fee.announced", purpose, bps=bps, valid_from=valid_from.isoformat())
    return row
