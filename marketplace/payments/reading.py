"""What the pages of money show: one payment, one refund, one dispute, the operators' desk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Organization
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Invalid
from marketplace.kernel.money import Money, parse_amount
from marketplace.payments import alerts, chain, comparison, fees, findings, giving_back, refunds
from marketplace.payments.chain import Head
from marketplace.payments.claims import Dispute, GiveBack, Reconciliation, Refund
from marketplace.payments.findings import Finding
from marketplace.payments.giving_back import Given
from marketplace.payments.models import Checkout, FeeRate, PaymentAccount, Transfer
from marketplace.payments.rules import TOO_LATE


@dataclass(frozen=True, slots=True)
class PaymentPage:
    """A buyer's payment: who gets what of it and when, what went back, what can."""

    checkout: Checkout
    names: dict[str, str]
    shares: Sequence[Transfer]
    refunds: Sequence[Refund]
    disputes: Sequence[Dispute]
    left: Money
    preview: Sequence[Given] = field(default_factory=list)
    previewed: Money | None = None
    problem: str | None = None

    @property
    def may_ask(self) -> bool:
        """Whether a refund can be asked for now."""
        waiting = any(row.state in refunds.UNDER_WAY for row in self.refunds)
        return self.checkout.state == "paid" and self.left.amount > 0 and not waiting and not self.disputed

    @property
    def disputed(self) -> bool:
        """Whether the bank has not decided yet."""
        return any(row.closed_at is None for row in self.disputes)

    @property
    def releasable(self) -> list[Transfer]:
        """Shares of an order that the buyer may let go early."""
        return [row for row in self.shares if row.state == "held" and row.purpose == "order" and not self.disputed]


@dataclass(frozen=True, slots=True)
class RefundPage:
    """A refund with what each gives, as far as the reader may know, and what the reader may do."""

    refund: Refund
    given: Sequence[GiveBack]
    names: dict[str, str]
    who: frozenset[str]
    partly: bool

    @property
    def may_decide(self) -> bool:
        """Whether the reader decides about it now."""
        return self.refund.state == "asked" and bool(self.who & {"decider", "operator"})

    @property
    def may_end(self) -> bool:
        """Whether the reader says how a refund ends that could not be made."""
        return self.refund.state == "failed" and "operator" in self.who

    @property
    def may_call_off(self) -> bool:
        """Whether the buyer's money need not go back: it must when nothing had begun for it."""
        return self.refund.reason != TOO_LATE


@dataclass(frozen=True, slots=True)
class Desk:
    """What operators see of money."""

    findings: Sequence[Finding]
    refunds: Sequence[Refund]
    disputes: Sequence[Dispute]
    changed: Sequence[PaymentAccount]
    #: What waits for an account that was changed, by organization.
    waiting: Mapping[str, Sequence[Money]]
    failed: Sequence[Transfer]
    comparisons: Sequence[Reconciliation]
    schedule: Sequence[FeeRate]
    names: dict[str, str]
    head: Head


def payment(session: Session, checkout: Checkout, *, typed: str | None = None) -> PaymentPage:
    """A payment's page; `typed` is an amount whose refund is to be shown before it is asked for."""
    shares = session.scalars(
        select(Transfer)
        .where(Transfer.checkout_id == checkout.id)
        .order_by(Transfer.kind, Transfer.created_at, Transfer.id)
    ).all()
    asked = session.scalars(
        select(Refund).where(Refund.checkout_id == checkout.id).order_by(Refund.created_at.desc())
    ).all()
    questioned = session.scalars(select(Dispute).where(Dispute.checkout_id == checkout.id)).all()
    left = Money(giving_back.left(session, checkout), checkout.currency)
    preview: Sequence[Given] = []
    previewed, problem = None, None
    if typed:
        try:
            previewed = Money(parse_amount(typed, checkout.currency), checkout.currency)
            preview = giving_back.preview(session, checkout, previewed.amount)
        except Invalid as error:
            previewed, problem = None, error.message
    return PaymentPage(
        checkout=checkout,
        names=names_of(session, [checkout.payer_org_id, *(share["org_id"] for share in checkout.splits)]),
        shares=shares,
        refunds=asked,
        disputes=questioned,
        left=left,
        preview=preview,
        previewed=previewed,
        problem=problem,
    )


def refund(session: Session, actor: Actor, row: Refund) -> RefundPage:
    """A refund's page for one of its sides; a payee sees only what it gives itself."""
    query = select(GiveBack).where(GiveBack.cause_id == row.id, GiveBack.undone_at.is_(None))
    given = session.scalars(query.order_by(GiveBack.id)).all()
    mine = [part for part in given if actor.org_id in {row.payer_org_id, part.org_id} or actor.role == "operator"]
    shown = [row.payer_org_id, *(part.org_id for part in mine)]
    return RefundPage(row, mine, names_of(session, shown), refunds.roles(row, actor), partly(actor, row))


def partly(actor: Actor, row: Refund | Dispute) -> bool:
    """Whether the row's amount is the reader's own share: of a payment with several payees each knows no more."""
    return len(row.orgs) > 1 and actor.role != "operator" and actor.org_id != row.payer_org_id


def desk(session: Session) -> Desk:
    """Everything about money that waits for an operator."""
    waiting = session.scalars(
        select(Refund).where(Refund.state.in_(("asked", "failed"))).order_by(Refund.created_at).limit(100)
    ).all()
    open_ones = session.scalars(
        select(Dispute).where(Dispute.closed_at.is_(None)).order_by(Dispute.evidence_due).limit(100)
    ).all()
    changed = session.scalars(
        select(PaymentAccount)
        # Also after the days of waiting: a large share is not sent before somebody has approved.
        .where(PaymentAccount.hold_until.is_not(None), PaymentAccount.change_approved_by.is_(None))
        .order_by(PaymentAccount.hold_until.desc())
        .limit(100)
    ).all()
    failed = session.scalars(
        select(Transfer).where(Transfer.state == "failed").order_by(Transfer.created_at).limit(100)
    ).all()
    orgs = [row.payer_org_id for row in waiting] + [row.payer_org_id for row in open_ones]
    orgs += [row.org_id for row in changed] + [row.org_id for row in failed]
    found = findings.read(session, alerts.unresolved(session))
    orgs += [item.org_id for item in found if item.org_id]
    return Desk(
        findings=found,
        refunds=waiting,
        disputes=open_ones,
        changed=changed,
        waiting=_waiting(session, [row.org_id for row in changed]),
        failed=failed,
        comparisons=comparison.latest(session),
        schedule=fees.schedule(session),
        names=names_of(session, orgs),
        head=chain.head(session),
    )


def _waiting(session: Session, org_ids: Sequence[str]) -> Mapping[str, Sequence[Money]]:
    """What is due to these organizations and waits because their accounts were changed, one sum per currency."""
    query = (
        select(Transfer.org_id, Transfer.currency, func.sum(Transfer.amount - Transfer.back - Transfer.withheld))
        .where(Transfer.org_id.in_(org_ids), Transfer.state == "due", Transfer.reason.in_(("cooling", "four_eyes")))
        .group_by(Transfer.org_id, Transfer.currency)
        .order_by(Transfer.currency)
    )
    found: dict[str, list[Money]] = {}
    for org_id, currency, amount in session.execute(query) if org_ids else ():
        found.setdefault(org_id, []).append(Money(int(amount), currency))
    return found


def names_of(session: Session, org_ids: Sequence[str]) -> dict[str, str]:
    """Names of organizations by id."""
    rows = session.execute(select(Organization.id, Organization.name).where(Organization.id.in_(set(org_ids))))
    return {row.id: row.name for row in rows}
