"""Term sheets, prices of metal, past deals, and approvals by four eyes."""

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from marketplace.audit.models import AuditEvent
from marketplace.db.locks import lock
from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel import clock
from marketplace.kernel.actor import system
from marketplace.kernel.money import Money
from marketplace.licensing.models import License, Negotiation
from marketplace.licensing.playbook.guidance import _middle, reach
from marketplace.licensing.playbook.models import Approval
from marketplace.licensing.playbook.rules import APPROVAL, commitment, excess
from marketplace.licensing.terms import Terms
from marketplace.notifications.models import Notification
from marketplace.services import Services
from tests.features.licensing.conftest import Pair, sheet
from tests.features.licensing.test_negotiations import change
from tests.kit.people import Make, Person
from tests.states.table import assert_table


def usd(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "USD"}


def code(answer: Any, status: int) -> str:
    assert answer.status_code == status, answer.text
    return str(answer.get_json()["code"])


@pytest.fixture
def second(pair: Pair, make: Make) -> Person:
    """Another administrator of the buyer's house."""
    user = make.user(pair.buyer.org, "buyer", name="Wu Fang")
    return make.sign_in(user, pair.buyer.org, "buyer")


@pytest.fixture
def limited(pair: Pair, second: Person) -> Pair:
    """The buyer's house wants four eyes above 1,000 dollars."""
    answer = pair.buyer.api.request("PUT", "/approval-limits", {"limits": {"USD": 100_000}})
    assert answer.status_code == 200, answer.text
    return pair


def countered(pair: Pair, fee: int) -> str:
    """A thread in which the designer asks for `fee`; its id."""
    opened = pair.open(fee=usd(50_000))
    body = {"base_version": 1, "terms": sheet(fee=usd(fee))}
    assert pair.designer.api.post(f"/negotiations/{opened['id']}/offers", body).status_code == 201
    return str(opened["id"])


def test_the_states_of_an_approval() -> None:
    expected = {
        ("pending", "approve", "approver"): "approved",
        ("pending", "refuse", "approver"): "refused",
        ("pending", "withdraw", "asker"): "withdrawn",
        ("pending", "outrun", "system"): "void",
        ("approved", "outrun", "system"): "void",
    }
    assert_table(APPROVAL, expected, strangers=("colleague", "designer"))


def test_what_counts_is_everything_owed_whatever_is_sold() -> None:
    def terms(**more: Any) -> Terms:
        return Terms.model_validate(sheet(fee=usd(100), **more))

    assert commitment(terms()) == Money(100, "USD")
    assert commitment(terms(advance=usd(30), minimum_guarantee=usd(50))) == Money(150, "USD")
    assert commitment(terms(minimum_guarantee=usd(50), guarantee_per="year")) == Money(200, "USD")
    assert excess(terms(), {}) is None
    assert excess(terms(), {"USD": 100}) is None
    assert excess(terms(), {"USD": 99}) is not None
    other = excess(terms(), {"EUR": 10**9})
    assert other is not None
    assert other.limit is None


def test_above_the_limit_nobody_accepts_alone_and_a_colleague_lets_it_happen(
    limited: Pair, second: Person, services: Services
) -> None:
    thread = countered(limited, 150_000)
    refused = limited.buyer.api.post(f"/negotiations/{thread}/accept", {"version": 2})
    assert code(refused, 403) == "approval_needed"
    assert refused.get_json()["limit"] == usd(100_000)
    asked = limited.buyer.api.post(f"/negotiations/{thread}/approvals", {"action": "accept", "version": 2})
    assert asked.status_code == 201, asked.text
    (held,) = asked.get_json()["items"]
    assert (held["state"], held["amount"], held["action"]) == ("pending", usd(150_000), "accept")
    assert code(limited.buyer.api.post(f"/approvals/{held['id']}/approve"), 403) == "own_request"
    again = limited.buyer.api.post(f"/negotiations/{thread}/approvals", {"action": "accept", "version": 2})
    assert code(again, 409) == "approval_pending"
    given = second.api.post(f"/approvals/{held['id']}/approve")
    assert given.status_code == 200, given.text
    assert given.get_json()["items"][0]["state"] == "approved"
    assert limited.buyer.api.get(f"/negotiations/{thread}").get_json()["state"] == "accepted"
    assert code(second.api.post(f"/approvals/{held['id']}/approve"), 409) == "approval_void"
    with unit_of_work(services.engine, system("test")) as session:
        assert len(session.scalars(select(License)).all()) == 1
        done = set(session.scalars(select(AuditEvent.action).where(AuditEvent.action.like("approval.%"))))
        assert done == {"approval.asked", "approval.approved"}


def test_the_other_side_learns_nothing_of_it(limited: Pair, second: Person, session: Any) -> None:
    thread = countered(limited, 150_000)
    limited.buyer.api.post(f"/negotiations/{thread}/approvals", {"action": "accept", "version": 2})
    page = limited.designer.browser.get(f"/negotiations/{thread}").get_data(as_text=True)
    assert "approv" not in page.lower()
    assert limited.designer.api.get("/approvals").status_code == 403
    told = select(Notification.kind).where(Notification.org_id == limited.designer.org.id)
    assert not [kind for kind in session.scalars(told) if kind.startswith("approval")]
    mine = limited.buyer.browser.get(f"/negotiations/{thread}").get_data(as_text=True)
    assert "/approvals#" in mine


def test_a_version_that_moves_on_makes_the_question_void(limited: Pair, second: Person) -> None:
    thread = countered(limited, 150_000)
    asked = limited.buyer.api.post(f"/negotiations/{thread}/approvals", {"action": "accept", "version": 2})
    held = asked.get_json()["items"][0]["id"]
    cheaper = {"base_version": 2, "terms": sheet(fee=usd(90_000))}
    assert limited.buyer.api.post(f"/negotiations/{thread}/offers", cheaper).status_code == 201
    assert second.api.get("/approvals").get_json()["items"][0]["state"] == "void"
    assert code(second.api.post(f"/approvals/{held}/approve"), 409) == "approval_void"
    assert limited.buyer.api.get(f"/negotiations/{thread}").get_json()["state"] == "open"


def test_an_offer_the_other_side_could_accept_at_once_waits_too(limited: Pair, second: Person) -> None:
    path = f"/designs/{limited.design_id}/negotiations"
    assert code(limited.buyer.api.post(path, {"terms": sheet(fee=usd(150_000))}), 403) == "approval_needed"
    euros = {"terms": sheet(fee={"amount": 10_000, "currency": "EUR"})}
    assert code(limited.buyer.api.post(path, euros), 403) == "approval_needed"
    limited.buyer.browser.get(f"/negotiations/new?design={limited.design_id}")
    form = {
        **{"design": limited.design_id, "kind": "non_exclusive", "where": "countries", "territories": ["DE"]},
        **{"fee": "1500", "fee_currency": "USD", "term_months": "12"},
    }
    answer = limited.buyer.browser.post("/negotiations", form)
    assert (answer.status_code, answer.location) == (303, "/approvals")
    held = second.api.get("/approvals").get_json()["items"][0]
    assert (held["action"], held["negotiation"]) == ("open", None)
    shown = second.browser.get("/approvals").get_data(as_text=True)
    assert "$1,500.00" in shown
    done = second.browser.post(f"/approvals/{held['id']}/approve")
    assert done.status_code == 303
    assert done.location.startswith("/negotiations/neg_")
    assert code(limited.buyer.api.post(path, {"terms": sheet(fee=usd(150_000))}), 403) == "approval_needed"


def test_an_offer_that_has_just_run_out_is_taken_up_again_with_a_colleague(
    limited: Pair, second: Person, services: Services
) -> None:
    key = countered(limited, 60_000)
    change(services, Negotiation, key, expires_at=clock.now() - timedelta(seconds=1))
    form = {"kind": "non_exclusive", "where": "countries", "territories": ["DE"], "term_months": "12"}
    sent = limited.buyer.browser.post(
        f"/negotiations/{key}/reopen", {**form, "fee": "1500", "fee_currency": "USD", "base_version": "2"}
    )
    assert (sent.status_code, sent.location) == (303, f"/negotiations/{key}")
    (held,) = second.api.get("/approvals").get_json()["items"]
    assert held["action"] == "reopen"
    assert second.api.post(f"/approvals/{held['id']}/approve").status_code == 200
    assert limited.designer.api.get(f"/negotiations/{key}").get_json()["current_version"] == 3


def test_approving_waits_for_the_thread_before_it_holds_the_question(
    limited: Pair, second: Person, services: Services
) -> None:
    """Who takes the question back holds the thread first, too; in another order the two would wait in a circle."""
    key = countered(limited, 150_000)
    asked = limited.buyer.api.post(f"/negotiations/{key}/approvals", {"action": "accept", "version": 2})
    held = asked.get_json()["items"][0]["id"]
    waiting = text("select count(*) from pg_stat_activity where wait_event_type = 'Lock'")
    with ThreadPoolExecutor(1) as pool:
        with unit_of_work(services.engine, system("test")) as session:
            lock(session, Negotiation, key)
            approved = pool.submit(second.api.post, f"/approvals/{held}/approve")
            for _ in range(200):
                if session.scalar(waiting):
                    break
                time.sleep(0.01)
            free = select(Approval.id).where(Approval.id == held).with_for_update(nowait=True)
            assert session.scalars(free).one() == held
        assert approved.result(20).status_code == 200


def test_a_refusal_has_a_reason_that_colleagues_read_and_the_asker_may_take_back(
    limited: Pair, second: Person, session: Any
) -> None:
    thread = countered(limited, 150_000)
    ask = f"/negotiations/{thread}/approvals"
    held = limited.buyer.api.post(ask, {"action": "accept", "version": 2}).get_json()["items"][0]["id"]
    assert code(second.api.post(f"/approvals/{held}/withdraw"), 403) == "not_your_turn"
    assert second.browser.post(f"/approvals/{held}/refuse", {"reason": " "}).status_code == 422
    assert second.api.post(f"/approvals/{held}/refuse", {"reason": "Half of it."}).status_code == 200
    told = session.scalars(select(Notification).where(Notification.kind == "approval_refused")).all()
    assert {row.org_id for row in told} == {limited.buyer.org.id}
    other = limited.buyer.api.post(ask, {"action": "accept", "version": 2}).get_json()["items"][0]["id"]
    assert limited.buyer.api.post(f"/approvals/{other}/withdraw").status_code == 200
    states = session.scalars(select(Approval.state).order_by(Approval.created_at)).all()
    assert states == ["refused", "withdrawn"]


def test_limits_need_two_people_an_administrator_and_are_told(pair: Pair, make: Make, session: Any) -> None:
    put: Callable[..., Any] = pair.buyer.api.request
    assert code(put("PUT", "/approval-limits", {"limits": {"USD": 1}}), 409) == "nobody_to_approve"
    member = make.user(pair.buyer.org, "buyer", admin=False)
    assert code(put("PUT", "/approval-limits", {"limits": {"USD": 1}}), 409) == "nobody_to_approve"
    named = {"limits": {"USD": 1}, "approvers": [member.id]}
    assert put("PUT", "/approval-limits", named).status_code == 200
    assert code(make.sign_in(member, pair.buyer.org, "buyer").api.get("/approval-limits"), 403) == "forbidden"
    assert session.scalars(select(Notification.user_id).where(Notification.kind == "limits_changed")).all()
    page = pair.buyer.browser.get("/approvals/limits").get_data(as_text=True)
    assert 'value="0.01"' in page
    assert code(put("PUT", "/approval-limits", {"limits": {"XXX": 1}}), 422) == "bad_limit"


def test_a_term_sheet_is_kept_changed_published_deleted_and_brought_back(pair: Pair) -> None:
    api = pair.designer.api
    kept = api.post("/term-sheets", {"name": "Standard", "terms": sheet(start="2030-01-01", fee=usd(77_000))})
    assert kept.status_code == 201, kept.text
    found = kept.get_json()
    assert "start" not in found["terms"]
    path = f"/term-sheets/{found['id']}"
    assert code(api.post("/term-sheets", {"name": "standard", "terms": sheet()}), 409) == "name_taken"
    body = {"name": "Standard", "terms": sheet(fee=usd(88_000), term_months=36), "version": 1}
    assert api.request("PUT", path, body).get_json()["version"] == 2
    assert code(api.request("PUT", path, body), 409) == "stale_version"
    start = f"/negotiations/new?design={pair.design_id}"
    assert 'value="24"' in pair.buyer.browser.get(start).get_data(as_text=True)
    assert api.post(f"{path}/publish", {"published": True}).get_json()["published"] is True
    page = pair.buyer.browser.get(start).get_data(as_text=True)
    assert 'value="36"' in page
    assert 'value="1500.00"' in page, "the design's own fee stands before the sheet's"
    assert api.request("DELETE", path).status_code == 204
    assert 'value="24"' in pair.buyer.browser.get(start).get_data(as_text=True)
    assert "Standard" in pair.designer.browser.get("/term-sheets").get_data(as_text=True)
    assert pair.designer.browser.post(f"{path}/restore").status_code == 303
    again = api.get("/term-sheets").get_json()["items"][0]
    assert (again["deleted"], again["published"]) == (False, False)


def test_the_terms_of_a_thread_are_kept_and_start_the_next_counter_offer(pair: Pair) -> None:
    thread = pair.open(fee=usd(45_600))["id"]
    answer = pair.designer.browser.post(f"/term-sheets/from/{thread}", {"name": "As asked"})
    assert answer.status_code == 303
    item = pair.designer.api.get("/term-sheets").get_json()["items"][0]
    assert item["terms"]["fee"] == usd(45_600)
    page = pair.designer.browser.get(f"/negotiations/{thread}/counter?sheet={item['id']}").get_data(as_text=True)
    assert "As asked" in page
    assert pair.buyer.browser.post(f"/term-sheets/from/{thread}", {"name": "x"}).status_code == 403


def test_past_deals_are_ones_own_and_at_least_three(pair: Pair, make: Make, services: Services) -> None:
    def agree(**terms: Any) -> None:
        key = pair.agree(**terms)["license"]
        change(services, License, key, active_from=clock.now(), state="active")

    def ask(person: Person, **more: str) -> dict[str, Any]:
        query = "&".join(f"{k}={v}" for k, v in {"kind": "non_exclusive", "category": "ring", **more}.items())
        return dict(person.api.get(f"/past-deals?{query}").get_json())

    for fee in (100_000, 300_001):
        agree(fee=usd(fee))
    pair.agree(fee=usd(1))  # agreed on, and never in force
    assert ask(pair.designer) == {
        **{"deals": 2, "alike": [], "fee": None, "royalty_percent": None, "royalty_per_unit": None}
    }
    agree(fee=usd(200_000), royalty_percent=5)
    found = ask(pair.designer, territory="DE")
    assert (found["deals"], found["fee"], found["royalty_percent"]) == (3, usd(200_000), 7.5)
    assert found["alike"] == ["category"], "two countries are not one"
    assert ask(pair.buyer)["deals"] == 3
    assert ask(make.person("designer"))["deals"] == 0
    assert ask(pair.designer, currency="EUR")["deals"] == 0
    fragment = pair.designer.browser.get("/deals/usual?kind=non_exclusive", headers={"HX-Request": "true"})
    assert "$2,000.00" in fragment.get_data(as_text=True)


def test_the_middle_of_amounts_is_a_whole_amount() -> None:
    assert [_middle([1]), _middle([1, 2]), _middle([5, 1, 3]), _middle([1, 2, 3, 100])] == [1, 2, 3, 3]
    assert [reach(t) for t in (["WORLD"], ["DE"], ["DE", "FR"], ["EU27"])] == ["world", "country", "few", "many"]


def test_a_studios_price_of_metal_reaches_those_it_negotiates_with(pair: Pair) -> None:
    saved = pair.designer.browser.post("/term-sheets/prices", {"currency": "USD", "price-sterling": "1.10"})
    assert saved.status_code == 303
    assert pair.designer.api.get("/metal-prices").get_json()["prices"] == {"USD": {"sterling": 110}}
    assert pair.designer.browser.post("/term-sheets/prices", {"price-sterling": "-1"}).status_code == 422
    thread = pair.open(brief=[{"kind": "engraving", "to": "N & A"}])["id"]
    told = pair.buyer.api.get(f"/negotiations/{thread}/brief").get_json()
    assert told["effects"][0]["formula"] == "engraving"
    assert told["price_change"] is None


def test_while_a_colleague_is_asked_the_other_side_sees_only_that_it_is_considered(
    limited: Pair, second: Person
) -> None:
    key = countered(limited, 150_000)
    path = f"/negotiations/{key}"
    asked = limited.buyer.api.post(f"{path}/approvals", {"action": "accept", "version": 2})
    held = asked.get_json()["items"][0]["id"]
    theirs = limited.designer.browser.get(path).get_data(as_text=True)
    turn = theirs.split('id="turn"')[1].split("</p>")[0]
    assert "is considering your offer. It stands until" in turn
    assert re.search(r"\(in \d+ (hour|day|week)s?\)", turn)
    for secret in ("approv", "1,000", "Wu Fang", limited.buyer.user.name):
        assert secret not in theirs.split("<main")[1].split("</main>")[0]
    assert limited.designer.api.get(path).get_json()["considered"] is True
    inbox = limited.designer.browser.get("/negotiations").get_data(as_text=True)
    assert "Being considered" in inbox
    assert "approval" not in inbox.split("<main")[1]
    before = limited.designer.api.get(path).get_json()
    assert second.api.post(f"/approvals/{held}/refuse", {"reason": "Half of it."}).status_code == 200
    assert limited.designer.api.get(path).get_json() == {**before, "considered": False}
    news = limited.designer.browser.get(f"{path}/news?version=2&state=open&considered=1&after=2026-01-01")
    assert "Waiting for" in news.get_data(as_text=True).split('id="turn"')[1]


def test_what_waits_for_approval_needs_the_approver_and_not_who_asked(limited: Pair, second: Person) -> None:
    def shown(person: Person, show: str) -> list[str]:
        return [row["id"] for row in person.api.get(f"/negotiations?show={show}").get_json()["items"]]

    key = countered(limited, 150_000)
    assert shown(limited.buyer, "needs_me") == shown(second, "needs_me") == [key]
    asked = limited.buyer.api.post(f"/negotiations/{key}/approvals", {"action": "accept", "version": 2})
    assert (shown(limited.buyer, "needs_me"), shown(limited.buyer, "waiting")) == ([], [key])
    assert (shown(second, "needs_me"), shown(second, "waiting")) == ([key], [])
    page = second.browser.get("/negotiations?show=needs_me").get_data(as_text=True)
    assert "1 step waits for your approval" in page
    assert "Needs your approval" in page
    own = limited.buyer.browser.get("/negotiations").get_data(as_text=True)
    assert "询问同事" in own or "A colleague is asked" in own
    held = asked.get_json()["items"][0]["id"]
    assert limited.buyer.api.post(f"/approvals/{held}/withdraw").status_code == 200
    assert shown(limited.buyer, "needs_me") == shown(second, "needs_me") == [key]
    assert "approval" not in second.browser.get("/negotiations").get_data(as_text=True).split("<main")[1]


def test_an_approval_of_an_offer_that_is_gone_waits_for_nobody(limited: Pair, second: Person) -> None:
    key = countered(limited, 150_000)
    limited.buyer.api.post(f"/negotiations/{key}/approvals", {"action": "accept", "version": 2})
    assert "1 step waits for your approval" in second.browser.get("/negotiations").get_data(as_text=True)
    assert limited.designer.api.post(f"/negotiations/{key}/withdraw", {"version": 2}).status_code == 200
    page = second.browser.get("/negotiations?show=closed").get_data(as_text=True).split("<main")[1]
    assert "waits for your approval" not in page
    assert "Needs your approval" not in page
