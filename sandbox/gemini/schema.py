"""Makes any value satisfy a response schema, in JSON Schema's or Gemini's own spelling of it."""

from typing import Any

_EMPTY: dict[str, Any] = {"string": "", "integer": 0, "number": 0.0, "boolean": False, "null": None}


def fit(value: Any, schema: dict[str, Any], root: dict[str, Any] | None = None) -> Any:
    """`value` where it satisfies `schema`, the nearest thing that does where it does not."""
    root = root or schema
    schema = _resolved(schema, root)
    for options in (schema.get("anyOf"), schema.get("oneOf")):
        if options:
            return _one_of(value, options, root)
    if schema.get("enum"):
        return value if value in schema["enum"] else schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    kind = _kind(schema, value)
    if kind == "object":
        return _object(value, schema, root)
    if kind == "array":
        return _array(value, schema, root)
    if kind == "string":
        text = "" if value is None else value if isinstance(value, str) else str(value)
        text = text.ljust(int(schema.get("minLength", 0)), "-")
        return text[: int(schema.get("maxLength", len(text)))]
    if kind in {"integer", "number"}:
        return _number(value, kind, schema)
    if kind == "boolean":
        return bool(value)
    return None if kind == "null" else value


def _object(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    given = value if isinstance(value, dict) else {}
    properties = schema.get("properties") or {}
    if not properties:
        return dict(given)
    required = schema.get("required", list(properties))
    return {
        name: fit(given.get(name), inner, root)
        for name, inner in properties.items()
        if name in given or name in required
    }


def _array(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> list[Any]:
    items = schema.get("items") or {}
    made = [fit(item, items, root) for item in (value if isinstance(value, list) else [])]
    least = int(schema.get("minItems", schema.get("min_items", 0)) or 0)
    most = schema.get("maxItems", schema.get("max_items"))
    while len(made) < least:
        made.append(fit(None, items, root))
    return made if most is None else made[: int(most)]


def _number(value: Any, kind: str, schema: dict[str, Any]) -> int | float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = 0.0
    number = max(number, float(schema.get("minimum", number)))
    number = min(number, float(schema.get("maximum", number)))
    return int(number) if kind == "integer" else number


def _one_of(value: Any, options: list[dict[str, Any]], root: dict[str, Any]) -> Any:
    resolved = [_resolved(option, root) for option in options]
    for option in resolved:
        if fit(value, option, root) == value and (value is not None or option.get("type") == "null"):
            return value
    return fit(value, resolved[0], root)


def _kind(schema: dict[str, Any], value: Any) -> str:
    kinds = schema.get("type") or ("object" if "properties" in schema else "")
    names = [k.lower() for k in (kinds if isinstance(kinds, list) else [kinds])]
    if value is None and ("null" in names or schema.get("nullable")):
        return "null"
    return next((name for name in names if name != "null"), "")


def _resolved(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    for _ in range(20):
        target = schema.get("$ref") or schema.get("ref")
        if not isinstance(target, str):
            return schema
        name = target.rsplit("/", 1)[-1]
        schema = (root.get("$defs") or root.get("defs") or root.get("definitions") or {}).get(name, {})
    return schema
