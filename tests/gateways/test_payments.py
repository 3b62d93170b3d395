"""The payments gateway against the Stripe stand-in, through the real SDK."""

import threading
import time
import urllib.error
import urllib.request
from typing import Any

import pytest
import stripe

from marketplace.gateways.payment_types import (
    InsufficientFunds,
    PaymentDeclined,
    PaymentNotFound,
    PaymentRejected,
    PaymentUnavailable,
)
from marketplace.gateways.payments import Payments
from marketplace.gateways.payments.errors import vendor_errors
from tests.gateways.payers import open_session, paid, payee


def test_a_payee_is_ready_only_after_onboarding_and_not_when_restricted(payments: Payments, stripe_box: Any) -> None:
    account_id = payments.create_connected_account("studio@example.com", "DE", "Studio Lindqvist", "a1")
    before = payments.account(account_id)
    assert not before.ready
    assert not before.details_submitted
    assert before.requirements_due
    assert before.disabled_reason == "requirements_past_due"
    stripe_box.post(f"/_sandbox/accounts/{account_id}/onboard")
    after = payments.account(account_id)
    assert after.ready
    assert after.charges_enabled
    assert (after.requirements_due, after.disabled_reason) == ((), None)
    stripe_box.post(f"/_sandbox/accounts/{account_id}/restrict", {"reason": "rejected_other"})
    assert payments.account(account_id).disabled_reason == "rejected_other"
    assert not payments.account(account_id).ready


def test_the_same_key_opens_one_account(payments: Payments) -> None:
    first = payments.create_connected_account("a@example.com", "US", "A", "same")
    assert payments.create_connected_account("a@example.com", "US", "A", "same") == first


def test_a_paid_session_names_the_payment_its_charge_and_fee(payments: Payments, stripe_box: Any) -> None:
    session = open_session(payments)
    assert (session.status, session.payment_status, session.amount_total) == ("open", "unpaid", 125_000)
    assert session.currency == "USD"
    assert session.url
    stripe_box.post(f"/_sandbox/checkout/{session.id}/pay")
    done = payments.session(session.id)
    assert (done.status, done.payment_status) == ("complete", "paid")
    assert done.metadata == {"license": "lic_1"}
    assert done.client_reference_id == "lic_1"
    payment = payments.payment(done.payment_intent or "")
    assert (payment.status, payment.amount_received, payment.currency) == ("succeeded", 125_000, "USD")
    assert payment.fee == 3655  # 2.9 % of 1250.00 is 36.25, and 0.30
    assert payment.net == 125_000 - 3655
    assert payment.transfer_group == "lic_1"
    assert payment.charge
    assert payment.metadata == {"license": "lic_1"}


def test_paying_twice_charges_once(payments: Payments, stripe_box: Any) -> None:
    session = open_session(payments)
    stripe_box.post(f"/_sandbox/checkout/{session.id}/pay")
    with pytest.raises(urllib.error.HTTPError, match="409"):
        stripe_box.post(f"/_sandbox/checkout/{session.id}/pay")
    assert payments.balance().available == {"USD": 125_000 - 3655}


def test_a_declined_session_stays_open_and_can_then_be_paid(payments: Payments, stripe_box: Any, receiver: Any) -> None:
    session = open_session(payments)
    stripe_box.post(f"/_sandbox/checkout/{session.id}/decline")
    assert payments.session(session.id).payment_status == "unpaid"
    assert payments.session(session.id).status == "open"
    stripe_box.post(f"/_sandbox/checkout/{session.id}/pay")
    assert payments.session(session.id).payment_status == "paid"
    assert stripe_box.get("/_sandbox/webhooks?wait=50")["done"]
    assert "payment_intent.payment_failed" in receiver.types()


def test_an_expired_session_cannot_be_paid(payments: Payments, stripe_box: Any) -> None:
    session = open_session(payments)
    assert payments.expire_session(session.id).status == "expired"
    with pytest.raises(urllib.error.HTTPError, match="409"):
        stripe_box.post(f"/_sandbox/checkout/{session.id}/pay")
    with pytest.raises(PaymentRejected):
        payments.expire_session(session.id)


def test_the_same_key_and_body_give_the_same_session_another_body_is_refused(payments: Payments) -> None:
    first = open_session(payments, "same")
    assert open_session(payments, "same").id == first.id
    with pytest.raises(PaymentRejected) as refused:
        open_session(payments, "same", 1_000)
    assert refused.value.code == "idempotency_conflict"


def test_money_reaches_two_payees_and_never_more_than_was_charged(payments: Payments, stripe_box: Any) -> None:
    payment = paid(payments, stripe_box)
    designer, maker = payee(payments, stripe_box, "a1"), payee(payments, stripe_box, "a2")

    def send(to: str, amount: int, key: str) -> Any:
        return payments.transfer(
            amount=amount,
            currency="USD",
            destination=to,
            source_charge=payment.charge,
            transfer_group="lic_1",
            metadata={"leg": key},
            idempotency_key=key,
        )

    first = send(designer, 100_000, "t1")
    assert send(designer, 100_000, "t1").id == first.id
    send(maker, 12_500, "t2")
    with pytest.raises(PaymentRejected):
        send(maker, 12_501, "t3")
    found = payments.find_transfers("lic_1")
    assert sorted((t.amount, t.metadata["leg"]) for t in found) == [(12_500, "t2"), (100_000, "t1")]
    assert payments.balance(designer).available == {"USD": 100_000}
    assert payments.balance().available == {"USD": 125_000 - 3655 - 112_500}


def test_a_transfer_needs_an_onboarded_payee(payments: Payments, stripe_box: Any) -> None:
    payment = paid(payments, stripe_box)
    account = payments.create_connected_account("x@example.com", "IT", "X", "a9")
    with pytest.raises(PaymentRejected) as refused:
        payments.transfer(
            amount=100,
            currency="USD",
            destination=account,
            source_charge=payment.charge,
            transfer_group="lic_1",
            metadata={},
            idempotency_key="t1",
        )
    assert refused.value.code == "insufficient_capabilities_for_transfer"


def test_a_transfer_from_an_unsettled_balance_is_to_be_tried_again(payments: Payments, stripe_box: Any) -> None:
    stripe_box.post("/_sandbox/settings", {"settle_after_s": 3600})
    paid(payments, stripe_box)
    account = payee(payments, stripe_box)
    assert payments.balance().pending == {"USD": 125_000 - 3655}
    with pytest.raises(InsufficientFunds):
        payments.transfer(
            amount=100,
            currency="USD",
            destination=account,
            source_charge=None,
            transfer_group="lic_1",
            metadata={},
            idempotency_key="t1",
        )


def test_a_reversal_takes_money_back_until_it_is_paid_out(payments: Payments, stripe_box: Any) -> None:
    payment = paid(payments, stripe_box)
    account = payee(payments, stripe_box)
    transfer = payments.transfer(
        amount=50_000,
        currency="USD",
        destination=account,
        source_charge=payment.charge,
        transfer_group="lic_1",
        metadata={},
        idempotency_key="t1",
    )
    assert payments.reverse_transfer(transfer.id, 20_000, "r1").amount == 20_000
    with pytest.raises(PaymentRejected):
        payments.reverse_transfer(transfer.id, 30_001, "r2")
    stripe_box.post("/_sandbox/settings", {"payout_after_s": 0})
    end = time.monotonic() + 60
    while not [p for p in payments.payouts(account) if p.status == "paid"]:
        assert time.monotonic() < end
        time.sleep(0.1)
    assert [(p.amount, p.currency) for p in payments.payouts(account)] == [(30_000, "USD")]
    with pytest.raises(InsufficientFunds):
        payments.reverse_transfer(transfer.id, 30_000, "r3")
    assert payments.find_transfers("lic_1")[0].amount_reversed == 20_000


def test_refunds_never_exceed_what_was_paid(payments: Payments, stripe_box: Any) -> None:
    payment = paid(payments, stripe_box)
    first = payments.refund(payment.id, 25_000, "f1", {"why": "agreed"})
    assert (first.amount, first.status) == (25_000, "succeeded")
    assert payments.refund(payment.id, 25_000, "f1", {"why": "agreed"}).id == first.id
    with pytest.raises(PaymentRejected):
        payments.refund(payment.id, 100_001, "f2")
    payments.refund(payment.id, 100_000, "f3")
    with pytest.raises(PaymentRejected) as refused:
        payments.refund(payment.id, 1, "f4")
    assert refused.value.code == "charge_already_refunded"
    assert sum(r.amount for r in payments.find_refunds(payment.id)) == 125_000
    assert payments.payment(payment.id).amount_refunded == 125_000


def test_a_lost_answer_is_asked_for_again_and_takes_effect_once(payments: Payments, stripe_box: Any) -> None:
    stripe_box.post("/_sandbox/fail", {"next": 1, "path": "/v1/checkout/sessions", "lose_answer": True})
    session = open_session(payments)
    assert [s.id for s in payments._client.v1.checkout.sessions.list().data] == [session.id]


def test_when_every_answer_is_lost_the_caller_finds_what_was_made(payments: Payments, stripe_box: Any) -> None:
    payment = paid(payments, stripe_box)
    account = payee(payments, stripe_box)
    stripe_box.post("/_sandbox/fail", {"next": 9, "path": "/v1/transfers", "lose_answer": True})
    with pytest.raises(PaymentUnavailable):
        payments.transfer(
            amount=500,
            currency="USD",
            destination=account,
            source_charge=payment.charge,
            transfer_group="lic_1",
            metadata={},
            idempotency_key="t1",
        )
    stripe_box.post("/_sandbox/fail", {"next": 0})
    stripe_box.post("/_sandbox/idempotency/forget")
    assert [t.amount for t in payments.find_transfers("lic_1")] == [500]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_passing_refusal_is_unavailable_and_two_in_a_row_are_survived(
    payments: Payments, stripe_box: Any, status: int
) -> None:
    stripe_box.post("/_sandbox/fail", {"next": 2, "status": status})
    assert payments.balance().available == {"USD": 0}
    stripe_box.post("/_sandbox/fail", {"next": 9, "status": status})
    with pytest.raises(PaymentUnavailable):
        payments.balance()


def test_an_answer_that_is_not_json_is_unavailable(payments: Payments, stripe_box: Any) -> None:
    stripe_box.post("/_sandbox/fail", {"next": 9, "status": 200, "kind": "garbage"})
    with pytest.raises(PaymentUnavailable):
        payments.balance()


def test_no_server_is_unavailable_and_a_bad_key_is_rejected(free_port: int, stripe_box: Any) -> None:
    with pytest.raises(PaymentUnavailable):
        Payments("sk_test_x", f"http://127.0.0.1:{free_port}").balance()
    with pytest.raises(PaymentRejected):
        Payments("nonsense", stripe_box.url).balance()


def test_unknown_objects_are_not_found(payments: Payments) -> None:
    for ask in (payments.session, payments.payment, payments.account):
        with pytest.raises(PaymentNotFound):
            ask("cs_test_nothing")


@pytest.mark.parametrize(("amount", "code"), [(10, "amount_too_small"), (100_000_000, "amount_too_large")])
def test_amounts_outside_the_bounds_are_rejected(payments: Payments, amount: int, code: str) -> None:
    with pytest.raises(PaymentRejected) as refused:
        open_session(payments, amount=amount)
    assert refused.value.code == code


def test_the_stand_in_refuses_parameters_the_library_does_not_declare(payments: Payments) -> None:
    params: Any = {"amount": 500, "currency": "usd", "colour": "red"}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        payments._client.v1.payment_intents.create(params)
    assert (refused.value.code, refused.value.param) == ("parameter_unknown", "colour")


def test_a_declined_card_is_told_apart_from_a_refused_request(payments: Payments) -> None:
    params: Any = {"amount": 500, "currency": "usd", "payment_method": "pm_card_chargeDeclined", "confirm": True}
    with pytest.raises(PaymentDeclined) as refused, vendor_errors():
        payments._client.v1.payment_intents.create(params)
    assert refused.value.code == "card_declined"


def test_ten_requests_with_one_key_at_once_make_one_session(payments: Payments) -> None:
    ids: list[str] = []
    threads = [threading.Thread(target=lambda: ids.append(open_session(payments, "race").id)) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 10
    assert len(set(ids)) == 1


def test_a_restart_keeps_what_was_made(sandbox_runner: Any, tmp_path: Any, free_port: int) -> None:
    state = str(tmp_path / "stripe.db")
    with sandbox_runner("stripe", "--state", state, port=free_port) as box:
        gateway = Payments("sk_test_x", box.url)
        session = open_session(gateway)
        box.post(f"/_sandbox/checkout/{session.id}/pay")
    with sandbox_runner("stripe", "--state", state, port=free_port) as box:
        gateway = Payments("sk_test_x", box.url)
        assert gateway.session(session.id).payment_status == "paid"
        assert open_session(gateway).id == session.id


def test_pages_from_elsewhere_cannot_drive_the_stand_in(stripe_box: Any) -> None:
    for headers in ({"Origin": "https://evil.example"}, {"Host": "evil.example"}):
        request = urllib.request.Request(stripe_box.url + "/_sandbox/reset", b"{}", headers)
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(request)
