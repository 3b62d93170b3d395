"""What happens to a license: its document, signatures, payment, life."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from marketplace.audit.operations import record
from marketplace.db.jobs import JobName, stage
from marketplace.db.locks import lock
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, NotFound
from marketplace.kernel.money import Money
from marketplace.licensing import identity
from marketplace.licensing.contract.certificate import fresh_code
from marketplace.licensing.contract.events import note
from marketplace.licensing.contract.life import tell
from marketplace.licensing.contract.signing import Given, add_signature, check_turn
from marketplace.licensing.grants import settled_period
from marketplace.licensing.models import License, Signature
from marketplace.licensing.queries import signatures
from marketplace.licensing.rules import BEFORE, LICENSE, SIGNS_FIRST, other, side_of
from marketplace.payments.operations import open_checkout as open_payment
from marketplace.payments.operations import release
from marketplace.payments.rules import Share

_SYSTEM = frozenset({"system"})


def document_made(session: Session, actor: Actor, license_id: str, *, key: str, sha256: str) -> None:
    """Attach the agreement and ask the side that signs first; nothing happens when that was done before.

    It names both parties, so the designer knows the buyer from here on.
    """
    held = lock(session, License, license_id)
    if held.state != "drafting":
        return
    LICENSE.advance(held, "document_made", _SYSTEM)
    held.document_key, held.document_sha256 = key, sha256
    record(session, actor, "license.drafted", held.id, owner_org_id=held.designer_org_id, sha256=sha256)
    note(session, actor, held, "drawn_up", sha256=sha256, clauses=held.clause_version)
    identity.unlock(session, actor, held)
    tell(session, held, SIGNS_FIRST, "license_to_sign")
    tell(session, held, other(SIGNS_FIRST), "license_drafted")


def sign(session: Session, actor: Actor, license_id: str, given: Given) -> Signature:
    """Sign for one's side. The second signature makes it payable, or active when there is no fee.

    Raises as contract.signing's `check_turn` and `add_signature`, and Conflict when the state does not allow signing.
    """
    held = lock(session, License, license_id)
    side = side_of(held, actor)
    if side is None:
        raise NotFound
    signed = {row.side for row in signatures(session, license_id)}
    if side not in signed:
        LICENSE.target(held.state, "sign", {side})
    check_turn(SIGNS_FIRST, side, signed, held.state)
    made = add_signature(session, actor, held, given, document_sha256=held.document_sha256)
    LICENSE.advance(held, "sign", {side})
    counterpart = held.buyer_org_id if side == "designer" else held.designer_org_id
    record(
        session,
        actor,
        "license.signed",
        held.id,
        owner_org_id=counterpart,
        side=side,
        sha256=held.document_sha256,
    )
    if other(side) in signed:
        _fully_signed(session, actor, held)
    else:
        tell(session, held, other(side), "license_to_sign")
    return made


def open_checkout(session: Session, actor: Actor, license_id: str, *, design: str) -> str:
    """The id of the checkout that pays the license fee to the designer. Raises Conflict unless it is to be paid."""
    held = lock(session, License, license_id)
    if held.buyer_org_id != actor.org_id:
        raise NotFound
    if held.state != "to_pay":
        raise Conflict(
            "already_paid" if held.active_from is not None else "not_payable",
            "There is nothing to pay for this license now.",
            extra={"state": held.state},
        )
    fee = fee_of(held)
    return open_payment(
        session,
        actor,
        purpose="license",
        subject_id=held.id,
        payer_org_id=held.buyer_org_id,
        amount=fee,
        about={"design": design},
        shares=[Share(held.designer_org_id, "license_fee", fee)],
        agreed_at=held.created_at,
        success_path=f"/licenses/{held.id}?paid=1",
        cancel_path=f"/licenses/{held.id}",
    )


def activate(session: Session, actor: Actor, license_id: str) -> None:
    """Start a paid license and release the fee to the designer; a second call changes nothing.

    Raises Conflict when it is not to be paid.
    """
    held = lock(session, License, license_id)
    if held.state not in BEFORE and held.active_from is not None:
        return
    LICENSE.advance(held, "activate", _SYSTEM)
    _start(session, actor, held, clock.now())
    record(session, actor, "license.activated", held.id, owner_org_id=held.designer_org_id)
    release(session, actor, purpose="license", subject_id=held.id)
    for side in ("designer", "buyer"):
        tell(session, held, side, "license_active")


def fee_of(held: License) -> Money:
    """The license fee."""
    return Money(held.fee_amount, held.currency)


def _fully_signed(session: Session, actor: Actor, held: License) -> None:
    held.signed_at = now = clock.now()
    held.verify_code = fresh_code()
    args: dict[str, Any] = {"license_id": held.id, "signed": True}
    stage(session, JobName.MAKE_LICENSE_DOCUMENT, f"{held.id}:signed", args, subject=held.id, org_id=actor.org_id)
    if held.fee_amount == 0:
        LICENSE.advance(held, "fully_signed_free", _SYSTEM)
        note(session, actor, held, "fully_signed")
        _start(session, actor, held, now)
        record(session, actor, "license.activated", held.id, owner_org_id=held.designer_org_id)
        for side in ("designer", "buyer"):
            tell(session, held, side, "license_active")
        return
    LICENSE.advance(held, "fully_signed", _SYSTEM)
    note(session, actor, held, "fully_signed")
    tell(session, held, "buyer", "license_to_pay")
    tell(session, held, "designer", "license_signed")


def _start(session: Session, actor: Actor, held: License, now: datetime) -> None:
    held.active_from, held.active_until = settled_period(session, held, now)
    note(session, actor, held, "active")
