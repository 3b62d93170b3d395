"""Prices of metal, approval limits, approvals, briefs weighed and past deals over the API."""

from datetime import datetime
from typing import Any, Literal

from flask import request
from pydantic import BaseModel, Field

from marketplace.kernel.errors import Conflict
from marketplace.kernel.money import CURRENCIES
from marketplace.licensing.access import load_negotiation
from marketplace.licensing.brief import page as briefs
from marketplace.licensing.brief.effects import Span
from marketplace.licensing.models import Negotiation
from marketplace.licensing.playbook import approvals, deciding, holding, operations, queries
from marketplace.licensing.playbook.access import load_approval
from marketplace.licensing.playbook.guidance import guidance
from marketplace.licensing.playbook.models import Approval
from marketplace.licensing.playbook.queries import Held
from marketplace.licensing.seats import current_offer
from marketplace.licensing.terms import Terms
from marketplace.licensing.vocabulary import KINDS
from marketplace.policy.permissions import Permission
from marketplace.web.call import Call
from marketplace.web.forms import Body, Version
from marketplace.web.section import Api

api = Api("playbook")


class PricesIn(Body):
    """Prices of a gram by alloy, in minor units; alloys left out have none."""

    currency: str = Field(max_length=3)
    prices: dict[str, int] = Field(max_length=40)


class PricesOut(BaseModel):
    """Prices by currency, then alloy."""

    prices: dict[str, dict[str, int]]


class LimitsIn(Body):
    """Amounts (minor units) by currency above which a colleague approves; approvers besides administrators, by id."""

    limits: dict[str, int] = Field(max_length=20)
    approvers: list[str] = Field(default=[], max_length=200)


class LimitsOut(BaseModel):
    """The limits in force."""

    limits: dict[str, int]
    approvers: list[str]


class AskIn(Body):
    """What to hold until a colleague approves: the acceptance of `version`, or an offer with `terms`."""

    action: Literal["accept", "offer"]
    version: Version
    terms_hash: str | None = Field(default=None, max_length=64)
    terms: Terms | None = None
    message: str | None = Field(default=None, max_length=4000)


class RefuseIn(Body):
    """Why."""

    reason: str = Field(min_length=1, max_length=1000)


class ApprovalOut(BaseModel):
    """Something held back; `state` is pending, approved, refused, withdrawn or void (the version moved on)."""

    id: str
    negotiation: str | None
    design: str
    action: str
    version: int
    terms: dict[str, Any]
    terms_hash: str
    amount: dict[str, Any]
    limit: dict[str, Any] | None
    state: str
    asked_by: str
    decided_by: str | None
    reason: str | None
    created_at: datetime


class ApprovalsOut(BaseModel):
    """The newest fifty."""

    items: list[ApprovalOut]


class UsualOut(BaseModel):
    """Medians of one's own past deals; null below three of them."""

    deals: int
    alike: list[str]
    fee: dict[str, Any] | None
    royalty_percent: float | None
    royalty_per_unit: dict[str, Any] | None


class EffectOut(BaseModel):
    """What one change does: grams and carats from the least to the most, as strings, and how that is known."""

    change: dict[str, Any]
    basis: str
    grams: list[str] | None
    carats: list[str] | None
    formula: str


class BriefOut(BaseModel):
    """The brief on the table against the CAD: each change, grams before and after, price where the studio set one."""

    effects: list[EffectOut]
    alloy_before: str | None
    alloy_after: str | None
    grams_before: list[str] | None
    grams_after: list[str] | None
    price_change: list[dict[str, Any]] | None


@api.get("/metal-prices", needs=Permission.TERM_SHEETS, returns=PricesOut, summary="Prices of metal")
def show_prices(call: Call) -> PricesOut:
    """What the studio reckons a gram at."""
    found: dict[str, dict[str, int]] = {}
    for row in queries.prices(call.session, call.actor):
        found.setdefault(row.currency, {})[row.alloy] = row.amount
    return PricesOut(prices=found)


@api.call("PUT", "/metal-prices", needs=Permission.TERM_SHEETS, body=PricesIn, returns=PricesOut,
          summary="Set the prices of metal in one currency")  # fmt: skip
def put_prices(call: Call, body: PricesIn) -> PricesOut:
    """Replaces all of that currency."""
    operations.set_prices(call.session, call.actor, body.currency, body.prices)
    call.session.flush()
    return show_prices(call)


@api.get("/negotiations/<negotiation_id>/brief", needs=Permission.NEGOTIATION_READ, subject=load_negotiation,
         returns=BriefOut, summary="The brief on the table, weighed")  # fmt: skip
def show_brief(call: Call, negotiation: Negotiation) -> BriefOut:
    """By what was measured when the negotiation began; the same numbers as on its page."""
    found = briefs.weighed_by(call.session, negotiation, current_offer(call.session, negotiation).terms)
    return BriefOut(
        effects=[
            EffectOut(
                change=effect.delta.model_dump(mode="json"),
                basis=effect.basis,
                grams=_span(effect.grams),
                carats=_span(effect.carats),
                formula=effect.why,
            )
            for effect in found.effects
        ],
        alloy_before=found.before.alloy if found.before else None,
        alloy_after=found.after.alloy if found.after else None,
        grams_before=_span(found.before.grams) if found.before else None,
        grams_after=_span(found.after.grams) if found.after else None,
        price_change=[{"amount": m.amount, "currency": m.currency} for m in found.price] if found.price else None,
    )


@api.get("/approval-limits", needs=Permission.LIMITS_EDIT, returns=LimitsOut, summary="Approval limits")
def show_limits(call: Call) -> LimitsOut:
    """Of the organization; empty without limits."""
    policy = approvals.policy_of(call.session, call.actor)
    return LimitsOut(limits=policy.limits, approvers=policy.approvers)


@api.call("PUT", "/approval-limits", needs=Permission.LIMITS_EDIT, body=LimitsIn, returns=LimitsOut,
          summary="Set the approval limits")  # fmt: skip
def put_limits(call: Call, body: LimitsIn) -> LimitsOut:
    """Administrators only; 409 `nobody_to_approve`."""
    policy = operations.set_limits(call.session, call.actor, body.limits, body.approvers)
    return LimitsOut(limits=policy.limits, approvers=policy.approvers)


@api.get("/approvals", needs=Permission.APPROVAL_READ, returns=ApprovalsOut, summary="What waits for a colleague")
def list_approvals(call: Call) -> ApprovalsOut:
    """Newest first."""
    return ApprovalsOut(items=[_approval(item) for item in queries.held(call.session, call.actor)])


@api.call("POST", "/negotiations/<negotiation_id>/approvals", needs=Permission.NEGOTIATION_ACT,
          subject=load_negotiation, body=AskIn, returns=ApprovalsOut, status=201,
          summary="Ask a colleague to approve what is above the limit")  # fmt: skip
def ask(call: Call, negotiation: Negotiation, body: AskIn) -> ApprovalsOut:
    """409 `approval_not_needed`, `approval_pending`, `stale_version`; 403 `not_your_turn`."""
    if body.action == "accept":
        made = holding.hold_accept(call.session, call.actor, negotiation, body.version, body.terms_hash)
    elif body.terms is not None:
        made = holding.hold_offer(call.session, call.actor, negotiation, body.version, body.terms, body.message)
    else:
        made = None
    if made is None:
        raise Conflict("approval_not_needed", "This is within your limit; no approval is needed.")
    return list_approvals(call)


@api.call("POST", "/approvals/<approval_id>/approve", needs=Permission.APPROVAL_DECIDE, subject=load_approval,
          returns=ApprovalsOut, summary="Approve; it takes effect at once")  # fmt: skip
def approve(call: Call, approval: Approval) -> ApprovalsOut:
    """403 `own_request`, `not_an_approver`; 409 `approval_void`, and what the step itself answers."""
    deciding.approve(call.session, call.actor, approval)
    call.session.flush()
    return list_approvals(call)


@api.call("POST", "/approvals/<approval_id>/refuse", needs=Permission.APPROVAL_DECIDE, subject=load_approval,
          body=RefuseIn, returns=ApprovalsOut, summary="Refuse, with a reason")  # fmt: skip
def refuse(call: Call, approval: Approval, body: RefuseIn) -> ApprovalsOut:
    """403 as for approving."""
    deciding.refuse(call.session, call.actor, approval, body.reason)
    call.session.flush()
    return list_approvals(call)


@api.call("POST", "/approvals/<approval_id>/withdraw", needs=Permission.APPROVAL_DECIDE, subject=load_approval,
          returns=ApprovalsOut, summary="Take one's own question back")  # fmt: skip
def withdraw(call: Call, approval: Approval) -> ApprovalsOut:
    """403 for somebody else's."""
    deciding.withdraw(call.session, call.actor, approval)
    call.session.flush()
    return list_approvals(call)


@api.get("/past-deals", needs=Permission.DEALS_READ, returns=UsualOut, summary="Medians of one's own past deals")
def past_deals(call: Call) -> UsualOut:
    """`kind`, `currency`, `category` and `territory` (repeated) narrow them down."""
    kind, currency = request.args.get("kind", "non_exclusive"), request.args.get("currency", "USD")
    found = guidance(
        call.session,
        call.actor,
        kind=kind if kind in KINDS else "non_exclusive",
        currency=currency if currency in CURRENCIES else "USD",
        category=request.args.get("category", "")[:20],
        territories=request.args.getlist("territory")[:250],
    )
    return UsualOut(
        deals=found.deals,
        alike=list(found.alike),
        fee={"amount": found.fee.amount, "currency": found.fee.currency} if found.fee else None,
        royalty_percent=float(found.percent) if found.percent is not None else None,
        royalty_per_unit=(
            {"amount": found.per_unit.amount, "currency": found.per_unit.currency} if found.per_unit else None
        ),
    )


def _approval(item: Held) -> ApprovalOut:
    row = item.row
    return ApprovalOut(
        id=row.id,
        negotiation=row.negotiation_id,
        design=row.design_id,
        action=row.action,
        version=row.version,
        terms=row.terms,
        terms_hash=row.terms_hash,
        amount={"amount": row.amount, "currency": row.currency},
        limit=None if row.limit_amount is None else {"amount": row.limit_amount, "currency": row.currency},
        state=item.state,
        asked_by=item.asker,
        decided_by=item.decider or None,
        reason=row.reason,
        created_at=row.created_at,
    )


def _span(span: Span | None) -> list[str] | None:
    return None if span is None else [str(span.low), str(span.high)]
