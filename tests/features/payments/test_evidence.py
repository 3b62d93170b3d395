"""The answer to a dispute: the contract, the messages and the proof of delivery of this deal and of no other."""

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from marketplace.accounts.models import Organization
from marketplace.db.jobs import JobName, stage
from marketplace.db.unit_of_work import unit_of_work
from marketplace.gateways.payment_types import PaymentRejected
from marketplace.kernel import clock
from marketplace.licensing.models import License
from marketplace.messaging.models import Message
from marketplace.notifications.models import Mail, Notification
from marketplace.orders.models import Order
from marketplace.payments.claims import Alert, Dispute
from marketplace.production.models import Shipment, StageEvent
from tests.features.licensing.test_licenses import text_of
from tests.features.orders.world import World, world
from tests.features.payments.scene import SYSTEM, Scene
from tests.kit.royalties import leave_statements
from workers import registry
from workers.jobs import evidence

__all__ = ["world"]
CONTRACT = b"%PDF-1.7 the signed agreement of this deal"


@pytest.fixture
def deal(scene: Scene, world: World) -> tuple[Scene, World, Order]:
    """A paid order with messages, stages and a shipment; beside it another licensee's, who writes and orders too."""
    scene.buyer, scene.designer, scene.maker = world.buyer, world.designer, world.maker
    scene.make.person("operator")
    order = world.paid(3)
    other = world.another_licensee()
    _fill(world, order, "Please polish the inner side.", "MALCA-77", CONTRACT)
    _fill(other, other.paid(2), "Nobody else may read this.", "BRINKS-99", b"%PDF-1.7 of somebody else")
    return scene, world, order


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files whose content does not matter."""
    monkeypatch.setattr(evidence, "make_pdf", lambda _template, values, _at: f"%PDF-1.7 {values['title']}".encode())


def _fill(world: World, order: Order, words: str, tracking: str, contract: bytes) -> None:
    digest = hashlib.sha256(contract).hexdigest()
    world.services.storage.put(f"licenses/{digest}.pdf", contract, "application/pdf", digest)
    with unit_of_work(world.services.engine, SYSTEM) as session:
        held = session.get_one(License, world.license.id)
        held.signed_document_key = f"licenses/{digest}.pdf"
        mine = {"maker_org_id": world.maker.org.id, "user_id": world.maker.user.id, "order_id": order.id}
        session.add_all(
            [
                Message(negotiation_id=held.negotiation_id, org_id=world.buyer.org.id, to_org_id=world.designer.org.id,
                        user_id=world.buyer.user.id, text=words, lang="en"),
                StageEvent(**mine, stage="casting", note=f"Cast for {tracking}", evidence=["a", "b"]),
                Shipment(**mine, carrier="Malca-Amit", tracking=tracking, shipped_at=clock.now()),
            ]
        )  # fmt: skip


def _answered(scene: Scene, dispute: Dispute, at: datetime | None) -> None:
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        session.get_one(Dispute, dispute.id).submitted_at = at


def _disputed(scene: Scene, order: Order) -> Dispute:
    checkout = scene.paid(subject=order.id)
    scene.dispute(scene.checkout(checkout).payment_intent or "")
    found: Dispute = scene.one(Dispute)
    return found


def _files(scene: Scene, dispute: Dispute) -> dict[str, bytes]:
    return {item["field"]: scene.services.storage.read(item["key"], 10**7) for item in dispute.bundle}


def test_the_files_hold_this_deal_and_nothing_of_another(deal: tuple[Scene, World, Order]) -> None:
    scene, world, order = deal
    dispute = _disputed(scene, order)
    assert dispute.bundle_state == "ready"
    files = _files(scene, dispute)
    assert set(files) == {"shipping_documentation", "customer_communication", "customer_signature"}
    assert files["customer_signature"] == CONTRACT
    proof, letters = text_of(files["shipping_documentation"]), text_of(files["customer_communication"])
    for words in ("MALCA-77", "Malca-Amit", "casting - 2 photos", "Cast for MALCA-77", "USD 1000.01", "Six rings"):
        assert words in proof, words
    assert "Please polish the inner side." in letters
    assert world.buyer.org.name in letters
    for page in (proof, letters):
        assert dispute.stripe_dispute_id in " ".join(page.split())
        for foreign in ("Nobody else may read this.", "BRINKS-99"):
            assert foreign not in page
    for item in dispute.bundle:
        assert hashlib.sha256(files[item["field"]]).hexdigest() == item["sha256"]
        assert item["key"].startswith(f"disputes/{dispute.id}/")


def test_made_again_after_a_kill_it_is_the_same(
    deal: tuple[Scene, World, Order], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after the first file was stored: the next attempt makes the same files under the same names."""
    scene, _world, order = deal
    put, calls = scene.services.storage.put, []

    def dies(key: str, *args: Any) -> None:
        put(key, *args)
        if key.startswith("disputes/"):
            calls.append(key)
            if len(calls) == 1:
                raise SystemExit("killed")

    monkeypatch.setattr(scene.services.storage, "put", dies)
    checkout = scene.paid(subject=order.id)
    scene.control("POST", "/disputes", payment_intent=scene.checkout(checkout).payment_intent)
    with pytest.raises(SystemExit):
        scene.settle()
    assert (scene.one(Dispute).bundle_state, scene.one(Dispute).bundle) == ("making", [])
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        session.execute(text("update jobs set state = 'queued', lease_until = null where state = 'running'"))
    scene.run_jobs()
    dispute = scene.one(Dispute)
    assert dispute.bundle_state == "ready"
    assert len({item["key"] for item in dispute.bundle}) == 3
    assert calls[0] == calls[1]
    assert sorted(scene.services.storage.keys(f"disputes/{dispute.id}/")) == sorted(i["key"] for i in dispute.bundle)


@pytest.mark.usefixtures("quick")
def test_sending_is_asked_once_and_a_lost_answer_sends_nothing_twice(
    deal: tuple[Scene, World, Order], monkeypatch: pytest.MonkeyPatch
) -> None:
    """PAY-11: submitted, the answer lost; the next attempt sees that it was."""
    scene, _world, order = deal
    operator = scene.make.person("operator").browser
    dispute = _disputed(scene, order)
    submit, calls = scene.services.payments.submit_evidence, []

    def loses(*args: Any, **more: Any) -> Any:
        calls.append(args[1])
        submit(*args, **more)
        raise RuntimeError("no answer")

    monkeypatch.setattr(scene.services.payments, "submit_evidence", loses)
    assert operator.post(f"/desk/money/disputes/{dispute.id}/submit").status_code == 303
    assert operator.post(f"/desk/money/disputes/{dispute.id}/submit").status_code == 409
    scene.run_jobs()
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        session.execute(text("update jobs set run_after = now() where state = 'queued'"))
    scene.run_jobs()
    sent = scene.one(Dispute)
    assert (len(calls), sent.bundle_state, sent.status) == (1, "sent", "under_review")
    assert set(calls[0].files) == {item["field"] for item in sent.bundle}
    assert calls[0].texts["shipping_tracking_number"] == "MALCA-77"


@pytest.mark.usefixtures("quick")
def test_a_refused_answer_is_told_and_sent_again_on_request(
    deal: tuple[Scene, World, Order], monkeypatch: pytest.MonkeyPatch
) -> None:
    """PAY-11: each try is a job and a request of its own, so that neither we nor the vendor repeat the refusal."""
    scene, _world, order = deal
    operator = scene.make.person("operator").browser
    dispute = _disputed(scene, order)
    submit, keys = scene.services.payments.submit_evidence, []

    def refuses(*args: Any, **more: Any) -> Any:
        keys.append(more["idempotency_key"])
        if len(keys) < 3:
            raise PaymentRejected("bank_closed", "Not now.")
        return submit(*args, **more)

    monkeypatch.setattr(scene.services.payments, "submit_evidence", refuses)
    for told in (1, 2):
        assert operator.post(f"/desk/money/disputes/{dispute.id}/submit").status_code == 303
        scene.run_jobs()
        assert scene.one(Dispute).bundle_state == "ready"
        with Session(scene.services.engine) as session:
            assert session.scalar(select(func.count()).where(Alert.kind == "evidence_failed")) == told
    assert operator.post(f"/desk/money/disputes/{dispute.id}/submit").status_code == 303
    scene.run_jobs()
    assert (scene.one(Dispute).bundle_state, len(set(keys))) == ("sent", 3)


@pytest.mark.usefixtures("quick")
def test_words_that_have_changed_are_another_request(
    deal: tuple[Scene, World, Order], monkeypatch: pytest.MonkeyPatch
) -> None:
    """PAY-11: between two attempts of a job the buyer takes another name; the vendor meets no key with other words."""
    scene, world, order = deal
    operator = scene.make.person("operator").browser
    dispute = _disputed(scene, order)
    submit, keys = scene.services.payments.submit_evidence, []

    def broken(*args: Any, **more: Any) -> Any:
        keys.append(more["idempotency_key"])
        if len(keys) < 3:
            raise RuntimeError("no answer")
        return submit(*args, **more)

    def attempt() -> None:
        with unit_of_work(scene.services.engine, SYSTEM) as session:
            session.execute(text("update jobs set run_after = now() where state = 'queued'"))
        scene.run_jobs()

    monkeypatch.setattr(scene.services.payments, "submit_evidence", broken)
    operator.post(f"/desk/money/disputes/{dispute.id}/submit")
    attempt()
    attempt()
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        session.get_one(Organization, world.buyer.org.id).name = "Renamed Rings"
    attempt()
    assert keys[0] == keys[1] != keys[2]
    assert scene.one(Dispute).bundle_state == "sent"


@pytest.mark.usefixtures("quick")
def test_files_that_could_not_be_made_are_told_and_made_on_request(
    deal: tuple[Scene, World, Order], monkeypatch: pytest.MonkeyPatch
) -> None:
    scene, _world, order = deal
    operator = scene.make.person("operator").browser

    def broken(*_: Any) -> bytes:
        raise RuntimeError("no fonts")

    binding = registry.BINDINGS["assemble_evidence"]
    with monkeypatch.context() as patch:
        patch.setattr(evidence, "make_pdf", broken)
        patch.setitem(registry.BINDINGS, "assemble_evidence", replace(binding, max_attempts=1))
        dispute = _disputed(scene, order)
    assert dispute.bundle_state == "failed"
    assert "evidence_failed" in scene.alerts()
    assert f"/desk/money/disputes/{dispute.id}/assemble" in operator.get(f"/desk/money/disputes/{dispute.id}").text
    assert operator.post(f"/desk/money/disputes/{dispute.id}/assemble").status_code == 303
    scene.run_jobs()
    assert scene.one(Dispute).bundle_state == "ready"
    assert operator.post(f"/desk/money/disputes/{dispute.id}/assemble").status_code == 409


@pytest.mark.usefixtures("quick")
def test_payees_and_operators_are_reminded_three_days_and_one_day_before(deal: tuple[Scene, World, Order]) -> None:
    scene, world, order = deal
    dispute = _disputed(scene, order)
    due = dispute.evidence_due
    assert due is not None

    def told(days: float) -> list[str]:
        with clock.frozen(due - timedelta(days=days)):
            scene.sweep()
        with Session(scene.services.engine) as session:
            query = select(Notification.org_id).where(Notification.kind == "evidence_reminder")
            return list(session.scalars(query))

    assert told(4) == []
    # Nobody is reminded of what was sent.
    _answered(scene, dispute, clock.now())
    assert told(2.9) == []
    _answered(scene, dispute, None)
    first = told(2.9)
    assert {world.designer.org.id, world.maker.org.id} < set(first)
    assert len(told(2)) == len(first)
    assert "evidence_due" not in scene.alerts()
    assert len(told(0.9)) == 2 * len(first)
    assert len(told(0.5)) == 2 * len(first)
    assert "evidence_due" in scene.alerts()
    with Session(scene.services.engine) as session:
        mails = select(func.count()).where(Mail.params["kind"].astext == "evidence_reminder")
        assert session.scalar(mails) == 2 * len(first)
        # Each payee is told its own share, and the bank's moment.
        params = session.scalars(select(Notification).where(Notification.org_id == world.designer.org.id)).all()
        mine = next(row.params for row in params if row.kind == "evidence_reminder")
        assert mine["amount"] == {"amount": 20_001, "currency": "USD"}
        assert mine["until"] == {"moment": due.isoformat()}
        assert session.scalar(select(func.count()).where(Alert.kind == "evidence_due")) == 1
    page = scene.designer.browser.get("/notifications").text
    assert "$200.01: the bank takes the answer until" in page


def test_the_answer_about_a_royalty_shows_the_statement_and_what_the_buyer_reported(
    scene: Scene, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The license is the statement's; of a long thread the newest messages are shown."""
    scene.buyer, scene.designer = world.buyer, world.designer
    scene.make.person("operator")
    made: dict[str, dict[str, Any]] = {}

    def kept(_template: str, values: dict[str, Any], _at: datetime) -> bytes:
        made[values["title"]] = values
        return b"%PDF-1.7 quick"

    monkeypatch.setattr(evidence, "make_pdf", kept)
    monkeypatch.setattr(evidence, "_MESSAGES", 2)
    left = leave_statements(world.services, world.license.id)
    with unit_of_work(world.services.engine, SYSTEM) as session:
        negotiation = session.get_one(License, world.license.id).negotiation_id
        for number in range(4):
            session.add(
                Message(negotiation_id=negotiation, org_id=world.buyer.org.id, to_org_id=world.designer.org.id,
                        user_id=world.buyer.user.id, text=f"Word {number}", lang="en",
                        created_at=clock.now() + timedelta(seconds=number))
            )  # fmt: skip
        checkout = scene.open({world.designer.org.id: ("royalty", 58_750)})
        session.add(
            Dispute(stripe_dispute_id="du_royalty", checkout_id=checkout,
                    purpose="royalty", subject_id=left["statement"], description="Royalty", amount=58_750,
                    payer_org_id=world.buyer.org.id, orgs=[world.designer.org.id], currency="USD", status="lost",
                    reason="general", opened_at=clock.now())
        )  # fmt: skip
        session.flush()
        key = session.scalars(select(Dispute.id)).one()
        stage(session, JobName.ASSEMBLE_EVIDENCE, key, {"dispute_id": key})
    scene.run_jobs()
    files = _files(scene, scene.one(Dispute))
    assert files["service_documentation"] == b"%PDF-1.7 a statement"
    proof, letters = str(made["Proof of what was owed"]["sections"]), str(made["Messages between the parties"])
    for words in (world.license.id, "R-", "USD 587.50", "reported by the buyer"):
        assert words in proof, words
    assert "Not shipped" not in proof
    assert [word in letters for word in ("Word 0", "Word 1", "Word 2", "Word 3")] == [False, False, True, True]
    assert letters.index("Word 2") < letters.index("Word 3")
