"""Money that comes late, back or not at all: bank payments, refunds, reversals, disputes, returned payouts."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.error import HTTPError

import pytest
import stripe

from marketplace.gateways.payment_types import (
    Evidence,
    InsufficientFunds,
    PayeeBlocked,
    PaymentMethod,
    PaymentNotFound,
    PaymentRejected,
)
from marketplace.gateways.payments import Payments
from tests.gateways.payers import open_session, paid, payee, sent

PAST = datetime(2020, 1, 1, tzinfo=UTC)
PDF = b"%PDF-1.7 nothing"


def books(payments: Payments) -> int:
    """Everything the vendor's books say the platform has."""
    return sum(m.net for m in payments.movements(PAST))


def test_every_movement_is_in_the_books_and_they_sum_to_the_balance(payments: Payments, stripe_box: Any) -> None:
    before = datetime.now(UTC)
    payment = paid(payments, stripe_box)
    transfer = sent(payments, payment, payee(payments, stripe_box), 50_000)
    payments.reverse_transfer(transfer.id, 20_000, "r1", {"refund": "ref_1"})
    payments.refund(payment.id, 25_000, "f1", {"refund": "ref_1"})
    stripe_box.post("/_sandbox/adjust", {"amount": -77, "currency": "usd", "description": "a fee"})
    found = list(payments.movements(before))
    assert [(m.kind, m.amount, m.fee) for m in found] == [
        ("charge", 125_000, 3655),
        ("transfer", -50_000, 0),
        ("transfer_reversal", 20_000, 0),
        ("refund", -25_000, 0),
        ("other_adjustment", -77, 0),
    ]
    assert found[0].source == payment.charge
    assert found[1].source == transfer.id
    assert {m.currency for m in found} == {"USD"}
    balance = payments.balance()
    assert books(payments) == balance.available["USD"] + balance.pending["USD"]
    assert stripe_box.get("/_sandbox/books")["balances"] == {"USD": books(payments)}
    assert list(payments.movements(before, until=before)) == []


def test_movements_are_paged_through_to_the_last(payments: Payments, stripe_box: Any) -> None:
    for n in range(105):
        stripe_box.post("/_sandbox/adjust", {"amount": n + 1, "currency": "usd"})
    assert [m.amount for m in payments.movements(PAST)] == list(range(1, 106))


def test_of_a_payment_only_brand_and_last_digits_are_read(payments: Payments, stripe_box: Any) -> None:
    payment = paid(payments, stripe_box)
    assert payment.method == PaymentMethod("card", "visa", "4242")
    charge = payments.charge(payment.charge or "")
    assert (charge.status, charge.amount, charge.fee, charge.method) == ("succeeded", 125_000, 3655, payment.method)
    assert charge.payment_intent == payment.id


def test_a_bank_payment_is_processing_until_the_bank_pays(payments: Payments, stripe_box: Any, receiver: Any) -> None:
    session = open_session(payments)
    stripe_box.post(f"/_sandbox/checkout/{session.id}/pay", {"method": "bank"})
    waiting = payments.session(session.id)
    assert waiting.processing
    assert payments.payment(waiting.payment_intent or "").processing
    assert books(payments) == 0
    stripe_box.post(f"/_sandbox/checkout/{session.id}/settle", {"status": "succeeded"})
    done = payments.session(session.id)
    assert (done.payment_status, done.processing) == ("paid", False)
    payment = payments.payment(done.payment_intent or "")
    assert payment.method == PaymentMethod("us_bank_account", "SANDBOX BANK", "6789")
    assert payment.fee == 500  # 0.8 % of 1250.00 is 10.00, and at most 5.00 is taken
    with pytest.raises(HTTPError, match="409"):
        stripe_box.post(f"/_sandbox/checkout/{session.id}/settle", {"status": "failed"})
    assert stripe_box.get("/_sandbox/webhooks?wait=50")["done"]
    assert "checkout.session.async_payment_succeeded" in receiver.types()


def test_a_bank_payment_may_fail_after_days(payments: Payments, stripe_box: Any) -> None:
    session = open_session(payments)
    stripe_box.post(f"/_sandbox/checkout/{session.id}/pay", {"method": "bank"})
    stripe_box.post(f"/_sandbox/checkout/{session.id}/settle", {"status": "failed"})
    failed = payments.session(session.id)
    payment = payments.payment(failed.payment_intent or "")
    assert (failed.payment_status, payment.failed, payment.amount_received) == ("unpaid", True, 0)
    assert payment.failure_code == "payment_method_provider_decline"
    assert books(payments) == 0


def test_a_bank_pays_by_itself_when_the_clock_is_moved(payments: Payments, stripe_box: Any) -> None:
    stripe_box.post("/_sandbox/settings", {"bank_after_s": 4 * 86_400})
    session = open_session(payments)
    stripe_box.post(f"/_sandbox/checkout/{session.id}/pay", {"method": "bank"})
    stripe_box.post("/_sandbox/clock", {"advance_s": 3 * 86_400})
    assert payments.session(session.id).processing
    stripe_box.post("/_sandbox/clock", {"advance_s": 86_400})
    assert payments.session(session.id).payment_status == "paid"


def test_a_refund_may_wait_fail_and_come_back(payments: Payments, stripe_box: Any) -> None:
    payment = paid(payments, stripe_box)
    had = books(payments)
    stripe_box.post("/_sandbox/refunds/next", {"status": "pending"})
    refund = payments.refund(payment.id, 10_000, "f1", {"refund": "ref_1"})
    assert (refund.status, books(payments)) == ("pending", had - 10_000)
    stripe_box.post(f"/_sandbox/refunds/{refund.id}/settle", {"status": "succeeded"})
    assert payments.get_refund(refund.id).status == "succeeded"
    stripe_box.post(f"/_sandbox/refunds/{refund.id}/settle", {"status": "failed", "reason": "lost_or_stolen_card"})
    back = payments.get_refund(refund.id)
    assert (back.status, back.failure_reason, back.metadata) == ("failed", "lost_or_stolen_card", {"refund": "ref_1"})
    assert books(payments) == had
    assert [m.kind for m in payments.movements(PAST)][-1] == "refund_failure"
    assert payments.payment(payment.id).amount_refunded == 0
    assert payments.refund(payment.id, 125_000, "f2").status == "succeeded"


def test_more_than_is_left_is_named_so(payments: Payments, stripe_box: Any) -> None:
    payment = paid(payments, stripe_box)
    transfer = sent(payments, payment, payee(payments, stripe_box), 50_000)
    with pytest.raises(PaymentRejected) as refused:
        payments.refund(payment.id, 125_001, "f1")
    assert refused.value.code == "refund_exceeds"
    with pytest.raises(PaymentRejected) as refused:
        payments.reverse_transfer(transfer.id, 50_001, "r1")
    assert refused.value.code == "reversal_exceeds"


def test_a_reversal_by_hand_is_found_without_our_metadata(payments: Payments, stripe_box: Any) -> None:
    transfer = sent(payments, paid(payments, stripe_box), payee(payments, stripe_box), 50_000)
    payments.reverse_transfer(transfer.id, 5_000, "r1", {"refund": "ref_1"})
    stripe_box.post(f"/_sandbox/transfers/{transfer.id}/reverse", {"amount": 7_000})
    assert [(r.amount, dict(r.metadata)) for r in payments.find_reversals(transfer.id)] == [
        (7_000, {}),
        (5_000, {"refund": "ref_1"}),
    ]
    assert payments.get_transfer(transfer.id).amount_reversed == 12_000


def test_a_dispute_takes_the_money_and_the_fee_and_gives_both_back_when_won(
    payments: Payments, stripe_box: Any, receiver: Any
) -> None:
    """PAY-16: opened, answered with evidence, won."""
    payment = paid(payments, stripe_box)
    had = books(payments)
    opened = stripe_box.post("/_sandbox/disputes", {"payment_intent": payment.id, "reason": "product_not_received"})
    dispute = payments.dispute(opened["id"])
    assert (dispute.status, dispute.reason, dispute.amount) == ("needs_response", "product_not_received", 125_000)
    assert (dispute.withdrawn, dispute.fees, books(payments)) == (125_000, 1500, had - 126_500)
    assert dispute.evidence_due is not None
    assert dispute.evidence_due > datetime.now(UTC) + timedelta(days=8)
    assert payments.payment(payment.id).disputed
    with pytest.raises(PaymentRejected) as refused:
        payments.refund(payment.id, 100, "f1")
    assert refused.value.code == "charge_disputed"
    file = payments.upload_evidence("合同.pdf", PDF, "application/pdf", "e1")
    assert payments.upload_evidence("合同.pdf", PDF, "application/pdf", "e1") == file
    evidence = Evidence({"shipping_carrier": "Malca-Amit"}, {"customer_signature": file})
    staged = payments.submit_evidence(dispute.id, evidence, submit=False, idempotency_key="s1")
    assert (staged.status, staged.evidence_submitted) == ("needs_response", False)
    answered = payments.submit_evidence(dispute.id, evidence, submit=True, idempotency_key="s2")
    assert (answered.status, answered.evidence_submitted) == ("under_review", True)
    with pytest.raises(PaymentRejected):
        payments.submit_evidence(dispute.id, evidence, submit=True, idempotency_key="s3")
    stripe_box.post(f"/_sandbox/disputes/{dispute.id}/win")
    won = payments.find_disputes(payment.id)[0]
    assert (won.status, won.withdrawn, won.fees, books(payments)) == ("won", 0, 0, had)
    assert stripe_box.get("/_sandbox/webhooks?wait=50")["done"]
    told = [e for e in receiver.events if e.object_type == "dispute"]
    assert {e.type.rpartition(".")[2] for e in told} == {
        "created", "funds_withdrawn", "updated", "funds_reinstated", "closed"
    }  # fmt: skip


def test_a_lost_dispute_keeps_the_money_unless_the_bank_changes_its_mind(payments: Payments, stripe_box: Any) -> None:
    """PAY-16: lost, then reinstated; the fee stays with the vendor."""
    payment = paid(payments, stripe_box)
    had = books(payments)
    opened = stripe_box.post("/_sandbox/disputes", {"payment_intent": payment.id, "amount": 40_000})
    stripe_box.post(f"/_sandbox/disputes/{opened['id']}/lose")
    assert payments.dispute(opened["id"]).status == "lost"
    assert books(payments) == had - 41_500
    stripe_box.post(f"/_sandbox/disputes/{opened['id']}/reinstate")
    again = payments.dispute(opened["id"])
    assert (again.status, again.withdrawn, again.fees, books(payments)) == ("won", 0, 1500, had - 1500)


def test_an_inquiry_takes_nothing_until_it_becomes_a_dispute(payments: Payments, stripe_box: Any) -> None:
    payment = paid(payments, stripe_box)
    had = books(payments)
    wish = {"payment_intent": payment.id, "inquiry": True, "due_in_s": 60}
    opened = stripe_box.post("/_sandbox/disputes", wish)
    assert (payments.dispute(opened["id"]).status, books(payments)) == ("warning_needs_response", had)
    payments.refund(payment.id, 1_000, "f1")
    stripe_box.post(f"/_sandbox/disputes/{opened['id']}/withdraw")
    assert books(payments) == had - 1_000 - 126_500
    stripe_box.post("/_sandbox/clock", {"advance_s": 61})
    late = payments.dispute(opened["id"])
    assert (late.status, late.past_due) == ("needs_response", True)
    with pytest.raises(PaymentRejected):
        payments.submit_evidence(late.id, Evidence({"product_description": "x"}), submit=True, idempotency_key="s1")


@pytest.mark.parametrize(
    ("data", "kind", "code"),
    [
        (PDF, "text/html", "evidence_type"),
        (b"", "image/png", "evidence_size"),
        (b"x" * 5_242_881, "image/png", "evidence_size"),
    ],
)
def test_what_is_no_evidence_is_not_sent(payments: Payments, data: bytes, kind: str, code: str) -> None:
    with pytest.raises(PaymentRejected) as refused:
        payments.upload_evidence("x", data, kind, "e1")
    assert refused.value.code == code


def test_a_lost_or_closed_account_is_told_apart_and_gets_nothing(
    payments: Payments, stripe_box: Any, receiver: Any
) -> None:
    """PAY-19: deauthorized, closed, restricted."""
    payment = paid(payments, stripe_box)
    gone, closed, held = (payee(payments, stripe_box, key) for key in ("a1", "a2", "a3"))
    stripe_box.post(f"/_sandbox/accounts/{gone}/deauthorize")
    stripe_box.post(f"/_sandbox/accounts/{closed}/close")
    stripe_box.post(f"/_sandbox/accounts/{held}/restrict", {"reason": "rejected_fraud", "due": []})
    with pytest.raises(PayeeBlocked) as lost:
        payments.account(gone)
    assert lost.value.code == "account_lost"
    assert (payments.account(closed).state, payments.account(held).state) == ("closed", "rejected")
    codes = []
    for account in (gone, closed, held):
        with pytest.raises(PayeeBlocked) as blocked:
            sent(payments, payment, account, 100, f"t-{account}")
        codes.append(blocked.value.code)
    assert codes == ["account_lost", "account_closed", "insufficient_capabilities_for_transfer"]
    assert payments.find_transfers("lic_1") == ()
    assert stripe_box.get("/_sandbox/webhooks?wait=50")["done"]
    told = {e.type: (e.object_type, e.object_id) for e in receiver.events}
    assert told["account.application.deauthorized"] == ("account", gone)
    assert told["v2.core.account.closed"] == ("account", closed)


def test_an_account_says_what_it_still_needs(payments: Payments, stripe_box: Any) -> None:
    account = payments.create_connected_account("studio@example.com", "DE", "Studio", "a1")
    fresh = payments.account(account)
    assert fresh.state == "onboarding"
    assert {r.status for r in fresh.requirements} == {"past_due"}
    assert fresh.due_by is not None
    stripe_box.post(
        f"/_sandbox/accounts/{account}/restrict", {"reason": "requirements_pending_verification", "due": []}
    )
    assert payments.account(account).state == "checking"
    stripe_box.post(f"/_sandbox/accounts/{account}/restrict", {"reason": "restricted_other", "due": []})
    assert payments.account(account).state == "restricted"
    stripe_box.post(f"/_sandbox/accounts/{account}/onboard")
    assert (payments.account(account).state, payments.account(account).due_by) == ("active", None)


def test_a_payout_is_returned_only_after_it_arrived_and_its_money_rests_a_day(
    payments: Payments, stripe_box: Any
) -> None:
    """PAY-22: failed, returned; the money cannot be taken back before it is back."""
    account = payee(payments, stripe_box)
    transfer = sent(payments, paid(payments, stripe_box), account, 50_000)
    payout = stripe_box.post(f"/_sandbox/accounts/{account}/payout")[0]
    with pytest.raises(HTTPError, match="409"):
        stripe_box.post(f"/_sandbox/payouts/{payout['id']}/return")
    with pytest.raises(InsufficientFunds):
        payments.reverse_transfer(transfer.id, 1, "r1")
    stripe_box.post("/_sandbox/clock", {"advance_s": 2})
    assert payments.payout(payout["id"], account).status == "paid"
    stripe_box.post(f"/_sandbox/payouts/{payout['id']}/return", {"code": "no_account"})
    back = payments.payout(payout["id"], account)
    assert (back.status, back.failure_code) == ("failed", "no_account")
    assert back.failure_message
    assert payments.balance(account).pending == {"USD": 50_000}
    assert payments.reverse_transfer(transfer.id, 50_000, "r2").amount == 50_000


def test_a_key_is_forgotten_after_a_day_of_the_sandbox_clock(payments: Payments, stripe_box: Any) -> None:
    """PAY-11: at 24 h and a minute the key makes a second object; only looking first prevents it."""
    payment = paid(payments, stripe_box)
    account = payee(payments, stripe_box)
    first = sent(payments, payment, account, 100)
    stripe_box.post("/_sandbox/clock", {"advance_s": 86_340})
    assert sent(payments, payment, account, 100).id == first.id
    stripe_box.post("/_sandbox/clock", {"advance_s": 120})
    assert sent(payments, payment, account, 100).id != first.id
    assert len(payments.find_transfers("lic_1")) == 2


def test_the_same_key_for_another_amount_is_a_hard_stop(payments: Payments, stripe_box: Any) -> None:
    """PAY-12."""
    payment = paid(payments, stripe_box)
    payments.refund(payment.id, 100, "same")
    with pytest.raises(PaymentRejected) as refused:
        payments.refund(payment.id, 200, "same")
    assert refused.value.code == "idempotency_conflict"
    assert payments.payment(payment.id).amount_refunded == 100


@pytest.mark.parametrize("what", ["get_refund", "get_transfer", "find_reversals", "dispute", "charge"])
def test_unknown_things_are_not_found(payments: Payments, what: str) -> None:
    with pytest.raises(PaymentNotFound):
        getattr(payments, what)("nothing_1")


def test_chance_is_the_same_for_the_same_seed_and_makes_no_second_effect(
    payments: Payments, stripe_box: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates = {"lost_answer": 0.2, "error": 0.15, "rate_limit": 0.1, "stay": 0.0, "duplicate": 0.3, "drop": 0.1}
    told = []
    monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0.01)
    for _ in range(2):
        stripe_box.post("/_sandbox/reset")
        stripe_box.post("/_sandbox/chaos", {"seed": 11, "rates": rates})
        for n in range(4):
            open_session(payments, f"k{n}")
        told.append(stripe_box.get("/_sandbox/chaos")["counts"])
        stripe_box.post("/_sandbox/chaos", {"seed": None})
        assert len(payments._client.v1.checkout.sessions.list().data) == 4
    assert told[0] == told[1]
    assert sum(told[0].values()) > 0


def test_events_can_be_taken_in_an_order_of_chance_signed_at_a_chosen_moment(
    payments: Payments, stripe_box: Any
) -> None:
    stripe_box.post("/_sandbox/webhooks", {"hold": True})
    stripe_box.post("/_sandbox/chaos", {"seed": 3, "rates": {"duplicate": 0.5, "reorder": 0.5, "drop": 0.2}})
    for n in range(6):
        paid(payments, stripe_box, f"k{n}")
    taken = stripe_box.post("/_sandbox/webhooks", {"take": 100, "at": int(time.time()) - 100})["events"]
    read = [payments.verify_webhook(e["body"].encode(), e["signature"]).id for e in taken]
    assert len(set(read)) < 24  # 4 for each of 6 payments were made, some never come
    assert len(read) > len(set(read))
    assert stripe_box.post("/_sandbox/webhooks", {"take": 100})["events"] == []
    stripe_box.post("/_sandbox/webhooks", {"hold": False})
