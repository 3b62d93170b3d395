"""`/api/v1/openapi.json`, generated from what the routes declared."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from flask import Blueprint, Response, jsonify
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from marketplace.web.call import services
from marketplace.web.section import ROUTES, RouteSpec

blueprint = Blueprint("api_document", __name__)
#: Where each model stands in the document; two features may use one name.
Refs = Mapping[type[BaseModel], Mapping[str, Any]]
_REF = "#/components/schemas/{model}"
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "stable; branch on this"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "by JSON pointer",
        },
    },
}


@blueprint.get("/api/v1/openapi.json")
def openapi() -> Response:
    """The document."""
    return jsonify(_document(services().settings.brand_name, services().settings.base_url))


@lru_cache(maxsize=2)
def _document(brand: str, base_url: str) -> dict[str, Any]:
    specs = [spec for spec in ROUTES.values() if spec.api]
    models = {
        m for spec in specs for m in (spec.body, spec.returns) if isinstance(m, type) and issubclass(m, BaseModel)
    }
    names, schemas = models_json_schema(
        [(m, "validation") for m in sorted(models, key=lambda m: m.__name__)], ref_template=_REF
    )
    refs: Refs = {m: names[m, "validation"] for m in models}
    paths: dict[str, Any] = {}
    for spec in specs:
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", spec.rule.removeprefix("/api/v1"))
        for method in spec.methods:
            paths.setdefault(path, {})[method.lower()] = _operation(spec, path, refs)
    return {
        "openapi": "3.1.0",
        "info": {"title": f"{brand} API", "version": "1"},
        "servers": [{"url": f"{base_url}/api/v1"}],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "schemas": {**schemas.get("$defs", {}), "Problem": _PROBLEM},
        },
    }


def _operation(spec: RouteSpec, path: str, refs: Refs) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", path)
    ]
    if spec.idempotent:
        parameters.append({"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "maxLength": 200}})
    answer: dict[str, Any] = {"description": "OK"}
    if isinstance(spec.returns, type) and issubclass(spec.returns, BaseModel):
        answer["content"] = {"application/json": {"schema": refs[spec.returns]}}
    problem = {"content": {"application/problem+json": {"schema": {"$ref": _REF.format(model="Problem")}}}}
    operation: dict[str, Any] = {
        "operationId": spec.endpoint,
        "summary": spec.summary or (spec.view.__doc__ or "").split("\n")[0],
        "parameters": parameters,
        "x-permission": spec.needs.value,
        "responses": {
            str(spec.status): answer,
            **{
                code: {"description": text, **problem}
                for code, text in (
                    ("401", "no or bad token"),
                    ("403", "not allowed"),
                    ("404", "not there, or not yours"),
                    ("409", "lost race or illegal transition"),
                    ("422", "bad input"),
                    ("429", "too many requests"),
                )
            },
        },
    }
    if spec.body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": refs[spec.body]}}}
    return operation
