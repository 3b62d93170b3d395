"""The page of all threads. It stands at /negotiations, so it belongs to the same section as one thread's pages."""

import hashlib
from typing import Any

from flask import Response, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from marketplace.inbox import operations, queries
from marketplace.inbox.queries import Asked
from marketplace.inbox.vocabulary import FILTERS
from marketplace.kernel import clock
from marketplace.licensing.views import section
from marketplace.licensing.vocabulary import LICENSE_STATES
from marketplace.policy.permissions import Permission
from marketplace.web.call import Call
from marketplace.web.i18n import locale_code
from marketplace.web.navigate import see_other

__all__ = ["section"]


@section.get("", needs=Permission.NEGOTIATION_LIST)
def index(call: Call) -> ResponseReturnValue:
    """The inbox, filtered and searched; with `part=list` the list alone, and 304 while it is the one the page has.

    `part=pane` is the narrow list beside a thread (`at`).
    """
    asked = Asked.of(request.args)
    found = queries.threads(call.session, call.actor, asked)
    counts = queries.counts(call.session, call.actor)
    if request.args.get("part") == "pane":
        return render_template(
            "inbox/_pane.html",
            page=found,
            counts=counts,
            cap=queries.COUNT_CAP,
            at=request.args.get("at"),
            license_states=LICENSE_STATES,
        )
    alone = request.args.get("part") == "list"
    tag = _tag(asked, found.items, counts)
    if alone and tag in request.if_none_match:
        return _tagged(make_response("", 304), tag)
    response = make_response(
        render_template(
            "inbox/_list.html" if alone else "inbox/index.html",
            page=found,
            asked=asked,
            counts=counts,
            cap=queries.COUNT_CAP,
            cards=queries.pictures(call.session, found.items, call.services.storage.image_url),
            filters=FILTERS,
            license_states=LICENSE_STATES,
            now=clock.now(),
        )
    )
    return _tagged(response, tag) if alone else response


@section.post("/read", needs=Permission.NEGOTIATION_LIST)
def mark_read(call: Call) -> ResponseReturnValue:
    """Mark the chosen threads as read, or all of them."""
    chosen = None if request.form.get("all") else request.form.getlist("thread")
    done = operations.mark_read(call.session, call.actor, chosen)
    asked = Asked.of(request.form)
    toast = ngettext("%(num)s conversation marked as read.", "%(num)s conversations marked as read.", done)
    if not done:
        toast = _("Nothing was unread among them.")
    return see_other(
        "negotiations.index", toast=toast, show=asked.show if asked.show != "all" else None, q=asked.q or None
    )


def _tag(asked: Asked, *what: Any) -> str:
    """A name for exactly this list in this language; times since are made fresh by the page itself."""
    return hashlib.sha256(repr((locale_code(), asked, *what)).encode()).hexdigest()[:32]


def _tagged(response: Response, tag: str) -> Response:
    response.set_etag(tag)
    response.headers["Cache-Control"] = "private, no-cache"
    return response
