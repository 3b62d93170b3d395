"""The life of a license by the clock and by its parties: notices, expiry, sell-off, breach and cure, the end."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Integer, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from marketplace.audit.operations import record
from marketplace.db.locks import lock
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, Invalid, NotFound
from marketplace.licensing.contract.events import note
from marketplace.licensing.models import Addendum, License, LicenseEvent, Negotiation
from marketplace.licensing.rights import add_months
from marketplace.licensing.rules import (
    ADDENDUM,
    ADDENDUM_OPEN,
    ASK_AGAIN,
    CLOSE_WITHIN,
    LICENSE,
    NOTICE_DAYS,
    PAY_WITHIN,
    RUNNING,
    SIGN_WITHIN,
    same_name,
    side_of,
)
from marketplace.notifications.operations import notify_org
from marketplace.payments.models import Checkout

_SYSTEM = frozenset({"system"})
_SELL_OFF: ColumnElement[int] = func.coalesce(License.terms["sell_off_months"].astext.cast(Integer), 0)


def in_force(now: datetime) -> ColumnElement[bool]:
    """The condition under which a license gives its buyer the rights at this moment, also while a breach is cured.

    The one place that says so: ordering, retention and statements all ask by it.
    """
    return and_(
        License.state.in_(RUNNING),
        License.active_from <= now,
        or_(License.active_until.is_(None), License.active_until > now),
    )


def expiring(now: datetime) -> ColumnElement[bool]:
    """The condition under which a license ends soon: it runs, and the first notice before its end is due."""
    return and_(
        License.state.in_(RUNNING),
        License.active_until > now,
        License.active_until <= now + timedelta(days=NOTICE_DAYS[0]),
    )


def expires_soon(held: License) -> bool:
    """As `expiring`, of one license."""
    left = held.active_until - clock.now() if held.state in RUNNING and held.active_until else None
    return left is not None and timedelta() < left <= timedelta(days=NOTICE_DAYS[0])


def real_end(held: License) -> datetime | None:
    """Until when the buyer may use the rights, or could: the term's end, or an earlier one; with the sell-off."""
    if held.state == "sell_off":
        return held.sell_off_until
    return held.ended_at if held.ended_why in {"mutual", "breach"} else held.active_until


def expire_due(session: Session, actor: Actor, *, limit: int = 200) -> int:
    """Take every license whose time has come one step on; returns how many moved.

    Unsigned and unpaid agreements lapse, active ones expire, expired ones go into their sell-off or end.
    """
    now = clock.now()
    being_paid = exists().where(
        Checkout.purpose == "license", Checkout.subject_id == License.id, Checkout.state == "open"
    )
    steps = {
        "lapse": License.state.in_(("drafting", "to_sign")) & (License.created_at <= now - SIGN_WITHIN)
        | (License.state == "to_pay") & (License.signed_at <= now - PAY_WITHIN) & ~being_paid,
        "expire": License.state.in_(RUNNING) & (License.active_until <= now),
        "sell_off": (License.state == "expired") & (_SELL_OFF > 0),
        "close": (License.state == "sell_off") & (License.sell_off_until <= now)
        | (License.state == "expired") & (_SELL_OFF == 0) & (License.active_until <= now - CLOSE_WITHIN),
    }
    query = (
        select(License).where(or_(*steps.values())).order_by(License.id).limit(limit).with_for_update(skip_locked=True)
    )
    found = list(session.scalars(query))
    for held in found:
        if held.state in {"drafting", "to_sign", "to_pay"}:
            _end(session, actor, held, "lapse", "not_paid" if held.state == "to_pay" else "not_signed")
        elif held.state in RUNNING:
            _move(session, actor, held, "expire", "license_expired")
        elif held.state == "expired" and int(held.terms.get("sell_off_months") or 0) > 0:
            held.sell_off_until = add_months(held.active_until or now, int(held.terms["sell_off_months"]))
            _move(session, actor, held, "sell_off", "license_sell_off")
        else:
            _end(session, actor, held, "close", _why(session, held))
    return len(found)


def lapse_addenda(session: Session, actor: Actor, *, limit: int = 200) -> int:
    """Let go of addenda that were not signed in time, or whose license ended meanwhile; returns how many.

    Both sides are told, unless the license has ended: that was said, and there is nothing left to change.
    """
    now = clock.now()
    query = (
        select(License, Addendum.id)
        .join(Addendum, Addendum.license_id == License.id)
        .where(
            Addendum.state.in_(ADDENDUM_OPEN),
            (Addendum.created_at <= now - SIGN_WITHIN) | License.state.not_in(RUNNING),
        )
        .order_by(License.id)
        .limit(limit)
        .with_for_update(of=License, skip_locked=True)
    )
    done = 0
    for held, addendum_id in session.execute(query).all():
        row = lock(session, Addendum, addendum_id)
        if row.state not in ADDENDUM_OPEN:
            continue
        let_lapse(session, actor, held, row)
        done += 1
        for side in ("designer", "buyer") if held.state in RUNNING else ():
            tell(session, held, side, "addendum_lapsed")
    return done


def let_lapse(session: Session, actor: Actor, held: License, row: Addendum) -> None:
    """Close an addendum nobody signs any more; the caller holds both rows' locks and tells whom it concerns."""
    ADDENDUM.advance(row, "lapse", _SYSTEM)
    row.closed_at = clock.now()
    note(session, actor, held, "addendum_lapsed", addendum_id=row.id)
    record(session, actor, "license.addendum_lapsed", row.id, owner_org_id=held.designer_org_id)


def give_notices(session: Session, actor: Actor, *, limit: int = 200) -> int:
    """Tell both sides 90, 30 and 7 days before the end, once each; returns how many were told.

    A notice that was missed for longer than until the next one is left out: each says how long there still is.
    """
    now = clock.now()
    told = 0
    for days, nearer in zip(NOTICE_DAYS, (*NOTICE_DAYS[1:], 0), strict=True):
        key = func.concat(f"notice_{days}_", func.to_char(func.timezone("UTC", License.active_until), "YYYYMMDD"))
        known = exists().where(LicenseEvent.license_id == License.id, LicenseEvent.key == key)
        query = (
            select(License)
            .where(
                License.state.in_(RUNNING),
                License.active_until > now + timedelta(days=nearer),
                License.active_until <= now + timedelta(days=days),
                # No notice 90 days ahead for a license that runs for a month.
                License.active_from <= License.active_until - timedelta(days=days),
                ~known,
            )
            .order_by(License.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        for held in session.scalars(query):
            until = (held.active_until or now).astimezone(UTC)
            if note(session, actor, held, "notice", key=f"notice_{days}_{until:%Y%m%d}", days=days) is None:
                continue
            for side in ("designer", "buyer"):
                tell(session, held, side, "license_expiring", days=days)
            told += 1
    return told


def ask_for_attestations(session: Session, actor: Actor, *, limit: int = 200) -> int:
    """Ask buyers of ended licenses to say that files, molds and masters are destroyed, every week until they do."""
    now = clock.now()
    asked = exists().where(
        LicenseEvent.license_id == License.id,
        LicenseEvent.kind == "attestation_asked",
        LicenseEvent.at > now - ASK_AGAIN,
    )
    query = (
        select(License)
        .where(_owes_attestation(), ~asked)
        .order_by(License.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    found = list(session.scalars(query))
    for held in found:
        note(session, actor, held, "attestation_asked")
        tell(session, held, "buyer", "attestation_due")
    return len(found)


def attest(session: Session, actor: Actor, license_id: str, *, typed_name: str, destroyed: bool) -> None:
    """The buyer says that all copies of the files, molds and masters are destroyed or returned, under their own name.

    Raises Conflict `nothing_to_attest` before the end and when it was said already, Invalid when it is not all said.
    """
    held, side = locked(session, actor, license_id)
    if side != "buyer":
        raise NotFound
    if not owes_attestation(held):
        raise Conflict("nothing_to_attest", "There is nothing to attest for this license now.")
    if not destroyed:
        words = "Tick everything you have done; only all of it together can be attested."
        raise Invalid("invalid", words, fields={"makers": words})
    if not same_name(typed_name, actor.name):
        raise Invalid(
            "name_mismatch",
            "Type your name as it stands in your account: %(name)s",
            params={"name": actor.name},
            fields={"typed_name": "This is not the name of your account."},
        )
    held.attested_at = clock.now()
    note(session, actor, held, "attested", name=" ".join(typed_name.split()))
    audited(session, actor, held, "license.attested", side)
    tell(session, held, "designer", "license_attested")
    if held.state == "expired":
        _end(session, actor, held, "close", "term")


def owes_attestation(held: License) -> bool:
    """Whether the buyer has still to say that files, molds and masters are destroyed."""
    over = held.state == "ended" or (held.state == "expired" and not held.terms.get("sell_off_months"))
    return over and held.active_from is not None and held.kind != "buyout" and held.attested_at is None


def terminate(session: Session, actor: Actor, held: License, row: Addendum) -> None:
    """End a running license by a signed termination; its stock may be sold for the row's `sell_off_months` more."""
    if row.sell_off_months:
        held.sell_off_until = add_months(clock.now(), row.sell_off_months)
        held.breach_by = held.cure_until = None
        _move(session, actor, held, "wind_down", "license_sell_off")
        return
    _end(session, actor, held, "terminate", _why_terminated(row.signers))


def tell(session: Session, held: License, side: str, kind: str, **params: Any) -> None:
    """Notify one side about its license."""
    negotiation = session.get_one(Negotiation, held.negotiation_id)
    org_id = held.designer_org_id if side == "designer" else held.buyer_org_id
    title = str(negotiation.snapshot.get("title", ""))
    notify_org(session, org_id, kind, path=f"/licenses/{held.id}", design=title, **params)


def _owes_attestation() -> ColumnElement[bool]:
    over = (License.state == "ended") | (License.state == "expired") & (_SELL_OFF == 0)
    return and_(over, License.active_from.is_not(None), License.kind != "buyout", License.attested_at.is_(None))


def _why(session: Session, held: License) -> str:
    """Why a license is over whose time has come: its term, or the termination that let its stock be sold."""
    signers = session.scalars(
        select(Addendum.signers).where(
            Addendum.license_id == held.id, Addendum.kind == "termination", Addendum.state == "done"
        )
    ).first()
    return "term" if signers is None else _why_terminated(signers)


def _why_terminated(signers: int) -> str:
    return "breach" if signers == 1 else "mutual"


def _end(session: Session, actor: Actor, held: License, action: str, why: str) -> None:
    held.ended_at, held.ended_why = clock.now(), why
    held.breach_by = held.cure_until = None
    _move(session, actor, held, action, "license_lapsed" if action == "lapse" else "license_ended", why=why)


def _move(session: Session, actor: Actor, held: License, action: str, kind: str, **details: str) -> None:
    LICENSE.advance(held, action, _SYSTEM)
    if held.state == "expired":
        held.breach_by = held.cure_until = None
    note(session, actor, held, _EVENTS[action], **details)
    record(session, actor, f"license.{_EVENTS[action]}", held.id, owner_org_id=held.designer_org_id, **details)
    for side in ("designer", "buyer"):
        tell(session, held, side, kind)


_EVENTS = {
    "lapse": "lapsed",
    "expire": "expired",
    "sell_off": "sell_off_began",
    "wind_down": "sell_off_began",
    "close": "ended",
    "terminate": "ended",
}


def locked(session: Session, actor: Actor, license_id: str) -> tuple[License, str]:
    """The license, locked, and the actor's side of it. Raises NotFound for anybody else."""
    held = lock(session, License, license_id)
    side = side_of(held, actor)
    if side is None:
        raise NotFound
    return held, side


def audited(session: Session, actor: Actor, held: License, action: str, side: str) -> None:
    """Put down in the audit log what a side did; the other side may read it."""
    owner = held.buyer_org_id if side == "designer" else held.designer_org_id
    record(session, actor, action, held.id, owner_org_id=owner, side=side)
