"""The inbox over the API."""

from flask import request
from pydantic import BaseModel, Field

from marketplace.inbox import operations, queries
from marketplace.inbox.queries import Asked
from marketplace.licensing.queries import around
from marketplace.licensing.shapes import NegotiationPage, negotiation_out
from marketplace.policy.permissions import Permission
from marketplace.web.call import Call
from marketplace.web.section import Api

api = Api("inbox")


class ReadIn(BaseModel):
    """Which negotiations were read; leave `negotiations` out for all of them."""

    negotiations: list[str] | None = Field(default=None, max_length=operations.MOST)


class ReadOut(BaseModel):
    """How many were unread until now."""

    marked: int


@api.get(
    "/negotiations",
    needs=Permission.NEGOTIATION_LIST,
    returns=NegotiationPage,
    summary="Negotiations, last moved first",
)
def list_negotiations(call: Call) -> NegotiationPage:
    """`show` is all, needs_me, waiting, expiring, unread, assigned (to the person) or closed.

    `q` searches titles, names and messages.
    """
    found = queries.negotiations(call.session, call.actor, Asked.of(request.args))
    more = around(call.session, call.actor, [row.id for row in found.items])
    items = [negotiation_out(call.actor, row, more[row.id], []) for row in found.items]
    return NegotiationPage(items=items, next_cursor=found.next_cursor)


@api.call(
    "POST",
    "/negotiations/read",
    needs=Permission.NEGOTIATION_LIST,
    body=ReadIn,
    returns=ReadOut,
    summary="Mark negotiations as read",
)
def mark_read(call: Call, body: ReadIn) -> ReadOut:
    """For the whole organization. Ids of negotiations of others are passed over."""
    return ReadOut(marked=operations.mark_read(call.session, call.actor, body.negotiations))
