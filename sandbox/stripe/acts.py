"""What a person at the keyboard makes happen from the overview page: the control routes as buttons."""

from collections.abc import Callable

from sandbox.stripe import accounts, checkout, disputes, refunds, transfers
from sandbox.stripe.clockwork import let_time_work
from sandbox.stripe.errors import ApiError
from sandbox.stripe.world import World

#: The buttons beside each kind of thing, by the word that names them.
ACTS: dict[str, tuple[str, ...]] = {
    "session": ("pay_bank", "fail_bank"),
    "account": ("onboard", "restrict", "payout", "deauthorize", "close"),
    "charge": ("dispute", "inquiry"),
    "transfer": ("reverse",),
    "refund": ("refund_ok", "refund_back"),
    "payout": ("fail", "return"),
    "dispute": ("withdraw", "win", "lose", "reinstate"),
}
_DO: dict[str, Callable[[World, str], object]] = {
    "pay_bank": lambda w, i: checkout.settle_bank(w, i, paid=True),
    "fail_bank": lambda w, i: checkout.settle_bank(w, i, paid=False),
    "onboard": accounts.onboard,
    "restrict": accounts.restrict,
    "payout": lambda w, i: transfers.pay_out(w, i, {}),
    "deauthorize": accounts.deauthorize,
    "close": lambda w, i: accounts.close(w, {}, i),
    "dispute": lambda w, i: disputes.create(w, {"charge": i}),
    "inquiry": lambda w, i: disputes.create(w, {"charge": i, "inquiry": True}),
    "reverse": lambda w, i: transfers.reverse(w, {}, i),
    "refund_ok": lambda w, i: refunds.settle(w, i, "succeeded"),
    "refund_back": lambda w, i: refunds.settle(w, i, "failed"),
    "fail": transfers.fail_payout,
    "return": lambda w, i: transfers.fail_payout(w, i, "no_account", returned=True),
    "withdraw": disputes.withdraw,
    "win": disputes.win,
    "lose": disputes.lose,
    "reinstate": disputes.reinstate,
    "day_on": lambda w, _: w.move_clock({"advance_s": 86_400}),
}


def happen(world: World, what: str, object_id: str) -> None:
    """Do it. Raises ApiError when the thing's state does not allow it, or there is no such act."""
    if what not in _DO:
        raise ApiError("There is no such act.", status=404)
    _DO[what](world, object_id)
    let_time_work(world)
