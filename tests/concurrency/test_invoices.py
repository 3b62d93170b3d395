"""Numbers of invoices and credit notes when many issue at once and some die on the way (PAY-26)."""

from collections import Counter, defaultdict
from collections.abc import Callable

from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from marketplace.db.unit_of_work import unit_of_work
from marketplace.invoices import operations, queries
from marketplace.invoices.models import Invoice
from marketplace.invoices.operations import Credited
from marketplace.kernel.actor import system
from marketplace.services import Services
from tests.concurrency.racing import Race, quiet, rounds
from tests.features.invoices.test_invoices import paid
from tests.kit.people import Make, Person

SYSTEM = system("test")


class Killed(Exception):
    """The worker was lost before its commit."""


class Counting:
    """A designer whose payments are invoiced, and the jobs that do it; `die` ends one before it commits."""

    def __init__(self, services: Services, designer: Person) -> None:
        self.services, self.designer = services, designer

    def issue(self, checkout: str, die: Callable[[Session], None] | None = None) -> Callable[[], str]:
        """The invoices of a payment."""
        return self._job(lambda session: operations.issue_for_checkout(session, SYSTEM, checkout), die)

    def credit(self, checkout: str, cause: str, die: Callable[[Session], None] | None = None) -> Callable[[], str]:
        """A credit note over a part of it, and one over our fee."""
        parts = [Credited(self.designer.org.id, "license_fee", 1_000, 100)]
        return self._job(lambda s: operations.credit(s, SYSTEM, checkout, cause=cause, parts=parts), die)

    def _job(self, work: Callable[[Session], object], die: Callable[[Session], None] | None) -> Callable[[], str]:
        def run() -> str:
            try:
                with unit_of_work(self.services.engine, SYSTEM) as session:
                    work(session)
                    if die is not None:
                        die(session)
            except (Killed, OperationalError):
                assert die is not None
                return "lost"
            return "done"

        return run


def rolled_back(_session: Session) -> None:
    """The process goes away: what it had done is rolled back."""
    raise Killed


def cut_off(session: Session) -> None:
    """The database ends the connection in the middle."""
    session.execute(text("select pg_terminate_backend(pg_backend_pid())"))


@rounds(8)
def test_pay_26_numbers_have_no_gap_and_no_double_when_eight_number_at_once_and_some_die(
    services: Services, make: Make, race: Race, rounds: int
) -> None:
    """A round has three payments of one designer; a copy, a rollback and a cut connection race with what commits."""
    make.person("operator")
    designer, buyer = make.person("designer"), make.person("buyer")
    job = Counting(services, designer)
    for number in range(rounds):
        new, twice, back = paid(services, buyer, designer, gross=10_000 + number, n=3)
        told = race.start(
            [
                *(job.issue(new), job.issue(twice), job.issue(twice), job.issue(new, rolled_back)),
                *(job.credit(back, f"a{number}"), job.credit(back, f"a{number}"), job.credit(back, f"b{number}")),
                job.credit(back, f"b{number}", cut_off)
                if number % 4 == 0
                else job.credit(back, f"b{number}", rolled_back),
            ]
        )
        assert told == ["won"] * 8, told
        assert Counter(race.told) == {"done": 6, "lost": 2}
        if number % 50 == 49:
            quiet(services)
    found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    with unit_of_work(services.engine, SYSTEM) as session:
        for row in session.execute(select(Invoice.issuer_org_id, Invoice.kind, Invoice.number)):
            found[row.issuer_org_id, row.kind].append(row.number)
        assert queries.problems(session) == []
    # Each designer's and our own series: three invoices a round, and two credit notes.
    assert sorted(kind for _issuer, kind in found) == ["credit_note", "credit_note", "invoice", "invoice"]
    for (_issuer, kind), numbers in found.items():
        last = rounds * (3 if kind == "invoice" else 2)
        assert sorted(int(each.rpartition("-")[2]) for each in numbers) == list(range(1, last + 1))
