"""A few seeds of the hostile soak (PAY-03, PAY-05, PAY-11, PAY-14, PAY-16, PAY-22); `bench/soak.py` plays many."""

import pytest

from marketplace.services import Services
from tests.kit.soak import Soak, impatient


@pytest.mark.parametrize("seed", [1, 2])
def test_the_books_hold_and_equal_the_payment_service_s_whatever_happens(services: Services, seed: int) -> None:
    soak = Soak(services, seed)
    with impatient():
        soak.play(60)
    assert soak.problems == []
    assert sum(soak.done.values()) == 60
    assert soak.faults
