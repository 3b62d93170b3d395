"""Pages and posts of a thread beside its offers: comments, marks, files, handing over, one version, the way out."""

from dataclasses import dataclass

from flask import jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from marketplace.accounts.queries import colleague
from marketplace.designs.access import load_asset
from marketplace.designs.models import Asset
from marketplace.designs.queries import snapshot
from marketplace.designs.uploads import NewUpload, create_asset
from marketplace.designs.vocabulary import reason_text
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import NotFound
from marketplace.licensing import conversing, queries, thread
from marketplace.licensing.access import load_negotiation
from marketplace.licensing.attachments import file_in
from marketplace.licensing.forms import AgreeForm, HandOverForm, ResolveForm
from marketplace.licensing.listing_then import then_and_now
from marketplace.licensing.models import Negotiation
from marketplace.licensing.room import look_around
from marketplace.licensing.rules import NEGOTIATION
from marketplace.licensing.shapes import FileIn
from marketplace.licensing.views import section, show
from marketplace.messaging.links import target_of
from marketplace.messaging.queries import says
from marketplace.policy.decide import relations_of
from marketplace.policy.permissions import Permission
from marketplace.web.call import Call
from marketplace.web.errors import is_htmx
from marketplace.web.forms import read_form, read_json
from marketplace.web.i18n import locale_code
from marketplace.web.navigate import leave_for, see_other

#: The section of the negotiations, extended here; composition takes it from this module.
__all__ = ["section"]
#: Seconds that the address of a file works.
FILE_LIFE = 120


@dataclass(frozen=True, slots=True)
class ThreadFile:
    """A file of one's own that is to go, or went, into a thread; `asset` is None for one that a message took along."""

    negotiation: Negotiation
    asset_id: str
    asset: Asset | None


@relations_of.register
def _file(subject: ThreadFile, actor: Actor) -> frozenset[str]:
    return relations_of(subject.negotiation, actor)


def load_sent(session: Session, actor: Actor, negotiation_id: str, asset_id: str) -> ThreadFile:
    """A file of a thread that the actor's organization is a party of, by its id. Raises NotFound."""
    return ThreadFile(load_negotiation(session, actor, negotiation_id), asset_id, None)


def load_unsent(session: Session, actor: Actor, negotiation_id: str, asset_id: str) -> ThreadFile:
    """An uploaded file of one's own that no message took along yet. Raises NotFound."""
    negotiation = load_negotiation(session, actor, negotiation_id)
    asset = load_asset(session, actor, asset_id)
    if asset.negotiation_id != negotiation_id:
        raise NotFound
    return ThreadFile(negotiation, asset_id, asset)


@section.post("/<negotiation_id>/agree", needs=Permission.NEGOTIATION_ACT, subject=load_negotiation, on_invalid=show)
def agree(call: Call, negotiation: Negotiation) -> ResponseReturnValue:
    """Mark a term of the version on the table as agreed (`term`), or take the mark back (`back`)."""
    given = read_form(AgreeForm)
    conversing.agree(
        call.session,
        call.actor,
        negotiation.id,
        version=given.version,
        term=given.term or given.back or "",
        agreed=bool(given.term),
    )
    return _done(negotiation)


@section.post("/<negotiation_id>/resolve", needs=Permission.MESSAGE_SEND, subject=load_negotiation, on_invalid=show)
def resolve(call: Call, negotiation: Negotiation) -> ResponseReturnValue:
    """Settle a comment, or open it again."""
    given = read_form(ResolveForm)
    conversing.resolve(call.session, call.actor, negotiation.id, given.message, resolved=given.resolved)
    return _done(negotiation, anchor=given.message)


@section.post(
    "/<negotiation_id>/hand-over", needs=Permission.NEGOTIATION_READ, subject=load_negotiation, on_invalid=show
)
def hand_over(call: Call, negotiation: Negotiation) -> ResponseReturnValue:
    """Give the negotiation to a colleague."""
    given = read_form(HandOverForm)
    conversing.hand_over(call.session, call.actor, negotiation.id, given.user)
    taker = colleague(call.session, call.org_id, given.user)
    toast = _("%(name)s takes care of this now.", name=taker.name if taker else "")
    return see_other("negotiations.show", toast=toast, negotiation_id=negotiation.id)


@section.get("/<negotiation_id>/versions/<int:version>", needs=Permission.NEGOTIATION_READ, subject=load_negotiation)
def version(call: Call, negotiation: Negotiation) -> ResponseReturnValue:
    """One version with its hash, in both languages."""
    wanted = (request.view_args or {}).get("version")
    offer = next((o for o in queries.offers(call.session, negotiation.id) if o.version == wanted), None)
    if offer is None:
        raise NotFound
    room = look_around(call.session, call.actor, negotiation)
    return render_template(
        "negotiations/version.html",
        negotiation=negotiation,
        offer=offer,
        columns=thread.both_languages(offer.terms, locale_code(), room.their_locale),
        room=room,
    )


@section.get("/<negotiation_id>/listing", needs=Permission.NEGOTIATION_READ, subject=load_negotiation)
def listing(call: Call, negotiation: Negotiation) -> ResponseReturnValue:
    """What the design's page said when the negotiation began, and what it says now."""
    try:
        now = snapshot(call.session, negotiation.design_id)
    except NotFound:
        now = None
    return render_template(
        "negotiations/listing.html",
        negotiation=negotiation,
        rows=then_and_now(negotiation.snapshot, now),
        gone=now is None,
    )


@section.get("/<negotiation_id>/away", needs=Permission.NEGOTIATION_READ, subject=load_negotiation)
def away(call: Call, negotiation: Negotiation) -> ResponseReturnValue:
    """The page before a link (`?to=`) out of this thread; never a redirect. 404 for what nobody wrote here."""
    written = request.args.get("to", "")[:2000]
    target = target_of(written)
    if target is None or not says(call.session, negotiation.id, written):
        raise NotFound
    return render_template("negotiations/away.html", negotiation=negotiation, target=target)


@section.post("/<negotiation_id>/files", needs=Permission.MESSAGE_SEND, subject=load_negotiation)
def announce_file(call: Call, negotiation: Negotiation) -> ResponseReturnValue:
    """Announce a file for a message; the script then sends it straight to the object store."""
    made = announce(call, negotiation, read_json(FileIn))
    upload = {"method": made.upload.method, "url": made.upload.url, "fields": made.upload.fields}
    return jsonify({"asset": made.asset.id, "upload": upload}), 201


def announce(call: Call, negotiation: Negotiation, given: FileIn) -> NewUpload:
    """The new asset and where its bytes go. Raises Conflict once nothing can be written here any more."""
    NEGOTIATION.target(negotiation.state, "message", relations_of(negotiation, call.actor))
    return create_asset(
        call.session,
        call.actor,
        call.services.storage,
        kind="attachment",
        filename=given.filename,
        content_type=given.content_type,
        size=given.size,
        sha256=given.sha256,
        negotiation_id=negotiation.id,
    )


@section.get("/<negotiation_id>/files/<asset_id>/row", needs=Permission.MESSAGE_SEND, subject=load_unsent)
def file_row(call: Call, file: ThreadFile) -> ResponseReturnValue:
    """The row of a file that is to go with the next message; it polls itself until the file is checked."""
    asset = file.asset
    if asset is None:
        raise NotFound
    return render_template(
        "negotiations/_file.html",
        negotiation_id=file.negotiation.id,
        id=asset.id,
        name=asset.filename,
        asset=asset,
        detail=reason_text(asset.reason),
    )


@section.get("/<negotiation_id>/files/<asset_id>", needs=Permission.NEGOTIATION_READ, subject=load_sent)
def fetch_file(call: Call, file: ThreadFile) -> ResponseReturnValue:
    """Fetch a file that a message took along, by an address that works two minutes; always as a download."""
    found = file_in(call.session, file.negotiation.id, file.asset_id)
    return leave_for(call.services.storage.presign_get(found["key"], FILE_LIFE, found["name"], found["type"]))


def _done(negotiation: Negotiation, anchor: str | None = None) -> ResponseReturnValue:
    """Back to the thread; the page's script asks for news instead."""
    if is_htmx():
        return "", 204
    return see_other("negotiations.show", negotiation_id=negotiation.id, _anchor=anchor)
