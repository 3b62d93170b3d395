"""What happens to a license: its document, signatures, payment, life."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.audit.operations import record
from marketplace.db.jobs import JobName, stage
from marketplace.db.locks import lock
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, Invalid, NotFound
from marketplace.kernel.money import Money
from marketplace.licensing.models import License, Negotiation, Signature
from marketplace.licensing.queries import signatures
from marketplace.licensing.rights import period
from marketplace.licensing.rules import LICENSE, SIGN_WITHIN, other, same_name, side_of
from marketplace.licensing.terms import Terms
from marketplace.notifications.operations import notify_org
from marketplace.payments.operations import open_checkout as open_payment
from marketplace.payments.operations import release
from marketplace.payments.rules import Share

_SYSTEM = frozenset({"system"})


def document_made(session: Session, actor: Actor, license_id: str, *, key: str, sha256: str) -> None:
    """Attach the agreement and ask both sides to sign; nothing happens when that was done before."""
    held = lock(session, License, license_id)
    if held.state != "drafting":
        return
    LICENSE.advance(held, "document_made", _SYSTEM)
    held.document_key, held.document_sha256 = key, sha256
    record(session, actor, "license.drafted", held.id, owner_org_id=held.designer_org_id, sha256=sha256)
    for side in ("designer", "buyer"):
        _tell(session, held, side, "license_to_sign")


def signed_document_made(session: Session, actor: Actor, license_id: str, *, key: str, sha256: str) -> None:
    """Attach the agreement with its signature page, once."""
    held = lock(session, License, license_id)
    if held.signed_document_key is not None:
        return
    held.signed_document_key, held.signed_document_sha256 = key, sha256
    record(session, actor, "license.certified", held.id, owner_org_id=held.designer_org_id, sha256=sha256)


def sign(
    session: Session,
    actor: Actor,
    license_id: str,
    *,
    typed_name: str,
    agree: bool,
    document_sha256: str | None = None,
    user_agent: str | None = None,
) -> Signature:
    """Sign for one's side. The second signature makes it payable, or active when there is no fee.

    Raises Invalid when the name is not the account's or the box is not ticked; Conflict `document_changed` when
    `document_sha256` is of another document, `already_signed`, or when the state does not allow signing.
    """
    held = lock(session, License, license_id)
    side = side_of(held, actor)
    if side is None or actor.user_id is None or actor.org_id is None:
        raise NotFound
    signed = {row.side: row for row in signatures(session, license_id)}
    if side in signed:
        raise Conflict("already_signed", "Your side has signed already.", extra={"state": held.state})
    LICENSE.target(held.state, "sign", {side})
    if not agree:
        words = "Tick the box to say that you agree."
        raise Invalid("invalid", words, fields={"agree": words})
    if not same_name(typed_name, actor.name):
        raise Invalid(
            "name_mismatch",
            "Type your name as it stands in your account: %(name)s",
            params={"name": actor.name},
            fields={"typed_name": "This is not the name of your account."},
        )
    if held.document_sha256 is None or (document_sha256 is not None and document_sha256 != held.document_sha256):
        raise Conflict("document_changed", "This is not the document on record. Open and read it again.")
    LICENSE.advance(held, "sign", {side})
    made = Signature(
        license_id=held.id,
        side=side,
        user_id=actor.user_id,
        org_id=actor.org_id,
        typed_name=" ".join(typed_name.split()),
        at=clock.now(),
        ip=actor.ip,
        user_agent=(user_agent or "")[:300] or None,
        document_sha256=held.document_sha256,
    )
    session.add(made)
    session.flush()
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
        _tell(session, held, other(side), "license_signed")
    return made


def open_checkout(session: Session, actor: Actor, license_id: str, *, fee_bps: int, title: str) -> str:
    """The id of the checkout that pays the license fee to the designer. Raises Conflict unless it is to be paid."""
    held = lock(session, License, license_id)
    if held.buyer_org_id != actor.org_id:
        raise NotFound
    if held.state != "to_pay":
        raise Conflict(
            "already_paid" if held.state in {"active", "expired"} else "not_payable",
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
        description=title,
        shares=[Share(held.designer_org_id, "license_fee", fee)],
        fee_bps=fee_bps,
        success_path=f"/licenses/{held.id}?paid=1",
        cancel_path=f"/licenses/{held.id}",
    )


def activate(session: Session, actor: Actor, license_id: str) -> None:
    """Start a paid license and release the fee to the designer; a second call changes nothing.

    Raises Conflict when it is not to be paid.
    """
    held = lock(session, License, license_id)
    if held.state in {"active", "expired"}:
        return
    LICENSE.advance(held, "activate", _SYSTEM)
    _start(held, clock.now())
    record(session, actor, "license.activated", held.id, owner_org_id=held.designer_org_id)
    release(session, actor, purpose="license", subject_id=held.id)
    for side in ("designer", "buyer"):
        _tell(session, held, side, "license_active")


def expire_due(session: Session, actor: Actor, *, limit: int = 200) -> int:
    """End what ran out: active licenses past their term, and agreements nobody signed in time; returns how many."""
    now = clock.now()
    past_term = (License.state == "active") & (License.active_until <= now)
    unsigned = License.state.in_(("drafting", "to_sign")) & (License.created_at <= now - SIGN_WITHIN)
    query = (
        select(License).where(past_term | unsigned).order_by(License.id).limit(limit).with_for_update(skip_locked=True)
    )
    found = list(session.scalars(query))
    for held in found:
        action = "expire" if held.state == "active" else "lapse"
        LICENSE.advance(held, action, _SYSTEM)
        record(session, actor, f"license.{action}d", held.id, owner_org_id=held.designer_org_id)
    return len(found)


def fee_of(held: License) -> Money:
    """The license fee."""
    return Money(held.fee_amount, held.currency)


def _fully_signed(session: Session, actor: Actor, held: License) -> None:
    held.signed_at = now = clock.now()
    args: dict[str, Any] = {"license_id": held.id, "signed": True}
    stage(session, JobName.MAKE_LICENSE_DOCUMENT, f"{held.id}:signed", args, subject=held.id, org_id=actor.org_id)
    if held.fee_amount == 0:
        LICENSE.advance(held, "fully_signed_free", _SYSTEM)
        _start(held, now)
        record(session, actor, "license.activated", held.id, owner_org_id=held.designer_org_id)
        for side in ("designer", "buyer"):
            _tell(session, held, side, "license_active")
        return
    LICENSE.advance(held, "fully_signed", _SYSTEM)
    _tell(session, held, "buyer", "license_to_pay")
    _tell(session, held, "designer", "license_signed")


def _start(held: License, now: datetime) -> None:
    terms = Terms.model_validate(held.terms)
    held.active_from, held.active_until = period(terms.start, terms.term_months, now)


def _tell(session: Session, held: License, side: str, kind: str) -> None:
    negotiation = session.get_one(Negotiation, held.negotiation_id)
    org_id = held.designer_org_id if side == "designer" else held.buyer_org_id
    title = str(negotiation.snapshot.get("title", ""))
    notify_org(session, org_id, kind, path=f"/licenses/{held.id}", design=title)
