"""Moving money between the platform, connected accounts and their banks."""

from typing import Any

from sandbox.stripe.accounts import ours
from sandbox.stripe.errors import ApiError
from sandbox.stripe.store import Json
from sandbox.stripe.world import World


def create(world: World, params: dict[str, Any]) -> Json:
    """Move money to a connected account, out of the balance or out of one charge."""
    account = ours(world, params["destination"])
    amount, currency = params.get("amount", 0), params["currency"]
    if amount < 1:
        raise ApiError("Invalid positive integer", code="parameter_invalid_integer", param="amount", store=False)
    if account["closed"]:
        raise ApiError("The destination account is closed.", code="account_closed")
    if account["_status"] != "active" or not account["_transfers_requested"]:
        raise ApiError(
            "Your destination account needs to have at least one of the following capabilities enabled: "
            "transfers, crypto_transfers, legacy_payments",
            code="insufficient_capabilities_for_transfer",
        )
    group, available_on = params.get("transfer_group"), world.now()
    if params.get("source_transaction"):
        charge = world.store.get(params["source_transaction"], "charge")
        available_on = _check_source(world, charge, amount, currency)
        if charge["transfer_group"] and group not in {None, charge["transfer_group"]}:
            raise ApiError("transfer_group must be that of the source charge.", param="transfer_group", store=False)
        group = group or charge["transfer_group"]
    elif world.balance(None)[0].get(currency, 0) < amount:
        raise _insufficient("You have insufficient available funds in your Stripe account.")
    made = world.store.new(
        "tr",
        "transfer",
        amount=amount,
        amount_reversed=0,
        balance_transaction=None,
        currency=currency,
        description=params.get("description"),
        destination=account["id"],
        metadata=params.get("metadata", {}),
        reversed=False,
        source_transaction=params.get("source_transaction"),
        source_type="card",
        transfer_group=group,
    )
    entry = world.book("transfer", made["id"], -amount, currency, available_on=available_on)
    world.book("payment", made["id"], amount, currency, account=account["id"], available_on=available_on)
    made["balance_transaction"] = entry["id"]
    world.store.save(made)
    world.emit("transfer.created", made)
    return made


def _check_source(world: World, charge: Json, amount: int, currency: str) -> int:
    if charge["status"] != "succeeded":
        raise ApiError("The source charge did not succeed.", param="source_transaction")
    entry = world.store.get(charge["balance_transaction"], "balance_transaction")
    if entry["currency"] != currency:
        raise ApiError(f"The currency of source_transaction's balance transaction is {entry['currency']}.")
    taken = sum(
        t["amount"] - t["amount_reversed"]
        for t in world.store.all("transfer", lambda t: t["source_transaction"] == charge["id"])
    )
    left = charge["amount"] - charge["amount_refunded"]
    if taken + amount > left:
        raise ApiError(
            f"Transfers using this transaction as a source must not exceed the source amount of {left}. "
            f"(There is already {taken} transferred out of it.)",
            param="amount",
        )
    on: int = entry["available_on"]
    return on


def retrieve(world: World, _: dict[str, Any], transfer_id: str) -> Json:
    """A transfer."""
    return world.store.get(transfer_id, "transfer")


def reverse(world: World, params: dict[str, Any], transfer_id: str) -> Json:
    """Take back all or part of a transfer; the connected account must still have it."""
    transfer = world.store.get(transfer_id, "transfer")
    left = transfer["amount"] - transfer["amount_reversed"]
    amount = params.get("amount", left)
    if not 0 < amount <= left:
        raise ApiError(f"Reversal amount ({amount}) is greater than unreversed amount ({left})", param="amount")
    account, currency = transfer["destination"], transfer["currency"]
    available, pending = world.balance(account)
    if available.get(currency, 0) + pending.get(currency, 0) < amount:
        raise _insufficient("The connected account does not have enough funds for this reversal.")
    transfer |= {"amount_reversed": transfer["amount_reversed"] + amount, "reversed": amount == left}
    world.store.save(transfer)
    made = world.store.new(
        "trr",
        "transfer_reversal",
        amount=amount,
        balance_transaction=None,
        currency=currency,
        metadata=params.get("metadata", {}),
        transfer=transfer_id,
    )
    made["balance_transaction"] = world.book("transfer_refund", made["id"], amount, currency)["id"]
    world.book("payment_refund", made["id"], -amount, currency, account=account)
    world.store.save(made)
    world.emit("transfer.reversed", transfer)
    return made


def reversals(world: World, transfer_id: str) -> list[Json]:
    """What was taken back of a transfer, newest first."""
    world.store.get(transfer_id, "transfer")
    return list(world.store.all("transfer_reversal", lambda r: r["transfer"] == transfer_id))


def balance(world: World, account: str | None) -> Json:
    """The balance object of the platform or of a connected account."""
    available, pending = world.balance(account)
    names = sorted({*available, *pending}) or ["usd"]
    return {
        "object": "balance",
        "available": [{"amount": available.get(n, 0), "currency": n, "source_types": {}} for n in names],
        "livemode": False,
        "pending": [{"amount": pending.get(n, 0), "currency": n, "source_types": {}} for n in names],
    }


def pay_out_due(world: World) -> None:
    """Send what connected accounts have to their banks, and let what is under way arrive."""
    now, wait = world.store.now(), world.settings["payout_after_s"]
    for payout in list(world.store.all("payout", lambda p: p["status"] == "in_transit")):
        if payout["_created_at"] + min(wait, 1) <= now:
            payout["status"] = "paid"
            world.store.save(payout)
            world.emit("payout.paid", payout, payout["_account"])
    for account in list(world.store.all("v2.core.account", lambda a: a["_status"] == "active")):
        entries = [e for e in world.store.all("balance_transaction") if e["_account"] == account["id"]]
        if not entries or max(e["created"] for e in entries) + wait > now:
            continue
        for currency, amount in world.balance(account["id"])[0].items():
            if amount > 0:
                _pay_out(world, account["id"], amount, currency)


def _pay_out(world: World, account: str | None, amount: int, currency: str) -> Json:
    made = world.store.new(
        "po",
        "payout",
        amount=amount,
        arrival_date=world.now(),
        automatic=True,
        balance_transaction=None,
        currency=currency,
        failure_code=None,
        failure_message=None,
        metadata={},
        method="standard",
        status="in_transit",
        _account=account,
        _created_at=world.store.now(),
    )
    made["balance_transaction"] = world.book("payout", made["id"], -amount, currency, account=account)["id"]
    world.store.save(made)
    world.emit("payout.created", made, account)
    return made


def fail_payout(world: World, payout_id: str, code: str = "account_closed", *, returned: bool = False) -> Json:
    """The bank sends a payout back; `returned` is only for one that had arrived."""
    payout = world.store.get(payout_id, "payout")
    if payout["status"] not in ({"paid"} if returned else {"in_transit", "paid"}):
        raise ApiError(f"This payout is {payout['status']}.")
    payout |= {"status": "failed", "failure_code": code, "failure_message": "The bank returned the payout."}
    # Held for a day: returned money is not sent out again at once.
    entry = world.book(
        "payout_failure",
        payout_id,
        payout["amount"],
        payout["currency"],
        account=payout["_account"],
        available_on=world.now() + 86_400,
    )
    payout["failure_balance_transaction"] = entry["id"]
    world.store.save(payout)
    world.emit("payout.failed", payout, payout["_account"])
    return payout


def pay_out(world: World, account: str | None, wish: dict[str, Any]) -> list[Json]:
    """Send what an account (or the platform) has available to its bank now, or only `amount` of `currency`."""
    if account is not None:
        world.store.get(account, "v2.core.account")
    made = []
    for currency, available in sorted(world.balance(account)[0].items()):
        amount = int(wish.get("amount", available)) if wish.get("currency", currency) == currency else 0
        if 0 < amount <= available:
            made.append(_pay_out(world, account, amount, currency))
    if not made:
        raise ApiError("There is nothing to pay out.")
    return made


def _insufficient(message: str) -> ApiError:
    return ApiError(message, code="balance_insufficient")
