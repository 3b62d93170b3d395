"""`/_sandbox/...`: what a test or a person at the keyboard can make happen. Described in docs/sandbox.md."""

from typing import Any

from flask import Blueprint, Response, jsonify, request

from sandbox.frontdoor import json_body
from sandbox.stripe import accounts, checkout, disputes, refunds, transfers
from sandbox.stripe.chaos import Chaos
from sandbox.stripe.charges import CARDS, DECLINED
from sandbox.stripe.clockwork import let_time_work
from sandbox.stripe.errors import ApiError
from sandbox.stripe.store import public
from sandbox.stripe.world import World

#: What can happen to a dispute, and to an account, by the last word of the address.
DISPUTE = {
    "withdraw": disputes.withdraw,
    "win": disputes.win,
    "lose": disputes.lose,
    "reinstate": disputes.reinstate,
}
ACCOUNT = {
    "onboard": accounts.onboard,
    "deauthorize": accounts.deauthorize,
    "close": lambda world, key: accounts.close(world, {}, key),
}


def blueprint(world: World, chaos: Chaos) -> Blueprint:
    """The control routes."""
    routes = Blueprint("control", __name__, url_prefix="/_sandbox")
    lock = world.store.lock

    @routes.errorhandler(ApiError)
    def refuse(error: ApiError) -> tuple[Response, int]:
        return jsonify(error.body), 409 if error.status == 400 else error.status

    _checkouts(routes, world)
    _money(routes, world)
    _time_and_faults(routes, world, chaos)

    @routes.get("/events")
    def events() -> Response:
        kind = request.args.get("type")
        rows = [e for e in world.webhooks.events() if kind in {None, e["type"]}]
        return jsonify(events=[{**public(e), "delivery": e["_delivery"]} for e in rows])

    @routes.post("/events/<event_id>/resend")
    def resend(event_id: str) -> Response:
        return jsonify(id=event_id, status=world.webhooks.deliver(event_id))

    @routes.route("/webhooks", methods=["GET", "POST"])
    def webhooks() -> Response:
        if request.method == "POST":
            wish = json_body()
            if "take" in wish:
                at = int(wish["at"]) if "at" in wish else None
                return jsonify(events=world.webhooks.take(int(wish["take"]), at))
            return jsonify(world.webhooks.order(wish))
        done = world.webhooks.wait(min(float(request.args.get("wait", 0)), 60))
        return jsonify({**world.webhooks.state(), "done": done})

    @routes.post("/reset")
    def reset() -> Any:
        with lock:
            world.store.reset()
            world.webhooks.order({"hold": False, "duplicate": 1, "drop": 0})
            chaos.order({"seed": None})
        return jsonify(reset=True)

    return routes


def _checkouts(routes: Blueprint, world: World) -> None:
    """What a buyer and a buyer's bank do."""
    lock = world.store.lock

    @routes.post("/checkout/<session_id>/pay")
    def pay(session_id: str) -> Response:
        wish = json_body()
        card = str(wish.get("card", next(iter(CARDS))))
        with lock:
            by_bank = wish.get("method") == "bank"
            return jsonify(
                public(checkout.pay_by_bank(world, session_id) if by_bank else checkout.pay(world, session_id, card))
            )

    @routes.post("/checkout/<session_id>/settle")
    def settle(session_id: str) -> Response:
        paid = json_body().get("status", "succeeded") == "succeeded"
        with lock:
            return jsonify(public(checkout.settle_bank(world, session_id, paid=paid)))

    @routes.post("/checkout/<session_id>/decline")
    def decline(session_id: str) -> Response:
        reason = str(json_body().get("reason", "generic_decline"))
        with lock:
            reason = reason if reason in DECLINED else "generic_decline"
            return jsonify(public(checkout.decline(world, session_id, reason)))

    @routes.post("/checkout/<session_id>/expire")
    def expire(session_id: str) -> Response:
        with lock:
            return jsonify(public(checkout.expire(world, {}, session_id)))

    @routes.post("/disputes")
    def dispute() -> Response:
        with lock:
            return jsonify(public(disputes.create(world, json_body())))

    @routes.post("/disputes/<dispute_id>/<any(withdraw, win, lose, reinstate):what>")
    def decide(dispute_id: str, what: str) -> Response:
        with lock:
            return jsonify(public(DISPUTE[what](world, dispute_id)))

    @routes.post("/refunds/next")
    def next_refund() -> Response:
        with lock:
            return jsonify(refunds.order_next(world, str(json_body().get("status", "succeeded"))))

    @routes.post("/refunds/<refund_id>/settle")
    def settle_refund(refund_id: str) -> Response:
        wish = json_body()
        reason = str(wish.get("reason", "expired_or_canceled_card"))
        with lock:
            return jsonify(public(refunds.settle(world, refund_id, str(wish.get("status", "succeeded")), reason)))


def _money(routes: Blueprint, world: World) -> None:
    """What happens to payees, transfers and payouts."""
    lock = world.store.lock

    @routes.post("/accounts/<account_id>/<any(onboard, deauthorize, close):what>")
    def change(account_id: str, what: str) -> Response:
        with lock:
            return jsonify(public(ACCOUNT[what](world, account_id)))

    @routes.post("/accounts/<account_id>/restrict")
    def restrict(account_id: str) -> Response:
        wish = json_body()
        reason = str(wish.get("reason", "requirements_past_due"))
        with lock:
            return jsonify(public(accounts.restrict(world, account_id, reason, wish.get("due"))))

    @routes.post("/accounts/<account_id>/payout")
    def payout(account_id: str) -> Response:
        with lock:
            return jsonify(public(transfers.pay_out(world, account_id, json_body())))

    @routes.post("/payout")
    def platform_payout() -> Response:
        with lock:
            return jsonify(public(transfers.pay_out(world, None, json_body())))

    @routes.post("/payouts/<payout_id>/<any(fail, return):what>")
    def fail_payout(payout_id: str, what: str) -> Response:
        code = str(json_body().get("code", "account_closed"))
        with lock:
            return jsonify(public(transfers.fail_payout(world, payout_id, code, returned=what == "return")))

    @routes.post("/transfers/<transfer_id>/reverse")
    def reverse(transfer_id: str) -> Response:
        with lock:
            return jsonify(public(transfers.reverse(world, json_body(), transfer_id)))

    @routes.post("/adjust")
    def adjust() -> Response:
        wish = json_body()
        with lock:
            entry = world.book("adjustment", "", int(wish["amount"]), str(wish.get("currency", "usd")))
            entry |= {"source": None, "description": wish.get("description")}
            world.store.save(entry)
            return jsonify(public(entry))

    @routes.get("/books")
    def books() -> Response:
        with lock:
            rows = list(world.store.all("balance_transaction", lambda e: e["_account"] is None))
        sums: dict[str, int] = {}
        for row in rows:
            sums[row["currency"].upper()] = sums.get(row["currency"].upper(), 0) + row["net"]
        return jsonify(balances=sums, movements=len(rows))


def _time_and_faults(routes: Blueprint, world: World, chaos: Chaos) -> None:
    """The clock, the delays, and faults by chance."""
    lock = world.store.lock

    @routes.route("/settings", methods=["GET", "POST"])
    def settings() -> Response:
        with lock:
            return jsonify(world.change_settings(json_body()) if request.method == "POST" else world.settings)

    @routes.route("/clock", methods=["GET", "POST"])
    def clock() -> Response:
        with lock:
            moved = world.move_clock(json_body() if request.method == "POST" else {})
            let_time_work(world)
        return jsonify(moved)

    @routes.route("/chaos", methods=["GET", "POST"])
    def faults() -> Response:
        with lock:
            return jsonify(chaos.order(json_body()) if request.method == "POST" else chaos.state())

    @routes.post("/idempotency/forget")
    def forget() -> Response:
        with lock:
            world.store.forget("idempotency")
        return jsonify(forgotten=True)
