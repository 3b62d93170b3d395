"""Transfers that somebody reverses by hand at the payment service, at the worst moments (PAY-22)."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from marketplace.db.jobs import JobName, JobRow
from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel import clock
from marketplace.notifications.models import Notification
from marketplace.payments import ledger, refunds, reversals
from marketplace.payments.claims import Refund
from marketplace.payments.models import Checkout, Payout, Transfer
from tests.features.payments.scene import SYSTEM, Scene


@pytest.fixture(autouse=True)
def _kept(scene: Scene) -> None:
    """What is sent stays on the payee's account until a test pays it out."""
    scene.control("POST", "/settings", payout_after_s=10**9)


def debt(scene: Scene) -> int:
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        return sum(owed.amount for owed in reversals.debts(session, scene.designer.org.id))


def test_while_a_reversal_of_ours_is_under_way(scene: Scene) -> None:
    scene.onboard(scene.designer)
    checkout = scene.licensed()
    transfer = scene.shares()[("license_fee", "whole")].stripe_transfer_id
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        row = refunds.ask(session, SYSTEM, session.get_one(Checkout, checkout), amount=100_000, reason="goodwill")
        refunds.decide(session, SYSTEM, row.id, approve=True)
        assert refunds.begin(session, SYSTEM, row.id) is not None
        made = JobRow.name == JobName.MAKE_REFUND
        session.execute(update(JobRow).where(made).values(run_after=clock.now() + timedelta(hours=1)))
    scene.control("POST", f"/transfers/{transfer}/reverse", amount=50)
    scene.settle()
    assert scene.sums()[ledger.held(scene.designer.org.id)] == -50
    with clock.frozen(clock.now() + timedelta(hours=2)):
        scene.run_jobs()
    assert scene.one(Refund).state == "done"
    assert debt(scene) == scene.sums()[ledger.receivable(scene.designer.org.id)] == 90_000
    scene.release("license", "lic_1", "again1")
    assert scene.shares()[("license_fee", "again1")].state == "offset"
    assert debt(scene) == scene.sums()[ledger.receivable(scene.designer.org.id)] == 89_950


def test_after_the_debt_over_it_was_paid_otherwise(scene: Scene) -> None:
    account = scene.onboard(scene.designer)
    checkout = scene.licensed()
    transfer = scene.shares()[("license_fee", "whole")].stripe_transfer_id
    scene.control("POST", f"/accounts/{account}/payout")
    scene.refund(checkout, 100_000)
    assert debt(scene) == 90_000
    scene.pay(scene.open({scene.designer.org.id: ("license_fee", 200_000)}, purpose="license", subject="lic_2"))
    scene.release("license", "lic_2")
    assert debt(scene) == 0
    scene.control("POST", f"/transfers/{transfer}/reverse", amount=50)
    scene.settle()
    again = scene.shares()[("license_fee", "again1")]
    assert (again.amount, again.state, again.reason) == (50, "held", "reversed_outside")
    assert scene.sums()[ledger.held(scene.designer.org.id)] == -50


def test_it_is_found_without_its_event_beside_transfers_that_nobody_knows(scene: Scene) -> None:
    scene.onboard(scene.designer)
    scene.licensed()
    transfer = scene.shares()[("license_fee", "whole")].stripe_transfer_id
    scene.pay(scene.open({scene.designer.org.id: ("license_fee", 5_000)}, purpose="license", subject="lic_2"))
    scene.release("license", "lic_2")
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        session.execute(update(Transfer).where(Transfer.subject_id == "lic_2").values(stripe_transfer_id="tr_gone"))
    scene.control("POST", f"/transfers/{transfer}/reverse", amount=50)
    scene.sweep()
    assert scene.sums()[ledger.held(scene.designer.org.id)] == -50
    scene.sweep()
    assert scene.sums()[ledger.held(scene.designer.org.id)] == -50


def test_a_debt_that_was_forgiven_can_be_asked_for_again(scene: Scene) -> None:
    """PAY-16: lost with an empty account, reinstated, then given back: the payee owes it as if nothing had been."""
    account = scene.onboard(scene.designer)
    checkout = scene.licensed()
    scene.control("POST", f"/accounts/{account}/payout")
    dispute = scene.dispute(scene.checkout(checkout).payment_intent or "")
    scene.end(dispute, "lose")
    assert debt(scene) == 90_000
    scene.end(dispute, "reinstate")
    assert debt(scene) == 0
    assert scene.shares()[("license_fee", "whole")].payable == 90_000
    scene.refund(checkout, 50_000)
    assert debt(scene) == scene.sums()[ledger.receivable(scene.designer.org.id)] == 45_000


@pytest.mark.parametrize("how", ["fail", "return"])
def test_a_payout_that_a_bank_sends_back_is_told_once_and_moves_nothing_of_ours(scene: Scene, how: str) -> None:
    """PAY-22: on its way or after it had arrived; the money is on the payee's account again, our books stand."""
    account = scene.onboard(scene.designer)
    scene.licensed()
    before = scene.sums()
    scene.control("POST", f"/accounts/{account}/payout")
    [payout] = scene.services.payments.payouts(account)
    if how == "return":
        scene.wait_for_payout()
    scene.control("POST", f"/payouts/{payout.id}/{how}", code="account_closed")
    for _ in range(2):
        scene.settle()
    assert scene.alerts() == {"payout_failed"}
    assert scene.sums() == before
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        row = session.get_one(Payout, payout.id)
        assert (row.status, row.failure_code, row.amount) == ("failed", "account_closed", 90_000)
        told = select(func.count()).where(Notification.kind == "payout_failed")
        assert session.scalar(told.where(Notification.org_id == scene.designer.org.id)) == 1
    assert scene.shares()[("license_fee", "whole")].state == "sent"


def test_a_dispute_does_not_send_what_was_taken_back_by_hand(scene: Scene) -> None:
    """PAY-15, PAY-22: it waits for a person during the dispute and after it, and the person can release it."""
    scene.onboard(scene.designer)
    checkout = scene.licensed()
    transfer = scene.shares()[("license_fee", "whole")].stripe_transfer_id
    scene.control("POST", f"/transfers/{transfer}/reverse", amount=50)
    scene.settle()
    dispute = scene.dispute(scene.checkout(checkout).payment_intent or "")
    assert scene.shares()[("license_fee", "again1")].reason == "reversed_outside"
    scene.end(dispute, "win")
    again = scene.shares()[("license_fee", "again1")]
    assert (again.state, again.reason) == ("held", "reversed_outside")
    released = scene.make.person("operator").browser.post(f"/desk/money/shares/{again.id}/release")
    assert released.status_code == 303
    scene.settle()
    assert scene.shares()[("license_fee", "again1")].state == "sent"
