"""Our books beside the payment service's: every difference is found and named. Pure but for `ours` and `keep`.

A difference is {kind, object, subject, ours, theirs}; `kind` is what is compared (charge, refund, transfer, reversal,
dispute, payout, adjustment, balance, share) and what is wrong with it: `_not_booked` they have it and we do not,
`_not_there` we have it and they do not, `_amount`, `_currency`, `_fee`, `_twice`, `_state`, `_payee`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from marketplace.gateways.payment_types import Movement
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.payments import alerts, chain
from marketplace.payments.claims import Dispute, Reconciliation
from marketplace.payments.models import PaymentAccount, Payout, Transfer

#: What happened later than this may be on its way to us still.
SETTLED = timedelta(minutes=10)
#: A share that is being sent for longer than this has lost its way.
STUCK = timedelta(hours=1)

#: The vendor's word for a movement -> ours.
_GROUPS = {
    "charge": "charge",
    "charge_failure": "charge",
    "refund": "refund",
    "refund_failure": "refund",
    "transfer": "transfer",
    "transfer_reversal": "reversal",
    "dispute": "dispute",
    "dispute_reversal": "dispute",
    "payout": "payout",
    "payout_reversal": "payout",
    "topup": "payout",
    "topup_reversal": "payout",
}
#: The kind of a booking -> the group it belongs to.
_KINDS = {
    "payment": "charge",
    "exchange": "charge",
    "processing_fee": "charge",
    "refund": "refund",
    "refund_exchange": "refund",
    "transfer": "transfer",
    "reversal": "reversal",
    "dispute": "dispute",
    "dispute_fee": "dispute",
    "dispute_exchange": "dispute",
    "payout": "payout",
}
_FEE_KINDS = frozenset({"processing_fee", "dispute_fee"})
_BOOKED = text("""
select t.external_id, t.kind, t.subject_id, e.currency, sum(e.amount) as amount, min(t.created_at) as at
from ledger_transactions t join ledger_entries e on e.transaction_id = t.id
where e.account = 'assets:stripe' and t.created_at >= :since
group by t.external_id, t.kind, t.subject_id, e.currency
""")


@dataclass(frozen=True, slots=True)
class Side:
    """What one side has of an object: gross and fee in minor units, by currency, and how many lines."""

    group: str
    subject: str | None
    gross: Mapping[str, int]
    fee: Mapping[str, int]
    lines: int


@dataclass(frozen=True, slots=True)
class Ours:
    """What we have: bookings by the vendor's object, balances, and the states we mirror."""

    since: datetime
    booked: Mapping[str, Side]
    balances: Mapping[str, int]
    payouts: Mapping[str, tuple[str, str]]
    disputes: Mapping[str, tuple[str, str]]
    stuck: Sequence[str]
    #: A mirrored payout -> the account it left.
    paid_from: Mapping[str, str]
    sent: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Theirs:
    """What they have: movements, balances, states of payouts and disputes, destinations and makers of transfers."""

    movements: Sequence[Movement]
    balances: Mapping[str, int]
    payouts: Mapping[str, str]
    disputes: Mapping[str, str]
    #: The vendor's transfer id -> (our share it names, the account it went to).
    transfers: Mapping[str, tuple[str, str]]
    #: Accounts whose payouts could not be read: they are lost to us, or there are too many.
    unread: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Difference:
    """One finding."""

    kind: str
    object: str
    subject: str | None
    ours: str
    theirs: str


def ours(session: Session, since: datetime) -> Ours:
    """Our side since a moment (a day more of bookings, for what lies at the border)."""
    rows = session.execute(_BOOKED, {"since": since - timedelta(days=1)}).all()
    sides: dict[str, Side] = {}
    for row in rows:
        name = row.external_id or f"without object: {row.kind} {row.subject_id}"
        old = sides.get(name, Side(_KINDS.get(row.kind, row.kind), row.subject_id, {}, {}, 0))
        gross, fee = dict(old.gross), dict(old.fee)
        if row.kind in _FEE_KINDS:
            fee[row.currency] = fee.get(row.currency, 0) - int(row.amount)
        else:
            gross[row.currency] = gross.get(row.currency, 0) + int(row.amount)
        sides[name] = Side(old.group, old.subject, {k: v for k, v in gross.items() if v}, fee, old.lines + 1)
    stuck = select(Transfer.id).where(Transfer.state == "sending", Transfer.created_at < clock.now() - STUCK)
    moved = select(Transfer).where(Transfer.state == "sent", Transfer.sent_at >= since - timedelta(days=1))
    accounts = {
        row.org_id: row.stripe_account_id
        for row in session.scalars(select(PaymentAccount).where(PaymentAccount.stripe_account_id.is_not(None)))
        if row.stripe_account_id
    }
    payouts = session.scalars(select(Payout).where(Payout.created_at >= since)).all()
    return Ours(
        since=since,
        booked=sides,
        balances=balances(session),
        payouts={p.id: (p.org_id, p.status) for p in payouts},
        disputes={
            d.stripe_dispute_id: (d.id, d.status)
            for d in session.scalars(select(Dispute).where(Dispute.opened_at >= since))
        },
        stuck=session.scalars(stuck).all(),
        paid_from={p.id: p.account or accounts.get(p.org_id, "") for p in payouts},
        sent={
            t.stripe_transfer_id or "": (t.id, t.destination or accounts.get(t.org_id, ""))
            for t in session.scalars(moved)
        },
    )


def balances(session: Session) -> dict[str, int]:
    """What our books say stands at the payment service, by currency."""
    totals = text(
        "select currency, sum(amount) as amount from ledger_entries where account = 'assets:stripe' group by 1"
    )
    return {row.currency: int(row.amount) for row in session.execute(totals)}


def differences(mine: Ours, their: Theirs, now: datetime) -> list[Difference]:
    """Everything that is not the same, the vendor's objects first."""
    sides: dict[str, Side] = {}
    times: dict[str, datetime] = {}
    for movement in their.movements:
        group = _GROUPS.get(movement.kind, "adjustment")
        # Movements of a dispute or a payout are booked one by one, everything else by its object.
        name = movement.id if group in {"dispute", "payout", "adjustment"} else movement.source or movement.id
        old = sides.get(name, Side(group, None, {}, {}, 0))
        gross, fee = dict(old.gross), dict(old.fee)
        gross[movement.currency] = gross.get(movement.currency, 0) + movement.amount
        if movement.fee:
            fee[movement.currency] = fee.get(movement.currency, 0) + movement.fee
        sides[name] = Side(group, None, {k: v for k, v in gross.items() if v}, fee, old.lines + 1)
        times[name] = movement.created
    found = []
    for name, side in sides.items():
        known = mine.booked.get(name)
        if known is None and mine.since <= times[name] <= now - SETTLED:
            found.append(Difference(f"{side.group}_not_booked", name, None, "-", _said(side.gross)))
        elif known is not None:
            found += _compared(name, known, side)
    for name, side in mine.booked.items():
        if name not in sides:
            found.append(Difference(f"{side.group}_not_there", name, side.subject, _said(side.gross), "-"))
    found += _states(mine, their)
    return [*found, *unequal(mine.balances, their.balances)]


def unequal(mine: Mapping[str, int], their: Mapping[str, int]) -> list[Difference]:
    """The currencies in which the two balances are not the same."""
    return [
        Difference("balance_amount", currency, None, str(mine.get(currency, 0)), str(their.get(currency, 0)))
        for currency in sorted({*mine, *their})
        if mine.get(currency, 0) != their.get(currency, 0)
    ]


def _compared(name: str, known: Side, side: Side) -> Iterator[Difference]:
    if known.group != side.group:
        yield Difference(f"{side.group}_booked_as_{known.group}", name, known.subject, known.group, side.group)
    elif known.gross and side.gross and set(known.gross) != set(side.gross):
        yield Difference(f"{side.group}_currency", name, known.subject, _said(known.gross), _said(side.gross))
        return
    elif known.gross != side.gross:
        yield Difference(f"{side.group}_amount", name, known.subject, _said(known.gross), _said(side.gross))
    if {k: v for k, v in known.fee.items() if v} != {k: v for k, v in side.fee.items() if v}:
        yield Difference(f"{side.group}_fee", name, known.subject, _said(known.fee), _said(side.fee))


def _states(mine: Ours, their: Theirs) -> Iterator[Difference]:
    for name, (org, status) in mine.payouts.items():
        if mine.paid_from.get(name) not in their.unread and their.payouts.get(name, "-") != status:
            yield Difference("payout_state", name, org, status, their.payouts.get(name, "-"))
    for name, status in their.payouts.items():
        if name not in mine.payouts:
            yield Difference("payout_not_mirrored", name, None, "-", status)
    for name, (dispute, status) in mine.disputes.items():
        if their.disputes.get(name, "-") != status:
            yield Difference("dispute_state", name, dispute, status, their.disputes.get(name, "-"))
    for share in mine.stuck:
        yield Difference("share_stuck", share, share, "sending", "-")
    made: dict[str, str] = {}
    for name, (share, account) in their.transfers.items():
        if share and share in made:
            yield Difference("transfer_twice", name, share, made[share], name)
        made.setdefault(share, name)
        known = mine.sent.get(name)
        if known is not None and account != known[1]:
            yield Difference("transfer_payee", name, known[0], known[1], account)


def keep(session: Session, actor: Actor, since: datetime, compared: int, found: Iterable[Difference]) -> Reconciliation:
    """Write a comparison down, with the chain's end at this moment, and raise an alert for each difference.

    One whose alert was closed and that is still there, or there again, is raised anew.
    """
    end = chain.head(session)
    rows = [asdict(item) for item in found]
    row = Reconciliation(
        at=clock.now(), since=since, compared=compared, differences=rows, anchor=f"{end.seq}:{end.hash}"
    )
    session.add(row)
    session.flush()
    for item in rows:
        named = {"what": item["kind"], "object": item["object"], "ours": item["ours"], "theirs": item["theirs"]}
        key = f"{item['kind']}:{item['object']}"
        alerts.raise_alert(session, actor, "difference", key, subject_id=item["subject"], reopen=True, **named)
    return row


def latest(session: Session, limit: int = 14) -> Sequence[Reconciliation]:
    """The last comparisons, newest first."""
    return session.scalars(select(Reconciliation).order_by(Reconciliation.at.desc()).limit(limit)).all()


def _said(amounts: Mapping[str, int]) -> str:
    return ", ".join(f"{amount} {currency}" for currency, amount in sorted(amounts.items())) or "0"
