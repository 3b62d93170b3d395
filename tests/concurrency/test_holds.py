"""Holding rights at once: however many hold, and whoever accepts meanwhile, one party has them."""

from collections import Counter

import pytest
from sqlalchemy import Engine, func, select, update

from marketplace.audit.models import AuditEvent
from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel.actor import Actor, system
from marketplace.licensing import holds
from marketplace.licensing.grant_models import Grant, Hold
from marketplace.licensing.models import License
from marketplace.notifications.models import Notification
from marketplace.services import Services
from tests.concurrency.racing import RACERS, Act, Race, accept, listed, opened, quiet, rounds
from tests.kit.people import Make

SYSTEM = system("test")
#: One country that all want, and one more for each.
LANDS = ("FR", "IT", "ES", "CN", "US", "JP", "GB", "CH")


class Table:
    """A designer's design, and eight buyers who each want an exclusive of it that meets all the others."""

    def __init__(self, make: Make, services: Services, web: Engine) -> None:
        self.services, self.web = services, web
        self.designer = make.person("designer").actor
        self.buyers = [make.person("buyer").actor for _ in range(RACERS)]
        self.design_id = listed(services, self.designer.org_id or "")
        self.keys = [self._offer(number) for number in range(RACERS)]

    def _offer(self, number: int) -> str:
        lands = ["DE", LANDS[number]]
        return opened(self.web, self.buyers[number], self.design_id, kind="exclusive", territories=lands)

    def hold(self, number: int) -> tuple[Actor, Act]:
        """The designer holds the offer of one buyer."""
        key = self.keys[number]
        return self.designer, lambda session: holds.hold(session, self.designer, key, version=1, days=7)

    def accept(self, number: int) -> tuple[Actor, Act]:
        """The designer accepts it."""
        return accept(self.designer, self.keys[number])

    def taken(self) -> tuple[list[str], list[str]]:
        """The negotiations that have a hold, and those that have a license; the database's own book has just these."""
        with unit_of_work(self.services.engine, SYSTEM) as session:
            held = list(session.scalars(select(Hold.negotiation_id)))
            live = list(session.scalars(select(License.negotiation_id).where(License.state != "ended")))
            granted = session.scalars(select(Grant.negotiation_id).where(Grant.design_id == self.design_id))
            assert sorted(granted) == sorted(held + live)
        return held, live

    def clear(self) -> None:
        """End what stands, and have everybody's offer on the table again."""
        held, live = self.taken()
        for key in held:
            with unit_of_work(self.web, self.designer) as session:
                holds.release_hold(session, self.designer, key)
        with unit_of_work(self.services.engine, SYSTEM) as session:
            over = update(License).where(License.negotiation_id.in_(live))
            session.execute(over.values(state="ended", ended_why="mutual"))
        for key in live:
            number = self.keys.index(key)
            self.keys[number] = self._offer(number)


@pytest.fixture
def table(make: Make, services: Services, web: Engine) -> Table:
    return Table(make, services, web)


@rounds(20)
def test_of_eight_holds_of_overlapping_exclusives_one_stands(
    table: Table, services: Services, race: Race, rounds: int
) -> None:
    winners: Counter[str] = Counter()
    for number in range(rounds):
        order = [(number + turn) % RACERS for turn in range(RACERS)]
        told = race.run([table.hold(turn) for turn in order])
        assert Counter(told) == {"won": 1, "rights_conflict": RACERS - 1}, told
        winner = table.keys[order[told.index("won")]]
        assert table.taken() == ([winner], [])
        winners[winner] += 1
        table.clear()
        if number % 50 == 49:
            quiet(services)
    assert len(winners) > 1


@rounds(12)
def test_of_holds_and_acceptances_of_others_one_party_gets_the_rights(
    table: Table, services: Services, race: Race, rounds: int
) -> None:
    ends: Counter[str] = Counter()
    for number in range(rounds):
        acts = [table.accept(n) if n % 2 else table.hold(n) for n in range(RACERS)]
        order = [(number + turn) % RACERS for turn in range(RACERS)]
        told = race.run([acts[turn] for turn in order])
        assert Counter(told) == {"won": 1, "rights_conflict": RACERS - 1}, told
        winner = order[told.index("won")]
        key = table.keys[winner]
        assert table.taken() == (([], [key]) if winner % 2 else ([key], []))
        ends["license" if winner % 2 else "hold"] += 1
        table.clear()
        if number % 50 == 49:
            quiet(services)
    assert set(ends) == {"license", "hold"}


@rounds(12)
def test_a_hold_and_an_acceptance_of_the_same_offer_never_leave_two_parties(
    table: Table, services: Services, race: Race, rounds: int
) -> None:
    """Each of four offers is held and accepted at once: the holder's own hold is not in the way of its license."""
    for number in range(rounds):
        pairs = [(table.hold(n), table.accept(n)) for n in range(RACERS // 2)]
        acts = [act for pair in pairs for act in (pair if number % 2 else pair[::-1])]
        order = [(number + turn) % RACERS for turn in range(RACERS)]
        told = race.run([acts[turn] for turn in order])
        assert set(told) <= {"won", "rights_conflict", "illegal_transition"}, told
        winners = {order[place] // 2 for place, outcome in enumerate(told) if outcome == "won"}
        assert len(winners) == 1, told
        # Whoever held it first is accepted in the end; and the license takes the place of the hold.
        assert table.taken() == ([], [table.keys[winners.pop()]])
        table.clear()
        if number % 50 == 49:
            quiet(services)


@rounds(12)
def test_eight_holds_of_one_offer_are_one_and_told_once(
    table: Table, services: Services, race: Race, rounds: int
) -> None:
    """A double click holds nothing twice, and the buyer is not told twice; a longer one replaces it."""
    for number in range(rounds):
        assert set(race.run([table.hold(0)] * RACERS)) == {"won"}
        assert {made.held_until for made in race.told} == {race.told[0].held_until}
        assert table.taken() == ([table.keys[0]], [])
        with unit_of_work(services.engine, SYSTEM) as session:
            told = select(func.count()).select_from(Notification).where(Notification.kind == "rights_held")
            assert session.scalar(told) == 1
            noted = select(func.count()).where(AuditEvent.action == "rights.held")
            assert session.scalar(noted) == number + 1
        table.clear()
        quiet(services)
