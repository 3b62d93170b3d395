"""Races with real connections: of any number of answers at once exactly one stands."""

from collections import Counter
from datetime import datetime, timedelta
from itertools import combinations_with_replacement, product
from typing import Any

from sqlalchemy import func, select

from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor, system
from marketplace.kernel.errors import Conflict
from marketplace.licensing import conversing, endings, negotiating
from marketplace.licensing.models import License, Negotiation, Offer, ReadMark
from marketplace.licensing.terms import Terms
from marketplace.messaging.models import Message
from marketplace.messaging.queries import changed_since
from marketplace.services import Services
from tests.concurrency.racing import RACERS, SOME, Act, Race, accept, listed, opened, quiet, terms
from tests.concurrency.racing import rounds as in_rounds
from tests.kit.people import Make

ROUNDS = in_rounds()


def counter(actor: Actor, key: str, new: Terms) -> tuple[Actor, Act]:
    return actor, lambda session: negotiating.make_offer(session, actor, key, base_version=1, terms=new)


def decline(actor: Actor, key: str) -> tuple[Actor, Act]:
    return actor, lambda session: endings.decline(session, actor, key, version=1)


def withdraw(actor: Actor, key: str) -> tuple[Actor, Act]:
    return actor, lambda session: endings.withdraw(session, actor, key, version=1)


def begin(actor: Actor, design_id: str) -> tuple[Actor, Act]:
    return actor, lambda session: negotiating.open_negotiation(session, actor, design_id, terms())


@ROUNDS
def test_neg_01_of_eight_acceptances_at_once_one_wins_and_seven_learn_the_state(
    make: Make, services: Services, web: Any, race: Race, rounds: int
) -> None:
    designer, buyer = make.person("designer").actor, make.person("buyer").actor
    design_id = listed(services, designer.org_id or "")
    seen: Counter[str] = Counter()
    for number in range(rounds):
        key = opened(web, buyer, design_id)
        outcome = Counter(race.run([accept(designer, key)] * RACERS))
        assert outcome["won"] == 1, outcome
        assert outcome["illegal_transition"] == RACERS - 1, outcome
        seen += outcome
        if number % 50 == 49:
            quiet(services)
    with unit_of_work(services.engine, system("test")) as session:
        assert session.scalar(select(func.count()).select_from(License)) == rounds
    assert seen == {"won": rounds, "illegal_transition": rounds * (RACERS - 1)}


@ROUNDS
def test_neg_02_accept_counter_decline_and_withdraw_at_once_end_in_one_consistent_state(
    make: Make, services: Services, web: Any, race: Race, rounds: int
) -> None:
    designer, buyer = make.person("designer").actor, make.person("buyer").actor
    design_id = listed(services, designer.org_id or "")
    wins: Counter[str] = Counter()
    for number in range(rounds):
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
    # Two of the four moves belong to either side, and each is the first in a quarter of the rounds.
    assert len(wins) >= 3, wins


def test_of_eight_overlapping_exclusives_at_once_one_is_granted(
    make: Make, services: Services, web: Any, race: Race
) -> None:
    designer = make.person("designer").actor
    buyers = [make.person("buyer").actor for _ in range(RACERS)]
    rounds = SOME // 5
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


def test_of_eight_openings_at_once_one_negotiation_is_made(
    make: Make, services: Services, web: Any, race: Race
) -> None:
    designer, buyer = make.person("designer").actor, make.person("buyer").actor
    for _ in range(SOME // 5):
        design_id = listed(services, designer.org_id or "")
        outcome = Counter(race.run([begin(buyer, design_id)] * RACERS))
        assert outcome == {"won": 1, "negotiation_open": RACERS - 1}, outcome


@ROUNDS
def test_of_eight_reopenings_at_once_one_version_comes_about(
    make: Make, services: Services, web: Any, race: Race, rounds: int
) -> None:
    designer, buyer = make.person("designer").actor, make.person("buyer").actor
    key = opened(web, buyer, listed(services, designer.org_id or ""))
    for version in range(1, rounds + 1):
        with unit_of_work(services.engine, system("test")) as session:
            endings.expire(session, system("test"), session.get_one(Negotiation, key, with_for_update=True))
        racers = [reopen(designer if turn % 2 else buyer, key, version) for turn in range(RACERS)]
        assert Counter(race.run(racers)) == {"won": 1, "stale_version": RACERS - 1}
        with unit_of_work(services.engine, system("test")) as session:
            row = session.get_one(Negotiation, key)
            assert (row.state, row.current_version) == ("open", version + 1)
        if version % 50 == 0:
            quiet(services)


# NEG-02: all pairs of actions, in both orders and at once.


def reopen(actor: Actor, key: str, version: int) -> tuple[Actor, Act]:
    return actor, lambda session: negotiating.reopen(session, actor, key, base_version=version, terms=terms())


def say(actor: Actor, key: str, words: str) -> tuple[Actor, Act]:
    return actor, lambda session: conversing.say(session, actor, key, words)


def look(actor: Actor, key: str, until: datetime) -> tuple[Actor, Act]:
    return actor, lambda session: conversing.mark_read(session, actor, key, until)


class Table:
    """A negotiation on its table, and everything one can do to version 1."""

    def __init__(self, web: Any, services: Services, designer: Actor, buyer: Actor, design_id: str) -> None:
        self.key = opened(web, buyer, design_id)
        self.services, self.system = services, system("test")
        key = self.key
        self.acts: dict[str, tuple[Actor, Act]] = {
            "accept": accept(designer, key),
            "counter": counter(designer, key, terms(term_months=7)),
            "decline": decline(designer, key),
            "withdraw": withdraw(buyer, key),
            "agree": (designer, lambda s: conversing.agree(s, designer, key, version=1, term="fee")),
            "say": say(buyer, key, "Hello"),
            "expire": (designer, lambda s: self._expire(s, designer)),
        }

    def _expire(self, session: Any, actor: Actor) -> None:
        """What the clock job does to this negotiation, in the shoes of a party."""
        row = session.scalars(select(Negotiation).where(Negotiation.id == self.key).with_for_update()).one()
        session.refresh(row)
        if row.state != "open" or row.current_version != 1:
            raise Conflict("illegal_transition", "It has moved.")
        endings.expire(session, actor, row)

    def end(self) -> tuple[str, int, int]:
        with unit_of_work(self.services.engine, self.system) as session:
            row = session.get_one(Negotiation, self.key)
            licenses = session.scalar(select(func.count()).where(License.negotiation_id == self.key)) or 0
            return row.state, row.current_version, licenses

    def close(self, web: Any, designer: Actor) -> None:
        if self.end()[0] == "open":
            with unit_of_work(self.services.engine, self.system) as session:
                endings.expire(session, self.system, session.get_one(Negotiation, self.key, with_for_update=True))


REFUSALS = {"illegal_transition", "stale_version", "negotiation_expired"}


def test_neg_02_all_pairs_of_actions_in_both_orders_and_at_once(
    make: Make, services: Services, web: Any, race: Race
) -> None:
    designer, buyer = make.person("designer").actor, make.person("buyer").actor
    design_id = listed(services, designer.org_id or "")

    def run(names: tuple[str, str], *, at_once: bool) -> tuple[tuple[str, ...], tuple[str, int, int]]:
        table = Table(web, services, designer, buyer, design_id)
        acts = [table.acts[name] for name in names]
        told = tuple(race.run(acts) if at_once else [race.run([act])[0] for act in acts])
        end = table.end()
        table.close(web, designer)
        return told, end

    names = list(Table(web, services, designer, buyer, listed(services, designer.org_id or "")).acts)
    results = {pair: run(pair, at_once=False) for pair in product(names, names)}
    quiet(services)
    for (first, second), (told, _end) in results.items():
        assert told[0] == "won", (first, second, told)
        assert told[1] == "won" or told[1] in REFUSALS, (first, second, told)
        moves = first in {"accept", "counter", "decline", "withdraw", "expire"}
        if moves and second not in {"say"}:
            assert told[1] in REFUSALS, (first, second, told)
    for first, second in combinations_with_replacement(names, 2):
        told, end = run((first, second), at_once=True)
        forward, backward = results[first, second], results[second, first]
        expected = {(forward[0], forward[1]), (backward[0][::-1], backward[1])}
        ends = {end for _told, end in expected}
        assert end in ends, (first, second, told, end, expected)
        assert all(t == "won" or t in REFUSALS for t in told), told
        assert "won" in told


def test_neg_08_messages_written_at_once_keep_one_order_and_marks_never_go_back(
    make: Make, services: Services, web: Any, race: Race
) -> None:
    designer, buyer = make.person("designer").actor, make.person("buyer").actor
    key = opened(web, buyer, listed(services, designer.org_id or ""))
    seen: list[str] = []
    since = clock.now() - timedelta(days=1)
    for number in range(10):
        acts: list[tuple[Actor, Act]] = []
        for turn in range(RACERS - 2):
            actor = designer if turn % 2 else buyer
            text_ = f"{number}-{turn}"
            acts.append(say(actor, key, text_))
        acts += [look(buyer, key, moment) for moment in (clock.now() - timedelta(seconds=number), clock.now())]
        assert set(race.run(acts)) == {"won"}
        # A reader who comes by now and then, from what it saw last, misses nothing and sees nothing twice.
        with unit_of_work(web, designer) as session:
            upto = session.get_one(Negotiation, key).updated_at
            new = [m.message for m in changed_since(session, key, "en", since) if since < m.message.created_at <= upto]
            seen += [m.text for m in new]
            since = upto
    with unit_of_work(services.engine, system("test")) as session:
        said = session.execute(select(Message.text, Message.created_at).order_by(Message.created_at)).all()
        mark = session.scalars(select(ReadMark.read_at).where(ReadMark.org_id == buyer.org_id)).one()
    assert seen == [row.text for row in said]
    assert len({row.created_at for row in said}) == 10 * (RACERS - 2)
    assert mark > clock.now() - timedelta(seconds=30)
