"""Holding rights for an offer: granted by the designer, kept by the database, ended by either side or the clock."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel import clock
from marketplace.kernel.actor import system
from marketplace.licensing.holds import release_due
from marketplace.services import Services
from tests.features.licensing.conftest import Pair
from tests.kit.instance import Instance
from tests.kit.people import Make


@pytest.fixture
def rival(pair: Pair, make: Make) -> Pair:
    """Another buyer over the same design."""
    return Pair(pair.designer, make.person("buyer"), pair.design_id)


def hold(pair: Pair, key: str, **body: Any) -> Any:
    return pair.designer.api.post(f"/negotiations/{key}/hold", {"version": 1, "days": 7, **body})


def accept(pair: Pair, key: str) -> tuple[int, Any]:
    answer = pair.designer.api.post(f"/negotiations/{key}/accept", {"version": 1})
    return answer.status_code, answer.get_json()


def test_while_rights_are_held_others_are_refused_and_the_holder_is_not(pair: Pair, rival: Pair) -> None:
    key, other = pair.open(kind="exclusive")["id"], rival.open(territories=["FR"])["id"]
    held = hold(pair, key)
    assert held.status_code == 201, held.text
    status, said = accept(rival, other)
    assert (status, said["code"], said["overlap"]["territories"]) == (409, "rights_conflict", ["FR"])
    assert "being held" in said["detail"]
    assert said["overlap"]["held_until"] == held.get_json()["held_until"].replace("Z", "+00:00")
    assert hold(rival, other).get_json()["code"] == "rights_conflict"
    assert accept(pair, key)[0] == 200


@pytest.mark.parametrize("how", ["release", "release_by_buyer", "decline", "withdraw"])
def test_a_hold_ends_with_its_offer_or_when_a_side_lets_go(pair: Pair, rival: Pair, how: str) -> None:
    key, other = pair.open(kind="exclusive")["id"], rival.open(territories=["FR"])["id"]
    hold(pair, key)
    ended = {
        "release": lambda: pair.designer.api.client.delete(
            f"/api/v1/negotiations/{key}/hold", headers=pair.designer.api.headers
        ),
        "release_by_buyer": lambda: pair.buyer.browser.post(f"/negotiations/{key}/hold/release", {}),
        "decline": lambda: pair.designer.api.post(f"/negotiations/{key}/decline", {"version": 1}),
        "withdraw": lambda: pair.buyer.api.post(f"/negotiations/{key}/withdraw", {"version": 1}),
    }[how]()
    assert ended.status_code < 400, ended.get_data(as_text=True)
    assert accept(rival, other)[0] == 200


def test_a_hold_whose_time_is_over_binds_nobody(pair: Pair, rival: Pair, services: Services) -> None:
    key, other = pair.open(kind="exclusive")["id"], rival.open(territories=["FR"])["id"]
    hold(pair, key)
    with unit_of_work(services.engine, system("test")) as session:
        past = clock.now() - timedelta(minutes=1)
        session.execute(
            text("update rights_holds set created_at = :a, held_until = :b"), {"a": past - timedelta(days=1), "b": past}
        )
    assert accept(rival, other)[0] == 200
    with unit_of_work(services.engine, system("test")) as session:
        assert release_due(session, system("test")) == 0
        assert session.scalar(text("select count(*) from rights_holds")) == 0


def test_only_the_designer_holds_and_only_the_version_on_the_table(pair: Pair) -> None:
    key = pair.open()["id"]
    refused = pair.buyer.api.post(f"/negotiations/{key}/hold", {"version": 1, "days": 7})
    assert refused.status_code == 403
    assert hold(pair, key, version=2).get_json()["code"] == "stale_version"
    assert hold(pair, key, days=15).status_code == 422
    assert hold(pair, key, days=14).status_code == 201


def test_a_hold_never_outlives_the_offer(pair: Pair) -> None:
    until = (clock.now() + timedelta(days=2)).replace(microsecond=0).isoformat()
    key = pair.open(valid_until=until)["id"]
    assert hold(pair, key, days=14).get_json()["held_until"] == until.replace("+00:00", "Z")


def test_raw_sql_cannot_hold_or_take_what_is_held(
    pair: Pair, rival: Pair, services: Services, instance: Instance
) -> None:
    key, other = pair.open(kind="exclusive")["id"], rival.open(territories=["FR"])["id"]
    hold(pair, key)
    copy = (
        "insert into rights_holds select (jsonb_populate_record(h, jsonb_build_object('negotiation_id', n.id,"
        " 'buyer_org_id', n.buyer_org_id))).* from rights_holds h, negotiations n where n.id = :n"
    )
    with pytest.raises(IntegrityError, match="ex_rights_grants_others"), instance.owner.begin() as connection:
        connection.execute(text(copy), {"n": other})
    for person in (rival.buyer, pair.buyer):
        with (
            pytest.raises(Exception, match="row-level security"),
            unit_of_work(pair_engine(pair), person.actor) as session,
        ):
            session.execute(
                text(
                    "insert into rights_holds (negotiation_id, version, design_id, designer_org_id, buyer_org_id, kind,"
                    " terms, held_until, created_at) select id, 1, design_id, designer_org_id, buyer_org_id,"
                    " 'non_exclusive', '{}', now() + interval '1 day', now() from negotiations limit 1"
                )
            )


def pair_engine(pair: Pair) -> Any:
    """The engine of the web role."""
    return pair.designer.browser.client.application.extensions["services"].engine


def test_the_thread_shows_the_hold_and_its_end_to_both(pair: Pair) -> None:
    key = pair.open(kind="exclusive")["id"]
    page = pair.designer.browser.get(f"/negotiations/{key}/rights").get_data(as_text=True)
    assert "Nothing stands against this offer" in page
    assert f'action="/negotiations/{key}/hold"' in page
    sent = pair.designer.browser.post(f"/negotiations/{key}/hold", {"version": "1", "days": "7"})
    assert sent.status_code == 303
    for person in (pair.designer, pair.buyer):
        shown = person.browser.get(f"/negotiations/{key}/rights").get_data(as_text=True)
        assert "data-relative" in shown
        assert f'action="/negotiations/{key}/hold/release"' in shown
    assert f'action="/negotiations/{key}/hold"' not in pair.buyer.browser.get(f"/negotiations/{key}/rights").get_data(
        as_text=True
    )
    told = pair.buyer.browser.get("/notifications").get_data(as_text=True)
    assert "已为您保留权利" in told


def test_a_hold_is_a_line_of_the_thread_that_renews_the_rights_beside_it(pair: Pair) -> None:
    key = pair.open(kind="exclusive")["id"]
    path = f"/negotiations/{key}"
    pair.designer.browser.get(path)
    query = {"after": clock.now().isoformat(), "version": 1, "state": "open"}
    hold(pair, key)
    assert "You hold these rights for the buyer until" in pair.designer.browser.get(path).get_data(as_text=True)
    news = pair.buyer.browser.get(f"{path}/news", query_string=query).get_data(as_text=True)
    assert 'hx-target="#rights-place"' in news
    pair.buyer.api.post(f"{path}/messages", {"text": "Thank you"})
    later = {**query, "after": clock.now().isoformat()}
    assert 'hx-target="#rights-place"' not in pair.buyer.browser.get(f"{path}/news", query_string=later).get_data(
        as_text=True
    )
    assert pair.designer.browser.post(f"{path}/hold/release", {}).status_code == 303
    page = pair.designer.browser.get(path).get_data(as_text=True)
    assert "These rights are no longer held." in page
