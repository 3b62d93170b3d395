"""Asking the holder of a first refusal before others get an exclusive: taken up, let go, or silent."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel import clock
from marketplace.licensing.contract.life import expire_due
from marketplace.licensing.refusal.models import FirstAsk
from marketplace.licensing.refusal.operations import fall_silent, keep_true
from marketplace.licensing.refusal.rules import FIRST_ASK
from marketplace.licensing.refusal.telling import tell_answers
from marketplace.notifications.models import Notification
from marketplace.services import Services
from tests.features.licensing.conftest import Pair, sheet
from tests.features.licensing.contracts import SYSTEM, Contract, Jobs
from tests.features.licensing.test_life import told
from tests.kit.people import Make
from tests.states.table import assert_table

WISH = {"kind": "exclusive", "territories": ["DE", "AT"], "credit": "Made for Rival House", "customization": "As Rival"}


@pytest.fixture
def first(pair: Pair, services: Services, run_jobs: Jobs) -> Contract:
    """The pair's buyer holds a first refusal in Germany, in force."""
    return Contract(pair, services, run_jobs, kind="first_refusal", territories=["DE"], channels=None).active()


@pytest.fixture
def rival(pair: Pair, make: Make) -> Pair:
    """Another buyer over the same design."""
    return Pair(pair.designer, make.person("buyer", name="Rival Person"), pair.design_id)


@pytest.fixture
def wish(first: Contract, rival: Pair) -> str:
    """The negotiation in which the rival asks for an exclusive that meets the first refusal."""
    return str(rival.open(**WISH)["id"])


def asked(rival: Pair, wish: str) -> dict[str, Any]:
    answer = rival.designer.api.post(f"/negotiations/{wish}/first-refusals", {"version": 1})
    assert answer.status_code == 201, answer.text
    (found,) = answer.get_json()["items"]
    return dict(found)


def page(person: Any, path: str) -> str:
    return str(person.browser.get(path, headers={"Accept-Language": "en"}).get_data(as_text=True))


def test_the_states_of_a_question() -> None:
    answers = {
        (state, act, who): to
        for state in ("open", "silent")
        for act, who, to in (
            ("take_up", "buyer", "taken_up"),
            ("let_go", "buyer", "let_go"),
            ("withdraw", "designer", "withdrawn"),
        )
    }
    clock_steps = {
        ("open", "fall_silent", "system"): "silent",
        ("open", "lapse", "system"): "withdrawn",
        ("silent", "lapse", "system"): "withdrawn",
        ("let_go", "lapse", "system"): "withdrawn",
        ("let_go", "reopen", "system"): "open",
    }
    assert_table(FIRST_ASK, {**answers, **clock_steps}, strangers=("stranger",))


def test_the_designer_asks_from_the_thread_and_the_holder_learns_terms_and_no_name(
    first: Contract, rival: Pair, wish: str, mails: Any
) -> None:
    assert "Ask the holder" in page(rival.designer, f"/negotiations/{wish}/rights")
    assert "Ask the holder" not in page(rival.buyer, f"/negotiations/{wish}/rights")
    sent = rival.designer.browser.post(f"/negotiations/{wish}/first-refusals", {"version": "1"})
    assert sent.status_code == 303, sent.get_data(as_text=True)
    seen = page(rival.designer, f"/negotiations/{wish}/rights")
    assert "Ask the holder" not in seen
    assert "answer due" in seen
    again = rival.designer.api.post(f"/negotiations/{wish}/first-refusals", {"version": 1})
    assert (again.status_code, again.get_json()["code"]) == (409, "nobody_to_ask")
    (row,) = first.ask("buyer", "/first-refusals")["items"]
    assert (row["state"], row["negotiation"], row["version"]) == ("open", None, None)
    assert row["terms"]["territories"] == ["AT", "DE"]
    shown = page(first.pair.buyer, f"/first-refusals/{row['id']}")
    first.run_jobs()
    (mail,) = (m for m in mails(first.pair.buyer.user.email) if f"/first-refusals/{row['id']}" in str(m["links"]))
    for secret in (rival.buyer.org.name, "Rival", wish):
        assert secret not in shown
        assert secret not in str(row)
        assert secret not in str(mail)
    for person in (first.pair.buyer, first.pair.designer):
        assert f"/first-refusals/{row['id']}" in page(person, first.path)
    assert rival.buyer.api.get(f"/first-refusals/{row['id']}").status_code == 404
    refused = rival.buyer.api.post(f"/negotiations/{wish}/first-refusals", {"version": 1})
    assert (refused.status_code, refused.get_json()["code"]) == (403, "designer_only")


def test_taking_up_opens_the_form_with_these_terms_and_the_holder_can_be_granted_them(
    first: Contract, rival: Pair, wish: str
) -> None:
    key = asked(rival, wish)["id"]
    assert rival.designer.api.post(f"/first-refusals/{key}/take-up").status_code == 403
    house = {"name": "House", "terms": sheet(advance={"amount": 50_000, "currency": "USD"})}
    made = rival.designer.api.post("/term-sheets", house).get_json()
    assert rival.designer.api.post(f"/term-sheets/{made['id']}/publish", {"published": True}).status_code == 200
    sent = first.pair.buyer.browser.post(f"/first-refusals/{key}/take-up", {})
    assert sent.status_code == 303
    form = page(first.pair.buyer, sent.headers["Location"])
    assert 'value="exclusive" checked' in form
    assert 'value="AT" checked' in form
    assert "Rival" not in form
    assert 'value="500.00"' not in form  # what the studio's own sheet asks for and this offer does not
    assert "the holder wants these rights" in page(rival.designer, "/notifications")
    assert rival.designer.api.get(f"/first-refusals/{key}").get_json()["state"] == "taken_up"
    terms = {**sheet(kind="exclusive", territories=["DE", "AT"]), "channels": []}
    opened = first.pair.buyer.api.post(f"/designs/{rival.design_id}/negotiations", {"terms": terms}).get_json()
    assert rival.designer.api.post(f"/negotiations/{opened['id']}/accept", {"version": 1}).status_code == 200
    late = rival.designer.api.post(f"/negotiations/{wish}/accept", {"version": 1})
    assert late.get_json()["code"] == "rights_conflict"


def test_letting_go_begins_the_signed_ending_and_frees_the_rights_once_both_have_signed(
    first: Contract, rival: Pair, wish: str
) -> None:
    key = asked(rival, wish)["id"]
    path = f"/first-refusals/{key}"
    assert first.pair.buyer.browser.post(f"{path}/let-go", {"sell_off_months": "99"}).status_code == 422
    sent = first.pair.buyer.browser.post(f"{path}/let-go", {"reason": "Not for us.", "sell_off_months": "0"})
    assert sent.status_code == 303
    told = rival.designer.api.get(path).get_json()
    assert told["state"] == "let_go"
    assert sent.headers["Location"].startswith(f"{first.path}/addenda/{told['addendum']}")
    refused = rival.designer.api.post(f"/negotiations/{wish}/accept", {"version": 1})
    assert refused.get_json()["code"] == "rights_conflict"
    first.run_jobs()
    first.sign("buyer", f"/addenda/{told['addendum']}")
    first.sign("designer", f"/addenda/{told['addendum']}")
    assert first.state() == "ended"
    assert rival.designer.api.post(f"/negotiations/{wish}/accept", {"version": 1}).status_code == 200
    assert first.pair.buyer.api.post(f"{path}/take-up").status_code == 409


def test_silence_is_written_down_and_frees_nothing_and_a_late_answer_counts(
    first: Contract, rival: Pair, wish: str, services: Services
) -> None:
    key = asked(rival, wish)["id"]
    assert first.tick(fall_silent) == [0]
    with unit_of_work(services.engine, SYSTEM) as session:
        session.execute(update(FirstAsk).values(answer_by=clock.now() - timedelta(seconds=1)))
    assert first.tick(fall_silent, fall_silent) == [1, 0]
    assert rival.designer.api.get(f"/first-refusals/{key}").get_json()["state"] == "silent"
    assert "frees nothing" in page(rival.designer, f"/first-refusals/{key}")
    assert "The first refusal still stands" in page(rival.designer, "/notifications")
    refused = rival.designer.api.post(f"/negotiations/{wish}/accept", {"version": 1})
    assert refused.get_json()["code"] == "rights_conflict"
    assert first.pair.buyer.api.post(f"/first-refusals/{key}/take-up").get_json()["state"] == "taken_up"


def test_a_question_taken_back_is_over_and_can_be_put_again(first: Contract, rival: Pair, wish: str) -> None:
    key = asked(rival, wish)["id"]
    assert first.pair.buyer.api.post(f"/first-refusals/{key}/withdraw").status_code == 403
    assert rival.designer.browser.post(f"/first-refusals/{key}/withdraw", {}).status_code == 303
    assert first.pair.buyer.api.post(f"/first-refusals/{key}/take-up").status_code == 409
    assert asked(rival, wish)["id"] != key
    rival.buyer.api.post(f"/negotiations/{wish}/withdraw", {"version": 1})
    moot = page(rival.designer, f"/first-refusals/{first.ask('designer', '/first-refusals')['items'][0]['id']}")
    assert "The offer has moved on" in moot


def test_a_question_whose_offer_left_the_table_is_taken_back_by_the_clock(
    first: Contract, rival: Pair, wish: str
) -> None:
    key = asked(rival, wish)["id"]
    assert first.tick(keep_true) == [0]
    rival.buyer.api.post(f"/negotiations/{wish}/withdraw", {"version": 1})
    assert first.tick(keep_true, keep_true) == [1, 0]
    assert first.pair.buyer.api.get(f"/first-refusals/{key}").get_json()["state"] == "withdrawn"
    assert "已不再有效" in page(first.pair.buyer, "/notifications")
    assert first.pair.buyer.api.post(f"/first-refusals/{key}/let-go", {}).status_code == 409


def test_a_termination_that_is_not_signed_leaves_the_right_and_the_question(
    first: Contract, rival: Pair, wish: str
) -> None:
    path = f"/first-refusals/{asked(rival, wish)['id']}"
    addendum = first.pair.buyer.api.post(f"{path}/let-go", {}).get_json()["addendum"]
    assert first.tick(keep_true) == [0]
    first.ask("buyer", f"/addenda/{addendum}/close", {})
    assert first.tick(keep_true, keep_true) == [1, 0]
    again = first.pair.buyer.api.get(path).get_json()
    assert (again["state"], again["addendum"]) == ("open", None)
    assert first.pair.buyer.api.post(f"{path}/take-up").get_json()["state"] == "taken_up"


def test_a_question_is_not_put_again_once_its_offer_or_the_right_is_gone(
    first: Contract, rival: Pair, wish: str, services: Services
) -> None:
    def let_go_unsigned(negotiation: str) -> str:
        path = f"/first-refusals/{asked(rival, negotiation)['id']}"
        addendum = first.pair.buyer.api.post(f"{path}/let-go", {}).get_json()["addendum"]
        first.ask("buyer", f"/addenda/{addendum}/close", {})
        return path

    path = let_go_unsigned(wish)
    rival.buyer.api.post(f"/negotiations/{wish}/withdraw", {"version": 1})
    assert first.tick(keep_true, keep_true) == [1, 0]
    seen = first.pair.buyer.api.get(path).get_json()
    assert (seen["state"], seen["addendum"]) == ("withdrawn", None)

    path = let_go_unsigned(str(rival.open(**WISH)["id"]))
    past = clock.now() - timedelta(days=1)
    first.move(active_from=past - timedelta(days=700), active_until=past)
    assert first.tick(expire_due, keep_true) == [1, 1]
    assert first.pair.buyer.api.get(path).get_json()["state"] == "withdrawn"
    with unit_of_work(services.engine, SYSTEM) as session:
        session.execute(update(FirstAsk).where(FirstAsk.id == path.split("/")[-1]).values(state="open"))
    assert first.tick(keep_true) == [1], "nor does an open one outlive the right"
    assert told(services, "first_over") == 2


def test_an_open_question_of_a_right_that_has_expired_is_taken_back_and_the_offer_is_told(
    first: Contract, rival: Pair, wish: str
) -> None:
    path = f"/first-refusals/{asked(rival, wish)['id']}"
    first.move(active_from=clock.now() - timedelta(days=30), active_until=clock.now() - timedelta(seconds=1))
    first.tick(expire_due)
    assert first.tick(keep_true, keep_true, tell_answers, tell_answers) == [1, 0, 1, 0]
    assert first.pair.buyer.api.get(path).get_json()["state"] == "withdrawn"
    assert rival.buyer.api.get(f"/negotiations/{wish}").get_json()["first_refusal"] == "ended"
    assert rival.designer.api.post(f"/negotiations/{wish}/accept", {"version": 1}).status_code == 200


def test_the_offers_buyer_is_told_that_somebody_is_asked_and_answers_and_never_who(
    first: Contract, rival: Pair, wish: str, services: Services
) -> None:
    """Asked, silent, let go, asked again after the termination was dropped, taken up."""

    def shown() -> tuple[Any, str, str]:
        first.tick(fall_silent, keep_true, tell_answers)
        state = rival.buyer.api.get(f"/negotiations/{wish}").get_json()["first_refusal"]
        return state, page(rival.buyer, f"/negotiations/{wish}"), page(rival.buyer, "/notifications")

    path = f"/first-refusals/{asked(rival, wish)['id']}"
    seen = [shown()]
    with unit_of_work(services.engine, SYSTEM) as session:
        session.execute(update(FirstAsk).values(answer_by=clock.now() - timedelta(seconds=1)))
    seen.append(shown())
    addendum = first.pair.buyer.api.post(f"{path}/let-go", {}).get_json()["addendum"]
    seen.append(shown())
    first.ask("buyer", f"/addenda/{addendum}/close", {})
    seen.append(shown())
    first.pair.buyer.api.post(f"{path}/take-up")
    seen.append(shown())
    assert [state for state, _thread, _notices in seen] == ["asked", "silent", "let_go", "asked", "taken_up"]
    for words, notice, (_state, thread, notices) in zip(
        (
            "is asked. The answer is due by",
            "has not answered in time",
            "lets these rights go",
            "",
            "wants these rights",
        ),
        ("Somebody else is asked first", "The holder did not answer", "is let go", "", "stands against the offer"),
        seen,
        strict=True,
    ):
        assert words in thread
        assert notice in notices
        assert first.pair.buyer.org.name not in thread + notices
        assert first.pair.buyer.user.name not in thread + notices
    assert first.tick(tell_answers) == [0]
    with unit_of_work(services.engine, SYSTEM) as session:
        (kept,) = session.scalars(select(Notification.params).where(Notification.kind == "offer_first_asked").limit(1))
        assert set(kept["until"]) == {"moment"}, "each reader gets it in the own language"


def test_taking_up_with_an_own_offer_on_the_table_waits_for_its_answer(first: Contract, rival: Pair, wish: str) -> None:
    mine = first.pair.open(kind="non_exclusive", territories=["FR"])["id"]
    path = f"/first-refusals/{asked(rival, wish)['id']}"
    sent = first.pair.buyer.browser.post(f"{path}/take-up", {})
    assert sent.headers["Location"].endswith(path)
    link = f"/negotiations/{mine}/counter?first="
    assert link not in page(first.pair.buyer, path)
    terms = sheet(kind="non_exclusive", territories=["FR"], term_months=6)
    countered = rival.designer.api.post(f"/negotiations/{mine}/offers", {"base_version": 1, "terms": terms})
    assert countered.status_code == 201
    assert link in page(first.pair.buyer, path)
