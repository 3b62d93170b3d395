"""The thread beside its offers: comments, the meter, reopening, handing over, reading, the way out, look-alikes."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from marketplace.accounts.models import Organization
from marketplace.db.unit_of_work import unit_of_work
from marketplace.designs.models import Design
from marketplace.inbox.models import InboxThread
from marketplace.kernel import clock
from marketplace.licensing.models import Negotiation
from marketplace.licensing.rules import REOPEN_WITHIN
from marketplace.licensing.thread_models import NegotiationEvent
from marketplace.notifications.models import Notification
from marketplace.services import Services
from tests.features.licensing.conftest import Pair, sheet
from tests.features.licensing.test_negotiations import change, code, web_sheet
from tests.kit.people import Make

HTMX = {"HX-Request": "true"}


@pytest.fixture
def pair(make: Make, listed: Callable[..., str]) -> Pair:
    """Both read English here, so that the words of the pages can be compared."""
    designer = make.person("designer", name="Maya Rossi")
    return Pair(designer, make.person("buyer", name="Chen Li"), listed(designer.org.id))


def page_of(person: Any, key: str, query: str = "") -> str:
    answer = person.browser.get(f"/negotiations/{key}{query}")
    assert answer.status_code == 200, answer.get_data(as_text=True)[:400]
    return str(answer.get_data(as_text=True))


def counter(person: Any, key: str, base: int, **terms: Any) -> None:
    answer = person.api.post(f"/negotiations/{key}/offers", {"base_version": base, "terms": sheet(**terms)})
    assert answer.status_code == 201, answer.text


# The meter


def test_a_term_is_agreed_when_both_last_said_the_same(pair: Pair) -> None:
    opened = pair.open()
    path = f"/negotiations/{opened['id']}"
    assert opened["meter"]["agreed"] == 0
    counter(pair.designer, opened["id"], 1, term_months=12)
    meter = pair.buyer.api.get(path).get_json()["meter"]
    assert meter["open"] == ["term_months"]
    assert meter["agreed"] == meter["total"] - 1
    shown = page_of(pair.buyer, opened["id"])
    assert f"{meter['agreed']} of {meter['total']} agreed" in shown


def test_a_side_can_mark_a_term_and_take_the_mark_back(pair: Pair) -> None:
    opened = pair.open()
    path = f"/negotiations/{opened['id']}"
    marked = pair.designer.api.post(f"{path}/agree", {"version": 1, "term": "fee"}).get_json()
    assert marked["meter"]["agreed"] == 1
    assert "fee" not in marked["meter"]["open"]
    assert "agrees to “License fee” of version 1" in page_of(pair.buyer, opened["id"])
    back = pair.designer.api.post(f"{path}/agree", {"version": 1, "term": "fee", "agreed": False}).get_json()
    assert back["meter"]["agreed"] == 0
    assert code(pair.buyer.api.post(f"{path}/agree", {"version": 1, "term": "fee"}), 403) == "not_your_turn"
    assert code(pair.designer.api.post(f"{path}/agree", {"version": 1, "term": "nothing"}), 422) == "invalid"


def test_a_mark_that_is_pressed_twice_is_one(pair: Pair, session: Any) -> None:
    path = f"/negotiations/{pair.open()['id']}/agree"
    for agreed in (True, True, False, False, True):
        pair.designer.api.post(path, {"version": 1, "term": "fee", "agreed": agreed})
    kinds = session.scalars(select(NegotiationEvent.kind).order_by(NegotiationEvent.created_at)).all()
    assert kinds == ["agreed", "disagreed", "agreed"]


def test_marks_bind_nobody_and_an_own_offer_speaks_louder(pair: Pair) -> None:
    opened = pair.open()
    path = f"/negotiations/{opened['id']}"
    pair.designer.api.post(f"{path}/agree", {"version": 1, "term": "fee"})
    counter(pair.designer, opened["id"], 1, fee={"amount": 200000, "currency": "USD"})
    assert "fee" in pair.buyer.api.get(path).get_json()["meter"]["open"]
    assert pair.buyer.api.get(path).get_json()["state"] == "open"


def test_after_the_acceptance_all_terms_are_agreed(pair: Pair) -> None:
    meter = pair.agree()["meter"]
    assert (meter["agreed"], meter["open"]) == (meter["total"], [])


# Comments


def test_a_comment_is_about_a_term_of_a_version_and_either_side_settles_it(pair: Pair, session: Any) -> None:
    opened = pair.open()
    path = f"/negotiations/{opened['id']}"
    about = {"term": "fee", "version": 1}
    said = pair.designer.api.post(f"{path}/messages", {"text": "Too low for gold.", "about": about})
    assert said.status_code == 201, said.text
    assert said.get_json()["about"] == about
    shown = page_of(pair.buyer, opened["id"])
    assert "On “License fee”, version 1" in shown
    assert "open comment</span>" in shown
    settled = pair.buyer.api.post(f"{path}/resolve", {"message": said.get_json()["id"]})
    assert settled.status_code == 204
    assert "Settled" in page_of(pair.designer, opened["id"])
    pair.buyer.api.post(f"{path}/resolve", {"message": said.get_json()["id"]})
    kinds = session.scalars(select(NegotiationEvent.kind)).all()
    assert kinds == ["resolved"]
    again = pair.designer.api.post(f"{path}/resolve", {"message": said.get_json()["id"], "resolved": False})
    assert again.status_code == 204
    told = session.scalars(select(Notification.kind).where(Notification.org_id == pair.buyer.org.id)).all()
    assert "comment_received" in told


def test_a_comment_on_what_is_not_there_is_refused(pair: Pair) -> None:
    opened = pair.open()
    for about in ({"term": "fee", "version": 2}, {"term": "weather", "version": 1}):
        answer = pair.buyer.api.post(f"/negotiations/{opened['id']}/messages", {"text": "?", "about": about})
        assert code(answer, 422) == "invalid"
    plain = pair.buyer.api.post(f"/negotiations/{opened['id']}/messages", {"text": "Hello"}).get_json()
    assert code(pair.buyer.api.post(f"/negotiations/{opened['id']}/resolve", {"message": plain["id"]}), 404)


# NEG-02, NEG-03, NEG-04: stale pages


def test_neg_03_a_stale_answer_tells_old_and_new_values(pair: Pair) -> None:
    opened = pair.open()
    counter(pair.designer, opened["id"], 1, term_months=12, fee={"amount": 200000, "currency": "USD"})
    answer = pair.buyer.api.post(f"/negotiations/{opened['id']}/withdraw", {"version": 1})
    assert code(answer, 409) == "stale_version"
    changes = {change["term"]: (change["was"], change["now"]) for change in answer.get_json()["changes"]}
    assert changes["term_months"] == (24, 12)
    assert changes["fee"][1] == {"amount": 200000, "currency": "USD"}


def test_neg_03_a_stale_page_shows_what_changed_and_keeps_what_was_typed(pair: Pair) -> None:
    opened = pair.open()
    path = f"/negotiations/{opened['id']}"
    counter(pair.designer, opened["id"], 1, term_months=12)
    page_of(pair.buyer, opened["id"])
    answer = pair.buyer.browser.post(f"{path}/decline", {"version": "1", "reason": "Sorry, not for us", "code": "fee"})
    shown = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert "<del><bdi>24 months</bdi></del>" in shown
    assert "<bdi>12 months</bdi>" in shown
    assert "Sorry, not for us" in shown
    assert '<option value="fee" selected>' in shown


def test_neg_04_terms_shown_are_the_terms_accepted(pair: Pair) -> None:
    opened = pair.open()
    path = f"/negotiations/{opened['id']}"
    shown = page_of(pair.designer, opened["id"])
    assert f'name="terms_hash" value="{opened["versions"][0]["terms_hash"]}"' in shown
    assert 'name="version" value="1"' in shown
    wrong = pair.designer.browser.post(f"{path}/accept", {"version": "1", "terms_hash": "0" * 64})
    assert wrong.status_code == 409
    assert pair.designer.browser.post(f"{path}/accept", {"version": "1"}).status_code == 422


def test_a_message_that_comes_too_late_is_given_back(pair: Pair) -> None:
    opened = pair.open()
    pair.designer.api.post(f"/negotiations/{opened['id']}/decline", {"version": 1})
    answer = pair.buyer.browser.post(f"/negotiations/{opened['id']}/messages", {"text": "Wait a moment"})
    assert answer.status_code == 409
    assert "Wait a moment" in answer.get_data(as_text=True)


# Countering one term


def test_one_term_can_be_countered_alone(pair: Pair, session: Any) -> None:
    opened = pair.open(credit="Design by Rossi", metals=["18k_rose"])
    path = f"/negotiations/{opened['id']}"
    form = pair.designer.browser.get(f"{path}/counter?term=fee").get_data(as_text=True)
    assert 'name="only" value="fee"' in form
    assert 'name="term_months"' not in form
    body = {"base_version": "1", "only": "fee", "fee": "1,500.00", "fee_currency": "USD"}
    assert pair.designer.browser.post(f"{path}/counter", body).status_code == 303
    found = pair.buyer.api.get(path).get_json()["versions"][1]
    assert found["changed"] == ["fee"]
    assert found["terms"]["credit"] == "Design by Rossi"
    refused = pair.buyer.browser.post(f"{path}/counter", {"base_version": "2", "only": "fee", "fee": "-1"})
    assert refused.status_code == 422
    assert 'value="-1"' in refused.get_data(as_text=True)


@pytest.mark.parametrize(
    ("term", "fields", "changed"),
    [
        ("territories", {"where": "world"}, ["territories"]),
        ("royalty_base", {"royalty_per_unit": "3.50"}, ["royalty_percent", "royalty_per_unit", "royalty_base"]),
        ("marketing_images", {"marketing_images": "1"}, ["marketing_images"]),
        ("kind", {"kind": "buyout"}, ["kind", "term_months"]),
        ("channels", {}, ["channels"]),
    ],
)
def test_terms_that_stand_together_are_countered_together(
    pair: Pair, term: str, fields: dict[str, str], changed: list[str]
) -> None:
    opened = pair.open()
    path = f"/negotiations/{opened['id']}"
    form = pair.designer.browser.get(f"{path}/counter?term={term}").get_data(as_text=True)
    only = form.split('name="only" value="')[1].split('"')[0]
    answer = pair.designer.browser.post(f"{path}/counter", {"base_version": "1", "only": only, **fields})
    assert answer.status_code == 303, answer.get_data(as_text=True)
    assert pair.buyer.api.get(path).get_json()["versions"][1]["changed"] == changed


# Ending and reopening


def test_declining_takes_a_reason_in_one_word(pair: Pair) -> None:
    opened = pair.open()
    path = f"/negotiations/{opened['id']}"
    answer = pair.designer.api.post(f"{path}/decline", {"version": 1, "code": "scope"})
    assert answer.get_json()["closed_code"] == "scope"
    assert "declined: Territory, channels or kind of license" in page_of(pair.buyer, opened["id"])
    other = Pair(pair.designer, pair.buyer, pair.design_id).open()
    bad = pair.designer.browser.post(f"/negotiations/{other['id']}/decline", {"version": "1", "code": "whim"})
    assert bad.status_code == 422


@pytest.mark.parametrize("end", ["declined", "withdrawn", "expired"])
@pytest.mark.parametrize("who", ["designer", "buyer"])
def test_what_ended_is_taken_up_again_by_either_side(pair: Pair, services: Services, end: str, who: str) -> None:
    opened = pair.open()
    path = f"/negotiations/{opened['id']}"
    if end == "declined":
        pair.designer.api.post(f"{path}/decline", {"version": 1})
    elif end == "withdrawn":
        pair.buyer.api.post(f"{path}/withdraw", {"version": 1})
    else:
        change(services, Negotiation, opened["id"], expires_at=clock.now() - timedelta(seconds=1))
    person, turn = (pair.designer, "buyer") if who == "designer" else (pair.buyer, "designer")
    answer = person.api.post(f"{path}/reopen", {"base_version": 1, "terms": sheet()})
    assert answer.status_code == 201, answer.text
    found = answer.get_json()
    assert (found["state"], found["current_version"], found["whose_turn"]) == ("open", 2, turn)
    assert found["closed_reason"] is None
    kinds = [line for line in ("took the negotiation up again", "expired") if line in page_of(pair.buyer, opened["id"])]
    assert "took the negotiation up again" in kinds
    assert code(person.api.post(f"{path}/reopen", {"base_version": 2, "terms": sheet()}), 409) == "illegal_transition"


def test_reopening_has_its_bounds(pair: Pair, services: Services) -> None:
    opened = pair.open()
    path = f"/negotiations/{opened['id']}"
    pair.designer.api.post(f"{path}/decline", {"version": 1})
    body = {"base_version": 1, "terms": sheet()}
    assert code(pair.buyer.api.post(f"{path}/reopen", {**body, "base_version": 3}), 409) == "stale_version"
    elsewhere = pair.open()
    assert code(pair.buyer.api.post(f"{path}/reopen", body), 409) == "negotiation_open"
    pair.buyer.api.post(f"/negotiations/{elsewhere['id']}/withdraw", {"version": 1})
    late = clock.now() - REOPEN_WITHIN - timedelta(days=1)
    change(services, Negotiation, opened["id"], closed_at=late)
    assert code(pair.buyer.api.post(f"{path}/reopen", body), 409) == "too_late_to_reopen"
    change(services, Negotiation, opened["id"], closed_at=clock.now())
    change(services, Design, pair.design_id, state="removed")
    assert code(pair.designer.api.post(f"{path}/reopen", body), 409) == "design_removed"


def test_one_side_takes_a_negotiation_up_ten_times_a_day_and_refused_tries_do_not_count(pair: Pair) -> None:
    path = f"/negotiations/{pair.open()['id']}"
    pair.designer.api.post(f"{path}/decline", {"version": 1})
    for version in range(1, 11):
        assert code(pair.buyer.api.post(f"{path}/reopen", {"base_version": 99, "terms": sheet()}), 409)
        assert pair.buyer.api.post(f"{path}/reopen", {"base_version": version, "terms": sheet()}).status_code == 201
        pair.designer.api.post(f"{path}/decline", {"version": version + 1})
    once_more = {"base_version": 11, "terms": sheet()}
    assert code(pair.buyer.api.post(f"{path}/reopen", once_more), 429) == "rate_limited"
    assert pair.buyer.browser.post(f"{path}/reopen", web_sheet(base_version="11")).status_code == 429
    assert pair.buyer.api.get(path).get_json()["state"] == "declined"
    assert pair.designer.api.post(f"{path}/reopen", once_more).status_code == 201


def test_a_form_takes_an_ended_negotiation_up_again(pair: Pair) -> None:
    opened = pair.open()
    path = f"/negotiations/{opened['id']}"
    pair.buyer.api.post(f"{path}/withdraw", {"version": 1})
    assert f'href="{path}/reopen"' in page_of(pair.designer, opened["id"])
    form = pair.designer.browser.get(f"{path}/reopen").get_data(as_text=True)
    assert 'value="1250.00"' in form
    sent = pair.designer.browser.post(f"{path}/reopen", web_sheet(base_version="1"))
    assert sent.status_code == 303, sent.get_data(as_text=True)
    assert "It is your turn" in page_of(pair.buyer, opened["id"])


# Handing over


def test_a_colleague_takes_over_and_the_other_side_learns_nothing(pair: Pair, make: Make, session: Any) -> None:
    opened = pair.open()
    path = f"/negotiations/{opened['id']}"
    colleague = make.person("designer", org=pair.designer.org, name="Bruno Alessi")
    answer = pair.designer.api.post(f"{path}/hand-over", {"user": colleague.user.id})
    assert answer.get_json()["assignee"] == colleague.user.id
    assert "Bruno Alessi takes care of this now" in page_of(pair.designer, opened["id"])
    assert "Bruno Alessi" not in page_of(pair.buyer, opened["id"])
    assert pair.buyer.api.get(path).get_json()["assignee"] is None
    told = (
        session.execute(select(Notification.user_id).where(Notification.kind == "negotiation_handed_over"))
        .scalars()
        .all()
    )
    assert told == [colleague.user.id]
    pair.designer.api.post(f"{path}/hand-over", {"user": colleague.user.id})
    assert session.scalars(select(NegotiationEvent.kind)).all() == ["handed_over"]
    assert code(pair.designer.api.post(f"{path}/hand-over", {"user": pair.buyer.user.id}), 422) == "invalid"


def test_handing_over_moves_nothing_that_the_other_side_sees(pair: Pair, make: Make, session: Any) -> None:
    key = pair.open()["id"]
    colleague = make.person("designer", org=pair.designer.org, name="Bruno Alessi")
    query = select(Negotiation.updated_at, InboxThread.moved_at).join(
        InboxThread, InboxThread.negotiation_id == Negotiation.id
    )
    before = session.execute(query.where(InboxThread.org_id == pair.buyer.org.id)).one()
    pair.designer.api.post(f"/negotiations/{key}/hand-over", {"user": colleague.user.id})
    session.rollback()
    assert session.execute(query.where(InboxThread.org_id == pair.buyer.org.id)).one() == before
    assert "Bruno Alessi takes care of this now" in page_of(pair.designer, key)


def test_row_security_hides_private_events_and_assignees(app: Any, pair: Pair, make: Make) -> None:
    opened = pair.open()
    colleague = make.person("designer", org=pair.designer.org)
    pair.designer.api.post(f"/negotiations/{opened['id']}/hand-over", {"user": colleague.user.id})
    engine = app.extensions["services"].engine
    stranger = make.person("buyer")
    for person, seen in ((pair.designer, 1), (pair.buyer, 0), (stranger, 0)):
        with unit_of_work(engine, person.actor) as session:
            for table in ("negotiation_events", "negotiation_assignees"):
                assert session.execute(text(f"select count(*) from {table}")).scalar() == seen, (table, person.org.kind)


# NEG-09, NEG-10, NEG-11


def test_neg_09_text_is_bounded_and_isolated(pair: Pair, session: Any) -> None:
    opened = pair.open()
    path = f"/negotiations/{opened['id']}"
    for flood in ("x" * 4001, "x" * 1_000_000, "e" + "\u0301" * 100_000):
        assert pair.buyer.api.post(f"{path}/messages", {"text": flood}).status_code == 422
    pile = pair.buyer.api.post(f"{path}/messages", {"text": "e" + "\u0316" * 3000}).get_json()
    assert len(pile["text"]) < 20
    turned = "price \u202e00.1 DSU"
    pair.buyer.api.post(f"{path}/messages", {"text": turned})
    shown = page_of(pair.designer, opened["id"])
    assert f'dir="auto">{turned}</div>' in shown
    bad = pair.buyer.api.post(f"{path}/messages", {"text": "ok", "about": {"term": "fee\u202e", "version": 1}})
    assert bad.status_code == 422
    terms = {"terms": sheet(credit="Rossi \u202eisssoR")}
    other = pair.designer.api.post(f"{path}/offers", {"base_version": 1, **terms})
    assert code(other, 422) == "invalid"


def test_neg_09_a_name_that_turns_letters_around_is_refused_at_registration(make: Make) -> None:
    visitor = make.visitor()
    visitor.get("/join")
    form = {
        "role": "designer", "name": "Eve", "email": "eve@example.com", "password": "a plum stone in amber",
        "business_name": "Atelier \u202eissoR", "address": "1 Test Street", "country": "GB", "adult": "1", "terms": "1",
    }  # fmt: skip
    assert visitor.post("/join", form).status_code == 422


def test_neg_10_a_name_that_looks_like_another_one_is_flagged_for_the_operator(make: Make, session: Any) -> None:
    operator = make.person("operator")
    visitor = make.visitor()
    for number, name in enumerate(("Atelier Moretti", "Аtеliеr Mоrеtti")):
        visitor.get("/join")
        form = {
            "role": "designer", "name": "Ada", "email": f"m{number}@example.com", "password": "a plum stone in amber",
            "business_name": name, "address": "1 Test Street", "country": "GB", "adult": "1", "adult_declared": "1",
            "terms": "1", "locale": "en",
        }  # fmt: skip
        answer = visitor.post("/join", form)
        assert answer.status_code == 303, answer.get_data(as_text=True)
    twin = session.scalars(select(Organization).where(Organization.name == "Аtеliеr Mоrеtti")).one()
    told = session.scalars(select(Notification).where(Notification.kind == "org_looks_alike")).all()
    assert [(row.user_id, row.params["org"]) for row in told] == [(operator.user.id, "Аtеliеr Mоrеtti")]
    shown = operator.browser.get(f"/desk/vetting/{twin.id}").get_data(as_text=True)
    assert "This name can be taken for another one" in shown
    assert "written with other letters" in shown


def test_neg_11_links_lead_to_a_warning_and_never_straight_out(pair: Pair, make: Make) -> None:
    opened = pair.open()
    path = f"/negotiations/{opened['id']}"
    url = "http://paypa1.example@198.51.100.7:8443/login?x=<b>"
    pair.buyer.api.post(f"{path}/messages", {"text": f"See {url}, please. javascript:alert(1) wechat me"})
    shown = page_of(pair.designer, opened["id"])
    assert 'href="http://paypa1' not in shown
    assert 'href="javascript:' not in shown
    assert f'class="way-out" rel="nofollow noreferrer noopener" href="{path}/away?to=' in shown
    assert "neither recorded nor protected here" in shown
    written = "http://paypa1.example@198.51.100.7:8443/login?x="
    page = pair.designer.browser.get(f"{path}/away", query_string={"to": written})
    assert page.status_code == 200
    body = page.get_data(as_text=True)
    for doubt in ("not be encrypted", "before the @", "bare number", "unusual port"):
        assert doubt in body, doubt
    assert pair.designer.browser.get(f"{path}/away", query_string={"to": "https://evil.example/"}).status_code == 404
    stranger = make.person("buyer")
    assert stranger.browser.get(f"{path}/away", query_string={"to": written}).status_code == 404


def test_documents_of_the_api_name_the_new_calls(app: Any) -> None:
    document = json.loads(app.test_client().get("/api/v1/openapi.json").get_data(as_text=True))
    for call in ("reopen", "agree", "resolve", "hand-over", "read", "files"):
        assert f"/negotiations/{{negotiation_id}}/{call}" in document["paths"], call
