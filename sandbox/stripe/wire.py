"""From bracketed form data to nested values, and expansion of ids on the way out."""

import re
from typing import Any
from urllib.parse import parse_qsl

from sandbox.stripe.errors import ApiError
from sandbox.stripe.store import Store, public


def decode_form(text: str) -> dict[str, Any]:
    """`a[b][0][c]=1` as `{"a": {"b": [{"c": "1"}]}}`; every leaf is text."""
    root: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        parts = re.findall(r"[^\[\]]+", name)
        if not parts or len(parts) > 10:
            raise ApiError(f"Invalid parameter name: {name[:100]}", store=False)
        inner = root
        for part in parts[:-1]:
            step = inner.setdefault(part, {})
            if not isinstance(step, dict):
                raise ApiError(f"Invalid parameter: {name[:100]}", store=False)
            inner = step
        if name.endswith("[]"):
            inner = inner.setdefault(parts[-1], {})
            inner[str(len(inner))] = value
        else:
            inner[parts[-1]] = value
    return {key: _lists(value) for key, value in root.items()}


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {k: _lists(v) for k, v in value.items()}
    if inner and all(k.isdigit() for k in inner):
        return [inner[k] for k in sorted(inner, key=int)]
    return inner


def expand(store: Store, answer: dict[str, Any], paths: list[str]) -> dict[str, Any]:
    """A public copy of `answer` with the ids at `paths` (such as `latest_charge.balance_transaction`)
    replaced.
    """
    out: dict[str, Any] = public(answer)
    for path in paths:
        _expand(store, out, path.split("."), path)
    return out


def _expand(store: Store, value: Any, parts: list[str], path: str) -> None:
    if isinstance(value, list):
        for item in value:
            _expand(store, item, parts, path)
        return
    if not isinstance(value, dict) or not parts:
        return
    name = parts[0]
    if name not in value:
        raise ApiError(f"This property cannot be expanded ({path}).", param="expand", store=False)
    if isinstance(value[name], str):
        found = store.find(value[name])
        if found is None:
            raise ApiError(f"This property cannot be expanded ({path}).", param="expand", store=False)
        value[name] = public(found)
    _expand(store, value[name], parts[1:], path)
