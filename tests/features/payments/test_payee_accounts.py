"""What a payee and an operator can do about an account that was changed, closed or lost, and what the sweep reads."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel import clock
from marketplace.payments import words
from marketplace.payments.claims import Alert, Reversal
from marketplace.payments.models import PaymentAccount, Payout, Transfer
from tests.features.payments.scene import SYSTEM, Scene
from tests.kit.people import PASSWORD


def test_pay_18_a_large_share_to_a_changed_account_is_approved_on_the_desk_after_three_days(scene: Scene) -> None:
    """By the payee's own button and the events of the new account: cooling, then four eyes, then an operator's word."""
    operator = scene.make.person("operator")
    first = scene.onboard(scene.designer)
    scene.control("POST", f"/accounts/{first}/close")
    scene.settle()
    page = scene.designer.browser.get("/payouts").text
    assert "The account at the payment service is closed" in page
    assert 'action="/payouts/replace"' in page
    wrong = scene.designer.browser.post("/payouts/replace", {"password": "not this"})
    assert wrong.status_code == 422
    assert 'action="/payouts/replace"' in wrong.text
    assert scene.designer.browser.post("/payouts/replace", {"password": PASSWORD}).status_code == 303
    assert "Your payout account was changed" in scene.designer.browser.get("/payouts").text
    assert scene.designer.browser.post("/payouts/onboard").status_code == 303
    second = scene.account(scene.designer).stripe_account_id
    assert second not in {None, first}
    scene.control("POST", f"/accounts/{second}/onboard")
    scene.settle()
    scene.pay(scene.open({scene.designer.org.id: ("license_fee", 2_000_000)}, purpose="license", subject="lic_2"))
    scene.release("license", "lic_2")
    assert [share.reason for share in scene.every_share()] == ["cooling"]
    assert "$18,000.00 waits" in operator.browser.get("/desk/money").text
    with clock.frozen(clock.now() + timedelta(hours=73)):
        scene.sweep()
        assert [share.reason for share in scene.every_share()] == ["four_eyes"]
        desk = operator.browser.get("/desk/money").text
        assert "$18,000.00 waits" in desk
        assert "A large share waits for a changed payout account" in desk
        approve = f"/desk/money/accounts/{scene.designer.org.id}/approve"
        assert approve in desk
        assert operator.browser.post(approve).status_code == 303
        scene.run_jobs()
        assert [share.state for share in scene.every_share()] == ["sent"]
        assert approve not in operator.browser.get("/desk/money").text
    with Session(scene.services.engine) as session:
        alert = session.scalars(select(Alert).where(Alert.kind == "four_eyes")).one()
        assert alert.resolved_by == operator.user.id


def test_pay_18_events_of_a_foreign_account_change_no_payee(scene: Scene) -> None:
    """It carries the payee's name and is ready; a share goes to the account that the payee set up, or waits."""
    mine = scene.onboard(scene.designer)
    foreign = scene.services.payments.create_connected_account("x@x.example", "GB", scene.designer.org.name, "foreign")
    scene.control("POST", f"/accounts/{foreign}/onboard")
    scene.control("POST", f"/accounts/{mine}/restrict")
    scene.settle()
    held = scene.account(scene.designer)
    assert (held.stripe_account_id, held.ready, held.hold_until) == (mine, False, None)
    scene.licensed()
    assert [(share.state, share.destination) for share in scene.every_share()] == [("due", None)]
    scene.control("POST", f"/accounts/{mine}/onboard")
    scene.settle()
    assert [(share.state, share.destination) for share in scene.every_share()] == [("sent", mine)]


@pytest.mark.parametrize(("how", "said"), [("close", "is closed"), ("deauthorize", "out of our reach")])
def test_pay_19_an_account_that_is_gone_is_said_so_and_the_page_does_not_wait(
    scene: Scene, how: str, said: str
) -> None:
    account = scene.onboard(scene.designer)
    scene.control("POST", f"/accounts/{account}/{how}")
    scene.settle()
    page = scene.designer.browser.get("/payouts").text
    assert said in page
    assert "load delay" not in page
    assert "calls it" not in page


def test_pay_05_the_sweep_reads_every_account_that_cannot_be_paid_and_lost_ones_hold_no_place(scene: Scene) -> None:
    """An event that never came: transfers work, payouts did not. And a lost account is looked at, then the others."""
    lost, waiting = scene.onboard(scene.maker), scene.onboard(scene.designer)
    scene.control("POST", f"/accounts/{lost}/deauthorize")
    scene.settle()
    long_ago = clock.now() - timedelta(days=9)
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        session.execute(update(PaymentAccount).values(checked_at=long_ago))
        mine = session.scalars(select(PaymentAccount).where(PaymentAccount.stripe_account_id == waiting)).one()
        mine.payouts_enabled = False
    scene.sweep()
    assert scene.account(scene.designer).ready
    again = scene.account(scene.maker)
    assert (again.disabled_reason, again.ready) == ("account_lost", False)
    assert again.checked_at is not None
    assert again.checked_at > long_ago


def test_who_paid_reads_that_a_share_waits_at_its_payee_and_not_why(scene: Scene) -> None:
    scene.onboard(scene.designer)
    checkout = scene.licensed()
    for state, reason, seen in (
        ("due", "onboarding", ("due", "at_payee")),
        ("due", "four_eyes", ("due", "at_payee")),
        ("failed", "some_vendor_code", ("due", "on_its_way")),
        ("due", "disputed", ("due", "disputed")),
        ("offset", "debt", ("sent", None)),
    ):
        with unit_of_work(scene.services.engine, SYSTEM) as session:
            session.execute(update(Transfer).values(state=state, reason=reason))
        [share] = scene.buyer.api.get(f"/payments/{checkout}").json["shares"]
        assert (share["state"], share["reason"]) == seen
        page = scene.buyer.browser.get(f"/payments/{checkout}").text
        assert reason == "disputed" or str(words.WAITS.get(reason, reason)) not in page
        assert seen[1] is None or str(words.PAYER_WAITS[seen[1]]) in page


def test_a_payee_reads_debts_and_failed_payouts_in_words(scene: Scene) -> None:
    scene.designer = scene.make.person("designer", locale="zh_Hans")
    scene.onboard(scene.designer)
    scene.licensed()
    share = scene.shares()[("license_fee", "whole")]
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        about = {"transfer_id": share.id, "org_id": share.org_id, "subject_id": share.subject_id, "currency": "USD"}
        session.add(Reversal(cause_id="rfn_1", amount=45_000, state="short", **about))
        failed: dict[str, Any] = {"status": "failed", "failure_code": "account_frozen", "created_at": clock.now()}
        session.add(
            Payout(id="po_1", org_id=share.org_id, amount=500, currency="USD", arrival_date=clock.now(), **failed)
        )
    page = scene.designer.browser.get("/payouts").text
    assert "US$450.00" in page
    assert "account_frozen" not in page
