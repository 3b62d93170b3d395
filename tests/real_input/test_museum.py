"""Four thousand museum records as a catalog: each page reached once, words found, sums right, few statements."""

import re
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest
from flask import Flask

from tests.kit import museum
from tests.kit.instance import Instance
from tests.kit.people import Make, Person

STUDIOS = 5
MAX_STATEMENTS = 5
COUNT_CAP = 1_000


@dataclass
class Catalog:
    """A buyer before the full catalog; `listed` pairs each design's id with its record."""

    buyer: Person
    listed: list[tuple[str, dict[str, Any]]]

    def ask(self, query: str = "") -> dict[str, Any]:
        """One page over the API."""
        answer = self.buyer.api.get(f"/catalog?{query}")
        assert answer.status_code == 200, answer.text
        return dict(answer.get_json())

    def walk(self, query: str = "") -> list[str]:
        """Ids over all pages, in the order in which they come."""
        ids: list[str] = []
        cursor = ""
        while True:
            page = self.ask(f"limit=100&{query}&cursor={cursor}")
            ids += [item["id"] for item in page["items"]]
            cursor = page["next_cursor"] or ""
            if not cursor:
                return ids


@pytest.fixture(scope="module")
def catalog(instance: Instance, app: Flask, real_data: Path) -> Iterator[Catalog]:
    """The records, listed by five studios."""
    instance.empty()
    make = Make(app, instance.background)
    studios = [make.org("designer", name=f"Studio {n}") for n in range(STUDIOS)]
    found = museum.records(real_data)
    ids = museum.list_all(instance.background, studios, found)
    with instance.owner.begin() as connection:
        connection.exec_driver_sql("analyze")  # as autovacuum would soon
    yield Catalog(make.person("buyer"), list(zip(ids, found, strict=True)))
    instance.empty()


def test_every_design_is_on_exactly_one_page_newest_first(catalog: Catalog) -> None:
    walked = catalog.walk()
    assert len(walked) == len(set(walked)) == len(catalog.listed) >= 3_000
    rank = {design_id: number // museum.SAME_MOMENT for number, (design_id, _record) in enumerate(catalog.listed)}
    moments = [rank[design_id] for design_id in walked]
    assert moments == sorted(moments, reverse=True)


def test_prices_rise_over_all_pages_of_a_category(catalog: Catalog) -> None:
    prices: list[int] = []
    ids = set()
    cursor = ""
    while True:
        page = catalog.ask(f"limit=100&category=ring&sort=price_up&cursor={cursor}")
        prices += [item["price"]["amount"] for item in page["items"]]
        ids |= {item["id"] for item in page["items"]}
        cursor = page["next_cursor"] or ""
        if not cursor:
            break
    assert prices == sorted(prices)
    assert ids == {design_id for design_id, record in catalog.listed if museum.category(record) == "ring"}


@pytest.mark.parametrize("words", ["gold ring", "netsuke", "bague or", "boucle d'oreille", "émail", "Etruscan fibula"])
def test_words_find_the_records_that_hold_them_all(catalog: Catalog, words: str) -> None:
    def holds(record: dict[str, Any]) -> bool:
        fields = ("title", "description", "medium", "maker", "culture", "date")
        text = " ".join([*(str(record[k]) for k in fields if record[k]), *record["materials"], museum.category(record)])
        there = set(re.findall(r"[^\W_]+", text.casefold())) | set(re.findall(r"[^\W_]+", museum.INVENTED.casefold()))
        *whole, last = re.findall(r"[^\W_]+", words.casefold())
        return set(whole) <= there and any(word.startswith(last) for word in there)

    expected = {design_id for design_id, record in catalog.listed if holds(record)}
    assert expected
    assert set(catalog.walk(f"q={quote_plus(words)}")) == expected


def test_chinese_words_find_what_the_bilingual_studio_wrote(catalog: Catalog) -> None:
    mine = {design_id for design_id, _record in catalog.listed[::STUDIOS]}
    rings = {d for d, record in catalog.listed if d in mine and museum.category(record) == "ring"}
    assert set(catalog.walk("q=" + quote_plus("戒指"))) == rings
    golden = {d for d, record in catalog.listed if d in rings and "gold" in record["materials"]}
    assert golden
    assert set(catalog.walk("q=" + quote_plus("戒指 黄金"))) == golden


def test_counts_beside_the_grid_add_up_and_each_is_what_its_filter_finds(catalog: Catalog) -> None:
    facets = catalog.ask("q=jade")["facets"]
    assert 0 < facets["total"] < COUNT_CAP
    assert sum(entry["count"] for entry in facets["category"]) == facets["total"]
    for name in ("category", "metal", "stone"):
        for entry in facets[name][:4]:
            found = catalog.walk(f"q=jade&{name}={quote_plus(entry['value'])}")
            assert len(found) == entry["count"], (name, entry)
    everything = catalog.ask()["facets"]
    assert (everything["total"], everything["total_capped"]) == (COUNT_CAP, True)


@pytest.mark.parametrize("query", ["", "category=ring&metal=gold&sort=price_up", "q=gold+ring", "q=%E6%88%92%E6%8C%87"])
def test_a_page_of_the_grid_takes_few_statements(
    catalog: Catalog, count_statements: Callable[[], int], query: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert catalog.buyer.browser.get(f"/catalog?{query}").status_code == 200
    count_statements()
    took = []
    for _ in range(20):
        began = time.perf_counter()
        page = catalog.buyer.browser.get(f"/catalog?{query}")
        took.append((time.perf_counter() - began) * 1000)
        assert count_statements() <= MAX_STATEMENTS
    assert page.get_data(as_text=True).count('class="design-card"') == 24
    with capsys.disabled():
        print(f" p95 {statistics.quantiles(took, n=20)[-1]:.0f} ms", end="")  # noqa: T201 - for people to see
