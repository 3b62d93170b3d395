"""A share whose money has not settled yet: it waits, is tried again, and leaves once (PAY-13)."""

from datetime import timedelta
from typing import Any

import pytest
import requests
from sqlalchemy import select, update

from marketplace.db.jobs import JobName, JobRow
from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel import clock
from marketplace.payments import ledger, operations, refunds
from marketplace.payments.claims import Refund
from marketplace.payments.models import Checkout
from tests.features.payments.scene import SYSTEM, Scene
from tests.kit.soak import impatient

SHARE = ("license_fee", "whole")


@pytest.fixture(autouse=True)
def _settles_late(scene: Scene) -> None:
    """What buyers pay is available after two hours; what is sent stays on the payee's account."""
    scene.control("POST", "/settings", settle_after_s=7_200, payout_after_s=10**9)


def order_failures(scene: Scene, number: int) -> None:
    """The payment service answers nothing that is asked about transfers, so many times."""
    wish: dict[str, Any] = {"next": number, "path": "/v1/transfers", "status": 503}
    requests.post(f"{scene.services.settings.stripe_api_base}/_sandbox/fail", json=wish, timeout=60).raise_for_status()


def test_pay_13_out_of_its_own_charge_it_is_sent_at_once_and_becomes_available_with_it(scene: Scene) -> None:
    account = scene.onboard(scene.designer)
    scene.licensed()
    assert scene.shares()[SHARE].state == "sent"
    assert scene.services.payments.balance(account).pending == {"USD": 90_000}
    scene.control("POST", "/clock", advance_s=7_200)
    assert scene.services.payments.balance(account).available == {"USD": 90_000}
    assert len(scene.services.payments.find_transfers("lic_1")) == 1
    scene.sums()


def test_pay_13_from_a_balance_that_does_not_cover_it_it_waits_and_leaves_once(scene: Scene) -> None:
    """The payment service repeats its refusal to the same key for a day, so each try is one of its own."""
    scene.onboard(scene.designer)
    checkout = scene.open({scene.designer.org.id: ("license_fee", 100_000)}, purpose="license", subject="lic_1")
    scene.pay(checkout)
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        session.execute(update(Checkout).values(charge_id=None))  # as when the charge cannot be named
    scene.release("license", "lic_1")
    start = clock.now()
    for hours in (0, 1.5):
        with clock.frozen(start + timedelta(hours=hours)):
            scene.run_jobs()
        share = scene.shares()[SHARE]
        assert (share.state, share.reason, share.stripe_transfer_id) == ("due", "unsettled", None)
        assert "until the buyer" in scene.designer.browser.get("/payouts").get_data(as_text=True)
        assert scene.services.payments.find_transfers("lic_1") == ()
        assert scene.sums()[ledger.held(scene.designer.org.id)] == -90_000
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        job = session.scalars(select(JobRow).where(JobRow.name == JobName.SEND_TRANSFER)).one()
        assert (job.state, job.attempts, job.error) == ("queued", 0, "unsettled")
    scene.control("POST", "/clock", advance_s=7_200)
    with clock.frozen(start + timedelta(hours=3)):
        scene.run_jobs()
    assert scene.shares()[SHARE].state == "sent"
    [made] = scene.services.payments.find_transfers("lic_1")
    assert made.amount == 90_000
    assert ledger.held(scene.designer.org.id) not in scene.sums()
    assert scene.alerts() == set()


def test_a_share_that_got_no_answer_for_hours_is_shown_to_an_operator_who_sends_it_once(scene: Scene) -> None:
    """After its last try it does not stay on its way for ever; and when it had left after all, it is found."""
    scene.onboard(scene.designer)
    order_failures(scene, 1_000)
    with impatient():
        scene.licensed()
        assert scene.shares()[SHARE].state == "sending"
        with unit_of_work(scene.services.engine, SYSTEM) as session:
            sending = update(JobRow).where(JobRow.name == JobName.SEND_TRANSFER)
            session.execute(sending.values(attempts=19, run_after=clock.now()))
        scene.run_jobs()
    share = scene.shares()[SHARE]
    assert (share.state, share.reason) == ("failed", "no_answer")
    assert "transfer_failed" in scene.alerts()
    assert "has not answered; we are" in scene.designer.browser.get("/payouts").get_data(as_text=True)
    assert "has not answered; we are" in scene.make.person("operator").browser.get("/desk/money").get_data(as_text=True)
    order_failures(scene, 0)
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        operations.send_again(session, SYSTEM, share.id)
    scene.run_jobs()
    assert scene.shares()[SHARE].state == "sent"
    assert len(scene.services.payments.find_transfers("lic_1")) == 1
    scene.sums()


def test_a_late_refusal_of_an_earlier_attempt_does_not_touch_the_one_under_way(scene: Scene) -> None:
    """PAY-17: a worker that was slow brings what the payment service said to the first key."""
    scene.onboard(scene.designer)
    checkout = scene.open({scene.designer.org.id: ("license_fee", 100_000)}, purpose="license", subject="lic_1")
    scene.pay(checkout)
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        [share] = operations.release_shares(session, SYSTEM, purpose="license", subject_id="lic_1")
        session.execute(update(JobRow).values(run_after=clock.now() + timedelta(days=1)))
    for attempt in range(2):
        with unit_of_work(scene.services.engine, SYSTEM) as session:
            begun = operations.begin_transfer(session, SYSTEM, share.id)
            assert begun is not None
            assert begun.transfer.attempt == attempt
        if attempt == 0:
            with unit_of_work(scene.services.engine, SYSTEM) as session:
                operations.reject_transfer(session, SYSTEM, share.id, "refused", attempt=0)
                operations.send_again(session, SYSTEM, share.id)
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        operations.reject_transfer(session, SYSTEM, share.id, "refused", attempt=0)
        operations.postpone_transfer(session, SYSTEM, share.id, attempt=0)
    assert (scene.shares()[SHARE].state, scene.shares()[SHARE].attempt) == ("sending", 1)


def _without_an_answer(scene: Scene, *, left: int | None = None) -> tuple[str, str]:
    """The checkout and share of a license fee that was given up; `left` minor units have left for it in truth."""
    account = scene.onboard(scene.designer)
    checkout = scene.open({scene.designer.org.id: ("license_fee", 100_000)}, purpose="license", subject="lic_1")
    scene.pay(checkout)
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        [share] = operations.release_shares(session, SYSTEM, purpose="license", subject_id="lic_1")
        session.execute(update(JobRow).values(run_after=clock.now() + timedelta(days=1)))
        begun = operations.begin_transfer(session, SYSTEM, share.id)
        assert begun is not None
        operations.reject_transfer(session, SYSTEM, share.id, "no_answer", attempt=0)
    if left is not None:
        scene.services.payments.transfer(
            amount=left,
            currency="USD",
            destination=account,
            source_charge=begun.charge_id,
            transfer_group="lic_1",
            metadata={"transfer": share.id},
            idempotency_key=begun.key,
        )
    return checkout, share.id


def test_a_transfer_that_left_after_all_is_booked_when_its_event_comes(scene: Scene) -> None:
    """Nobody has to press: what was given up without an answer is booked once by what the payment service tells."""
    _without_an_answer(scene, left=90_000)
    for _ in range(2):
        scene.settle()
    assert (scene.shares()[SHARE].state, scene.shares()[SHARE].reason) == ("sent", None)
    assert ledger.held(scene.designer.org.id) not in scene.sums()


@pytest.mark.parametrize("left", [90_000, None])
def test_a_refund_waits_until_it_is_known_whether_a_share_without_an_answer_has_left(
    scene: Scene, left: int | None
) -> None:
    """PAY-13, PAY-14: nothing is taken from it meanwhile; pressing "send again" asks the payment service first."""
    checkout, share = _without_an_answer(scene, left=left)
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        row = refunds.ask(session, SYSTEM, session.get_one(Checkout, checkout), amount=40_000, reason="goodwill")
        refunds.decide(session, SYSTEM, row.id, approve=True)
    scene.run_jobs()
    assert scene.one(Refund).state == "approved"
    assert (scene.shares()[SHARE].state, scene.shares()[SHARE].back) == ("failed", 0)
    scene.make.person("operator").browser.post(f"/desk/money/shares/{share}/again")
    scene.run_jobs()
    assert scene.shares()[SHARE].state == "sent"
    with clock.frozen(clock.now() + timedelta(minutes=1)):
        scene.run_jobs()
    assert scene.one(Refund).state == "done"
    [made] = scene.services.payments.find_transfers("lic_1")
    assert (made.amount, made.amount_reversed) == (90_000, 36_000)
    assert (scene.shares()[SHARE].state, scene.shares()[SHARE].back) == ("sent", 36_000)
    assert {ledger.held(scene.designer.org.id), ledger.receivable(scene.designer.org.id)}.isdisjoint(scene.sums())


def test_a_transfer_of_another_amount_than_its_share_is_told_and_not_booked(scene: Scene) -> None:
    """PAY-24: it is neither taken for the share nor sent a second time."""
    _checkout, share = _without_an_answer(scene, left=54_000)
    scene.settle()
    assert "transfer_differs" in scene.alerts()
    assert (scene.shares()[SHARE].state, scene.shares()[SHARE].stripe_transfer_id) == ("failed", None)
    scene.make.person("operator").browser.post(f"/desk/money/shares/{share}/again")
    scene.run_jobs()
    assert scene.shares()[SHARE].state == "failed"
    assert len(scene.services.payments.find_transfers("lic_1")) == 1
