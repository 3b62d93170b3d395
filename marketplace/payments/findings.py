"""Alerts and differences as an operator reads them: what, how much, whose, where to look, what to do next."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from marketplace.kernel.money import Money
from marketplace.payments import titles
from marketplace.payments.alert_words import CODES, COMPARED, FLAWS, KINDS, TASKS
from marketplace.payments.claims import Alert, Dispute, Refund, Reversal
from marketplace.payments.models import Checkout, Transfer
from marketplace.payments.vendor_words import disabled_reason, payout_failure
from marketplace.web.i18n import Formats

_FMT = Formats()
_AMOUNTS = re.compile(r"-?\d+ [A-Z]{3}(?:, -?\d+ [A-Z]{3})*")


@dataclass(frozen=True, slots=True)
class Finding:
    """An alert in words. `page` is (kind of page, id): payment, refund, dispute, file or organization."""

    alert: Alert
    what: str
    about: str | None
    org_id: str | None
    amount: Money | None
    why: str | None
    todo: str
    page: tuple[str, str] | None
    task: bool


@dataclass(frozen=True, slots=True)
class _Subjects:
    """Everything that the alerts of one page are about, by id; a checkout also by what it is for."""

    transfers: Mapping[str, Transfer]
    reversals: Mapping[str, Reversal]
    refunds: Mapping[str, Refund]
    disputes: Mapping[str, Dispute]
    checkouts: Mapping[str, Checkout]


def read(session: Session, alerts: Sequence[Alert]) -> list[Finding]:
    """The alerts in words of the current language, in their order."""
    known = _subjects(session, {row.subject_id for row in alerts if row.subject_id})
    return [_finding(row, known) for row in alerts]


def difference(kind: str) -> str:
    """A kind of difference in words; one that has none is shown as it is."""
    for flaw, words in FLAWS.items():
        what = COMPARED.get(kind.removesuffix(f"_{flaw}"))
        if what and kind.endswith(f"_{flaw}"):
            return f"{_(what)}: {_(words)}"
    there, booked, here = kind.partition("_booked_as_")
    if booked and there in COMPARED and here in COMPARED:
        return _("%(there)s: booked here as %(here)s", there=_(COMPARED[there]), here=_(COMPARED[here]))
    return kind


def amounts(found: str | int, kind: str = "", name: str = "") -> str:
    """Amounts as the comparison keeps them ("100 USD, -5 EUR") in the reader's format; other text as it is."""
    text = str(found)
    if kind == "balance_amount" and re.fullmatch(r"-?\d+", text):
        text = f"{text} {name}"
    if not _AMOUNTS.fullmatch(text):
        return text
    pairs = (part.split() for part in text.split(", "))
    return ", ".join(_FMT.money(Money(int(amount), currency)) for amount, currency in pairs)


def _subjects(session: Session, ids: set[str]) -> _Subjects:
    def of(prefix: str) -> list[str]:
        return sorted(name for name in ids if name.startswith(prefix))

    reversals = _by_id(session.scalars(select(Reversal).where(Reversal.id.in_(of("rev_"))))) if of("rev_") else {}
    wanted = [*of("trf_"), *(row.transfer_id for row in reversals.values())]
    transfers = _by_id(session.scalars(select(Transfer).where(Transfer.id.in_(wanted)))) if wanted else {}
    refunds = _by_id(session.scalars(select(Refund).where(Refund.id.in_(of("rfn_"))))) if of("rfn_") else {}
    disputes = _by_id(session.scalars(select(Dispute).where(Dispute.id.in_(of("dsp_"))))) if of("dsp_") else {}
    rest = sorted(ids - {*transfers, *reversals, *refunds, *disputes})
    found: dict[str, Checkout] = {}
    if rest:
        query = select(Checkout).where(or_(Checkout.id.in_(rest), Checkout.subject_id.in_(rest)))
        for row in session.scalars(query.order_by(Checkout.state == "paid", Checkout.created_at)):
            found[row.id] = found[row.subject_id] = row
    return _Subjects(transfers, reversals, refunds, disputes, found)


def _by_id(rows: Iterable[Any]) -> dict[str, Any]:
    return {row.id: row for row in rows}


def _finding(row: Alert, known: _Subjects) -> Finding:
    what, todo = (_(text) for text in KINDS.get(row.kind, (row.kind, "")))
    name, details = row.subject_id or "", row.details
    subject, page = _place(name, known)
    org_id = details.get("org") or _owner(subject)
    if page is None and (org_id or name.startswith("org_")):
        page = ("organization", org_id or name)
        org_id = org_id or name
    why = reason(row.kind, details.get("code")) or details.get("why")
    if row.kind == "gave_up":
        job = details.get("job", "")
        what, why = f"{what}: {_(TASKS[job]) if job in TASKS else job}", details.get("why")
    if row.kind == "difference":
        what = f"{what}: {difference(details.get('what', ''))}"
        sides = (amounts(details.get(side, "-"), details.get("what", ""), details.get("object", ""))
                 for side in ("ours", "theirs"))  # fmt: skip
        why = _("ours %(ours)s, theirs %(theirs)s", ours=next(sides), theirs=next(sides))
    return Finding(
        alert=row,
        what=what,
        about=titles.title(subject) if subject is not None else None,
        org_id=org_id,
        amount=_amount(details, subject),
        why=why,
        todo=todo,
        page=page,
        task=row.kind == "gave_up" and details.get("job") in TASKS,
    )


def reason(kind: str, code: str | None) -> str | None:
    """Why an alert of this kind was raised: a vendor's code in words where there are some; None without a code."""
    if code is None:
        return None
    if kind == "payout_failed":
        return payout_failure(code)
    return disabled_reason(code) if kind == "account_lost" else str(_(CODES[code])) if code in CODES else code


def _place(name: str, known: _Subjects) -> tuple[Transfer | Refund | Dispute | Checkout | None, tuple[str, str] | None]:
    """What an alert is about, and the page that shows it."""
    if name in known.reversals:
        name = known.reversals[name].transfer_id
    if name in known.transfers:
        return known.transfers[name], ("payment", known.transfers[name].checkout_id)
    if name in known.refunds:
        return known.refunds[name], ("refund", name)
    if name in known.disputes:
        return known.disputes[name], ("dispute", name)
    if name in known.checkouts:
        return known.checkouts[name], ("payment", known.checkouts[name].id)
    return None, ("file", name) if name.startswith("bft_") else None


def _owner(subject: Transfer | Refund | Dispute | Checkout | None) -> str | None:
    if subject is None:
        return None
    return subject.org_id if isinstance(subject, Transfer) else subject.payer_org_id


def _amount(details: Mapping[str, Any], subject: Transfer | Refund | Dispute | Checkout | None) -> Money | None:
    """The amount that the alert names, else that of what it is about."""
    currency = details.get("currency") or (subject.currency if subject is not None else None)
    if isinstance(details.get("amount"), int) and currency:
        return Money(details["amount"], currency)
    if isinstance(subject, Transfer):
        return subject.left_money
    if isinstance(subject, Checkout):
        return subject.total
    return subject.money if subject is not None else None
