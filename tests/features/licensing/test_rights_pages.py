"""The owner's map, the check of a draft before it is sent, and what a buyer is told."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from marketplace.db.unit_of_work import unit_of_work
from marketplace.designs.models import Design
from marketplace.kernel import clock
from marketplace.kernel.actor import system
from marketplace.licensing.rights_map import read_map
from marketplace.licensing.vocabulary import CHANNELS
from marketplace.services import Services
from tests.features.licensing.conftest import Pair, sheet
from tests.features.licensing.test_negotiations import web_sheet
from tests.kit.people import Make, Person


@pytest.fixture
def rival(pair: Pair, make: Make) -> Pair:
    """Another buyer over the same design."""
    return Pair(pair.designer, make.person("buyer"), pair.design_id)


def text_of(person: Any, path: str) -> str:
    return str(person.browser.get(path).get_data(as_text=True))


def test_the_owner_sees_who_holds_what_by_the_name_it_knows(pair: Pair, rival: Pair) -> None:
    empty = text_of(pair.designer, f"/designs/{pair.design_id}/rights")
    assert "Nothing is licensed yet" in empty
    license_id = pair.agree(kind="exclusive", territories=["EU"], channels=["online"])["license"]
    rival.agree(territories=["GREATER_CHINA"])
    page = text_of(pair.designer, f"/designs/{pair.design_id}/rights")
    assert f'href="/licenses/{license_id}"' in page
    assert "European Union (27 countries)" in page
    assert "Germany: Partly exclusive" in page
    assert "China: Shared" in page
    assert "Japan: Still open" in page
    assert pair.buyer.org.name not in page
    assert "Buyer " in page
    for stranger in (pair.buyer, rival.buyer):
        assert stranger.browser.get(f"/designs/{pair.design_id}/rights").status_code in {403, 404}
    over_api = pair.designer.api.get(f"/designs/{pair.design_id}/rights").get_json()
    assert {row["kind"] for row in over_api["grants"]} == {"exclusive", "non_exclusive"}
    assert over_api["places"]["DE"]["state"] == "partly"
    assert over_api["places"]["CN"] == {"state": "shared", "until": None}
    assert "JP" not in over_api["places"]


def test_a_buyer_is_told_until_when_and_never_who(pair: Pair, rival: Pair) -> None:
    pair.agree(kind="exclusive", channels=None, territories=["GB"], term_months=12)
    for page in (text_of(rival.buyer, f"/catalog/{pair.design_id}/rights"),):
        assert "Rights in United Kingdom" in page
        assert "Taken until" in " ".join(page.split())
        assert pair.buyer.org.name not in page
    elsewhere = " ".join(text_of(rival.buyer, f"/catalog/{pair.design_id}/rights?in=JP").split())
    assert "Also as an exclusive" in elsewhere
    told = rival.buyer.api.get(f"/catalog/{pair.design_id}").get_json()["availability"]
    assert (told["territory"], told["state"], told["channels"]) == ("GB", "taken", [])
    assert told["until"]
    own = pair.buyer.api.get(f"/catalog/{pair.design_id}").get_json()["availability"]
    assert own["state"] == "open"
    listed = rival.buyer.api.get("/catalog?available_for=GB").get_json()["items"]
    assert listed == []
    assert [item["id"] for item in rival.buyer.api.get("/catalog?available_for=JP").get_json()["items"]] == [
        pair.design_id
    ]


def test_the_filter_lists_a_design_where_an_exclusive_can_begin_now(pair: Pair, rival: Pair) -> None:
    pair.agree(territories=["IT"])
    pair.agree(kind="exclusive", territories=["JP"], start=f"{clock.now() + timedelta(days=700):%Y-%m-%d}")
    pair.agree(kind="first_refusal", territories=["CN"])

    def listed(person: Person, *lands: str) -> list[bool]:
        return [bool(person.api.get(f"/catalog?available_for={land}").get_json()["items"]) for land in lands]

    assert listed(rival.buyer, "IT", "JP", "CN", "US", "WORLD") == [False, True, False, True, False]
    assert listed(pair.buyer, "IT", "CN") == [True, True]


def test_a_draft_is_checked_before_it_is_sent_and_the_nearest_free_scope_offered(pair: Pair, rival: Pair) -> None:
    pair.agree(kind="exclusive", territories=["DE"], channels=None)
    body = {"terms": sheet(kind="exclusive", territories=["DE", "FR", "IT"], channels=[])}
    found = rival.buyer.api.post(f"/catalog/{pair.design_id}/rights", body).get_json()
    assert found["free"] is False
    assert found["reasons"][0].startswith("Germany: licensed, Exclusive, until ")
    assert found["offers"][0]["changed"] == ["territories"]
    assert found["offers"][0]["terms"]["territories"] == ["FR", "IT"]
    again = rival.buyer.api.post(f"/catalog/{pair.design_id}/rights", {"terms": found["offers"][0]["terms"]})
    assert again.get_json() == {"free": True, "reasons": [], "offers": []}


def test_the_form_asks_the_rights_while_it_is_filled_in(pair: Pair, rival: Pair) -> None:
    pair.agree(kind="exclusive", territories=["DE"], channels=None)
    form = web_sheet(design=pair.design_id, fee="")
    part = rival.buyer.browser.post(f"/catalog/{pair.design_id}/rights", form).get_data(as_text=True)
    assert "Territory: only France" in part
    assert 'name="use"' in part
    nothing = rival.buyer.browser.post(f"/catalog/{pair.design_id}/rights", {**form, "territories": []})
    assert nothing.status_code == 200
    assert nothing.get_data(as_text=True).strip() == ""


def test_without_a_script_the_form_stops_once_and_a_suggestion_fills_it(pair: Pair, rival: Pair) -> None:
    pair.agree(kind="exclusive", territories=["DE"], channels=None)
    form = web_sheet(design=pair.design_id, credit="Maya for Li")
    stopped = rival.buyer.browser.post("/negotiations", form)
    page = stopped.get_data(as_text=True)
    assert stopped.status_code == 409
    assert "Germany: licensed" in page
    assert 'name="anyway"' in page
    assert 'value="Maya for Li"' in page
    filled = rival.buyer.browser.post("/negotiations", {**form, "use": "0"}).get_data(as_text=True)
    assert 'value="FR" checked' in filled
    assert 'value="DE" checked' not in filled
    assert 'value="Maya for Li"' in filled
    sent = rival.buyer.browser.post("/negotiations", {**form, "territories": ["FR"]})
    assert sent.status_code == 303


def test_a_counter_offer_is_checked_too_and_may_be_sent_all_the_same(pair: Pair, rival: Pair) -> None:
    path = f"/negotiations/{rival.open(territories=['FR'])['id']}"
    pair.agree(kind="exclusive", territories=["DE"], channels=None)
    form = web_sheet(base_version="1", fee="1500")
    page = rival.designer.browser.post(f"{path}/counter", form).get_data(as_text=True)
    assert "Use this instead" in page
    filled = rival.designer.browser.post(f"{path}/counter", {**form, "use": "0"}).get_data(as_text=True)
    assert 'value="DE" checked' not in filled
    assert rival.designer.browser.post(f"{path}/counter", {**form, "anyway": "1"}).status_code == 303
    thread = rival.buyer.browser.get(f"{path}/rights").get_data(as_text=True)
    assert "cannot be accepted as it stands" in thread


def test_one_term_alone_is_checked_as_all_are_and_its_suggestion_fills_the_whole_form(pair: Pair, rival: Pair) -> None:
    path = f"/negotiations/{rival.open(territories=['FR'], credit='Maya for Li')['id']}"
    pair.agree(kind="exclusive", territories=["DE"], channels=None)
    one = {"base_version": "1", "only": "territories", "where": "countries", "territories": ["DE", "FR"]}
    live = rival.designer.browser.post(f"{path}/rights", one).get_data(as_text=True)
    assert "Germany: licensed" in live
    stopped = rival.designer.browser.post(f"{path}/counter", one)
    page = stopped.get_data(as_text=True)
    assert stopped.status_code == 409
    assert "Germany: licensed" in page
    assert 'name="use"' in page
    assert 'name="only" value="territories"' in page
    filled = rival.designer.browser.post(f"{path}/counter", {**one, "use": "0"}).get_data(as_text=True)
    assert 'name="only"' not in filled
    assert 'value="FR" checked' in filled
    assert 'value="DE" checked' not in filled
    assert 'value="Maya for Li"' in filled
    assert rival.designer.browser.post(f"{path}/counter", {**one, "anyway": "1"}).status_code == 303


def test_the_table_goes_on_by_cursor_while_map_and_timeline_show_all(
    pair: Pair, make: Make, services: Services
) -> None:
    for months, land in enumerate(("DE", "FR", "IT", "JP", "GB"), 12):
        rival = Pair(pair.designer, make.person("buyer"), pair.design_id)
        rival.agree(territories=[land], channels=None, term_months=months)
    cursor, seen = None, list[str]()
    actor = replace(system("test"), org_id=pair.designer.org.id)
    with unit_of_work(services.engine, actor) as session:
        design = session.get_one(Design, pair.design_id)
        for left in (3, 1, 0):
            page = read_map(session, actor, design, cursor=cursor, limit=2)
            assert page.total == 5
            assert page.places["JP"].state == "shared"
            assert [len(line.bars) for line in page.timeline.values()] == [5] * len(CHANNELS)
            seen += [held.row.source_id for held in page.grants]
            assert 5 - len(seen) == left
            cursor = page.next_cursor
    assert cursor is None
    assert len(set(seen)) == 5
    shown = text_of(pair.designer, f"/designs/{pair.design_id}/rights")
    assert "5 grants" in shown
    assert re.findall(r'href="/licenses/(lic_\w+)"', shown) == seen
    assert pair.designer.browser.get(f"/designs/{pair.design_id}/rights?cursor=x").status_code == 422
    over_api = pair.designer.api.get(f"/designs/{pair.design_id}/rights").get_json()
    assert (len(over_api["grants"]), over_api["next_cursor"], over_api["total"]) == (5, None, 5)
