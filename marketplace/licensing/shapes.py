"""JSON of negotiations and licenses, in and out; the names are those of the public API."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, Field

from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.licensing.contract.life import expires_soon
from marketplace.licensing.contract.signing import whose_turn
from marketplace.licensing.meter import measure
from marketplace.licensing.models import License, Negotiation, Offer, Signature
from marketplace.licensing.queries import Around, counterpart
from marketplace.licensing.room import Room
from marketplace.licensing.rules import SIGNS_FIRST, considered, side_of, state_now
from marketplace.licensing.terms import Terms, changed_fields
from marketplace.messaging.models import MessageTranslation
from marketplace.messaging.queries import ThreadMessage
from marketplace.web.forms import Body, Version


class OpenIn(Body):
    """The first offer."""

    terms: Terms
    message: str | None = Field(default=None, max_length=4000)


class OfferIn(OpenIn):
    """A counter offer to `base_version`."""

    base_version: Version


class AcceptIn(Body):
    """The exact version; with `terms_hash` also the exact terms."""

    version: Version
    terms_hash: str | None = Field(default=None, max_length=64)


class DeclineIn(Body):
    """The version that is declined, and why."""

    version: Version
    reason: str | None = Field(default=None, max_length=4000)
    code: Literal["fee", "royalty", "scope", "duration", "timing", "capacity", "other"] | None = None


class AboutIn(Body):
    """The term and the version that a comment is about."""

    term: str = Field(max_length=40)
    version: Version


class MessageIn(Body):
    """A message; with `about` a comment on a term, with `files` the ids of uploaded files that go along.

    Sending the same `client_key` again returns the first message.
    """

    text: str = Field(default="", max_length=4000)
    about: AboutIn | None = None
    files: list[str] = Field(default=[], max_length=20)
    client_key: str | None = Field(default=None, max_length=40)


class AgreeIn(Body):
    """Marking a term of the version on the table as agreed, or taking the mark back."""

    version: Version
    term: str = Field(max_length=40)
    agreed: bool = True


class ResolveIn(Body):
    """Settling a comment, or opening it again."""

    message: str = Field(max_length=40)
    resolved: bool = True


class HandOverIn(Body):
    """The colleague who takes over."""

    user: str = Field(max_length=40)


class ReadIn(Body):
    """Up to when the thread was seen; now, when absent."""

    until: AwareDatetime | None = None


class FileIn(Body):
    """A file that is about to be uploaded."""

    filename: str = Field(min_length=1, max_length=255)
    content_type: str = Field(min_length=1, max_length=100)
    size: int
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    kind: str = Field(default="attachment", max_length=20)


class FileUploadOut(BaseModel):
    """The announced file and the form that sends its bytes; then `POST /assets/{id}/complete`."""

    asset: str
    upload: dict[str, Any]


class FileUrlOut(BaseModel):
    """Where a file can be fetched, for two minutes."""

    url: str
    name: str
    type: str
    size: int


class SignIn(Body):
    """A typed or drawn signature; `document_sha256` binds it to the document that was read.

    `agree` says yes to the document and to signing electronically, as `GET /signing-disclosure` describes it.
    `drawn` is SVG path data of moves and lines in a field of 600 x 200. `password` is needed when the token was made
    more than a quarter of an hour ago (403 `step_up_required`).
    """

    typed_name: str = Field(default="", max_length=200)
    agree: bool
    document_sha256: str | None = Field(default=None, max_length=64)
    drawn: str | None = Field(default=None, max_length=20_000)
    password: str | None = Field(default=None, max_length=256)


class DesignRef(BaseModel):
    """The design as it was when the negotiation began."""

    id: str
    title: str


class VersionOut(BaseModel):
    """One offer. `changed` names the fields that differ from the version before."""

    id: str
    version: int
    by: str
    at: datetime
    terms: dict[str, Any]
    terms_hash: str
    changed: list[str]


class MeterOut(BaseModel):
    """How many terms the two last said the same about, of how many; `open` names the others."""

    agreed: int
    total: int
    open: list[str]


class NegotiationOut(BaseModel):
    """A negotiation. `whose_turn` is null once it is over; `versions` is empty and `meter` null in lists.

    `seen_until` is up to when the other side has seen everything; `considered` while the buyer's colleagues are asked
    about the offer on the table. `first_refusal` is what became of the question to whoever must be asked before the
    version on the table: asked, taken_up, let_go, silent, withdrawn or ended; null in lists and when nobody was.
    """

    id: str
    design: DesignRef
    state: str
    whose_turn: str | None
    considered: bool
    your_side: str
    counterpart: str
    current_version: int
    expires_at: datetime
    created_at: datetime
    closed_code: str | None
    closed_reason: str | None
    license: str | None
    meter: MeterOut | None
    seen_until: datetime | None
    assignee: str | None
    first_refusal: str | None
    versions: list[VersionOut]


class NegotiationPage(BaseModel):
    """A page of negotiations."""

    items: list[NegotiationOut]
    next_cursor: str | None


class TranslationOut(BaseModel):
    """A translation and its status: pending, ready, figures_unchecked or failed."""

    lang: str
    status: str
    text: str | None
    model: str | None
    sandbox: bool


class MessageOut(BaseModel):
    """A message with the translation that was asked for, if there is one; `by_mail` when it was an answer to a mail."""

    id: str
    by: str
    mine: bool
    at: datetime
    text: str
    lang: str
    about: dict[str, Any] | None
    files: list[dict[str, Any]]
    by_mail: bool
    translation: TranslationOut | None


class MessagePage(BaseModel):
    """A page of messages, oldest first; the cursor leads to earlier ones."""

    items: list[MessageOut]
    next_cursor: str | None


class SignatureOut(BaseModel):
    """One side's signature."""

    side: str
    typed_name: str
    method: str
    at: datetime
    document_sha256: str


class LicenseOut(BaseModel):
    """A license. The document is at `/licenses/{id}/document` once `document_sha256` is there.

    `expiring`: it is in force and ends within 90 days; both sides are told 90, 30 and 7 days before.
    """

    id: str
    negotiation: str
    design: DesignRef
    counterpart: str
    your_side: str
    state: str
    kind: str
    terms: dict[str, Any]
    terms_hash: str
    fee: dict[str, Any]
    document_sha256: str | None
    signed_document_sha256: str | None
    signatures: list[SignatureOut]
    signs_next: str | None
    active_from: datetime | None
    active_until: datetime | None
    expiring: bool
    cure_until: datetime | None
    sell_off_until: datetime | None
    ended_at: datetime | None
    ended_why: str | None
    attested_at: datetime | None
    verify_code: str | None
    created_at: datetime


class LicensePageOut(BaseModel):
    """A page of licenses."""

    items: list[LicenseOut]
    next_cursor: str | None


class CheckoutOut(BaseModel):
    """Where to pay."""

    url: str


def negotiation_out(actor: Actor, row: Negotiation, this: Around | Room, versions: Sequence[Offer]) -> NegotiationOut:
    """A negotiation as the actor's side sees it; the meter with a Room."""
    state = state_now(row, clock.now())
    before: dict[str, Any] | None = None
    made = []
    for offer in versions:
        made.append(
            VersionOut(
                id=offer.id,
                version=offer.version,
                by=offer.side,
                at=offer.created_at,
                terms=offer.terms,
                terms_hash=offer.terms_hash,
                changed=changed_fields(before, offer.terms),
            )
        )
        before = offer.terms
    return NegotiationOut(
        id=row.id,
        design=DesignRef(id=row.design_id, title=str(row.snapshot.get("title", ""))),
        state=state,
        whose_turn=row.turn if state == "open" else None,
        considered=considered(row, clock.now()),
        your_side=side_of(row, actor) or "",
        counterpart=counterpart(row, actor, this),
        current_version=row.current_version,
        expires_at=row.expires_at,
        created_at=row.created_at,
        closed_code=row.closed_code,
        closed_reason=row.closed_reason,
        license=this.license_id,
        meter=_meter(versions, this, accepted=state == "accepted") if isinstance(this, Room) else None,
        seen_until=this.their_read_at if isinstance(this, Room) else None,
        assignee=this.assignee if isinstance(this, Room) else None,
        first_refusal=this.first_refusal(row.current_version) if isinstance(this, Room) else None,
        versions=made,
    )


def _meter(versions: Sequence[Offer], room: Room, *, accepted: bool) -> MeterOut:
    found = measure(versions, room.marks, accepted=accepted)
    return MeterOut(agreed=found.agreed, total=found.total, open=[position.term for position in found.open])


def message_out(actor: Actor, designer_org_id: str, item: ThreadMessage) -> MessageOut:
    """A message; `by` is the side."""
    message = item.message
    return MessageOut(
        id=message.id,
        by="designer" if message.org_id == designer_org_id else "buyer",
        mine=message.org_id == actor.org_id,
        at=message.created_at,
        text=message.text,
        lang=message.lang.replace("_", "-"),
        about={"term": message.term, "version": message.version} if message.term else None,
        files=[{name: item.get(name) for name in ("asset", "name", "type", "size")} for item in message.files],
        by_mail=message.by_mail,
        translation=_translation(item.translation),
    )


def signature_out(mark: Signature) -> SignatureOut:
    """A signature; the drawing is in the document."""
    return SignatureOut(
        side=mark.side,
        typed_name=mark.typed_name,
        method=mark.method,
        at=mark.at,
        document_sha256=mark.document_sha256,
    )


def license_out(actor: Actor, held: License, this: Around, title: str, signed: list[Signature]) -> LicenseOut:
    """A license as the actor's side sees it."""
    return LicenseOut(
        id=held.id,
        negotiation=held.negotiation_id,
        design=DesignRef(id=held.design_id, title=title),
        counterpart=counterpart(held, actor, this),
        your_side=side_of(held, actor) or "",
        state=held.state,
        kind=held.kind,
        terms=held.terms,
        terms_hash=held.terms_hash,
        fee={"amount": held.fee_amount, "currency": held.currency},
        document_sha256=held.document_sha256,
        signed_document_sha256=held.signed_document_sha256,
        signatures=[signature_out(mark) for mark in signed],
        signs_next=whose_turn(SIGNS_FIRST, {mark.side for mark in signed}) if held.state == "to_sign" else None,
        active_from=held.active_from,
        active_until=held.active_until,
        expiring=expires_soon(held),
        cure_until=held.cure_until,
        sell_off_until=held.sell_off_until,
        ended_at=held.ended_at,
        ended_why=held.ended_why,
        attested_at=held.attested_at,
        verify_code=held.verify_code,
        created_at=held.created_at,
    )


def _translation(row: MessageTranslation | None) -> TranslationOut | None:
    if row is None:
        return None
    return TranslationOut(
        lang=row.lang.replace("_", "-"), status=row.state, text=row.text, model=row.model, sandbox=row.sandbox
    )
