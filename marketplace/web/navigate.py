"""Where to go after a change."""

from typing import Any

from flask import Response, flash, make_response, redirect, url_for

from marketplace.web.errors import is_htmx


def see_other(endpoint: str, *, toast: str | None = None, tone: str = "success", **values: Any) -> Response:
    """A 303 to one of our own pages (for htmx: a full navigation), with an optional toast there."""
    if toast:
        flash(toast, tone)
    target = url_for(endpoint, **values)
    if is_htmx():
        response = make_response("", 204)
        response.headers["HX-Redirect"] = target
        return response
    return redirect(target, code=303)  # type: ignore[return-value]


def leave_for(url: str) -> Response:
    """A 303 to a page outside, made by one of our gateways (never by a user)."""
    if is_htmx():
        response = make_response("", 204)
        response.headers["HX-Redirect"] = url
        return response
    return redirect(url, code=303)  # type: ignore[return-value]


def own_path(path: str | None) -> str | None:
    """`path` if it is a page of ours, else None (no scheme, host, backslash or control character)."""
    if not path or not path.startswith("/") or path.startswith("//") or "\\" in path or not path.isprintable():
        return None
    return path
