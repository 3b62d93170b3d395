"""The operators' page of money answers how much, why, when and what to do next; titles follow the reader's language."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.db.jobs import JobName, JobRow, stage
from marketplace.db.unit_of_work import unit_of_work
from marketplace.inbox.mailing import Additions
from marketplace.kernel.ids import new_id
from marketplace.notifications.models import Mail
from marketplace.payments import alerts, findings, reversals
from marketplace.payments.alert_words import KINDS, TASKS
from marketplace.payments.claims import Alert, Refund, Reversal
from marketplace.payments.models import Checkout, Transfer
from tests.features.payments.scene import SYSTEM, Scene
from workers import registry, run
from workers.jobs import mail as mail_jobs


def _raise(scene: Scene, kind: str, subject: str | None, **details: Any) -> str:
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        alerts.raise_alert(session, SYSTEM, kind, new_id("key"), subject_id=subject, **details)
        return session.scalars(select(Alert.id).order_by(Alert.created_at.desc()).limit(1)).one()


def test_an_alert_is_said_in_words_with_its_amount_payee_page_and_next_step(scene: Scene) -> None:
    operator = scene.make.person("operator", locale="zh_Hans")
    scene.onboard(scene.designer)
    checkout = scene.licensed()
    share = scene.shares()[("license_fee", "whole")]
    _raise(scene, "debt", share.id, org=scene.designer.org.id, amount=45_000, currency="USD", code="insufficient_funds")
    page = operator.browser.get("/desk/money").text
    assert "US$450.00" in page
    assert scene.designer.org.name in page
    assert f"/desk/money/payments/{checkout}" in page
    assert "Six rings的授权" in page
    assert share.id not in page
    assert "45000" not in page
    shown = operator.browser.get(f"/desk/money/payments/{checkout}").text
    assert "US$1,000.00" in shown
    assert scene.designer.org.name in shown
    # Mails to the operators say the same in words: no id, no code of ours.
    with Session(scene.services.engine) as session:
        mail = session.scalars(select(Mail).where(Mail.params["kind"].astext == "money_alert")).one()
        assert mail.params["what"] == {"message": KINDS["debt"][0]}
        assert share.id not in str(mail.params)


def test_every_alert_that_is_raised_has_words(scene: Scene) -> None:
    """The words are looked up when it is raised, so a kind without words fails where it is made."""
    with pytest.raises(KeyError):
        _raise(scene, "nobody_wrote_words", None)
    for kind in KINDS:
        _raise(scene, kind, None)
    page = scene.make.person("operator").browser.get("/desk/money")
    assert page.status_code == 200
    for kind in set(KINDS) - {"gave_up", "difference"}:
        assert KINDS[kind][0].replace("'", "&#39;") in page.text, kind


def test_differences_are_said_in_words(scene: Scene) -> None:
    app = scene.make.app
    with app.test_request_context("/"):
        assert findings.difference("charge_not_booked") == "Payment: missing in our books"
        assert findings.difference("refund_booked_as_charge") == "Refund: booked here as Payment"
        assert findings.difference("something_new") == "something_new"
        assert findings.amounts("12300 USD, -5 JPY") == "$123.00, -¥5"
        assert findings.amounts("100", "balance_amount", "EUR") == "€1.00"
        assert findings.amounts("won") == "won"


def test_a_title_follows_the_language_of_each_reader(scene: Scene) -> None:
    """Page, API, vendor's checkout page and mail: the payer is Chinese, the payee English."""
    scene.buyer = scene.make.person("buyer", locale="zh_Hans")
    scene.onboard(scene.designer)
    checkout = scene.licensed()
    scene.refund(checkout, 10_000)
    row = scene.checkout(checkout)
    assert (row.description, row.about) == ("License for Six rings", {"design": "Six rings"})
    paid = scene.buyer.browser.get(f"/payments/{checkout}").text
    assert "Six rings的授权" in paid
    assert scene.buyer.api.get(f"/payments/{checkout}").json["description"] == "Six rings的授权"
    assert "License for Six rings" in scene.designer.browser.get("/payouts").text
    assert scene.designer.api.get("/payouts").json["items"][0]["description"] == "License for Six rings"
    texts = {}
    with Session(scene.services.engine) as session:
        made = session.scalars(select(Mail).where(Mail.params["design"].is_not(None)))
        for mail in made:
            texts[mail.params["kind"]] = _composed(scene, mail)
    assert "US$100.00" in texts["refund_made"]
    assert "Six rings的授权" in texts["refund_made"]
    assert "$900.00 for License for Six rings" in texts["payout_sent"]


def _composed(scene: Scene, mail: Mail) -> str:
    row = JobRow(id="job_x", name="send_mail", fence=0, attempts=1)
    more = Additions(wanted=True)
    return mail_jobs.compose(run.Run(scene.services, row), mail, more).text


def test_a_title_kept_before_its_parts_were_is_shown_as_it_was_written(scene: Scene) -> None:
    checkout = scene.paid()
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        row = session.get_one(Checkout, checkout)
        row.about, row.description = {}, "Lizenz für Onda"
    assert "Lizenz für Onda" in scene.buyer.browser.get(f"/payments/{checkout}").text


def test_a_reversal_whose_attempts_are_used_up_is_told_and_can_be_tried_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = scene.make.person("operator")
    scene.onboard(scene.designer)
    checkout = scene.licensed()
    share = scene.shares()[("license_fee", "whole")]
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        row = Reversal(
            transfer_id=share.id,
            cause_id="dsp_lost",
            org_id=share.org_id,
            subject_id=share.subject_id,
            amount=5_000,
            currency="USD",
        )
        session.add(row)
        session.flush()
        stage(session, JobName.REVERSE_TRANSFER, row.id, {"reversal_id": row.id})

    def down(*_: Any, **__: Any) -> Any:
        raise RuntimeError("no answer")

    binding = registry.BINDINGS[JobName.REVERSE_TRANSFER]
    with monkeypatch.context() as patch:
        patch.setattr(scene.services.payments, "find_reversals", down)
        patch.setitem(registry.BINDINGS, JobName.REVERSE_TRANSFER, run.Binding(binding.function, max_attempts=1,
                      on_failed=binding.on_failed))  # fmt: skip
        scene.run_jobs()
    assert "gave_up" in scene.alerts()
    with Session(scene.services.engine) as session:
        alert = session.scalars(select(Alert).where(Alert.kind == "gave_up")).one()
    page = operator.browser.get("/desk/money").text
    assert "Taking back a share that was sent" in page
    assert f"/desk/money/payments/{checkout}" in page
    assert operator.browser.post(f"/desk/money/alerts/{alert.id}/again").status_code == 303
    monkeypatch.setattr(reversals, "confirm", lambda *_: None)
    scene.run_jobs()
    with Session(scene.services.engine) as session:
        job = session.scalars(select(JobRow).where(JobRow.key == f"reverse_transfer:again-{alert.id}")).one()
        assert job.args == {"reversal_id": row.id}
        assert job.state == "done"
        assert session.get_one(Alert, alert.id).resolved_by == operator.user.id
    assert operator.browser.post(f"/desk/money/alerts/{alert.id}/again").status_code == 409


def test_no_job_of_money_gives_up_in_silence() -> None:
    for name in TASKS:
        assert registry.BINDINGS[name].on_failed is alerts.gave_up, name


def test_a_share_taken_back_by_hand_is_sent_once_more_on_the_payments_page(scene: Scene) -> None:
    """PAY-22: what the alert asks the operator to do can be done."""
    operator = scene.make.person("operator")
    scene.onboard(scene.designer)
    checkout = scene.licensed()
    sent = scene.shares()[("license_fee", "whole")].stripe_transfer_id
    scene.control("POST", f"/transfers/{sent}/reverse")
    scene.settle()
    [again] = [share for share in scene.every_share() if share.reason == "reversed_outside"]
    page = operator.browser.get(f"/desk/money/payments/{checkout}").text
    assert f"/desk/money/shares/{again.id}/release" in page
    assert operator.browser.post(f"/desk/money/shares/{again.id}/release").status_code == 303
    scene.settle()
    with Session(scene.services.engine) as session:
        assert session.get_one(Transfer, again.id).state == "sent"
    assert operator.browser.post(f"/desk/money/shares/{again.id}/release").status_code == 409


def test_an_operator_gives_money_back_from_the_payments_page(scene: Scene) -> None:
    operator = scene.make.person("operator")
    checkout = scene.paid()
    wrong = {"amount": "1e3", "reason": "quality"}
    assert operator.browser.post(f"/desk/money/payments/{checkout}/refund", data=wrong).status_code == 422
    data = {"amount": "10.00", "reason": "goodwill"}
    assert operator.browser.post(f"/desk/money/payments/{checkout}/refund", data=data).status_code == 303
    scene.settle()
    assert (scene.one(Refund).state, scene.one(Refund).amount) == ("done", 1_000)
