"""Regions as sets of countries, in terms, in words and in the form."""

from typing import Any

import pytest
from flask import Flask

from marketplace.kernel.errors import Invalid
from marketplace.licensing.forms import TermsForm, form_values
from marketplace.licensing.regions import REGIONS, expanded, split, territory_words
from marketplace.licensing.term_words import rows
from marketplace.licensing.terms import Terms
from marketplace.licensing.vocabulary import COUNTRIES
from tests.features.licensing.conftest import Pair, sheet


def terms(**changes: Any) -> Terms:
    return Terms.model_validate(sheet(**changes))


def test_regions_are_made_of_countries_and_each_says_by_whose_word() -> None:
    for code, region in REGIONS.items():
        assert region.members <= COUNTRIES, code
        assert len(region.members) >= 2
        assert region.source
    assert {c: len(REGIONS[c].members) for c in ("EU", "EEA", "GCC", "GREATER_CHINA", "NORTH_AMERICA")} == {
        "EU": 27,
        "EEA": 30,
        "GCC": 6,
        "GREATER_CHINA": 4,
        "NORTH_AMERICA": 3,
    }


@pytest.mark.parametrize("typed", ["EU", "eu", "European Union"])
def test_a_region_becomes_its_countries_so_that_both_ways_of_writing_have_one_hash(typed: str) -> None:
    by_name = terms(territories=[typed, "CH"])
    by_country = terms(territories=["CH", *REGIONS["EU"].members])
    assert by_name.hash() == by_country.hash()
    assert by_name.territories == sorted([*REGIONS["EU"].members, "CH"])


def test_what_is_no_country_and_no_region_is_refused() -> None:
    for bad in (["XX"], ["ATLANTIS"], ["WORLD", "EU"], [""]):
        with pytest.raises(ValueError, match=r"Name countries|Choose the whole world"):
            terms(territories=bad)


def test_splitting_finds_the_regions_and_gives_back_the_same_set() -> None:
    for chosen in (["EU", "CH"], ["EEA", "GREATER_CHINA", "JP"], ["DE", "FR"], ["LATIN_AMERICA", "NORTH_AMERICA"]):
        regions, countries = split(expanded(chosen))
        assert expanded([*regions, *countries]) == expanded(chosen)
    assert split(expanded(["EEA", "CH"])) == (["EEA"], ["CH"])


def test_territories_are_told_compactly_and_in_full_where_they_bind(app: Flask) -> None:
    with app.test_request_context():
        assert territory_words(expanded(["EU", "CH"]), "en") == "European Union (27 countries), Switzerland"
        most = COUNTRIES - REGIONS["GCC"].members
        assert territory_words(most, "en") == "The whole world except Gulf states (GCC) (6 countries)"
        sheet_rows = {row["name"]: row["value"] for row in rows(terms(territories=["GCC"]).to_json(), binding=True)}
        assert sheet_rows["territories"].startswith("Gulf states (GCC) (United Arab Emirates, Bahrain, Kuwait")


def test_a_limited_edition_says_of_how_many_pieces() -> None:
    with pytest.raises(ValueError, match="how many pieces the limited edition"):
        terms(kind="limited_edition")
    assert terms(kind="limited_edition", max_units=50).max_units == 50
    assert terms(kind="first_refusal").kind == "first_refusal"


def test_the_form_takes_regions_and_shows_them_again(app: Flask) -> None:
    form = TermsForm(kind="exclusive", regions=["GCC"], territories=["CH"], term_months=12, fee="10")
    with app.test_request_context():
        made = form.to_terms()
    assert made.territories == sorted([*REGIONS["GCC"].members, "CH"])
    shown = form_values(made.to_json())
    assert (shown["regions"], shown["territories"]) == (["GCC"], ["CH"])
    with app.test_request_context(), pytest.raises(Invalid):
        TermsForm(kind="exclusive", where="countries", term_months=12, fee="10").to_terms()


def test_over_the_api_a_region_is_entered_by_name(pair: Pair) -> None:
    opened = pair.open(territories=["GREATER_CHINA"], kind="first_refusal")
    assert opened["versions"][0]["terms"]["territories"] == ["CN", "HK", "MO", "TW"]
    page = pair.designer.browser.get(f"/negotiations/{opened['id']}").get_data(as_text=True)
    assert "Greater China (4 countries)" in page
    assert "first refusal" in page
