"""Reading money: a payee's shares, payouts, balances, ledger lines."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TypeVar

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from marketplace.kernel import clock
from marketplace.kernel.money import Money
from marketplace.payments.claims import Dispute, Refund
from marketplace.payments.models import Checkout, LedgerEntry, LedgerTransaction, PaymentAccount, Payout, Transfer
from marketplace.web.paging import Page, page

#: What a payee may read only its share of.
C = TypeVar("C", Refund, Dispute)
_ONE = {
    Refund: text(
        "select r.* from refunds r where r.id = :key and r.payer_org_id = :org"
        " union all select * from shared_refunds() where id = :key limit 1"
    ),
    Dispute: text(
        "select d.* from disputes d where d.id = :key and d.payer_org_id = :org"
        " union all select * from shared_disputes() where id = :key limit 1"
    ),
}
_LATELY = {
    Refund: text("select * from shared_refunds() where created_at > :since order by created_at desc limit 20"),
    Dispute: text("select * from shared_disputes() where opened_at > :since order by opened_at desc limit 20"),
}


def account(session: Session, org_id: str) -> PaymentAccount | None:
    """The payee's account, if onboarding was started."""
    return session.get(PaymentAccount, org_id)


def can_receive(session: Session, org_id: str) -> bool:
    """Whether money can be sent to this organization (only meaningful for the actor's own, or in jobs)."""
    found = account(session, org_id)
    return found is not None and found.ready


def shares(session: Session, org_id: str, *, cursor: str | None = None, limit: int = 24) -> Page[Transfer]:
    """A payee's shares, newest first."""
    query = select(Transfer).where(Transfer.org_id == org_id)
    return page(session, query, (Transfer.created_at, Transfer.id), cursor=cursor, limit=limit)


def back(session: Session) -> tuple[Sequence[Refund], Sequence[Dispute]]:
    """Refunds and disputes of the last quarter that touch the shares of the actor's organization, newest first."""
    since = clock.now() - timedelta(days=92)
    return (
        session.scalars(select(Refund).from_statement(_LATELY[Refund]), {"since": since}).all(),
        session.scalars(select(Dispute).from_statement(_LATELY[Dispute]), {"since": since}).all(),
    )


def own(session: Session, org_id: str, model: type[C], key: str) -> C | None:
    """A refund or dispute as its payer has it, else as a payee: of several payees each reads its own share.

    The database puts the share in place of the whole: the policy of the table hides the row itself.
    """
    return session.scalars(select(model).from_statement(_ONE[model]), {"key": key, "org": org_id}).one_or_none()


def payouts(session: Session, org_id: str, limit: int = 12) -> Sequence[Payout]:
    """The latest payouts to the bank."""
    query = select(Payout).where(Payout.org_id == org_id).order_by(Payout.created_at.desc(), Payout.id).limit(limit)
    return session.scalars(query).all()


def totals(session: Session, org_id: str) -> dict[str, list[Money]]:
    """Sums of a payee's shares by state (held, due, sending, sent), one per currency."""
    rows = session.execute(
        select(Transfer.state, Transfer.currency, func.sum(Transfer.amount - Transfer.back - Transfer.withheld))
        .where(Transfer.org_id == org_id)
        .group_by(Transfer.state, Transfer.currency)
        .order_by(Transfer.currency)
    )
    found: dict[str, list[Money]] = {}
    for state, currency, amount in rows:
        found.setdefault(state, []).append(Money(int(amount), currency))
    return found


def live_checkout(session: Session, purpose: str, subject_id: str) -> Checkout | None:
    """The open or paid checkout of a license or order."""
    query = select(Checkout).where(
        Checkout.purpose == purpose,
        Checkout.subject_id == subject_id,
        Checkout.state.in_(("open", "paid")),
        ~Checkout.replaced,
    )
    return session.scalars(query).one_or_none()


def gone_back(session: Session, subject_id: str) -> bool:
    """Whether all that was paid for a license or order has gone back to its buyer; False when nothing was paid.

    A payee asks about its own share, which goes back in the same proportion, the buyer about all of them.
    """
    sums = select(func.sum(Transfer.amount), func.sum(Transfer.amount - Transfer.back))
    whole, left = session.execute(sums.where(Transfer.subject_id == subject_id)).one()
    return bool(whole) and not left


def arrivals(shares: Sequence[Transfer], payouts: Sequence[Payout]) -> dict[str, Payout]:
    """The first payout to the bank that has arrived since a share was sent, by the share's id: it went with that."""
    found: dict[str, Payout] = {}
    for payout in sorted(payouts, key=lambda row: row.created_at):
        for share in shares:
            same = share.state == "sent" and payout.status == "paid" and payout.currency == share.currency
            if same and share.sent_at is not None and share.sent_at <= payout.created_at:
                found.setdefault(share.id, payout)
    return found


def ledger_lines(session: Session, org_id: str, *, cursor: str | None = None, limit: int = 50) -> Page[LedgerEntry]:
    """Ledger lines of an organization, newest first."""
    query = select(LedgerEntry).where(LedgerEntry.org_id == org_id)
    return page(session, query, (LedgerEntry.id,), cursor=cursor, limit=limit)


def transactions(session: Session, ids: set[str]) -> dict[str, LedgerTransaction]:
    """Bookings by id."""
    rows = session.scalars(select(LedgerTransaction).where(LedgerTransaction.id.in_(ids)))
    return {row.id: row for row in rows}
