"""Connected accounts (v2 with the recipient configuration), their links, and what onboarding changes."""

import secrets
from datetime import UTC, datetime
from typing import Any

from sandbox.stripe.errors import ApiError
from sandbox.stripe.store import Json
from sandbox.stripe.world import World

#: What a company still has to tell before onboarding.
_DUE = (
    "identity.business_details.registered_name",
    "identity.individual.given_name",
    "identity.attestations.terms_of_service.account",
    "configuration.recipient.default_outbound_destination",
)
LINK_LIFE_S = 300


def create(world: World, params: dict[str, Any]) -> Json:
    """Open an account; it can do nothing before it is onboarded."""
    recipient = params.get("configuration", {}).get("recipient")
    if recipient is not None:
        wanted = params.get("defaults", {}).get("responsibilities", {})
        if params.get("dashboard") == "express" and wanted.get("losses_collector") != "application":
            raise ApiError("The express dashboard needs losses_collector to be application.", store=False)
        if not params.get("identity", {}).get("country"):
            raise ApiError("identity.country is needed for this configuration.", store=False)
    made = world.store.new(
        "acct",
        "v2.core.account",
        applied_configurations=list(params.get("configuration", {})),
        closed=False,
        contact_email=params.get("contact_email"),
        dashboard=params.get("dashboard"),
        display_name=params.get("display_name"),
        metadata=params.get("metadata", {}),
        _country=str(params.get("identity", {}).get("country", "")).upper(),
        _entity_type=params.get("identity", {}).get("entity_type"),
        _transfers_requested=_requested(recipient),
        _status="restricted",
        _reason="requirements_past_due",
        _due=list(_DUE),
        _defaults=params.get("defaults", {}),
    )
    world.webhooks.thin("v2.core.account.created", made["id"])
    return view(made, params.get("include", []))


def retrieve(world: World, params: dict[str, Any], account_id: str) -> Json:
    """The account with the parts that `include` names."""
    return view(ours(world, account_id), params.get("include", []))


def close(world: World, params: dict[str, Any], account_id: str) -> Json:
    """Close an account for good; Stripe does so on the payee's or the platform's wish."""
    account = ours(world, account_id)
    if account["closed"]:
        raise ApiError("The account is closed.")
    account |= {"closed": True, "_status": "restricted", "_reason": "restricted_other", "_due": []}
    world.store.save(account)
    world.webhooks.thin("v2.core.account.closed", account_id)
    return view(account, params.get("include", []))


def deauthorize(world: World, account_id: str) -> Json:
    """The payee takes the account away from the platform: every later call about it is refused."""
    account = ours(world, account_id)
    account |= {"_gone": True, "_status": "restricted", "_reason": "restricted_other"}
    world.store.save(account)
    application = {"id": "ca_sandbox", "object": "application", "name": "SANDBOX"}
    world.emit("account.application.deauthorized", application, account_id)
    return account


def ours(world: World, account_id: str) -> Json:
    """An account that the platform may still use. Raises account_invalid when it was taken away."""
    account = world.store.get(account_id, "v2.core.account")
    if account.get("_gone"):
        raise ApiError(
            f"The provided key does not have access to account '{account_id}' (or that account does not exist). "
            "Application access may have been revoked.",
            code="account_invalid",
            status=403,
        )
    return account


def view(account: Json, include: list[str]) -> Json:
    """The account as the API shows it; parts not asked for are null."""
    shown = dict(account)
    shown["created"] = _iso(account["created"])
    status, details = account["_status"], []
    if status != "active":
        details = [{"code": account["_reason"], "resolution": "provide_info"}]
    capability = {"status": status, "status_details": details}
    shown["configuration"] = None
    if "configuration.recipient" in include and "recipient" in account["applied_configurations"]:
        balance = {"stripe_transfers": capability, "payouts": capability} if account["_transfers_requested"] else {}
        shown["configuration"] = {
            "customer": None,
            "merchant": None,
            "recipient": {"applied": True, "capabilities": {"stripe_balance": balance}},
        }
    shown["requirements"] = None
    if "requirements" in include:
        shown["requirements"] = {"entries": [_entry(name) for name in account["_due"]], "summary": _summary(account)}
    shown["identity"] = None
    if "identity" in include:
        shown["identity"] = {"country": account["_country"], "entity_type": account["_entity_type"]}
    shown["defaults"] = account["_defaults"] if "defaults" in include else None
    shown["future_requirements"] = None
    return shown


def v1_view(world: World, _: dict[str, Any], account_id: str) -> Json:
    """The same account as v1 calls show it."""
    account = ours(world, account_id)
    active = account["_status"] == "active"
    return {
        "id": account["id"],
        "object": "account",
        "capabilities": {"transfers": "active" if active else "inactive"},
        "charges_enabled": False,
        "country": account["_country"],
        "created": account["created"],
        "details_submitted": not account["_due"],
        "email": account["contact_email"],
        "metadata": account["metadata"],
        "payouts_enabled": active,
        "requirements": {
            "currently_due": account["_due"],
            "disabled_reason": None if active else "requirements.past_due",
        },
    }


def create_link(world: World, params: dict[str, Any], base_url: str) -> Json:
    """A single-use address of the onboarding page."""
    account = ours(world, params["account"])
    if account["closed"]:
        raise ApiError("The account is closed.")
    case = params["use_case"]
    options = case.get(case["type"])
    if not options:
        raise ApiError(f"use_case[{case['type']}] is needed.", code="parameter_missing", store=False)
    token = secrets.token_urlsafe(24)
    expires = int(world.store.now()) + LINK_LIFE_S
    link = {
        "account": account["id"],
        "expires_at": expires,
        "refresh_url": options["refresh_url"],
        "return_url": options.get("return_url", options["refresh_url"]),
        "used": False,
    }
    world.store.keep("link", token, link)
    return {
        "object": "v2.core.account_link",
        "account": account["id"],
        "created": _iso(int(world.store.now())),
        "expires_at": _iso(expires),
        "livemode": False,
        "url": f"{base_url}/onboarding/{token}",
        "use_case": case,
    }


def onboard(world: World, account_id: str) -> Json:
    """Everything asked for is given; transfers and payouts become active."""
    return _set(world, account_id, status="active", reason=None, due=[])


def restrict(
    world: World, account_id: str, reason: str = "requirements_past_due", due: list[str] | None = None
) -> Json:
    """Stripe wants more before money may move again; `due` names what."""
    asked = ["identity.individual.documents.primary_verification"] if due is None else due
    status = "rejected" if reason.startswith("rejected") else "restricted"
    return _set(world, account_id, status=status, reason=reason, due=asked)


def _set(world: World, account_id: str, *, status: str, reason: str | None, due: list[str]) -> Json:
    account = ours(world, account_id)
    if account["closed"]:
        raise ApiError("The account is closed.")
    account |= {"_status": status, "_reason": reason, "_due": due}
    world.store.save(account)
    world.webhooks.thin("v2.core.account[requirements].updated", account_id)
    world.webhooks.thin("v2.core.account[configuration.recipient].capability_status_updated", account_id)
    return account


def _requested(recipient: Any) -> bool:
    capabilities = (recipient or {}).get("capabilities", {})
    return bool(capabilities.get("stripe_balance", {}).get("stripe_transfers", {}).get("requested"))


def _entry(name: str) -> Json:
    return {
        "awaiting_action_from": "user",
        "description": name,
        "errors": [],
        "impact": {"restricts_capabilities": []},
        "minimum_deadline": {"status": "past_due", "time": None},
        "reference": None,
        "requested_reasons": [{"code": "routine_onboarding"}],
    }


def _summary(account: Json) -> Json | None:
    """When the first of what is asked must be there: a week after the account was opened."""
    if not account["_due"]:
        return None
    return {"minimum_deadline": {"status": "past_due", "time": _iso(account["created"] + 7 * 86_400)}}


def _iso(epoch: int) -> str:
    return datetime.fromtimestamp(epoch, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
