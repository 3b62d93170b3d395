"""SIGKILL of a worker in the middle of its job: the job is finished later, and what it does has happened once.

Worker and relay are real processes on the test instance. One scene serves all tests: a job of each costly kind is
brought to its middle (its vendor has been called and is slow, or its last write waits for a row lock), its worker is
killed, and other workers finish what is left.
"""

import hashlib
from collections.abc import Iterator

import pytest
import requests
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.designs.models import Asset, Derivative
from marketplace.licensing.models import License
from marketplace.notifications.models import Mail
from marketplace.payments import ledger
from marketplace.payments.models import Checkout, LedgerTransaction, Transfer
from marketplace.studio.models import AiCall, ContentDraft
from tests.kit.crew import running_crew, wait_for
from tests.kit.instance import Instance
from tests.workers.crash import Scene

pytestmark = pytest.mark.slow
KINDS = ("transfer", "payment event", "document", "story", "photo", "mail")
#: Those that wait at a row lock until their worker is dead.
BLOCKED = ("payment event", "document")


@pytest.fixture(scope="module")
def scene(instance: Instance, app: Flask, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """After the kills, once every job has ended."""
    instance.empty()
    log = tmp_path_factory.mktemp("crew") / "log"
    with instance.owner.connect() as blocker, running_crew(instance.env, log) as crew:
        made = Scene(instance, app, blocker)
        made.stage()
        crew.start("relay")
        for _ in range(len(KINDS) + 1):
            crew.start("worker")
        alive = set(KINDS)

        def all_killed() -> bool:
            for kind in sorted(alive):
                staged = made.jobs[kind]
                if staged.in_the_middle() and crew.kill_worker_of(staged.job_id):
                    alive.discard(kind)
                    crew.start("worker")  # as a supervisor does
            if not alive & set(BLOCKED):
                blocker.rollback()
            return not alive

        wait_for(all_killed, "a worker being in the middle of each job")
        # As if a day had passed: the payment service has forgotten our keys, so looking first is what counts.
        requests.post(f"{instance.settings.stripe_api_base}/_sandbox/idempotency/forget", timeout=60)
        ended = {"done", "failed"}
        wait_for(lambda: all(made.row(s.job_id).state in ended for s in made.jobs.values()), "the end of every job")
        yield made


@pytest.fixture
def session(scene: Scene) -> Iterator[Session]:
    """For reading what has happened."""
    with Session(scene.instance.background.engine) as found:
        yield found


@pytest.mark.parametrize("kind", KINDS)
def test_a_job_whose_worker_was_killed_is_done_by_another(scene: Scene, kind: str) -> None:
    row = scene.row(scene.jobs[kind].job_id)
    assert (row.state, row.error) == ("done", None)
    assert row.attempts >= 2


def test_money_is_sent_once_although_the_killed_worker_had_sent_it(scene: Scene, session: Session) -> None:
    sent = scene.instance.background.payments.find_transfers(scene.ids["paid license"])
    row = session.get_one(Transfer, scene.ids["transfer"])
    assert [(t.id, t.amount) for t in sent] == [(row.stripe_transfer_id, row.amount)]
    assert row.state == "sent"
    assert ledger.problems(session) == []


def test_a_payment_is_booked_once_and_makes_the_license_active(scene: Scene, session: Session) -> None:
    checkout = session.scalars(select(Checkout).where(Checkout.subject_id == scene.ids["license"])).one()
    booked = select(func.count()).where(LedgerTransaction.key == f"paid:{checkout.id}")
    assert checkout.state == "paid"
    assert session.scalar(booked) == 1
    assert session.get_one(License, scene.ids["license"]).state == "active"


def test_the_document_on_the_license_is_the_one_in_the_store(scene: Scene, session: Session) -> None:
    held = session.get_one(License, scene.ids["drafted license"])
    assert held.state == "to_sign"
    stored = scene.instance.background.storage.read(held.document_key or "", 1 << 22)
    assert hashlib.sha256(stored).hexdigest() == held.document_sha256


def test_there_is_one_draft_and_the_lost_call_is_on_the_books(scene: Scene, session: Session) -> None:
    drafts = select(func.count()).select_from(ContentDraft).where(ContentDraft.design_id == scene.ids["design"])
    assert session.scalar(drafts) == 1
    calls = session.scalars(
        select(AiCall).where(AiCall.job_id == scene.jobs["story"].job_id).order_by(AiCall.created_at)
    )
    assert [(c.state, c.error) for c in calls] == [("failed", "the worker was lost"), ("done", None)]


def test_a_photo_has_one_set_of_sizes_all_in_the_store(scene: Scene, session: Session) -> None:
    asset = session.get_one(Asset, scene.ids["asset"])
    assert asset.state == "ready"
    made = session.scalars(select(Derivative).where(Derivative.asset_id == asset.id)).all()
    folder = (asset.storage_key or "").rpartition("/")[0] + "/"
    kept = set(scene.instance.background.storage.keys(folder))
    assert made
    assert kept == {asset.storage_key, *(d.storage_key for d in made)}


def test_one_mail_arrives_under_the_id_of_its_row(scene: Scene, session: Session) -> None:
    address = scene.ids["address"]
    row = session.scalars(select(Mail).where(Mail.to == address)).one()
    found = requests.get(f"{scene.instance.mail_url}/_sandbox/mails", params={"to": address}, timeout=60).json()[
        "mails"
    ]
    assert [m["headers"]["Message-ID"].strip("<>").partition("@")[0] for m in found] == [row.id]
    assert row.sent_at is not None
