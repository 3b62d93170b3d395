"""The meter of agreed terms against a slow reading of its definition, and links in messages."""

from dataclasses import dataclass
from random import Random
from typing import Any

import pytest

from marketplace.accounts.lookalikes import skeleton
from marketplace.licensing.meter import MEANT_EMPTY, OFFER_ONLY, measure
from marketplace.licensing.terms import Terms
from marketplace.messaging.links import find_links, linked, names_another_way, target_of
from tests.features.licensing.conftest import sheet


@dataclass
class V:
    version: int
    side: str
    terms: dict[str, Any]


@dataclass
class M:
    kind: str
    term: str | None
    version: int | None
    side: str


def test_the_meter_agrees_with_playing_what_each_side_said_last() -> None:
    random = Random(14)
    agreed = 0
    for _ in range(400):
        versions, marks, said = [], [], {"designer": dict[str, Any](), "buyer": dict[str, Any]()}
        for number in range(1, random.randrange(2, 7)):
            side = "buyer" if number % 2 else "designer"
            terms = Terms.model_validate(
                sheet(
                    term_months=random.choice([12, 24]),
                    max_units=random.choice([None, 100]),
                    fee={"amount": random.choice([1, 2]), "currency": "USD"},
                )
            ).to_json()
            versions.append(V(number, side, terms))
            own = {name: None if terms[name] == [] else terms[name] for name in Terms.model_fields}
            said[side] = dict(own)
            mine = dict(own)  # what the answering side falls back to when it takes a mark back
            answering = "designer" if side == "buyer" else "buyer"
            fallback = dict(said[answering])
            for _mark in range(random.randrange(3)):
                term, kind = random.choice(["fee", "term_months", "max_units"]), random.choice(["agreed", "disagreed"])
                marks.append(M(kind, term, number, answering))
                if kind == "agreed":
                    said[answering][term] = mine[term]
                elif term in fallback:
                    said[answering][term] = fallback[term]
                else:
                    said[answering].pop(term, None)
        meter = measure(versions, marks)
        last = {v.side: v.terms for v in versions}
        for name in Terms.model_fields:
            counted = name not in OFFER_ONLY and (
                name in MEANT_EMPTY or any(t.get(name) not in (None, []) for t in last.values())
            )
            found = meter.of(name)
            assert (found is not None) == counted, name
            if found is not None:
                both = name in said["designer"] and name in said["buyer"]
                expected = both and said["designer"][name] == said["buyer"][name]
                assert found.agreed is expected, (name, versions, marks)
                agreed += found.agreed
    assert agreed > 500


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("see https://a.example/x, please", ["https://a.example/x"]),
        ("看 https://a.example/x。谢谢", ["https://a.example/x"]),
        ("(www.a.example)", ["www.a.example"]),
        ("javascript:alert(1) ftp://a.example data:text/html,x", []),
        ("HTTP://A.EXAMPLE/", ["HTTP://A.EXAMPLE/"]),
        ('https://a.example/"onmouseover="x', ["https://a.example/"]),
    ],
)
def test_neg_11_links_are_found_where_they_end(text: str, links: list[str]) -> None:
    assert [text[a:b] for a, b in find_links(text)] == links


def test_neg_11_what_is_linked_is_escaped_and_leads_through_us() -> None:
    made = str(linked("<b> https://a.example/?x=<script>", lambda url: "/out?to=" + url))
    assert "<b>" not in made
    assert "<script" not in made
    assert 'href="/out?to=https://a.example/?x="' in made


@pytest.mark.parametrize(
    ("url", "doubts"),
    [
        ("https://a.example/", ()),
        ("http://a.example/", ("not_encrypted",)),
        ("https://paypal.com@evil.example/", ("name_before_host",)),
        ("https://198.51.100.7/", ("number_for_host",)),
        ("https://аррlе.com/", ("mixed_letters",)),
        ("https://例子.example/", ("mixed_letters",)),
        ("https://a.example:8443/", ("unusual_port",)),
    ],
)
def test_neg_11_doubts_about_a_target_are_named(url: str, doubts: tuple[str, ...]) -> None:
    found = target_of(url)
    assert found is not None
    assert found.doubts == doubts


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://", "https://[::1", "data:text/html,x", "mailto:a@b.c"])
def test_neg_11_what_is_no_web_address_leads_nowhere(url: str) -> None:
    found = target_of(url)
    assert found is None or found.url.startswith("https://")


def test_neg_11_ways_to_talk_elsewhere_are_seen() -> None:
    for text in ("mail me: li@house.example", "call +86 138 0013 8000", "加微信 li", "on WhatsApp?"):
        assert names_another_way(text), text
    for text in ("18k, 300 pieces at 1,250.00", "size 6.5, 2026-11-21", "Look at line 4"):
        assert not names_another_way(text), text


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("Atelier Moretti", "Аtеliеr Mоrеtti", True),
        ("HOUSE", "НΟUЅЕ", True),
        ("Lumen 10", "LUMEN IO", True),
        ("Clara Dorn", "Clara  Dom", True),
        ("陈氏珠宝", "陳氏珠寶", False),
        ("Rossi", "Rosso", False),
        ("Ａtelier", "Atelier", True),
    ],
)
def test_neg_10_names_that_look_alike_have_one_skeleton(one: str, other: str, alike: bool) -> None:
    assert (skeleton(one) == skeleton(other)) is alike
