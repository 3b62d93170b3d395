"""A payment from page to payee, through the real SDK: once, whatever the events do."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from marketplace.db.jobs import JobName, stage
from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel import clock
from marketplace.kernel.actor import system
from marketplace.kernel.errors import Conflict, Invalid
from marketplace.kernel.money import Money
from marketplace.payments import ledger, operations
from marketplace.payments.checkout import url_for_checkout
from marketplace.payments.models import Checkout, PaymentAccount, PaymentEvent, Transfer
from marketplace.payments.rules import CHECKOUT, REFUND, REVERSAL, TRANSFER, Share, split
from marketplace.services import Services
from tests.features.payments.scene import Scene
from tests.kit.people import Make, Person
from tests.states.table import assert_table
from workers.jobs import payments as payment_jobs


@pytest.fixture(autouse=True)
def paid(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the purposes were told; the features' own handlers have their own tests."""
    told: list[str] = []

    def note(_session: Session, _actor: Any, subject_id: str) -> None:
        told.append(subject_id)

    monkeypatch.setitem(payment_jobs.ON_PAID, "license", note)
    monkeypatch.setitem(payment_jobs.ON_PAID, "order", note)
    return told


@pytest.fixture
def designer(make: Make) -> Person:
    return make.person("designer")


@pytest.fixture
def buyer(make: Make) -> Person:
    return make.person("buyer")


def open_one(services: Services, buyer: Person, designer: Person, amount: int = 10_001, subject: str = "ord_1") -> str:
    with unit_of_work(services.engine, buyer.actor) as session:
        return operations.open_checkout(
            session,
            buyer.actor,
            purpose="order",
            subject_id=subject,
            payer_org_id=buyer.org.id,
            amount=Money(amount, "USD"),
            about={"design": "Six rings", "quantity": 6, "reference": "R1"},
            shares=[Share(designer.org.id, "royalty", Money(amount, "USD"))],
            success_path="/orders/ord_1",
            cancel_path="/orders/ord_1",
        )


def pay(services: Services, buyer: Person, checkout_id: str, control: Callable[..., Any]) -> None:
    url_for_checkout(services, buyer.actor, checkout_id)
    with unit_of_work(services.engine, system("test")) as session:
        session_id = session.get_one(Checkout, checkout_id).stripe_session_id
    control("POST", f"/checkout/{session_id}/pay")


def onboard(designer: Person, services: Services, control: Callable[..., Any]) -> None:
    answer = designer.api.post("/payouts/onboarding")
    assert answer.status_code == 200, answer.text
    with unit_of_work(services.engine, system("test")) as session:
        account = session.get_one(PaymentAccount, designer.org.id).stripe_account_id
    control("POST", f"/accounts/{account}/onboard")


def test_paid_checkout_is_booked_once_however_often_the_event_comes(
    services: Services,
    designer: Person,
    buyer: Person,
    sandbox_control: Any,
    deliver_events: Any,
    run_jobs: Any,
    session: Session,
    paid: list[str],
) -> None:
    checkout_id = open_one(services, buyer, designer)
    pay(services, buyer, checkout_id, sandbox_control)
    assert set(deliver_events()) == {200}
    run_jobs()
    assert set(deliver_events()) == {200}
    run_jobs()
    assert paid == ["ord_1"]
    assert session.get_one(Checkout, checkout_id).state == "paid"
    sums = {b.account: b.amount for b in ledger.balances(session)}
    assert sums[ledger.FEES] == -1000
    assert sums[ledger.held(designer.org.id)] == -9001
    assert sums[ledger.STRIPE] + sums[ledger.PROCESSING] == 10_001
    assert ledger.problems(session) == []
    share = session.scalars(select(Transfer)).one()
    assert (share.gross, share.fee, share.amount, share.state) == (10_001, 1000, 9001, "held")


def test_released_share_waits_for_onboarding_and_is_then_sent_once(
    services: Services,
    designer: Person,
    buyer: Person,
    sandbox_control: Any,
    deliver_events: Any,
    run_jobs: Any,
    session: Session,
) -> None:
    checkout_id = open_one(services, buyer, designer)
    pay(services, buyer, checkout_id, sandbox_control)
    deliver_events()
    run_jobs()
    with unit_of_work(services.engine, buyer.actor) as work:
        operations.release(work, buyer.actor, purpose="order", subject_id="ord_1")
    with unit_of_work(services.engine, buyer.actor) as work:
        operations.release(work, buyer.actor, purpose="order", subject_id="ord_1")
    run_jobs()
    assert designer.api.get("/payouts").json["items"][0]["reason"] == "onboarding"
    onboard(designer, services, sandbox_control)
    deliver_events()
    run_jobs()
    deliver_events()
    run_jobs()
    share = session.scalars(select(Transfer)).one()
    assert share.state == "sent"
    assert len(services.payments.find_transfers("ord_1")) == 1
    sums = {b.account: b.amount for b in ledger.balances(session)}
    assert sums[ledger.held(designer.org.id)] == 0
    assert ledger.problems(session) == []
    entries = designer.api.get("/ledger/entries").json["items"]
    assert sum(e["amount"]["amount"] for e in entries) == 0
    assert buyer.api.get("/ledger/entries").json["items"] == []


def test_answer_lost_after_the_transfer_makes_no_second_one(
    services: Services,
    designer: Person,
    buyer: Person,
    sandbox_control: Any,
    deliver_events: Any,
    run_jobs: Any,
    session: Session,
) -> None:
    onboard(designer, services, sandbox_control)
    pay(services, buyer, open_one(services, buyer, designer), sandbox_control)
    deliver_events()
    run_jobs()
    with unit_of_work(services.engine, system("test")) as work:
        [share] = operations.release_shares(work, system("test"), purpose="order", subject_id="ord_1")
        share_id = share.id
    with unit_of_work(services.engine, system("test")) as work:
        assert operations.begin_transfer(work, system("test"), share_id) is not None
        account = work.get_one(PaymentAccount, designer.org.id).stripe_account_id
    services.payments.transfer(
        amount=9001,
        currency="USD",
        destination=account or "",
        source_charge=None,
        transfer_group="ord_1",
        metadata={"transfer": share_id, "kind": "royalty"},
        idempotency_key="a key that was forgotten",
    )
    run_jobs()
    assert session.get_one(Transfer, share_id).state == "sent"
    assert len(services.payments.find_transfers("ord_1")) == 1


def test_paying_twice_is_refused_and_changes_nothing(
    services: Services,
    designer: Person,
    buyer: Person,
    sandbox_control: Any,
    deliver_events: Any,
    run_jobs: Any,
) -> None:
    checkout_id = open_one(services, buyer, designer)
    assert open_one(services, buyer, designer) == checkout_id
    pay(services, buyer, checkout_id, sandbox_control)
    with pytest.raises(Conflict, match="already been paid"):
        url_for_checkout(services, buyer.actor, checkout_id)
    deliver_events()
    run_jobs()
    with pytest.raises(Conflict, match="already been paid"):
        open_one(services, buyer, designer)


def test_lost_webhook_is_found_by_the_sweep(
    services: Services, designer: Person, buyer: Person, sandbox_control: Any, run_jobs: Any, session: Session
) -> None:
    checkout_id = open_one(services, buyer, designer)
    pay(services, buyer, checkout_id, sandbox_control)
    with clock.frozen(clock.now() + timedelta(minutes=5)):
        with unit_of_work(services.engine, system("test")) as work:
            stage(work, JobName.RECONCILE_PAYMENTS, "now", {})
        run_jobs()
    assert session.get_one(Checkout, checkout_id).state == "paid"


def test_forged_event_is_refused_and_leaves_no_row(anonymous: Any, session: Session, app: Any) -> None:
    headers = {"Stripe-Signature": "t=1,v1=00", "Content-Type": "application/json"}
    answer = app.test_client().post("/webhooks/stripe", data=b"\xff\xfe{", headers=headers)
    assert answer.status_code == 400
    assert session.scalars(select(PaymentEvent)).all() == []


def test_a_burst_of_events_is_never_turned_away(
    services: Services, designer: Person, buyer: Person, sandbox_control: Any, deliver_events: Any
) -> None:
    pay(services, buyer, open_one(services, buyer, designer), sandbox_control)
    answers = [status for _ in range(40) for status in deliver_events()]
    assert len(answers) > 60
    assert set(answers) == {200}


def test_ledger_rows_cannot_be_changed_even_by_the_worker_role(services: Services, designer: Person) -> None:
    with unit_of_work(services.engine, system("test")) as work:
        ledger.post(
            work,
            key="k",
            kind="test",
            subject_id=None,
            memo="",
            currency="USD",
            lines=[ledger.Line(ledger.receivable(designer.org.id), 5, designer.org.id), ledger.Line(ledger.FEES, -5)],
        )
    for statement in ("update ledger_entries set amount = 1", "delete from ledger_entries", "truncate ledger_entries"):
        with pytest.raises(DBAPIError), unit_of_work(services.engine, system("test")) as work:
            work.execute(text(statement))


def test_unbalanced_booking_is_refused_by_the_database(services: Services) -> None:
    lone = [ledger.Line(ledger.STRIPE, 1)]
    with pytest.raises(ValueError, match="balance"), unit_of_work(services.engine, system("test")) as work:
        ledger.post(work, key="k", kind="t", subject_id=None, memo="", currency="USD", lines=lone)
    lines = (
        "with t as (insert into ledger_transactions values ('ltx_1','k','t',null,'',now()) returning id)"
        " insert into ledger_entries(transaction_id,account,amount,currency,created_at)"
        " select id,'assets:stripe',1,'USD',now() from t"
    )
    work = Session(services.engine)
    work.execute(text(lines))
    with pytest.raises(DBAPIError, match="does not balance"):
        work.commit()
    work.close()


def test_raw_sql_as_the_web_role_sees_no_ledger_line_of_others(app: Any, services: Services, designer: Person) -> None:
    with unit_of_work(services.engine, system("test")) as work:
        lines = [ledger.Line(ledger.receivable(designer.org.id), 5, designer.org.id), ledger.Line(ledger.FEES, -5)]
        ledger.post(work, key="k", kind="t", subject_id=None, memo="", currency="USD", lines=lines)
    web = app.extensions["services"].engine
    with unit_of_work(web, designer.actor) as work:
        assert work.scalar(text("select count(*) from ledger_entries")) == 1
    with unit_of_work(web, system("nobody")) as work:
        assert work.scalar(text("select count(*) from ledger_entries")) == 0
        assert work.scalar(text("select count(*) from ledger_transactions")) == 0


@pytest.mark.parametrize("fee_bps", [0, 1, 250, 333, 1000, 1500, 9999])
def test_fee_and_net_always_add_up_to_the_gross(fee_bps: int) -> None:
    for amount in [*range(1, 2000), 99_999, 1_000_000, 10**11]:
        [part] = split([Share("org_a", "royalty", Money(amount, "USD"))], fee_bps)
        assert part.fee + part.net == part.gross == amount
        assert 0 <= part.fee <= amount


def test_nothing_to_pay_and_mixed_currencies_are_refused() -> None:
    with pytest.raises(Invalid):
        split([], 1000)
    with pytest.raises(Invalid):
        split([Share("a", "x", Money(0, "USD"))], 1000)
    with pytest.raises(Invalid):
        split([Share("a", "x", Money(1, "USD")), Share("b", "x", Money(1, "EUR"))], 1000)


def test_states_of_shares_and_checkouts() -> None:
    assert_table(
        TRANSFER,
        {
            ("held", "release", "system"): "due",
            ("due", "begin", "system"): "sending",
            ("sending", "begin", "system"): "sending",
            ("sending", "confirm", "system"): "sent",
            ("sending", "reject", "system"): "failed",
            ("failed", "release", "system"): "due",
            ("failed", "confirm", "system"): "sent",
            ("due", "offset", "system"): "offset",
            ("held", "give_back", "system"): "returned",
            ("due", "give_back", "system"): "returned",
            ("failed", "give_back", "system"): "returned",
            ("returned", "restore", "system"): "held",
        },
    )
    assert_table(
        REFUND,
        {
            **{("asked", "approve", who): "approved" for who in ("decider", "operator", "system")},
            **{("asked", "decline", who): "declined" for who in ("decider", "operator")},
            ("asked", "withdraw", "asker"): "withdrawn",
            ("approved", "begin", "system"): "refunding",
            ("approved", "reject", "system"): "failed",
            ("refunding", "begin", "system"): "refunding",
            ("refunding", "confirm", "system"): "done",
            ("refunding", "reject", "system"): "failed",
            ("done", "reject", "system"): "failed",
            ("failed", "approve", "operator"): "approved",
            ("failed", "confirm", "system"): "done",
            ("failed", "pay_by_hand", "system"): "done",
            ("failed", "undo", "system"): "undone",
        },
    )
    assert_table(
        REVERSAL,
        {
            ("due", "begin", "system"): "sending",
            ("sending", "begin", "system"): "sending",
            ("sending", "confirm", "system"): "done",
            ("sending", "fall_short", "system"): "short",
        },
    )
    assert_table(
        CHECKOUT,
        {
            ("open", "pay", "system"): "paid",
            ("open", "expire", "system"): "expired",
            ("expired", "pay", "system"): "paid",
        },
    )


def test_of_a_webhook_no_personal_data_is_stored(scene: Scene) -> None:
    """Who paid, from where and with which card stands in the events that come, and in no row."""
    scene.paid()
    with Session(scene.services.engine) as session:
        rows = session.scalars(select(PaymentEvent)).all()
    assert {row.type for row in rows} >= {"checkout.session.completed"}
    for row in rows:
        assert len(row.sha256 or "") == 64
        assert set(row.body["data"]["object"]) <= {"id", "object", "type", "status", "payment_status"}, row.body
