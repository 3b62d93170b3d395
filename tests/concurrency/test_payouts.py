"""Sending a payee's share at once, by workers, events, the sweep and operators: it leaves once (PAY-17)."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from sqlalchemy import func, select, update

from marketplace.accounts.models import Organization
from marketplace.config import Settings
from marketplace.db.jobs import JobName, JobRow, stage
from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel.actor import Actor, system
from marketplace.payments import ledger, payees
from marketplace.payments.models import LedgerTransaction, Transfer
from marketplace.payments.rails import operations as files
from marketplace.payments.rails.models import BankFile, BankItem
from marketplace.services import Services
from tests.concurrency.racing import RACERS, Act, Race, quiet, rounds
from tests.features.payments.test_bank_files import HK, due
from tests.kit.people import Make, Person
from workers.registry import BINDINGS
from workers.run import execute

SYSTEM = system("test")


class Desk:
    """A designer with an account at the payment service, and the jobs that send what is due to it."""

    def __init__(self, services: Services, make: Make, control: Callable[..., Any]) -> None:
        self.services, self.control = services, control
        self.designer = make.person("designer")
        with unit_of_work(services.engine, SYSTEM) as session:
            payees.account_for(session, SYSTEM, self.designer.org.id)

    def onboard(self, number: int) -> None:
        """A fresh payment service, with money on the platform's balance, and the designer's account there."""
        self.control("POST", "/reset")
        self.control("POST", "/settings", payout_after_s=10**9)
        self.control("POST", "/adjust", amount=10**9, currency="usd")
        account = self.services.payments.create_connected_account("a@b.example", "GB", "Iris", f"iris-{number}")
        self.control("POST", f"/accounts/{account}/onboard")
        with unit_of_work(self.services.engine, SYSTEM) as session:
            row = payees.account_for(session, SYSTEM, self.designer.org.id)
            row.stripe_account_id, row.transfers_active, row.payouts_enabled = account, True, True
            session.flush()
            session.refresh(row)
            row.hold_until = None

    def staged(self, name: JobName, share: str, *causes: str) -> list[str]:
        """A job for each cause that may have a share sent."""
        with unit_of_work(self.services.engine, SYSTEM) as session:
            return [stage(session, name, f"{share}:{cause}", {"transfer_id": share}) for cause in causes]

    def work(self, job: str) -> Callable[[], str]:
        """A worker that was handed a job."""
        return partial(execute, self.services, BINDINGS, job)

    def sent_once(self, share: str, subject: str) -> None:
        """One transfer at the payment service, one booking, nothing held any more."""
        [made] = self.services.payments.find_transfers(subject)
        with unit_of_work(self.services.engine, SYSTEM) as session:
            row = session.get_one(Transfer, share)
            assert (row.state, row.stripe_transfer_id, row.payable) == ("sent", made.id, made.amount)
            booking = select(func.count()).where(LedgerTransaction.key == f"transfer:{share}")
            assert session.scalar(booking) == 1


@pytest.fixture
def desk(services: Services, make: Make, sandbox_control: Callable[..., Any]) -> Desk:
    return Desk(services, make, sandbox_control)


@rounds(10)
def test_pay_17_of_eight_workers_with_three_causes_one_transfer_leaves(
    desk: Desk, services: Services, race: Race, rounds: int
) -> None:
    """The release, the account's event and the sweep have each staged a job; each job was handed out several times."""
    for number in range(rounds):
        if number % 50 == 0:
            quiet(services)
            desk.onboard(number)
        share = due(services, desk.designer, 1_000 + number, f"ord_{number}")
        jobs = desk.staged(JobName.SEND_TRANSFER, share, "released", "event", "sweep")
        works = [desk.work(jobs[(turn + number) % 3]) for turn in range(RACERS)]
        assert race.start(works) == ["won"] * RACERS
        assert Counter(race.told) == {"done": 3, "skipped": RACERS - 3}
        desk.sent_once(share, f"ord_{number}")
    with unit_of_work(services.engine, SYSTEM) as session:
        assert ledger.problems(session) == []
        assert ledger.held(desk.designer.org.id) not in {b.account for b in ledger.balances(session) if b.amount}


@rounds(10)
def test_pay_17_an_operator_s_send_again_and_the_sweep_at_once_send_one(
    desk: Desk, services: Services, race: Race, rounds: int
) -> None:
    """Two operators press, the sweep's job and a late worker of the refused attempt come at the same moment."""
    for number in range(rounds):
        if number % 50 == 0:
            quiet(services)
            desk.onboard(number)
        share = due(services, desk.designer, 1_000 + number, f"ord_{number}")
        with unit_of_work(services.engine, SYSTEM) as session:
            session.execute(update(Transfer).where(Transfer.id == share).values(state="failed", reason="refused"))
        [resend] = desk.staged(JobName.RESEND_TRANSFER, share, "0")
        sends = desk.staged(JobName.SEND_TRANSFER, share, "sweep", "late", "event")
        works = [desk.work(job) for job in [resend, *sends, resend, *sends]]
        assert race.start(works) == ["won"] * RACERS
        assert Counter(race.told) == {"done": 4, "skipped": RACERS - 4}
        # A job that came before the operator's found nothing to do; the one that the operator's has staged does it.
        with unit_of_work(services.engine, SYSTEM) as session:
            own = session.scalars(select(JobRow.id).where(JobRow.key == f"send_transfer:{share}:1")).one()
        race.start([desk.work(own)] * RACERS)
        assert Counter(race.told) == {"done": 1, "skipped": RACERS - 1}
        desk.sent_once(share, f"ord_{number}")
    with unit_of_work(services.engine, SYSTEM) as session:
        assert ledger.problems(session) == []


def starting(operator: Actor) -> tuple[Actor, Act]:
    """An operator presses for a file of what waits."""
    return operator, lambda session: files.start_file(session, operator, "USD")


def filling(services: Services, file_id: str) -> Callable[[], None]:
    """The job that fills a file."""

    def fill() -> None:
        with unit_of_work(services.engine, SYSTEM) as session:
            files.fill_file(session, SYSTEM, file_id, services.settings)

    return fill


def taking(operator: Actor, file_id: str, settings: Settings) -> tuple[Actor, Act]:
    """An operator takes it to the bank."""
    return operator, lambda session: files.take(session, operator, file_id, settings)


@pytest.fixture
def banked(make: Make, services: Services) -> Person:
    """A designer in Hong Kong who is paid by bank file."""
    person = make.person("designer")
    with unit_of_work(services.engine, SYSTEM) as session:
        session.get_one(Organization, person.org.id).country = "HK"
    assert person.browser.post("/payouts/bank", HK).status_code == 303
    return person


@rounds(10)
def test_pay_17_two_operators_make_a_file_at_once_and_each_share_is_in_one(
    banked: Person, make: Make, services: Services, race: Race, rounds: int
) -> None:
    """Every press starts a file; the jobs fill them at once, and one has the shares. It is taken to the bank once."""
    operators = [make.person("operator").actor for _ in range(2)]
    settings = services.settings
    for number in range(rounds):
        shares = {due(services, banked, 1_000 + n, f"ord_{number}_{n}") for n in range(3)}
        assert race.run([starting(who) for who in operators * 2]) == ["won"] * 4
        started = [made.id for made in race.told]
        assert race.start([filling(services, file_id) for file_id in started * 2]) == ["won"] * RACERS
        with unit_of_work(services.engine, SYSTEM) as session:
            rows = session.scalars(select(BankFile).where(BankFile.id.in_(started))).all()
            assert sorted(row.state for row in rows) == ["canceled"] * 3 + ["made"]
            [file] = [row for row in rows if row.state == "made"]
            assert (file.count, file.total) == (3, 3_003)
            items = session.scalars(select(BankItem).where(BankItem.file_id.in_(started))).all()
            assert sorted(item.transfer_id for item in items) == sorted(shares)
            assert {item.file_id for item in items} == {file.id}
        taken = race.run([taking(who, file.id, settings) for who in operators * 4])
        assert Counter(taken) == {"won": 1, "not_now": RACERS - 1}
        if number % 50 == 49:
            quiet(services)
