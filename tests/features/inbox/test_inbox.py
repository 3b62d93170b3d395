"""The list of threads: filters, search, counts, marks, and what it costs."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel import clock
from marketplace.kernel.actor import system
from marketplace.messaging.operations import keep_translation
from marketplace.services import Services
from tests.features.licensing.conftest import Pair, sheet
from tests.kit.people import Make, Person

Listed = Callable[..., str]


def address(**query: str) -> str:
    return "/negotiations?" + urlencode(query)


def shown(person: Person, **query: str) -> list[str]:
    """Ids behind a filter, as the API tells them."""
    return [item["id"] for item in person.api.get(address(**query)).get_json()["items"]]


def page(person: Person, path: str = "/negotiations") -> str:
    return str(person.browser.get(path).get_data(as_text=True))


def say(person: Person, key: str, words: str) -> str:
    answer = person.api.post(f"/negotiations/{key}/messages", {"text": words})
    assert answer.status_code == 201, answer.text
    return str(answer.get_json()["id"])


def until(days: float) -> str:
    return (clock.now() + timedelta(days=days)).replace(microsecond=0).isoformat()


def row_of(services: Services, key: str, org_id: str) -> Any:
    with services.engine.connect() as connection:
        query = text("select * from inbox_threads where negotiation_id = :key and org_id = :org")
        return connection.execute(query, {"key": key, "org": org_id}).one()


def test_whose_turn_it_is_fills_the_filters_of_both_sides(pair: Pair) -> None:
    key = pair.open()["id"]
    assert shown(pair.designer, show="needs_me") == [key]
    assert shown(pair.buyer, show="waiting") == [key]
    assert shown(pair.designer, show="waiting") == shown(pair.buyer, show="needs_me") == []
    counter = {"base_version": 1, "terms": sheet(max_units=10)}
    assert pair.designer.api.post(f"/negotiations/{key}/offers", counter).status_code == 201
    assert shown(pair.buyer, show="needs_me") == [key]
    assert pair.buyer.api.post(f"/negotiations/{key}/decline", {"version": 2}).status_code == 200
    assert shown(pair.buyer, show="closed") == shown(pair.designer, show="closed") == [key]
    assert shown(pair.buyer, show="needs_me") == []


def test_an_offer_that_runs_out_is_expiring_then_closed_before_any_job_ran(pair: Pair) -> None:
    key = pair.open(valid_until=until(0.5))["id"]
    assert shown(pair.designer, show="expiring") == [key]
    with clock.frozen(clock.now() + timedelta(hours=12, minutes=1)):
        assert shown(pair.designer, show="expiring") == shown(pair.designer, show="needs_me") == []
        assert shown(pair.designer, show="closed") == [key]
        assert "Expired" in page(pair.designer)


def test_news_are_counted_until_they_are_read_also_in_the_menu(pair: Pair, services: Services) -> None:
    key = pair.open()["id"]
    say(pair.buyer, key, "您好，请看一下。")
    say(pair.buyer, key, "50 pieces.")
    assert row_of(services, key, pair.designer.org.id).unread == 3
    assert row_of(services, key, pair.buyer.org.id).unread == 0
    html = page(pair.designer)
    assert "3 new" in html
    assert "(1 unread)" in html
    pair.designer.browser.post(f"/negotiations/{key}/read")
    assert row_of(services, key, pair.designer.org.id).unread == 0
    say(pair.designer, key, "Thank you.")
    assert (row_of(services, key, pair.designer.org.id).unread, row_of(services, key, pair.buyer.org.id).unread) == (
        0,
        1,
    )


def test_several_are_marked_as_read_at_once_and_those_of_others_never(
    pair: Pair, listed: Listed, make: Make, services: Services
) -> None:
    first = pair.open()["id"]
    pair.design_id = listed(pair.designer.org.id, "Marea cuff")
    second = pair.open()["id"]
    stranger = make.person("designer")
    assert stranger.api.post("/negotiations/read", {"negotiations": [first]}).get_json() == {"marked": 0}
    assert sorted(shown(pair.designer, show="unread")) == sorted([first, second])
    pair.designer.browser.post("/negotiations/read", {"thread": first})
    assert shown(pair.designer, show="unread") == [second]
    pair.designer.browser.post("/negotiations/read", {"all": "1"})
    assert shown(pair.designer, show="unread") == []
    assert row_of(services, first, pair.buyer.org.id).unread == 0


def test_the_search_finds_titles_names_codes_and_words_in_either_language(
    pair: Pair, make: Make, listed: Listed, services: Services
) -> None:
    key = pair.open()["id"]
    said = say(pair.buyer, key, "首批 50 件 18K 白金，单价 6.8 美元。ON-0417")
    with unit_of_work(services.engine, system("test")) as session:
        words = "The first 50 in white gold, please."
        keep_translation(session, said, "en", body=words, figures_checked=True, model="m", sandbox=True)
    pair.design_id = listed(pair.designer.org.id, "Marea cuff")
    other = pair.open()["id"]
    for query in ("白金", "18k白金", "18K 白金", "ＯＮ－0417", "6.8", "white gold", "WHITE go", "Onda"):
        assert shown(pair.designer, q=query) == [key], query
        assert shown(pair.buyer, q=query) == [key], query
    assert shown(pair.buyer, q=pair.designer.org.name[:6]) == [other, key]
    for query in ("金白", "gold white pink", "'", "&|!()", "a:b", "\\", "白 & 金)"):
        assert pair.designer.api.get(address(q=query)).status_code == 200
    assert shown(pair.designer, q="金白") == shown(pair.designer, q="&|!") == []
    assert shown(make.person("designer"), q="白金") == []


def test_a_page_costs_four_statements_however_many_threads_it_shows(
    pair: Pair, listed: Listed, count_statements: Callable[[], int]
) -> None:
    for n in range(6):
        pair.design_id = listed(pair.designer.org.id, f"Ring {n}")
        pair.open()
    page(pair.designer)
    count_statements()
    assert "Ring 5" in page(pair.designer, "/negotiations?show=needs_me&q=ring")
    assert count_statements() <= 4


def test_pages_follow_each_other_without_a_gap(pair: Pair, listed: Listed) -> None:
    keys = []
    for n in range(5):
        pair.design_id = listed(pair.designer.org.id, f"Ring {n}")
        keys.append(pair.open()["id"])
    seen, cursor = [], None
    for _ in range(3):
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        answer = pair.designer.api.get(address(**query)).get_json()
        seen += [item["id"] for item in answer["items"]]
        cursor = answer["next_cursor"]
    assert (seen, cursor) == (keys[::-1], None)
    assert pair.designer.api.get(address(cursor="nonsense")).status_code == 422


def test_the_list_is_sent_again_only_when_it_changed(pair: Pair) -> None:
    key = pair.open()["id"]
    client = pair.designer.browser.client
    first = client.get("/negotiations?part=list")
    assert "<html" not in first.text
    tag = {"If-None-Match": first.headers["ETag"]}
    again = client.get("/negotiations?part=list", headers=tag)
    assert (again.status_code, again.data) == (304, b"")
    say(pair.buyer, key, "Hello?")
    assert client.get("/negotiations?part=list", headers=tag).status_code == 200
    assert client.get("/negotiations?part=list&show=closed", headers=tag).status_code == 200


def test_every_empty_list_says_what_belongs_there(pair: Pair) -> None:
    assert "No negotiations yet" in page(pair.designer)
    assert 'class="button primary" href="/catalog"' in page(pair.buyer)
    for query, words in (
        ("?q=zebra", "Nothing found"),
        ("?show=needs_me", "Nothing waits for you"),
        ("?show=unread", "Everything is read"),
        ("?show=expiring", "Nothing here"),
        ("?show=nonsense", "No negotiations yet"),
    ):
        assert words in page(pair.designer, f"/negotiations{query}")


def test_nobody_writes_the_list_by_hand_or_sees_that_of_others(pair: Pair, app: Any) -> None:
    key, org = pair.open()["id"], {"org": pair.designer.org.id}
    with app.extensions["services"].engine.connect() as connection:
        for statement in (
            "update inbox_threads set unread = 0",
            "delete from inbox_threads",
            "delete from thread_texts",
            "insert into thread_texts values ('x', 'y', '')",
        ):
            connection.execute(text("select set_config('app.org', :org, true)"), org)
            changed = 0
            with suppress(ProgrammingError):
                changed = connection.execute(text(statement)).rowcount
            assert changed == 0, statement
            connection.rollback()
        connection.execute(text("select set_config('app.org', :org, true)"), org)
        assert connection.scalar(text("select count(*) from inbox_threads where org_id <> :org"), org) == 0
        assert connection.scalar(text("select count(*) from thread_texts")) == 0
        connection.rollback()
    assert shown(pair.designer) == [key]


def test_the_list_equals_what_the_tables_say_after_a_mixed_history(
    pair: Pair, listed: Listed, services: Services, run_jobs: Callable[..., Any]
) -> None:
    keys = []
    for n in range(4):
        pair.design_id = listed(pair.designer.org.id, f"Ring {n}")
        keys.append(pair.open()["id"])
    say(pair.buyer, keys[0], "One")
    pair.designer.browser.post(f"/negotiations/{keys[0]}/read")
    say(pair.buyer, keys[0], "Two")
    pair.designer.api.post(f"/negotiations/{keys[1]}/accept", {"version": 1})
    pair.designer.api.post(f"/negotiations/{keys[2]}/offers", {"base_version": 1, "terms": sheet(max_units=9)})
    pair.buyer.api.post(f"/negotiations/{keys[2]}/decline", {"version": 2})
    run_jobs()
    with services.engine.connect() as connection:
        wrong = connection.execute(
            text(
                "select t.* from inbox_threads t join negotiations n on n.id = t.negotiation_id"
                " left join negotiation_reads r on r.negotiation_id = n.id and r.org_id = t.org_id"
                " left join licenses l on l.negotiation_id = n.id"
                " where t.state <> n.state or t.expires_at <> n.expires_at or t.moved_at < n.updated_at"
                " or t.license_state is distinct from l.state"
                " or t.unread <> (select count(*) from messages m where m.negotiation_id = n.id"
                "     and m.to_org_id = t.org_id and m.created_at > coalesce(r.read_at, '-infinity'))"
                "  + (select count(*) from offers o where o.negotiation_id = n.id"
                "     and o.by_org_id <> t.org_id and o.created_at > coalesce(r.read_at, '-infinity'))"
                " or t.phase <> case when n.state <> 'open' then 'closed' when n.turn = t.side then 'mine'"
                "     else 'theirs' end"
            )
        ).all()
        total = connection.scalar(text("select count(*) from inbox_threads"))
    assert (wrong, total) == ([], 8)


def test_beside_a_thread_the_list_names_the_open_one_and_whose_turn_it_is(pair: Pair) -> None:
    key = pair.open()["id"]
    page = pair.designer.browser.get(f"/negotiations/{key}").get_data(as_text=True)
    assert f'data-pane="/negotiations?part=pane&amp;at={key}"' in page
    pane = pair.designer.browser.get(f"/negotiations?part=pane&at={key}").get_data(as_text=True)
    assert "<html" not in pane
    assert f'href="/negotiations/{key}" dir="auto" aria-current="page"' in pane
    assert "Your turn" in pane
    assert "Buyer " in pane
    assert pair.buyer.org.name not in pane
