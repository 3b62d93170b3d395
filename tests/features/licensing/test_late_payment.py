"""Money that arrives after its license has lapsed goes back to the buyer, all of it and by itself."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import select, text, update

from marketplace.db.unit_of_work import unit_of_work
from marketplace.invoices.models import Invoice
from marketplace.kernel import clock
from marketplace.licensing.contract import life
from marketplace.notifications.models import Notification
from marketplace.payments import ledger
from marketplace.payments.claims import Refund
from marketplace.payments.models import Checkout, Transfer
from marketplace.services import Services
from tests.features.licensing.conftest import Pair
from tests.features.licensing.contracts import SYSTEM, Contract, Jobs


def test_money_for_a_lapsed_license_goes_back_whole(
    pair: Pair,
    services: Services,
    run_jobs: Jobs,
    sandbox_control: Callable[..., Any],
    deliver_events: Callable[..., list[int]],
) -> None:
    contract = Contract(pair, services, run_jobs, fee={"amount": 125_000, "currency": "USD"})
    run_jobs()
    contract.sign("designer")
    contract.sign("buyer")
    url = contract.ask("buyer", "/checkout", {})["url"]
    page = next(part for part in url.replace("#", "/").split("/") if part.startswith("cs_"))
    contract.move(signed_at=clock.now() - timedelta(days=15))
    with unit_of_work(services.engine, SYSTEM) as session:
        session.execute(update(Checkout).values(state="expired"))
    assert contract.tick(life.expire_due) == [1]
    sandbox_control("POST", f"/checkout/{page}/pay")
    for _ in range(3):
        assert set(deliver_events()) <= {200}
        run_jobs()
    assert contract.state() == "ended"
    with unit_of_work(services.engine, SYSTEM) as session:
        assert session.execute(text("select name, error from jobs where state = 'failed'")).all() == []
        refund = session.scalars(select(Refund)).one()
        assert (refund.state, refund.amount, refund.reason, refund.asked_by_org_id) == (
            "done",
            125_000,
            "too_late",
            None,
        )
        assert {share.state for share in session.scalars(select(Transfer))} == {"returned"}
        left = {b.account for b in ledger.balances(session) if b.amount}
        assert left == {ledger.STRIPE, ledger.PROCESSING}
        assert ledger.problems(session) == []
        charged = {"invoice": 0, "credit_note": 0}
        for row in session.scalars(select(Invoice)):
            charged[row.kind] += row.gross
        assert charged["invoice"] == charged["credit_note"] >= 125_000
        told = set(session.scalars(select(Notification.org_id).where(Notification.kind == "payment_too_late")))
        assert told == {pair.buyer.org.id, pair.designer.org.id}
        intent = session.scalars(select(Checkout.payment_intent)).one()
    assert [r.amount for r in services.payments.find_refunds(intent or "")] == [125_000]
    for who, words in ((pair.buyer, "付款来得太晚"), (pair.designer, "The payment came too late")):
        assert words in who.browser.get(f"/refunds/{refund.id}").text
