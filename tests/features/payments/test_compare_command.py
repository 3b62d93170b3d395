"""`marketplace payments compare`: the comparison from a terminal, with an exit code for scripts."""

from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import update

from marketplace.db.unit_of_work import unit_of_work
from marketplace.payments import commands
from marketplace.payments.claims import Reconciliation
from tests.features.payments.scene import SYSTEM, Scene


def test_the_command_compares_prints_and_tells_by_its_exit_code(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """PAY-24: a difference is printed in words and amounts."""
    monkeypatch.setattr("time.sleep", lambda _s: scene.run_jobs())

    def run(*words: str) -> Any:
        return CliRunner().invoke(commands.payments, ["compare", *words], obj=scene.services)

    scene.paid()
    same = run()
    assert (same.exit_code, same.output.endswith("0 differences.\n")) == (0, True), same.output
    found = [{"kind": "balance_amount", "object": "USD", "subject": None, "ours": "-123", "theirs": "100"}]
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        row = session.execute(update(Reconciliation).values(differences=found).returning(Reconciliation.at)).one()
    kept = run("--day", f"{row.at:%Y-%m-%d}")
    assert kept.exit_code == 1
    assert kept.output.splitlines()[0] == "Balance: another amount: USD  ours -$1.23  theirs $1.00"
    assert run("--day", "2020-01-01").exit_code == 1
    assert "no comparison of 2020-01-01" in run("--day", "2020-01-01").output
    assert run("--day", "yesterday").exit_code == 2


def test_the_command_says_when_no_worker_runs(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "LONGEST_S", 0)
    answer = CliRunner().invoke(commands.payments, ["compare"], obj=scene.services)
    assert answer.exit_code == 1
    assert "No worker" in answer.output
