"""The legal parameters of each call, read from the type hints of the installed `stripe` library.

Stripe refuses a parameter it does not know; so does the stand-in, without carrying a copy of the
specification.
"""

import types
import typing
from functools import cache
from importlib import import_module
from typing import Any, Literal, Union, get_args, get_origin

import typing_extensions
from stripe._request_options import RequestOptions

from sandbox.stripe.errors import ApiError

_OPTIONS = frozenset(RequestOptions.__annotations__)


def check(params: dict[str, Any], name: str) -> dict[str, Any]:
    """`params` with form text turned into the declared types.

    `name` is such as `TransferCreateParams` or `checkout.SessionCreateParams`. Raises ApiError for unknown,
    missing or mistyped parameters.
    """
    module, _, cls = name.rpartition(".")
    typed = getattr(import_module(f"stripe.params.{module}".rstrip(".")), cls)
    return _object(params, typed, "")


def _object(value: Any, typed: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ApiError(f"Invalid object: {path}", param=path, store=False)
    fields = {k: v for k, v in _fields(typed).items() if k not in _OPTIONS}
    for name in value:
        if name not in fields:
            full = f"{path}[{name}]" if path else name
            raise ApiError(f"Received unknown parameter: {full}", code="parameter_unknown", param=full, store=False)
    for name in sorted(typed.__required_keys__ - _OPTIONS):
        if name not in value:
            full = f"{path}[{name}]" if path else name
            raise ApiError(f"Missing required param: {full}.", code="parameter_missing", param=full, store=False)
    return {k: _value(v, fields[k], f"{path}[{k}]" if path else k) for k, v in value.items()}


def _value(value: Any, hint: Any, path: str) -> Any:
    if hint is Any:
        return value
    if typing_extensions.is_typeddict(hint):
        return _object(value, hint, path)
    origin, args = get_origin(hint), get_args(hint)
    if origin is Literal:
        if value not in args:
            raise ApiError(f"Invalid {path}: must be one of {', '.join(map(str, args))}", param=path, store=False)
        return value
    if origin in {Union, types.UnionType}:
        return _any_of(value, args, path)
    if origin is list:
        if not isinstance(value, list):
            raise ApiError(f"Invalid array: {path}", param=path, store=False)
        return [_value(item, args[0], f"{path}[{i}]") for i, item in enumerate(value)]
    if origin is dict:
        if not isinstance(value, dict):
            raise ApiError(f"Invalid hash: {path}", param=path, store=False)
        return {k: _value(v, args[1], f"{path}[{k}]") for k, v in value.items()}
    return _scalar(value, hint, path)


def _any_of(value: Any, hints: tuple[Any, ...], path: str) -> Any:
    first: ApiError | None = None
    for hint in hints:
        try:
            return _value(value, hint, path)
        except ApiError as error:
            first = first or error
    raise first or ApiError(f"Invalid {path}", param=path, store=False)


def _scalar(value: Any, hint: Any, path: str) -> Any:
    if hint is int:
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if isinstance(value, str) and value.lstrip("-").isdigit() and value.isascii():
            return int(value)
        raise ApiError(f"Invalid integer: {value}", code="parameter_invalid_integer", param=path, store=False)
    if hint is bool:
        if isinstance(value, bool):
            return value
        if value in {"true", "false"}:
            return value == "true"
        raise ApiError(f"Invalid boolean: {value}", param=path, store=False)
    if hint is str and not isinstance(value, str):
        raise ApiError(f"Invalid string: {value}", param=path, store=False)
    return value


@cache
def _fields(typed: Any) -> dict[str, Any]:
    names = {**vars(typing), **vars(typing_extensions), **vars(import_module(typed.__module__))}
    return {name: _resolve(hint, names) for name, hint in typed.__annotations__.items()}


def _resolve(hint: Any, names: dict[str, Any]) -> Any:
    """A hint with forward references replaced; Any for what the library defines for type checkers only."""
    if isinstance(hint, typing.ForwardRef):
        hint = hint.__forward_arg__
    if isinstance(hint, str):
        try:
            return _resolve(eval(hint, names), names)  # noqa: S307 (annotations of an installed, locked library)
        except (NameError, TypeError):
            return dict[str, str] if hint.startswith("Dict[str, str]") else Any
    origin, args = get_origin(hint), get_args(hint)
    if origin in {typing_extensions.NotRequired, typing_extensions.Required, typing.NotRequired, typing.Required}:
        return _resolve(args[0], names)
    if origin in {Union, types.UnionType}:
        return Union[tuple(_resolve(a, names) for a in args)]  # noqa: UP007 (made at run time)
    if origin is list:
        return list[_resolve(args[0], names)]  # type: ignore[misc]
    if origin is dict:
        return dict[str, _resolve(args[1], names)]  # type: ignore[misc]
    return hint
