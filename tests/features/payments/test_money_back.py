"""Refunds, disputes and debts: every way back, each booked once, the books equal to the vendor's."""

from datetime import timedelta

import pytest

from marketplace.db.unit_of_work import unit_of_work
from marketplace.gateways import payment_types
from marketplace.kernel import clock
from marketplace.kernel.errors import Conflict, Forbidden, Invalid
from marketplace.payments import ledger, refunds, reversals
from marketplace.payments.claims import Dispute, Refund
from marketplace.payments.models import Checkout
from tests.features.payments.scene import SYSTEM, Scene


def test_a_refund_before_anything_was_sent_takes_from_each_share_and_our_fee(scene: Scene) -> None:
    checkout = scene.paid()
    scene.refund(checkout, 33_333)
    assert scene.one(Refund).state == "done"
    sums = scene.sums()
    assert (sums[ledger.held(scene.maker.org.id)], sums[ledger.held(scene.designer.org.id)]) == (-47_999, -12_001)
    assert sums[ledger.FEES] == -6_668
    back = 100_001 - 33_333
    assert -sum(v for k, v in sums.items() if k.startswith(("liabilities:", "revenue:"))) == back
    with pytest.raises(Invalid, match="more than is left"):
        scene.refund(checkout, back + 1)
    scene.refund(checkout, back)
    sums = scene.sums()
    assert {k for k in sums if k.startswith(("liabilities:", "revenue:", "assets:receivable"))} == set()
    assert {share.state for share in scene.shares().values()} == {"returned"}
    scene.release()
    assert {share.state for share in scene.shares().values()} == {"returned"}


def test_a_refund_after_the_transfer_reverses_first(scene: Scene) -> None:
    """PAY-14: full, after a part."""
    scene.onboard(scene.designer)
    checkout = scene.licensed()
    assert scene.shares()[("license_fee", "whole")].state == "sent"
    scene.refund(checkout, 30_001)
    sums = scene.sums()
    assert ledger.receivable(scene.designer.org.id) not in sums
    assert sums[ledger.FEES] == -(10_000 - 3_000)
    scene.refund(checkout, 69_999)
    sums = scene.sums()
    assert set(sums) == {ledger.STRIPE, ledger.PROCESSING}
    assert scene.shares()[("license_fee", "whole")].payable == 0


def test_what_a_payee_cannot_cover_is_a_debt_kept_back_from_the_next_share(scene: Scene) -> None:
    """PAY-15: the account is empty, the debt is told and withheld."""
    account = scene.onboard(scene.designer)
    checkout = scene.licensed()
    scene.control("POST", f"/accounts/{account}/payout")
    scene.refund(checkout, 50_000)
    assert scene.one(Refund).state == "done"
    sums = scene.sums()
    assert sums[ledger.receivable(scene.designer.org.id)] == 45_000
    assert "debt" in scene.alerts()
    shares = {scene.designer.org.id: ("license_fee", 40_000)}
    scene.pay(scene.open(shares, purpose="license", subject="lic_2"))
    scene.release("license", "lic_2")
    sums = scene.sums()
    assert sums[ledger.receivable(scene.designer.org.id)] == 45_000 - 36_000
    assert "offset" in {share.state for share in scene.every_share()}
    scene.pay(scene.open(shares, purpose="license", subject="lic_3"))
    scene.release("license", "lic_3")
    assert ledger.receivable(scene.designer.org.id) not in scene.sums()
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        assert reversals.debts(session, scene.designer.org.id) == []
    assert len(scene.services.payments.find_transfers("lic_3")) == 1
    assert scene.services.payments.find_transfers("lic_3")[0].amount == 36_000 - 9_000


def test_a_lost_answer_makes_no_second_refund_or_reversal(scene: Scene) -> None:
    """PAY-11: the calls are made, the answers lost, the vendor's keys forgotten."""
    scene.onboard(scene.designer)
    checkout = scene.licensed()
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        row = refunds.ask(session, SYSTEM, session.get_one(Checkout, checkout), amount=20_000, reason="goodwill")
        refunds.decide(session, SYSTEM, row.id, approve=True)
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        begun = refunds.begin(session, SYSTEM, row.id)
        assert begun is not None
        reversal = begun[2][0]
    transfer = scene.shares()[("license_fee", "whole")].stripe_transfer_id or ""
    payments = scene.services.payments
    payments.reverse_transfer(transfer, reversal.amount, "forgotten", {"reversal": reversal.id})
    payments.refund(scene.checkout(checkout).payment_intent or "", 20_000, "forgotten too", {"refund": row.id})
    scene.control("POST", "/idempotency/forget")
    scene.settle()
    assert scene.one(Refund).state == "done"
    assert len(payments.find_reversals(transfer)) == 1
    assert len(payments.find_refunds(scene.checkout(checkout).payment_intent or "")) == 1
    scene.sums()


def test_a_refund_made_in_the_dashboard_is_taken_over(scene: Scene) -> None:
    checkout = scene.paid()
    scene.services.payments.refund(scene.checkout(checkout).payment_intent or "", 10_000, "by hand")
    scene.settle()
    assert (scene.one(Refund).origin, scene.one(Refund).state) == ("outside", "done")
    assert "refund_outside" in scene.alerts()
    scene.sums()


def test_a_refund_that_the_bank_sends_back_is_owed_still(scene: Scene) -> None:
    checkout = scene.paid()
    scene.refund(checkout, 10_000)
    scene.control("POST", f"/refunds/{scene.one(Refund).stripe_refund_id}/settle", status="failed")
    scene.settle()
    assert scene.one(Refund).state == "failed"
    assert scene.sums()[ledger.REFUNDS] == -10_000
    assert "refund_returned" in scene.alerts()


def test_who_asks_and_who_decides(scene: Scene) -> None:
    order = scene.paid()
    license_fee = scene.licensed()
    operator = scene.make.person("operator")
    engine = scene.services.engine
    with unit_of_work(engine, scene.buyer.actor) as session:
        asked = refunds.ask(
            session, scene.buyer.actor, session.get_one(Checkout, license_fee), amount=5_000, reason="other"
        )
        of_order = refunds.ask(
            session, scene.buyer.actor, session.get_one(Checkout, order), amount=5_000, reason="not_delivered"
        )
        with pytest.raises(Conflict, match="already"):
            refunds.ask(session, scene.buyer.actor, session.get_one(Checkout, order), amount=1, reason="other")
    for who in (scene.buyer, scene.maker):
        with pytest.raises(Forbidden), unit_of_work(engine, who.actor) as session:
            refunds.decide(session, who.actor, asked.id, approve=True)
    with pytest.raises(Forbidden), unit_of_work(engine, scene.designer.actor) as session:
        refunds.decide(session, scene.designer.actor, of_order.id, approve=True)
    with unit_of_work(engine, scene.designer.actor) as session:
        refunds.decide(session, scene.designer.actor, asked.id, approve=False, answer="It was delivered.")
    with pytest.raises(Conflict), unit_of_work(engine, scene.buyer.actor) as session:
        refunds.withdraw(session, scene.buyer.actor, asked.id)
    with unit_of_work(engine, scene.buyer.actor) as session:
        refunds.withdraw(session, scene.buyer.actor, of_order.id)
    with unit_of_work(engine, operator.actor) as session:
        given = refunds.ask(session, operator.actor, session.get_one(Checkout, order), amount=5_000, reason="goodwill")
        assert given.state == "approved"


@pytest.mark.parametrize("sent", [False, True])
@pytest.mark.parametrize("ends", [("win",), ("lose",), ("lose", "reinstate")])
def test_a_dispute_to_its_end(scene: Scene, sent: bool, ends: tuple[str, ...]) -> None:
    """PAY-16: withdrawn, won, lost, reinstated, before and after the transfer; events in a storm of copies."""
    if sent:
        scene.onboard(scene.designer)
    checkout = scene.licensed()
    dispute = scene.dispute(scene.checkout(checkout).payment_intent or "", reason="product_not_received")
    assert scene.sums()[ledger.DISPUTED] == 100_000
    assert scene.one(Dispute).closed_at is None
    if not sent:
        assert scene.shares()[("license_fee", "whole")].reason == "disputed"
        scene.onboard(scene.designer)
        assert scene.services.payments.find_transfers("lic_1") == ()
    with pytest.raises(Conflict, match="bank is already asked"):
        scene.refund(checkout, 1)
    for step in ends:
        scene.end(dispute, step)
        scene.settle()
    sums = scene.sums()
    assert ledger.DISPUTED not in sums
    if ends == ("lose",):
        assert sums.get(ledger.FEES, 0) == 0
        assert ledger.held(scene.designer.org.id) not in sums
        assert scene.one(Dispute).settled == "lost"
    else:
        assert sums[ledger.FEES] == -10_000
        assert scene.one(Dispute).settled == "won"
        assert sum(t.amount - t.amount_reversed for t in scene.services.payments.find_transfers("lic_1")) == 90_000


def test_a_dispute_after_a_refund_takes_only_what_is_left(scene: Scene) -> None:
    """PAY-16: no double recovery; what nobody can give any more is our loss, by its name."""
    checkout = scene.paid()
    scene.refund(checkout, 60_000)
    intent = scene.checkout(checkout).payment_intent or ""
    dispute = scene.dispute(intent, amount=40_001)
    scene.end(dispute, "lose")
    assert not {k for k in scene.sums() if k.startswith(("liabilities:", "revenue:"))}
    late = payment_types.Refund("re_late", intent, None, 500, "USD", "succeeded", {})
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        assert refunds.adopt(session, SYSTEM, checkout, late) is not None
        assert refunds.adopt(session, SYSTEM, checkout, late) is None
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        assert ledger.balance_of(session, f"refund:{late.id}", ledger.STRIPE) == -500
        assert {b.account: b.amount for b in ledger.balances(session)}[ledger.LOSSES] == 500
        assert ledger.problems(session) == []


def test_a_transfer_reversed_by_hand_is_owed_again_and_alerted(scene: Scene) -> None:
    """PAY-22."""
    scene.onboard(scene.designer)
    scene.licensed()
    transfer = scene.shares()[("license_fee", "whole")].stripe_transfer_id
    scene.control("POST", f"/transfers/{transfer}/reverse", amount=40_000)
    scene.settle()
    again = scene.shares()[("license_fee", "again1")]
    assert (again.amount, again.state, again.reason) == (40_000, "held", "reversed_outside")
    assert scene.sums()[ledger.held(scene.designer.org.id)] == -40_000
    assert "reversed_outside" in scene.alerts()
    scene.release("license", "lic_1")
    assert scene.shares()[("license_fee", "again1")].state == "held"
    scene.release("license", "lic_1", "again1")
    assert scene.shares()[("license_fee", "again1")].state == "sent"
    assert ledger.held(scene.designer.org.id) not in scene.sums()


def test_a_changed_account_cools_for_three_days_and_large_shares_need_four_eyes(scene: Scene) -> None:
    """PAY-18: in the row by SQL as well; PAY-19: what waited is sent when the account is good again."""
    scene.onboard(scene.designer)
    account = scene.services.payments.create_connected_account("x@b.example", "GB", "Other", "other")
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        scene_account = scene.account(scene.designer)
        session.add(scene_account)
        scene_account.stripe_account_id = account
    assert scene.account(scene.designer).hold_until is not None
    scene.control("POST", f"/accounts/{account}/onboard")
    scene.settle()
    scene.licensed()
    big = {scene.designer.org.id: ("license_fee", 2_000_000)}
    scene.pay(scene.open(big, purpose="license", subject="lic_2"))
    scene.release("license", "lic_2")
    assert {s.reason for s in scene.shares().values()} == {"cooling"}
    with clock.frozen(clock.now() + timedelta(hours=73)):
        scene.sweep()
        assert sorted(str(s.reason) for s in scene.every_share()) == ["None", "four_eyes"]
        operator = scene.make.person("operator")
        scene.approve_change(operator, scene.designer)
        scene.run_jobs()
    assert {s.state for s in scene.every_share()} == {"sent"}
    scene.sums()


@pytest.mark.parametrize("how", ["deauthorize", "close", "restrict"])
def test_an_account_lost_in_mid_flow_holds_the_money_and_is_told(scene: Scene, how: str) -> None:
    """PAY-19."""
    account = scene.onboard(scene.designer)
    scene.control("POST", f"/accounts/{account}/{how}")
    scene.settle()
    assert "account_lost" in scene.alerts()
    scene.licensed()
    share = scene.shares()[("license_fee", "whole")]
    assert (share.state, share.reason) == ("due", "account_restricted")
    assert scene.sums()[ledger.held(scene.designer.org.id)] == -90_000


def test_parts_of_a_workshops_price_are_released_apart(scene: Scene) -> None:
    scene.onboard(scene.maker)
    scene.onboard(scene.designer)
    scene.paid()
    shares = scene.shares()
    assert [(shares[("production", m)].gross, shares[("production", m)].reason) for m in ("deposit", "balance")] == [
        (24_000, "awaiting_start"),
        (56_000, "awaiting_delivery"),
    ]
    scene.release(milestone="deposit")
    assert {key: s.state for key, s in scene.shares().items()} == {
        ("production", "deposit"): "sent",
        ("production", "balance"): "held",
        ("royalty", "whole"): "held",
    }
    scene.release()
    assert {s.state for s in scene.shares().values()} == {"sent"}
    scene.sums()


def test_of_several_payees_each_learns_its_own_part_of_a_refund_and_never_the_whole(scene: Scene) -> None:
    checkout = scene.paid()
    scene.refund(checkout, 33_333)
    refund = scene.one(Refund)
    for person in (scene.maker, scene.designer):
        own = sum(share.gross for (_kind, _part), share in scene.shares().items() if share.org_id == person.org.id)
        shown = person.api.get(f"/refunds/{refund.id}")
        assert shown.status_code == 200, shown.text
        assert shown.json["amount"]["amount"] == own
        told = person.browser.get("/notifications").get_data(as_text=True)
        assert "333.33" not in told
        assert "of your share" in told
    assert scene.buyer.api.get(f"/refunds/{refund.id}").json["amount"]["amount"] == 33_333
