"""State tables, signatures' names, and which rights collide."""

from datetime import UTC, datetime, timedelta
from itertools import product
from random import Random
from typing import Any

import pytest

from marketplace.licensing.rights import (
    FOREVER,
    Scope,
    add_months,
    bits,
    codes,
    common_territories,
    excludes,
    first_collision,
    proposed,
)
from marketplace.licensing.rules import ADDENDUM, LICENSE, NEGOTIATION, alias_code, same_name
from marketplace.licensing.terms import Terms
from marketplace.licensing.vocabulary import metal_alloys
from tests.features.licensing.conftest import sheet
from tests.states.table import assert_table

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def test_the_negotiation_table_is_exactly_this() -> None:
    """NEG-07"""
    assert_table(
        NEGOTIATION,
        {
            ("open", "accept", "on_turn"): "accepted",
            ("open", "counter", "on_turn"): "open",
            ("open", "decline", "on_turn"): "declined",
            ("open", "withdraw", "off_turn"): "withdrawn",
            ("open", "message", "designer"): "open",
            ("open", "message", "buyer"): "open",
            ("accepted", "message", "designer"): "accepted",
            ("accepted", "message", "buyer"): "accepted",
            ("open", "agree", "on_turn"): "open",
            ("open", "expire", "system"): "expired",
            **{
                (state, "reopen", side): "open"
                for state in ("declined", "withdrawn", "expired")
                for side in ("designer", "buyer")
            },
        },
    )


def test_the_license_table_is_exactly_this() -> None:
    assert_table(
        LICENSE,
        {
            ("drafting", "document_made", "system"): "to_sign",
            ("to_sign", "sign", "designer"): "to_sign",
            ("to_sign", "sign", "buyer"): "to_sign",
            ("to_sign", "fully_signed", "system"): "to_pay",
            ("to_sign", "fully_signed_free", "system"): "active",
            ("to_pay", "activate", "system"): "active",
            ("drafting", "lapse", "system"): "ended",
            ("to_sign", "lapse", "system"): "ended",
            ("to_pay", "lapse", "system"): "ended",
            ("active", "give_notice", "designer"): "breach",
            ("active", "give_notice", "buyer"): "breach",
            ("breach", "cure", "notifier"): "active",
            ("breach", "let_go_on", "system"): "active",
            ("active", "expire", "system"): "expired",
            ("breach", "expire", "system"): "expired",
            ("active", "wind_down", "system"): "sell_off",
            ("breach", "wind_down", "system"): "sell_off",
            ("active", "terminate", "system"): "ended",
            ("breach", "terminate", "system"): "ended",
            ("expired", "sell_off", "system"): "sell_off",
            ("expired", "close", "system"): "ended",
            ("sell_off", "close", "system"): "ended",
        },
    )


def test_the_addendum_table_is_exactly_this() -> None:
    expected = {
        ("drafting", "document_made", "system"): "to_sign",
        ("to_sign", "sign", "designer"): "to_sign",
        ("to_sign", "sign", "buyer"): "to_sign",
        ("to_sign", "fully_signed", "system"): "done",
    }
    for state in ("drafting", "to_sign"):
        expected |= {
            (state, "withdraw", "proposer"): "withdrawn",
            (state, "decline", "answerer"): "declined",
            (state, "lapse", "system"): "lapsed",
        }
    assert_table(ADDENDUM, expected)


@pytest.mark.parametrize(
    ("typed", "same"),
    [
        ("Maya Rossi", True),
        ("maya  ROSSI ", True),
        ("Ｍａｙａ Rossi", True),
        ("Maya", False),
        ("", False),
        ("Maya Rossi Jr", False),
    ],
)
def test_a_signature_is_the_own_name_apart_from_case_width_and_spaces(typed: str, same: bool) -> None:
    assert same_name(typed, "Maya Rossi") is same


def test_a_buyer_has_another_name_for_each_design() -> None:
    assert alias_code("org_a", "dsn_1") == alias_code("org_a", "dsn_1")
    assert alias_code("org_a", "dsn_1") != alias_code("org_a", "dsn_2")


def scope(**changes: Any) -> Scope:
    return proposed(Terms.model_validate(sheet(**changes)), NOW)


def test_two_exclusives_over_one_country_collide_and_over_two_do_not() -> None:
    assert scope(kind="exclusive").collides(scope(kind="exclusive", territories=["FR"]))
    assert not scope(kind="exclusive").collides(scope(kind="exclusive", territories=["CN"]))
    assert scope(kind="exclusive", territories=["WORLD"]).collides(scope(territories=["CN"]))


def test_non_exclusive_licenses_never_collide() -> None:
    assert not scope().collides(scope())


@pytest.mark.parametrize("kind", ["exclusive", "sole", "buyout"])
def test_an_excluding_license_collides_whichever_side_it_is_on(kind: str) -> None:
    excluding = scope(kind=kind, term_months=None if kind == "buyout" else 12)
    assert excluding.collides(scope())
    assert scope().collides(excluding)


def test_a_first_refusal_shuts_out_what_excludes_unless_it_is_the_holders_own() -> None:
    rows = {
        other: (excludes("first_refusal", other), excludes(other, "first_refusal", one_holder=True))
        for other in ("exclusive", "sole", "buyout", "first_refusal", "non_exclusive", "limited_edition")
    }
    assert rows == {
        "exclusive": (True, False),
        "sole": (True, False),
        "buyout": (True, False),
        "first_refusal": (True, False),
        "non_exclusive": (False, False),
        "limited_edition": (False, False),
    }


def test_an_empty_set_means_all_and_a_family_covers_its_alloys() -> None:
    assert scope(kind="exclusive", metals=["gold"]).collides(scope(metals=["18k_rose"]))
    assert not scope(kind="exclusive", metals=["silver"]).collides(scope(metals=["18k_rose"]))
    assert scope(kind="exclusive", metals=[]).collides(scope(metals=["sterling"]))
    assert not scope(kind="exclusive", channels=["retail"]).collides(scope(channels=["online"]))


def test_periods_that_only_touch_do_not_collide() -> None:
    first = scope(kind="exclusive", start="2027-01-01", term_months=12)
    assert not first.collides(scope(start="2028-01-01"))
    assert first.collides(scope(start="2027-12-31"))
    assert scope(kind="buyout", term_months=None).collides(scope(start="2031-01-01"))


def test_months_are_calendar_months() -> None:
    assert add_months(datetime(2027, 1, 31, tzinfo=UTC), 1) == datetime(2027, 2, 28, tzinfo=UTC)
    assert add_months(datetime(2024, 2, 29, tzinfo=UTC), 12) == datetime(2025, 2, 28, tzinfo=UTC)
    assert add_months(datetime(2026, 11, 21, tzinfo=UTC), 24) == datetime(2028, 11, 21, tzinfo=UTC)


KINDS = ("exclusive", "sole", "buyout", "non_exclusive", "limited_edition")


@pytest.mark.parametrize("rounds", [500, pytest.param(5000, marks=pytest.mark.full)])
def test_collisions_agree_with_counting_every_point_of_small_sets(rounds: int) -> None:
    """Oracle: two scopes collide when they share a point (territory, channel, metal, day) and one excludes."""
    random = Random(7)
    lands, ways, metals, days = ("DE", "FR", "CN"), ("retail", "online"), ("sterling", "palladium_950"), range(6)

    def some(values: tuple[str, ...]) -> list[str]:
        return [v for v in values if random.random() < 0.4]

    def points(one: Scope) -> set[tuple[str, str, str, int]]:
        return {
            (land, way, metal, day)
            for land, way, metal, day in product(lands, ways, metals, days)
            if (codes("territories", one.territories) == ["WORLD"] or land in codes("territories", one.territories))
            and (not codes("channels", one.channels) or way in codes("channels", one.channels))
            and (not codes("metals", one.metals) or metal in metal_alloys(codes("metals", one.metals)))
            and one.begins <= NOW + timedelta(days=day) < one.until
        }

    def any_scope() -> Scope:
        begins = random.randrange(5)
        until = FOREVER if random.random() < 0.2 else NOW + timedelta(days=random.randrange(begins + 1, 7))
        places, shops, alloys = (
            bits("territories", some(lands)),
            bits("channels", some(ways)),
            bits("metals", some(metals)),
        )
        kind, everything = random.choice(KINDS), bits("categories", [])
        return Scope(kind, places, shops, everything, alloys, NOW + timedelta(days=begins), until)

    seen = {True: 0, False: 0}
    for _ in range(rounds):
        one, two = any_scope(), any_scope()
        excluding = bool({one.kind, two.kind} & {"exclusive", "sole", "buyout"})
        expected = excluding and bool(points(one) & points(two))
        assert one.collides(two) is expected is two.collides(one), (one, two)
        seen[expected] += 1
    assert min(seen.values()) > rounds // 10


def test_the_overlap_is_named() -> None:
    granted = [scope(kind="exclusive", territories=["CN"]), scope(kind="exclusive", territories=["FR", "IT"])]
    found = first_collision(scope(), granted)
    assert found is granted[1]
    assert common_territories(scope(), found) == ["FR"]
