"""A thread over the API beside its offers: reopening, marks, comments, files, handing over, reading."""

from marketplace.licensing import conversing, negotiating
from marketplace.licensing.access import load_negotiation
from marketplace.licensing.api import api, full, terms_pointers
from marketplace.licensing.attachments import file_in
from marketplace.licensing.models import Negotiation
from marketplace.licensing.shapes import (
    AgreeIn,
    FileIn,
    FileUploadOut,
    FileUrlOut,
    HandOverIn,
    NegotiationOut,
    OfferIn,
    ReadIn,
    ResolveIn,
)
from marketplace.licensing.thread_views import FILE_LIFE, ThreadFile, announce, load_sent
from marketplace.licensing.views import bound_reopening
from marketplace.policy.permissions import Permission
from marketplace.web.call import Call

#: The negotiations' part of the API, extended here; composition takes it from this module.
__all__ = ["api"]


@api.call(
    "POST",
    "/negotiations/<negotiation_id>/reopen",
    needs=Permission.NEGOTIATION_ACT,
    subject=load_negotiation,
    body=OfferIn,
    returns=NegotiationOut,
    status=201,
    summary="Take up an ended negotiation again",
)
def reopen(call: Call, negotiation: Negotiation, body: OfferIn) -> NegotiationOut:
    """A new version of a declined, withdrawn or expired negotiation, by either side, within 90 days of its end.

    429 beyond ten a day.
    """
    with terms_pointers():
        negotiating.reopen(
            call.session,
            call.actor,
            negotiation.id,
            base_version=body.base_version,
            terms=body.terms,
            message=body.message,
        )
    bound_reopening(call, negotiation)
    return full(call, negotiation)


@api.call(
    "POST",
    "/negotiations/<negotiation_id>/agree",
    needs=Permission.NEGOTIATION_ACT,
    subject=load_negotiation,
    body=AgreeIn,
    returns=NegotiationOut,
    summary="Mark one term as agreed",
)
def agree(call: Call, negotiation: Negotiation, body: AgreeIn) -> NegotiationOut:
    """By the side whose turn it is; it binds nobody. `agreed` false takes the mark back."""
    conversing.agree(call.session, call.actor, negotiation.id, version=body.version, term=body.term, agreed=body.agreed)
    return full(call, negotiation)


@api.call(
    "POST",
    "/negotiations/<negotiation_id>/resolve",
    needs=Permission.MESSAGE_SEND,
    subject=load_negotiation,
    body=ResolveIn,
    status=204,
    summary="Settle a comment, or open it again",
)
def resolve(call: Call, negotiation: Negotiation, body: ResolveIn) -> None:
    """Either side may."""
    conversing.resolve(call.session, call.actor, negotiation.id, body.message, resolved=body.resolved)


@api.call(
    "POST",
    "/negotiations/<negotiation_id>/hand-over",
    needs=Permission.NEGOTIATION_READ,
    subject=load_negotiation,
    body=HandOverIn,
    returns=NegotiationOut,
    summary="Give the negotiation to a colleague",
)
def hand_over(call: Call, negotiation: Negotiation, body: HandOverIn) -> NegotiationOut:
    """The colleague is told; the other side learns nothing of it."""
    conversing.hand_over(call.session, call.actor, negotiation.id, body.user)
    return full(call, negotiation)


@api.call(
    "POST",
    "/negotiations/<negotiation_id>/read",
    needs=Permission.NEGOTIATION_READ,
    subject=load_negotiation,
    body=ReadIn,
    status=204,
    summary="Say that everything up to a moment was seen",
)
def read(call: Call, negotiation: Negotiation, body: ReadIn) -> None:
    """The other side sees it."""
    conversing.mark_read(call.session, call.actor, negotiation.id, body.until)


@api.call(
    "POST",
    "/negotiations/<negotiation_id>/files",
    needs=Permission.MESSAGE_SEND,
    subject=load_negotiation,
    body=FileIn,
    returns=FileUploadOut,
    status=201,
    summary="Announce a file for a message",
)
def announce_file(call: Call, negotiation: Negotiation, body: FileIn) -> FileUploadOut:
    """A photo or a PDF, up to 25 MB. Send the bytes, complete the asset, then name it in a message's `files`."""
    made = announce(call, negotiation, body)
    upload = {"method": made.upload.method, "url": made.upload.url, "fields": made.upload.fields}
    return FileUploadOut(asset=made.asset.id, upload=upload)


@api.get(
    "/negotiations/<negotiation_id>/files/<asset_id>",
    needs=Permission.NEGOTIATION_READ,
    subject=load_sent,
    returns=FileUrlOut,
    summary="Where a file of a message can be fetched",
)
def fetch_file(call: Call, file: ThreadFile) -> FileUrlOut:
    """The clean copy that the check made; either side."""
    found = file_in(call.session, file.negotiation.id, file.asset_id)
    url = call.services.storage.presign_get(found["key"], FILE_LIFE, found["name"], found["type"])
    return FileUrlOut(url=url, name=found["name"], type=found["type"], size=found["size"])
