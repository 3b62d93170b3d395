"""The API proper: keys, idempotency, ordered failures, parameters, and the table of calls."""

import hashlib
import json
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request

from sandbox.frontdoor import Failure, FailurePlan, cut_connection
from sandbox.stripe import accounts, charges, checkout, disputes, refunds, transfers
from sandbox.stripe.chaos import Chaos
from sandbox.stripe.contract import check
from sandbox.stripe.errors import ApiError
from sandbox.stripe.store import Json
from sandbox.stripe.wire import decode_form, expand
from sandbox.stripe.world import World

#: Stripe remembers an idempotency key for at least 24 hours.
KEY_LIFE_S = 24 * 3600
#: The largest file of evidence.
MAX_FILE = 5 * 1024 * 1024
_STATUS_TYPES = {429: "rate_limit_error", 401: "invalid_request_error", 403: "invalid_request_error"}

Handler = Callable[..., Json]


@dataclass(frozen=True, slots=True)
class Call:
    """One line of the table: method, path pattern, parameter type (None: nothing but expand), what answers."""

    method: str
    path: re.Pattern[str]
    params: str | None
    handler: Handler


def _lister(kind: str, *filters: str) -> Handler:
    def handler(world: World, params: dict[str, Any]) -> Json:
        account = params.pop("_account", None)

        def match(item: Json) -> bool:
            named = all(item.get(name) == params[name] for name in filters if name in params)
            return named and (kind != "payout" or item["_account"] == account)

        return page(list(world.store.all(kind, match)), params)

    return handler


def page(rows: list[Json], params: dict[str, Any]) -> Json:
    """A list object with Stripe's cursors; newest first."""
    limit = min(max(int(params.get("limit", 10)), 1), 100)
    ids = [row["id"] for row in rows]
    if (after := params.get("starting_after")) is not None:
        if after not in ids:
            raise ApiError(f"No such object: '{after}'", code="resource_missing", status=404, param="starting_after")
        rows = rows[ids.index(after) + 1 :]
    return {"object": "list", "data": rows[:limit], "has_more": len(rows) > limit, "url": request.path}


def _events(world: World, params: dict[str, Any]) -> Json:
    rows = [e for e in world.webhooks.events() if e["object"] == "event"]
    return page([e for e in rows if params.get("type") in {None, e["type"]}], params)


def _event(world: World, _: dict[str, Any], event_id: str) -> Json:
    return world.webhooks.event(event_id)


def _payout(world: World, params: dict[str, Any], payout_id: str) -> Json:
    found = world.store.get(payout_id, "payout")
    if found["_account"] != params.get("_account"):
        raise ApiError(f"No such payout: '{payout_id}'", code="resource_missing", status=404, param="id")
    return found


def _balance_entries(world: World, params: dict[str, Any]) -> Json:
    """Balance transactions of the platform or of the named account."""
    account, created = params.pop("_account", None), params.get("created", {})
    span = created if isinstance(created, dict) else {"gte": created, "lte": created}

    def match(item: Json) -> bool:
        if item["_account"] != account or any(
            params.get(n, item[n]) != item[n] for n in ("type", "source", "currency")
        ):
            return False
        at = item["created"]
        return (
            at >= span.get("gte", at) and at <= span.get("lte", at) and at > span.get("gt", at - 1)
            and at < span.get("lt", at + 1)
        )  # fmt: skip

    now = world.now()
    rows = [{**e, "status": "available" if e["available_on"] <= now else "pending"}
            for e in world.store.all("balance_transaction", match)]  # fmt: skip
    return page(rows, params)


def _reversals(world: World, params: dict[str, Any], transfer_id: str) -> Json:
    return page(transfers.reversals(world, transfer_id), params)


def _file(world: World, params: dict[str, Any]) -> Json:
    """Keep an uploaded file's name and size; what is in it is thrown away."""
    sent = request.files.get("file")
    if sent is None:
        raise ApiError("Missing required param: file.", code="parameter_missing", param="file", store=False)
    size = len(sent.read())
    if not 0 < size <= MAX_FILE:
        raise ApiError("The file is empty or larger than 5 MB.", param="file")
    kind = (sent.filename or "").rpartition(".")[2].lower()
    return world.store.new(
        "file", "file", filename=sent.filename, purpose=params["purpose"], size=size, title=None, type=kind, url=None
    )


def _balance_entry(world: World, _: dict[str, Any], entry_id: str) -> Json:
    return world.store.get(entry_id, "balance_transaction")


def _refuse_v1_account(*_: Any) -> Json:
    raise ApiError(
        "New platforms create accounts with POST /v2/core/accounts. "
        "See https://docs.stripe.com/connect/accounts-v2/account-creation",
        store=False,
    )


def _call(method: str, path: str, params: str | None, handler: Handler) -> Call:
    return Call(method, re.compile(re.sub(r"<>", "([A-Za-z0-9_]+)", path)), params, handler)


CALLS = (
    _call("POST", "/v2/core/accounts", "v2.core.AccountCreateParams", accounts.create),
    _call("GET", "/v2/core/accounts/<>", "v2.core.AccountRetrieveParams", accounts.retrieve),
    _call("POST", "/v2/core/accounts/<>/close", "v2.core.AccountCloseParams", accounts.close),
    _call("POST", "/v2/core/account_links", "v2.core.AccountLinkCreateParams", accounts.create_link),
    _call("GET", "/v2/core/events/<>", None, _event),
    _call("POST", "/v1/accounts", None, _refuse_v1_account),
    _call("GET", "/v1/accounts/<>", None, accounts.v1_view),
    _call("POST", "/v1/checkout/sessions", "checkout.SessionCreateParams", checkout.create),
    _call("GET", "/v1/checkout/sessions", "checkout.SessionListParams", _lister("checkout.session", "status")),
    _call("GET", "/v1/checkout/sessions/<>", None, checkout.retrieve),
    _call("POST", "/v1/checkout/sessions/<>/expire", None, checkout.expire),
    _call("POST", "/v1/payment_intents", "PaymentIntentCreateParams", charges.create_intent),
    _call("GET", "/v1/payment_intents", "PaymentIntentListParams", _lister("payment_intent")),
    _call("GET", "/v1/payment_intents/<>", None, charges.retrieve_intent),
    _call("POST", "/v1/payment_intents/<>/confirm", "PaymentIntentConfirmParams", charges.confirm),
    _call("GET", "/v1/charges", "ChargeListParams", _lister("charge", "payment_intent", "transfer_group")),
    _call("GET", "/v1/charges/<>", None, charges.retrieve_charge),
    _call("POST", "/v1/refunds", "RefundCreateParams", refunds.create),
    _call("GET", "/v1/refunds", "RefundListParams", _lister("refund", "payment_intent", "charge")),
    _call("GET", "/v1/refunds/<>", None, refunds.retrieve),
    _call("POST", "/v1/transfers", "TransferCreateParams", transfers.create),
    _call("GET", "/v1/transfers", "TransferListParams", _lister("transfer", "transfer_group", "destination")),
    _call("GET", "/v1/transfers/<>", None, transfers.retrieve),
    _call("POST", "/v1/transfers/<>/reversals", "TransferReversalCreateParams", transfers.reverse),
    _call("GET", "/v1/transfers/<>/reversals", "TransferReversalListParams", _reversals),
    _call("GET", "/v1/disputes", "DisputeListParams", _lister("dispute", "payment_intent", "charge")),
    _call("GET", "/v1/disputes/<>", None, disputes.retrieve),
    _call("POST", "/v1/disputes/<>", "DisputeUpdateParams", disputes.update),
    _call("POST", "/v1/files", "FileCreateParams", _file),
    _call("GET", "/v1/balance", None, lambda world, params: transfers.balance(world, params.get("_account"))),
    _call("GET", "/v1/balance_transactions", "BalanceTransactionListParams", _balance_entries),
    _call("GET", "/v1/balance_transactions/<>", None, _balance_entry),
    _call("GET", "/v1/payouts", "PayoutListParams", _lister("payout", "status")),
    _call("GET", "/v1/payouts/<>", None, _payout),
    _call("GET", "/v1/events", "EventListParams", _events),
    _call("GET", "/v1/events/<>", None, _event),
)
_WITH_ACCOUNT = ("/v1/balance", "/v1/payouts")
_WITH_URL = (accounts.create_link, checkout.create)


def blueprint(world: World, failures: FailurePlan, chaos: Chaos) -> Blueprint:
    """The routes `/v1/...` and `/v2/...`."""
    routes = Blueprint("api", __name__)

    @routes.route("/<any('v1', 'v2'):version>/<path:path>", methods=["GET", "POST", "DELETE"])
    def api(version: str, path: str) -> Response:
        failure = failures.take(request.path) or _by_chance(world, chaos)
        if failure is not None and failure.status is not None and not failure.lose_answer:
            return _failed(failure)
        try:
            status, body, replayed = _answer(world)
        except ApiError as error:
            status, body, replayed = error.status, error.body, False
        if failure is not None and failure.lose_answer:
            cut_connection()
        headers = {"Request-Id": f"req_{secrets.token_hex(7)}", "Stripe-Version": _version()}
        if replayed:
            headers["Idempotent-Replayed"] = "true"
        return Response(json.dumps(body), status, headers, mimetype="application/json")

    return routes


def _by_chance(world: World, chaos: Chaos) -> Failure | None:
    key = request.headers.get("Idempotency-Key") or request.full_path
    with world.store.lock:
        failure = chaos.for_call(f"{request.method} {key}", writes=request.method == "POST")
    if failure is not None and failure.delay_ms:
        time.sleep(failure.delay_ms / 1000)
    return failure


def _answer(world: World) -> tuple[int, Json, bool]:
    key = (request.headers.get("Authorization") or "").removeprefix("Bearer ")
    if not key.startswith(("sk_test_", "rk_test_")):
        raise ApiError(f"Invalid API Key provided: {key[:8]}***", status=401, store=False)
    idempotency = request.headers.get("Idempotency-Key") if request.method == "POST" else None
    with world.store.lock:
        if idempotency is None:
            return 200, _run(world), False
        print_ = hashlib.sha256(b"\n".join([request.full_path.encode(), _meaning()])).hexdigest()
        known = world.store.kept("idempotency").get(idempotency)
        if known is not None and known["at"] > world.store.now() - KEY_LIFE_S:
            if known["print"] != print_:
                raise ApiError(
                    "Keys for idempotent requests can only be used with the same parameters they were first used "
                    f"with. Try using a key other than '{idempotency}' if you meant to execute a different request.",
                    type="idempotency_error",
                    store=False,
                )
            return known["status"], known["body"], True
        try:
            status, body = 200, _run(world)
        except ApiError as error:
            if not error.store:
                raise
            status, body = error.status, error.body
        remembered = {"at": world.store.now(), "print": print_, "status": status, "body": body}
        world.store.keep("idempotency", idempotency, remembered)
        return status, body, False


def _meaning() -> bytes:
    """What a request asks, without how it is packed: the boundary of a form with files is another each time."""
    if request.mimetype != "multipart/form-data":
        return request.get_data()
    parts = [f"{name}={value}".encode() for name, value in sorted(request.form.items())]
    for name, sent in sorted(request.files.items()):
        parts += [name.encode(), sent.read()]
        sent.seek(0)
    return b"\n".join(parts)


def _run(world: World) -> Json:
    for call in CALLS:
        match = call.path.fullmatch(request.path)
        if match is None or call.method != request.method:
            continue
        params = _params()
        paths = params.pop("expand", [])
        if call.params is not None:
            params = check(params, call.params)
        elif params:
            name = next(iter(params))
            raise ApiError(f"Received unknown parameter: {name}", code="parameter_unknown", param=name, store=False)
        if request.path.startswith(_WITH_ACCOUNT):
            params["_account"] = _account(world)
        extra = (request.host_url.rstrip("/"),) if call.handler in _WITH_URL else ()
        return expand(world.store, call.handler(world, params, *match.groups(), *extra), list(paths))
    raise ApiError(f"Unrecognized request URL ({request.method}: {request.path}).", status=404, store=False)


def _params() -> dict[str, Any]:
    if request.method != "POST":
        params = decode_form(request.query_string.decode())
    elif request.path.startswith("/v2/"):
        body = request.get_json(force=True, silent=True) if request.get_data() else {}
        if not isinstance(body, dict):
            raise ApiError("The body is not a JSON object.", store=False)
        params = body
    elif request.mimetype == "multipart/form-data":
        params = {**request.form.to_dict(), **{name: sent.filename for name, sent in request.files.items()}}
    else:
        try:
            params = decode_form(request.get_data().decode())
        except UnicodeDecodeError as error:
            raise ApiError("The body is not UTF-8.", store=False) from error
    if request.path.startswith("/v2/") and isinstance(params.get("include"), str):
        params["include"] = [params["include"]]
    return params


def _account(world: World) -> str | None:
    named = request.headers.get("Stripe-Account")
    return str(accounts.ours(world, named)["id"]) if named else None


def _version() -> str:
    return request.headers.get("Stripe-Version", "")


def _failed(failure: Failure) -> Response:
    status = failure.status or 500
    if failure.kind == "garbage":
        return Response("<html>oops", status, mimetype="text/html")
    kind = _STATUS_TYPES.get(status, "api_error")
    body = {"error": {"type": kind, "message": f"The sandbox was told to answer {status}."}}
    # Without this header the library would wait its own back-off before every retry.
    return Response(json.dumps(body), status, {"Stripe-Should-Retry": "true"}, mimetype="application/json")
