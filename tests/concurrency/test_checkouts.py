"""A payment clicked at once: one live checkout, one page at the payment service, one charge, one booking (PAY-10,
PAY-03).
"""

import hashlib
import hmac
import json
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.db.jobs import JobName, JobRow
from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel.actor import Actor, system
from marketplace.kernel.money import Money
from marketplace.licensing.models import License
from marketplace.payments import ledger, operations
from marketplace.payments.checkout import url_for_checkout
from marketplace.payments.models import Checkout, LedgerTransaction, Transfer
from marketplace.payments.rules import Share
from marketplace.services import Services
from tests.concurrency.racing import RACERS, Race, quiet, rounds
from tests.features.orders.world import World, world
from tests.kit.people import Make, Person
from workers.jobs import payments as payment_jobs
from workers.registry import BINDINGS
from workers.run import execute

__all__ = ["world"]
SYSTEM = system("test")
#: What is paid for, by the letters its ids begin with.
PAID_FOR = {"lic": "license", "ord": "order"}


class Till:
    """Two colleagues of a buyer, who read different languages, and what they pay for."""

    def __init__(self, make: Make, app: Flask) -> None:
        self.web: Services = app.extensions["services"]
        self.designer, self.maker = make.person("designer"), make.person("manufacturer")
        first = make.person("buyer", locale="en")
        self.buyers = [first.actor, make.person("buyer", org=first.org, locale="zh_Hans").actor]

    def open(self, buyer: Actor, subject: str) -> str:
        """The checkout of a license fee or an order, as the features open it."""
        shares = [Share(self.designer.org.id, "license_fee", Money(100_000, "USD"))]
        if subject.startswith("ord"):
            shares = [Share(self.maker.org.id, "production", Money(80_000, "USD")), shares[0]]
        with unit_of_work(self.web.engine, buyer) as session:
            return operations.open_checkout(
                session,
                buyer,
                purpose=PAID_FOR[subject[:3]],
                subject_id=subject,
                payer_org_id=buyer.org_id or "",
                amount=Money(sum(share.gross.amount for share in shares), "USD"),
                about={"design": "Onda", "quantity": 1, "reference": "R1"},
                shares=shares,
                success_path="/",
                cancel_path="/",
            )

    def click(self, turn: int, subject: str) -> Callable[[], tuple[str, str]]:
        """One click of one of the two: the checkout and the address of its page."""
        buyer = self.buyers[turn % 2]

        def click() -> tuple[str, str]:
            found = self.open(buyer, subject)
            return found, url_for_checkout(self.web, buyer, found)

        return click


@pytest.fixture
def till(make: Make, app: Flask) -> Till:
    return Till(make, app)


@rounds(20)
def test_pay_10_eight_clicks_at_once_get_one_page(
    till: Till, services: Services, race: Race, sandbox_control: Any, rounds: int
) -> None:
    """All eight are shown the same page: whoever clicks twice, or in two tabs, has done nothing wrong."""
    for number in range(rounds):
        subject = f"{('lic', 'ord')[number % 2]}_{number}"
        told = race.start([till.click(turn, subject) for turn in range(RACERS)])
        assert told == ["won"] * RACERS, told
        assert len(set(race.told)) == 1, race.told
        [(checkout_id, url)] = set(race.told)
        with unit_of_work(services.engine, SYSTEM) as session:
            row = session.scalars(select(Checkout).where(Checkout.subject_id == subject)).one()
            assert (row.id, row.state, row.url) == (checkout_id, "open", url)
        if number % 50 == 49:
            quiet(services)
            sandbox_control("POST", "/reset")


@pytest.mark.parametrize("what", ["order", "license"])
def test_pay_10_eight_presses_of_the_page_and_the_api_lead_to_one_payment_page(
    world: World, race: Race, what: str
) -> None:
    """Two colleagues, each in two browsers and two programs, through the routes themselves."""
    path = f"/orders/{world.awarded(2).id}/checkout" if what == "order" else f"/licenses/{world.license.id}/checkout"
    world.change(License, world.license.id, state="active" if what == "order" else "to_pay")
    colleague = world.make.person("buyer", org=world.buyer.org, locale="zh_Hant")
    doors = [world.make.sign_in(person.user, person.org, "buyer") for person in (world.buyer, colleague) * 2]
    for door in doors:
        door.browser.get("/terms")

    def press(door: Person) -> str:
        return door.browser.post(path).headers["Location"]

    def call(door: Person) -> str:
        return str(door.api.post(path).json["url"])

    assert race.start([partial(act, door) for door in doors for act in (press, call)]) == ["won"] * RACERS
    [url] = set(race.told)
    assert "/c/pay/cs_" in url
    with unit_of_work(world.services.engine, SYSTEM) as session:
        assert session.scalars(select(Checkout.url)).all() == [url]


class Told:
    """What features were told of payments; their own handlers have their own tests."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.paid: list[str] = []
        for purpose in PAID_FOR.values():
            monkeypatch.setitem(payment_jobs.ON_PAID, purpose, self._note)

    def _note(self, _session: Session, _actor: Actor, subject_id: str) -> None:
        self.paid.append(subject_id)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    return Told(monkeypatch)


class Door:
    """The webhook's door, and events about a session as the payment service signs them."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.secret = app.extensions["services"].settings.stripe_webhook_secret.encode()

    def event(self, event_id: str, kind: str, session_id: str) -> tuple[bytes, str]:
        """The body of an event and the header that signs it."""
        subject = {"id": session_id, "object": "checkout.session"}
        event = {"id": event_id, "object": "event", "api_version": "2026-10-28.endive", "created": 1_700_000_000}
        body = json.dumps({**event, "type": kind, "livemode": False, "data": {"object": subject}}).encode()
        at = int(time.time())
        return body, f"t={at},v1={hmac.new(self.secret, b'%d.' % at + body, hashlib.sha256).hexdigest()}"

    def post(self, body: bytes, header: str) -> Callable[[], int]:
        """One copy of it: the status of the answer."""
        headers = {"Content-Type": "application/json", "Stripe-Signature": header}
        return lambda: self.app.test_client().post("/webhooks/stripe", data=body, headers=headers).status_code


def paid_at_the_vendor(till: Till, subject: str, control: Any) -> tuple[str, str]:
    """A payment made on its page that nobody has told us of: the checkout and the session at the payment service."""
    checkout_id, url = till.click(0, subject)()
    session_id = next(part for part in url.split("/") if part.startswith("cs_"))
    control("POST", f"/checkout/{session_id}/pay")
    return checkout_id, session_id


def waiting(services: Services) -> list[str]:
    """The jobs that handle events."""
    with unit_of_work(services.engine, SYSTEM) as session:
        query = select(JobRow.id).where(JobRow.name == JobName.HANDLE_PAYMENT_EVENT)
        return list(session.scalars(query.order_by(JobRow.key)))


def booked_once(services: Services, checkout_id: str, shares: int) -> None:
    """The payment stands once: state, booking, shares, and one asking for its invoices."""
    with unit_of_work(services.engine, SYSTEM) as session:
        assert session.get_one(Checkout, checkout_id).state == "paid"
        booking = select(func.count()).where(LedgerTransaction.key == f"paid:{checkout_id}")
        assert session.scalar(booking) == 1
        assert session.scalar(select(func.count()).where(Transfer.checkout_id == checkout_id)) == shares
        assert session.scalar(select(func.count()).where(JobRow.name == JobName.ISSUE_INVOICES)) == 1


@rounds(8)
def test_pay_03_eight_copies_of_a_webhook_at_once_have_one_effect(
    till: Till, app: Flask, services: Services, race: Race, told: Told, sandbox_control: Any, rounds: int
) -> None:
    """Eight copies at the door make one job; eight workers, and a second event of the same payment, book once."""
    door = Door(app)
    for number in range(rounds):
        subject = f"lic_{number}"
        checkout_id, session_id = paid_at_the_vendor(till, subject, sandbox_control)
        first = door.event(f"evt_{number}", "checkout.session.completed", session_id)
        second = door.event(f"evt_{number}_b", "checkout.session.async_payment_succeeded", session_id)
        race.start([door.post(*first)] * (RACERS - 2) + [door.post(*second)] * 2)
        assert race.told == [200] * RACERS
        job, other = waiting(services)
        works = [partial(execute, services, BINDINGS, each) for each in [job] * 6 + [other] * 2]
        assert race.start(works) == ["won"] * RACERS
        assert Counter(race.told) == {"done": 2, "skipped": RACERS - 2}
        booked_once(services, checkout_id, shares=1)
        assert told.paid == [subject]
        told.paid.clear()
        quiet(services)
        if number % 50 == 49:
            sandbox_control("POST", "/reset")
    with unit_of_work(services.engine, SYSTEM) as session:
        assert ledger.problems(session) == []


@rounds(8, 1_000)
def test_pay_10_clicks_while_the_payment_is_booked_open_nothing_and_charge_nothing(
    till: Till, app: Flask, services: Services, race: Race, told: Told, sandbox_control: Any, rounds: int
) -> None:
    """Of clicks on a page that is paid, each is told so, whether the booking was faster or not."""
    door = Door(app)
    for number in range(rounds):
        subject = f"ord_{number}"
        checkout_id, session_id = paid_at_the_vendor(till, subject, sandbox_control)
        for copy in "ab":
            door.post(*door.event(f"evt_{number}_{copy}", "checkout.session.completed", session_id))()
        calls: list[Callable[[], Any]] = [till.click(turn, subject) for turn in range(RACERS - 2)]
        calls += [partial(execute, services, BINDINGS, job) for job in waiting(services)]
        found = race.start(calls)
        assert found == ["already_paid"] * (RACERS - 2) + ["won"] * 2, found
        booked_once(services, checkout_id, shares=3)
        assert told.paid == [subject]
        told.paid.clear()
        charges = sandbox_control("GET", "/events?type=charge.succeeded")["events"]
        assert len(charges) == 1
        quiet(services)
        sandbox_control("POST", "/reset")
