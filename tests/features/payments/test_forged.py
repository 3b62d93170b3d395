"""Events and objects that do not fit what we asked for: without effect, and told to the operators."""

import hashlib
import hmac
import json
import time
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from marketplace.db.jobs import JobRow
from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel import clock
from marketplace.payments import operations
from marketplace.payments.checkout import url_for_checkout
from marketplace.payments.claims import Alert
from marketplace.payments.models import Checkout, LedgerEntry, PaymentEvent
from tests.features.payments.scene import SYSTEM, Scene


def asked(scene: Scene) -> str:
    """A license fee that is to be paid, its page open."""
    shares = {scene.designer.org.id: ("license_fee", 100_000)}
    checkout = scene.open(shares, purpose="license", subject="lic_1")
    url_for_checkout(scene.services, scene.buyer.actor, checkout)
    return checkout


def paid_on_its_page(scene: Scene, checkout: str) -> str:
    """The buyer pays; we have not been told. The session."""
    page = scene.checkout(checkout).stripe_session_id or ""
    scene.control("POST", f"/checkout/{page}/pay")
    return page


def entries(scene: Scene) -> int:
    with Session(scene.services.engine) as session:
        return session.scalar(select(func.count()).select_from(LedgerEntry)) or 0


def post(app: Flask, scene: Scene, event_id: str, page: str, **more: Any) -> int:
    """An event about a session, signed as the payment service signs."""
    subject = {"id": page, "object": "checkout.session"}
    event: dict[str, Any] = {
        "id": event_id,
        "object": "event",
        "api_version": None,
        "created": 1_700_000_000,
        "livemode": False,
    }
    event |= {"type": "checkout.session.completed", "data": {"object": subject}, **more}
    body, at = json.dumps(event).encode(), int(time.time())
    key = scene.services.settings.stripe_webhook_secret.encode()
    header = f"t={at},v1={hmac.new(key, b'%d.' % at + body, hashlib.sha256).hexdigest()}"
    headers = {"Stripe-Signature": header, "Content-Type": "application/json"}
    return app.test_client().post("/webhooks/stripe", data=body, headers=headers).status_code


@pytest.mark.parametrize("other", [{"amount": 100_001}, {"currency": "EUR"}])
def test_pay_07_another_amount_or_currency_than_was_asked_is_refused_and_told(
    scene: Scene, other: dict[str, Any]
) -> None:
    checkout = asked(scene)
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        session.execute(update(Checkout).values(**other))
    paid_on_its_page(scene, checkout)
    scene.settle()
    assert scene.checkout(checkout).state == "open"
    assert (entries(scene), scene.every_share()) == (0, [])
    assert "payment_mismatch" in scene.alerts()


def test_pay_07_a_payment_of_nothing_of_ours_or_on_another_page_is_told_and_books_nothing(scene: Scene) -> None:
    checkout = asked(scene)
    for reference in ("chk_none", checkout):
        page = scene.services.payments.checkout_session(
            amount=100_000,
            currency="USD",
            description="Onda",
            client_reference_id=reference,
            metadata={},
            success_url="http://localhost/",
            cancel_url="http://localhost/",
            customer_email=None,
            transfer_group="lic_1",
            idempotency_key=f"another {reference}",
        )
        scene.control("POST", f"/checkout/{page.id}/pay")
    scene.settle()
    assert scene.checkout(checkout).state == "open"
    assert entries(scene) == 0
    assert "unknown_payment" in scene.alerts()
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        assert session.scalar(select(func.count()).where(Alert.kind == "unknown_payment")) == 2


def test_pay_07_an_event_of_another_account_or_of_live_mode_moves_nothing(app: Flask, scene: Scene) -> None:
    checkout = asked(scene)
    page = paid_on_its_page(scene, checkout)
    assert post(app, scene, "evt_other", page, account="acct_other") == 200
    assert post(app, scene, "evt_live", page, livemode=True) == 400
    scene.run_jobs()
    assert (scene.checkout(checkout).state, entries(scene)) == ("open", 0)
    assert post(app, scene, "evt_ours", page) == 200
    scene.run_jobs()
    assert scene.checkout(checkout).state == "paid"


def test_pay_02_a_replay_after_our_memory_was_trimmed_books_nothing_again(app: Flask, scene: Scene) -> None:
    checkout = asked(scene)
    page = paid_on_its_page(scene, checkout)
    booked = []
    for _ in range(2):
        assert post(app, scene, "evt_1", page) == 200
        scene.run_jobs()
        booked.append((entries(scene), len(scene.every_share())))
        with unit_of_work(scene.services.engine, SYSTEM) as session:
            session.execute(text("delete from payment_events"))
            session.execute(text("delete from jobs"))
    assert booked[0] == booked[1]
    assert booked[0][1] == 1
    with Session(scene.services.engine) as session:
        assert session.scalar(select(func.count()).select_from(PaymentEvent)) == 0


def test_pay_12_the_same_key_with_another_amount_is_a_hard_stop_and_told(scene: Scene) -> None:
    account = scene.onboard(scene.designer)
    scene.pay(asked(scene))
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        [share] = operations.release_shares(session, SYSTEM, purpose="license", subject_id="lic_1")
        session.execute(update(JobRow).values(run_after=clock.now()))
    scene.services.payments.transfer(
        amount=1,
        currency="USD",
        destination=account,
        source_charge=None,
        transfer_group="lic_1",
        metadata={},
        idempotency_key=share.id,
    )
    scene.run_jobs()
    stopped = scene.shares()[("license_fee", "whole")]
    assert (stopped.state, stopped.reason) == ("failed", "idempotency_conflict")
    assert "transfer_failed" in scene.alerts()
    told = scene.designer.browser.get("/payouts").get_data(as_text=True)
    assert "refused it; we are looking into it" in told
    assert "idempotency" not in told
    assert "idempotency_conflict" in scene.make.person("operator").browser.get("/desk/money").get_data(as_text=True)
    assert [made.amount for made in scene.services.payments.find_transfers("lic_1")] == [1]
