"""The database's own table of grants: it follows the licenses, and no two rows of it collide, whatever code does."""

import json
import random
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from bench.rights import GRANT
from marketplace.config import WORKER_ROLE
from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel import clock
from marketplace.kernel.actor import system
from marketplace.kernel.errors import Conflict
from marketplace.licensing.grants import granted, settled_period
from marketplace.licensing.models import License
from marketplace.licensing.rights import AXES, add_months, bits, codes, period
from marketplace.licensing.rules import HOLDING
from marketplace.licensing.terms import Terms
from marketplace.licensing.vocabulary import CATEGORIES, CHANNELS, COUNTRIES, METALS
from marketplace.services import Services
from tests.features.licensing.conftest import Pair, sheet
from tests.kit.instance import Instance
from tests.kit.people import Make


@pytest.fixture
def rival(pair: Pair, make: Make) -> Pair:
    """Another buyer over the same design."""
    return Pair(pair.designer, make.person("buyer"), pair.design_id)


def grants(instance: Instance, design_id: str) -> list[Any]:
    with instance.owner.connect() as connection:
        query = text("select * from rights_grants where design_id = :d order by source_id")
        return list(connection.execute(query, {"d": design_id}).mappings())


def test_a_grant_follows_its_license_from_acceptance_to_the_end(pair: Pair, instance: Instance) -> None:
    license_id = pair.agree(kind="exclusive", channels=["online"], metals=["gold"])["license"]
    (row,) = grants(instance, pair.design_id)
    assert (row["source_id"], row["kind"], row["holder_org_id"]) == (license_id, "exclusive", pair.buyer.org.id)
    with instance.owner.begin() as connection:
        connection.execute(
            text(
                "update licenses set state = 'active', active_from = '2027-03-01Z', active_until = '2028-03-01Z'"
                " where id = :l"
            ),
            {"l": license_id},
        )
    (row,) = grants(instance, pair.design_id)
    assert (row["period"].lower.year, row["period"].upper.isoformat()) == (2027, "2028-03-01T00:00:00+00:00")
    with instance.owner.begin() as connection:
        connection.execute(text("update licenses set state = 'expired' where id = :l"), {"l": license_id})
    assert grants(instance, pair.design_id) == []


def test_the_trigger_holds_in_the_states_that_the_rules_name(instance: Instance) -> None:
    with instance.owner.connect() as connection:
        source = connection.scalar(text("select prosrc from pg_proc where proname = 'follow_license'"))
    named = set(source.split("array[")[1].split("]")[0].replace("'", "").replace(",", " ").split())
    assert set(HOLDING) <= named <= {*HOLDING, "breach"}


@pytest.mark.parametrize(
    ("first", "second", "refused"),
    [
        ({"kind": "exclusive"}, {"kind": "exclusive", "territories": ["FR"]}, True),
        ({"kind": "exclusive"}, {"kind": "exclusive", "territories": ["CN"]}, False),
        ({"kind": "exclusive"}, {"kind": "non_exclusive"}, True),
        ({"kind": "limited_edition", "max_units": 9}, {"kind": "non_exclusive"}, False),
        ({"kind": "limited_edition", "max_units": 9}, {"kind": "sole"}, True),
        ({"kind": "first_refusal"}, {"kind": "exclusive"}, True),
        ({"kind": "first_refusal"}, {"kind": "first_refusal"}, True),
        ({"kind": "first_refusal"}, {"kind": "non_exclusive"}, False),
        ({"kind": "exclusive", "metals": ["gold"]}, {"kind": "exclusive", "metals": ["18k_rose"]}, True),
        ({"kind": "exclusive", "metals": ["gold"]}, {"kind": "exclusive", "metals": ["silver"]}, False),
        ({"kind": "exclusive", "categories": ["ring"]}, {"kind": "sole", "categories": ["brooch"]}, False),
        ({"kind": "exclusive", "channels": ["retail"]}, {"kind": "exclusive", "channels": []}, True),
        ({"kind": "buyout", "term_months": None}, {"kind": "non_exclusive", "start": "2030-01-01"}, True),
        (
            {"kind": "exclusive", "start": "2027-06-01", "term_months": 12},
            {"kind": "exclusive", "start": "2028-06-01"},
            False,
        ),
    ],
)
def test_code_and_database_refuse_the_same(
    pair: Pair, rival: Pair, instance: Instance, first: dict[str, Any], second: dict[str, Any], refused: bool
) -> None:
    """The second license is accepted through the API, then written past all code; both ways agree."""
    pair.agree(**first)
    opened = rival.open(**second)
    answer = rival.designer.api.post(f"/negotiations/{opened['id']}/accept", {"version": 1})
    assert (answer.status_code, answer.get_json().get("code")) == ((409, "rights_conflict") if refused else (200, None))
    if not refused:
        return
    with pytest.raises(IntegrityError, match="ex_rights_grants"), instance.owner.begin() as connection:
        _license_by_hand(connection, opened["id"], second["kind"])


def _license_by_hand(connection: Any, negotiation_id: str, kind: str) -> None:
    """A license under this negotiation like the design's first one, but for the terms that were offered."""
    connection.execute(
        text(
            "insert into licenses select (jsonb_populate_record(l, jsonb_build_object('id', 'lic_by_hand',"
            " 'negotiation_id', n.id, 'offer_id', o.id, 'buyer_org_id', n.buyer_org_id, 'terms', o.terms,"
            " 'kind', cast(:kind as text)))).*"
            " from offers o join negotiations n on n.id = o.negotiation_id join licenses l on l.design_id = n.design_id"
            " where o.negotiation_id = :n"
        ),
        {"n": negotiation_id, "kind": kind},
    )


def test_the_holder_of_a_first_refusal_may_take_the_exclusive_itself(pair: Pair) -> None:
    pair.agree(kind="first_refusal")
    assert pair.agree(kind="exclusive")["license"]


def test_a_refusal_says_where_and_until_when_and_not_who(pair: Pair, rival: Pair) -> None:
    pair.agree(kind="exclusive", territories=["EU"], term_months=12)
    opened = rival.open(territories=["DE", "CH"])
    answer = rival.designer.api.post(f"/negotiations/{opened['id']}/accept", {"version": 1})
    said = answer.get_json()
    assert said["overlap"]["territories"] == ["DE"]
    assert said["overlap"]["kind"] == "exclusive"
    assert said["overlap"]["until"]
    assert pair.buyer.org.id not in answer.text


def test_no_run_time_role_writes_grants(pair: Pair, services: Services, instance: Instance) -> None:
    pair.agree(kind="exclusive")
    for actor in (system("test"), pair.designer.actor):
        with unit_of_work(services.engine, actor) as session:
            changed = [
                session.execute(text(f"{statement} rights_grants {rest}")).rowcount  # type: ignore[attr-defined]
                for statement, rest in (("delete from", ""), ("update", "set kind = 'non_exclusive'"))
            ]
        assert changed == [0, 0]
    with instance.owner.connect() as connection:
        policies = connection.execute(
            text("select cmd from pg_policies where tablename = 'rights_grants' and :role = any(roles)"),
            {"role": WORKER_ROLE},
        ).scalars()
        assert list(policies) == ["SELECT"]
    assert len(grants(instance, pair.design_id)) == 1


def test_the_database_knows_every_code_and_numbers_them_apart(instance: Instance) -> None:
    known = {"territories": COUNTRIES, "channels": set(CHANNELS), "categories": set(CATEGORIES), "metals": METALS}
    with instance.owner.connect() as connection:
        for axis, values in known.items():
            for code in sorted(values):
                others = sorted(
                    connection.scalars(
                        text(
                            "select code from unnest(cast(:codes as text[])) code"
                            " where rights_set(:axis, jsonb_build_array(code))"
                            " && rights_set(:axis, jsonb_build_array(cast(:one as text)))"
                        ),
                        {"codes": sorted(values), "axis": axis, "one": code},
                    )
                )
                mine = bits(axis, [code])
                assert others == sorted(other for other in values if bits(axis, [other]) & mine), (axis, code)
        with pytest.raises(IntegrityError, match="no number for"):
            connection.execute(text("select rights_set('channels', '[\"television\"]')"))


def test_the_database_reckons_periods_as_the_rules_do(pair: Pair, instance: Instance) -> None:
    for months, start in ((1, "2027-01-31"), (13, "2028-02-29"), (6, "2027-08-31"), (600, "2027-03-01")):
        terms = Terms.model_validate(sheet(start=start, term_months=months))
        with instance.owner.connect() as connection:
            connection.execute(text("set time zone 'America/New_York'"))
            found = connection.execute(
                text(
                    "select lower(p) a, upper(p) b from rights_period(cast(:t as jsonb), '2026-11-21Z', null, null) p"
                ),
                {"t": terms.model_dump_json()},
            ).one()
        assert (found.a, found.b) == period(terms.start, terms.term_months, found.a.replace(year=2026))


def test_sets_turn_into_lists_and_back() -> None:
    for axis, lists in {
        "territories": (["WORLD"], ["DE"], ["AD", "ZW"]),
        "channels": ([], ["online", "retail"]),
        "categories": ([], ["ring"]),
        "metals": ([], ["gold"], ["18k_rose", "silver"]),
    }.items():
        for values in lists:
            assert codes(axis, bits(axis, values)) == values
    assert set(AXES) == {"territories", "channels", "categories", "metals"}


def test_for_a_place_there_come_the_grants_that_share_something_with_it(services: Services, instance: Instance) -> None:
    chance = random.Random(5)
    known = {"territories": sorted(COUNTRIES), "channels": list(CHANNELS), "categories": list(CATEGORIES)}
    known["metals"] = ["gold", "silver", *METALS]

    def place() -> dict[str, list[str]]:
        return {axis: chance.sample(codes_, chance.choice((0, 1, 2, 4))) for axis, codes_ in known.items()}

    rows = [{"n": n, "kind": "non_exclusive", "terms": json.dumps(place())} for n in range(120)]
    with instance.owner.begin() as connection:
        connection.execute(GRANT, rows)
    with unit_of_work(services.engine, system("test")) as session:
        everything = granted(session, "dsn_bench", now=clock.now())
        met = 0
        for asked in (place() for _ in range(60)):
            wanted = [bits(axis, asked[axis]) for axis in AXES]
            sharing = [s for s in everything if all(getattr(s, a) & w for a, w in zip(AXES, wanted, strict=True))]
            found = granted(session, "dsn_bench", now=clock.now(), place=asked)
            assert sorted(map(repr, found)) == sorted(map(repr, sharing))
            met += len(sharing)
    assert len(everything) == len(rows)
    assert 0 < met < 60 * len(rows)


def test_a_license_that_begins_later_ends_where_a_right_granted_meanwhile_begins(
    pair: Pair, rival: Pair, services: Services
) -> None:
    """Agreed on today for a year, with the next exclusive from two days after that year; paid three weeks later."""
    today = clock.now()
    next_begins = datetime.combine(add_months(today, 12).date() + timedelta(days=2), time.min, UTC)
    first = pair.agree(kind="exclusive", term_months=12)["license"]
    rival.agree(kind="exclusive", start=next_begins.date().isoformat(), term_months=12)
    with unit_of_work(services.engine, system("test")) as session:
        held = session.get_one(License, first)
        paid = today + timedelta(hours=1)
        assert settled_period(session, held, paid) == (paid, add_months(paid, 12))
        paid = today + timedelta(days=21)
        assert settled_period(session, held, paid) == (paid, next_begins)
        with pytest.raises(Conflict, match="already licensed"):
            settled_period(session, held, next_begins + timedelta(days=9))
