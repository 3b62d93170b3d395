"""Every error once: an HTML page, an htmx fragment, or application/problem+json."""

from flask import (
    Flask,
    Response,
    current_app,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, SecurityError

from marketplace.kernel.errors import DomainError, NotFound, TooMany, Unauthenticated, Unavailable
from marketplace.web.logs import request_id

_HTTP_CODES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    411: "length_required",
    413: "too_large",
    415: "bad_type",
}


def install(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(DomainError, _domain)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(PoolTimeout, _busy)
    app.register_error_handler(Exception, _unexpected)


def wants_json() -> bool:
    """Whether the caller is an API client, or a script of ours that asks for nothing but JSON."""
    return request.path.startswith("/api/") or request.headers.get("Accept") == "application/json"


def is_htmx() -> bool:
    """Whether the caller swaps a fragment into a page."""
    return request.headers.get("HX-Request") == "true"


def words(error: DomainError) -> str:
    """The message in the reader's language."""
    text = _(error.message)
    return text % error.params if error.params else text


def problem(error: DomainError) -> Response:
    """RFC 9457 document; `code` is stable, `errors` maps JSON pointers to messages."""
    document = {
        "type": f"about:blank#{error.code}",
        "title": error.code.replace("_", " "),
        "status": error.status,
        "detail": words(error),
        "code": error.code,
        "request_id": request_id(),
        **{k: v for k, v in error.extra.items() if k != "retry_after"},
    }
    if error.fields:
        document["errors"] = {name: _(text) for name, text in error.fields.items()}
    response = jsonify(document)
    response.status_code = error.status
    response.mimetype = "application/problem+json"
    return response


def _domain(error: DomainError) -> Response:
    if wants_json():
        response = problem(error)
    elif isinstance(error, Unauthenticated) and request.method in {"GET", "HEAD"} and not is_htmx():
        return redirect(url_for("accounts.sign_in_page", next=_own_path()), code=303)  # type: ignore[return-value]
    else:
        response = _page(error)
    if isinstance(error, TooMany):
        response.headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, Unauthenticated) and wants_json():
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _page(error: DomainError) -> Response:
    name = "errors/fragment.html" if is_htmx() else "errors/error.html"
    body = render_template(
        name,
        status=error.status,
        code=error.code,
        message=words(error),
        fields=error.fields,
        request_id=request_id(),
    )
    return make_response(body, error.status)


def _http(error: HTTPException) -> Response:
    if error.code is not None and error.code < 400:
        return error.get_response()  # type: ignore[return-value]
    if error.code == 404:
        return _domain(NotFound())
    known = DomainError(_HTTP_CODES.get(error.code or 500, "http_error"), "The request could not be understood.")
    known.status = error.code or 500
    if error.code == 405:
        known.message = "This address does not take that kind of request."
    if error.code == 411:
        known.message = "Say how long the body is (Content-Length)."
    if error.code == 413:
        known.message = "What was sent is too large."
    if isinstance(error, SecurityError) and not wants_json():
        # An untrusted Host: no address of ours can be built, so no page either.
        return Response(known.message, known.status, mimetype="text/plain")
    return _domain(known)


def _busy(error: PoolTimeout) -> Response:
    current_app.logger.warning("database pool exhausted", extra={"error": type(error).__name__})
    return _domain(Unavailable("busy", "We are very busy right now. Nothing was changed; please try again."))


def _unexpected(error: Exception) -> Response:
    """A bug: log the trace under the request id, tell the person nothing but that id."""
    if current_app.config.get("PROPAGATE_ERRORS"):
        raise error
    current_app.logger.exception("unexpected error")
    unexpected = DomainError("internal", "Something went wrong on our side. Your data is safe; please try again.")
    unexpected.status = 500
    return _domain(unexpected)


def _own_path() -> str:
    return request.full_path.rstrip("?") if request.query_string else request.path
