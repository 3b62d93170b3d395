"""What is undone goes back to where it was: disputes reinstated, refunds called off; and failed refunds that end."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel import clock
from marketplace.notifications.models import Notification
from marketplace.payments import disputes, ledger, payees, refunds
from marketplace.payments.claims import Dispute, GiveBack, Refund
from marketplace.payments.models import PaymentAccount
from tests.features.payments.scene import SYSTEM, Scene
from tests.kit.people import Person


def _told(scene: Scene, kind: str) -> set[str]:
    with Session(scene.services.engine) as session:
        return {name for name in session.scalars(select(Notification.org_id).where(Notification.kind == kind)) if name}


def _returned(scene: Scene, amount: int = 50_000) -> tuple[str, str]:
    """A refund of an order that the buyer's bank has sent back: the payment and the refund."""
    checkout = scene.paid()
    refund = scene.refund(checkout, amount)
    scene.control("POST", f"/refunds/{scene.one(Refund).stripe_refund_id}/settle", status="failed")
    scene.settle()
    assert scene.one(Refund).state == "failed"
    return checkout, refund


def _end(operator: Person, refund: str, how: str, answer: str = "Bank reference 77") -> Any:
    return operator.browser.post(f"/desk/money/refunds/{refund}/end", {"action": how, "answer": answer})


def test_a_reinstated_dispute_leaves_an_undelivered_order_held_on_its_own_conditions(scene: Scene) -> None:
    """PAY-16: nothing is paid out for an order that nobody has accepted."""
    scene.onboard(scene.maker)
    scene.onboard(scene.designer)
    checkout = scene.paid()
    dispute = scene.dispute(scene.checkout(checkout).payment_intent or "")
    for step in ("lose", "reinstate"):
        scene.end(dispute, step)
    scene.settle()
    waits = {key: (share.state, share.reason, share.back) for key, share in scene.shares().items()}
    assert waits == {
        ("production", "deposit"): ("held", "awaiting_start", 0),
        ("production", "balance"): ("held", "awaiting_delivery", 0),
        ("royalty", "whole"): ("held", "awaiting_delivery", 0),
    }
    scene.sums()
    scene.release(milestone="deposit")
    assert scene.shares()[("production", "deposit")].state == "sent"
    scene.release()
    assert {share.state for share in scene.shares().values()} == {"sent"}
    assert ledger.held(scene.maker.org.id) not in scene.sums()


def test_a_dispute_that_is_won_leaves_the_deposit_waiting_for_the_start(scene: Scene) -> None:
    checkout = scene.paid()
    dispute = scene.dispute(scene.checkout(checkout).payment_intent or "")
    assert {share.reason for share in scene.shares().values()} == {"disputed"}
    scene.end(dispute, "win")
    assert scene.shares()[("production", "deposit")].reason == "awaiting_start"


def test_a_refund_that_came_back_is_paid_by_hand_and_booked_against_our_bank(scene: Scene) -> None:
    """PAY-22: the end of a refund that the payment service cannot make."""
    checkout, refund = _returned(scene)
    operator = scene.make.person("operator")
    page = operator.browser.get(f"/desk/money/refunds/{refund}").text
    assert "could not make this refund" in page
    assert "The card has expired or was canceled" in page
    assert _end(operator, refund, "paid", answer=" ").status_code == 422
    assert scene.buyer.browser.post(f"/desk/money/refunds/{refund}/end", {"action": "paid"}).status_code == 403
    assert _end(operator, refund, "paid").status_code == 303
    scene.run_jobs()
    row = scene.one(Refund)
    assert (row.state, row.by_hand, row.answer) == ("done", True, "Bank reference 77")
    sums = scene.sums()
    assert ledger.REFUNDS not in sums
    assert sums[ledger.BANK] == -50_000
    assert _told(scene, "refund_by_hand") == {scene.buyer.org.id}
    shown = scene.buyer.browser.get(f"/refunds/{refund}").text
    assert "Bank reference 77" in shown
    assert "Paid another way" in shown
    assert scene.buyer.api.get(f"/payments/{checkout}").json["refundable"]["amount"] == 50_001
    # What the payment service still tells of the one that came back changes nothing; nor does a second press.
    assert _end(operator, refund, "off").status_code == 409
    scene.sweep()
    assert (scene.one(Refund).state, scene.sums()) == ("done", sums)


def test_a_refund_that_came_back_is_called_off_and_the_shares_are_the_payees_again(scene: Scene) -> None:
    scene.onboard(scene.maker)
    checkout = scene.paid()
    scene.release(milestone="deposit")
    refund = scene.refund(checkout, 100_001)
    scene.control("POST", f"/refunds/{scene.one(Refund).stripe_refund_id}/settle", status="failed")
    scene.settle()
    assert {share.state for share in scene.shares().values()} == {"sent", "returned"}
    assert _end(scene.make.person("operator"), refund, "off", answer="The account is closed.").status_code == 303
    for _ in range(2):
        scene.run_jobs()
    assert scene.one(Refund).state == "undone"
    held = {key: share.state for key, share in scene.shares().items()}
    # The deposit had been sent, so it is sent once more; what was held is held still.
    assert held == {
        ("production", "deposit"): "sent",
        ("production", "again1"): "sent",
        ("production", "balance"): "held",
        ("royalty", "whole"): "held",
    }
    sums = scene.sums()
    assert {ledger.REFUNDS, ledger.BANK}.isdisjoint(sums)
    assert sums[ledger.held(scene.designer.org.id)] == -18_001
    assert _told(scene, "refund_called_off") == {scene.buyer.org.id}
    assert _told(scene, "share_restored") == {scene.maker.org.id, scene.designer.org.id}
    assert scene.buyer.api.get(f"/payments/{checkout}").json["refundable"]["amount"] == 100_001


def test_money_that_came_too_late_cannot_be_kept(scene: Scene) -> None:
    checkout = scene.paid()
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        row = refunds.return_late(session, SYSTEM, scene.checkout(checkout))
        refunds.reject(session, SYSTEM, row.id, "charge_disputed")
    assert _end(scene.make.person("operator"), row.id, "off").status_code == 409


def test_a_refund_sent_back_whose_event_is_lost_is_found_by_the_sweep(scene: Scene) -> None:
    """PAY-05, PAY-22: its movement has the refund as its source, of which a booking is there already."""
    scene.refund(scene.paid(), 10_000)
    scene.control("POST", "/webhooks", hold=True)
    scene.control("POST", f"/refunds/{scene.one(Refund).stripe_refund_id}/settle", status="failed")
    scene.sweep()
    assert scene.one(Refund).state == "failed"
    assert scene.sums()[ledger.REFUNDS] == -10_000


def test_an_answer_that_was_read_earlier_overwrites_no_newer_state(scene: Scene) -> None:
    """PAY-04, PAY-17: read before, taken over after, what another worker has taken over meanwhile."""
    account = scene.onboard(scene.designer)
    checkout = scene.paid()
    refund = scene.refund(checkout, 10_000)
    vendor = scene.services.payments
    early = vendor.get_refund(scene.one(Refund).stripe_refund_id)
    scene.control("POST", f"/refunds/{early.id}/settle", status="failed")
    scene.settle()
    early_dispute = vendor.dispute(scene.dispute(scene.checkout(checkout).payment_intent or ""))
    scene.end(early_dispute.id, "win")
    early_account, asked_at = vendor.account(account), clock.now()
    scene.control("POST", f"/accounts/{account}/restrict")
    scene.settle()
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        assert refunds.confirm(session, SYSTEM, refund, early) is None
        disputes.take_over(session, SYSTEM, checkout, early_dispute)
        payees.update_account(session, SYSTEM, early_account, cause="late", asked_at=asked_at)
    assert scene.one(Refund).state == "failed"
    assert (scene.one(Dispute).status, scene.one(Dispute).settled) == ("won", "won")
    with Session(scene.services.engine) as session:
        assert session.get_one(PaymentAccount, scene.designer.org.id).ready is False
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        later = clock.now() + timedelta(seconds=1)
        payees.update_account(session, SYSTEM, early_account, cause="now", asked_at=later)
        assert session.get_one(PaymentAccount, scene.designer.org.id).ready is True


def test_a_refund_of_another_amount_is_told_and_not_booked(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """PAY-24: the alert stays, the task ends."""
    real = type(scene.services.payments).refund
    monkeypatch.setattr(type(scene.services.payments), "refund", lambda me, i, amount, *a: real(me, i, amount - 1, *a))
    scene.refund(scene.paid(), 10_000)
    assert "refund_differs" in scene.alerts()
    assert scene.one(Refund).state == "refunding"
    with Session(scene.services.engine) as session:
        assert len(session.scalars(select(GiveBack)).all()) == 2
