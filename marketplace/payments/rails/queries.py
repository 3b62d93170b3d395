"""Reading the bank-file rail."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Organization
from marketplace.kernel import clock
from marketplace.kernel.money import Money
from marketplace.payments.claims import Dispute
from marketplace.payments.models import PaymentAccount, Transfer
from marketplace.payments.rails.models import BankAnswer, BankFile, BankItem, PayeeBank
from marketplace.payments.rails.routing import LIVE
from marketplace.web.paging import Page, page


def waiting(session: Session, currency: str | None = None, *, limit: int = 100) -> Sequence[Transfer]:
    """Shares that the next file of a currency takes, the oldest first."""
    query = select(Transfer).where(_eligible(), *([Transfer.currency == currency] if currency else []))
    return session.scalars(query.order_by(Transfer.created_at, Transfer.id).limit(limit)).all()


def sums_waiting(session: Session) -> list[tuple[int, Money]]:
    """How many shares wait and how much they are, by currency."""
    rows = session.execute(
        select(Transfer.currency, func.count(), func.sum(Transfer.amount - Transfer.back - Transfer.withheld))
        .where(_eligible())
        .group_by(Transfer.currency)
        .order_by(Transfer.currency)
    )
    return [(count, Money(int(total), currency)) for currency, count, total in rows]


def waits(session: Session, share: Transfer) -> bool:
    """Whether a share that is locked now is still to be paid by a file."""
    return session.scalars(select(Transfer.id).where(Transfer.id == share.id, _eligible())).first() is not None


def _eligible() -> ColumnElement[bool]:
    """Due, not disputed, in no other file; the payee has a usable bank account and no ready account at the payment
    service.
    """
    usable = and_(
        PayeeBank.org_id == Transfer.org_id, PayeeBank.replaced_at.is_(None), PayeeBank.usable_at <= clock.now()
    )
    by_connect = and_(
        PaymentAccount.org_id == Transfer.org_id, PaymentAccount.transfers_active, PaymentAccount.payouts_enabled
    )
    disputed = and_(Dispute.checkout_id == Transfer.checkout_id, Dispute.closed_at.is_(None))
    taken = and_(BankItem.transfer_id == Transfer.id, BankItem.state.in_(LIVE))
    return and_(
        Transfer.state == "due",
        exists().where(usable),
        ~exists().where(by_connect),
        ~exists().where(disputed),
        ~exists().where(taken),
    )


def files(session: Session, cursor: str | None = None, limit: int = 24) -> Page[BankFile]:
    """Every file, newest first."""
    return page(session, select(BankFile), (BankFile.created_at, BankFile.id), cursor=cursor, limit=limit)


def answers(session: Session, limit: int = 20) -> Sequence[BankAnswer]:
    """The bank's latest reports, newest first."""
    query = select(BankAnswer).order_by(BankAnswer.created_at.desc(), BankAnswer.id).limit(limit)
    return session.scalars(query).all()


def payees(session: Session, answer: BankAnswer) -> dict[str, str]:
    """Names of the payees of a report's payments, by payment."""
    ids = sorted({line["item"] for line in answer.lines if line["item"]})
    query = select(BankItem.id, Organization.name).join(Organization, Organization.id == BankItem.org_id)
    return {row.id: row.name for row in session.execute(query.where(BankItem.id.in_(ids)))}


def items(session: Session, file_id: str) -> list[Any]:
    """The payments of a file: (item, payee's name, its bank account, its share), the largest first."""
    query = (
        select(BankItem, Organization.name, PayeeBank, Transfer)
        .join(Organization, Organization.id == BankItem.org_id)
        .join(PayeeBank, PayeeBank.id == BankItem.bank_id)
        .join(Transfer, Transfer.id == BankItem.transfer_id)
        .where(BankItem.file_id == file_id)
        .order_by(BankItem.amount.desc(), BankItem.id)
    )
    return list(session.execute(query))
