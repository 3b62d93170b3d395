"""Negotiations over the API."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from flask import request

from marketplace.kernel.errors import Invalid
from marketplace.licensing import conversing, endings, negotiating, queries
from marketplace.licensing.access import load_negotiation
from marketplace.licensing.models import Negotiation
from marketplace.licensing.room import look_around
from marketplace.licensing.shapes import (
    AcceptIn,
    DeclineIn,
    MessageIn,
    MessageOut,
    MessagePage,
    NegotiationOut,
    OfferIn,
    OpenIn,
    message_out,
    negotiation_out,
)
from marketplace.messaging.queries import ThreadMessage, thread
from marketplace.policy.permissions import Permission
from marketplace.web.call import Call
from marketplace.web.i18n import closest
from marketplace.web.paging import make_cursor, read_cursor
from marketplace.web.section import Api

api = Api("negotiations")


@api.call(
    "POST",
    "/designs/<design_id>/negotiations",
    needs=Permission.NEGOTIATION_OPEN,
    body=OpenIn,
    returns=NegotiationOut,
    status=201,
    summary="Open a negotiation with a first offer",
)
def open_negotiation(call: Call, design_id: str, body: OpenIn) -> NegotiationOut:
    """Version 1 is the buyer's; it is the designer's turn. Once it is accepted the agreement names both parties."""
    with terms_pointers():
        made = negotiating.open_negotiation(call.session, call.actor, design_id, body.terms, body.message)
    return full(call, made)


@api.get(
    "/negotiations/<negotiation_id>",
    needs=Permission.NEGOTIATION_READ,
    subject=load_negotiation,
    returns=NegotiationOut,
    summary="A negotiation with every version",
)
def show_negotiation(call: Call, negotiation: Negotiation) -> NegotiationOut:
    """State, versions with what changed, whose turn, expiry."""
    return full(call, negotiation)


@api.call(
    "POST",
    "/negotiations/<negotiation_id>/offers",
    needs=Permission.NEGOTIATION_ACT,
    subject=load_negotiation,
    body=OfferIn,
    returns=NegotiationOut,
    status=201,
    summary="Make a counter offer",
)
def make_offer(call: Call, negotiation: Negotiation, body: OfferIn) -> NegotiationOut:
    """409 `stale_version` when `base_version` is not the last one; 403 `not_your_turn`."""
    with terms_pointers():
        negotiating.make_offer(
            call.session,
            call.actor,
            negotiation.id,
            base_version=body.base_version,
            terms=body.terms,
            message=body.message,
        )
    return full(call, negotiation)


@api.call(
    "POST",
    "/negotiations/<negotiation_id>/accept",
    needs=Permission.NEGOTIATION_ACT,
    subject=load_negotiation,
    body=AcceptIn,
    returns=NegotiationOut,
    summary="Accept one exact version",
)
def accept(call: Call, negotiation: Negotiation, body: AcceptIn) -> NegotiationOut:
    """The license is in `license`. Its agreement names both parties to each other, with name and address.

    409 `stale_version`, `terms_mismatch`, `rights_conflict`.
    """
    negotiating.accept(call.session, call.actor, negotiation.id, version=body.version, terms_hash=body.terms_hash)
    return full(call, negotiation)


@api.call(
    "POST",
    "/negotiations/<negotiation_id>/decline",
    needs=Permission.NEGOTIATION_ACT,
    subject=load_negotiation,
    body=DeclineIn,
    returns=NegotiationOut,
    summary="Decline the offer",
)
def decline(call: Call, negotiation: Negotiation, body: DeclineIn) -> NegotiationOut:
    """Ends the negotiation."""
    endings.decline(call.session, call.actor, negotiation.id, version=body.version, reason=body.reason, code=body.code)
    return full(call, negotiation)


@api.call(
    "POST",
    "/negotiations/<negotiation_id>/withdraw",
    needs=Permission.NEGOTIATION_ACT,
    subject=load_negotiation,
    body=AcceptIn,
    returns=NegotiationOut,
    summary="Withdraw one's own last offer",
)
def withdraw(call: Call, negotiation: Negotiation, body: AcceptIn) -> NegotiationOut:
    """Ends the negotiation; only while the other side has not answered."""
    endings.withdraw(call.session, call.actor, negotiation.id, version=body.version)
    return full(call, negotiation)


@api.get(
    "/negotiations/<negotiation_id>/messages",
    needs=Permission.NEGOTIATION_READ,
    subject=load_negotiation,
    returns=MessagePage,
    summary="Messages with their translation",
)
def list_messages(call: Call, negotiation: Negotiation) -> MessagePage:
    """`lang` (en, zh-Hans, zh-Hant; default: the person's) chooses the translation; the cursor leads back."""
    lang = closest(request.args.get("lang") or call.actor.locale) or "en"
    cursor = request.args.get("cursor")
    before = None
    if cursor:
        values = read_cursor(cursor, 2)
        if not isinstance(values[0], datetime) or not isinstance(values[1], str):
            raise Invalid("bad_cursor", "This page address is damaged; start again from the first page.")
        before = (values[0], values[1])
    limit = max(1, min(request.args.get("limit", 60, type=int), 100))
    found, earlier = thread(call.session, negotiation.id, lang, before=before, limit=limit)
    first = found[0].message if found else None
    return MessagePage(
        items=[message_out(call.actor, negotiation.designer_org_id, item) for item in found],
        next_cursor=make_cursor([first.created_at, first.id]) if earlier and first else None,
    )


@api.call(
    "POST",
    "/negotiations/<negotiation_id>/messages",
    needs=Permission.MESSAGE_SEND,
    subject=load_negotiation,
    body=MessageIn,
    returns=MessageOut,
    status=201,
    summary="Write a message",
)
def send_message(call: Call, negotiation: Negotiation, body: MessageIn) -> MessageOut:
    """The other side reads it in its own language."""
    said = conversing.say(
        call.session,
        call.actor,
        negotiation.id,
        body.text,
        about=(body.about.term, body.about.version) if body.about else None,
        files=body.files,
        client_key=body.client_key,
    )
    return message_out(call.actor, negotiation.designer_org_id, ThreadMessage(said, None))


def full(call: Call, negotiation: Negotiation) -> NegotiationOut:
    """The negotiation with every version, as it is after what the call changed."""
    call.session.flush()
    this = look_around(call.session, call.actor, negotiation)
    return negotiation_out(call.actor, negotiation, this, queries.offers(call.session, negotiation.id))


@contextmanager
def terms_pointers() -> Iterator[None]:
    """Names fields of the terms by their JSON pointer."""
    try:
        yield
    except Invalid as error:
        error.fields = {
            name if name.startswith("/") else "/message" if name == "text" else f"/terms/{name}": text
            for name, text in error.fields.items()
        }
        raise
