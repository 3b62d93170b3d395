"""Routes that cannot exist without a permission: a thin layer over Flask's blueprints."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint
from pydantic import BaseModel

from marketplace.policy.permissions import Permission
from marketplace.web.call import Loader
from marketplace.web.dispatch import run

View = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class RouteSpec:
    """What a route declared; the access matrix and the OpenAPI document are made from these."""

    endpoint: str
    rule: str
    methods: tuple[str, ...]
    view: View
    needs: Permission
    subject: Loader | None = None
    on_invalid: View | None = None
    csrf: bool = True
    api: bool = False
    body: type[BaseModel] | None = None
    returns: Any = None
    status: int = 200
    summary: str = ""
    idempotent: bool = False
    max_bytes: int | None = None


#: Every declared route by endpoint; filled while the feature packages are imported.
ROUTES: dict[str, RouteSpec] = {}


class Section:
    """The pages of one feature under one URL prefix."""

    def __init__(self, name: str, *, url_prefix: str = "") -> None:
        self.blueprint = Blueprint(name, __name__, url_prefix=url_prefix or None)
        self.name = name
        self.url_prefix = url_prefix

    def get(self, rule: str, *, needs: Permission, subject: Loader | None = None) -> Callable[[View], View]:
        """A page. The view is called with (call) or (call, subject) and the remaining URL arguments."""
        return self._route(rule, ("GET",), needs=needs, subject=subject)

    def post(
        self,
        rule: str,
        *,
        needs: Permission,
        subject: Loader | None = None,
        on_invalid: View | None = None,
        csrf: bool = True,
        max_bytes: int | None = None,
    ) -> Callable[[View], View]:
        """A change. `on_invalid` is the page to show again, with the form as typed, on a refused input.

        It is called like the view with `form=FormState(...)` in addition, after the transaction was rolled back.
        `csrf=False` is for machine callers that authenticate the body (webhooks). `max_bytes` lets a signed-in
        person send a larger body than other routes take (the application's MAX_CONTENT_LENGTH).
        """
        return self._route(
            rule,
            ("POST",),
            needs=needs,
            subject=subject,
            on_invalid=on_invalid,
            csrf=csrf,
            max_bytes=max_bytes,
        )

    def _route(self, rule: str, methods: tuple[str, ...], **declared: Any) -> Callable[[View], View]:
        def register(view: View) -> View:
            spec = RouteSpec(
                endpoint=f"{self.name}.{view.__name__}",
                rule=self.url_prefix + rule,
                methods=methods,
                view=view,
                **declared,
            )
            self._add(rule, spec)
            return view

        return register

    def _add(self, rule: str, spec: RouteSpec) -> None:
        if spec.endpoint in ROUTES:
            raise RuntimeError(f"two views are called {spec.endpoint}")
        ROUTES[spec.endpoint] = spec
        name = spec.endpoint.removeprefix(f"{self.name}.")
        self.blueprint.add_url_rule(
            rule, endpoint=name, view_func=lambda **args: run(spec, args), methods=list(spec.methods)
        )


class Api(Section):
    """Routes of `/api/v1`: JSON in, JSON out, bearer tokens, described in the OpenAPI document.

    The view is called like a page's, with the validated `body` model in addition, and returns a pydantic model, a
    dict, None (204), or (value, status).
    """

    def __init__(self, name: str) -> None:
        super().__init__(f"api_{name}", url_prefix="/api/v1")

    def get(
        self,
        rule: str,
        *,
        needs: Permission,
        subject: Loader | None = None,
        returns: Any = None,
        summary: str = "",
    ) -> Callable[[View], View]:
        """A reading call."""
        return self._route(rule, ("GET",), needs=needs, subject=subject, returns=returns, summary=summary, api=True)

    def call(
        self,
        method: str,
        rule: str,
        *,
        needs: Permission,
        subject: Loader | None = None,
        body: type[BaseModel] | None = None,
        returns: Any = None,
        status: int = 200,
        summary: str = "",
    ) -> Callable[[View], View]:
        """A changing call; POST honors `Idempotency-Key`."""
        return self._route(
            rule,
            (method,),
            needs=needs,
            subject=subject,
            body=body,
            returns=returns,
            status=status,
            summary=summary,
            api=True,
            csrf=False,
            idempotent=method == "POST",
        )
