"""What changes a license or ends it, and what the clock does about it."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import event

from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel import clock
from marketplace.licensing.contract import addenda, breach
from marketplace.licensing.contract.signing import Given
from marketplace.licensing.terms import Terms
from marketplace.services import Services
from tests.features.licensing.conftest import Pair
from tests.features.licensing.contracts import SYSTEM, Contract, Jobs
from tests.features.licensing.test_life import ordered, told

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
