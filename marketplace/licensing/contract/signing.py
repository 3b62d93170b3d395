"""One signature under one exact document: whose turn it is, what must be given, and what is kept of it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, Invalid, NotFound
from marketplace.licensing.contract.disclosure import disclosure
from marketplace.licensing.contract.drawn import checked
from marketplace.licensing.contract.events import note
from marketplace.licensing.models import License, Signature
from marketplace.licensing.rules import other, same_name, side_of


@dataclass(frozen=True, slots=True)
class Given:
    """What a signer gives. `agree` says yes to the document and to signing electronically (contract/disclosure.py).

    `typed_name` is the account's own name; with `drawn` (contract/drawn.py) it may be empty. `proved_at` is when the
    signer was last proved to be the account's owner (accounts/step_up.py).
    """

    proved_at: datetime
    agree: bool
    typed_name: str = ""
    drawn: str | None = None
    document_sha256: str | None = None
    user_agent: str | None = None


def whose_turn(first: str, signed: Collection[str], signers: int = 2) -> str | None:
    """The side that signs next, or None when all have."""
    if first not in signed:
        return first
    return other(first) if signers == 2 and other(first) not in signed else None


def check_turn(first: str, side: str, signed: Collection[str], state: str, signers: int = 2) -> None:
    """Raise Conflict `already_signed`, or `signs_later` when the other side has to sign first."""
    if side in signed:
        raise Conflict("already_signed", "Your side has signed already.", extra={"state": state})
    if whose_turn(first, signed, signers) != side:
        raise Conflict(
            "signs_later",
            "The other side signs first. We write to you when it is your turn.",
            extra={"state": state, "signs_first": first},
        )


def add_signature(
    session: Session,
    actor: Actor,
    held: License,
    given: Given,
    *,
    document_sha256: str | None,
    addendum_id: str | None = None,
) -> Signature:
    """Keep a signature and note it in the license's log; the caller holds the license's row lock.

    Raises Invalid when the box is not ticked, the name is not the account's or the drawing is none; Conflict
    `document_changed` when the signer read another document than `document_sha256`.
    """
    side = side_of(held, actor)
    if side is None or actor.user_id is None or actor.org_id is None:
        raise NotFound
    if not given.agree:
        words = "Tick the box to say that you agree."
        raise Invalid("invalid", words, fields={"agree": words})
    drawn = checked(given.drawn) if given.drawn else None
    if not (drawn and not given.typed_name) and not same_name(given.typed_name, actor.name):
        raise Invalid(
            "name_mismatch",
            "Type your name as it stands in your account: %(name)s",
            params={"name": actor.name},
            fields={"typed_name": "This is not the name of your account."},
        )
    if document_sha256 is None or given.document_sha256 not in {None, document_sha256}:
        raise Conflict("document_changed", "This is not the document on record. Open and read it again.")
    told = disclosure(actor.locale)
    made = Signature(
        license_id=held.id,
        addendum_id=addendum_id,
        side=side,
        user_id=actor.user_id,
        org_id=actor.org_id,
        typed_name=" ".join((given.typed_name or actor.name).split()),
        method="drawn" if drawn else "typed",
        drawn=drawn,
        at=clock.now(),
        ip=actor.ip,
        user_agent=(given.user_agent or "")[:300] or None,
        document_sha256=document_sha256,
        disclosure_version=told.version,
        disclosure_sha256=told.sha256,
        proved_at=given.proved_at,
    )
    session.add(made)
    session.flush()
    note(
        session,
        actor,
        held,
        "signed",
        addendum_id=addendum_id,
        signature=made.id,
        sha256=document_sha256,
        disclosure=told.sha256,
    )
    return made
