"""Payments that arrive on our balance in another currency than was agreed, at rates that move (PAY-21, PAY-27).

The stand-in changes dollars into pounds at the rate of the moment, as a platform's account without a dollar balance
does.
"""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from marketplace.db.unit_of_work import unit_of_work
from marketplace.gateways.payment_types import Dispute, Moved, Movement
from marketplace.gateways.payment_types import Refund as ReportedRefund
from marketplace.kernel import clock
from marketplace.payments import disputes, ledger, refunds
from marketplace.payments.models import Checkout
from tests.features.payments.scene import SYSTEM, Scene
from tests.features.payments.test_comparison import compared

SHARE = ("license_fee", "whole")


def rate(scene: Scene, pounds: str) -> None:
    scene.control("POST", "/settings", settles={"usd": ["gbp", pounds]}, payout_after_s=10**9)


def fee_asked(scene: Scene) -> str:
    shares = {scene.designer.org.id: ("license_fee", 100_000)}
    return scene.open(shares, purpose="license", subject="lic_1")


def sums(scene: Scene) -> dict[tuple[str, str], int]:
    """Balances by account and currency; the invariants hold, and the vendor's books are ours in every currency."""
    with Session(scene.services.engine) as session:
        assert ledger.problems(session) == []
        found = {(b.account, b.currency): b.amount for b in ledger.balances(session) if b.amount}
    books = scene.services.payments.balance()
    for code in ("USD", "GBP"):
        theirs = books.available.get(code, 0) + books.pending.get(code, 0)
        assert found.get((ledger.STRIPE, code), 0) == theirs, code
    return found


def test_pay_21_the_terms_are_those_of_the_offer_whatever_the_rate_is_at_capture(scene: Scene) -> None:
    rate(scene, "0.80")
    checkout = fee_asked(scene)
    rate(scene, "0.75")
    scene.pay(checkout)
    row = scene.checkout(checkout)
    assert (row.state, row.amount, row.currency) == ("paid", 100_000, "USD")
    assert sums(scene) == {
        (ledger.held(scene.designer.org.id), "USD"): -90_000,
        (ledger.FEES, "USD"): -10_000,
        (ledger.EXCHANGE, "USD"): 100_000,
        (ledger.EXCHANGE, "GBP"): -75_000,
        (ledger.PROCESSING, "GBP"): 2_198,
        (ledger.STRIPE, "GBP"): 72_802,
    }


def test_pay_21_a_refund_at_another_rate_gives_the_agreed_amount_back_and_its_loss_is_booked(scene: Scene) -> None:
    rate(scene, "0.80")
    checkout = fee_asked(scene)
    scene.pay(checkout)
    rate(scene, "0.90")
    scene.refund(checkout, 40_000)
    found = sums(scene)
    assert found[ledger.held(scene.designer.org.id), "USD"] == -54_000
    assert (found[ledger.EXCHANGE, "USD"], found[ledger.EXCHANGE, "GBP"]) == (60_000, -80_000 + 36_000)
    rate(scene, "0.70")
    scene.refund(checkout, 60_000)
    found = sums(scene)
    # Nothing is open in dollars; in pounds the first refund lost 40.00 and the second won 60.00.
    assert {account for account, code in found if code == "USD"} == set()
    assert found[ledger.EXCHANGE, "GBP"] == -80_000 + 36_000 + 42_000
    assert compared(scene).differences == []


def test_pay_21_a_refund_that_comes_back_is_booked_at_the_rate_of_that_day(scene: Scene) -> None:
    rate(scene, "0.80")
    checkout = fee_asked(scene)
    scene.pay(checkout)
    scene.refund(checkout, 50_000)
    refund = scene.services.payments.find_refunds(scene.checkout(checkout).payment_intent or "")[0]
    rate(scene, "0.60")
    scene.control("POST", f"/refunds/{refund.id}/settle", status="failed")
    scene.settle()
    found = sums(scene)
    assert (found[ledger.REFUNDS, "USD"], found[ledger.EXCHANGE, "USD"]) == (-50_000, 100_000)
    assert found[ledger.EXCHANGE, "GBP"] == -80_000 + 40_000 - 30_000


def test_pay_27_a_share_is_paid_in_the_agreed_currency_or_waits_for_it_and_is_never_changed(scene: Scene) -> None:
    """Two linked bookings on arrival; what the balance does not have in dollars waits, an operator is told."""
    account = scene.onboard(scene.designer)
    rate(scene, "0.80")
    scene.pay(fee_asked(scene))
    scene.release("license", "lic_1")
    share = scene.shares()[SHARE]
    assert (share.state, share.reason, share.currency) == ("due", "unsettled", "USD")
    assert scene.alerts() == {"currency_missing"}
    assert sums(scene)[ledger.held(scene.designer.org.id), "USD"] == -90_000
    scene.control("POST", "/settings", settles={})
    other = {scene.maker.org.id: ("production", 200_000)}
    scene.pay(scene.open(other))
    with clock.frozen(clock.now() + timedelta(hours=2)):
        scene.run_jobs()
    assert scene.shares()[SHARE].state == "sent"
    [made] = scene.services.payments.find_transfers("lic_1")
    assert (made.amount, made.currency, made.source_charge) == (90_000, "USD", None)
    assert scene.services.payments.balance(account).available == {"USD": 90_000}
    assert (ledger.held(scene.designer.org.id), "USD") not in sums(scene)


@pytest.mark.parametrize(
    ("end", "disputed", "kept"), [("win", 0, -80_000 + 70_000 - 60_000), ("lose", 0, -80_000 + 70_000)]
)
def test_pay_21_a_dispute_at_other_rates_is_about_the_agreed_amount(
    scene: Scene, end: str, disputed: int, kept: int
) -> None:
    rate(scene, "0.80")
    checkout = fee_asked(scene)
    scene.pay(checkout)
    rate(scene, "0.70")
    dispute = scene.dispute(scene.checkout(checkout).payment_intent or "")
    assert sums(scene)[ledger.DISPUTED, "USD"] == 100_000
    rate(scene, "0.60")
    scene.end(dispute, end)
    found = sums(scene)
    assert found.get((ledger.DISPUTED, "USD"), 0) == disputed
    assert found[ledger.EXCHANGE, "GBP"] == kept
    assert found.get((ledger.held(scene.designer.org.id), "USD"), 0) == (-90_000 if end == "win" else 0)
    assert compared(scene).differences == []


def test_pay_21_a_refund_whose_movement_is_told_later_gets_its_exchange_then(scene: Scene) -> None:
    """What leaves the balance for it is not known at first; what comes back of it neither."""
    rate(scene, "0.80")
    checkout = fee_asked(scene)
    scene.pay(checkout)
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        asked = refunds.ask(session, SYSTEM, session.get_one(Checkout, checkout), amount=50_000, reason="goodwill")
        row = refunds.decide(session, SYSTEM, asked.id, approve=True).id
        assert refunds.begin(session, SYSTEM, row) is not None
        other = ReportedRefund(
            id="re_late",
            payment_intent="pi_1",
            charge="ch_1",
            amount=50_000,
            currency="USD",
            status="pending",
            metadata={"refund": row},
        )
        assert refunds.confirm(session, SYSTEM, row, other) is not None
    gone = ledger.EXCHANGE, "GBP"
    moved, returned = Moved(-45_000, "GBP"), Moved(44_000, "GBP")
    before = _balances(scene)[gone]
    for _ in range(2):
        with unit_of_work(scene.services.engine, SYSTEM) as session:
            assert refunds.confirm(session, SYSTEM, row, replace(other, moved=moved)) is None
    assert _balances(scene)[gone] == before + 45_000
    back = replace(other, moved=moved, status="failed", returned=None)
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        assert refunds.bounced(session, SYSTEM, row, back)
    for _ in range(2):
        with unit_of_work(scene.services.engine, SYSTEM) as session:
            assert not refunds.bounced(session, SYSTEM, row, replace(back, returned=returned))
    assert _balances(scene)[gone] == before + 45_000 - 44_000


def test_pay_21_a_movement_of_a_dispute_booked_as_it_moved_is_not_linked(scene: Scene) -> None:
    """Booked in pounds before the agreed currency was: a link would take out dollars that are not there."""
    rate(scene, "0.80")
    checkout = fee_asked(scene)
    scene.pay(checkout)
    now = clock.now()
    moved = Movement("txn_old", "dispute", "adjustment", "du_old", -70_000, 0, -70_000, "GBP", now, now, "available")
    reported = Dispute(
        id="du_old",
        payment_intent=scene.checkout(checkout).payment_intent,
        charge="ch_1",
        amount=100_000,
        currency="USD",
        reason="fraudulent",
        status="needs_response",
        evidence_due=None,
        evidence_submitted=False,
        past_due=False,
        created=now,
        movements=(moved,),
    )
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        lines = [ledger.Line(ledger.STRIPE, -70_000), ledger.Line(ledger.DISPUTED, 70_000)]
        ledger.post(
            session, key="dispute:txn_old", kind="dispute", subject_id="lic_1", memo="", currency="GBP", lines=lines
        )
    before = _balances(scene)
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        disputes.take_over(session, SYSTEM, checkout, reported)
    assert _balances(scene) == before


def _balances(scene: Scene) -> dict[tuple[str, str], int]:
    with Session(scene.services.engine) as session:
        return {(b.account, b.currency): b.amount for b in ledger.balances(session) if b.amount}
