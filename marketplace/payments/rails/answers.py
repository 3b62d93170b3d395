"""Taking over a bank's report: each payment it names is carried out or returned, what does not fit is named."""

from collections.abc import Sequence
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.audit.operations import record
from marketplace.db.locks import lock_all, lock_name
from marketplace.kernel.actor import Actor
from marketplace.payments.rails import operations, reports
from marketplace.payments.rails.models import BankAnswer, BankFile, BankItem
from marketplace.payments.rails.reports import Answer
from marketplace.payments.rails.rules import DUPLICATE_REASONS, ITEM, RETURN_REASONS

_OPERATOR = frozenset({"operator"})
_AT_BANK = frozenset({"taken", "closed"})


def take(session: Session, actor: Actor, data: bytes) -> tuple[BankAnswer, bool]:
    """(what became of each line of the report, whether it was new); the same file again changes nothing.

    Raises Invalid `bad_report` for a file that is none; nothing is changed then.
    """
    digest = sha256(data).hexdigest()
    lock_name(session, f"bank-answer:{digest}")
    known = session.scalars(select(BankAnswer).where(BankAnswer.sha256 == digest)).one_or_none()
    if known is not None:
        return known, False
    kind, answers = reports.read(data)
    row = BankAnswer(kind=kind, sha256=digest, taken_by=actor.user_id or "", lines=[])
    named = [(answer, item) for answer in answers for item in _items(session, answer)]
    # Files before their payments, as operations.mark and settle_item lock them.
    lock_all(session, BankFile, (item.file_id for _answer, item in named if item is not None))
    lines = [_line(answer, item, _apply(session, actor, kind, answer, item)) for answer, item in named]
    row.lines = lines
    session.add(row)
    session.flush()
    done = sum(1 for line in lines if line["result"] == "done")
    record(session, actor, "payout.answer_taken", row.id, sha256=digest, kind=kind, lines=len(lines), done=done)
    return row, True


def _items(session: Session, answer: Answer) -> Sequence[BankItem | None]:
    """The payments that an answer speaks of; one None when it speaks of none of ours."""
    name = answer.reference.replace("-", "_", 1)
    column = BankItem.file_id if answer.whole else BankItem.id
    return session.scalars(select(BankItem).where(column == name).order_by(BankItem.id)).all() or [None]


def _apply(session: Session, actor: Actor, kind: str, answer: Answer, item: BankItem | None) -> str:
    """What became of an answer: a code of words.RESULTS.

    A status report refuses only what was not carried out yet; what comes back later, the account's reports tell.
    """
    if item is None:
        return "unknown"
    if answer.outcome is None:
        return "pending"
    if answer.amount is not None and (answer.amount, answer.currency) != (item.amount, item.currency):
        return "amount"
    if session.get_one(BankFile, item.file_id).state not in _AT_BANK:
        return "not_at_bank"
    session.refresh(item, with_for_update=True)
    if item.state == {"execute": "executed", "return": "returned"}[answer.outcome]:
        return "known"
    late = kind == "pain.002" and answer.outcome == "return" and item.state != "included"
    if late or answer.reason in DUPLICATE_REASONS:
        return "contrary"
    if not ITEM.can(item.state, answer.outcome, _OPERATOR):
        return "contrary"
    reason = answer.reason if answer.reason in RETURN_REASONS else "NARR"
    operations.mark(session, actor, item.file_id, [item.id], answer.outcome, reason)
    return "done"


def _line(answer: Answer, item: BankItem | None, result: str) -> dict[str, str | int | None]:
    """A line as it is kept; the amount is the report's, else the payment's."""
    named = answer.amount is not None
    return {
        "reference": answer.reference[:35],
        "item": item.id if item is not None else None,
        "file": item.file_id if item is not None else None,
        "outcome": answer.outcome,
        "reason": answer.reason,
        "amount": answer.amount if named or item is None else item.amount,
        "currency": answer.currency if named or item is None else item.currency,
        "result": result,
    }
