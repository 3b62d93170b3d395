"""The API document is valid and says all of the public contract."""

import re
from typing import Any

import pytest
from flask import Flask
from openapi_spec_validator import validate

from marketplace.web.section import ROUTES
from tests.kit.instance import Instance

#: The contract with integrators; a call may be added here, never taken away without a deprecation.
CONTRACT = (
    "POST /tokens",
    "GET /me",
    "GET /royalties",
    "GET /licenses/{}/statements",
    "POST /licenses/{}/sales",
    "GET /statements/{}",
    "GET /statements/{}.pdf",
    "GET /statements/{}.csv",
    "POST /statements/{}/checkout",
    "POST /statements/{}/audit",
    "POST /designs",
    "GET /designs",
    "GET /designs/{}",
    "PATCH /designs/{}",
    "GET /designs/{}/tech-pack",
    "POST /designs/{}/assets",
    "POST /assets/{}/complete",
    "GET /assets/{}",
    "POST /assets/{}/choices",
    "POST /designs/{}/content",
    "GET /jobs/{}",
    "PATCH /designs/{}/facts/{}",
    "POST /designs/{}/story/approve",
    "POST /designs/{}/lookbook/{}/approve",
    "POST /designs/{}/list",
    "POST /designs/{}/unlist",
    "GET /materials",
    "PUT /materials/{}",
    "GET /catalog",
    "GET /catalog/{}",
    "PUT /catalog/{}/save",
    "DELETE /catalog/{}/save",
    "POST /designs/{}/negotiations",
    "GET /negotiations",
    "GET /negotiations/{}",
    "POST /negotiations/{}/offers",
    "POST /negotiations/{}/accept",
    "POST /negotiations/{}/decline",
    "POST /negotiations/{}/messages",
    "GET /negotiations/{}/messages",
    "GET /licenses/{}",
    "POST /licenses/{}/sign",
    "GET /licenses/{}/document",
    "POST /licenses/{}/checkout",
    "POST /licenses/{}/orders",
    "GET /orders",
    "GET /orders/{}",
    "POST /orders/{}/rfqs",
    "POST /rfqs/{}/quotes",
    "POST /orders/{}/award",
    "POST /orders/{}/checkout",
    "GET /orders/{}/nda",
    "POST /orders/{}/nda/sign",
    "POST /orders/{}/cad-links",
    "POST /orders/{}/stages",
    "POST /orders/{}/shipments",
    "POST /orders/{}/accept-delivery",
    "GET /payouts",
    "GET /payments/{}",
    "POST /payments/{}/refunds",
    "GET /refunds/{}",
    "GET /disputes/{}",
    "GET /ledger/entries",
    "GET /audit",
    "POST /privacy/requests",
    "GET /privacy/requests/{}",
)


@pytest.fixture
def document(app: Flask, db: Instance) -> dict[str, Any]:
    """The document as a stranger gets it."""
    answer = app.test_client().get("/api/v1/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.get_json()
    return found


def _calls(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found = {}
    for path, methods in document["paths"].items():
        plain = re.sub(r"{\w+}", "{}", path)
        for method, operation in methods.items():
            found[f"{method.upper()} {plain}"] = operation
    return found


def test_the_document_is_valid_openapi(document: dict[str, Any]) -> None:
    validate(document)
    assert document["openapi"].startswith("3.1")


def test_every_call_of_the_contract_is_described(document: dict[str, Any]) -> None:
    assert set(CONTRACT) - set(_calls(document)) == set()


def test_every_route_is_described_with_its_permission_and_its_refusals(document: dict[str, Any]) -> None:
    calls = _calls(document)
    described = {operation["operationId"]: operation for operation in calls.values()}
    routes = {name: spec for name, spec in ROUTES.items() if spec.api}
    assert set(described) == set(routes)
    for name, operation in described.items():
        assert operation["x-permission"] == routes[name].needs.value
        assert {"401", "403", "404", "409", "422", "429"} <= set(operation["responses"])
        assert operation["summary"], name
        assert ("requestBody" in operation) == (routes[name].body is not None), name
        keys = {p["name"] for p in operation["parameters"] if p["in"] == "header"}
        assert ("Idempotency-Key" in keys) == (routes[name].methods == ("POST",)), name


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    seen: set[str] = set()

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                seen.add(value["$ref"].rpartition("/")[2])
            for one in value.values():
                walk(one)
        elif isinstance(value, list):
            for one in value:
                walk(one)

    walk(document)
    assert seen <= set(schemas)
    assert "Problem" in seen
