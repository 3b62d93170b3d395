"""The nightly comparison: every planted difference is found and named (PAY-24)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from marketplace.db.jobs import JobName, stage
from marketplace.db.unit_of_work import unit_of_work
from marketplace.gateways.payment_types import Movement
from marketplace.kernel import clock
from marketplace.kernel.ids import new_id
from marketplace.payments import alerts, comparison, ledger, payees
from marketplace.payments.claims import Alert, Reconciliation
from marketplace.payments.comparison import Ours, Theirs, differences
from tests.features.payments.scene import SYSTEM, Scene
from workers.jobs import books
from workers.run import Run

_LONG_AGO = timedelta(hours=3)


def _movement(kind: str, source: str, amount: int, fee: int = 0, currency: str = "USD", number: int = 0) -> Movement:
    at = clock.now() - _LONG_AGO
    return Movement(
        f"txn_{source}_{number}", kind, kind, source, amount, fee, amount - fee, currency, at, at, "available"
    )


def _side(group: str, gross: int, fee: int = 0, currency: str = "USD", subject: str = "lic_1") -> comparison.Side:
    return comparison.Side(group, subject, {currency: gross}, {currency: fee} if fee else {}, 1)


def _equal() -> tuple[Ours, Theirs]:
    """Two sides that agree about one of everything."""
    moves = [
        _movement("charge", "ch_1", 10_000, 320),
        _movement("refund", "re_1", -1_000),
        _movement("transfer", "tr_1", -8_000),
        _movement("transfer_reversal", "trr_1", 500),
        _movement("dispute", "du_1", -700, 1_500),
    ]
    dispute = moves[-1].id
    mine = Ours(
        since=clock.now() - timedelta(days=35),
        booked={
            "ch_1": _side("charge", 10_000, 320),
            "re_1": _side("refund", -1_000),
            "tr_1": _side("transfer", -8_000),
            "trr_1": _side("reversal", 500),
            dispute: _side("dispute", -700, 1_500),
        },
        balances={"USD": -1_020},
        payouts={"po_1": ("org_a", "paid")},
        disputes={"du_1": ("dsp_1", "needs_response")},
        stuck=[],
        paid_from={"po_1": "acct_a"},
        sent={"tr_1": ("trf_1", "acct_a")},
    )
    their = Theirs(
        movements=moves,
        balances={"USD": -1_020},
        payouts={"po_1": "paid"},
        disputes={"du_1": "needs_response"},
        transfers={"tr_1": ("trf_1", "acct_a")},
    )
    return mine, their


def _without(mine: Ours, name: str) -> Ours:
    return replace(mine, booked={k: v for k, v in mine.booked.items() if k != name})


def _moved(their: Theirs, index: int, **changes: object) -> Theirs:
    moves = list(their.movements)
    moves[index] = replace(moves[index], **changes)  # type: ignore[arg-type]
    return replace(their, movements=moves)


def _more(their: Theirs, *extra: Movement) -> Theirs:
    return replace(their, movements=[*their.movements, *extra])


def _booked(mine: Ours, name: str, side: comparison.Side) -> Ours:
    return replace(mine, booked={**mine.booked, name: side})


_MINE, _THEIRS = _equal()
_DISPUTE = _THEIRS.movements[4].id
#: name of the difference -> (object, our side, their side) with exactly that planted.
PLANTED: dict[str, tuple[str, Ours, Theirs]] = {
    "charge_not_booked": ("ch_1", _without(_MINE, "ch_1"), _THEIRS),
    "charge_not_there": ("ch_x", _booked(_MINE, "ch_x", _side("charge", 5)), _THEIRS),
    "charge_amount": ("ch_1", _MINE, _moved(_THEIRS, 0, amount=10_001)),
    "charge_currency": ("ch_1", _MINE, _moved(_THEIRS, 0, currency="EUR", fee=0)),
    "charge_fee": ("ch_1", _MINE, _moved(_THEIRS, 0, fee=321)),
    "refund_not_booked": ("re_x", _MINE, _more(_THEIRS, _movement("refund", "re_x", -5))),
    "refund_not_there": ("re_x", _booked(_MINE, "re_x", _side("refund", -5)), _THEIRS),
    "refund_amount": ("re_1", _MINE, _more(_THEIRS, _movement("refund_failure", "re_1", 1_000, number=1))),
    "transfer_not_booked": ("tr_x", _MINE, _more(_THEIRS, _movement("transfer", "tr_x", -5))),
    "transfer_not_there": ("tr_x", _booked(_MINE, "tr_x", _side("transfer", -5)), _THEIRS),
    "transfer_amount": ("tr_1", _MINE, _moved(_THEIRS, 2, amount=-8_001)),
    "transfer_twice": ("tr_2", _MINE, replace(_THEIRS, transfers={**_THEIRS.transfers, "tr_2": ("trf_1", "acct_a")})),
    "transfer_payee": ("tr_1", _MINE, replace(_THEIRS, transfers={"tr_1": ("trf_1", "acct_other")})),
    "reversal_not_booked": ("trr_x", _MINE, _more(_THEIRS, _movement("transfer_reversal", "trr_x", 5))),
    "reversal_not_there": ("trr_x", _booked(_MINE, "trr_x", _side("reversal", 5)), _THEIRS),
    "reversal_amount": ("trr_1", _MINE, _moved(_THEIRS, 3, amount=501)),
    "dispute_not_booked": (_DISPUTE, _without(_MINE, _DISPUTE), _THEIRS),
    "dispute_fee": (_DISPUTE, _MINE, _moved(_THEIRS, 4, fee=2_000)),
    "dispute_state": ("du_1", _MINE, replace(_THEIRS, disputes={"du_1": "lost"})),
    "payout_state": ("po_1", _MINE, replace(_THEIRS, payouts={"po_1": "failed"})),
    "payout_not_booked": ("txn_po_p_0", _MINE, _more(_THEIRS, _movement("payout", "po_p", -5))),
    "adjustment_not_booked": ("txn_adj_0", _MINE, _more(_THEIRS, _movement("other_adjustment", "adj", 7))),
    "balance_amount": ("USD", _MINE, replace(_THEIRS, balances={"USD": -1_019})),
    "share_stuck": ("trf_9", replace(_MINE, stuck=["trf_9"]), _THEIRS),
    "refund_booked_as_transfer": ("re_1", _booked(_MINE, "re_1", _side("transfer", -1_000)), _THEIRS),
}


def test_two_sides_that_agree_have_no_difference() -> None:
    assert differences(_MINE, _THEIRS, clock.now()) == []
    # What happened a moment ago may be on its way to us.
    just_now = replace(_movement("charge", "ch_new", 5), created=clock.now())
    assert differences(_MINE, _more(_THEIRS, just_now), clock.now()) == []


@pytest.mark.parametrize("kind", PLANTED)
def test_each_planted_difference_is_found_and_named(kind: str) -> None:
    name, mine, their = PLANTED[kind]
    assert [(d.kind, d.object) for d in differences(mine, their, clock.now())] == [(kind, name)]


def test_all_planted_differences_are_found_together() -> None:
    kinds = set()
    for name, mine, their in PLANTED.values():
        kinds |= {d.kind for d in differences(mine, their, clock.now()) if d.object == name}
    assert len(kinds) == len(PLANTED) >= 20


def test_the_job_compares_the_real_books_and_keeps_the_chain_elsewhere(scene: Scene) -> None:
    """A whole life of payments agrees; then a movement nobody asked for and a lost booking are named and alerted."""
    scene.onboard(scene.designer)
    checkout = scene.licensed()
    scene.refund(checkout, 10_000)
    scene.end(scene.dispute(scene.checkout(checkout).payment_intent or "", amount=20_000), "win")
    assert compared(scene).differences == []
    scene.control("POST", "/adjust", amount=123, currency="usd", description="Nobody asked")
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        lines = [ledger.Line(ledger.STRIPE, 50), ledger.Line(ledger.FEES, -50)]
        ledger.post(
            session,
            key="phantom",
            kind="transfer",
            subject_id="lic_9",
            memo="",
            currency="USD",
            lines=lines,
            external_id="tr_phantom",
        )
    with clock.frozen(clock.now() + timedelta(minutes=30)):
        found = compared(scene).differences
    assert {row["kind"] for row in found} == {"adjustment_not_booked", "transfer_not_there", "balance_amount"}
    assert "difference" in scene.alerts()
    kept = list(scene.services.storage.keys("anchors/ledger/"))
    assert len(kept) >= 2


def test_pay_24_a_closed_difference_that_is_still_there_is_raised_anew(scene: Scene) -> None:
    operator = scene.make.person("operator")
    scene.control("POST", "/adjust", amount=123, currency="usd", description="Nobody asked")
    assert "balance_amount" in {row["kind"] for row in compared(scene).differences}
    for _ in range(2):
        with unit_of_work(scene.services.engine, SYSTEM) as session:
            [alert] = session.scalars(select(Alert).where(Alert.key == "difference:balance_amount:USD"))
            assert alert.resolved_at is None
            alerts.resolve(session, operator.actor, alert.id)
        compared(scene)


def test_money_that_moves_while_the_books_are_read_is_no_difference(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refund is made between the reading of our side and of theirs; its event has not come."""
    checkout = scene.licensed()
    intent = scene.checkout(checkout).payment_intent or ""
    read = books.read_theirs

    def refunded_meanwhile(run: Run, mine: Ours) -> Theirs:
        scene.services.payments.refund(intent, 5_000, "meanwhile", {})
        return read(run, mine)

    monkeypatch.setattr(books, "read_theirs", refunded_meanwhile)
    assert [row for row in compared(scene).differences if row["kind"] == "balance_amount"] == []


def test_pay_22_our_own_payouts_to_our_bank_and_their_returns_are_booked(scene: Scene) -> None:
    scene.licensed()
    [made] = scene.control("POST", "/payout", currency="usd", amount=4_000)
    with clock.frozen(clock.now() + timedelta(minutes=30)):
        assert compared(scene).differences == []
        assert scene.sums()[ledger.BANK] == 4_000
        scene.control("POST", f"/payouts/{made['id']}/fail")
        assert compared(scene).differences == []
        assert ledger.BANK not in scene.sums()


def test_an_account_that_was_replaced_or_is_lost_makes_no_difference(scene: Scene) -> None:
    first = scene.onboard(scene.designer)
    scene.licensed()
    scene.control("POST", f"/accounts/{first}/payout")
    scene.settle()
    assert compared(scene).differences == []
    scene.control("POST", f"/accounts/{first}/deauthorize")
    scene.settle()
    assert compared(scene).differences == []
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        payees.replace(session, SYSTEM, scene.designer.org.id)
    scene.services.payments.create_connected_account("b@b.example", "GB", "New", "another")
    assert compared(scene).differences == []


def compared(scene: Scene) -> Reconciliation:
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        stage(session, JobName.COMPARE_BOOKS, new_id("job"), {})
    scene.run_jobs()
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        assert session.scalar(text("select count(*) from jobs where state = 'failed'")) == 0
        return comparison.latest(session)[0]
