"""Webhooks: what the stand-in signs is believed, everything else raises BadSignature and nothing but that."""

import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import stripe
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.gateways.payment_events import MAX_BODY
from marketplace.gateways.payment_types import BadSignature
from marketplace.gateways.payments import Payments

SECRET = "whsec_one"
GATEWAY = Payments("sk_test_x", "http://127.0.0.1:9", ["", "whsec_other", SECRET])
EVENT = {
    "id": "evt_1",
    "object": "event",
    "api_version": "2026-10-28.endive",
    "created": 1_700_000_000,
    "type": "checkout.session.completed",
    "livemode": False,
    "data": {"object": {"id": "cs_1", "object": "checkout.session", "note": "戒指"}},
}


def signed(body: bytes, at: int | None = None, secret: str = SECRET) -> str:
    moment = int(time.time()) if at is None else at
    digest = hmac.new(secret.encode(), b"%d." % moment + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


def encoded(event: Any) -> bytes:
    return json.dumps(event, ensure_ascii=False).encode()


def test_a_signed_event_is_read() -> None:
    body = encoded({**EVENT, "account": "acct_1"})
    event = GATEWAY.verify_webhook(body, signed(body))
    assert (event.id, event.type, event.account) == ("evt_1", "checkout.session.completed", "acct_1")
    assert (event.object_id, event.object_type) == ("cs_1", "checkout.session")
    assert event.api_version == "2026-10-28.endive"
    assert event.created.timestamp() == 1_700_000_000
    assert event.sha256 == hashlib.sha256(body).hexdigest()
    assert event.kept["data"] == {"object": {"id": "cs_1", "object": "checkout.session"}}
    assert "戒指" not in str(event.kept)


def test_a_thin_event_names_its_account() -> None:
    body = encoded(
        {
            "id": "evt_2",
            "object": "v2.core.event",
            "type": "v2.core.account[requirements].updated",
            "created": "2026-11-21T10:00:00.000Z",
            "livemode": False,
            "related_object": {"id": "acct_1", "type": "v2.core.account", "url": "/v2/core/accounts/acct_1"},
        }
    )
    event = GATEWAY.verify_webhook(body, signed(body))
    assert (event.object_type, event.object_id, event.account) == ("account", "acct_1", "acct_1")


def test_the_vendor_s_own_verifier_agrees() -> None:
    body = encoded(EVENT)
    assert stripe.Webhook.construct_event(body, signed(body), SECRET).id == "evt_1"


HEADERS: dict[str, Callable[[bytes], str | None]] = {
    "none": lambda _: None,
    "empty": lambda _: "",
    "no scheme": lambda b: signed(b).replace("v1=", "v0="),
    "no time": lambda b: signed(b).partition(",")[2],
    "no signature": lambda b: signed(b).partition(",")[0],
    "non-ASCII signature": lambda b: f"t={int(time.time())},v1=é{'a' * 63}",
    "non-ASCII digits": lambda b: signed(b).replace("t=1", "t=１"),
    "surrogate": lambda b: f"t={int(time.time())},v1=\udcff",
    "too old": lambda b: signed(b, int(time.time()) - 301),
    "a year ahead": lambda b: signed(b, int(time.time()) + 31_536_000),
    "600 s ahead": lambda b: signed(b, int(time.time()) + 600),
    "negative": lambda b: signed(b).replace("t=", "t=-"),
    "huge": lambda b: "t=" + "9" * 5000 + ",v1=aa",
    "float": lambda b: signed(b).replace(",", ".5,", 1),
    "underscore": lambda b: signed(b).replace("t=17", "t=1_7"),
    "other secret": lambda b: signed(b, secret="whsec_evil"),
    "empty secret": lambda b: signed(b, secret=""),
    "other body": lambda b: signed(b + b" "),
    "upper case": lambda b: signed(b).upper(),
    "cut": lambda b: signed(b)[:-1],
    "longer": lambda b: signed(b) + "0",
    "time changed": lambda b: re.sub(r"t=\d+", f"t={int(time.time())}", signed(b, int(time.time()) - 10)),
    "newline": lambda b: signed(b) + "\n",
    "NUL": lambda b: signed(b) + "\x00",
    "megabyte": lambda b: signed(b) + ",v1=" + "a" * 1_000_000,
    "thousand signatures": lambda b: f"t={int(time.time())}" + ",v1=aa" * 1000,
    "two times": lambda b: f"t={int(time.time())},t={int(time.time())},v1=aa",
}  # fmt: skip


@pytest.mark.parametrize("name", HEADERS)
def test_a_hostile_header_is_refused(name: str) -> None:
    body = encoded(EVENT)
    with pytest.raises(BadSignature):
        GATEWAY.verify_webhook(body, HEADERS[name](body))


BODIES: dict[str, bytes] = {
    "not UTF-8": b'{"id":"\xff\xfe"}',
    "UTF-16": '{"id":"evt"}'.encode("utf-16"),
    "empty": b"",
    "list": b"[]",
    "text": b'"x"',
    "null": b"null",
    "number": b"1",
    "deep": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "deep list": b"[" * 100_000 + b"]" * 100_000,
    "fairly deep": json.dumps({**EVENT, "x": json.loads("[" * 60 + "]" * 60)}).encode(),
    "NaN": encoded(EVENT).replace(b"1700000000", b"NaN"),
    "big number": encoded(EVENT).replace(b"1700000000", b"9" * 5000),
    "time out of range": encoded({**EVENT, "created": 10**15}),
    "time is text": encoded({**EVENT, "created": "now"}),
    "time is true": encoded({**EVENT, "created": True}),
    "no id": encoded({k: v for k, v in EVENT.items() if k != "id"}),
    "id is a list": encoded({**EVENT, "id": ["evt_1"]}),
    "id is long": encoded({**EVENT, "id": "e" * 300}),
    "id has NUL": encoded({**EVENT, "id": "evt\x00"}),
    "no type": encoded({**EVENT, "type": ""}),
    "other object": encoded({**EVENT, "object": "charge"}),
    "cloud envelope": encoded({"detail": EVENT}),
    "thin with a bad time": encoded({**EVENT, "object": "v2.core.event", "created": "yesterday"}),
    "live mode": encoded({**EVENT, "livemode": True}),
    "too large": encoded({**EVENT, "x": "a" * MAX_BODY}),
    "surrogate inside": encoded(EVENT).replace("戒指".encode(), rb"\ud800"),
    "NUL inside": encoded(EVENT).replace("戒指".encode(), rb"\u0000"),
    "surrogate escape": b'{"id":"\\ud800","object":"event"}',
}


@pytest.mark.parametrize("name", BODIES)
def test_a_hostile_body_is_refused_although_it_is_signed(name: str) -> None:
    body = BODIES[name]
    with pytest.raises(BadSignature):
        GATEWAY.verify_webhook(body, signed(body))


@settings(max_examples=300)
@given(st.binary(max_size=200), st.one_of(st.none(), st.text(max_size=120)))
def test_nothing_but_bad_signature_ever_comes_out(body: bytes, header: str | None) -> None:
    with pytest.raises(BadSignature):
        GATEWAY.verify_webhook(body, header)


@settings(max_examples=100)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
        max_leaves=8,
    )
)
def test_signed_nonsense_is_bad_signature_too(value: Any) -> None:
    body = json.dumps(value).encode()
    with pytest.raises(BadSignature):
        GATEWAY.verify_webhook(body, signed(body))


def test_recorded_events_and_every_known_type_are_read(data_dir: Path) -> None:
    found = sorted((data_dir / "hostile/stripe/djstripe").glob("event_*.json"))
    assert found
    kinds = json.loads((data_dir / "hostile/stripe/event_types.json").read_text())
    events = [json.loads(path.read_text()) for path in found] + [{**EVENT, "type": kind} for kind in kinds]
    for event in events:
        body = encoded({**event, "livemode": False})
        assert GATEWAY.verify_webhook(body, signed(body)).type == event["type"]


def test_json_that_must_be_refused_is_refused(data_dir: Path) -> None:
    found = [p for p in (data_dir / "hostile/json").rglob("*") if p.is_file()]
    assert found
    for path in found:
        body = path.read_bytes()
        with pytest.raises(BadSignature):
            GATEWAY.verify_webhook(body, signed(body))


# What the stand-in delivers


def pay(payments: Payments, box: Any, key: str = "k") -> str:
    session = payments.checkout_session(
        amount=5000,
        currency="EUR",
        description="Ring",
        client_reference_id="ord_1",
        metadata={},
        success_url="http://localhost/s",
        cancel_url="http://localhost/c",
        customer_email=None,
        transfer_group="ord_1",
        idempotency_key=key,
    )
    box.post(f"/_sandbox/checkout/{session.id}/pay")
    return session.id


PAID = ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"]


def test_a_payment_is_told_by_signed_events(payments: Payments, stripe_box: Any, receiver: Any) -> None:
    session = pay(payments, stripe_box)
    assert stripe_box.get("/_sandbox/webhooks?wait=50")["done"]
    assert receiver.types() == PAID
    assert receiver.events[-1].object_id == session
    assert receiver.refused == 0
    body, header = receiver.raw[-1]
    assert stripe.Webhook.construct_event(body, header, "whsec_for_tests_only").id == receiver.events[-1].id


def test_held_events_arrive_in_the_order_asked_for(payments: Payments, stripe_box: Any, receiver: Any) -> None:
    stripe_box.post("/_sandbox/webhooks", {"hold": True})
    pay(payments, stripe_box)
    assert receiver.types() == []
    stripe_box.post("/_sandbox/webhooks", {"release": "reversed"})
    assert receiver.types() == PAID[::-1]


def test_held_events_can_be_released_one_by_one(payments: Payments, stripe_box: Any, receiver: Any) -> None:
    stripe_box.post("/_sandbox/webhooks", {"hold": True})
    pay(payments, stripe_box)
    ids = stripe_box.get("/_sandbox/webhooks")["pending"]
    stripe_box.post("/_sandbox/webhooks", {"release": [ids[3], ids[0]], "hold": True})
    assert receiver.types() == [PAID[3], PAID[0]]
    assert stripe_box.get("/_sandbox/webhooks")["pending"] == [ids[1], ids[2]]


def test_events_can_come_three_times_with_one_id(payments: Payments, stripe_box: Any, receiver: Any) -> None:
    stripe_box.post("/_sandbox/webhooks", {"duplicate": 3})
    pay(payments, stripe_box)
    assert stripe_box.get("/_sandbox/webhooks?wait=50")["done"]
    assert receiver.types() == [kind for kind in PAID for _ in range(3)]
    assert len({event.id for event in receiver.events}) == 4


def test_a_dropped_event_never_comes_until_resent(payments: Payments, stripe_box: Any, receiver: Any) -> None:
    stripe_box.post("/_sandbox/webhooks", {"drop": 1, "type": "checkout"})
    pay(payments, stripe_box)
    assert stripe_box.get("/_sandbox/webhooks?wait=50")["done"]
    assert receiver.types() == PAID[:3]
    [lost] = stripe_box.get("/_sandbox/events?type=checkout.session.completed")["events"]
    assert stripe_box.post(f"/_sandbox/events/{lost['id']}/resend")["status"] == 200
    assert receiver.types() == PAID


def test_events_wait_for_a_receiver_that_is_down(payments: Payments, stripe_box: Any, receiver: Any) -> None:
    receiver.status = 503
    pay(payments, stripe_box)
    assert not stripe_box.get("/_sandbox/webhooks?wait=0.3")["done"]
    receiver.status = 200
    assert stripe_box.get("/_sandbox/webhooks?wait=50")["done"]
    assert sorted(receiver.types()) == sorted(PAID)


def test_onboarding_and_payouts_are_told_with_their_account(payments: Payments, stripe_box: Any, receiver: Any) -> None:
    stripe_box.post("/_sandbox/settings", {"payout_after_s": 0})
    session = pay(payments, stripe_box)
    payment = payments.payment(payments.session(session).payment_intent or "")
    account = payments.create_connected_account("a@example.com", "FR", "Atelier", "acc")
    stripe_box.post(f"/_sandbox/accounts/{account}/onboard")
    payments.transfer(
        amount=4000,
        currency="EUR",
        destination=account,
        source_charge=payment.charge,
        transfer_group="ord_1",
        metadata={},
        idempotency_key="t",
    )
    end = time.monotonic() + 60
    while "payout.paid" not in receiver.types():
        assert time.monotonic() < end
        time.sleep(0.1)
    about = {event.type: event for event in receiver.events}
    assert about["v2.core.account[requirements].updated"].object_id == account
    assert about["payout.paid"].account == account
    assert about["transfer.created"].account is None
    payout = about["payout.paid"].object_id or ""
    stripe_box.post(f"/_sandbox/payouts/{payout}/fail", {"code": "account_closed"})
    assert payments.payout(payout, account).failure_code == "account_closed"
