"""Data requests over the API."""

from typing import Literal

from pydantic import Field

from marketplace.policy.permissions import Permission
from marketplace.privacy import operations
from marketplace.privacy.access import load_request
from marketplace.privacy.models import PrivacyRequest
from marketplace.privacy.views import link
from marketplace.web.call import Call
from marketplace.web.forms import Body
from marketplace.web.limits import limit
from marketplace.web.section import Api

api = Api("privacy")


class RequestIn(Body):
    """What a person asks for."""

    kind: Literal["access", "erase", "correct", "restrict"]
    note: str = Field(default="", max_length=2000)


class RequestOut(Body):
    """Where it stands; `download` is a link that lives a minute, once a copy is there."""

    id: str
    kind: str
    state: str
    due_at: str
    download: str | None


@api.call(
    "POST",
    "/privacy/requests",
    needs=Permission.PRIVACY_REQUEST,
    body=RequestIn,
    returns=RequestOut,
    status=201,
    summary="Ask about one's own data",
)
def ask(call: Call, body: RequestIn) -> RequestOut:
    """The request; a copy (access) is made within minutes, the rest is answered by a person until `due_at`."""
    limit("privacy", call.user_id, "10 per day")
    return _out(call, operations.ask(call.session, call.actor, body.kind, body.note))


@api.get("/privacy/requests/<request_id>", needs=Permission.PRIVACY_REQUEST, subject=load_request, returns=RequestOut)
def show(call: Call, request: PrivacyRequest) -> RequestOut:
    """Where the request stands."""
    return _out(call, request)


def _out(call: Call, request: PrivacyRequest) -> RequestOut:
    return RequestOut(
        id=request.id,
        kind=request.kind,
        state=request.state,
        due_at=request.due_at.isoformat(),
        download=link(call, request) if request.storage_key else None,
    )
