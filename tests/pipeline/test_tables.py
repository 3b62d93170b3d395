"""Alloys and sizes against published values."""

import pytest

from ai_pipeline.cad.alloys import ALLOYS, densities
from ai_pipeline.cad.sizes import ring_sizes, us_diameter


def test_yellow_gold_gets_denser_with_its_fineness() -> None:
    yellow = [ALLOYS[f"{karat}k_yellow"].density for karat in (9, 10, 14, 18, 22, 24)]
    assert yellow == sorted(yellow)
    assert yellow[-1] == 19.32


def test_a_cubic_centimeter_weighs_its_density() -> None:
    gold = next(alloy for alloy in densities() if alloy.code == "18k_yellow")
    assert gold.grams(1000.0) == pytest.approx(15.55)


@pytest.mark.parametrize("alloy", ALLOYS.values(), ids=ALLOYS)
def test_every_default_density_lies_in_its_published_range(alloy: object) -> None:
    assert alloy.low <= alloy.density <= alloy.high  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("us", "diameter", "eu", "uk", "jp", "hk"),
    [
        (3, 14.07, 44.2, "F½", 4, 6),
        (5, 15.70, 49.3, "J½", 9, 10),
        (6, 16.51, 51.9, "L½", 12, 13),
        (7, 17.32, 54.4, "N½", 14, 15),
        (8.5, 18.54, 58.3, "Q½", 18, 18),
        (10, 19.76, 62.1, "T½", 21, 22),
        (12, 21.39, 67.2, "Y", 26, 27),
        (13, 22.20, 69.7, "Z+1", 29, 29),
    ],
)
def test_the_published_size_table_is_reproduced(
    us: float, diameter: float, eu: float, uk: str, jp: int, hk: int
) -> None:
    assert us_diameter(us) == pytest.approx(diameter, abs=0.006)
    found = ring_sizes(us_diameter(us))
    assert found == {"us": us, "eu": pytest.approx(eu, abs=0.051), "uk": uk, "jp": jp, "hk": hk}


def test_uk_c_is_forty_millimeters_around_and_jp_one_is_thirteen_across() -> None:
    assert ring_sizes(40.0 / 3.14159265)["uk"] == "C"
    assert ring_sizes(13.0)["jp"] == 1
