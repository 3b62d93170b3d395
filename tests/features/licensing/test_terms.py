"""The term sheet: what is taken, what is refused and why, one canonical form."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from ai_pipeline.cad.alloys import ALLOYS
from marketplace.designs.rules import CATEGORIES
from marketplace.licensing.terms import Terms, canonical, changed_fields, date_problems, terms_hash
from marketplace.licensing.vocabulary import ALLOYS_OF, COUNTRIES
from marketplace.licensing.vocabulary import CATEGORIES as NAMED
from tests.features.licensing.conftest import sheet

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def terms(**changes: Any) -> Terms:
    return Terms.model_validate(sheet(**changes))


def refused(field: str, **changes: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        terms(**changes)
    errors = {str(e["loc"][0]): e["msg"] for e in caught.value.errors()}
    assert field in errors, errors
    return errors[field]


def test_every_field_of_the_contract_is_there_and_no_other() -> None:
    assert set(Terms.model_fields) == {
        "kind", "territories", "channels", "categories", "metals", "start", "term_months", "max_units", "fee",
        "royalty_percent", "royalty_per_unit", "royalty_base", "advance", "minimum_guarantee", "guarantee_per",
        "sell_off_months",
        "credit", "derivatives", "marketing_images", "governing_language", "customization", "brief", "valid_until",
    }  # fmt: skip
    refused("color", color="red")


def test_a_negative_fee_is_refused() -> None:
    refused("fee", fee={"amount": -1, "currency": "USD"})


@pytest.mark.parametrize("amount", [10.5, "100", True, None, 10**12])
def test_an_amount_that_is_not_a_bounded_integer_is_refused(amount: object) -> None:
    refused("fee", fee={"amount": amount, "currency": "USD"})


def test_a_free_license_is_possible() -> None:
    assert terms(fee={"amount": 0, "currency": "JPY"}).fee.amount == 0


def test_the_fee_and_the_territories_are_required() -> None:
    refused("fee", fee=None)
    refused("territories", territories=None)
    refused("territories", territories=[])


def test_only_a_buyout_has_no_term() -> None:
    assert "months" in refused("term_months", term_months=None)
    assert "buyout" in refused("term_months", kind="buyout")
    assert terms(kind="buyout", term_months=None).term_months is None


def test_percent_and_per_piece_exclude_each_other() -> None:
    refused("royalty_per_unit", royalty_per_unit={"amount": 100, "currency": "USD"})
    per_piece = terms(royalty_percent=None, royalty_per_unit={"amount": 100, "currency": "USD"})
    assert per_piece.royalty_base == "unit"
    assert terms().royalty_base == "net_sales"
    refused("royalty_base", royalty_base="unit")
    refused("royalty_base", royalty_percent=None, royalty_base="wholesale")


def test_amounts_of_two_currencies_are_refused() -> None:
    assert "currency" in refused("advance", advance={"amount": 1, "currency": "EUR"})


@pytest.mark.parametrize("codes", [["UK"], ["XX"], ["de"], ["DEU"], ["WORLD", "DE"], [""]])
def test_a_territory_is_an_iso_code_or_the_world(codes: list[str]) -> None:
    refused("territories", territories=codes)


def test_there_are_249_countries() -> None:
    # ISO 3166-1 counts 249 officially assigned codes.
    assert len(COUNTRIES) == 249


def test_hidden_direction_marks_cannot_hide_in_binding_text() -> None:
    assert "hidden" in refused("credit", credit="abc\u202edef")
    assert "hidden" in refused("customization", customization="a\u0000b")


def test_alloys_and_categories_are_those_of_the_rest_of_the_product() -> None:
    assert {alloy for alloys in ALLOYS_OF.values() for alloy in alloys} == set(ALLOYS)
    assert tuple(NAMED) == CATEGORIES


def test_order_repetition_and_absent_fields_do_not_change_the_hash() -> None:
    one = terms(territories=["FR", "DE", "DE"], channels=["online"])
    two = terms(territories=["DE", "FR"], channels=["online", "online"], credit=None)
    assert one.hash() == two.hash()
    assert terms(channels=[]).hash() == terms(channels=None).hash()
    assert one.hash() != terms(fee={"amount": 125001, "currency": "USD"}).hash()


def test_the_stored_form_reads_back_to_the_same_hash() -> None:
    full = terms(valid_until="2026-12-01", start="2027-01-01", credit="Design: Maya", royalty_percent="7.50")
    stored = full.to_json()
    assert stored["royalty_percent"] == 7.5
    assert stored["valid_until"] == "2026-12-01T23:59:59Z"
    assert Terms.model_validate(stored).hash() == full.hash() == terms_hash(stored)
    assert b" " not in canonical(terms().to_json())


def test_changed_names_exactly_what_differs() -> None:
    old, new = terms().to_json(), terms(term_months=36, fee={"amount": 1, "currency": "USD"}, channels=[]).to_json()
    assert changed_fields(old, new) == ["channels", "term_months", "fee"]
    assert changed_fields(None, new) == []
    assert changed_fields(terms(sell_off_months=0).to_json(), terms().to_json()) == ["sell_off_months"]


@pytest.mark.parametrize(("days", "fine"), [(-1, False), (0, False), (1, True), (89, True), (91, False)])
def test_an_offer_is_valid_between_now_and_ninety_days(days: int, fine: bool) -> None:
    until = (NOW + timedelta(days=days)).isoformat()
    assert ("valid_until" not in date_problems(terms(valid_until=until), NOW)) is fine


@pytest.mark.parametrize(("day", "fine"), [("2026-11-19", False), ("2026-11-21", True), ("2033-01-01", False)])
def test_a_start_is_neither_past_nor_far(day: str, fine: bool) -> None:
    assert ("start" not in date_problems(terms(start=day), NOW)) is fine
