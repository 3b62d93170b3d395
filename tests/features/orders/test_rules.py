"""State tables, prices and visibility of orders, without services."""

import itertools
from datetime import date
from decimal import Decimal

import pytest

from marketplace.kernel.errors import Conflict, Invalid
from marketplace.kernel.money import Money
from marketplace.orders.pricing import RoyaltyTerms, price
from marketplace.orders.rules import (
    ORDER,
    QUOTE,
    RFQ,
    VISIBLE,
    check_metals,
    check_valid_until,
    turn,
    visible,
)
from tests.states.table import assert_table


def test_an_order_moves_only_as_the_table_says() -> None:
    """NEG-07: nothing is shipped that is not paid."""
    assert_table(
        ORDER,
        {
            ("placed", "request_quotes", "manager"): "quoting",
            ("quoting", "request_quotes", "manager"): "quoting",
            ("quoting", "award", "manager"): "awarded",
            ("awarded", "checkout", "buyer"): "awarded",
            ("awarded", "pay", "system"): "paid",
            ("paid", "record_stage", "maker"): "in_production",
            ("in_production", "record_stage", "maker"): "in_production",
            ("in_production", "ship", "maker"): "shipped",
            ("shipped", "accept_delivery", "buyer"): "delivered",
            **{
                (state, "cancel", who): "canceled"
                for state in ("placed", "quoting", "awarded")
                for who in ("buyer", "manager")
            },
        },
        strangers=("stranger", "designer", "quoter"),
    )


def test_a_request_for_a_quote_moves_only_as_the_table_says() -> None:
    assert_table(
        RFQ,
        {
            ("open", "quote", "maker"): "quoted",
            ("quoted", "quote", "maker"): "quoted",
            ("expired", "quote", "maker"): "quoted",
            ("quoted", "win", "manager"): "won",
            ("quoted", "expire", "system"): "expired",
            **{
                (state, "lose", who): "lost" for state in ("open", "quoted", "expired") for who in ("manager", "system")
            },
        },
        strangers=("stranger", "buyer", "designer"),
    )


def test_a_quote_moves_only_as_the_table_says() -> None:
    assert_table(
        QUOTE,
        {
            ("open", "replace", "maker"): "replaced",
            ("expired", "replace", "maker"): "replaced",
            ("open", "win", "manager"): "won",
            ("open", "expire", "system"): "expired",
            **{(state, "lose", who): "lost" for state in ("open", "expired") for who in ("manager", "system")},
        },
        strangers=("stranger", "buyer", "designer"),
    )


@pytest.mark.parametrize(
    ("terms", "royalty"),
    [
        (RoyaltyTerms(), 0),
        (RoyaltyTerms(per_unit=Money(1_250, "USD"), base="unit"), 12_500),
        (RoyaltyTerms(percent=Decimal("7.5"), base="wholesale"), 18_750),
        (RoyaltyTerms(percent=Decimal("7.5")), 18_750),
        (RoyaltyTerms(percent=Decimal("7.5"), base="net_sales"), 0),
        (RoyaltyTerms(percent=Decimal("0.01"), base="wholesale"), 25),
        (RoyaltyTerms(percent=Decimal(0), base="wholesale"), 0),
    ],
)
def test_the_royalty_follows_the_base_and_leaves_tooling_out(terms: RoyaltyTerms, royalty: int) -> None:
    found = price(Money(25_000, "USD"), Money(90_000, "USD"), 10, terms)
    assert found.royalty == Money(royalty, "USD")
    assert found.production == Money(340_000, "USD")
    assert found.total == Money(340_000 + royalty, "USD")


def test_half_a_cent_of_royalty_rounds_up() -> None:
    assert price(Money(50, "USD"), Money(0, "USD"), 1, RoyaltyTerms(percent=Decimal(1))).royalty.amount == 1


def test_a_royalty_in_another_currency_is_refused() -> None:
    with pytest.raises(Invalid) as caught:
        price(Money(100, "USD"), Money(0, "USD"), 1, RoyaltyTerms(per_unit=Money(1, "EUR")))
    assert caught.value.code == "currency_mismatch"


def test_a_metal_outside_the_license_is_refused() -> None:
    check_metals(["18k_yellow"], ["18k_yellow", "sterling"])
    check_metals(["anything"], [])
    with pytest.raises(Invalid, match="does not cover"):
        check_metals(["18k_yellow", "platinum_950_ru"], ["18k_yellow"])


def test_a_quote_holds_through_its_last_day() -> None:
    check_valid_until(date(2026, 11, 30), date(2026, 11, 30))
    with pytest.raises(Conflict) as caught:
        check_valid_until(date(2026, 11, 30), date(2026, 12, 1))
    assert caught.value.code == "quote_expired"


#: relation -> what it sees once the order is paid.
_SEEN = {
    "buyer": {"buyer", "designer", "manager", "maker", "ship_to", "production", "royalty", "total", "license"},
    "designer": {"buyer", "designer", "manager", "maker", "royalty", "license", "nda", "cad"},
    "manager": {"buyer", "designer", "manager", "maker", "ship_to", "production", "rfqs", "nda"},
    "maker": {"designer", "manager", "maker", "ship_to", "production", "nda", "cad"},
    "stranger": set(),
}


@pytest.mark.parametrize("who", _SEEN)
def test_each_party_sees_exactly_its_fields(who: str) -> None:
    assert set(visible("paid", {who})) == _SEEN[who]
    assert set(VISIBLE) == set().union(*_SEEN.values())


@pytest.mark.parametrize("state", sorted(ORDER.states))
def test_the_workshop_sees_the_address_only_after_payment(state: str) -> None:
    assert ("ship_to" in visible(state, {"maker"})) == (state in {"paid", "in_production", "shipped", "delivered"})


def test_somebody_has_the_turn_in_every_open_state_and_nobody_in_a_closed_one() -> None:
    for state, quotes, packed in itertools.product(ORDER.states, (0, 2), (False, True)):
        found = turn(state, quotes=quotes, packed=packed)
        assert (found is None) == (state in {"delivered", "canceled"})
    assert turn("quoting", quotes=0) == ("makers", "quote")
    assert turn("in_production", packed=True) == ("maker", "ship")
