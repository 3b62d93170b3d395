"""Races with real connections: of any number of answers at once exactly one stands."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select, text

from marketplace.config import Settings
from marketplace.db.engines import make_engine
from marketplace.db.unit_of_work import unit_of_work
from marketplace.designs.models import Design
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor, system
from marketplace.kernel.errors import Conflict, DomainError, Forbidden
from marketplace.licensing import endings, negotiating
from marketplace.licensing.models import License, Negotiation, Offer
from marketplace.licensing.terms import Terms
from marketplace.services import Services
from tests.features.licensing.conftest import sheet
from tests.kit.instance import Instance
from tests.kit.people import Make

RACERS = 8
ROUNDS = 300

Act = Callable[[Any], Any]


@pytest.fixture
def web(instance: Instance) -> Any:
    """An engine of the web role with a connection for each racer."""
    settings: Settings = instance.settings
    engine = make_engine(settings.database_web_url, pool_size=RACERS + 2)
    yield engine
    engine.dispose()


class Race:
    """A standing group of racers; each round they start at one barrier."""

    def __init__(self, engine: Any) -> None:
        self.engine = engine
        self.pool = ThreadPoolExecutor(RACERS)

    def run(self, acts: Sequence[tuple[Actor, Act]]) -> list[str]:
        """What became of each act: `won`, or the code of the refusal."""
        gate = threading.Barrier(len(acts))

        def one(actor: Actor, act: Act) -> str:
            gate.wait(20)
            try:
                with unit_of_work(self.engine, actor) as session:
                    act(session)
            except Conflict as refusal:
                return refusal.code
            except Forbidden as refusal:
                return refusal.code
            except DomainError as refusal:
                return f"unexpected {refusal.code}"
            return "won"

        return [done.result(60) for done in [self.pool.submit(one, actor, act) for actor, act in acts]]


@pytest.fixture
def race(web: Any) -> Any:
    made = Race(web)
    yield made
    made.pool.shutdown()


def terms(**changes: Any) -> Terms:
    return Terms.model_validate(sheet(**changes))


def listed(services: Services, org_id: str) -> str:
    with unit_of_work(services.engine, system("test")) as session:
        row = Design(org_id=org_id, title="Onda", category="ring", state="listed", listed_at=clock.now())
        session.add(row)
        session.flush()
        return row.id


def opened(web: Any, buyer: Actor, design_id: str, **changes: Any) -> str:
    with unit_of_work(web, buyer) as session:
        return negotiating.open_negotiation(session, buyer, design_id, terms(**changes)).id


def quiet(services: Services) -> None:
    """Forget what the rounds staged, so that they stay equally fast."""
    with unit_of_work(services.engine, system("test")) as session:
        session.execute(text("delete from notifications"))
        session.execute(text("delete from mails"))
        session.execute(text("delete from jobs"))


def accept(actor: Actor, key: str) -> tuple[Actor, Act]:
    return actor, lambda session: negotiating.accept(session, actor, key, version=1)


def counter(actor: Actor, key: str, new: Terms) -> tuple[Actor, Act]:
    return actor, lambda session: negotiating.make_offer(session, actor, key, base_version=1, terms=new)


def decline(actor: Actor, key: str) -> tuple[Actor, Act]:
    return actor, lambda session: endings.decline(session, actor, key, version=1)


def withdraw(actor: Actor, key: str) -> tuple[Actor, Act]:
    return actor, lambda session: endings.withdraw(session, actor, key, version=1)


def begin(actor: Actor, design_id: str) -> tuple[Actor, Act]:
    return actor, lambda session: negotiating.open_negotiation(session, actor, design_id, terms())


@pytest.mark.slow
def test_of_eight_acceptances_at_once_one_wins_and_seven_learn_the_state(
    make: Make, services: Services, web: Any, race: Race
) -> None:
    designer, buyer = make.person("designer").actor, make.person("buyer").actor
    design_id = listed(services, designer.org_id or "")
    seen: Counter[str] = Counter()
    for number in range(ROUNDS):
        key = opened(web, buyer, design_id)
        outcome = Counter(race.run([accept(designer, key)] * RACERS))
        assert outcome["won"] == 1, outcome
        assert outcome["illegal_transition"] == RACERS - 1, outcome
        seen += outcome
        if number % 50 == 49:
            quiet(services)
    with unit_of_work(services.engine, system("test")) as session:
        assert session.scalar(select(func.count()).select_from(License)) == ROUNDS
    assert seen == {"won": ROUNDS, "illegal_transition": ROUNDS * (RACERS - 1)}


@pytest.mark.slow
def test_accept_counter_decline_withdraw_and_expire_at_once_end_in_one_consistent_state(
    make: Make, services: Services, web: Any, race: Race
) -> None:
    designer, buyer = make.person("designer").actor, make.person("buyer").actor
    design_id = listed(services, designer.org_id or "")
    wins: Counter[str] = Counter()
    for number in range(ROUNDS):
        key = opened(web, buyer, design_id)
        new = terms(term_months=12 + number % 12)
        acts = [
            ("accept", accept(designer, key)),
            ("counter", counter(designer, key, new)),
            ("decline", decline(designer, key)),
            ("withdraw", withdraw(buyer, key)),
        ] * 2
        shift = number % len(acts)
        acts = acts[shift:] + acts[:shift]
        outcome = race.run([act for _name, act in acts])
        winners = [name for (name, _act), result in zip(acts, outcome, strict=True) if result == "won"]
        assert len(winners) == 1, (winners, outcome)
        losers = {result for result in outcome if result != "won"}
        assert losers <= {"illegal_transition", "stale_version"}, losers
        wins[winners[0]] += 1
        with unit_of_work(services.engine, system("test")) as session:
            row = session.get_one(Negotiation, key)
            versions = session.scalar(select(func.count()).select_from(Offer).where(Offer.negotiation_id == key))
            licenses = session.scalar(select(func.count()).select_from(License).where(License.negotiation_id == key))
            expected = {"accept": "accepted", "counter": "open", "decline": "declined", "withdraw": "withdrawn"}
            assert row.state == expected[winners[0]]
            assert versions == row.current_version == (2 if winners == ["counter"] else 1)
            assert licenses == (1 if winners == ["accept"] else 0)
            if row.state == "open":
                assert row.turn == "buyer"
        if row.state == "open":
            with unit_of_work(web, designer) as session:
                endings.withdraw(session, designer, key, version=2)
        if number % 50 == 49:
            quiet(services)
    assert set(wins) == {"accept", "counter", "decline", "withdraw"}, wins


@pytest.mark.slow
def test_of_eight_overlapping_exclusives_at_once_one_is_granted(
    make: Make, services: Services, web: Any, race: Race
) -> None:
    designer = make.person("designer").actor
    buyers = [make.person("buyer").actor for _ in range(RACERS)]
    rounds = ROUNDS // 10
    for _ in range(rounds):
        design_id = listed(services, designer.org_id or "")
        keys = [
            opened(web, buyer, design_id, kind="exclusive", territories=["DE", extra])
            for buyer, extra in zip(buyers, ["FR", "IT", "ES", "CN", "US", "JP", "GB", "CH"], strict=True)
        ]
        outcome = Counter(race.run([accept(designer, key) for key in keys]))
        assert outcome == {"won": 1, "rights_conflict": RACERS - 1}, outcome
        quiet(services)
    with unit_of_work(services.engine, system("test")) as session:
        assert session.scalar(select(func.count()).select_from(License)) == rounds


@pytest.mark.slow
def test_of_eight_openings_at_once_one_negotiation_is_made(
    make: Make, services: Services, web: Any, race: Race
) -> None:
    designer, buyer = make.person("designer").actor, make.person("buyer").actor
    for _ in range(ROUNDS // 10):
        design_id = listed(services, designer.org_id or "")
        outcome = Counter(race.run([begin(buyer, design_id)] * RACERS))
        assert outcome == {"won": 1, "negotiation_open": RACERS - 1}, outcome
