"""What happens on the bank-file rail. The web stages, the jobs touch shares and the ledger."""

import json
from dataclasses import asdict
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Organization
from marketplace.audit.operations import record
from marketplace.config import Settings
from marketplace.db.jobs import JobName, stage
from marketplace.db.locks import lock, lock_all, lock_name
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, Forbidden
from marketplace.notifications.operations import notify_org
from marketplace.payments import ledger
from marketplace.payments import operations as shares
from marketplace.payments.giving_back import once_more
from marketplace.payments.models import Transfer
from marketplace.payments.rails import queries
from marketplace.payments.rails.account_numbers import Account, checked
from marketplace.payments.rails.models import BankFile, BankItem, PayeeBank
from marketplace.payments.rails.pain import Credit, write
from marketplace.payments.rails.routing import current_bank, in_a_file, offered
from marketplace.payments.rails.rules import COOLING, FILE, ITEM, MOST_ITEMS
from marketplace.payments.rails.vault import seal, unseal
from marketplace.payments.reversals import recover
from marketplace.payments.rules import TRANSFER, four_eyes_from

_SYSTEM = frozenset({"system"})
_OPERATOR = frozenset({"operator"})


def debtor(settings: Settings) -> Account | None:
    """The platform's own account that files are paid from; None when the settings name none. Raises Invalid."""
    if not settings.bank_account:
        return None
    return checked(
        settings.platform_country,
        holder=settings.bank_holder or settings.brand_name,
        number=settings.bank_account,
        bic=settings.bank_bic,
    )


def save_bank(
    session: Session, actor: Actor, org_id: str, settings: Settings, *, holder: str, number: str, bic: str
) -> PayeeBank:
    """Be paid to this account from now on; a changed one is used after COOLING, and every member is told.

    The caller has proved to be the person (step-up). Raises Invalid by field, Conflict `paid_by_connect` in a country
    that the payment service reaches, `same_account` when nothing changes.
    """
    org = session.get_one(Organization, org_id)
    if offered(settings.platform_country, org.country) != "bank":
        raise Conflict("paid_by_connect", "The payment service pays to your country; set up your payouts there.")
    account = checked(org.country, holder=holder, number=number, bic=bic)
    lock_name(session, f"payee-bank:{org_id}")
    before = current_bank(session, org_id)
    if before is not None and _opened(settings, before) == account:
        raise Conflict("same_account", "This is the account we have already.")
    now = clock.now()
    if before is not None:
        before.replaced_at = now
        session.flush()
    row = PayeeBank(
        org_id=org_id,
        holder=account.holder,
        country=account.country,
        bic=account.bic,
        last4=account.last4,
        sealed=seal(settings.secret_key, org_id, json.dumps(asdict(account)).encode()),
        usable_at=now if before is None else now + COOLING,
        entered_by=actor.user_id or "",
    )
    session.add(row)
    session.flush()
    action = "payout.bank_entered" if before is None else "payout.bank_changed"
    record(session, actor, action, row.id, owner_org_id=org_id, last4=row.last4, country=row.country)
    if before is not None:
        notify_org(session, org_id, "bank_changed", path="/payouts/bank", last4=row.last4)
    return row


def start_file(session: Session, actor: Actor, currency: str) -> BankFile:
    """Begin a file of everything that waits in a currency; a job fills it. Raises Conflict when nothing waits."""
    lock_name(session, f"bank-file:{currency}")
    if not queries.waiting(session, currency, limit=1):
        raise Conflict("nothing_waits", "Nothing waits for a bank file in this currency.")
    row = BankFile(currency=currency, made_by=actor.user_id or "", execute_on=_bank_day(clock.now()).date())
    session.add(row)
    session.flush()
    record(session, actor, "payout.file_started", row.id, currency=currency)
    stage(session, JobName.FILL_BANK_FILE, row.id, {"file_id": row.id})
    return row


def fill_file(session: Session, actor: Actor, file_id: str, settings: Settings) -> None:
    """Put every waiting share of the currency into the file, once, and write and seal the file.

    Locks each share; what another file or the payment service has taken meanwhile is left out. A file that stays
    empty is canceled.
    """
    file = lock(session, BankFile, file_id)
    payer = debtor(settings)
    if file.state != "making" or payer is None:
        return
    ids = [share.id for share in queries.waiting(session, file.currency, limit=MOST_ITEMS)]
    credits = []
    for share in lock_all(session, Transfer, ids):
        bank = current_bank(session, share.org_id)
        if bank is None or not bank.usable(clock.now()) or not queries.waits(session, share):
            continue
        if shares.offset_debts(session, actor, share):
            continue
        item = BankItem(
            file_id=file.id,
            transfer_id=share.id,
            bank_id=bank.id,
            org_id=share.org_id,
            amount=share.payable,
            currency=share.currency,
        )
        session.add(item)
        session.flush()
        TRANSFER.advance(share, "begin", _SYSTEM)
        share.reason = "in_bank_file"
        credits.append(Credit(item.id, item.money, _opened(settings, bank), share.description))
    if not credits:
        FILE.advance(file, "cancel", _SYSTEM)
        return
    made = write(file.id, clock.now(), file.execute_on, payer, credits)
    FILE.advance(file, "make", _SYSTEM)
    file.count, file.total = len(credits), sum(c.amount.amount for c in credits)
    file.sealed, file.sha256 = seal(settings.secret_key, file.id, made), sha256(made).hexdigest()
    record(session, actor, "payout.file_made", file.id, count=file.count, total=file.total, sha256=file.sha256)


def needs_approval(file: BankFile) -> bool:
    """Whether a second operator must look at it before it leaves: from as many whole units as for a changed account."""
    return file.total >= four_eyes_from(file.currency) and file.approved_by is None


def approve(session: Session, actor: Actor, file_id: str) -> None:
    """A second operator has looked at it. Raises Forbidden for the one who made it, Conflict when it is not to do."""
    file = lock(session, BankFile, file_id)
    if file.made_by == actor.user_id:
        raise Forbidden("four_eyes", "Somebody else must approve a file that you made.")
    if file.state != "made" or not needs_approval(file):
        raise Conflict("not_now", "This file needs no approval.")
    file.approved_by = actor.user_id
    record(session, actor, "payout.file_approved", file.id, total=file.total, currency=file.currency)


def take(session: Session, actor: Actor, file_id: str, settings: Settings) -> bytes:
    """The file, once: whoever loses it cancels it at the bank and here. Raises Conflict."""
    file = lock(session, BankFile, file_id)
    if file.state != "made" or file.sealed is None:
        raise Conflict("not_now", "This file was taken already, or there is none.")
    if needs_approval(file):
        raise Conflict("four_eyes", "A second operator must approve this file first.")
    FILE.advance(file, "take", _OPERATOR)
    file.taken_by, file.taken_at = actor.user_id, clock.now()
    record(session, actor, "payout.file_taken", file.id, sha256=file.sha256, count=file.count, total=file.total)
    data = unseal(settings.secret_key, file.id, file.sealed)
    # What was taken is at the bank; keeping the account numbers a second time here serves nobody.
    file.sealed = None
    return data


def cancel(session: Session, actor: Actor, file_id: str) -> None:
    """Give up a file that has not been taken; its shares wait for the next. Raises Conflict afterwards."""
    file = lock(session, BankFile, file_id)
    if file.state != "made":
        raise Conflict("not_now", "Only a file that nobody has taken can be given up.")
    FILE.advance(file, "cancel", _OPERATOR)
    file.sealed = None
    for item in _items(session, file_id):
        ITEM.advance(item, "cancel", _OPERATOR)
        item.settled_at = clock.now()
        _stage_settling(session, item)
    record(session, actor, "payout.file_canceled", file.id)


def mark(session: Session, actor: Actor, file_id: str, item_ids: list[str], outcome: str, reason: str | None) -> int:
    """What the bank says of payments of a taken file: `execute` or `return` (with its reason code); how many changed.

    Raises Conflict for a file that is not at the bank.
    """
    file = lock(session, BankFile, file_id)
    if file.state not in {"taken", "closed"}:
        raise Conflict("not_now", "This file is not at the bank.")
    changed = 0
    for item in _items(session, file_id, item_ids):
        if not ITEM.can(item.state, outcome, _OPERATOR):
            continue
        ITEM.advance(item, outcome, _OPERATOR)
        item.reason, item.settled_at = reason if outcome == "return" else None, clock.now()
        _stage_settling(session, item)
        record(session, actor, f"payout.item_{item.state}", item.id, owner_org_id=item.org_id, reason=item.reason)
        changed += 1
    return changed


def settle_item(session: Session, actor: Actor, item_id: str) -> None:
    """Take over into the share and the ledger what the bank said of one payment; repeated, it happens once."""
    # Files before their payments, as everywhere.
    file = lock(session, BankFile, session.get_one(BankItem, item_id).file_id)
    item = lock(session, BankItem, item_id)
    share = lock(session, Transfer, item.transfer_id)
    if item.state == "executed":
        shares.confirm_transfer(session, actor, share.id, item.id, account=ledger.BANK)
    elif item.state in {"returned", "canceled"} and not in_a_file(session, share.id):
        _take_back(session, actor, share, item)
    if file.state == "taken" and not any(i.state == "included" for i in _items(session, file.id)):
        FILE.advance(file, "close", _SYSTEM)


def _take_back(session: Session, actor: Actor, share: Transfer, item: BankItem) -> None:
    """The payment did not happen, or came back: it is owed again and waits for the next file."""
    why = "bank_returned" if item.state == "returned" else "bank_file"
    if share.state == "sending":
        TRANSFER.advance(share, "reject", _SYSTEM)
        TRANSFER.advance(share, "release", _SYSTEM)
        share.reason = why
    elif share.stripe_transfer_id == item.id and not ledger.balance_of(session, _return_key(item), ledger.BANK):
        _came_back(session, share, item, why)
    else:
        return
    if item.state == "returned":
        notify_org(session, item.org_id, "bank_returned", path="/payouts/bank", amount=item.money)


def _came_back(session: Session, share: Transfer, item: BankItem, why: str) -> None:
    """What was paid is on our account again: it settles first what the payee owes of this share, for a refund that
    could not be taken back from it; the rest is owed once more.
    """
    kept = min(item.amount, share.payable)
    settled = recover(session, share.id, item.amount - kept)
    again = item.amount - settled
    ledger.post(
        session,
        key=_return_key(item),
        kind="reversal",
        subject_id=share.subject_id,
        memo=share.description,
        currency=item.currency,
        lines=[
            ledger.Line(ledger.BANK, item.amount),
            ledger.Line(ledger.held(item.org_id), -again, item.org_id),
            ledger.Line(ledger.receivable(item.org_id), -settled, item.org_id),
        ],
        external_id=item.id,
    )
    # The share is cut in two: what went back to the buyer, and what is owed once more.
    share.gross, share.amount = share.gross - kept, share.amount - kept
    if again:
        TRANSFER.advance(once_more(session, share, again, why), "release", _SYSTEM)


def _return_key(item: BankItem) -> str:
    return f"bank_return:{item.id}"


def _items(session: Session, file_id: str, ids: list[str] | None = None) -> list[BankItem]:
    query = select(BankItem.id).where(BankItem.file_id == file_id)
    return lock_all(session, BankItem, session.scalars(query if ids is None else query.where(BankItem.id.in_(ids))))


def _stage_settling(session: Session, item: BankItem) -> None:
    stage(session, JobName.SETTLE_BANK_ITEM, f"{item.id}:{item.state}", {"item_id": item.id})


def _opened(settings: Settings, bank: PayeeBank) -> Account:
    return Account(**json.loads(unseal(settings.secret_key, bank.org_id, bank.sealed)))


def _bank_day(moment: datetime) -> datetime:
    """The next day that is not a weekend: banks carry out nothing on the others."""
    day = moment + timedelta(days=1)
    while day.weekday() >= 5:
        day += timedelta(days=1)
    return day
