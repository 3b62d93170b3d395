"""The thread beside its offers: comments, the meter, reopening, handing over, reading, the way out, look-alikes."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update

from marketplace.accounts.models import Organization
from marketplace.db.unit_of_work import unit_of_work
from marketplace.designs.models import Design
from marketplace.kernel import clock
from marketplace.kernel.actor import system
from marketplace.licensing.models import Negotiation, ReadMark
from marketplace.licensing.rules import REOPEN_WITHIN
from marketplace.licensing.thread_models import NegotiationEvent
from marketplace.messaging.models import Message
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


def test_documents_of_the_api_name_the_new_calls(app: Any) -> None:
    document = json.loads(app.test_client().get("/api/v1/openapi.json").get_data(as_text=True))
    for call in ("reopen", "agree", "resolve", "hand-over", "read", "files"):
        assert f"/negotiations/{{negotiation_id}}/{call}" in document["paths"], call


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
