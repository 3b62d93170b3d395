"""What changes a license or ends it, and what the clock does about it."""

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel import clock
from marketplace.licensing.contract import addenda, breach, life
from marketplace.licensing.contract.signing import Given
from marketplace.licensing.terms import Terms
from marketplace.services import Services
from tests.features.licensing.conftest import Pair
from tests.features.licensing.contracts import SYSTEM, Contract, Jobs
from tests.features.licensing.test_life import ordered, told
from tests.kit.people import Make

DAY = timedelta(days=1)


@pytest.fixture
def contract(pair: Pair, services: Services, run_jobs: Jobs) -> Contract:
    """A free license in force for two years, with half a year to sell off."""
    return Contract(pair, services, run_jobs, sell_off_months=6).active()


def test_the_time_to_cure_and_the_notice_itself_end_by_the_clock(contract: Contract, services: Services) -> None:
    contract.ask("designer", "/breach", {"reason": "No statement."})
    steps = (breach.say_time_is_over, breach.lapse_notices)
    assert contract.tick(*steps) == [0, 0]
    contract.move(cure_until=clock.now() - DAY)
    assert contract.tick(*steps, *steps) == [1, 0, 0, 0], "once"
    assert (told(services, "breach_uncured"), told(services, "breach_not_cured")) == (1, 1)
    page = contract.pair.designer.browser.get(contract.path).get_data(as_text=True)
    assert "your notice lapses on" in page
    assert "The time to cure the breach was over" in page
    contract.move(cure_until=clock.now() - 31 * DAY)
    made = contract.ask("designer", "/terminations", {}, 201)
    assert contract.tick(breach.lapse_notices) == [0], "a termination is being signed"
    contract.ask("designer", f"/addenda/{made['id']}/close", {})
    assert contract.tick(breach.lapse_notices, breach.lapse_notices) == [1, 0]
    seen = contract.ask("buyer")
    assert (seen["state"], seen["cure_until"], contract.kinds()[-1]) == ("active", None, "notice_lapsed")
    assert told(services, "breach_lapsed") == 2
    assert ordered(services, contract.id)


def test_an_amendment_locks_the_license_before_the_rights_as_an_order_does(
    contract: Contract, services: Services
) -> None:
    taken: list[str] = []

    def see(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "pg_advisory_xact_lock" in statement or ("FROM licenses" in statement and "FOR UPDATE" in statement):
            taken.append("rights" if "pg_advisory" in statement else "license")

    changed = Terms.model_validate({**contract.ask("buyer")["terms"], "term_months": 30})
    event.listen(services.engine, "before_cursor_execute", see)
    try:
        with unit_of_work(services.engine, contract.pair.buyer.actor) as session:
            made = addenda.propose_amendment(session, contract.pair.buyer.actor, contract.id, changed).id
        proposing = taken[:2]
        given = Given(proved_at=clock.now(), agree=True, typed_name="陈丽")
        with unit_of_work(services.engine, SYSTEM) as session:
            addenda.document_made(session, SYSTEM, made, key="k", sha256="ab" * 32)
        taken.clear()
        with unit_of_work(services.engine, contract.pair.buyer.actor) as session:
            addenda.sign(session, contract.pair.buyer.actor, made, given)
    finally:
        event.remove(services.engine, "before_cursor_execute", see)
    assert proposing == taken[:2] == ["license", "rights"]


def test_an_unchanged_form_of_a_license_for_one_alloy_changes_nothing(
    pair: Pair, services: Services, run_jobs: Jobs
) -> None:
    contract = Contract(pair, services, run_jobs, metals=["18k_yellow"], sell_off_months=6).active()
    path = f"{contract.path}/amend"
    page = pair.designer.browser.get(path).get_data(as_text=True)
    assert re.search(r'name="metals" value="18k_yellow"[^>]* checked', page), "the one alloy can be kept"
    form = {"where": "countries", "metals": re.findall(r'name="metals" value="(\w+)"[^>]* checked', page)}
    form |= {"territories": ["DE", "FR"], "channels": ["online"], "term_months": "24", "royalty_percent": "7.5"}
    assert form["metals"] == ["18k_yellow"]
    refused = pair.designer.browser.post(path, {**form, "sell_off_months": "6"})
    assert refused.status_code == 422
    assert "These are the terms of the license." in refused.get_data(as_text=True)


def drawn(contract: Contract, addendum_id: str) -> str:
    """The addendum's path, its document made without making a PDF."""
    with unit_of_work(contract.services.engine, SYSTEM) as session:
        addenda.document_made(session, SYSTEM, addendum_id, key="k", sha256="ab" * 32)
    return f"/addenda/{addendum_id}"


def test_an_amendment_above_the_limit_takes_a_colleague_to_propose_and_another_to_sign(
    contract: Contract, make: Make
) -> None:
    pair = contract.pair
    second = make.sign_in(make.user(pair.buyer.org, "buyer", name="Wu Fang"), pair.buyer.org, "buyer")
    limits = pair.buyer.api.request("PUT", "/approval-limits", {"limits": {"USD": 100_000}})
    assert limits.status_code == 200, limits.text
    usd = {"currency": "USD"}
    terms = {**contract.ask("buyer")["terms"], "minimum_guarantee": {"amount": 900_000, **usd}}

    path = drawn(contract, contract.ask("designer", "/amendments", {"terms": terms}, 201)["id"])
    contract.sign("designer", path)
    refused = contract.sign("buyer", path, 403)
    assert (refused["code"], refused["limit"]) == ("approval_needed", {"amount": 100_000, **usd})
    page = second.browser.get(contract.path + path, headers={"Accept-Language": "en"}).get_data(as_text=True)
    assert "Decline it and propose it yourselves" in page
    assert 'name="document_sha256"' not in page
    contract.ask("buyer", f"{path}/close", {})

    path = drawn(contract, contract.ask("buyer", "/amendments", {"terms": terms}, 201)["id"])
    assert contract.sign("buyer", path, 403)["code"] == "approval_needed", "not by the one who proposed it"
    answer = second.api.post(f"{contract.path}{path}/sign", {"typed_name": "Wu Fang", "agree": True})
    assert answer.status_code == 200, answer.text
    assert contract.sign("designer", path)["state"] == "done"
    terms |= {"minimum_guarantee": {"amount": 800_000, **usd}}
    path = drawn(contract, contract.ask("designer", "/amendments", {"terms": terms}, 201)["id"])
    contract.sign("designer", path)
    assert contract.sign("buyer", path)["state"] == "done", "what commits to less needs nobody"


def test_an_amendment_cannot_end_the_license_in_passing(contract: Contract) -> None:
    terms = contract.ask("buyer")["terms"]
    contract.move(active_from=clock.now() - 100 * DAY)
    refused = contract.ask("buyer", "/amendments", {"terms": {**terms, "term_months": 3}}, 422)
    assert (refused["code"], list(refused["errors"])) == ("ends_already", ["term_months"])
    path = drawn(contract, contract.ask("buyer", "/amendments", {"terms": {**terms, "term_months": 4}}, 201)["id"])
    contract.sign("buyer", path)
    contract.move(active_from=clock.now() - 130 * DAY)
    assert contract.sign("designer", path, 409)["code"] == "ends_already", "nor when it is signed too late"
    assert contract.state() == "active"


def test_forms_are_left_alone_while_the_sealed_copy_is_made_and_say_what_was_wrong(contract: Contract) -> None:
    browser = contract.pair.designer.browser
    page = browser.get(contract.path).get_data(as_text=True)
    assert '<div id="license">' in page, "nothing swaps the part with the forms"
    assert re.search(r'id="license-document"[^>]* hx-get=[^>]*hx-select="#license-document"', page)
    refused = browser.post(f"{contract.path}/terminate", {"sell_off_months": "99", "reason": "We close."})
    assert refused.status_code == 422
    page = refused.get_data(as_text=True)
    assert re.search(r"<details open><summary>[^<]*end the license", page), page
    assert 'href="#end-sell_off_months"' in page
    assert page.count("We close.") == 1, "not in the form for a breach"
    page = browser.post(f"{contract.path}/breach", {"reason": " "}).get_data(as_text=True)
    assert 'href="#breach-reason"' in page
    assert page.count("<details open>") == 1


def test_a_list_says_what_ends_soon_and_when_and_why_it_really_ended(contract: Contract) -> None:
    def shown(state: str) -> str:
        return contract.pair.designer.browser.get(f"/licenses?state={state}").get_data(as_text=True)

    def listed(state: str) -> list[dict[str, Any]]:
        return list(contract.pair.designer.api.get(f"/licenses?state={state}").get_json()["items"])

    assert contract.path not in shown("expiring")
    assert (listed("expiring"), contract.ask("buyer")["expiring"]) == ([], False)
    contract.move(active_from=clock.now() - 600 * DAY, active_until=clock.now() + 80 * DAY)
    assert [row["expiring"] for row in listed("expiring")] == [True]
    assert "Expiring soon</span>" in shown("")
    assert "Expiring soon</span>" in contract.pair.designer.browser.get(contract.path).get_data(as_text=True)

    made = contract.ask("buyer", "/terminations", {"reason": "We close.", "sell_off_months": 4}, 201)
    path = drawn(contract, made["id"])
    contract.sign("buyer", path)
    contract.sign("designer", path)
    contract.move(sell_off_until=clock.now() - DAY)
    assert contract.tick(life.expire_due) == [1]
    seen = contract.ask("buyer")
    assert (seen["state"], seen["ended_why"]) == ("ended", "mutual"), "not as if the term had run out"
    row = shown("ended").split(contract.path)[1]
    assert seen["ended_at"] < seen["active_until"]
    assert f"{clock.now():%-d %b %Y}" in row or f"{clock.now():%b %-d, %Y}" in row, row
