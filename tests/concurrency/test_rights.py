"""Overlapping rights under concurrency: whatever many connections try at once, what stands never collides.

The oracle counts points (country, channel, category, metal, day) one by one and knows nothing of ranges or bits.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import combinations
from random import Random
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from marketplace.licensing.vocabulary import ALLOYS_OF
from tests.kit.instance import Instance

NOW = datetime(2027, 1, 1, tzinfo=UTC)
LANDS, WAYS, CLASSES, METALS = (
    ("DE", "FR", "CN"),
    ("retail", "online"),
    ("ring", "brooch"),
    ("gold", "18k_rose", "sterling"),
)
KINDS = ("exclusive", "exclusive", "sole", "buyout", "non_exclusive", "limited_edition", "first_refusal")
RACERS = 8

_INSERT = text(
    "insert into licenses (id, negotiation_id, offer_id, design_id, designer_org_id, buyer_org_id, terms, terms_hash,"
    " kind, fee_amount, currency, state, clause_version, active_from, active_until, created_at)"
    " values (:id, :id, :id, :design, 'org_d', :holder, cast(:terms as jsonb), 'x', :kind, 0, 'USD', 'active', '1',"
    " :begins, :until, :begins)"
)


def _some(random: Random, values: tuple[str, ...]) -> list[str]:
    return [] if random.random() < 0.3 else random.sample(values, random.randrange(1, len(values) + 1))


def any_license(random: Random, number: int, design: str) -> dict[str, Any]:
    """A license over a random scope of a small world, so that many of them meet."""
    begins = random.randrange(0, 6)
    return {
        "id": f"lic_{design}_{number}",
        "design": design,
        "holder": f"org_{random.randrange(3)}",
        "kind": random.choice(KINDS),
        "territories": _some(random, LANDS) or ["WORLD"],
        "channels": _some(random, WAYS),
        "categories": _some(random, CLASSES),
        "metals": _some(random, METALS),
        "begins": begins,
        "until": None if random.random() < 0.15 else begins + random.randrange(1, 4),
    }


def points(one: dict[str, Any]) -> set[tuple[str, str, str, str, int]]:
    """Everything the license covers, counted; one of each that is beyond the small world stands for the rest."""
    lands = [*LANDS, "JP"] if one["territories"] == ["WORLD"] else one["territories"]
    ways = one["channels"] or [*WAYS, "bridal"]
    classes = one["categories"] or [*CLASSES, "other"]
    alloys = {alloy for metal in one["metals"] for alloy in ALLOYS_OF.get(metal, (metal,))}
    alloys = alloys or {alloy for family in ALLOYS_OF.values() for alloy in family}
    days = range(one["begins"], 12 if one["until"] is None else one["until"])
    return {(a, b, c, d, e) for a in lands for b in ways for c in classes for d in alloys for e in days}


def forbidden(one: dict[str, Any], two: dict[str, Any]) -> bool:
    """Whether the two may not both stand."""
    kinds, shut = {one["kind"], two["kind"]}, {"exclusive", "sole", "buyout"}
    if "first_refusal" in kinds:
        against = kinds == {"first_refusal"} or bool(kinds & shut)
        return against and one["holder"] != two["holder"] and bool(points(one) & points(two))
    return bool(kinds & shut) and bool(points(one) & points(two))


def insert(engine: Engine, one: dict[str, Any]) -> bool:
    """Write the license by raw SQL, past all code; whether the database took it."""
    terms = ", ".join(
        f'"{name}": [' + ", ".join(f'"{code}"' for code in one[name]) + "]"
        for name in ("territories", "channels", "categories", "metals")
    )
    days = {"begins": NOW + timedelta(days=one["begins"]), "until": None}
    if one["until"] is not None:
        days["until"] = NOW + timedelta(days=one["until"])
    row = {**{name: one[name] for name in ("id", "design", "holder", "kind")}, "terms": f"{{{terms}}}", **days}
    try:
        with engine.begin() as connection:
            connection.execute(_INSERT, row)
    except IntegrityError as error:
        if "ex_rights_grants" not in str(error):
            raise
        return False
    return True


@pytest.fixture
def lone_licenses(db: Instance) -> Any:
    """The table of licenses without its ties to other tables, which these licenses do not have."""
    names = "select conname from pg_constraint where conrelid = 'licenses'::regclass and contype = 'f'"
    with db.owner.begin() as connection:
        ties = connection.execute(
            text("select conname, pg_get_constraintdef(oid) from pg_constraint where conname in (" + names + ")")
        ).all()
        for name, _definition in ties:
            connection.execute(text(f"alter table licenses drop constraint {name}"))
    yield db
    with db.owner.begin() as connection:
        connection.execute(text("delete from licenses"))
        for name, definition in ties:
            connection.execute(text(f"alter table licenses add constraint {name} {definition}"))


def play(instance: Instance, seed: int, rounds: int) -> tuple[int, int]:
    """`rounds` races of eight licenses over one design; returns how many stood and how many were refused."""
    random = Random(seed)
    stood = refused = 0
    with ThreadPoolExecutor(RACERS) as pool:
        for number in range(rounds):
            design = f"{seed}_{number}"
            tried = [any_license(random, n, design) for n in range(RACERS)]
            start = Barrier(RACERS)

            def go(one: dict[str, Any], start: Barrier = start) -> bool:
                start.wait()
                return insert(instance.owner, one)

            taken = list(pool.map(go, tried))
            kept = [one for one, took in zip(tried, taken, strict=True) if took]
            assert kept, "somebody must win"
            for one, two in combinations(kept, 2):
                assert not forbidden(one, two), (one, two)
            for one, took in zip(tried, taken, strict=True):
                if not took:
                    assert any(forbidden(one, other) for other in kept), one
            stood, refused = stood + len(kept), refused + RACERS - len(kept)
    return stood, refused


def test_of_rights_that_meet_one_stands_and_nothing_else_is_refused(lone_licenses: Instance) -> None:
    stood, refused = play(lone_licenses, seed=1, rounds=15)
    assert min(stood, refused) > 10


@pytest.mark.full
def test_ten_thousand_races_for_overlapping_rights(lone_licenses: Instance) -> None:
    for seed in range(100, 200):
        play(lone_licenses, seed=seed, rounds=100)
