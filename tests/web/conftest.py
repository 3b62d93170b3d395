"""Applications with one thing different: another address, a missing service, a view that fails."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from marketplace.app import create_app
from marketplace.kernel.errors import (
    Conflict,
    DomainError,
    Forbidden,
    Invalid,
    NotFound,
    TooMany,
    Unauthenticated,
    Unavailable,
)
from tests.kit.instance import Instance

AppWith = Callable[..., Flask]
#: What an error page must never show.
CANARY = "canary-8841-select-secret"


@pytest.fixture
def app_with(instance: Instance) -> Iterator[AppWith]:
    """`app_with(redis_url=...)`: the application with some settings replaced, answering errors as in production."""
    made: list[Flask] = []

    def build(**changed: Any) -> Flask:
        made.append(create_app(replace(instance.settings, **changed)))
        return made[-1]

    yield build
    for app in made:
        app.extensions["services"].engine.dispose()


FAILURES: dict[int, Callable[[], Exception]] = {
    400: lambda: DomainError("bad_request", "That cannot be read."),
    401: lambda: Unauthenticated("sign_in_required", "Please sign in first."),
    403: lambda: Forbidden("forbidden", "Your role does not allow this."),
    404: NotFound,
    409: lambda: Conflict("stale_version", "Somebody was faster."),
    422: lambda: Invalid("invalid", "Please correct the marked fields.", fields={"name": "Please fill this in."}),
    429: lambda: TooMany(retry_after=30),
    500: lambda: RuntimeError(f"{CANARY} in /srv/app/secret.py"),
    503: lambda: Unavailable("busy", "We could not do this just now."),
}


@pytest.fixture
def failing(app_with: AppWith) -> Flask:
    """An application with `/fails/<status>` and `/api/v1/fails/<status>`, each raising one kind of error."""
    app = app_with()

    def fail(status: int) -> str:
        raise FAILURES[status]()

    app.add_url_rule("/fails/<int:status>", endpoint="fails", view_func=fail, methods=["GET", "POST"])
    app.add_url_rule("/api/v1/fails/<int:status>", endpoint="api_fails", view_func=fail, methods=["GET", "POST"])
    return app
