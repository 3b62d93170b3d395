"""Forms and JSON bodies as pydantic models; what was typed always survives a refusal."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar, get_origin

from flask import request
from flask_babel import gettext as _
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails
from werkzeug.datastructures import MultiDict

from marketplace.kernel.errors import DomainError, Invalid

T = TypeVar("T", bound=BaseModel)
#: The number of a version as somebody names it: what an integer column holds.
Version = Annotated[int, Field(ge=0, le=2**31 - 1)]


class Form(BaseModel):
    """Base of all input models: unknown fields are ignored in forms, text is trimmed, NUL is refused."""

    model_config = ConfigDict(extra="ignore", str_strip_whitespace=True, str_max_length=20_000)


class Body(BaseModel):
    """Base of JSON bodies: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, str_max_length=20_000)


@dataclass
class FormState:
    """What a form shows: the values, and the errors by field after a refusal."""

    values: Mapping[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    message: str | None = None
    code: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, **values: Any) -> "FormState":
        """A fresh form with initial values."""
        return cls(values=values)

    @classmethod
    def refused(cls, error: DomainError) -> "FormState":
        """The form as it was typed, with the reasons it was refused."""
        return cls(
            values=request.form,
            errors={name: _(text) for name, text in error.fields.items()},
            message=_(error.message) % error.params if error.params else _(error.message),
            code=error.code,
            extra=error.extra,
        )

    @property
    def data(self) -> Mapping[str, Any]:
        """The values as the field macros read them: a list where a field was sent several times."""
        if isinstance(self.values, MultiDict):
            return {k: v if len(v) > 1 else v[0] for k, v in self.values.lists()}
        return self.values

    def value(self, name: str, default: Any = "") -> Any:
        """The value of a field, `default` when it has none."""
        found = self.values.get(name)
        return default if found is None else found

    def all(self, name: str) -> list[Any]:
        """All values of a field that can have several."""
        if isinstance(self.values, MultiDict):
            return self.values.getlist(name)
        found = self.values.get(name)
        return list(found) if isinstance(found, list | tuple | set) else [] if found is None else [found]

    def error(self, name: str) -> str | None:
        """Why this field was refused, in the reader's language."""
        return self.errors.get(name)


def read_form(model: type[T]) -> T:
    """The submitted form as `model`; raises Invalid with a message for each field."""
    data: dict[str, Any] = {}
    for name, info in model.model_fields.items():
        key = info.alias or name
        many = get_origin(info.annotation) in {list, set, tuple, frozenset}
        if many:
            data[key] = [v for v in request.form.getlist(key) if v != ""]
        elif key in request.form and (request.form[key].strip() != "" or info.is_required()):
            data[key] = request.form[key]
    return validated(model, data)


def read_json(model: type[T]) -> T:
    """The JSON body as `model`; raises Invalid with JSON pointers, also for a body that is not JSON."""
    raw = request.get_data(cache=True)
    if b"\x00" in raw or b"\\u0000" in raw:
        raise Invalid("bad_json", "The body holds a NUL character.")
    try:
        # Read twice: pydantic's own parser takes NaN, and the last of two equal names.
        json.loads(raw or b"{}", object_pairs_hook=_each_once, parse_constant=_no_number)
        return model.model_validate_json(raw or b"{}")
    except ValidationError as error:
        raise _invalid(error, pointer=True) from error
    except RecursionError as error:
        raise Invalid("bad_json", "The body is nested too deeply.") from error
    except ValueError as error:
        raise Invalid("bad_json", "The body is not valid JSON.") from error


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Invalid("bad_json", "The body names a field twice.")
    return found


def _no_number(name: str) -> None:
    raise Invalid("bad_json", "The body holds a number that is none (NaN or infinite).")


def read_query(model: type[T]) -> T:
    """The query string as `model`; raises Invalid."""
    data: dict[str, Any] = {}
    for name, info in model.model_fields.items():
        if name in request.args:
            many = get_origin(info.annotation) in {list, set, tuple, frozenset}
            value = request.args.getlist(name) if many else request.args[name]
            if value != "":
                data[name] = value
    return validated(model, data)


def validated(model: type[T], data: dict[str, Any]) -> T:
    """`data` as `model`; raises Invalid with a message for each field."""
    if any("\x00" in v for v in data.values() if isinstance(v, str)):
        raise Invalid("invalid", "The text holds a character that cannot be stored.")
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise _invalid(error, pointer=False) from error


def _invalid(error: ValidationError, *, pointer: bool) -> Invalid:
    fields: dict[str, str] = {}
    for item in error.errors(include_url=False):
        path = [str(part) for part in item["loc"]]
        name = "/" + "/".join(path) if pointer else (path[0] if path else "")
        fields.setdefault(name, _words(item))
    return Invalid("invalid", "Please correct the marked fields.", fields=fields)


def _words(item: ErrorDetails) -> str:
    """A validation error in words that say what to do; pydantic's own text is only the last resort."""
    limits = item.get("ctx") or {}
    kind = item["type"]
    if kind == "missing" or (kind == "string_too_short" and limits.get("min_length") == 1):
        return _("Please fill this in.")
    if kind == "string_too_short":
        return _("Use at least %(n)s characters.", n=limits["min_length"])
    if kind == "string_too_long":
        return _("Use at most %(n)s characters.", n=limits["max_length"])
    if kind in {
        "int_parsing",
        "int_type",
        "int_from_float",
        "decimal_parsing",
        "float_parsing",
        "float_type",
    }:
        return _("Write a number in digits.")
    if kind in {"greater_than", "greater_than_equal"}:
        return _("The number is too small; the least is %(n)s.", n=limits.get("ge", limits.get("gt")))
    if kind in {"less_than", "less_than_equal"}:
        return _("The number is too large; the most is %(n)s.", n=limits.get("le", limits.get("lt")))
    if kind in {"literal_error", "enum"}:
        return _("Choose one of the offered values.")
    if kind.startswith(("date", "time")):
        return _("Write a date as YYYY-MM-DD.")
    if kind == "too_short":
        return _("Choose at least one.")
    if kind == "extra_forbidden":
        return _("This field is not known here.")
    if kind == "value_error":
        inner = limits.get("error")
        return _(str(inner)) if inner else _("This value cannot be used.")
    if kind == "json_invalid":
        return _("The body is not valid JSON.")
    return _("This value cannot be used.")
