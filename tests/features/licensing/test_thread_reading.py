"""Reading a thread: its order, read marks, live updates, windows, languages, the listing then."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update

from marketplace.db.unit_of_work import unit_of_work
from marketplace.designs.models import Design
from marketplace.kernel import clock
from marketplace.kernel.actor import system
from marketplace.licensing.models import Negotiation, ReadMark
from marketplace.messaging.models import Message
from marketplace.services import Services
from tests.features.licensing.conftest import Pair
from tests.features.licensing.test_negotiations import change
from tests.features.licensing.test_thread import HTMX, counter, page_of
from tests.kit.people import Make


@pytest.fixture
def pair(make: Make, listed: Callable[..., str]) -> Pair:
    """Both read English here, so that the words of the pages can be compared."""
    designer = make.person("designer", name="Maya Rossi")
    return Pair(designer, make.person("buyer", name="Chen Li"), listed(designer.org.id))


# NEG-08: order and read marks


def test_neg_08_what_was_said_and_done_is_never_changed(pair: Pair, services: Services) -> None:
    key = pair.agree()["id"]
    pair.buyer.api.post(f"/negotiations/{key}/messages", {"text": "Hello"})
    for table in ("messages", "negotiation_events", "offers"):
        for verb in (f"update {table} set created_at = now()", f"delete from {table}"):
            with (
                pytest.raises(Exception, match=r"permission denied|never changed"),
                unit_of_work(services.engine, system("test")) as session,
            ):
                session.execute(text(verb))


def test_neg_08_everything_in_a_thread_has_a_time_of_its_own(pair: Pair, session: Any) -> None:
    with clock.frozen(clock.now()):
        key = pair.open()["id"]
        for number in range(4):
            pair.buyer.api.post(f"/negotiations/{key}/messages", {"text": f"Line {number}"})
        counter(pair.designer, key, 1, term_months=12)
    said = session.execute(select(Message.text, Message.created_at).order_by(Message.created_at)).all()
    assert [row.text for row in said] == [f"Line {n}" for n in range(4)]
    assert len({row.created_at for row in said}) == 4


def test_neg_08_the_other_side_sees_how_far_one_has_read_and_it_never_goes_back(pair: Pair, session: Any) -> None:
    opened = pair.open()
    path = f"/negotiations/{opened['id']}"
    assert "has not opened this yet" in page_of(pair.buyer, opened["id"])
    shown = page_of(pair.designer, opened["id"])
    until = shown.split('"until": "')[1].split('"')[0]
    pair.buyer.api.post(f"{path}/messages", {"text": "One more thing"})
    assert pair.designer.browser.post(f"{path}/read", {"until": until}).status_code == 204
    assert "was last here" in page_of(pair.buyer, opened["id"])
    pair.designer.api.post(f"{path}/read", {})
    assert "Seen by" in page_of(pair.buyer, opened["id"])
    pair.designer.api.post(f"{path}/read", {"until": "2020-01-01T00:00:00Z"})
    marks = session.scalars(select(ReadMark.read_at).where(ReadMark.org_id == pair.designer.org.id)).all()
    assert len(marks) == 1
    assert marks[0] > clock.now() - timedelta(minutes=5)


def test_a_repeated_try_is_not_a_second_message(pair: Pair, session: Any) -> None:
    opened = pair.open()
    path = f"/negotiations/{opened['id']}/messages"
    first = pair.buyer.browser.post(path, {"text": "Hello", "client_key": "key_1"}, headers=HTMX)
    again = pair.buyer.browser.post(path, {"text": "Hello", "client_key": "key_1"}, headers=HTMX)
    assert (first.status_code, again.status_code) == (204, 204)
    assert session.scalars(select(Message.text)).all() == ["Hello"]


# Live updates


def news(person: Any, key: str, tag: str, **query: Any) -> Any:
    headers = {**HTMX, "If-None-Match": f'"{tag}"'}
    return person.browser.get(f"/negotiations/{key}/news", query_string=query, headers=headers)


def test_polling_answers_304_until_something_moves(pair: Pair) -> None:
    opened = pair.open()
    key = opened["id"]
    shown = page_of(pair.buyer, key)
    tag = shown.split('If-None-Match": "\\"')[1].split('\\"')[0]
    after = shown.split("after=")[1].split("&")[0].replace("%2B", "+").replace("%3A", ":")
    query = {"after": after, "version": 1, "state": "open"}
    assert news(pair.buyer, key, tag, **query).status_code == 304
    pair.designer.api.post(f"/negotiations/{key}/agree", {"version": 1, "term": "fee"})
    moved = news(pair.buyer, key, tag, **query)
    assert moved.status_code == 200
    body = moved.get_data(as_text=True)
    assert "agrees to “License fee”" in body
    assert 'hx-target="#panel"' in body
    assert f'hx-target="#{opened["versions"][0]["id"]}"' in body
    new = moved.headers["ETag"].strip('"')
    after = body.split("after=")[1].split("&")[0].replace("%2B", "+").replace("%3A", ":")
    assert news(pair.buyer, key, new, **{**query, "after": after}).status_code == 304
    pair.designer.api.post(f"/negotiations/{key}/read", {})
    seen = news(pair.buyer, key, new, **{**query, "after": after})
    assert "Seen by" in seen.get_data(as_text=True)
    assert "bubble" not in seen.get_data(as_text=True)


def test_long_threads_come_in_windows_and_the_table_stays_in_sight(pair: Pair, services: Services) -> None:
    opened = pair.open()
    key = opened["id"]
    with unit_of_work(services.engine, system("test")) as session:
        base = session.get_one(Negotiation, key).updated_at
        for number in range(130):
            session.add(
                Message(
                    negotiation_id=key, org_id=pair.buyer.org.id, to_org_id=pair.designer.org.id,
                    user_id=pair.buyer.user.id, text=f"Line {number:03}", lang="en",
                    created_at=base + timedelta(seconds=number + 1),
                )
            )  # fmt: skip
        session.execute(
            update(Negotiation).where(Negotiation.id == key).values(updated_at=base + timedelta(seconds=200))
        )
    newest = page_of(pair.designer, key)
    assert "Line 129" in newest
    assert "Line 070" in newest
    assert "Line 069" not in newest
    assert "On the table" in newest
    older = newest.split("before=")[1].split('"')[0]
    earlier = page_of(pair.designer, key, f"?before={older}")
    assert "Line 069" in earlier
    assert "Line 070" not in earlier
    assert "Back to the newest" in earlier
    assert 'id="news"' not in earlier


# Both languages, the listing then, both sides' times


def test_a_version_is_shown_in_both_languages_and_names_the_governing_one(pair: Pair) -> None:
    opened = pair.open(governing_language="zh-Hans")
    page = pair.designer.browser.get(f"/negotiations/{opened['id']}/versions/1").get_data(as_text=True)
    assert "24 months" in page
    assert "24个月" in page.replace(" ", "")
    assert page.index("简体中文") < page.index("English</th>")
    assert opened["versions"][0]["terms_hash"] in page
    assert pair.designer.browser.get(f"/negotiations/{opened['id']}/versions/9").status_code == 404


def test_the_listing_is_kept_as_it_was(pair: Pair, services: Services) -> None:
    opened = pair.open()
    assert "Nothing has changed since" in pair.buyer.browser.get(f"/negotiations/{opened['id']}/listing").get_data(
        as_text=True
    )
    change(services, Design, pair.design_id, title="Renamed", list_price_amount=999900, version=2)
    shown = page_of(pair.buyer, opened["id"])
    assert "The listing has been changed since." in shown
    page = pair.buyer.browser.get(f"/negotiations/{opened['id']}/listing").get_data(as_text=True)
    for words in ("Onda ring", "Renamed", "$1,500.00", "$9,999.00"):
        assert words in page, words


def test_deadlines_are_told_in_both_sides_time(pair: Pair) -> None:
    opened = pair.open()
    pair.designer.browser.get("/settings")
    assert pair.designer.browser.post("/preferences/time-zone", {"zone": "Europe/Rome"}).status_code == 204
    assert pair.designer.browser.post("/preferences/time-zone", {"zone": "Asia/Tokyo"}).status_code == 204
    pair.buyer.browser.get("/settings")
    pair.buyer.browser.post("/preferences/time-zone", {"zone": "Asia/Shanghai"})
    pair.buyer.browser.post("/preferences/time-zone", {"zone": "Mars/Base"})
    shown = page_of(pair.designer, opened["id"])
    assert "(UTC+8)" in shown
    assert "(UTC+1)" in shown or "(UTC+2)" in shown
    chosen = pair.designer.browser.post(
        "/settings", {"name": "Maya Rossi", "locale": "en", "time_zone": "America/New_York"}
    )
    assert chosen.status_code == 303
    assert "(UTC+8)" not in page_of(pair.buyer, opened["id"]).split("your time")[1].split("</dl>")[0]


def test_pages_stay_within_their_statements(pair: Pair, count_statements: Callable[[], int]) -> None:
    opened = pair.open()
    path = f"/negotiations/{opened['id']}"
    for number in range(6):
        pair.buyer.api.post(f"{path}/messages", {"text": f"{number}", "about": {"term": "fee", "version": 1}})
    shown = page_of(pair.designer, opened["id"])
    tag = shown.split('If-None-Match": "\\"')[1].split('\\"')[0]
    count_statements()
    page_of(pair.designer, opened["id"])
    assert count_statements() <= 5
    assert news(pair.designer, opened["id"], tag, after=clock.now().isoformat()).status_code == 304
    assert count_statements() <= 3
