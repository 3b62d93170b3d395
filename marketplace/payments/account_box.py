"""What the payouts page says of the way a payee is paid: which rail and why, what is missing, in words."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from marketplace.accounts.models import Organization
from marketplace.payments import vendor_words
from marketplace.payments.models import PaymentAccount
from marketplace.payments.rails.models import PayeeBank
from marketplace.payments.rails.routing import offered, way

#: Codes of an account that is closed or out of our reach: no waiting brings it back.
LOST = frozenset({"account_closed", "account_lost", "payment_not_found", "insufficient_capabilities_for_transfer"})


@dataclass(frozen=True, slots=True)
class AccountBox:
    """`state`: ready, bank_ready, bank_cooling, start, start_bank, unreached, onboarding, checking, paused, refused.

    `account` is the one at the payment service, unless the payee is paid by bank transfer. `asks` are the things that
    it still wants and `reason` why it pays nothing, both in words.
    """

    state: str
    country: str
    asks: tuple[str, ...] = ()
    reason: str = ""
    bank: PayeeBank | None = None
    checked_at: datetime | None = None
    account: PaymentAccount | None = None


def account_box(session: Session, org_id: str, platform_country: str) -> AccountBox:
    """How far the payee is."""
    country = session.get_one(Organization, org_id).country
    found = way(session, org_id)
    if found is not None and found.rail == "bank":
        return AccountBox("bank_ready" if found.ready else "bank_cooling", country, bank=found.bank)
    account = found.account if found is not None else session.get(PaymentAccount, org_id)
    if account is None or account.stripe_account_id is None:
        start = {"stripe": "start", "bank": "start_bank"}.get(offered(platform_country, country) or "", "unreached")
        return AccountBox(start, country, account=account)
    asks = tuple(dict.fromkeys(vendor_words.requirement(code) for code in account.requirements))
    reason = vendor_words.disabled_reason(account.disabled_reason)
    return AccountBox(_state(account), country, asks, reason, checked_at=account.checked_at, account=account)


def _state(account: PaymentAccount) -> str:
    code = account.disabled_reason or ""
    if account.ready:
        return "ready"
    if code.startswith(("rejected", "unsupported")) or code in LOST:
        return "refused"
    if account.requirements or not account.details_submitted:
        return "onboarding"
    return "paused" if code.startswith("restricted") else "checking"
