"""A payment with its payees against the payments stand-in, moved step by step."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.db.jobs import JobName, stage
from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel.actor import system
from marketplace.kernel.ids import new_id
from marketplace.kernel.money import Money
from marketplace.payments import ledger, operations, payees, refunds
from marketplace.payments.checkout import url_for_checkout
from marketplace.payments.claims import Alert, Dispute, Refund
from marketplace.payments.models import Checkout, PaymentAccount, Transfer
from marketplace.payments.rules import Share
from marketplace.services import Services
from tests.kit.people import Make, Person

SYSTEM = system("test")
ABOUT: dict[str, dict[str, Any]] = {
    "license": {"design": "Six rings"},
    "order": {"design": "Six rings", "quantity": 6, "reference": "R1"},
}


@dataclass
class Scene:
    """One buyer, a designer, a workshop and an operator."""

    services: Services
    make: Make
    control: Callable[..., Any]
    deliver: Callable[..., list[int]]
    run_jobs: Callable[..., dict[str, str]]
    buyer: Person = field(init=False)
    designer: Person = field(init=False)
    maker: Person = field(init=False)

    def __post_init__(self) -> None:
        self.buyer, self.designer = self.make.person("buyer"), self.make.person("designer")
        self.maker = self.make.person("manufacturer")

    def onboard(self, person: Person) -> str:
        """Set the person's payouts up; the account's id."""
        account = self.services.payments.create_connected_account("a@b.example", "GB", person.org.name, person.org.id)
        with unit_of_work(self.services.engine, SYSTEM) as session:
            payees.account_for(session, SYSTEM, person.org.id)
            payees.link_account(session, person.org.id, account)
        self.control("POST", f"/accounts/{account}/onboard")
        self.settle()
        return account

    def open(self, shares: dict[str, tuple[str, int]], *, purpose: str = "order", subject: str = "ord_1") -> str:
        """A checkout of shares {org id: (kind, gross)} in USD."""
        with unit_of_work(self.services.engine, self.buyer.actor) as session:
            return operations.open_checkout(
                session,
                self.buyer.actor,
                purpose=purpose,
                subject_id=subject,
                payer_org_id=self.buyer.org.id,
                amount=Money(sum(gross for _kind, gross in shares.values()), "USD"),
                about=ABOUT[purpose],
                shares=[Share(org, kind, Money(gross, "USD")) for org, (kind, gross) in shares.items()],
                success_path="/",
                cancel_path="/",
            )

    def pay(self, checkout_id: str) -> str:
        """The buyer pays; the payment intent."""
        url_for_checkout(self.services, self.buyer.actor, checkout_id)
        self.control("POST", f"/checkout/{self.checkout(checkout_id).stripe_session_id}/pay")
        self.settle()
        return self.checkout(checkout_id).payment_intent or ""

    def paid(self, **how: Any) -> str:
        """A paid order: the workshop's 800.00 and the designer's 200.01."""
        shares = {self.maker.org.id: ("production", 80_000), self.designer.org.id: ("royalty", 20_001)}
        checkout_id = self.open(shares, **how)
        self.pay(checkout_id)
        return checkout_id

    def licensed(self) -> str:
        """A paid license fee of 1,000.00, released to its designer."""
        how: dict[str, Any] = {"purpose": "license", "subject": "lic_1"}
        checkout_id = self.open({self.designer.org.id: ("license_fee", 100_000)}, **how)
        self.pay(checkout_id)
        self.release("license", "lic_1")
        return checkout_id

    def release(self, purpose: str = "order", subject: str = "ord_1", milestone: str | None = None) -> None:
        """The condition is met: what was held is sent."""
        with unit_of_work(self.services.engine, SYSTEM) as session:
            operations.release(session, SYSTEM, purpose=purpose, subject_id=subject, milestone=milestone)
        self.settle()

    def refund(self, checkout_id: str, amount: int) -> str:
        """Asked by the buyer, approved by the operator, made."""
        with unit_of_work(self.services.engine, self.buyer.actor) as session:
            row = refunds.ask(
                session, self.buyer.actor, session.get_one(Checkout, checkout_id), amount=amount, reason="quality"
            )
        with unit_of_work(self.services.engine, SYSTEM) as session:
            refunds.decide(session, SYSTEM, row.id, approve=True)
        self.settle()
        return row.id

    def settle(self) -> None:
        """Deliver what the stand-in has to tell and run every job that is due."""
        for _ in range(2):
            assert set(self.deliver()) <= {200}
            self.run_jobs()

    def dispute(self, intent: str, **how: Any) -> str:
        """The buyer's bank asks for the money back; the vendor's id."""
        made = self.control("POST", "/disputes", payment_intent=intent, **how)
        self.settle()
        return str(made["id"])

    def end(self, dispute: str, how: str) -> None:
        """The dispute is won, lost or reinstated."""
        self.control("POST", f"/disputes/{dispute}/{how}")
        self.settle()

    def checkout(self, checkout_id: str) -> Checkout:
        """The checkout as it is now."""
        with Session(self.services.engine, expire_on_commit=False) as session:
            return session.get_one(Checkout, checkout_id)

    def shares(self) -> dict[tuple[str, str], Transfer]:
        """Every share by kind and milestone."""
        with Session(self.services.engine, expire_on_commit=False) as session:
            return {(t.kind, t.milestone): t for t in session.scalars(select(Transfer))}

    def one(self, model: type[Refund] | type[Dispute]) -> Any:
        """The only refund or dispute."""
        with Session(self.services.engine, expire_on_commit=False) as session:
            return session.scalars(select(model)).one()

    def wait_for_payout(self) -> None:
        """Until the vendor has told that a payout arrived."""
        self.control("POST", "/clock", advance_s=5)
        end = time.monotonic() + 60
        while not self.control("GET", "/events?type=payout.paid")["events"]:
            assert time.monotonic() < end, "no payout has arrived"
            time.sleep(0.05)

    def every_share(self) -> list[Transfer]:
        """Every share of every payment."""
        with Session(self.services.engine, expire_on_commit=False) as session:
            return list(session.scalars(select(Transfer).order_by(Transfer.id)))

    def sweep(self) -> None:
        """The sweep that finds what events did not tell."""
        with unit_of_work(self.services.engine, SYSTEM) as session:
            stage(session, JobName.RECONCILE_PAYMENTS, new_id("job"), {})
        self.run_jobs()

    def approve_change(self, operator: Person, payee: Person) -> None:
        """An operator agrees to a changed account."""
        with unit_of_work(self.services.engine, operator.actor) as session:
            payees.approve_change(session, operator.actor, payee.org.id)

    def alerts(self) -> set[str]:
        """Kinds of the alerts raised so far."""
        with Session(self.services.engine) as session:
            return set(session.scalars(select(Alert.kind)))

    def account(self, person: Person) -> PaymentAccount:
        """The payee's account as it is now."""
        with Session(self.services.engine, expire_on_commit=False) as session:
            return session.get_one(PaymentAccount, person.org.id)

    def sums(self) -> dict[str, int]:
        """Balance of every account that is not zero; the invariants hold and the vendor's balance is ours."""
        with unit_of_work(self.services.engine, SYSTEM) as session:
            assert ledger.problems(session) == []
            found = {b.account: b.amount for b in ledger.balances(session) if b.amount}
        books = self.services.payments.balance()
        assert books.available.get("USD", 0) + books.pending.get("USD", 0) == found.get(ledger.STRIPE, 0)
        return found
