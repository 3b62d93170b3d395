"""Negotiating over the API and the pages: versions, turns, stale pages, expiry, who sees what."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update

from marketplace.accounts.models import Organization
from marketplace.audit.models import AuditEvent
from marketplace.db.unit_of_work import unit_of_work
from marketplace.designs.models import Design
from marketplace.kernel import clock
from marketplace.kernel.actor import system
from marketplace.licensing.endings import expire_due
from marketplace.licensing.models import License, Negotiation, Offer
from marketplace.notifications.models import Notification
from marketplace.services import Services
from tests.features.licensing.conftest import CAD, Pair, sheet
from tests.kit.people import Make


def change(services: Services, model: Any, key: str, **values: Any) -> None:
    with unit_of_work(services.engine, system("test")) as session:
        session.execute(update(model).where(model.id == key).values(**values))


def code(answer: Any, status: int) -> str:
    assert answer.status_code == status, answer.text
    return str(answer.get_json()["code"])


def test_a_first_offer_waits_for_the_designer_and_freezes_the_design(pair: Pair, services: Services) -> None:
    opened = pair.open()
    assert (opened["state"], opened["whose_turn"], opened["current_version"]) == ("open", "designer", 1)
    assert opened["your_side"] == "buyer"
    change(services, Design, pair.design_id, title="Renamed")
    with unit_of_work(services.engine, system("test")) as session:
        row = session.get_one(Negotiation, opened["id"])
        assert row.snapshot["title"] == "Onda ring"
        assert row.snapshot["cad"] == [CAD]
        told = session.scalars(select(Notification.kind).where(Notification.org_id == pair.designer.org.id)).all()
        assert told == ["negotiation_opened"]


def test_terms_that_cannot_be_are_refused_with_a_pointer_and_nothing_is_written(pair: Pair, session: Any) -> None:
    body = {"terms": sheet(fee={"amount": -5, "currency": "USD"})}
    answer = pair.buyer.api.post(f"/designs/{pair.design_id}/negotiations", body)
    assert code(answer, 422) == "invalid"
    assert list(answer.get_json()["errors"]) == ["/terms/fee/amount"]
    late = {"terms": sheet(valid_until="2020-01-01")}
    answer = pair.buyer.api.post(f"/designs/{pair.design_id}/negotiations", late)
    assert list(answer.get_json()["errors"]) == ["/terms/valid_until"]
    assert session.scalars(select(Negotiation)).all() == []


def test_a_second_negotiation_over_the_same_design_is_refused_while_one_is_open(pair: Pair) -> None:
    first = pair.open()
    answer = pair.buyer.api.post(f"/designs/{pair.design_id}/negotiations", {"terms": sheet()})
    assert code(answer, 409) == "negotiation_open"
    assert answer.get_json()["negotiation"] == first["id"]


def test_a_design_that_is_not_listed_cannot_be_negotiated(pair: Pair, services: Services) -> None:
    change(services, Design, pair.design_id, state="removed")
    answer = pair.buyer.api.post(f"/designs/{pair.design_id}/negotiations", {"terms": sheet()})
    assert code(answer, 404) == "not_found"


def test_offers_alternate_and_tell_what_changed(pair: Pair) -> None:
    opened = pair.open()
    path = f"/negotiations/{opened['id']}"
    countered = pair.designer.api.post(
        f"{path}/offers", {"base_version": 1, "terms": sheet(term_months=12, fee={"amount": 150000, "currency": "USD"})}
    )
    assert countered.status_code == 201, countered.text
    found = countered.get_json()
    assert (found["current_version"], found["whose_turn"]) == (2, "buyer")
    assert found["versions"][1]["changed"] == ["term_months", "fee"]
    assert found["versions"][1]["by"] == "designer"
    again = pair.designer.api.post(f"{path}/offers", {"base_version": 2, "terms": sheet(term_months=6)})
    assert code(again, 403) == "not_your_turn"
    assert code(pair.designer.api.post(f"{path}/accept", {"version": 2}), 403) == "not_your_turn"
    assert code(pair.designer.api.post(f"{path}/decline", {"version": 2}), 403) == "not_your_turn"


def test_the_same_terms_again_are_no_counter_offer(pair: Pair) -> None:
    opened = pair.open()
    answer = pair.designer.api.post(f"/negotiations/{opened['id']}/offers", {"base_version": 1, "terms": sheet()})
    assert code(answer, 422) == "no_change"


def test_a_stale_page_is_told_the_current_version_and_what_changed(pair: Pair) -> None:
    opened = pair.open()
    path = f"/negotiations/{opened['id']}"
    pair.designer.api.post(f"{path}/offers", {"base_version": 1, "terms": sheet(term_months=12)})
    for action, body in (
        ("offers", {"base_version": 1, "terms": sheet(term_months=6)}),
        ("accept", {"version": 1}),
        ("decline", {"version": 1}),
    ):
        answer = pair.buyer.api.post(f"{path}/{action}", body)
        assert code(answer, 409) == "stale_version", action
        assert answer.get_json()["current_version"] == 2
        assert answer.get_json()["changed"] == ["term_months"]


def test_accepting_binds_the_exact_terms(pair: Pair, session: Any) -> None:
    opened = pair.open()
    path = f"/negotiations/{opened['id']}"
    wrong = pair.designer.api.post(f"{path}/accept", {"version": 1, "terms_hash": "0" * 64})
    assert code(wrong, 409) == "terms_mismatch"
    right = opened["versions"][0]["terms_hash"]
    accepted = pair.designer.api.post(f"{path}/accept", {"version": 1, "terms_hash": right}).get_json()
    assert accepted["state"] == "accepted"
    assert accepted["whose_turn"] is None
    held = session.get(License, accepted["license"])
    assert held.terms_hash == right
    assert (held.fee_amount, held.currency, held.state) == (125000, "USD", "drafting")


def test_after_the_end_nothing_but_messages_is_possible(pair: Pair) -> None:
    path = f"/negotiations/{pair.agree()['id']}"
    for person, action, body in (
        (pair.designer, "accept", {"version": 1}),
        (pair.buyer, "offers", {"base_version": 1, "terms": sheet(term_months=1)}),
        (pair.buyer, "withdraw", {"version": 1}),
        (pair.designer, "decline", {"version": 1}),
    ):
        answer = person.api.post(f"{path}/{action}", body)
        assert code(answer, 409) == "illegal_transition"
        assert answer.get_json()["state"] == "accepted"
    assert pair.buyer.api.post(f"{path}/messages", {"text": "Thank you"}).status_code == 201


def test_declining_says_why_in_the_thread(pair: Pair) -> None:
    opened = pair.open()
    path = f"/negotiations/{opened['id']}"
    answer = pair.designer.api.post(f"{path}/decline", {"version": 1, "reason": "The fee is too low."}).get_json()
    assert (answer["state"], answer["closed_reason"]) == ("declined", "The fee is too low.")
    said = pair.buyer.api.get(f"{path}/messages").get_json()["items"]
    assert [m["text"] for m in said] == ["The fee is too low."]
    assert code(pair.buyer.api.post(f"{path}/messages", {"text": "But..."}), 409) == "illegal_transition"


def test_one_can_take_back_only_ones_own_unanswered_offer(pair: Pair) -> None:
    opened = pair.open()
    path = f"/negotiations/{opened['id']}"
    assert code(pair.designer.api.post(f"{path}/withdraw", {"version": 1}), 403) == "not_your_turn"
    answer = pair.buyer.api.post(f"{path}/withdraw", {"version": 1})
    assert answer.get_json()["state"] == "withdrawn"
    assert pair.open()["id"] != opened["id"]


def test_an_offer_that_ran_out_is_refused_before_and_after_the_clock_job(
    pair: Pair, services: Services, run_jobs: Callable[..., Any], session: Any
) -> None:
    opened = pair.open()
    path = f"/negotiations/{opened['id']}"
    change(services, Negotiation, opened["id"], expires_at=clock.now() - timedelta(seconds=1))
    assert pair.buyer.api.get(path).get_json()["state"] == "expired"
    assert code(pair.designer.api.post(f"{path}/accept", {"version": 1}), 409) == "negotiation_expired"
    renewed = pair.open()
    assert renewed["id"] != opened["id"]
    assert session.get(Negotiation, opened["id"]).state == "expired"


def test_the_clock_job_closes_what_ran_out_and_tells_both(pair: Pair, services: Services, session: Any) -> None:
    opened = pair.open()
    change(services, Negotiation, opened["id"], expires_at=clock.now() - timedelta(seconds=1))
    with unit_of_work(services.engine, system("test")) as work:
        assert expire_due(work, system("test")) == 1
        assert expire_due(work, system("test")) == 0
    told = session.execute(select(Notification.org_id).where(Notification.kind == "negotiation_expired")).scalars()
    assert set(told) == {pair.designer.org.id, pair.buyer.org.id}


@pytest.mark.parametrize("what", ["design", "buyer"])
def test_nothing_is_accepted_once_the_design_or_a_party_is_gone(pair: Pair, services: Services, what: str) -> None:
    """NEG-06: what comes after the thread (orders, makers) is refused in its own tests."""
    opened = pair.open()
    if what == "design":
        change(services, Design, pair.design_id, state="removed")
    else:
        change(services, Organization, pair.buyer.org.id, state="suspended")
    answer = pair.designer.api.post(f"/negotiations/{opened['id']}/accept", {"version": 1})
    assert code(answer, 409) == ("design_removed" if what == "design" else "party_suspended")


def test_exclusive_rights_are_granted_once(pair: Pair, make: Make) -> None:
    rival = Pair(pair.designer, make.person("buyer"), pair.design_id)
    theirs = rival.open(kind="exclusive", territories=["FR"])
    apart = Pair(pair.designer, make.person("buyer"), pair.design_id).open(kind="exclusive", territories=["CN"])
    pair.agree(kind="exclusive")
    answer = pair.designer.api.post(f"/negotiations/{theirs['id']}/accept", {"version": 1})
    assert code(answer, 409) == "rights_conflict"
    assert answer.get_json()["overlap"]["territories"] == ["FR"]
    assert pair.buyer.org.id not in answer.text
    assert pair.designer.api.post(f"/negotiations/{apart['id']}/accept", {"version": 1}).status_code == 200


def test_the_buyer_too_is_held_by_rights_it_cannot_see(pair: Pair, make: Make) -> None:
    """The buyer accepts a counter offer; row security hides the rival's license, the check must not be fooled."""
    rival = Pair(pair.designer, make.person("buyer"), pair.design_id)
    opened = pair.open()
    pair.designer.api.post(f"/negotiations/{opened['id']}/offers", {"base_version": 1, "terms": sheet(term_months=12)})
    rival.agree(kind="exclusive", territories=["WORLD"])
    answer = pair.buyer.api.post(f"/negotiations/{opened['id']}/accept", {"version": 2})
    assert code(answer, 409) == "rights_conflict"


def test_strangers_find_nothing_and_are_audited(pair: Pair, make: Make, session: Any) -> None:
    opened = pair.open()
    for stranger in (make.person("buyer"), make.person("designer")):
        for path in (f"/negotiations/{opened['id']}", f"/negotiations/{opened['id']}/messages"):
            assert code(stranger.api.get(path), 404) == "not_found"
        for action, body in (("accept", {"version": 1}), ("messages", {"text": "hi"})):
            assert code(stranger.api.post(f"/negotiations/{opened['id']}/{action}", body), 404) == "not_found"
        assert stranger.api.get("/negotiations").get_json()["items"] == []
    refused = session.scalars(
        select(AuditEvent).where(AuditEvent.subject == opened["id"], AuditEvent.outcome == "refused")
    ).all()
    assert len(refused) == 8


def test_raw_sql_as_the_web_role_sees_nothing_of_others(app: Any, pair: Pair, make: Make) -> None:
    pair.agree()
    stranger = make.person("designer")
    engine = app.extensions["services"].engine
    with unit_of_work(engine, stranger.actor) as session:
        for table in ("negotiations", "offers", "licenses", "messages", "message_translations", "signatures"):
            assert session.execute(text(f"select count(*) from {table}")).scalar() == 0, table
        asked = text("select * from design_grants(:d, '', '{}')")
        scopes = session.execute(asked, {"d": pair.design_id}).mappings().one()
    assert pair.buyer.org.id not in str(dict(scopes))
    assert "fee" not in scopes


def test_offers_and_messages_are_never_changed_not_even_by_the_worker(pair: Pair, services: Services) -> None:
    """NEG-08: what was accepted stays as it was."""
    opened = pair.open()
    pair.buyer.api.post(f"/negotiations/{opened['id']}/messages", {"text": "Hello"})
    for table in ("offers", "messages"):
        with (
            pytest.raises(Exception, match=r"permission denied|never changed"),
            unit_of_work(services.engine, system("test")) as session,
        ):
            session.execute(text(f"update {table} set created_at = now()"))


def test_the_designer_sees_an_alias_and_the_buyer_the_studio(pair: Pair) -> None:
    opened = pair.open()
    seen = pair.designer.api.get(f"/negotiations/{opened['id']}").get_json()
    assert seen["counterpart"].startswith("Buyer ")
    assert opened["counterpart"] == pair.designer.org.name
    page = pair.designer.browser.get(f"/negotiations/{opened['id']}").get_data(as_text=True)
    assert pair.buyer.org.name not in page
    assert "陈丽" not in page
    assert pair.buyer.org.name not in pair.designer.browser.get("/negotiations").get_data(as_text=True)


def test_the_page_says_who_may_act_and_shows_only_their_buttons(pair: Pair) -> None:
    opened = pair.open()
    mine = pair.designer.browser.get(f"/negotiations/{opened['id']}").get_data(as_text=True)
    assert "It is your turn" in mine
    assert f'action="/negotiations/{opened["id"]}/accept"' in mine
    theirs = pair.buyer.api.get(f"/negotiations/{opened['id']}").get_json()
    assert theirs["whose_turn"] == "designer"
    waiting = pair.buyer.browser.get(f"/negotiations/{opened['id']}").get_data(as_text=True)
    assert f'action="/negotiations/{opened["id"]}/accept"' not in waiting
    assert f'action="/negotiations/{opened["id"]}/withdraw"' in waiting


def web_sheet(**changes: Any) -> dict[str, Any]:
    form = {
        "kind": "non_exclusive",
        "where": "countries",
        "territories": ["DE", "FR"],
        "fee": "1,250.00",
        "fee_currency": "USD",
        "term_months": "24",
        "derivatives": "none",
        "governing_language": "en",
    }
    return {k: v for k, v in {**form, **changes}.items() if v is not None}


def test_the_whole_exchange_works_with_plain_forms(pair: Pair, session: Any) -> None:
    new = pair.buyer.browser.get(f"/negotiations/new?design={pair.design_id}")
    assert new.status_code == 200
    assert 'value="1500.00"' in new.get_data(as_text=True)
    sent = pair.buyer.browser.post("/negotiations", web_sheet(design=pair.design_id, message="你好"))
    assert sent.status_code == 303, sent.get_data(as_text=True)
    path = sent.headers["Location"].split("localhost")[-1]
    form = pair.designer.browser.get(f"{path}/counter").get_data(as_text=True)
    assert 'value="1250.00"' in form
    countered = pair.designer.browser.post(f"{path}/counter", web_sheet(base_version="1", fee="1500"))
    assert countered.status_code == 303, countered.get_data(as_text=True)
    page = pair.buyer.browser.get(path).get_data(as_text=True)
    assert "1,250.00</del>" in page
    found = session.scalars(select(Offer).where(Offer.version == 2)).one()
    accepted = pair.buyer.browser.post(f"{path}/accept", {"version": "2", "terms_hash": found.terms_hash})
    assert accepted.status_code == 303
    assert "/licenses/lic_" in accepted.headers["Location"]


def test_a_refused_form_keeps_what_was_typed_and_says_what_to_do(pair: Pair) -> None:
    answer = pair.buyer.browser.post(
        "/negotiations", web_sheet(design=pair.design_id, fee="-5", credit="Maya for Li", territories=[])
    )
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert 'value="-5"' in page
    assert 'value="Maya for Li"' in page
    assert 'aria-invalid="true"' in page


def test_a_stale_counter_form_comes_back_filled_with_the_new_version_beside_it(pair: Pair) -> None:
    opened = pair.open()
    path = f"/negotiations/{opened['id']}"
    pair.designer.api.post(f"{path}/offers", {"base_version": 1, "terms": sheet(term_months=12)})
    answer = pair.buyer.browser.post(f"{path}/counter", web_sheet(base_version="1", fee="777.00"))
    page = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert 'value="777.00"' in page
    assert 'name="base_version" value="2"' in page


def test_a_counter_form_keeps_single_alloys_and_rare_countries(pair: Pair) -> None:
    opened = pair.open(metals=["18k_rose", "silver"], territories=["MN", "DE"])
    page = pair.designer.browser.get(f"/negotiations/{opened['id']}/counter").get_data(as_text=True)
    for value in ("18k_rose", "silver", "MN", "DE"):
        assert f'value="{value}" checked' in page, value
    assert 'value="gold" checked' not in page


def test_news_are_only_what_is_new(pair: Pair) -> None:
    opened = pair.open()
    path = f"/negotiations/{opened['id']}"
    since = clock.now().isoformat()
    query = {"after": since, "version": 1, "state": "open"}
    headers = {"HX-Request": "true"}
    quiet = pair.buyer.browser.get(f"{path}/news", query_string=query, headers=headers)
    assert quiet.status_code == 204
    pair.designer.api.post(f"{path}/messages", {"text": "A word from the studio"})
    loud = pair.buyer.browser.get(f"{path}/news", query_string=query, headers=headers).get_data(as_text=True)
    assert "A word from the studio" in loud
    assert 'hx-target="#panel"' not in loud
    pair.designer.api.post(f"{path}/offers", {"base_version": 1, "terms": sheet(term_months=12)})
    moved = pair.buyer.browser.get(f"{path}/news", query_string=query, headers=headers).get_data(as_text=True)
    assert 'hx-target="#panel"' in moved


def test_reading_marks_are_written_by_post_only_and_count_unread(pair: Pair) -> None:
    opened = pair.open()
    path = f"/negotiations/{opened['id']}"
    pair.buyer.api.post(f"{path}/messages", {"text": "Hello"})
    assert "2 new" in pair.designer.browser.get("/negotiations").get_data(as_text=True)
    pair.designer.browser.get(path)
    assert "2 new" in pair.designer.browser.get("/negotiations").get_data(as_text=True)
    assert pair.designer.browser.post(f"{path}/read").status_code == 204
    assert " new<" not in pair.designer.browser.get("/negotiations").get_data(as_text=True)


@pytest.mark.parametrize(("show", "designer", "buyer"), [("needs_me", 1, 0), ("waiting", 0, 1), ("closed", 0, 0)])
def test_the_inbox_filters(pair: Pair, show: str, designer: int, buyer: int) -> None:
    pair.open()
    for person, expected in ((pair.designer, designer), (pair.buyer, buyer)):
        assert len(person.api.get(f"/negotiations?show={show}").get_json()["items"]) == expected


def test_pages_stay_within_their_statements(pair: Pair, make: Make, count_statements: Callable[[], int]) -> None:
    opened = pair.open()
    path = f"/negotiations/{opened['id']}"
    for n in range(20):
        (pair.buyer if n % 2 else pair.designer).api.post(f"{path}/messages", {"text": f"Message {n}"})
    for _ in range(3):
        Pair(pair.designer, make.person("buyer"), pair.design_id).open()
    count_statements()
    assert pair.designer.browser.get(path).status_code == 200
    assert count_statements() <= 6
    assert pair.designer.browser.get("/negotiations").status_code == 200
    assert count_statements() <= 5
    headers = {"HX-Request": "true"}
    pair.designer.browser.get(f"{path}/news", query_string={"after": clock.now().isoformat()}, headers=headers)
    assert count_statements() <= 6
