"""What the tests of money share."""

from typing import Any

import pytest

from marketplace.services import Services
from tests.features.payments.scene import Scene
from tests.kit.people import Make
from workers.jobs import payments as payment_jobs


@pytest.fixture
def scene(
    services: Services,
    make: Make,
    sandbox_control: Any,
    deliver_events: Any,
    run_jobs: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> Scene:
    """People and a payment; what being paid means to a feature is left out."""
    for purpose in ("license", "order"):
        monkeypatch.setitem(payment_jobs.ON_PAID, purpose, lambda *_: None)
    monkeypatch.setattr(payment_jobs, "ask_invoices", lambda *_: None)
    monkeypatch.setattr("workers.jobs.money_back.ask_credit", lambda *_args, **_more: None)
    return Scene(services, make, sandbox_control, deliver_events, run_jobs)
