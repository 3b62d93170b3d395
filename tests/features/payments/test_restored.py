"""A dispute that is lost and then reinstated: its credit notes are undone by documents with numbers of their own."""

from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from marketplace.db.jobs import JobName, JobRow, stage
from marketplace.db.unit_of_work import unit_of_work
from marketplace.invoices import operations, queries
from marketplace.invoices.models import Invoice
from marketplace.invoices.operations import Credited
from marketplace.kernel.errors import Invalid
from marketplace.notifications.models import Notification
from tests.features.payments.scene import SYSTEM, Scene
from workers.jobs import payments as payment_jobs


@pytest.fixture
def invoiced(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """The scene with its invoices, and an operator whose fee is invoiced."""
    monkeypatch.setattr(payment_jobs, "ask_invoices", operations.ask_invoices)
    monkeypatch.setattr("workers.jobs.money_back.ask_credit", operations.ask_credit)
    # What the papers look like is proved elsewhere.
    monkeypatch.setattr("workers.jobs.invoices.make_pdf", lambda *_: b"%PDF-1.7 quick")
    scene.make.person("operator")
    return scene


def _all(scene: Scene) -> list[Invoice]:
    with Session(scene.services.engine, expire_on_commit=False) as session:
        return list(session.scalars(select(Invoice).order_by(Invoice.created_at, Invoice.number)))


def _sum(rows: list[Invoice], issuer: str) -> int:
    return sum(row.gross * (-1 if row.kind == "credit_note" else 1) for row in rows if row.issuer_org_id == issuer)


def test_a_reinstated_dispute_undoes_its_credit_notes_once(invoiced: Scene) -> None:
    """PAY-16, PAY-26: what stands in the end is what was paid, and no number is left out."""
    invoiced.onboard(invoiced.designer)
    checkout = invoiced.licensed()
    dispute = invoiced.dispute(invoiced.checkout(checkout).payment_intent or "")
    invoiced.end(dispute, "lose")
    designer = invoiced.designer.org.id
    assert _sum(_all(invoiced), designer) == 0
    invoiced.end(dispute, "reinstate")
    rows = _all(invoiced)
    notes = {row.id: row for row in rows if row.kind == "credit_note"}
    undone = [row for row in rows if row.restores_id]
    assert {row.restores_id for row in undone} == set(notes)
    assert len(notes) == 2
    for row in undone:
        note = notes[row.restores_id or ""]
        assert (row.gross, row.tax, row.treatment) == (note.gross, note.tax, note.treatment)
        assert row.content["restores"] == note.number
        assert row.number != note.number
    assert _sum(rows, designer) == 100_000
    with Session(invoiced.services.engine) as session:
        assert queries.problems(session) == []
        told = session.scalars(select(Notification.org_id).where(Notification.kind == "invoice_restored"))
        assert invoiced.buyer.org.id in set(told)
    with unit_of_work(invoiced.services.engine, SYSTEM) as session:
        cause = next(iter(notes.values())).cause
        assert operations.restore(session, SYSTEM, checkout, cause=cause) == []
    note = next(row for row in notes.values() if row.issuer_org_id == designer)
    again = next(row for row in undone if row.restores_id == note.id)
    page = invoiced.buyer.browser.get(f"/invoices/{note.id}").text
    assert "Undone by" in page
    assert again.number in page
    assert note.number in invoiced.buyer.browser.get(f"/invoices/{again.id}").text
    assert invoiced.buyer.api.get(f"/invoices/{again.id}").json["restores"] == note.number


def test_what_was_undone_can_be_credited_again_and_no_more(invoiced: Scene) -> None:
    checkout = invoiced.licensed()
    designer = invoiced.designer.org.id
    whole = [Credited(designer, "license_fee", 100_000, 0)]
    with unit_of_work(invoiced.services.engine, SYSTEM) as session:
        operations.credit(session, SYSTEM, checkout, cause="dsp_one", parts=whole)
        operations.restore(session, SYSTEM, checkout, cause="dsp_one")
        operations.credit(session, SYSTEM, checkout, cause="rfn_two", parts=whole)
    assert _sum(_all(invoiced), designer) == 0
    with unit_of_work(invoiced.services.engine, SYSTEM) as session, pytest.raises(Invalid, match="More would be"):
        operations.credit(session, SYSTEM, checkout, cause="rfn_three", parts=whole)


def test_credit_notes_are_issued_before_they_are_undone(invoiced: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The two tasks change places: the undoing waits for the issuing."""
    invoiced.onboard(invoiced.designer)
    checkout = invoiced.licensed()
    issue: Any = operations.credit
    calls = []

    def late(*args: Any, **more: Any) -> Any:
        calls.append(more["cause"])
        if len(calls) == 1:
            raise RuntimeError("killed")
        return issue(*args, **more)

    monkeypatch.setattr(operations, "credit", late)
    dispute = invoiced.dispute(invoiced.checkout(checkout).payment_intent or "")
    invoiced.end(dispute, "lose")
    invoiced.end(dispute, "reinstate")
    for _ in range(3):
        with unit_of_work(invoiced.services.engine, SYSTEM) as session:
            session.execute(text("update jobs set run_after = now() where state = 'queued'"))
        invoiced.run_jobs()
    rows = _all(invoiced)
    assert len([row for row in rows if row.restores_id]) == len([row for row in rows if row.kind == "credit_note"]) == 2


def test_credit_notes_given_up_and_tried_again_after_the_dispute_was_reinstated_are_undone(
    invoiced: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PAY-16, PAY-26: the undoing has found nothing; what stands in the end is what was paid."""
    checkout = invoiced.licensed()
    issue: Any = operations.credit

    def down(*_: Any, **__: Any) -> Any:
        raise RuntimeError("killed")

    monkeypatch.setattr(operations, "credit", down)
    dispute = invoiced.dispute(invoiced.checkout(checkout).payment_intent or "")
    invoiced.end(dispute, "lose")
    with unit_of_work(invoiced.services.engine, SYSTEM) as session:
        given_up = update(JobRow).where(JobRow.state == "queued", JobRow.name == JobName.ISSUE_INVOICES)
        args = session.scalars(given_up.values(state="failed").returning(JobRow.args)).one()
    invoiced.end(dispute, "reinstate")
    assert [row for row in _all(invoiced) if row.kind == "credit_note"] == []
    monkeypatch.setattr(operations, "credit", issue)
    with unit_of_work(invoiced.services.engine, SYSTEM) as session:
        stage(session, JobName.ISSUE_INVOICES, "again-alr_1", args)
    invoiced.run_jobs()
    rows = _all(invoiced)
    assert len([row for row in rows if row.restores_id]) == len([row for row in rows if row.kind == "credit_note"]) == 2
    assert _sum(rows, invoiced.designer.org.id) == 100_000
