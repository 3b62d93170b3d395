"""API calls about money."""

from typing import Any

from flask import request

from marketplace.accounts.models import Organization
from marketplace.payments import payees, queries
from marketplace.payments.checkout import url_for_onboarding
from marketplace.payments.titles import title
from marketplace.policy.permissions import Permission
from marketplace.web.call import AfterCommit, Call
from marketplace.web.forms import Body
from marketplace.web.limits import limit
from marketplace.web.section import Api

api = Api("payments")


class MoneyOut(Body):
    """Minor units and ISO 4217 code."""

    amount: int
    currency: str


class PayoutAccountOut(Body):
    """How far the payee's account is."""

    ready: bool
    requirements: list[str]
    disabled_reason: str | None


class PayoutOut(Body):
    """A part of a share: gross = fee + net; what arrives is net - given_back - kept_back.

    `state` is held, due, sending, sent, failed, offset (kept whole against a debt) or returned (given back before it
    was sent); `reason` says why it waits. `paid_out_on` is the day on which the payout with it reached the bank, as far
    as the latest payouts tell.
    """

    id: str
    kind: str
    subject: str
    description: str
    gross: MoneyOut
    fee: MoneyOut
    net: MoneyOut
    state: str
    reason: str | None
    expected_at: str | None
    paid_out_on: str | None
    milestone: str
    given_back: MoneyOut
    kept_back: MoneyOut
    fee_bps: int
    fee_since: str


class PayoutsOut(Body):
    """A page of shares."""

    account: PayoutAccountOut | None
    items: list[PayoutOut]
    next_cursor: str | None


class EntryOut(Body):
    """A ledger line; a credit of the held account is what we owe."""

    id: int
    at: str
    account: str
    kind: str
    subject: str | None
    memo: str
    amount: MoneyOut


class EntriesOut(Body):
    """A page of ledger lines."""

    items: list[EntryOut]
    next_cursor: str | None


class UrlOut(Body):
    """A page to open in a browser."""

    url: str


@api.get("/payouts", needs=Permission.PAYOUT_READ, returns=PayoutsOut, summary="What was earned and where it is")
def payouts(call: Call) -> PayoutsOut:
    """Shares of the caller's organization, newest first."""
    account = queries.account(call.session, call.org_id)
    found = queries.shares(call.session, call.org_id, cursor=request.args.get("cursor"), limit=_limit())
    arrived = queries.arrivals(found.items, queries.payouts(call.session, call.org_id))
    return PayoutsOut(
        account=PayoutAccountOut(
            ready=account.ready, requirements=account.requirements, disabled_reason=account.disabled_reason
        )
        if account
        else None,
        items=[
            PayoutOut(
                id=row.id,
                kind=row.kind,
                subject=row.subject_id,
                description=title(row),
                gross=MoneyOut(amount=row.gross, currency=row.currency),
                fee=MoneyOut(amount=row.fee, currency=row.currency),
                net=MoneyOut(amount=row.amount, currency=row.currency),
                state=row.state,
                reason=row.reason,
                expected_at=row.expected_at.isoformat() if row.expected_at else None,
                paid_out_on=arrived[row.id].arrival_date.date().isoformat() if row.id in arrived else None,
                milestone=row.milestone,
                given_back=MoneyOut(amount=row.back, currency=row.currency),
                kept_back=MoneyOut(amount=row.withheld, currency=row.currency),
                fee_bps=row.fee_bps,
                fee_since=row.fee_since.isoformat(),
            )
            for row in found.items
        ],
        next_cursor=found.next_cursor,
    )


@api.call(
    "POST", "/payouts/onboarding", needs=Permission.PAYOUT_ONBOARD, returns=UrlOut, summary="Start or resume onboarding"
)
def onboarding(call: Call) -> Any:
    """The address of the payment service's onboarding page."""
    limit("onboard", call.org_id, "20 per hour")
    payees.account_for(call.session, call.actor, call.org_id)
    country = call.session.get_one(Organization, call.org_id).country
    return AfterCommit(lambda: UrlOut(url=url_for_onboarding(call.services, call.actor, call.org_id, country)))


@api.get("/ledger/entries", needs=Permission.LEDGER_READ, returns=EntriesOut, summary="Ledger lines of one's own")
def entries(call: Call) -> EntriesOut:
    """Ledger lines of the caller's organization, newest first."""
    found = queries.ledger_lines(call.session, call.org_id, cursor=request.args.get("cursor"), limit=_limit())
    booked = queries.transactions(call.session, {row.transaction_id for row in found.items})
    return EntriesOut(
        items=[
            EntryOut(
                id=row.id,
                at=row.created_at.isoformat(),
                account=row.account,
                kind=booked[row.transaction_id].kind,
                subject=booked[row.transaction_id].subject_id,
                memo=booked[row.transaction_id].memo,
                amount=MoneyOut(amount=row.amount, currency=row.currency),
            )
            for row in found.items
        ],
        next_cursor=found.next_cursor,
    )


def _limit() -> int:
    return request.args.get("limit", 24, type=int)
