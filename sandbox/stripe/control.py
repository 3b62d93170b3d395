"""`/_sandbox/...`: what a test or a person at the keyboard can make happen. Described in docs/sandbox.md."""

from typing import Any

from flask import Blueprint, Response, jsonify, request

from sandbox.frontdoor import json_body
from sandbox.stripe import accounts, checkout, transfers
from sandbox.stripe.charges import DECLINED
from sandbox.stripe.errors import ApiError
from sandbox.stripe.store import public
from sandbox.stripe.world import World


def blueprint(world: World) -> Blueprint:
    """The control routes."""
    routes = Blueprint("control", __name__, url_prefix="/_sandbox")
    lock = world.store.lock

    @routes.errorhandler(ApiError)
    def refuse(error: ApiError) -> tuple[Response, int]:
        return jsonify(error.body), 409 if error.status == 400 else error.status

    @routes.post("/checkout/<session_id>/pay")
    def pay(session_id: str) -> Response:
        with lock:
            return jsonify(public(checkout.pay(world, session_id)))

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

    @routes.post("/accounts/<account_id>/onboard")
    def onboard(account_id: str) -> Response:
        with lock:
            return jsonify(public(accounts.onboard(world, account_id)))

    @routes.post("/accounts/<account_id>/restrict")
    def restrict(account_id: str) -> Response:
        reason = str(json_body().get("reason", "requirements_past_due"))
        with lock:
            return jsonify(public(accounts.restrict(world, account_id, reason)))

    @routes.post("/payouts/<payout_id>/fail")
    def fail_payout(payout_id: str) -> Response:
        with lock:
            return jsonify(
                public(transfers.fail_payout(world, payout_id, str(json_body().get("code", "account_closed"))))
            )

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
            return jsonify(world.webhooks.order(json_body()))
        done = world.webhooks.wait(min(float(request.args.get("wait", 0)), 60))
        return jsonify({**world.webhooks.state(), "done": done})

    @routes.route("/settings", methods=["GET", "POST"])
    def settings() -> Response:
        with lock:
            return jsonify(world.change_settings(json_body()) if request.method == "POST" else world.settings)

    @routes.post("/idempotency/forget")
    def forget() -> Response:
        with lock:
            world.store.forget("idempotency")
        return jsonify(forgotten=True)

    @routes.post("/reset")
    def reset() -> Any:
        with lock:
            world.store.reset()
            world.webhooks.order({"hold": False, "duplicate": 1, "drop": 0})
        return jsonify(reset=True)

    return routes
