"""The life of a license after the signature: notices, expiry, sell-off, breach and cure, addenda, the end."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel import clock
from marketplace.kernel.errors import Conflict, DomainError
from marketplace.licensing import queries
from marketplace.licensing.contract import addenda, life
from marketplace.licensing.contract.signing import Given
from marketplace.licensing.models import Addendum, License, LicenseEvent, Signature
from marketplace.notifications.models import Notification
from marketplace.payments.models import Checkout
from marketplace.services import Services
from tests.features.licensing.conftest import Pair, sheet
from tests.features.licensing.contracts import FREE, SYSTEM, Contract, Jobs
from tests.features.licensing.test_licenses import text_of
from tests.kit.people import Make

DAY = timedelta(days=1)


@pytest.fixture
def contract(pair: Pair, services: Services, run_jobs: Jobs) -> Contract:
    """A free license in force for two years, with half a year to sell off."""
    return Contract(pair, services, run_jobs, sell_off_months=6).active()


def told(services: Services, kind: str) -> int:
    """How many notifications of a kind there are."""
    with services.engine.connect() as connection:
        return int(connection.scalar(select(func.count()).where(Notification.kind == kind)) or 0)


def ordered(services: Services, license_id: str) -> bool:
    """Whether pieces may be ordered under it now."""
    with unit_of_work(services.engine, SYSTEM) as session:
        try:
            queries.active_license(session, license_id)
        except Conflict:
            return False
    return True


def test_both_are_told_90_30_and_7_days_before_the_end_once_each(contract: Contract, services: Services) -> None:
    end = clock.now() + 100 * DAY
    contract.move(active_from=end - 600 * DAY, active_until=end)
    for left, expected in ((100, 0), (89, 1), (60, 1), (29, 2), (8, 2), (6, 3), (1, 3)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(clock, "now", lambda left=left: end - left * DAY)
            contract.tick(life.give_notices, life.give_notices)
        assert told(services, "license_expiring") == 2 * expected
    assert contract.kinds()[-3:] == ["notice"] * 3
    contract.move(active_from=clock.now(), active_until=clock.now() + 20 * DAY)
    assert contract.tick(life.give_notices) == [0], "a license of twenty days is not announced thirty days ahead"


def test_a_notice_is_given_once_for_one_end(contract: Contract, services: Services) -> None:
    contract.move(active_from=clock.now() - 600 * DAY, active_until=clock.now() + 25 * DAY)
    assert contract.tick(life.give_notices, life.give_notices, life.give_notices) == [1, 0, 0]
    assert told(services, "license_expiring") == 2
    with ThreadPoolExecutor(4) as pool:
        contract.move(active_until=clock.now() + 5 * DAY)
        assert sum(sum(done) for done in pool.map(lambda _n: contract.tick(life.give_notices), range(4))) == 1
    page = contract.pair.designer.browser.get(contract.path).get_data(as_text=True)
    for expected in ("Notice: 30 days left", "Notice: 7 days left", "The license expires", "The sell-off ends"):
        assert expected in page, expected


def test_it_expires_sells_off_ends_and_the_buyer_is_asked_until_the_word_is_given(
    contract: Contract, services: Services
) -> None:
    assert ordered(services, contract.id)
    contract.move(active_from=clock.now() - 800 * DAY, active_until=clock.now() - DAY)
    assert not ordered(services, contract.id), "also before the job has seen it"
    assert contract.tick(life.expire_due) == [1]
    assert contract.state() == "expired"
    assert contract.tick(life.expire_due, life.expire_due) == [1, 0]
    seen = contract.ask("buyer")
    assert (seen["state"], seen["sell_off_until"] > seen["active_until"]) == ("sell_off", True)
    early = contract.ask("buyer", "/attest", {"typed_name": "陈丽", "destroyed": True}, 409)
    assert early["code"] == "nothing_to_attest"
    contract.move(sell_off_until=clock.now() - DAY)
    assert contract.tick(life.expire_due) == [1]
    assert (contract.state(), contract.ask("buyer")["ended_why"]) == ("ended", "term")

    assert contract.tick(life.ask_for_attestations, life.ask_for_attestations) == [1, 0]
    with unit_of_work(services.engine, SYSTEM) as session:
        held = session.get_one(License, contract.id)
        assert life.owes_attestation(held)
    later = clock.now() + 8 * DAY
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: later)
        assert contract.tick(life.ask_for_attestations, life.ask_for_attestations) == [1, 0], "asked again a week later"
    assert told(services, "attestation_due") == 2
    assert 'name="molds"' in contract.pair.buyer.browser.get(contract.path).get_data(as_text=True)
    assert 'name="molds"' not in contract.pair.designer.browser.get(contract.path).get_data(as_text=True)
    assert contract.ask("designer", "/attest", {"typed_name": "Maya Rossi", "destroyed": True}, 403)["code"]
    assert contract.ask("buyer", "/attest", {"typed_name": "陈丽", "destroyed": False}, 422)["code"] == "invalid"
    assert contract.ask("buyer", "/attest", {"typed_name": "Else", "destroyed": True}, 422)["code"] == "name_mismatch"
    assert contract.ask("buyer", "/attest", {"typed_name": "陈丽", "destroyed": True})["attested_at"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: later + 30 * DAY)
        assert contract.tick(life.ask_for_attestations) == [0]
    assert contract.kinds()[-4:] == ["ended", "attestation_asked", "attestation_asked", "attested"]


def test_without_a_sell_off_it_ends_thirty_days_later_or_with_the_buyers_word(
    pair: Pair, services: Services, run_jobs: Jobs
) -> None:
    contract = Contract(pair, services, run_jobs).active()
    contract.move(active_from=clock.now() - 800 * DAY, active_until=clock.now() - DAY)
    assert contract.tick(life.expire_due, life.expire_due) == [1, 0]
    form = {"files": "1", "molds": "1", "makers": "1", "typed_name": "陈丽"}
    assert pair.buyer.browser.post(f"{contract.path}/attest", {**form, "makers": ""}).status_code == 422
    assert pair.buyer.browser.post(f"{contract.path}/attest", form).status_code == 303
    assert contract.state() == "ended"
    other = Contract(pair, services, run_jobs, territories=["CN"]).active()
    other.move(active_from=clock.now() - 800 * DAY, active_until=clock.now() - 31 * DAY)
    assert other.tick(life.expire_due, life.expire_due) == [1, 1]
    assert other.state() == "ended"


def test_what_is_signed_and_not_paid_lapses_unless_it_is_being_paid(
    pair: Pair, services: Services, run_jobs: Jobs
) -> None:
    contract = Contract(pair, services, run_jobs, fee={"amount": 125_000, "currency": "USD"})
    run_jobs()
    contract.sign("designer")
    contract.sign("buyer")
    contract.move(signed_at=clock.now() - 15 * DAY)
    contract.ask("buyer", "/checkout", {})
    assert contract.tick(life.expire_due) == [0], "a payment page is open"
    with unit_of_work(services.engine, SYSTEM) as session:
        session.execute(update(Checkout).values(state="expired"))
    assert contract.tick(life.expire_due) == [1]
    assert (contract.state(), contract.ask("buyer")["ended_why"]) == ("ended", "not_paid")
    assert contract.ask("buyer", "/checkout", {}, 409)["code"] == "not_payable"
    assert pair.open()["state"] == "open", "the rights are free again"


def test_a_breach_is_noticed_cured_or_ends_the_license_by_one_signature(
    contract: Contract, services: Services, run_jobs: Jobs
) -> None:
    assert contract.ask("designer", "/breach", {"reason": " "}, 422)["code"] == "invalid"
    assert contract.ask("designer", "/breach", {"reason": "No statement for two quarters."})["state"] == "breach"
    assert not ordered(services, contract.id), "nothing new is ordered meanwhile"
    assert contract.ask("buyer", "/breach", {"reason": "No, you!"}, 409)["code"] == "illegal_transition"
    assert contract.ask("buyer", "/cured", {}, 403)["code"] == "not_your_turn"
    page = contract.pair.designer.browser.get(contract.path).get_data(as_text=True)
    assert "No statement for two quarters." in page
    assert "Last day to put the breach right" in page
    assert contract.ask("designer", "/cured", {})["state"] == "active"
    assert ordered(services, contract.id)

    contract.ask("designer", "/breach", {"reason": "Again."})
    early = contract.ask("designer", "/terminations", {"reason": "Enough."}, 201)
    run_jobs()
    both = f"/addenda/{early['id']}"
    assert contract.sign("designer", both)["state"] == "to_sign", "before the time is over the other side signs too"
    assert contract.ask("designer", f"{both}/close", {})["state"] == "withdrawn"
    contract.move(cure_until=clock.now() - DAY)
    alone = contract.ask("designer", "/terminations", {"reason": "Not cured.", "sell_off_months": 0}, 201)
    run_jobs()
    path = f"/addenda/{alone['id']}"
    assert contract.ask("buyer", f"{path}/close", {}, 409)["code"] == "needs_no_answer"
    for who, button in (("buyer", False), ("designer", True)):
        page = getattr(contract.pair, who).browser.get(contract.path + path).get_data(as_text=True)
        assert (f'action="{contract.path}{path}/close"' in page) is button
    contract.ask("designer", "/cured", {})
    assert contract.ask("designer", path)["state"] == "lapsed", "it does not outlive the breach it was for"
    contract.ask("buyer", "/breach", {"reason": "You answer nobody."})
    contract.move(cure_until=clock.now() - DAY)
    with unit_of_work(services.engine, SYSTEM) as session:
        session.execute(update(Addendum).where(Addendum.id == alone["id"]).values(state="to_sign"))
    assert contract.sign("designer", path, 409)["code"] == "breach_cured", "nor does it end a breach of one's own"
    contract.move(breach_by="designer", cure_until=clock.now() + DAY)
    assert contract.sign("designer", path, 409)["code"] == "breach_cured", "nor one that may still be cured"
    contract.move(cure_until=clock.now() - DAY)
    assert contract.sign("designer", path)["state"] == "done"
    seen = contract.ask("buyer")
    assert (seen["state"], seen["ended_why"], seen["cure_until"]) == ("ended", "breach", None)
    run_jobs()
    words = text_of(contract.pair.buyer.api.get(f"{contract.path}/addenda/{alone['id']}/document").data)
    assert "Termination of the license agreement" in words
    assert "Not cured." in words, "the reason that was given"
    assert "Certificate of signing" in words


def test_an_amendment_takes_effect_when_the_second_side_has_signed(
    contract: Contract, services: Services, run_jobs: Jobs
) -> None:
    before = contract.ask("buyer")
    terms = {**before["terms"], "term_months": 36, "territories": ["DE", "FR", "IT"]}
    refused = contract.ask("buyer", "/amendments", {"terms": {**terms, "kind": "exclusive"}}, 422)
    assert refused["code"] == "fixed_terms"
    assert contract.ask("buyer", "/amendments", {"terms": before["terms"]}, 422)["code"] == "no_change"
    made = contract.ask("buyer", "/amendments", {"terms": terms, "reason": "Shops in Milan."}, 201)
    assert contract.ask("designer", "/amendments", {"terms": terms}, 409)["code"] == "addendum_open"
    path = f"/addenda/{made['id']}"
    assert contract.sign("buyer", path, 409)["code"] == "illegal_transition"
    run_jobs()
    assert contract.sign("designer", path, 409)["signs_first"] == "buyer"
    assert contract.sign("buyer", path)["whose_turn"] == "designer"
    assert contract.ask("buyer")["terms_hash"] == before["terms_hash"], "not yet"
    page = contract.pair.designer.browser.get(f"{contract.path}{path}")
    for expected in ("24 months", "36 months", "Italy", "Shops in Milan.", "It is your turn"):
        assert expected in page.get_data(as_text=True), expected
    assert contract.sign("designer", path)["state"] == "done"
    after = contract.ask("buyer")
    assert (after["state"], after["terms"]["term_months"], after["terms"]["territories"]) == (
        "active",
        36,
        ["DE", "FR", "IT"],
    )
    assert after["active_until"] > before["active_until"]
    run_jobs()
    seen = contract.ask("designer", path)
    pdf = contract.pair.designer.api.get(f"{contract.path}{path}/document").data
    assert services.seals.read(pdf).holds
    words = text_of(pdf)
    for expected in (
        "Amendment 1 to the license agreement",
        "Italy",
        before["signed_document_sha256"] or "",
        "SHA-256",
    ):
        assert expected in words, expected
    assert [mark["side"] for mark in seen["signatures"]] == ["buyer", "designer"]
    assert len(after["signatures"]) == 2, "those under the agreement itself"


def test_an_amendment_cannot_take_what_somebody_else_has(
    contract: Contract, services: Services, run_jobs: Jobs, make: Make
) -> None:
    terms = contract.ask("buyer")["terms"]
    wide = contract.ask("buyer", "/amendments", {"terms": {**terms, "territories": ["DE", "JP"]}}, 201)
    run_jobs()
    path = f"/addenda/{wide['id']}"
    contract.sign("buyer", path)
    rival = make.person("buyer")
    body = {"terms": sheet(kind="exclusive", territories=["JP"], fee=FREE)}
    opened = rival.api.post(f"/designs/{contract.pair.design_id}/negotiations", body).get_json()
    accepted = contract.pair.designer.api.post(f"/negotiations/{opened['id']}/accept", {"version": 1})
    assert accepted.status_code == 200, accepted.text
    assert contract.sign("designer", path, 409)["code"] == "rights_conflict"
    assert contract.ask("buyer")["terms"]["territories"] == terms["territories"]
    contract.ask("designer", f"{path}/close", {})
    refused = contract.ask("buyer", "/amendments", {"terms": {**terms, "territories": ["DE", "JP"]}}, 409)
    assert refused["code"] == "rights_conflict"


def test_both_together_end_it_with_time_to_sell_what_is_left(contract: Contract, run_jobs: Jobs) -> None:
    made = contract.ask("buyer", "/terminations", {"reason": "We close.", "sell_off_months": 4}, 201)
    run_jobs()
    path = f"/addenda/{made['id']}"
    contract.sign("buyer", path)
    contract.sign("designer", path)
    seen = contract.ask("buyer")
    assert (seen["state"], seen["sell_off_until"] is not None) == ("sell_off", True)
    assert contract.ask("buyer", "/terminations", {}, 409)["code"] == "license_not_active"
    assert contract.ask("buyer", "/terminations", {"sell_off_months": 25}, 409)["code"] == "license_not_active"


def test_a_proposal_is_declined_withdrawn_or_lapses_and_leaves_the_license_as_it_was(
    contract: Contract, services: Services, run_jobs: Jobs
) -> None:
    states = []
    for closer in ("designer", "buyer"):
        made = contract.ask("buyer", "/terminations", {}, 201)
        run_jobs()
        states.append(contract.ask(closer, f"/addenda/{made['id']}/close", {})["state"])
        assert contract.ask(closer, f"/addenda/{made['id']}/close", {}, 409)["code"] == "illegal_transition"
        assert contract.sign("buyer", f"/addenda/{made['id']}", 409)["code"] == "illegal_transition"
    old = contract.ask("buyer", "/terminations", {}, 201)
    with unit_of_work(services.engine, SYSTEM) as session:
        session.execute(update(Addendum).where(Addendum.id == old["id"]).values(created_at=clock.now() - 31 * DAY))
    assert contract.tick(life.lapse_addenda, life.lapse_addenda) == [1, 0]
    assert (told(services, "addendum_lapsed"), contract.kinds()[-1]) == (2, "addendum_lapsed")
    assert contract.ask("buyer", "/log")["unbroken"]
    assert "The proposal lapsed unsigned" in contract.pair.designer.browser.get(contract.path).get_data(as_text=True)
    states.append(contract.ask("buyer", f"/addenda/{old['id']}")["state"])
    assert states == ["declined", "withdrawn", "lapsed"]
    assert [row["state"] for row in contract.ask("designer", "/addenda")["items"]] == states[::-1]
    assert contract.state() == "active"
    run_jobs()
    assert contract.ask("buyer", f"/addenda/{old['id']}")["state"] == "lapsed", "its document comes too late"


def test_of_many_who_sign_or_close_an_addendum_at_once_one_wins(
    contract: Contract, services: Services, run_jobs: Jobs
) -> None:
    made = contract.ask("buyer", "/terminations", {}, 201)
    run_jobs()
    contract.sign("buyer", f"/addenda/{made['id']}")
    actor, given = contract.pair.designer.actor, Given(proved_at=clock.now(), agree=True, typed_name="Maya Rossi")

    def act(n: int) -> str:
        try:
            with unit_of_work(services.engine, actor) as session:
                if n % 2:
                    addenda.sign(session, actor, made["id"], given)
                else:
                    addenda.close(session, actor, made["id"])
        except DomainError as refusal:
            return refusal.code
        return "signed" if n % 2 else "closed"

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(act, range(8)))
    winners = [answer for answer in answers if answer in {"signed", "closed"}]
    assert len(winners) == 1
    assert contract.state() == ("ended" if winners == ["signed"] else "active")


def test_strangers_find_nothing_and_the_database_shows_them_nothing(
    contract: Contract, make: Make, services: Services
) -> None:
    made = contract.ask("buyer", "/terminations", {}, 201)
    stranger = make.person("designer")
    for path in ("/log", "/addenda", f"/addenda/{made['id']}", f"/addenda/{made['id']}/document"):
        assert stranger.api.get(contract.path + path).status_code == 404
    web: Any = stranger.browser.client.application.extensions["services"].engine
    with unit_of_work(web, stranger.actor) as session:
        for table in (Addendum, LicenseEvent, Signature):
            assert session.scalar(select(func.count()).select_from(table)) == 0


def test_the_page_of_an_amendment_changes_only_what_it_shows(contract: Contract, run_jobs: Jobs) -> None:
    browser, path = contract.pair.designer.browser, f"{contract.path}/amend"
    page = browser.get(path).get_data(as_text=True)
    assert 'value="24"' in page
    form = {"where": "world", "term_months": "24", "royalty_percent": "7.5", "sell_off_months": "6"}
    refused = browser.post(path, {**form, "channels": "online", "term_months": "9999"})
    assert refused.status_code == 422
    assert 'value="9999"' in refused.get_data(as_text=True)
    made = browser.post(path, {**form, "channels": "online", "reason": "Everywhere."})
    assert made.status_code == 303, made.get_data(as_text=True)
    seen = contract.ask("buyer", "/addenda")["items"][0]
    before = contract.ask("buyer")["terms"]
    assert {k for k, v in seen["terms"].items() if v != before.get(k)} == {"territories"}
    run_jobs()
    waiting = contract.pair.buyer.browser.get(f"{contract.path}/addenda/{seen['id']}").get_data(as_text=True)
    assert 'name="document_sha256"' not in waiting, "the proposer signs first"
    assert "Everywhere." in waiting
