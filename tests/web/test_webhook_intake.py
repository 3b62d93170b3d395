"""The door for the payment service's events: what it takes, what it refuses, and that nothing makes it fall over."""

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import stripe
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from marketplace.kernel import clock
from marketplace.payments.models import LedgerEntry, PaymentEvent
from tests.kit.instance import Instance

Post = Callable[..., int]
BODY = json.dumps(
    {
        "id": "evt_intake",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": 1_700_000_000,
        "type": "checkout.session.completed",
        "livemode": False,
        "data": {"object": {"id": "cs_nothing", "object": "checkout.session"}},
    }
).encode()


@pytest.fixture
def sign(instance: Instance) -> Callable[..., str]:
    """A header as the payment service makes it."""

    def made(body: bytes, at: int | None = None, secret: str = "") -> str:
        moment = int(time.time()) if at is None else at
        key = (secret or instance.settings.stripe_webhook_secret).encode()
        return f"t={moment},v1={hmac.new(key, b'%d.' % moment + body, hashlib.sha256).hexdigest()}"

    return made


@pytest.fixture
def post(app: Flask, db: Instance) -> Post:
    """Send a body with a header; the status."""
    client = app.test_client()

    def send(body: bytes, header: str | None) -> int:
        headers = {"Content-Type": "application/json"} | ({"Stripe-Signature": header} if header is not None else {})
        return client.post("/webhooks/stripe", data=body, headers=headers).status_code

    return send


@pytest.fixture
def hostile(real_data: Path) -> Path:
    """The folder of hostile input."""
    folder = real_data / "hostile"
    if not folder.is_dir():
        pytest.skip("the hostile input is not here")
    return folder


def rows(db: Instance) -> int:
    with Session(db.background.engine) as session:
        return session.scalar(select(func.count()).select_from(PaymentEvent)) or 0


def test_forged_headers_are_refused_and_leave_no_row(post: Post, db: Instance, hostile: Path) -> None:
    """PAY-01: the 25 headers of the hostile collection."""
    headers = json.loads(next(hostile.rglob("webhook_headers.json")).read_text())
    assert len(headers) == 25
    for header in headers:
        try:
            header.encode("latin-1")
        except UnicodeEncodeError:
            header = header.encode().decode("latin-1")  # what a server sees of it on the wire  # noqa: PLW2901
        if "\n" not in header and "\r" not in header:
            assert post(BODY, header) == 400, header[:80]
    assert rows(db) == 0


def test_another_secret_a_changed_body_and_bytes_that_are_no_text_are_refused(
    post: Post, db: Instance, sign: Callable[..., str]
) -> None:
    """PAY-01: signed by another endpoint's secret, changed on the way, not UTF-8 although it is signed."""
    assert post(BODY, sign(BODY, secret="whsec_of_another_endpoint")) == 400
    assert post(BODY.replace(b"cs_nothing", b"cs_another"), sign(BODY)) == 400
    for body in (
        b"\xff\xfe{}",
        BODY.replace(b"cs_", b"\x80\x81"),
        b"",
        b"[]",
        b"null",
        b'{"object":"event"}',
        BODY[:-1],
    ):
        assert post(body, sign(body)) == 400
    assert rows(db) == 0


def test_a_replay_has_no_second_effect_and_an_old_one_none_at_all(
    post: Post, db: Instance, sign: Callable[..., str], run_jobs: Any
) -> None:
    """PAY-02: within 300 s, outside, after three days, and after our memory of events was trimmed."""
    header = sign(BODY)
    assert [post(BODY, header) for _ in range(3)] == [200, 200, 200]
    assert rows(db) == 1
    with Session(db.background.engine) as session:
        staged = text("select count(*) from jobs where name = 'handle_payment_event'")
        assert session.scalar(staged) == 1
    moment = clock.now()
    with clock.frozen(moment):
        assert post(BODY, sign(BODY, int(moment.timestamp()) - 299)) == 200
        assert post(BODY, sign(BODY, int(moment.timestamp()) - 302)) == 400
    with clock.frozen(clock.now() + timedelta(days=3)):
        assert post(BODY, header) == 400
    run_jobs()
    with Session(db.background.engine) as session:
        session.execute(text("delete from payment_events"))
        session.execute(text("delete from jobs"))
        session.commit()
    # Taken again as if new: it is looked up at the payment service, which knows nothing of it, and nothing is booked.
    assert post(BODY, sign(BODY)) == 200
    run_jobs()
    with Session(db.background.engine) as session:
        assert session.scalar(select(func.count()).select_from(LedgerEntry)) == 0


def _types() -> list[str]:
    """Every event type that the installed library names."""
    source = Path(stripe.__file__).with_name("params") / "_webhook_endpoint_create_params.py"
    words = source.read_text().split("enabled_events: List")[1].split('"""')[0]
    return sorted({word for word in words.split('"') if "." in word and " " not in word})


def test_every_type_of_event_is_taken_and_none_breaks_the_jobs(
    post: Post, db: Instance, sign: Callable[..., str], run_jobs: Any
) -> None:
    """PAY-06: every type of the library, unknown ones, another API version, thin events: handled or without effect."""
    types = [*_types(), "something.new", "charge.dispute.reopened_by_martians"]
    assert len(types) > 250
    for number, kind in enumerate(types):
        subject = {"id": f"xx_{number}", "object": kind.rpartition(".")[0] or kind}
        event = {**json.loads(BODY), "id": f"evt_{number}", "type": kind, "data": {"object": subject}}
        event["api_version"] = (None, "1999-01-01", "2026-10-28.endive")[number % 3]
        if number % 7 == 0:
            event["account"] = "acct_nobody"
        body = json.dumps(event).encode()
        assert post(body, sign(body)) == 200, kind
    for number, kind in enumerate(("v2.core.account.updated", "v2.core.account[requirements].updated", "v2.money.new")):
        thin = {
            "id": f"evt_thin_{number}",
            "object": "v2.core.event",
            "type": kind,
            "created": "2026-11-21T10:00:00.000Z",
            "livemode": False,
            "related_object": {"id": "acct_nobody", "type": "v2.core.account", "url": "/v2/core/accounts/acct_nobody"},
        }
        body = json.dumps(thin).encode()
        assert post(body, sign(body)) == 200
    assert rows(db) == len(types) + 3
    with Session(db.background.engine) as session:  # every tenth of those that are nobody's business, to save time
        session.execute(
            text(
                "delete from jobs where name = 'handle_payment_event' and right(args->>'event_id', 1) <> '5'"
                " and not exists (select 1 from payment_events e where e.id = args->>'event_id'"
                " and split_part(e.type, '.', 1)"
                " in ('checkout', 'charge', 'refund', 'transfer', 'payout', 'account', 'v2'))"
            )
        )
        session.commit()
    outcomes = run_jobs(limit=400)
    assert "lost" not in outcomes.values()
    with Session(db.background.engine) as session:
        assert session.scalar(select(func.count()).select_from(LedgerEntry)) == 0
        raised = text(
            "select name, error from jobs where error in ('TypeError','KeyError','AttributeError','ValueError')"
        )
        assert session.execute(raised).all() == []


def test_recorded_events_of_others_are_acknowledged_without_effect(
    post: Post, db: Instance, sign: Callable[..., str], hostile: Path
) -> None:
    """PAY-06, PAY-07: real events of other accounts; a live one is refused in test mode."""
    taken = refused = 0
    for path in sorted((hostile / "stripe").rglob("*.json")):
        found = json.loads(path.read_text())
        for event in found if isinstance(found, list) else [found]:
            body = json.dumps(event).encode()
            status = post(body, sign(body))
            assert status in {200, 400}, path
            is_event = isinstance(event, dict) and event.get("object") == "event" and event.get("livemode") is False
            assert status == 400 or is_event, path
            taken, refused = taken + (status == 200), refused + (status == 400)
    assert taken > 5
    assert refused > 5


def test_intake_costs_little(post: Post, sign: Callable[..., str], count_statements: Callable[[], int]) -> None:
    count_statements()
    assert post(BODY, sign(BODY)) == 200
    assert count_statements() <= 6
    post(BODY, sign(BODY))
    assert count_statements() <= 5
    post(BODY, "t=1,v1=00")
    assert count_statements() <= 2
