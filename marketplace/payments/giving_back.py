"""Who gives back how much, and taking it from the shares: the same for a refund and for a dispute that was lost.

Every payee gives in proportion to what is left of its share, and we give our fee in the same proportion; the payment
service keeps what it took of the payment. Of a share, the part that was not sent yet goes first; what was sent is
reversed, and what cannot be reversed is owed to us.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.db.locks import lock_all
from marketplace.kernel import clock
from marketplace.kernel.errors import Conflict
from marketplace.payments import ledger
from marketplace.payments.claims import Dispute, GiveBack, Reversal
from marketplace.payments.models import Checkout, Transfer
from marketplace.payments.rails.routing import in_a_file
from marketplace.payments.rules import PLANS, TRANSFER, apportion, waits_for

_SYSTEM = frozenset({"system"})


@dataclass(frozen=True, slots=True)
class Given:
    """What one payee gives: `net` of its own and `fee`, the part of our fee that we give."""

    org_id: str
    kind: str
    net: int
    fee: int


def left(session: Session, checkout: Checkout) -> int:
    """Minor units of a payment that did not go back yet."""
    query = select(func.coalesce(func.sum(GiveBack.net + GiveBack.fee), 0)).where(GiveBack.checkout_id == checkout.id)
    query = query.where(GiveBack.undone_at.is_(None))
    return checkout.amount - int(session.scalars(query).one())


def preview(session: Session, checkout: Checkout, amount: int) -> list[Given]:
    """Who would give back how much of `amount`. Raises Invalid `too_much` for more than is left."""
    query = (
        select(GiveBack.org_id, GiveBack.kind, func.sum(GiveBack.net), func.sum(GiveBack.fee))
        .where(GiveBack.checkout_id == checkout.id, GiveBack.undone_at.is_(None))
        .group_by(GiveBack.org_id, GiveBack.kind)
    )
    gone = {(org_id, kind): (int(net), int(fee)) for org_id, kind, net, fee in session.execute(query)}
    shares = [Given(s["org_id"], s["kind"], s["net"], s["fee"]) for s in checkout.splits]
    return divide(shares, [gone.get((share.org_id, share.kind), (0, 0)) for share in shares], amount)


def divide(shares: Sequence[Given], gone: Sequence[tuple[int, int]], amount: int) -> list[Given]:
    """`amount` over `shares` of which `gone` (net, fee) went back before, exact to the minor unit.

    What has gone back in all is always the same part of each share, however many steps it took. Raises Invalid
    `too_much`.
    """
    whole = [part for share in shares for part in (share.net, share.fee)]
    before = [part for pair in gone for part in pair]
    steps = [new - old for new, old in zip(apportion(sum(before) + amount, whole), before, strict=True)]
    if any(step < 0 for step in steps):
        # Something was undone in between, so a part stands a unit above its proportion: what is left is divided.
        steps = apportion(amount, [part - old for part, old in zip(whole, before, strict=True)])
    return [
        Given(share.org_id, share.kind, steps[2 * i], steps[2 * i + 1])
        for i, share in enumerate(shares)
        if steps[2 * i] or steps[2 * i + 1]
    ]


def take(
    session: Session, checkout: Checkout, cause_id: str, given: Sequence[Given], *, kind: str, to: str
) -> list[Reversal]:
    """Take what is given from the shares, book it in favor of the account `to`, and ask for the reversals needed.

    Call it with the checkout locked. Raises Conflict `share_moving` while a share is being sent or may have been,
    `share_in_file` while the bank has it (days); nothing is changed then. Returns the reversals.
    """
    query = select(Transfer.id).where(Transfer.checkout_id == checkout.id)
    rows = lock_all(session, Transfer, session.scalars(query))
    # One that got no answer may have left: it stands still until the payment service was asked (sending it again).
    moving = [row for row in rows if row.state == "sending" or (row.state == "failed" and row.reason == "no_answer")]
    if any(in_a_file(session, row.id) for row in moving):
        raise Conflict("share_in_file", "A share is in a file at our bank. This goes on when the bank has answered.")
    if moving:
        raise Conflict("share_moving", "A share is just being sent. This is tried again in a moment.")
    lines, reversals = [], []
    for part in given:
        held, sent = _take_share(session, rows, cause_id, part)
        reversals += sent
        owed = part.net - held
        lines += [
            ledger.Line(ledger.held(part.org_id), held, part.org_id),
            ledger.Line(ledger.receivable(part.org_id), owed, part.org_id),
            ledger.Line(ledger.FEES, part.fee),
        ]
        session.add(
            GiveBack(
                cause_id=cause_id,
                checkout_id=checkout.id,
                payer_org_id=checkout.payer_org_id,
                org_id=part.org_id,
                kind=part.kind,
                net=part.net,
                fee=part.fee,
                currency=checkout.currency,
            )
        )
    ledger.post(
        session,
        key=f"{kind}:{cause_id}",
        kind=kind,
        subject_id=checkout.subject_id,
        memo=checkout.description,
        currency=checkout.currency,
        lines=[*lines, ledger.Line(to, -sum(part.net + part.fee for part in given))],
    )
    return reversals


def restore(session: Session, checkout: Checkout, cause_id: str, *, kind: str, source: str) -> list[Transfer]:
    """Undo `take`: what was given is the payees' again, out of the account `source`.

    What a payee still owed for it is forgiven. What had not been sent goes back into its part, which is held or due as
    before; what had been sent becomes a share of its own. Returns those shares and the parts that are held anew: to be
    released, each when its condition is met. Call it with the checkout locked. Raises Conflict `share_moving` while a
    reversal is under way.
    """
    # The shares before their reversals, as everywhere.
    shares = lock_all(
        session, Transfer, session.scalars(select(Transfer.id).where(Transfer.checkout_id == checkout.id))
    )
    mine = {share.id: share for share in shares}
    reversals = lock_all(
        session,
        Reversal,
        session.scalars(select(Reversal.id).where(Reversal.cause_id.in_((cause_id, f"{cause_id}:debt")))),
    )
    if any(row.state in {"due", "sending"} for row in reversals):
        raise Conflict("share_moving", "A share is just being taken back. This is tried again in a moment.")
    lines, made, total = [], [], 0
    given = select(GiveBack).where(GiveBack.cause_id == cause_id, GiveBack.undone_at.is_(None))
    for part in session.scalars(given.order_by(GiveBack.id)).all():
        forgiven, sent = 0, 0
        for row in reversals:
            share = mine[row.transfer_id]
            if (row.org_id, share.kind) != (part.org_id, part.kind):
                continue
            sent += row.amount
            if row.state == "short":
                kept = row.amount - row.recovered
                forgiven, row.recovered = forgiven + kept, row.amount
                # It stays with the payee, so that it can be given back another time.
                share.back -= kept
                if row.cause_id.endswith(":debt"):
                    share.withheld += kept
        revived, rest = _into_parts(session, shares, part, part.net - sent)
        made += revived
        again = sent - forgiven + rest
        lines += [
            ledger.Line(ledger.receivable(part.org_id), -forgiven, part.org_id),
            ledger.Line(ledger.held(part.org_id), forgiven - part.net, part.org_id),
            ledger.Line(ledger.FEES, -part.fee),
        ]
        total += part.net + part.fee
        if again:
            like = next(share for share in shares if (share.org_id, share.kind) == (part.org_id, part.kind))
            made.append(once_more(session, like, again, "restored"))
        part.undone_at = clock.now()
    lines.append(ledger.Line(source, total))
    ledger.post(
        session,
        key=f"{kind}:{cause_id}",
        kind=kind,
        subject_id=checkout.subject_id,
        memo=checkout.description,
        currency=checkout.currency,
        lines=lines,
    )
    session.flush()
    return made


def _into_parts(
    session: Session, shares: Sequence[Transfer], given: GiveBack, amount: int
) -> tuple[list[Transfer], int]:
    """Put `amount` back into a payee's parts that were not sent, the first part first.

    Returns the parts that are held anew, and what has no such part: it was sent since.
    """
    mine = sorted((s for s in shares if (s.org_id, s.kind) == (given.org_id, given.kind)), key=_last_part_first)
    revived = []
    for row in reversed(mine):
        # One without an answer may have left as it is; it stands still until the payment service was asked.
        if row.state not in {"held", "due", "failed", "returned"} or row.reason == "no_answer":
            continue
        part = min(amount, row.back)
        if not part:
            continue
        row.back, amount = row.back - part, amount - part
        if row.state == "returned":
            TRANSFER.advance(row, "restore", _SYSTEM)
            row.reason = _why_held(session, row)
            revived.append(row)
    return revived, amount


def _why_held(session: Session, row: Transfer) -> str | None:
    disputed = select(Dispute.id).where(Dispute.checkout_id == row.checkout_id, Dispute.closed_at.is_(None)).limit(1)
    if session.scalars(disputed).first() is not None:
        return "disputed"
    return waits_for(row.purpose, row.kind, row.milestone)


def once_more(session: Session, like: Transfer, amount: int, reason: str) -> Transfer:
    """A share that is owed once more: held, without a fee of ours, beside the one it was a part of."""
    query = select(func.count()).where(Transfer.checkout_id == like.checkout_id, Transfer.milestone.like("again%"))
    number = session.scalar(query) or 0
    row = Transfer(
        org_id=like.org_id,
        checkout_id=like.checkout_id,
        payer_org_id=like.payer_org_id,
        purpose=like.purpose,
        subject_id=like.subject_id,
        about=like.about,
        description=like.description,
        kind=like.kind,
        milestone=f"again{number + 1}",
        gross=amount,
        fee=0,
        amount=amount,
        fee_bps=like.fee_bps,
        fee_since=like.fee_since,
        currency=like.currency,
        state=TRANSFER.initial,
        reason=reason,
    )
    session.add(row)
    session.flush()
    return row


def _take_share(session: Session, rows: Sequence[Transfer], cause_id: str, part: Given) -> tuple[int, list[Reversal]]:
    """Minor units taken from what was not sent, and the reversals for the rest."""
    need, held, reversals = part.net, 0, []
    mine = sorted((r for r in rows if (r.org_id, r.kind) == (part.org_id, part.kind)), key=_last_part_first)
    for row in (row for row in mine if row.state in {"held", "due", "failed"}):
        taken = min(need, row.payable)
        if taken:
            row.back, need, held = row.back + taken, need - taken, held + taken
            if row.payable == 0 and row.withheld == 0:
                TRANSFER.advance(row, "give_back", _SYSTEM)
                row.reason = "given_back"
    for row in (row for row in mine if row.state in {"sent", "offset"}):
        taken = min(need, row.payable)
        if taken:
            row.back, need = row.back + taken, need - taken
            reversals.append(_reversal(row, cause_id, taken))
        # What had paid an older debt is not there to be reversed: it is owed anew.
        taken = min(need, row.withheld)
        if taken:
            row.withheld, row.back, need = row.withheld - taken, row.back + taken, need - taken
            reversals.append(_reversal(row, f"{cause_id}:debt", taken, state="short"))
    session.add_all(reversals)
    session.flush()
    return held, reversals


def _reversal(row: Transfer, cause_id: str, amount: int, *, state: str = "due") -> Reversal:
    return Reversal(
        transfer_id=row.id,
        cause_id=cause_id,
        org_id=row.org_id,
        subject_id=row.subject_id,
        amount=amount,
        currency=row.currency,
        state=state,
    )


def _last_part_first(row: Transfer) -> tuple[int, str]:
    """Where a part stands in giving back: what is owed once more, then the plan's parts from the last to the first."""
    plan = [milestone.code for milestone in PLANS.get((row.purpose, row.kind), ())]
    return (-plan.index(row.milestone) if row.milestone in plan else -len(plan), row.milestone)
