"""Asking the holder of a first refusal over the API."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from marketplace.kernel.actor import Actor
from marketplace.licensing.access import load_license, load_negotiation
from marketplace.licensing.models import License, Negotiation
from marketplace.licensing.refusal import operations, queries
from marketplace.licensing.refusal.models import FirstAsk
from marketplace.licensing.refusal.queries import load_ask
from marketplace.policy.permissions import Permission
from marketplace.web.call import Call
from marketplace.web.forms import Body, Version
from marketplace.web.section import Api

api = Api("first_refusals")


class AskIn(Body):
    """The version on the table."""

    version: Version


class LetGoIn(Body):
    """Why, and the months in which stock may still be sold."""

    reason: str | None = Field(default=None, max_length=1000)
    sell_off_months: int = 0


class FirstAskOut(BaseModel):
    """What a holder was asked; `state` is open, taken_up, let_go, silent (no answer in time) or withdrawn.

    `negotiation` and `version` are told to the designer alone, `addendum` is the ending that letting go has begun.
    """

    id: str
    license: str
    design: str
    negotiation: str | None
    version: int | None
    terms: dict[str, Any]
    state: str
    answer_by: datetime
    answered_at: datetime | None
    addendum: str | None
    created_at: datetime


class FirstAsksOut(BaseModel):
    """The newest fifty."""

    items: list[FirstAskOut]


@api.call("POST", "/negotiations/<negotiation_id>/first-refusals", needs=Permission.NEGOTIATION_ACT,
          subject=load_negotiation, body=AskIn, returns=FirstAsksOut, status=201,
          summary="Ask the holders of first refusals in the way")  # fmt: skip
def ask(call: Call, negotiation: Negotiation, body: AskIn) -> FirstAsksOut:
    """For the designer. 409 `nobody_to_ask`, `stale_version`."""
    return _out(call.actor, operations.ask(call.session, call.actor, negotiation.id, version=body.version))


@api.get("/licenses/<license_id>/first-refusals", needs=Permission.LICENSE_READ, subject=load_license,
         returns=FirstAsksOut, summary="What the holder of a first refusal was asked")  # fmt: skip
def list_asks(call: Call, held: License) -> FirstAsksOut:
    """Newest first."""
    return _out(call.actor, queries.asks_of_license(call.session, held.id))


@api.get("/first-refusals/<ask_id>", needs=Permission.LICENSE_READ, subject=load_ask, returns=FirstAskOut,
         summary="One question to a holder")  # fmt: skip
def show_ask(call: Call, row: FirstAsk) -> FirstAskOut:
    """For the designer and the holder."""
    return _one(call.actor, row)


@api.call("POST", "/first-refusals/<ask_id>/take-up", needs=Permission.LICENSE_CHANGE, subject=load_ask,
          returns=FirstAskOut, summary="Take the rights up")  # fmt: skip
def take_up(call: Call, row: FirstAsk) -> FirstAskOut:
    """By the holder, who then opens a negotiation with these terms. 403 `not_your_turn`."""
    return _one(call.actor, operations.take_up(call.session, call.actor, row.id))


@api.call("POST", "/first-refusals/<ask_id>/let-go", needs=Permission.LICENSE_CHANGE, subject=load_ask, body=LetGoIn,
          returns=FirstAskOut, summary="Let the rights go")  # fmt: skip
def let_go(call: Call, row: FirstAsk, body: LetGoIn) -> FirstAskOut:
    """By the holder; the license ends when both have signed `addendum`. 409 `addendum_open`, `license_not_active`."""
    operations.let_go(call.session, call.actor, row.id, reason=body.reason, sell_off_months=body.sell_off_months)
    return _one(call.actor, row)


@api.call("POST", "/first-refusals/<ask_id>/withdraw", needs=Permission.LICENSE_CHANGE, subject=load_ask,
          returns=FirstAskOut, summary="Take the question back")  # fmt: skip
def withdraw(call: Call, row: FirstAsk) -> FirstAskOut:
    """By the designer."""
    return _one(call.actor, operations.withdraw(call.session, call.actor, row.id))


def _out(actor: Actor, rows: Iterable[FirstAsk]) -> FirstAsksOut:
    return FirstAsksOut(items=[_one(actor, row) for row in rows])


def _one(actor: Actor, row: FirstAsk) -> FirstAskOut:
    designer = actor.org_id == row.designer_org_id
    return FirstAskOut(
        id=row.id,
        license=row.license_id,
        design=row.design_id,
        negotiation=row.negotiation_id if designer else None,
        version=row.version if designer else None,
        terms=row.terms,
        state=row.state,
        answer_by=row.answer_by,
        answered_at=row.answered_at,
        addendum=row.addendum_id,
        created_at=row.created_at,
    )
