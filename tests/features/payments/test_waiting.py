"""A refund and a share paid by bank file: it waits for the bank for days; what the bank returns settles its debt."""

from datetime import timedelta

from sqlalchemy import select

from marketplace.accounts.models import Organization
from marketplace.db.jobs import JobName, JobRow
from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel import clock
from marketplace.payments import ledger
from marketplace.payments.claims import Refund
from marketplace.payments.rails.models import BankFile, BankItem
from tests.features.payments.scene import SYSTEM, Scene
from tests.features.payments.test_bank_files import HK


def test_a_refund_waits_for_the_bank_and_uses_no_attempts_up(scene: Scene) -> None:
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        session.get_one(Organization, scene.designer.org.id).country = "HK"
    assert scene.designer.browser.post("/payouts/bank", HK).status_code == 303
    checkout = scene.licensed()
    operator = scene.make.person("operator")
    assert operator.browser.post("/desk/bank-files", {"currency": "USD"}).status_code == 303
    scene.run_jobs()
    assert scene.shares()[("license_fee", "whole")].state == "sending"
    scene.refund(checkout, 100_000)
    start = clock.now()
    for hour in range(1, 31):
        with clock.frozen(start + timedelta(hours=hour)):
            scene.run_jobs()
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        job = session.scalars(select(JobRow).where(JobRow.name == JobName.MAKE_REFUND)).one()
        assert (job.state, job.attempts, job.error) == ("queued", 0, "share_in_file")
        assert job.fence == 31
        file = session.scalars(select(BankFile)).one().id
    assert scene.one(Refund).state == "approved"
    assert operator.browser.post(f"/desk/bank-files/{file}/cancel").status_code == 303
    with clock.frozen(start + timedelta(hours=32)):
        scene.run_jobs()
        scene.run_jobs()
    assert scene.one(Refund).state == "done"
    assert scene.shares()[("license_fee", "whole")].state == "returned"
    assert ledger.held(scene.designer.org.id) not in scene.sums()


def test_a_payment_that_the_bank_returns_after_a_part_was_refunded_settles_that_debt_first(scene: Scene) -> None:
    """PAY-15, PAY-22: 900.00 were paid by file, 270.00 of them are owed for a refund, then all of it comes back."""
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        session.get_one(Organization, scene.designer.org.id).country = "HK"
    assert scene.designer.browser.post("/payouts/bank", HK).status_code == 303
    checkout = scene.licensed()
    operator = scene.make.person("operator")
    operator.browser.post("/desk/bank-files", {"currency": "USD"})
    scene.run_jobs()
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        file, item = session.scalars(select(BankFile)).one().id, session.scalars(select(BankItem)).one().id
    operator.browser.post(f"/desk/bank-files/{file}/take")
    operator.browser.post(f"/desk/bank-files/{file}/mark", {"items": item, "outcome": "execute"})
    scene.run_jobs()
    scene.refund(checkout, 30_000)
    assert scene.sums()[ledger.receivable(scene.designer.org.id)] == 27_000
    mark = {"items": item, "outcome": "return", "reason": "AC04"}
    operator.browser.post(f"/desk/bank-files/{file}/mark", mark)
    scene.run_jobs()
    sums = scene.sums()
    assert sums[ledger.held(scene.designer.org.id)] == -63_000
    assert {ledger.BANK, ledger.receivable(scene.designer.org.id)}.isdisjoint(sums)
    first, again = sorted(scene.every_share(), key=lambda share: share.state, reverse=True)
    assert (first.state, first.amount, first.back) == ("sent", 27_000, 27_000)
    assert (again.state, again.payable, again.reason) == ("due", 63_000, "bank_returned")
    operator.browser.post("/desk/bank-files", {"currency": "USD"})
    scene.run_jobs()
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        assert session.scalars(select(BankItem.amount).where(BankItem.id != item)).all() == [63_000]
