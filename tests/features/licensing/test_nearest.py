"""The solver: what is free, and the nearest scope that is; against counting every possible scope."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import chain, combinations, product
from random import Random
from typing import Any

import pytest

from marketplace.licensing.availability import at_place, by_country, channels_open
from marketplace.licensing.nearest import WEIGHTS, in_the_way, nearest
from marketplace.licensing.rights import AXES, EVERYTHING, FOREVER, Scope, add_months, bits, codes, proposed
from marketplace.licensing.terms import Terms
from tests.features.licensing.conftest import sheet

NOW = datetime(2027, 1, 1, tzinfo=UTC)
RINGS = bits("categories", ["ring"])


def scope(now: datetime = NOW, **changes: Any) -> Scope:
    return proposed(Terms.model_validate({**sheet(channels=[]), **changes}), now)


def lists(found: Scope) -> dict[str, list[str]]:
    return {axis: codes(axis, getattr(found, axis)) for axis in AXES}


def test_a_free_draft_gets_no_suggestion() -> None:
    assert nearest(scope(), [scope(kind="exclusive", territories=["CN"])], months=24) == []


def test_the_nearest_gives_up_one_country_of_many() -> None:
    wanted = scope(kind="exclusive", territories=["EU"])
    found = nearest(wanted, [scope(kind="exclusive", territories=["DE"])], months=24)
    assert found[0].changed == ("territories",)
    assert lists(found[0].scope)["territories"] == [c for c in codes("territories", wanted.territories) if c != "DE"]
    assert {made.changed for made in found} >= {("territories",), ("start",)}


def test_the_world_without_one_country_is_a_scope() -> None:
    found = nearest(
        scope(territories=["WORLD"]), [scope(kind="buyout", term_months=None, territories=["JP"])], months=24
    )
    assert "JP" not in lists(found[0].scope)["territories"]
    assert len(lists(found[0].scope)["territories"]) == 248


def test_it_shifts_the_start_or_shortens_the_term_where_only_time_is_left() -> None:
    taken = scope(kind="exclusive", territories=["DE"], term_months=6)
    found = nearest(scope(territories=["DE"], term_months=24), [taken], months=24)
    assert [made.changed for made in found] == [("start",)]
    assert found[0].start == taken.until.date()
    assert found[0].scope.until == add_months(taken.until, 24)
    later = scope(kind="exclusive", territories=["DE"], start="2028-01-01")
    found = nearest(scope(territories=["DE"], term_months=24), [later], months=24)
    assert (found[0].changed, found[0].months) == (("term_months",), 12)


def test_an_exclusive_beside_others_is_offered_as_non_exclusive() -> None:
    wanted = scope(kind="exclusive", territories=["DE"])
    found = nearest(wanted, [scope(territories=["DE"], term_months=600)], months=24)
    assert found[0].changed == ("kind",)
    assert found[0].scope.kind == "non_exclusive"


def test_it_never_takes_the_category_of_the_design_away() -> None:
    taken = scope(kind="exclusive", territories=["DE"], categories=["ring"], term_months=600)
    assert nearest(scope(territories=["DE"]), [taken], months=24, must=RINGS) == []
    without_rings = nearest(scope(territories=["DE"]), [taken], months=24)
    assert without_rings[0].changed == ("categories",)


LANDS, WAYS, METALS = ("DE", "FR", "CN"), ("retail", "online"), ("sterling", "palladium_950")


def some(random: Random, values: tuple[str, ...]) -> list[str]:
    return [v for v in values if random.random() < 0.5] or [random.choice(values)]


def subsets(values: Iterable[str]) -> list[tuple[str, ...]]:
    listed = list(values)
    return list(chain.from_iterable(combinations(listed, n) for n in range(1, len(listed) + 1)))


@pytest.mark.parametrize("seed", range(12))
def test_the_suggestion_costs_as_little_as_the_cheapest_of_all_possible_scopes(seed: int) -> None:
    """Oracle: every sub-scope of small drafts, tried one by one, at the period that was asked for."""
    random = Random(seed)
    for _ in range(15):
        granted = [
            scope(
                kind=random.choice(["exclusive", "sole"]),
                territories=some(random, LANDS),
                channels=some(random, WAYS),
                metals=some(random, METALS),
                term_months=600,
            )
            for _ in range(random.randrange(1, 5))
        ]
        lands, ways, metals = some(random, LANDS), some(random, WAYS), some(random, METALS)
        wanted = scope(kind="exclusive", territories=lands, channels=ways, metals=metals)
        best: float | None = None
        for chosen in product(subsets(lands), subsets(ways), subsets(metals)):
            part = scope(kind="exclusive", territories=chosen[0], channels=chosen[1], metals=chosen[2])
            if not in_the_way(part, granted):
                axes = zip(("territories", "channels", "metals"), chosen, (lands, ways, metals), strict=True)
                cost = sum(WEIGHTS[axis] * (1 - len(now) / len(asked)) for axis, now, asked in axes)
                best = cost if best is None else min(best, cost)
        found = nearest(wanted, granted, months=24)
        if best == 0:
            assert found == []
            continue
        assert all(not in_the_way(made.scope, granted) for made in found)
        if best is None:
            assert found == []
        else:
            assert found[0].cost == pytest.approx(best)


def test_a_country_is_told_open_shared_partly_or_taken_and_until_when() -> None:
    year = timedelta(days=365)
    granted = [
        scope(kind="exclusive", territories=["DE"], term_months=12),
        scope(kind="exclusive", territories=["FR"], channels=["online"], term_months=12),
        scope(territories=["IT"]),
        scope(kind="sole", territories=["JP"], start="2028-01-01"),
        scope(kind="exclusive", territories=["AT"], categories=["brooch"]),
    ]
    told = {code: at_place(granted, code, NOW, categories=RINGS) for code in ("DE", "FR", "IT", "JP", "AT", "US")}
    assert {code: place.state for code, place in told.items()} == {
        "DE": "taken",
        "FR": "partly",
        "IT": "shared",
        "JP": "open",
        "AT": "open",
        "US": "open",
    }
    assert told["DE"].until == told["FR"].until == NOW + year
    assert told["JP"].until == datetime(2028, 1, 1, tzinfo=UTC)
    assert (told["US"].until, told["US"].exclusive, told["IT"].exclusive) == (None, True, False)
    everywhere = by_country(granted, NOW, categories=RINGS)
    assert {code: place.state for code, place in everywhere.items()} == {"DE": "taken", "FR": "partly", "IT": "shared"}
    assert channels_open(granted, "FR", NOW, categories=RINGS) == ["retail", "wholesale", "bridal"]
    assert channels_open(granted, "DE", NOW, categories=RINGS) == []


def test_rights_that_follow_each_other_are_taken_until_the_last_ends() -> None:
    first = scope(kind="exclusive", territories=["DE"], term_months=12)
    second = scope(kind="exclusive", territories=["DE"], start="2028-01-01", term_months=12)
    assert at_place([first, second], "DE", NOW, categories=RINGS).until == datetime(2029, 1, 1, tzinfo=UTC)
    by_channel = [
        scope(kind="exclusive", territories=["DE"], channels=["online"], term_months=12),
        scope(kind="exclusive", territories=["DE"], channels=["retail", "wholesale", "bridal"], term_months=24),
    ]
    place = at_place(by_channel, "DE", NOW, categories=RINGS)
    assert (place.state, place.until) == ("taken", datetime(2028, 1, 1, tzinfo=UTC))
    endless = scope(kind="buyout", territories=["DE"], term_months=None)
    assert at_place([endless], "DE", NOW, categories=RINGS).until is None
    assert (endless.until, EVERYTHING["channels"]) == (FOREVER, endless.channels)


def test_what_is_only_held_is_told_until_it_is_free_again_and_is_no_start_to_wait_for() -> None:
    held = scope(kind="exclusive", territories=["DE"])
    held.held_until = NOW + timedelta(days=5)
    place = at_place([held], "DE", NOW, categories=RINGS)
    assert (place.state, place.held, place.until) == ("taken", True, held.held_until)
    assert by_country([held], NOW, categories=RINGS)["DE"].until == held.held_until
    wanted = scope(kind="exclusive", territories=["DE", "FR"])
    found = nearest(wanted, [held], months=24)
    assert found[0].changed == ("territories",)
    assert not [made for made in found if made.start]
