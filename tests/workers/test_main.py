"""Which queues a worker process works on."""

import pytest

from workers.main import queues


def test_a_worker_without_names_takes_every_queue_money_first() -> None:
    assert queues([]) == ["urgent", "default", "heavy"]


def test_named_queues_are_taken_in_the_order_of_urgency() -> None:
    assert queues(["default", "urgent"]) == ["urgent", "default"]


def test_an_unknown_queue_ends_the_program_and_names_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        queues(["slow"])
    assert "choose from urgent, default, heavy" in capsys.readouterr().err
