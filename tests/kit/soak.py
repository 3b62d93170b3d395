"""Random operations of money against the hostile payments stand-in, and what must hold whatever happens.

One seed is one small world of four payees and a few payments. What is done, what the stand-in does wrong and in which
order events come all follow from the seed. Jobs run in this process, events are handed to the webhook's own code, the
stand-in is a process of its own. Time is ours: it moves minutes or days between operations, for both sides.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import requests
import stripe
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from marketplace.accounts.models import Organization
from marketplace.db import jobs
from marketplace.db.jobs import JobName, stage
from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel import clock, ids
from marketplace.kernel.actor import system
from marketplace.kernel.errors import DomainError
from marketplace.kernel.ids import new_id
from marketplace.kernel.money import Money
from marketplace.payments import ledger, operations, payees, refunds
from marketplace.payments.checkout import url_for_checkout
from marketplace.payments.claims import Refund
from marketplace.payments.models import Checkout, LedgerEntry, LedgerTransaction, Transfer
from marketplace.payments.rules import Share
from marketplace.services import Services
from tests.kit.soak_books import off_their_shares
from workers.jobs import books
from workers.jobs import payments as payment_jobs
from workers.registry import BINDINGS
from workers.run import execute

SYSTEM = system("soak")
#: The jobs of money; what else is staged (mails, invoices) is thrown away.
_MONEY = (
    *(JobName.HANDLE_PAYMENT_EVENT, JobName.RELEASE_ORDER_FUNDS, JobName.SEND_TRANSFER, JobName.RECONCILE_PAYMENTS),
    *(JobName.MAKE_REFUND, JobName.REVERSE_TRANSFER),
)
#: What the stand-in does wrong: one call in six, one event in three.
RATES = {
    "lost_answer": 0.06,
    "error": 0.06,
    "rate_limit": 0.03,
    "stay": 0.4,
    "duplicate": 0.15,
    "reorder": 0.2,
    "drop": 0.1,
}
_CURRENCIES = ("USD", "EUR", "JPY")
_KINDS = ("license_fee", "royalty", "production")


@dataclass
class Soak:
    """One seed. `problems` is what did not hold, in words; `done` counts what was tried."""

    services: Services
    seed: int
    done: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    faults: dict[str, int] = field(default_factory=dict)
    #: Jobs that ended without their effect, by name and reason.
    given_up: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._base = f"{self.services.settings.stripe_api_base}/_sandbox"
        self._http = requests.Session()
        self._orgs: list[str] = []
        self._accounts: dict[str, str] = {}
        self._checkouts: list[str] = []

    def play(self, operations_: int) -> None:
        """Do that many operations, then let everything settle, checking the books on the way and at the end."""
        with clock.frozen(datetime.now(UTC)) as move, _same_ids(self.seed):
            self._move_to = move
            self._ahead = 0.0
            before = self._books()
            self._begin()
            for number in range(operations_):
                self._step()
                if number % 25 == 24:
                    self._check(f"after {number + 1} operations")
            self.faults = self._control("GET", "/chaos")["counts"]
            self._control("POST", "/chaos", seed=None)
            self._settle()
            self._check("at the end")
            self._compare(before)
            self.problems += [f"seed {self.seed}: {off}" for off in off_their_shares(self.services.engine, self._orgs)]

    # The world

    def _begin(self) -> None:
        self._control("POST", "/reset")
        self._control("POST", "/webhooks", hold=True)
        self._control("POST", "/settings", payout_after_s=10**9, settle_after_s=self._random.choice((0, 7200)))
        for _ in range(4):
            with unit_of_work(self.services.engine, SYSTEM) as session:
                org = Organization(name="Payee", kind="designer", address="", country="FR", state="approved")
                session.add(org)
                session.flush()
                payees.account_for(session, SYSTEM, org.id)
            self._orgs.append(org.id)
            account = self.services.payments.create_connected_account("p@example.com", "FR", "Payee", f"a-{org.id}")
            with unit_of_work(self.services.engine, SYSTEM) as session:
                payees.link_account(session, org.id, account)
            self._accounts[org.id] = account
            self._control("POST", f"/accounts/{account}/onboard")
        self._control("POST", "/chaos", seed=self.seed, rates=RATES)

    def _step(self) -> None:
        names, weights = zip(*_STEPS.items(), strict=True)
        name = self._random.choices(names, weights)[0]
        self.done[name] += 1
        # A refusal is an answer: the state did not allow it, or the stand-in was in the way.
        with suppress(DomainError, requests.HTTPError):
            getattr(self, f"_{name}")()

    # What people do

    def _open(self) -> None:
        currency, purpose = self._random.choice(_CURRENCIES), self._random.choice(("license", "order"))
        some = self._random.sample(self._orgs, self._random.choice((1, 1, 2, 3)))
        shares = [
            Share(org, kind, Money(self._random.choice((101, 999, 10_001, 333_333)) + n, currency))
            for n, (org, kind) in enumerate(zip(some, _KINDS, strict=False))
        ]
        subject = new_id("ord" if purpose == "order" else "lic")
        with unit_of_work(self.services.engine, SYSTEM) as session:
            found = operations.open_checkout(
                session,
                SYSTEM,
                purpose=purpose,
                subject_id=subject,
                payer_org_id="org_soak_buyer",
                amount=Money(sum(s.gross.amount for s in shares), currency),
                about={"design": "Soak", "quantity": 1, "reference": "S1"},
                shares=shares,
                success_path="/",
                cancel_path="/",
            )
        self._checkouts.append(found)
        url_for_checkout(self.services, SYSTEM, found)

    def _pay(self) -> None:
        row = self._checkout("open")
        if row is None:
            return
        if row.stripe_session_id is None:
            url_for_checkout(self.services, SYSTEM, row.id)
            return
        how = self._random.choice(({}, {}, {"method": "bank"}))
        self._control("POST", f"/checkout/{row.stripe_session_id}/pay", **how)

    def _settle_bank(self) -> None:
        row = self._checkout("open")
        if row is not None and row.stripe_session_id is not None:
            status = self._random.choice(("succeeded", "succeeded", "failed"))
            self._control("POST", f"/checkout/{row.stripe_session_id}/settle", status=status)

    def _release(self) -> None:
        row = self._checkout("paid")
        if row is not None:
            with unit_of_work(self.services.engine, SYSTEM) as session:
                operations.release(session, SYSTEM, purpose=row.purpose, subject_id=row.subject_id)

    def _refund(self) -> None:
        row = self._checkout("paid")
        if row is None:
            return
        if self._random.random() < 0.2:
            self._control("POST", "/refunds/next", status=self._random.choice(("pending", "failed")))
        part = self._random.choice((row.amount, row.amount // 2, row.amount // 3, 1))
        with unit_of_work(self.services.engine, SYSTEM) as session:
            asked = refunds.ask(session, SYSTEM, session.get_one(Checkout, row.id), amount=part, reason="goodwill")
            refunds.decide(session, SYSTEM, asked.id, approve=True)

    def _settle_refund(self) -> None:
        with Session(self.services.engine) as session:
            query = select(Refund.stripe_refund_id).where(
                Refund.stripe_refund_id.is_not(None), Refund.checkout_id.in_(self._checkouts)
            )
            made = list(session.scalars(query.order_by(Refund.created_at, Refund.id)))
        if made:
            status = self._random.choice(("succeeded", "failed"))
            self._control("POST", f"/refunds/{self._random.choice(made)}/settle", status=status)

    # What banks and the payment service do

    def _dispute(self) -> None:
        row = self._checkout("paid")
        if row is not None:
            wish = {"inquiry": True} if self._random.random() < 0.2 else {}
            if self._random.random() < 0.4:
                wish["amount"] = max(1, row.amount // 3)  # type: ignore[assignment]
            self._control("POST", "/disputes", payment_intent=row.payment_intent, **wish)

    def _decide(self) -> None:
        row = self._checkout("paid")
        if row is None:
            return
        for found in self.services.payments.find_disputes(row.payment_intent or ""):
            what = self._random.choice(("win", "lose", "reinstate", "withdraw"))
            self._control("POST", f"/disputes/{found.id}/{what}")

    def _payout(self) -> None:
        self._control("POST", f"/accounts/{self._account()}/payout")

    def _fail_payout(self) -> None:
        account = self._account()
        for payout in self.services.payments.payouts(account, 3):
            self._control("POST", f"/payouts/{payout.id}/fail", code="account_closed")

    def _reverse_by_hand(self) -> None:
        with Session(self.services.engine) as session:
            query = select(Transfer.stripe_transfer_id).where(
                Transfer.state == "sent", Transfer.org_id.in_(self._orgs), Transfer.stripe_transfer_id.is_not(None)
            )
            sent = list(session.scalars(query.order_by(Transfer.created_at, Transfer.id)))
        if sent:
            self._control(
                "POST", f"/transfers/{self._random.choice(sent)}/reverse", amount=self._random.choice((1, 50))
            )

    def _restrict(self) -> None:
        self._control("POST", f"/accounts/{self._account()}/restrict")

    def _onboard(self) -> None:
        self._control("POST", f"/accounts/{self._account()}/onboard")

    def _close(self) -> None:
        what = self._random.choice(("close", "deauthorize"))
        self._control("POST", f"/accounts/{self._account()}/{what}")

    # What the machine does

    def _deliver(self, most: int = 30) -> None:
        at = int(clock.now().timestamp())
        for item in self._control("POST", "/webhooks", take=most, at=at)["events"]:
            event = self.services.payments.verify_webhook(item["body"].encode(), item["signature"])
            with unit_of_work(self.services.engine, SYSTEM) as session:
                operations.take_event(session, event)

    def _work(self, most: int = 20) -> int:
        names = [str(name) for name in _MONEY]
        with unit_of_work(self.services.engine, SYSTEM) as session:
            session.execute(text("delete from jobs where not (name = any(:names))"), {"names": names})
            found = [job_id for job_id, _name, _n in jobs.due(session, limit=most, resend_after=jobs.LEASE * 0)]
        self._random.shuffle(found)
        for job_id in found:
            execute(self.services, BINDINGS, job_id)
        return len(found)

    def _sweep(self) -> None:
        with unit_of_work(self.services.engine, SYSTEM) as session:
            stage(session, JobName.RECONCILE_PAYMENTS, new_id("swp"), {})

    def _wait(self) -> None:
        self._advance(self._random.choice((30, 600, 7_200, 90_000)))

    def _advance(self, seconds: float) -> None:
        self._move_to(clock.now() + timedelta(seconds=seconds))
        self._control("POST", "/clock", advance_s=seconds)

    # The end

    def _settle(self) -> None:
        """Time passes without faults until nothing is left to do."""
        for _ in range(14):
            self._advance(3_600)
            self._sweep()
            self._deliver(1_000)
            rounds = 0
            while self._work(100) and rounds < 40:
                rounds += 1

    def _check(self, when: str) -> None:
        with Session(self.services.engine) as session:
            failed = session.execute(text("select name, error from jobs where state = 'failed'"))
            self.given_up = Counter(f"{row.name}: {(row.error or '').partition(':')[0]}" for row in failed)
            self.problems += [f"seed {self.seed}, {when}: {problem}" for problem in ledger.problems(session)]

    def _compare(self, before: dict[str, int]) -> None:
        """Our books against theirs, to the minor unit; and one object of theirs for each effect of ours."""
        theirs = self._control("GET", "/books")["balances"]
        now = self._books()
        ours = {code: now.get(code, 0) - before.get(code, 0) for code in {*now, *before}}
        for code in sorted({*ours, *theirs}):
            if ours.get(code, 0) != theirs.get(code, 0):
                off = ours.get(code, 0) - theirs.get(code, 0)
                why = "; ".join(self._unbooked(code)) or "no single movement explains it"
                self.problems.append(f"seed {self.seed}: our {code} at the payment service is off by {off}: {why}")
        client: Any = self.services.payments._client
        for kind, found in (
            ("transfer", client.v1.transfers.list({"limit": 100})),
            ("refund", client.v1.refunds.list({"limit": 100})),
        ):
            live = [o for o in found.auto_paging_iter() if getattr(o, "status", "made") not in {"failed", "canceled"}]
            names = Counter(o.metadata[kind] for o in live if kind in o.metadata)
            self.problems += [f"seed {self.seed}: {name} was made {n} times" for name, n in names.items() if n > 1]

    def _unbooked(self, code: str) -> Iterator[str]:
        """The movements of the payment service whose net is not what we booked for their source."""
        theirs: dict[str, list[Any]] = {}
        for movement in self.services.payments.movements(datetime(2020, 1, 1, tzinfo=UTC)):
            if movement.currency == code:
                theirs.setdefault(movement.source or movement.id, []).append(movement)
        with Session(self.services.engine) as session:
            query = (
                select(LedgerTransaction.external_id, func.sum(LedgerEntry.amount))
                .join(LedgerEntry, LedgerEntry.transaction_id == LedgerTransaction.id)
                .where(LedgerEntry.account == ledger.STRIPE)
                .group_by(LedgerTransaction.external_id)
            )
            booked = {name: int(amount) for name, amount in session.execute(query)}
        for source, found in theirs.items():
            ours = booked.get(source, 0) + sum(booked.get(m.id, 0) for m in found)
            if ours != sum(m.net for m in found):
                yield f"{source} {[(m.kind, m.net) for m in found]} booked {ours}"

    def _books(self) -> dict[str, int]:
        with Session(self.services.engine) as session:
            query = select(LedgerEntry.currency, func.sum(LedgerEntry.amount)).where(
                LedgerEntry.account == ledger.STRIPE
            )
            return {code: int(amount) for code, amount in session.execute(query.group_by(LedgerEntry.currency))}

    # Help

    def _checkout(self, state: str) -> Checkout | None:
        with Session(self.services.engine, expire_on_commit=False) as session:
            query = select(Checkout).where(Checkout.id.in_(self._checkouts), Checkout.state == state)
            found = sorted(session.scalars(query), key=lambda row: self._checkouts.index(row.id))
        return self._random.choice(found) if found else None

    def _account(self) -> str:
        return self._accounts[self._random.choice(self._orgs)]

    def _control(self, verb: str, path: str, /, **body: Any) -> Any:
        answer = self._http.request(verb, self._base + path, json=body or None, timeout=60)
        answer.raise_for_status()
        return answer.json()


_STEPS: dict[str, float] = {
    "open": 10, "pay": 12, "settle_bank": 5, "release": 8, "refund": 6, "settle_refund": 2, "dispute": 3, "decide": 4,
    "payout": 3, "fail_payout": 1, "reverse_by_hand": 1.5, "restrict": 1, "onboard": 3, "close": 0.3, "deliver": 12,
    "work": 16, "sweep": 2, "wait": 6,
}  # fmt: skip


@contextmanager
def _same_ids(seed: int) -> Iterator[None]:
    """Our ids follow from the seed, and with them every order that is sorted by id."""
    module = vars(ids)
    before = module["secrets"]
    module["secrets"] = SimpleNamespace(choice=random.Random(f"{seed} ids").choice)
    try:
        yield
    finally:
        module["secrets"] = before


@contextmanager
def impatient() -> Iterator[None]:
    """The vendor's library repeats at once, and being paid means nothing to orders and licenses that are not there.

    Sweeps read as far back as the nightly comparison does, which takes over what was missed for longer than a sweep
    looks back (a day passes in one step here) and is not played: it would compare with worlds that have ended.
    """
    delay, paid, reach = stripe.HTTPClient.INITIAL_DELAY, dict(payment_jobs.ON_PAID), payment_jobs.CATCH_UP
    nothing: Callable[[Session, Any, str], None] = lambda *_: None  # noqa: E731 (a table of functions)
    most = stripe.HTTPClient.MAX_DELAY
    stripe.HTTPClient.INITIAL_DELAY = stripe.HTTPClient.MAX_DELAY = 0
    payment_jobs.ON_PAID.update(dict.fromkeys(paid, nothing))
    payment_jobs.CATCH_UP = books.WINDOW
    try:
        yield
    finally:
        stripe.HTTPClient.INITIAL_DELAY, stripe.HTTPClient.MAX_DELAY = delay, most
        payment_jobs.ON_PAID.update(paid)
        payment_jobs.CATCH_UP = reach


def forget(engine: Any) -> None:
    """Throw the jobs of a seed away: what is left waits for things of a world that has ended."""
    with unit_of_work(engine, SYSTEM) as session:
        session.execute(text("delete from jobs"))
        session.execute(text("update payment_accounts set transfers_active = true"))
        session.execute(text("update checkouts set state = 'expired' where state = 'open'"))
