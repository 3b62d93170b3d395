"""What happens to a license after the signature, over the API; and the check of a signed document."""

from datetime import datetime
from typing import Any

from flask import Response
from pydantic import BaseModel, Field

from marketplace.gateways.s3_names import content_disposition
from marketplace.kernel.errors import Conflict
from marketplace.licensing.access import AddendumOf, load_addendum, load_license
from marketplace.licensing.contract import addenda, life, verifying
from marketplace.licensing.contract import breach as notices
from marketplace.licensing.contract.disclosure import disclosure
from marketplace.licensing.contract.events import log_of, unbroken
from marketplace.licensing.contract.papers import signatures_under, signed_addenda_of
from marketplace.licensing.contract.signing import whose_turn
from marketplace.licensing.license_api import MAX_DOCUMENT_BYTES, given
from marketplace.licensing.models import Addendum, License, Signature
from marketplace.licensing.shapes import SignatureOut, SignIn, signature_out
from marketplace.licensing.terms import Terms
from marketplace.policy.permissions import Permission
from marketplace.web.call import Call
from marketplace.web.forms import Body
from marketplace.web.i18n import locale_code
from marketplace.web.limits import limit, network
from marketplace.web.section import Api

api = Api("contracts")


class AmendIn(Body):
    """The terms as they are to be from then on, all of them; kind, start and fee stay."""

    terms: Terms
    reason: str | None = Field(default=None, max_length=1000)


class TerminateIn(Body):
    """Why, and for how many months what is left may still be sold."""

    reason: str | None = Field(default=None, max_length=1000)
    sell_off_months: int = 0


class BreachIn(Body):
    """What is wrong and what would put it right."""

    reason: str = Field(min_length=1, max_length=1000)


class AttestIn(Body):
    """The buyer's word, under the account's own name, that files, molds and masters are destroyed everywhere."""

    typed_name: str = Field(min_length=1, max_length=200)
    destroyed: bool


class AddendumOut(BaseModel):
    """An amendment or a termination. `whose_turn` is the side that signs next."""

    id: str
    license: str
    number: int
    kind: str
    state: str
    proposed_by: str
    whose_turn: str | None
    reason: str | None
    terms: dict[str, Any] | None
    terms_hash: str | None
    sell_off_months: int
    document_sha256: str | None
    signed_document_sha256: str | None
    signatures: list[SignatureOut]
    created_at: datetime
    signed_at: datetime | None


class AddendaOut(BaseModel):
    """The addenda of a license, newest first."""

    items: list[AddendumOut]


class EventOut(BaseModel):
    """One entry of a license's log; `hash` is over the entry and `previous`."""

    seq: int
    kind: str
    at: datetime
    side: str | None
    addendum: str | None
    details: dict[str, Any]
    previous: str
    hash: str


class LogOut(BaseModel):
    """The log of a license; `unbroken` when every hash is right."""

    items: list[EventOut]
    unbroken: bool


class StateOut(BaseModel):
    """Where the license stands now."""

    id: str
    state: str
    cure_until: datetime | None
    sell_off_until: datetime | None
    attested_at: datetime | None


class DisclosureOut(BaseModel):
    """What signers are told about signing electronically."""

    language: str
    version: str
    text: str
    sha256: str


class VerifyIn(Body):
    """The code of a certificate, the SHA-256 (hex) of a file, or both, which then have to be of one document."""

    code: str | None = Field(default=None, max_length=60)
    sha256: str | None = Field(default=None, min_length=64, max_length=64)


class VerifyOut(BaseModel):
    """What is known of a document. `found` false: it is not one of ours, or it was changed.

    `other_file`: the code is one of ours, but the file is not the document it belongs to. `by_file` false: the code
    alone was given, and no file was compared; compare its SHA-256 with `sealed_sha256`.
    """

    found: bool
    other_file: bool = False
    by_file: bool | None = None
    kind: str | None = None
    number: str | None = None
    signed_at: datetime | None = None
    sealed_at: datetime | None = None
    signers: int | None = None
    sealed_copy: bool | None = None
    in_force: bool | None = None
    sealed_sha256: str | None = None


@api.get("/signing-disclosure", needs=Permission.PUBLIC, returns=DisclosureOut, summary="About signing electronically")
def signing_disclosure(call: Call) -> DisclosureOut:
    """In the language asked for; every signature names version and hash of what was told."""
    told = disclosure(locale_code())
    return DisclosureOut(language=told.language, version=told.version, text=told.text, sha256=told.sha256)


@api.call("POST", "/verify", needs=Permission.PUBLIC, body=VerifyIn, returns=VerifyOut, summary="Check a document")
def verify(call: Call, body: VerifyIn) -> VerifyOut:
    """By code or fingerprint; says nothing of parties, design or terms."""
    limit("verify", network(call.actor.ip), verifying.RATE)
    answer = verifying.check(call.session, code=body.code, sha256=body.sha256)
    if answer.found is None:
        return VerifyOut(found=False, other_file=answer.other_file)
    return VerifyOut(found=True, **answer.found.said())


@api.get(
    "/licenses/<license_id>/log",
    needs=Permission.LICENSE_READ,
    subject=load_license,
    returns=LogOut,
    summary="What happened to a license",
)
def log(call: Call, held: License) -> LogOut:
    """Oldest first, hash-chained."""
    found = log_of(call.session, held.id)
    return LogOut(
        items=[
            EventOut(
                seq=e.seq,
                kind=e.kind,
                at=e.at,
                side=e.side,
                addendum=e.addendum_id,
                details=e.details,
                previous=e.previous,
                hash=e.hash,
            )
            for e in found
        ],
        unbroken=unbroken(found),
    )


@api.get(
    "/licenses/<license_id>/addenda",
    needs=Permission.LICENSE_READ,
    subject=load_license,
    returns=AddendaOut,
    summary="Amendments and terminations",
)
def list_addenda(call: Call, held: License) -> AddendaOut:
    """Newest first."""
    found = signed_addenda_of(call.session, held.id)
    return AddendaOut(items=[_out(row, marks) for row, marks in found])


@api.get(
    "/licenses/<license_id>/addenda/<addendum_id>",
    needs=Permission.LICENSE_READ,
    subject=load_addendum,
    returns=AddendumOut,
    summary="An amendment or a termination",
)
def show_addendum(call: Call, subject: AddendumOf) -> AddendumOut:
    """With its signatures."""
    return _out(subject.row, signatures_under(call.session, subject.row))


@api.get(
    "/licenses/<license_id>/addenda/<addendum_id>/document",
    needs=Permission.LICENSE_READ,
    subject=load_addendum,
    summary="An amendment or a termination (PDF)",
)
def addendum_document(call: Call, subject: AddendumOf) -> Response:
    """Sealed, with its certificate, once all have signed."""
    key = subject.row.signed_document_key or subject.row.document_key
    if key is None:
        raise Conflict("not_drafted", "The agreement is still being drawn up. Try again in a moment.")
    response = Response(call.services.storage.read(key, MAX_DOCUMENT_BYTES), mimetype="application/pdf")
    response.headers["Content-Disposition"] = content_disposition("attachment", f"{subject.row.id}.pdf")
    return response


@api.call(
    "POST",
    "/licenses/<license_id>/amendments",
    needs=Permission.LICENSE_CHANGE,
    subject=load_license,
    body=AmendIn,
    returns=AddendumOut,
    status=201,
    summary="Propose other terms for a running license",
)
def amend(call: Call, held: License, body: AmendIn) -> AddendumOut:
    """The proposer signs first, then the other side; then the terms apply."""
    row = addenda.propose_amendment(call.session, call.actor, held.id, body.terms, reason=body.reason)
    return _out(row, [])


@api.call(
    "POST",
    "/licenses/<license_id>/terminations",
    needs=Permission.LICENSE_CHANGE,
    subject=load_license,
    body=TerminateIn,
    returns=AddendumOut,
    status=201,
    summary="Propose to end a running license",
)
def terminate(call: Call, held: License, body: TerminateIn) -> AddendumOut:
    """After an uncured breach the signature of the side that gave notice is enough."""
    row = addenda.propose_termination(
        call.session, call.actor, held.id, reason=body.reason, sell_off_months=body.sell_off_months
    )
    return _out(row, [])


@api.call(
    "POST",
    "/licenses/<license_id>/addenda/<addendum_id>/sign",
    needs=Permission.LICENSE_SIGN,
    subject=load_addendum,
    body=SignIn,
    returns=AddendumOut,
    summary="Sign an amendment or a termination",
)
def sign_addendum(call: Call, subject: AddendumOf, body: SignIn) -> AddendumOut:
    """As signing a license."""
    addenda.sign(call.session, call.actor, subject.row.id, given(call, body))
    call.session.flush()
    return _out(subject.row, signatures_under(call.session, subject.row))


@api.call(
    "POST",
    "/licenses/<license_id>/addenda/<addendum_id>/close",
    needs=Permission.LICENSE_CHANGE,
    subject=load_addendum,
    returns=AddendumOut,
    summary="Withdraw or decline an amendment or a termination",
)
def close_addendum(call: Call, subject: AddendumOf) -> AddendumOut:
    """Withdraws the own proposal, declines the other side's."""
    addenda.close(call.session, call.actor, subject.row.id)
    return _out(subject.row, signatures_under(call.session, subject.row))


@api.call(
    "POST",
    "/licenses/<license_id>/breach",
    needs=Permission.LICENSE_CHANGE,
    subject=load_license,
    body=BreachIn,
    returns=StateOut,
    summary="Give notice of a breach",
)
def breach(call: Call, held: License, body: BreachIn) -> StateOut:
    """The other side has thirty days to cure it; the license goes on meanwhile."""
    notices.give_notice(call.session, call.actor, held.id, body.reason)
    return _state(held)


@api.call(
    "POST",
    "/licenses/<license_id>/cured",
    needs=Permission.LICENSE_CHANGE,
    subject=load_license,
    returns=StateOut,
    summary="Say that the breach is cured",
)
def cured(call: Call, held: License) -> StateOut:
    """For the side that gave notice."""
    notices.confirm_cured(call.session, call.actor, held.id)
    return _state(held)


@api.call(
    "POST",
    "/licenses/<license_id>/attest",
    needs=Permission.LICENSE_ATTEST,
    subject=load_license,
    body=AttestIn,
    returns=StateOut,
    summary="Attest that files, molds and masters are destroyed",
)
def attest(call: Call, held: License, body: AttestIn) -> StateOut:
    """For the buyer, after the end."""
    life.attest(call.session, call.actor, held.id, typed_name=body.typed_name, destroyed=body.destroyed)
    return _state(held)


def _state(held: License) -> StateOut:
    return StateOut(
        id=held.id,
        state=held.state,
        cure_until=held.cure_until,
        sell_off_until=held.sell_off_until,
        attested_at=held.attested_at,
    )


def _out(row: Addendum, marks: list[Signature]) -> AddendumOut:
    turn = whose_turn(row.by_side, {m.side for m in marks}, row.signers) if row.state == "to_sign" else None
    return AddendumOut(
        id=row.id,
        license=row.license_id,
        number=row.number,
        kind=row.kind,
        state=row.state,
        proposed_by=row.by_side,
        whose_turn=turn,
        reason=row.reason,
        terms=row.terms,
        terms_hash=row.terms_hash,
        sell_off_months=row.sell_off_months,
        document_sha256=row.document_sha256,
        signed_document_sha256=row.signed_document_sha256,
        signatures=[signature_out(mark) for mark in marks],
        created_at=row.created_at,
        signed_at=row.signed_at,
    )
