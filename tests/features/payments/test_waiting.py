"""A refund whose share lies in a file at the bank waits for days and is made then."""

from datetime import timedelta

from sqlalchemy import select

from marketplace.accounts.models import Organization
from marketplace.db.jobs import JobName, JobRow
from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel import clock
from marketplace.payments import ledger
from marketplace.payments.claims import Refund
from marketplace.payments.rails.models import BankFile
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
