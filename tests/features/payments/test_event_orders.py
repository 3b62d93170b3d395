"""The seven events of an order in every order, and every subset of them lost: one ledger (PAY-04, PAY-05).

Everything has happened at the payment service; its answers are read once and given again, and each order of events is
handled in a transaction that is rolled back, by the handlers the workers run. 5,040 orders and 128 subsets run with
`-m full`, a seeded sample of them by default.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import chain as together
from itertools import combinations, permutations
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session

from marketplace.db.jobs import JobName, JobRow
from marketplace.gateways.payment_types import Transfer
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.payments import operations
from marketplace.payments.checkout import url_for_checkout
from marketplace.payments.models import PaymentAccount, PaymentEvent, Payout
from tests.features.payments.scene import SYSTEM, Scene
from workers.jobs import payments as payment_jobs
from workers.registry import BINDINGS
from workers.run import Retry, Run

#: Payment, charge, a partial refund by hand, a dispute that is opened and won, a payee's account, its payout.
EVENTS = (
    "checkout.session.completed",
    "charge.succeeded",
    "refund.created",
    "charge.dispute.created",
    "charge.dispute.closed",
    "v2.core.account[configuration.recipient].capability_status_updated",
    "payout.paid",
)
_MONEY = {JobName.SEND_TRANSFER, JobName.REVERSE_TRANSFER, JobName.MAKE_REFUND, JobName.RELEASE_ORDER_FUNDS}
_STATE = text(
    "select t.kind, t.external_id, e.account, e.amount, e.currency from ledger_transactions t"
    " join ledger_entries e on e.transaction_id = t.id where t.subject_id = 'ord_1' order by 1, 3, 4, 2"
)


class Recorded:
    """The payment service as it is now: each question is asked once, and a transfer is answered without being made."""

    def __init__(self, real: Any) -> None:
        self._real = real
        self._known: dict[tuple[Any, ...], Any] = {}
        self._since = clock.now() - timedelta(days=1)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def ask(*args: Any) -> Any:
            asked = (self._since,) if name == "movements" else args
            if (name, *asked) not in self._known:
                found = getattr(self._real, name)(*asked)
                self._known[(name, *asked)] = list(found) if name == "movements" else found
            return self._known[(name, *asked)]

        return ask

    def transfer(self, **what: Any) -> Transfer:
        """The share as it would be sent; its id tells what it is."""
        name = f"tr_{what['metadata']['kind']}_{what['amount']}"
        group, charge = what["transfer_group"], what["source_charge"]
        return Transfer(name, what["amount"], 0, what["currency"], what["destination"], charge, group, what["metadata"])


@dataclass
class Replay:
    """A job's run inside of one transaction that nobody commits: each phase is a savepoint."""

    session: Session
    services: Any
    actor: Actor = SYSTEM
    job_id: str = "job_replay"
    fence: int = 1
    _phases: int = field(default=0)

    @contextmanager
    def phase(self, _progress: int | None = None) -> Iterator[Session]:
        """A savepoint, released when the block ends."""
        with self.session.begin_nested():
            yield self.session
        self._phases += 1


@dataclass
class Stage:
    """An order whose events wait, and everything needed to handle them in any order."""

    scene: Scene
    events: list[PaymentEvent]
    vendor: Recorded

    def ledger_after(self, order: Sequence[int], *, sweep: bool = False) -> list[tuple[Any, ...]]:
        """The ledger after the events in this order (those too early are tried again), then the sweep if asked for."""
        later = clock.now() + timedelta(minutes=5)
        with clock.frozen(later), Session(self.scene.services.engine, expire_on_commit=False) as session:
            run = Replay(session, SimpleNamespace(payments=self.vendor))
            session.execute(update(PaymentEvent).values(handled_at=None))
            makers = PaymentAccount.org_id == self.scene.maker.org.id
            session.execute(update(PaymentAccount).where(makers).values(transfers_active=False, payouts_enabled=False))
            session.execute(delete(Payout))
            self._handle(run, [self.events[i].id for i in order])
            if sweep:
                payment_jobs.reconcile(cast(Run, run))
                payment_jobs.reconcile(cast(Run, run))
            with run.phase():
                operations.release(session, SYSTEM, purpose="order", subject_id="ord_1")
            self._jobs(session, run)
            session.execute(text("set constraints balanced immediate"))
            found = [tuple(row) for row in session.execute(_STATE)]
            session.rollback()
        return found

    def _handle(self, run: Replay, waiting: list[str]) -> None:
        while waiting:
            early = []
            for event_id in waiting:
                try:
                    payment_jobs.handle_event(cast(Run, run), event_id)
                except Retry:
                    early.append(event_id)
            if len(early) == len(waiting):
                return
            waiting = early

    def _jobs(self, session: Session, run: Replay) -> None:
        """The jobs of money that the events staged, until none is left."""
        done: set[str] = set()
        while True:
            query = select(JobRow).where(JobRow.state == "queued", JobRow.name.in_(_MONEY)).order_by(JobRow.created_at)
            rows = [row for row in session.scalars(query) if row.id not in done]
            if not rows:
                return
            for row in rows:
                done.add(row.id)
                BINDINGS[row.name].function(cast(Run, run), **row.args)


@pytest.fixture
def played(scene: Scene) -> Stage:
    """All of it has happened there, and nothing was told here but an earlier order of the same workshop."""
    scene.onboard(scene.designer)
    scene.onboard(scene.maker)
    scene.pay(scene.open({scene.maker.org.id: ("production", 9_000)}, subject="ord_0"))
    scene.release(subject="ord_0")
    shares = {scene.maker.org.id: ("production", 80_000), scene.designer.org.id: ("royalty", 20_001)}
    checkout_id = scene.open(shares)
    url_for_checkout(scene.services, scene.buyer.actor, checkout_id)
    page = scene.checkout(checkout_id).stripe_session_id or ""
    scene.control("POST", f"/checkout/{page}/pay")
    payments = scene.services.payments
    intent = payments.session(page).payment_intent or ""
    payments.refund(intent, 33_333, "by hand")
    dispute = scene.control("POST", "/disputes", payment_intent=intent, amount=40_000)["id"]
    scene.control("POST", f"/disputes/{dispute}/win")
    scene.wait_for_payout()
    assert set(scene.deliver()) == {200}
    with Session(scene.services.engine, expire_on_commit=False) as session:
        rows = session.scalars(select(PaymentEvent).order_by(PaymentEvent.created_at.desc(), PaymentEvent.id)).all()
    return Stage(scene, [next(row for row in rows if row.type == kind) for kind in EVENTS], Recorded(payments))


@pytest.mark.parametrize("sample", [6, pytest.param(5_040, marks=pytest.mark.full)])
def test_every_order_of_the_events_ends_in_one_ledger(played: Stage, sample: int) -> None:
    orders = list(permutations(range(len(EVENTS))))
    assert len(orders) == 5_040
    wanted = played.ledger_after(range(len(EVENTS)))
    assert {row[0] for row in wanted} >= {
        "payment",
        "processing_fee",
        "refund_approved",
        "refund",
        "dispute",
        "transfer",
    }
    assert sum(row[3] for row in wanted) == 0
    chosen = orders if sample == len(orders) else Random(4).sample(orders, sample)
    different = [order for order in chosen if played.ledger_after(order) != wanted]
    assert different == []


@pytest.mark.parametrize("sample", [3, pytest.param(128, marks=pytest.mark.full)])
def test_every_subset_of_lost_events_is_made_up_for_by_the_sweep(played: Stage, sample: int) -> None:
    every = list(together.from_iterable(combinations(range(len(EVENTS)), n) for n in range(len(EVENTS) + 1)))
    assert len(every) == 128
    wanted = played.ledger_after(range(len(EVENTS)))
    chosen = every if sample == len(every) else [(), *Random(5).sample(every, sample)]
    different = [kept for kept in chosen if played.ledger_after(kept, sweep=True) != wanted]
    assert different == [], set(played.ledger_after(different[0], sweep=True)) ^ set(wanted)
