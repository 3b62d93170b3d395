"""The one interface of both rails: which one pays a payee and why, and what a due share waits for."""

from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.kernel import clock
from marketplace.payments.models import PaymentAccount
from marketplace.payments.rails.models import BankItem, PayeeBank
from marketplace.payments.rails.reach import bank_reaches, connect_reaches

LIVE = ("included", "executed")


@dataclass(frozen=True, slots=True)
class Way:
    """How a payee is paid. `ready`: money can be sent now; else `waits` is the code of what is missing.

    `account` or `bank` is what was read of the payee for it.
    """

    rail: str
    ready: bool
    waits: str | None = None
    account: PaymentAccount | None = field(default=None, compare=False)
    bank: PayeeBank | None = field(default=None, compare=False)


class Rail(Protocol):
    """What a rail knows: where it reaches, and how far a payee is with it (None: the payee has not begun)."""

    code: str

    def reaches(self, platform: str, country: str) -> bool:
        """Whether it pays from the platform's country to a payee's."""

    def way(self, session: Session, org_id: str) -> Way | None:
        """How far the payee is."""


class Connect:
    """The payment service: a share is sent at once and it pays out to the payee's bank by itself."""

    code = "stripe"

    def reaches(self, platform: str, country: str) -> bool:
        """By reach.CONNECT_REGION."""
        return connect_reaches(platform, country)

    def way(self, session: Session, org_id: str) -> Way | None:
        """By the account's state as the payment service reported it."""
        account = session.get(PaymentAccount, org_id)
        if account is None or account.stripe_account_id is None:
            return None
        return Way(self.code, account.ready, None if account.ready else "onboarding", account=account)


class BankFile:
    """A file for the platform's bank: a share waits until an operator makes the next one."""

    code = "bank"

    def reaches(self, platform: str, country: str) -> bool:
        """By reach.BANK_REFUSES."""
        return bank_reaches(country)

    def way(self, session: Session, org_id: str) -> Way | None:
        """By the payee's current bank account and its cooling time."""
        bank = current_bank(session, org_id)
        if bank is None:
            return None
        ready = bank.usable(clock.now())
        return Way(self.code, ready=ready, waits="bank_file" if ready else "bank_cooling", bank=bank)


RAILS: tuple[Rail, ...] = (Connect(), BankFile())


def way(session: Session, org_id: str) -> Way | None:
    """How a payee is paid: by the first rail that is ready, else by the first that was begun; None when none was."""
    begun = [found for rail in RAILS if (found := rail.way(session, org_id)) is not None]
    return next((found for found in begun if found.ready), begun[0] if begun else None)


def offered(platform: str, country: str) -> str | None:
    """The rail that a payee of this country is to use: the first that reaches it."""
    return next((rail.code for rail in RAILS if rail.reaches(platform, country)), None)


def in_a_file(session: Session, transfer_id: str) -> bool:
    """Whether a share is in a file that the bank may still carry out or has carried out."""
    query = select(BankItem.id).where(BankItem.transfer_id == transfer_id, BankItem.state.in_(LIVE))
    return session.scalars(query).first() is not None


def waits_for_bank(session: Session, org_id: str) -> str | None:
    """Why the payment service sends nothing to a payee that is paid by bank file; None for the others."""
    found = way(session, org_id)
    return found.waits if found is not None and found.rail == BankFile.code else None


def current_bank(session: Session, org_id: str) -> PayeeBank | None:
    """The payee's bank account now."""
    return session.scalars(
        select(PayeeBank).where(PayeeBank.org_id == org_id, PayeeBank.replaced_at.is_(None))
    ).one_or_none()
